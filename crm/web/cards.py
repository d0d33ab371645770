"""Cards of every module: facts, blocks with quick edit, related lists, actions, the bin; and the way from any id to its card."""

from typing import Any

from flask import Blueprint, make_response, redirect, render_template, request
from flask_babel import gettext as _
from sqlalchemy import false, func, select
from werkzeug.wrappers import Response as AnyResponse

from crm import clock
from crm.db import Entity, db
from crm.engine import pictures, records, relations
from crm.engine.channels import Channel
from crm.engine.module import Module
from crm.engine.permissions import may, readable, scope, writable
from crm.engine.refusals import Missing, Refused, Stale
from crm.engine.registry import modules
from crm.engine.rows import Row
from crm.engine.search import one
from crm.ui import cards, forms, timelines
from crm.ui.face import face
from crm.ui.lists import columns_of
from crm.ui.page import go, local_path, tell
from crm.ui.places import place_of
from crm.ui.session import commit, viewer
from crm.ui.stages import steps_of
from crm.web.lists import module_of

bp = Blueprint("cards", __name__, url_prefix="/crm")


@bp.get("/<key>/<int:id>")
def show(key: str, id: int) -> str:
    module = module_of(key)
    row = one(viewer(), module, id)
    tabs = cards.tabs_of(viewer(), module, id)
    return render_template(
        "card.html", module=module, here=module.key, row=row, facts=cards.facts_of(viewer(), module, row),
        blocks=cards.blocks_for(viewer(), module, row), tabs=tabs, parts=cards.parts_of(viewer(), row),
        deeds=cards.deeds_of(viewer(), row), actions=_actions(module, row), rights=rights(module, id) | _kept(module, row),
        steps=steps_of(viewer(), module, row), timeline=timelines.first_page(viewer(), module, id) if module.is_record else None,
        picture_id=row.get(pictures.FIELD), may_give_picture=pictures.may_give(viewer(), module),
        can_add_activity=_activity_relation(module) != "", today=clock.today(viewer().timezone).isoformat(),
    )  # fmt: skip


def rights(module: Module, id: int) -> dict[str, bool]:
    """What the viewer may do with this very record: one query, none when the rights are general."""
    return _may_here(module, id, "edit", "delete")


def _kept(module: Module, row: Row) -> dict[str, bool]:
    return {"delete": False} if module.stays and module.stays(row) else {}


def _may_here(module: Module, id: int, *verbs: str) -> dict[str, bool]:
    found = {verb: may(viewer(), verb, module) and (verb != "edit" or module.editable) for verb in verbs}
    asked = {
        verb: narrowing
        for verb, is_open in found.items()
        if is_open and (narrowing := scope(viewer(), module, verb)) is not None
    }
    if asked:
        said = select(*(func.coalesce(one, false()) for one in asked.values())).where(module.table.c.id == id)
        row = db.session.execute(said).first()
        found |= {verb: row is not None and bool(row[place]) for place, verb in enumerate(asked)}
    return found


def _actions(module: Module, row: Row) -> list[Any]:
    if not may(viewer(), "edit", module):
        return []
    return [action for action in module.actions if _is_offered(action, module, row)]


def _is_offered(action: Any, module: Module, row: Row) -> bool:
    try:
        return records.is_offered(action, module, {**row, "id": row.id})
    except KeyError:  # it asks for a field that this viewer may not read
        return False


# one field where it stands


@bp.get("/<key>/<int:id>/field/<name>")
def field(key: str, id: int, name: str) -> str:
    """A field of the card: as it stands, or with `edit` as a small form."""
    module = module_of(key)
    row = one(viewer(), module, id)
    if name not in row:
        raise Missing
    if request.args.get("edit") and name in writable(viewer(), module) and _may_here(module, id, "edit")["edit"]:
        made = forms.form_of(viewer(), module, row, _texts(module, row), only=(name,))
        return render_template("_field_form.html", module=module, row=row, form=made, name=name)
    return _fact(module, row, name)


