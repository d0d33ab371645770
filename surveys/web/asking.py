"""The form of one question, on a page of its own or opened in its place in the builder, and what was typed into it."""

from collections.abc import Mapping
from typing import Any

from flask import make_response, render_template, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from crm.db import db
from crm.engine import attachments, public_pictures
from crm.engine.attachments import MEGABYTE
from crm.engine.permissions import may
from crm.engine.refusals import Missing, Refused
from crm.engine.registry import modules
from crm.ui.page import is_part
from crm.ui.session import commit, viewer
from surveys import designing
from surveys.design import Design
from surveys.kinds import ALL, KINDS, Kind
from surveys.mapping import DIRECTIONS, NOT_WRITTEN, targets
from surveys.web import conditions
from surveys.web.building import changed, home, opened, other_languages

CONDITIONS = ("visible_if", "enable_if", "required_if")


def new(id: int) -> AnyResponse:
    """The form of a question that is not there yet: `kind`, `page`, and `place` in the page, from 0."""
    row, design = opened(id)
    kind = request.args.get("kind", "")
    page_id = request.args.get("page", type=int)
    if kind not in KINDS or page_id not in {page.id for page in design.pages}:
        raise Missing
    values = {"kind": kind, "visible": True, "page_id": page_id, "place": request.args.get("place", "")}
    if KINDS[kind].takes_options:
        values["options_text"] = "\n".join(_("Option %(n)s", n=n) for n in (1, 2, 3))
    return _draw(row, design, values, None)


def edit(id: int, question_id: int) -> AnyResponse:
    row, design = opened(id)
    return _draw(row, design, _stored(id, question_id), question_id)


def add(id: int) -> AnyResponse:
    return _save(id, None)


def save(id: int, question_id: int) -> AnyResponse:
    return _save(id, question_id)


def remove(id: int, question_id: int) -> AnyResponse:
    """Delete a question with its answers; with answers there, the survey's name must be typed."""
    row, design = opened(id)
    try:
        designing.delete_question(viewer(), id, question_id, request.form.get("typed", ""))
        commit()
    except Refused as refused:
        db.session.rollback()
        held = _stored(id, question_id) | {"typed": request.form.get("typed", "")}
        return _draw(row, design, held, question_id, refused.by_field)
    return changed(id, _("The question was deleted."))


def typed_values(design: Design, kind: Kind, old: Mapping[str, Any]) -> dict[str, Any]:
    """What the form says, without its conditions and pictures."""
    said = request.form
    return {
        "name": said.get("name", "").strip(), "kind": kind.name, "title": said.get("title", ""),
        "description": said.get("description", ""), "required": bool(said.get("required")),
        "visible": bool(said.get("visible")),
        "settings": {one.name: said.get(f"set-{one.name}", "").strip() or None for one in kind.settings},
        "translations": _translations(design, kind), "options": _options(design), "mapping": _mapping(),
    }  # fmt: skip


def _stored(id: int, question_id: int) -> dict[str, Any]:
    found = dict(designing.question_row(id, question_id))
    mapping = found["mapping"] or {}
    return found | {
        "options_text": "\n".join(_line(one) for one in found["options"]),
        "tied_to": f"{mapping['module']}.{mapping['field']}" if mapping else "",
        "direction": mapping.get("direction", "both"), "write_empty": mapping.get("write_empty", False),
        "spelled": {name: conditions.spell(found[name]) for name in CONDITIONS},
    }  # fmt: skip


def _line(option: Mapping[str, Any]) -> str:
    """An option as it is written: `value: words`, with ` !` at the end when it stands alone."""
    label = option.get("label") or option["value"]
    plain = label if label == option["value"] and ":" not in label else f"{option['value']}: {label}"
    return f"{plain}{' !' if option.get('exclusive') else ''}"


def _save(id: int, question_id: int | None) -> AnyResponse:
    row, design = opened(id)
    kind = KINDS.get(request.form.get("kind", ""))
    if kind is None:
        raise Missing
    old = _stored(id, question_id) if question_id is not None else {}
    values = typed_values(design, kind, old)
    try:
        designing.open_for(viewer(), id)
        _take_picture(kind, values["settings"])
        for name in CONDITIONS:
            values[name] = conditions.read(request.form, name)
        if question_id is None:
            page_id, place = request.form.get("page_id", 0, type=int), request.form.get("place", type=int)
            designing.add_question(viewer(), id, page_id, values, place)
        else:
            designing.change_question(viewer(), id, question_id, values)
        commit()
    except Refused as refused:
        db.session.rollback()
        said = request.form
        shown = values | {
            "options_text": said.get("options", ""), "tied_to": said.get("tied_to", ""), "place": said.get("place", ""),
            "direction": said.get("direction", ""), "write_empty": said.get("write_empty"),
            "page_id": said.get("page_id", type=int),
            "spelled": {name: conditions.typed(said, name) for name in CONDITIONS},
        }  # fmt: skip
        return _draw(row, opened(id)[1], shown, question_id, refused.by_field)
    return changed(id, _("Saved."), f"#question-{values['name']}")


