"""The texts of a survey in one language: title, messages, buttons; its own language and those it is translated into."""

from typing import Any

from flask import make_response, render_template, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from crm.db import db
from crm.engine import records
from crm.engine.channels import Channel
from crm.engine.refusals import Missing, Refused
from crm.engine.registry import modules
from crm.ui.i18n import LANGUAGES
from crm.ui.page import go, tell
from crm.ui.session import commit, viewer
from surveys import designing
from surveys.design import TEXTS, Design, languages_of
from surveys.web.building import home, opened


def show(id: int, language: str) -> AnyResponse:
    """The texts, those of the survey's own language beside them."""
    row, design = opened(id)
    known = languages_of(design.row)
    if language not in known:
        raise Missing
    held = design.row if language == known[0] else (design.row["translations"] or {}).get(language, {})
    return _draw(row, design, language, {name: held.get(name) or "" for name in TEXTS}, {})


def _draw(row: Any, design: Design, language: str, values: dict[str, str], faults: dict[str, str]) -> AnyResponse:
    is_own = language == languages_of(design.row)[0]
    fields = [
        (name, _(modules["surveys"].fields[name].label), "" if is_own else design.row[name] or "", values[name])
        for name in TEXTS
    ]
    drawn = render_template(
        "surveys/build_texts.html", row=row, home=home(row.id), here="surveys", fields=fields, language=language,
        faults=faults, language_label=LANGUAGES.get(language, language),
        spoken=[(key, LANGUAGES[key]) for key in languages_of(design.row) if key in LANGUAGES],
    )  # fmt: skip
    return make_response(drawn, 422 if faults else 200)


def save(id: int, language: str) -> AnyResponse:
    """Save them; an empty translation is the survey's own text."""
    row, design = opened(id)
    values = {name: request.form.get(name, "") for name in TEXTS}
    try:
        if language == languages_of(design.row)[0]:
            records.update(viewer(), "surveys", id, values, Channel.FORM)
        elif language in languages_of(design.row):
            designing.translate(viewer(), id, language, values)
        else:
            raise Missing
        commit()
    except Refused as refused:
        db.session.rollback()
        return _draw(row, design, language, values, refused.by_field)
    tell(_("Saved."))
    return go(f"{home(id)}/build")
