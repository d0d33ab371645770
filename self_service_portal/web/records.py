"""Lists, cards and forms of every module that the profile shows; the doors see to it that only own records appear."""

from typing import Any

from flask import Blueprint, make_response, redirect, render_template, request
from flask_babel import gettext as _
from sqlalchemy import select
from werkzeug.wrappers import Response as AnyResponse

from crm.db import db
from crm.engine import picklists
from crm.engine.module import Module
from crm.engine.permissions import may, scope
from crm.engine.refusals import Missing, Refused, Stale
from crm.engine.registry import modules
from crm.engine.rows import Row
from crm.engine.search import find, one
from crm.ui import forms
from crm.ui.page import tell
from crm.ui.session import commit, viewer
from self_service_portal import saving
from self_service_portal.face import label_of
from self_service_portal.pages import OWN_PAGES
from self_service_portal.web import drawing
from self_service_portal.web.current import customer, shown

bp = Blueprint("records", __name__, url_prefix="/portal")
ROWS = 25
MOST_COLUMNS = 5


def module_of(key: str) -> Module:
    """The module that has general pages under this key. Raises Missing for one with its own, and one not shown."""
    if key in OWN_PAGES:
        raise Missing
    return shown_module(key)


def shown_module(key: str) -> Module:
    """The module that is shown under this key. Raises Missing for one that the profile does not show."""
    if key not in modules or shown(key) is None or not may(viewer(), "view", modules[key]):
        raise Missing
    return modules[key]


@bp.get("/<key>")
def listing(key: str) -> Any:
    """The list of a module: all that the scope opens, or only one's own; by status; by words."""
    module = module_of(key)
    if key == "accounts":
        if customer().account_id is None:
            raise Missing
        return redirect(f"/portal/accounts/{customer().account_id}")
    exposure = module.portal
    is_split = bool(exposure and exposure.is_split and exposure.by_contact and is_wide(key))
    whose = "mine" if is_split and request.args.get("whose") == "mine" else "all"
    where: list[dict[str, Any]] = []
    if whose == "mine" and exposure:
        where.append({"$eq": [exposure.by_contact, customer().contact_id]})
    statuses = _statuses(module)
    status = request.args.get("status", "")
    if status in dict(statuses) and exposure:
        where.append({"$eq": [exposure.status, status]})
    text = " ".join(request.args.get("q", "").split())[:100]
    fault = ""
    try:
        within = own_ids(module) if whose == "mine" and exposure else None
        where = where[1:] if within is not None else where  # the link to the contact may not be shown, but it counts
        page = find(
            viewer(), module, where={"$and": where} if where else None, columns=columns_of(module), text=text or None,
            limit=ROWS, after=request.args.get("after") or None, within=within,
        )  # fmt: skip
    except Refused as refused:
        fault = refused.sentences
        page = find(viewer(), module, columns=columns_of(module), limit=ROWS)
    return render_template(
        "portal_list.html", here=key, module=module, title=_title(module), page=page, columns=columns_of(module), whose=whose,
        is_split=is_split, statuses=statuses, status=status, text=text, fault=fault, can_make=may(viewer(), "create", module),
        cell=drawing.cell,
    )  # fmt: skip


def own_ids(module: Module) -> Any:
    """A Select of the records of the contact itself."""
    table, exposure = module.table, module.portal
    return select(table.c.id).where(table.c[exposure.by_contact] == customer().contact_id)  # type: ignore[union-attr]


def is_wide(key: str) -> bool:
    """Whether the customer sees more of a module than the own records."""
    said, exposure = shown(key), modules[key].portal
    is_open = said is not None and (
        said.scope == "account" or bool(exposure and exposure.is_of_company and customer().is_admin)
    )
    return is_open and customer().account_id is not None


def _title(module: Module) -> str:
    return _("Colleagues") if module.key == "contacts" else label_of(viewer(), module)


def _statuses(module: Module) -> list[tuple[str, str]]:
    exposure, said = module.portal, shown(module.key)
    if not exposure or not exposure.status or said is None or exposure.status not in said.visible:
        return []
    return [(choice.key, _(choice.label)) for choice in picklists.choices(module.fields[exposure.status].picklist)]


