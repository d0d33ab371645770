"""How a survey looks: the frame that shows it beside the builder, also with a question or theme that is not saved yet."""

from typing import Any

from flask import Response, g, make_response, render_template, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from crm.db import db
from crm.engine import picklists, records, search
from crm.engine.channels import Channel
from crm.engine.permissions import may
from crm.engine.refusals import Missing, Refused
from crm.engine.registry import modules
from crm.ui.i18n import LANGUAGES
from crm.ui.page import go, tell
from crm.ui.public_page import page as public_page
from crm.ui.session import commit, viewer
from surveys import designing, forms, looks
from surveys.design import Design, languages_of, load, with_draft
from surveys.forms import Form
from surveys.kinds import KINDS
from surveys.modules.survey_themes import COLOURS, has_colours
from surveys.web import asking, conditions
from surveys.web.building import home, opened
from surveys.web.public import script

LOOK = (*COLOURS, "font", "corners", "width", "css")
SIZES = {"corners": (0, 40), "width": (320, 1200)}


def frame(id: int) -> Response:
    """One page of the survey as people see it. `page`, `language`; the values of a theme when `look` is said."""
    search.one(viewer(), "surveys", id, columns=("name",))
    design = load(id, request.args.get("language"))
    theme = _typed_theme() if request.args.get("look") else None
    row = {**design.row, "css": request.args.get("own_css", "")} if theme is not None else design.row
    return _draw(design, looks.sheet_of(row, theme))


def frame_of_draft(id: int) -> Response:
    """The same with the question that is being written. Nothing is saved."""
    search.one(viewer(), "surveys", id, columns=("name",))
    design = load(id, request.args.get("language"))
    kind = KINDS.get(request.form.get("kind", ""))
    if kind is None:
        raise Missing
    question_id = request.form.get("question_id", 0, type=int)
    values = asking.typed_values(design, kind, {})
    name = values["name"] if designing.NAME(values["name"]) else f"draft_{question_id}"
    if kind.has_answer and not values["title"].strip():
        values["title"] = _("Your question")  # else its made-up name would stand there
    for field in asking.CONDITIONS:
        values[field] = _condition_of(design, field)
    row = designing.as_stored(values | {"name": name}) | {"id": question_id, "place": 0}
    drawn = with_draft(design, row, request.form.get("page_id", 0, type=int), request.form.get("place", type=int))
    problems = designing.wrong_settings(drawn.by_name[name]) if name in drawn.by_name else []
    if problems:
        drawn = with_draft(design, row | {"settings": {}}, request.form.get("page_id", 0, type=int))
    if designing.logic.circles(drawn):  # saving refuses them with a sentence; here they would be asked for ever
        row |= dict.fromkeys(asking.CONDITIONS)
        drawn = with_draft(design, row, request.form.get("page_id", 0, type=int), request.form.get("place", type=int))
    return _draw(drawn, looks.sheet_of(design.row))


def _condition_of(design: Design, field: str) -> Any:
    """A condition as far as it can be understood already."""
    try:
        said = conditions.read(request.form, field)
        designing.logic.check(said, design.by_name, field)
    except Refused:
        return None
    return said


def _draw(design: Design, sheet: str) -> Response:
    place = min(max(request.args.get("page", 1, type=int), 1), max(len(design.pages), 1))
    form = Form(design, sealer=forms.sealer(), place=place) if design.pages else None
    g.may_be_framed = True
    answer = public_page(
        "surveys/frame", 200, design.language, css=sheet, script=script(), framed_by="'self'", design=design, form=form,
        place=place, is_first=place == 1, is_last=place == len(design.pages),
    )  # fmt: skip
    answer.headers["X-Frame-Options"] = "SAMEORIGIN"
    return answer


# the theme


def look(id: int) -> AnyResponse:
    """The theme of a survey and its own styles, with a preview that follows."""
    row, design = opened(id)
    chosen = request.args.get("theme", type=int) if "theme" in request.args else design.row["theme_id"]
    theme = looks.theme_of(chosen) or {}
    return _draw_look(row, design, dict(theme), {})


def _draw_look(row: Any, design: Design, theme: dict[str, Any], faults: dict[str, str]) -> AnyResponse:
    themes = (
        search.find(viewer(), "survey_themes", columns=("name",), limit=200).rows
        if may(viewer(), "view", "survey_themes")
        else []
    )
    drawn = render_template(
        "surveys/look.html", row=row, design=design, home=home(row.id), here="surveys", theme=theme, faults=faults,
        themes=[(one.id, one["name"]) for one in themes], fonts=[(one.key, _(one.label)) for one in picklists.choices("survey_font")],
        css=request.form.get("own_css", design.row["css"] or ""), colours=[
            (name, _(modules["survey_themes"].fields[name].label)) for name in COLOURS
        ],
        spoken=[(key, LANGUAGES[key]) for key in languages_of(design.row) if key in LANGUAGES],
        may_theme=may(viewer(), "edit", "survey_themes"), may_make=may(viewer(), "create", "survey_themes"),
    )  # fmt: skip
    return make_response(drawn, 422 if faults else 200)


def save_look(id: int) -> AnyResponse:
    """Save the theme (a new one when it has a new name and none was chosen) and give it to the survey."""
    row, _design = opened(id)
    said = request.form
    theme_id = said.get("theme_id", type=int)
    values: dict[str, Any] = {name: said.get(name, "").strip() or None for name in LOOK}
    for name in COLOURS:
        if not said.get(f"uses_{name}"):
            values[name] = None
    values["name"] = said.get("name", "").strip()
    try:
        if theme_id is not None:
            old = search.one(viewer(), "survey_themes", theme_id)
            fresh = {name: value for name, value in values.items() if value != old[name]}
            if fresh and may(viewer(), "edit", "survey_themes"):
                records.update(viewer(), "survey_themes", theme_id, fresh, Channel.FORM)
        elif values["name"]:
            theme_id = records.create(viewer(), "survey_themes", values, Channel.FORM)
        records.update(viewer(), "surveys", id, {"theme_id": theme_id, "css": said.get("own_css", "")}, Channel.FORM)
        commit()
    except Refused as refused:
        db.session.rollback()
        return _draw_look(row, load(id), values | {"id": theme_id}, refused.by_field)
    tell(_("Saved."))
    return go(f"{home(id)}/look")


def _typed_theme() -> dict[str, Any]:
    """What the form of a theme says just now; what cannot be used is left out."""
    said: dict[str, Any] = {name: request.args.get(name, "").strip() or None for name in LOOK}
    for name in (*has_colours(said, None), *(one for one in COLOURS if not request.args.get(f"uses_{one}"))):
        said[name] = None
    for name, (least, most) in SIZES.items():
        number = request.args.get(name, type=int)
        said[name] = number if number is not None and least <= number <= most else None
    return said