def _take_picture(kind: Kind, settings: dict[str, Any]) -> None:
    """Keep an uploaded picture under a public address and note that in its setting. Raises Refused."""
    name = next((one.name for one in kind.settings if one.input == "picture"), "")
    part = request.files.get(f"upload-{name}") if name else None
    if part is None or not part.filename:
        return
    stored = attachments.store(
        viewer(), attachments.plain_name(part.filename), part.stream, part.mimetype or "", 5 * MEGABYTE
    )
    settings[name] = public_pictures.publish(stored)
    commit()  # kept even when the rest of the form is refused, as the form then shows it and sends its address alone


def _draw(
    row: Any,
    design: Design,
    values: Mapping[str, Any],
    question_id: int | None,
    faults: Mapping[str, str] | None = None,
) -> AnyResponse:
    kind = KINDS[values["kind"]]
    spelled = values.get("spelled") or {}
    labels = (_("Shown when"), _("Can be answered when"), _("Required when"))
    drawn = render_template(
        "surveys/_question_form.html" if is_part() else "surveys/build_question.html", row=row, design=design, values=values,
        kind=kind, question_id=question_id, home=home(row.id), here="surveys", faults=faults or {},
        operators=conditions.operators(), matches=conditions.matches(), conditions=[
            (name, label, spelled.get(name) or conditions.Spelled()) for name, label in zip(CONDITIONS, labels, strict=True)
        ],
        kinds=[(one.name, _(one.label)) for one in ALL], fields=_fields(kind.fits), is_in_place=is_part(),
        directions=[(key, _(label)) for key, label in DIRECTIONS.items()], others=other_languages(design),
        answered=designing.count_answers(question_id) if question_id is not None else 0,
    )  # fmt: skip
    return make_response(drawn, 422 if faults else 200)


def _fields(fits: frozenset[str]) -> list[tuple[str, str]]:
    """The fields of the CRM that a question can be tied to."""
    found = [("", "")]
    for key in targets():
        if not may(viewer(), "view", key):
            continue
        for name, said in modules[key].fields.items():
            if said.kind.name in fits and said.kind.name not in NOT_WRITTEN and not said.read_only:
                found.append((f"{key}.{name}", f"{_(modules[key].label)}: {_(said.label)}"))
    return found


def _translations(design: Design, kind: Kind) -> dict[str, dict[str, str]]:
    names = ["title", "description", *(f"settings.{one.name}" for one in kind.settings if one.is_spoken)]
    return {
        key: {name: text for name in names if (text := request.form.get(f"{name}-{key}", "").strip())}
        for key, _label in other_languages(design)
    }


def _options(design: Design) -> list[dict[str, Any]]:
    """Options as they are written, one a line: `value: words`, with ` !` at the end when it stands alone."""
    found: list[dict[str, Any]] = []
    lines = [line.strip() for line in request.form.get("options", "").splitlines() if line.strip()]
    for place, said in enumerate(lines):
        exclusive = said.endswith(" !")
        value, colon, label = said.removesuffix(" !").partition(":")
        one: dict[str, Any] = {
            "value": value.strip(), "label": (label if colon else value).strip(), "exclusive": exclusive,
        }  # fmt: skip
        labels = {}
        for key, _label in other_languages(design):
            theirs = request.form.get(f"options-{key}", "").splitlines()
            if len(theirs) > place and theirs[place].strip():
                labels[key] = theirs[place].strip()
        found.append(one | ({"labels": labels} if labels else {}))
    return found


def _mapping() -> dict[str, Any] | None:
    module, dot, field = request.form.get("tied_to", "").partition(".")
    if not dot:
        return None
    made: dict[str, Any] = {"module": module, "field": field, "direction": request.form.get("direction", "")}
    return made | ({"write_empty": True} if request.form.get("write_empty") else {})