def columns_of(module: Module) -> list[str]:
    """The first few short fields that the profile shows."""
    said = shown(module.key)
    names = said.names if said else ()
    short = [name for name in names if module.fields[name].kind.name not in forms.WIDE]
    titles = [name for name in module.titles if name in short]
    return [*titles, *(name for name in short if name not in titles)][: max(MOST_COLUMNS, len(titles))]


@bp.get("/<key>/<int:id>")
def card(key: str, id: int) -> str:
    module = module_of(key)
    row = one(viewer(), module, id)
    return render_template(
        "portal_card.html", here=_here(key, id), module=module, row=row, facts=drawing.facts(viewer(), module, row),
        can_edit=may_edit(module, id), list_title=_title(module), is_me=key == "contacts" and id == customer().contact_id,
        **_of_colleague(key, row),
    )  # fmt: skip


def _here(key: str, id: int) -> str:
    return "me" if key == "contacts" and id == customer().contact_id else key


def _of_colleague(key: str, row: Row) -> dict[str, Any]:
    """What a portal administrator may do about a colleague's log-in."""
    from self_service_portal.web.own import standing_of

    return {
        "colleague": standing_of(row.id)
        if key == "contacts" and customer().is_admin and row.id != customer().contact_id
        else None
    }


def may_edit(module: Module, id: int) -> bool:
    """Whether the customer may change this very record."""
    table = module.table
    within = scope(viewer(), module, "edit")
    said = select(table.c.id).where(table.c.id == id)
    return db.session.execute(said if within is None else said.where(within)).first() is not None


@bp.get("/<key>/new")
def new(key: str) -> Any:
    module = module_of(key)
    _demand(may(viewer(), "create", module))
    return _draw(module, forms.form_of(viewer(), module, drawing.first_values(module)))


@bp.post("/<key>/new")
def create(key: str) -> AnyResponse:
    module = module_of(key)
    _demand(may(viewer(), "create", module))
    form = forms.form_of(viewer(), module, typed=request.form)
    try:
        made = saving.create(viewer(), module, form.values())
        commit()
    except Refused as refused:
        db.session.rollback()
        form.refuse(refused)
        return _draw(module, form, status=422)  # type: ignore[no-any-return]
    tell(made.sentence)
    return redirect(f"/portal/{key}/{made.id}" if made.id else f"/portal/{key}", 303)


@bp.get("/<key>/<int:id>/edit")
def edit(key: str, id: int) -> Any:
    module = module_of(key)
    row = one(viewer(), module, id)
    _demand(may_edit(module, id))
    return _draw(module, forms.form_of(viewer(), module, row), row)


@bp.post("/<key>/<int:id>/edit")
def save(key: str, id: int) -> AnyResponse:
    module = module_of(key)
    row = one(viewer(), module, id)
    _demand(may_edit(module, id))
    form = forms.form_of(viewer(), module, typed=request.form)
    try:
        saving.update(viewer(), module, id, form.values(), request.form.get("version", type=int))
        commit()
    except Stale as stale:
        db.session.rollback()
        now = one(viewer(), module, id)
        theirs = drawing.differing(module, form.values(), now)
        return _draw(module, form, now, 409, is_stale=True, version=stale.current, theirs=theirs)  # type: ignore[no-any-return]
    except Refused as refused:
        db.session.rollback()
        form.refuse(refused)
        return _draw(module, form, row, 422, version=request.form.get("version", 0, type=int))  # type: ignore[no-any-return]
    asked = form.values().get("email") if key == "contacts" else None
    if asked and asked.strip().lower() != (row.get("email") or "").lower():
        tell(
            _(
                "Your changes are saved. The new e-mail address counts when its owner has followed the link we sent to it."
            )
        )
    else:
        tell(_("Your changes are saved."))
    return redirect(f"/portal/{key}/{id}", 303)


def _demand(is_allowed: bool) -> None:
    if not is_allowed:
        raise Missing


def _draw(module: Module, form: forms.RecordForm, row: Row | None = None, status: int = 200, **more: Any) -> Any:
    values = {"version": row.version if row is not None else 0, "is_stale": False, "theirs": {}} | more
    page = render_template(
        "portal_form.html", here=_here(module.key, row.id) if row is not None else module.key, module=module, form=form, row=row,
        widget=drawing.widget, **values,
    )  # fmt: skip
    return make_response(page, status)
