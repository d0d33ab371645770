"""Forms of every module: new and edit, made from the declaration; a stale save shows both versions; boxes that choose records."""

from typing import Any

from flask import Blueprint, Response, jsonify, make_response, redirect, render_template, request
from flask_babel import gettext as _
from sqlalchemy import select
from werkzeug.wrappers import Response as AnyResponse

from crm.db import Entity, db
from crm.engine import duplicates, presence, records, relations
from crm.engine.channels import Channel
from crm.engine.fields import Field
from crm.engine.module import Module
from crm.engine.permissions import demand, may
from crm.engine.refusals import Forbidden, Missing, Refused, Stale
from crm.engine.registry import modules
from crm.engine.rows import Row, labels_of
from crm.engine.search import find, one
from crm.identity import owners
from crm.ui import forms
from crm.ui.face import face
from crm.ui.page import local_path, tell
from crm.ui.session import commit, viewer
from crm.web.lists import module_of

bp = Blueprint("forms", __name__, url_prefix="/crm")
SUGGESTED = 20


@bp.get("/<key>/new")
def new(key: str) -> str:
    """An empty form; what is named in the address stands in it (from a related list, from another record)."""
    module = module_of(key)
    demand(viewer(), "create", module)
    if not module.creatable:
        raise Forbidden(_("%(plural)s are made by the system only.", plural=_(module.plural)))
    values = {name: said.default() if callable(said.default) else said.default for name, said in module.fields.items()}
    values["owner_id"] = viewer().id
    if request.args.get("copy", type=int):
        values |= one(viewer(), module, request.args.get("copy", 0, type=int))
    for name, raw in request.args.items():
        if name in module.fields:
            values[name] = _typed(module.fields[name], raw)
    return _draw(module, forms.form_of(viewer(), module, values, _texts(module, values)))


def _typed(said: Field, raw: str) -> Any:
    return int(raw) if said.is_link and raw.isdecimal() else raw


def _texts(module: Module, values: Any) -> dict[str, str]:
    wanted = {
        name: int(values[name])
        for name, said in module.fields.items()
        if said.is_link and str(values.get(name) or "").isdecimal()
    }
    labels = labels_of(viewer(), wanted.values()) if wanted else {}
    return {name: labels.get(id, "") for name, id in wanted.items()}


def _draw(module: Module, form: forms.RecordForm, row: Row | None = None, status: int = 200, **more: Any) -> Any:
    page = render_template(
        "record_form.html", module=module, here=module.key, form=form, row=row, query=request.query_string.decode(),
        **{"likely": [], "theirs": [], "version": row.version if row is not None else 0} | more,
    )  # fmt: skip
    return make_response(page, status)


@bp.post("/<key>/new")
def create(key: str) -> AnyResponse:
    module = module_of(key)
    form = forms.form_of(viewer(), module, typed=request.form)
    likely = []
    if not request.form.get("anyway"):
        likely = duplicates.likely(viewer(), module, form.values())
    try:
        if likely:
            raise Refused()
        if module.doubts and not request.form.get("anyway"):
            form.ask_twice()
        id = records.create(viewer(), module, form.values(), Channel.FORM)
        _link(key, id)
        commit()
    except Refused as refused:
        db.session.rollback()
        form.refuse(refused)
        _give_texts(module, form)
        twins = [
            (_(module.fields[name].label), twin, labels_of(viewer(), [twin]).get(twin, "")) for name, twin in likely
        ]
        return _draw(module, form, status=422, likely=twins)  # type: ignore[no-any-return]
    tell(_("%(label)s is saved.", label=_(module.label)))
    if request.form.get("another"):
        return redirect(f"{face().prefix}/{key}/new", 303)
    where = local_path(request.args.get("next"), f"{face().prefix}/{key}/{id}")
    return redirect(where.replace("{id}", str(id)), 303)  # where the new record is chosen at once


def _link(key: str, id: int) -> None:
    """A new record made on another's card by a many-link is linked with it at once."""
    other, origin = request.args.get("from", ""), request.args.get("id", type=int)
    name = request.args.get("link", "")
    if name and origin and other in modules:
        relations.link(viewer(), other, origin, name, [id], Channel.FORM)


def _give_texts(module: Module, form: forms.RecordForm) -> None:
    texts = _texts(module, form.values())
    for name, made in form.form._fields.items():
        made.text = texts.get(name, "")


@bp.get("/<key>/<int:id>/edit")
def edit(key: str, id: int) -> str:
    module = module_of(key)
    row = one(viewer(), module, id)
    demand(viewer(), "edit", module)
    if not module.editable:
        raise Forbidden(_("%(plural)s are written by the system only.", plural=_(module.plural)))
    return _draw(module, forms.form_of(viewer(), module, row, _texts(module, row)), row)


