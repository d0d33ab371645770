"""Requests of the customer: the list, a new one, and the page of one with its conversation (spec/portal.md 1.9, 5.4)."""

from typing import Any

from flask import Blueprint, make_response, redirect, render_template, request
from flask_babel import gettext as _
from sqlalchemy import select
from werkzeug.wrappers import Response as AnyResponse

from crm.db import db
from crm.engine import attachments, search
from crm.engine.channels import Channel
from crm.engine.permissions import may
from crm.engine.refusals import Missing, Refused
from crm.engine.registry import modules
from crm.modules.tickets import closing, commenting
from crm.modules.tickets.comments import TicketComment
from crm.ui import forms
from crm.ui.downloads import as_download
from crm.ui.page import tell
from crm.ui.session import commit, viewer
from self_service_portal.face import label_of
from self_service_portal.web import asking, drawing, request_list
from self_service_portal.web.current import customer, shown

bp = Blueprint("tickets", __name__, url_prefix="/portal/tickets")
MOST_COMMENTS = 500
COLUMNS = ("number", "title", "status", "category", "updated_at")


def _module() -> Any:
    """The module, when the profile shows it. Raises Missing."""
    if shown("tickets") is None or not may(viewer(), "view", "tickets"):
        raise Missing
    return modules["tickets"]


@bp.get("")
def listing() -> str:
    module = _module()
    is_closed = module.table.c.state == "closed"
    return request_list.draw(module, COLUMNS, is_closed, may(viewer(), "create", module), statuses_of="ticket_status")


# one request


@bp.get("/<int:id>")
def card(id: int) -> Any:
    return _draw(id)


def _draw(id: int, typed: str = "", faults: dict[str, str] | None = None, status: int = 200) -> Any:
    module, said = _module(), shown("tickets")
    row = search.one(viewer(), module, id)
    stored = _stored(id)
    table = TicketComment.__table__
    narrowing = search.ids(viewer(), "ticket_comments", {"$eq": ["ticket_id", id]})
    query = select(table).where(table.c.id.in_(narrowing)).order_by(table.c.at, table.c.id).limit(MOST_COMMENTS)
    comments = db.session.execute(query).mappings().all()
    is_told = bool(comments) and comments[0]["text"] == row.get("description")
    facts = [one for one in drawing.facts(viewer(), module, row) if one[0] not in {"title", "description", "number"}]
    is_closed = stored["state"] == "closed"
    page = render_template(
        "tickets/card.html", here="tickets", row=row, facts=facts, comments=comments, is_closed=is_closed, typed=typed, faults=faults or {},
        opening="" if is_told else row.get("description"), files=commenting.files_of([one["id"] for one in comments]),
        list_title=label_of(viewer(), module), me=customer().contact_id, can_comment=said is not None and said.can_comment,
        can_attach=said is not None and said.can_attach, can_close=_may_change(), most_files=asking.MOST_FILES,
        hints=[] if is_closed else asking.hints_for(viewer(), row.label or ""), may_reopen=is_closed and commenting.may_reopen(stored), can_edit=not is_closed and may(viewer(), "edit", module),
    )  # fmt: skip
    return make_response(page, status)


def _stored(id: int) -> Any:
    table = modules["tickets"].table
    return db.session.execute(select(table).where(table.c.id == id)).mappings().one()


def _may_change() -> bool:
    """Who may say something may also say that it is done."""
    said = shown("tickets")
    return said is not None and (said.can_comment or said.can_edit)


@bp.post("/<int:id>/comments")
def comment(id: int) -> Any:
    """Words, files, or both; the profile says which."""
    _module()
    search.one(viewer(), "tickets", id, ("title",))
    said = shown("tickets")
    text, sent = request.form.get("text", "").strip(), asking.sent_files()
    if (
        said is None
        or (text and not said.can_comment)
        or (sent and not said.can_attach)
        or not (said.can_comment or said.can_attach)
    ):
        raise Missing
    try:
        kept = asking.keep(viewer(), sent)
        if sent and not text:
            text = _("Files: %(names)s", names=", ".join(one.name for one in kept))
        made = commenting.say(viewer(), id, text, channel=Channel.PORTAL, file_ids=[one.id for one in kept])
        commit()
    except Refused as refused:
        db.session.rollback()
        return _draw(id, request.form.get("text", ""), refused.by_field, asking.status_of(refused))
    stands_on = db.session.execute(select(TicketComment.ticket_id).where(TicketComment.id == made)).scalar()
    if stands_on != id:
        tell(_("The old request was closed long ago, so this is a new one."))
    else:
        tell(_("Thank you. We have your message."))
    return redirect(f"/portal/tickets/{stands_on}", 303)


@bp.post("/<int:id>/close")
def close(id: int) -> AnyResponse:
    _demand_change(id)
    closing.close(viewer(), id, Channel.PORTAL)
    commit()
    tell(_("The request is closed. Thank you."))
    return redirect(f"/portal/tickets/{id}", 303)


@bp.post("/<int:id>/reopen")
def reopen(id: int) -> AnyResponse:
    _demand_change(id)
    closing.reopen(viewer(), id, Channel.PORTAL)
    commit()
    tell(_("The request is open again. Tell us below what is wrong."))
    return redirect(f"/portal/tickets/{id}", 303)


def _demand_change(id: int) -> None:
    _module()
    search.one(viewer(), "tickets", id, ("title",))
    if not _may_change():
        raise Missing


@bp.get("/<int:id>/files/<int:file_id>")
def file(id: int, file_id: int) -> AnyResponse:
    """A file of a comment that the customer sees; always a download, never opened as a page."""
    _module()
    search.one(viewer(), "tickets", id, ("title",))
    found = commenting.file_of(viewer(), id, file_id)
    return as_download(attachments.path_of(found.sha256), found.name)


# changing what the profile opens, while the request is open


@bp.get("/<int:id>/edit")
def edit(id: int) -> Any:
    row = _editable(id)
    form = forms.form_of(viewer(), modules["tickets"], row)
    return _draw_form(form, row, row.version)


@bp.post("/<int:id>/edit")
def save(id: int) -> Any:
    from crm.engine import records
    from crm.engine.refusals import Stale

    row = _editable(id)
    form = forms.form_of(viewer(), modules["tickets"], typed=request.form)
    version = request.form.get("version", 0, type=int)
    try:
        records.update(viewer(), "tickets", id, form.values(), Channel.PORTAL, version)
        commit()
    except Stale as stale:
        db.session.rollback()
        return _draw_form(form, search.one(viewer(), "tickets", id), stale.current, 409, is_stale=True)
    except Refused as refused:
        db.session.rollback()
        form.refuse(refused)
        return _draw_form(form, row, version, 422)
    tell(_("Your changes are saved."))
    return redirect(f"/portal/tickets/{id}", 303)


def _editable(id: int) -> Any:
    from self_service_portal.web.records import may_edit

    module = _module()
    row = search.one(viewer(), module, id)
    if not may_edit(module, id):
        raise Missing
    return row


def _draw_form(form: forms.RecordForm, row: Any, version: Any, status: int = 200, is_stale: bool = False) -> Any:
    page = render_template(
        "portal_form.html", here="tickets", module=modules["tickets"], form=form, row=row, widget=drawing.widget, version=version,
        is_stale=is_stale,
    )  # fmt: skip
    return make_response(page, status)