def _fact(module: Module, row: Row, name: str) -> str:
    is_open = _may_here(module, row.id, "edit")["edit"]
    fact = cards.fact_of(module, row, name, writable(viewer(), module), is_open)
    return render_template("_fact.html", facts=[fact], module=module, row=row)


def _texts(module: Module, row: Row) -> dict[str, str]:
    """Labels of the linked records, for the boxes that choose them."""
    return {
        name: row.label_of(name) or _("(hidden)")
        for name, said in module.fields.items()
        if said.is_link and row.get(name)
    }


@bp.post("/<key>/<int:id>/field/<name>")
def set_field(key: str, id: int, name: str) -> AnyResponse | str:
    """Save one field; the same checks as a form has."""
    module = module_of(key)
    made = forms.form_of(viewer(), module, typed=request.form, only=(name,))
    version = request.form.get("version", type=int)
    try:
        if module.doubts and not request.form.get("anyway"):
            made.ask_twice(one(viewer(), module, id))
        records.update(viewer(), module, id, made.values(), Channel.QUICK_EDIT, version)
        commit()
    except Stale as stale:
        db.session.rollback()
        row = one(viewer(), module, id)
        made.others[""] = _("Somebody changed this record meanwhile. It says “%(now)s” now. Save again to overwrite it.",
                            now=forms.spelled(module.fields[name], row[name], viewer().timezone))  # fmt: skip
        page = render_template("_field_form.html", module=module, row=row, form=made, name=name, version=stale.current)
        return make_response(page, 409)
    except Refused as refused:
        db.session.rollback()
        made.refuse(refused)
        row = one(viewer(), module, id)
        made = _with_texts(made, module, row)
        return make_response(render_template("_field_form.html", module=module, row=row, form=made, name=name), 422)
    answer = make_response(_fact(module, one(viewer(), module, id), name))
    answer.headers["HX-Trigger"] = "changed"
    return answer


def _with_texts(made: forms.RecordForm, module: Module, row: Row) -> forms.RecordForm:
    texts = _texts(module, row)
    for name, one_field in made.form._fields.items():
        one_field.text = texts.get(name, "") if str(row.get(name) or "") == str(one_field.data or "") else ""
    return made


# what can be done


@bp.post("/<key>/<int:id>/do/<action>")
def act(key: str, id: int, action: str) -> AnyResponse:
    """Do one of the module's declared actions."""
    module = module_of(key)
    records.act(viewer(), module, id, action, Channel.FORM)
    commit()
    label = next(one.label for one in module.actions if one.key == action)
    tell(_("Done: %(action)s.", action=_(label)))
    return go(f"{face().prefix}/{key}/{id}")


@bp.post("/<key>/<int:id>/stage/<name>")
def move(key: str, id: int, name: str) -> AnyResponse:
    """Move the record to another stage of its process."""
    module = module_of(key)
    records.update(
        viewer(),
        module,
        id,
        {name: request.form.get(name, "")},
        Channel.QUICK_EDIT,
        request.form.get("version", type=int),
    )
    commit()
    return go(f"{face().prefix}/{key}/{id}")


@bp.post("/<key>/<int:id>/delete")
def delete(key: str, id: int) -> AnyResponse:
    module = module_of(key)
    row = one(viewer(), module, id, module.titles)
    records.delete(viewer(), module, id, Channel.FORM)
    commit()
    tell(_("“%(name)s” is in the recycle bin.", name=row.label))
    return go(f"{face().prefix}/{key}")


@bp.get("/go/<int:id>")
def find_card(id: int) -> AnyResponse:
    """From the id of any record to its card."""
    key = db.session.execute(select(Entity.module).where(Entity.id == id)).scalar()
    place = place_of(key, id, viewer()) if key else ""
    if not place:
        raise Missing
    return redirect(place)


# the timeline


@bp.get("/<key>/<int:id>/timeline")
def timeline(key: str, id: int) -> str:
    """A part of the timeline: another filter, or what is older."""
    module = module_of(key)
    after = request.args.get("after") or None
    story = timelines.page(viewer(), module, id, request.args.get("wanted", ""), after)
    return render_template(
        "_timeline.html",
        module=module,
        row=one(viewer(), module, id, module.titles),
        timeline=story,
        is_older=bool(after),
    )