@bp.post("/<key>/<int:id>/editing")
def editing(key: str, id: int) -> str:
    """An open form says that it is open, and learns who else has it open; nobody is held back by that."""
    module = module_of(key)
    try:
        one(viewer(), module, id, columns=())
        demand(viewer(), "edit", module)
    except (Missing, Forbidden):
        return ""  # what is typed stays on the screen; saving says what is wrong
    presence.note(viewer(), id)
    names = presence.others(viewer(), id)
    commit()
    return render_template("_editing.html", names=names)


@bp.post("/<key>/<int:id>/edit")
def save(key: str, id: int) -> AnyResponse:
    module = module_of(key)
    form = forms.form_of(viewer(), module, typed=request.form)
    version = request.form.get("version", type=int)
    try:
        if module.doubts and not request.form.get("anyway"):
            form.ask_twice(one(viewer(), module, id))
        records.update(viewer(), module, id, form.values(), Channel.FORM, version)
        presence.forget(viewer(), id)
        commit()
    except Stale as stale:
        db.session.rollback()
        row = one(viewer(), module, id)
        _give_texts(module, form)
        return _draw(module, form, row, 409, theirs=_differences(module, form, row), version=stale.current)  # type: ignore[no-any-return]
    except Refused as refused:
        db.session.rollback()
        form.refuse(refused)
        _give_texts(module, form)
        return _draw(module, form, one(viewer(), module, id), 422, version=version or 0)  # type: ignore[no-any-return]
    tell(_("Your changes are saved."))
    return redirect(f"{face().prefix}/{key}/{id}", 303)


def _differences(module: Module, form: forms.RecordForm, row: Row) -> list[tuple[str, str, str]]:
    """(field, what stands in the record now, what was typed) wherever the two differ."""
    found = []
    theirs = _texts(module, row)
    for name, made in form.form._fields.items():
        now = forms.spelled(module.fields[name], row.get(name), viewer().timezone)
        if str(now) != str(made.data if made.data is not None else ""):
            said = module.fields[name]
            mine = made.text or made.data if said.is_link else made.data
            found.append((made.label.text, theirs.get(name) or now if said.is_link else now, mine))
    return found


# boxes that choose a record


@bp.get("/<key>/choose/<name>")
def choose(key: str, name: str) -> Response:
    """What a link field may point at, for what was typed: [{"value", "text"}]."""
    is_filter = bool(request.args.get("placeholders"))  # a filter may ask for what a form no longer offers
    module = modules[key] if is_filter and key in modules else module_of(key)  # and for what has no form here
    said = module.fields.get(name)
    if said is None or not said.is_link:
        raise Missing
    text = " ".join(request.args.get("q", "").split())
    if said.kind.name in {"owner", "user"}:
        found = _principals(said, text)
    else:
        found = _records(said.to, text, None if is_filter else said.only)
    if request.args.get("placeholders") and said.kind.name in {"owner", "user"} and not text:
        found = [{"value": "$me", "text": _("Me")}, {"value": "$my_groups", "text": _("My groups")}, *found]
    return jsonify(found)


@bp.get("/choose/<key>")
def choose_any(key: str) -> Response:
    """Records of a module for what was typed; `?numbers=1`: with their numbers, which can be typed too."""
    module_of(key)
    has_numbers = bool(request.args.get("numbers"))
    return jsonify(_records((key,), " ".join(request.args.get("q", "").split()), has_numbers=has_numbers))


def _records(
    targets: tuple[str, ...], text: str, only: Any = None, *, has_numbers: bool = False
) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for target in targets:
        if target not in modules or not may(viewer(), "view", target):
            continue
        words = text if len(text) >= 2 else None
        rows = find(
            viewer(), target, where=only, columns=modules[target].titles, text=words, limit=SUGGESTED, count="none"
        ).rows
        kind = f" · {_(modules[target].label)}" if len(targets) > 1 else ""
        for row in rows:
            said = row.label or row.number or str(row.id)
            named = f"{row.number}: {said}" if has_numbers and row.number and row.label else said
            found.append({"value": row.id, "text": named + kind})
    return found


def _principals(said: Field, text: str) -> list[dict[str, Any]]:
    cards = Entity.__table__
    query = select(cards.c.id, cards.c.label, cards.c.module).where(
        cards.c.module.in_(said.to), cards.c.deleted_at.is_(None), cards.c.label.icontains(text, autoescape=True)
    )
    rows = db.session.execute(query.order_by(cards.c.label).limit(200)).all()
    active = owners.owners_among([row.id for row in rows])
    return [
        {"value": row.id, "text": row.label + (f" · {_('group')}" if row.module == "groups" else "")}
        for row in rows if row.id in active
    ][:50]  # fmt: skip