def _activity_relation(module: Module) -> str:
    """What the module calls its many-link to activities; "" when it has none or the viewer may not make any."""
    if "activities" not in modules or not may(viewer(), "create", "activities") or not may(viewer(), "edit", module):
        return ""
    known = modules.relations(module.key).items()
    return next((name for name, relation in known if relation.kind == "many" and relation.target == "activities"), "")


@bp.post("/<key>/<int:id>/activity")
def add_activity(key: str, id: int) -> AnyResponse | str:
    """A task, or a call or meeting that was held, from the box on the timeline."""
    module = module_of(key)
    relation, kind, day = _activity_relation(module), request.form.get("kind"), request.form.get("on", "")
    if not relation:
        raise Missing
    values: dict[str, Any] = {
        "subject": request.form.get("subject", ""),
        "kind": "task",
        "activity_type": "Task",
        "due_on": day,
    }
    if kind in {"call", "meeting"}:
        at = clock.now() if day == clock.today(viewer().timezone).isoformat() else f"{day} 12:00"
        values = {
            "subject": values["subject"],
            "kind": "event",
            "activity_type": kind.capitalize(),
            "status": "Held",
            "starts_at": at,
        }
    made = records.create(viewer(), "activities", values, Channel.FORM)
    relations.link(viewer(), key, id, relation, [made], Channel.FORM)
    commit()
    return timeline(key, id)


# related lists


def _tab(module: Module, id: int, name: str) -> cards.Tab:
    for tab in cards.tabs_of(viewer(), module, id):
        if tab.key == name:
            return tab
    raise Missing


@bp.get("/<key>/<int:id>/tabs")
def tabs(key: str, id: int) -> str:
    """The tabs with their counts; asked for after the card is there."""
    module = module_of(key)
    row, home = one(viewer(), module, id, module.titles), f"{face().prefix}/{module.key}/{id}"
    found: list[tuple[cards.Tab | cards.Pane, int, str]] = [
        (tab, cards.count_of(viewer(), module, id, tab), f"{home}/related/{tab.key}")
        for tab in cards.tabs_of(viewer(), module, id)
    ]
    found += [(pane, pane.count(viewer(), row), href) for pane, href in cards.panes_of(viewer(), row)]
    return render_template("_tabs.html", module=module, id=id, tabs=found, chosen=request.args.get("tab", ""))


@bp.get("/<key>/<int:id>/related/<name>")
def related(key: str, id: int, name: str) -> str:
    """The rows of one related list."""
    module = module_of(key)
    row = one(viewer(), module, id, module.titles)
    tab = _tab(module, id, name)
    page = cards.rows_of(viewer(), module, id, tab, request.args.get("after"))
    columns = columns_of(viewer(), tab.module, tab.columns, sortable=False)
    return render_template(
        "_related.html", module=module, row=row, tab=tab, page=page, columns=columns,
        rows=[(other, [column.draw(other) for column in columns]) for other in page.rows],
    )  # fmt: skip


@bp.post("/<key>/<int:id>/related/<name>")
def set_related(key: str, id: int, name: str) -> AnyResponse:
    """Link another record, or take a link away (`unlink` holds its id)."""
    module = module_of(key)
    tab = _tab(module, id, name)
    if not tab.is_linkable:
        raise Missing
    if request.form.get("unlink"):
        relations.unlink(viewer(), key, id, tab.through, [int(request.form["unlink"])], Channel.FORM)
    else:
        others = [int(one_id) for one_id in request.form.getlist("other") if one_id.isdecimal()]
        if not others:
            raise Refused.because("required", _("Choose a record to link."), "other")
        relations.link(viewer(), key, id, tab.through, others, Channel.FORM)
    commit()
    return go(local_path(request.form.get("next"), f"{face().prefix}/{key}/{id}?tab={name}"))


def may_read(module: Module, name: str) -> bool:
    return name in readable(viewer(), module)
