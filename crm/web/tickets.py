"""Pages of tickets beyond the general ones: the thread with its box for answers, FAQ, merge, split, watch; files of comments."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, make_response, render_template, request
from flask_babel import gettext as _
from sqlalchemy import select
from werkzeug.wrappers import Response as AnyResponse

from crm.db import db
from crm.engine import attachments, presence, relations, search
from crm.engine.channels import Channel
from crm.engine.permissions import may
from crm.engine.picklists import choices
from crm.engine.refusals import Missing, Refused
from crm.engine.registry import modules
from crm.engine.rows import Row, labels_of
from crm.identity.viewer import SYSTEM, Viewer
from crm.modules.rules import demand_record
from crm.modules.tickets import commenting, faq_making, merging, templates
from crm.modules.tickets.comments import TicketComment
from crm.ui import cards
from crm.ui.downloads import as_download
from crm.ui.page import go, is_part, tell
from crm.ui.session import commit, viewer
from crm.words import N_

bp = Blueprint("tickets", __name__, url_prefix="/crm/tickets")
MOST_COMMENTS = 200
MOST_FILES = 10


def thread(viewer: Viewer, row: Row) -> Mapping[str, Any] | None:
    """What the thread on a card is drawn with; None for those who may not read comments."""
    if not may(viewer, "view", "ticket_comments"):
        return None
    table = TicketComment.__table__
    narrowing = search.ids(viewer, "ticket_comments", {"$eq": ["ticket_id", row.id]})
    said = select(table).where(table.c.id.in_(narrowing)).order_by(table.c.at.desc(), table.c.id.desc())
    newest = db.session.execute(said.limit(MOST_COMMENTS + 1)).mappings().all()
    comments = list(reversed(newest[:MOST_COMMENTS]))
    first = comments[0] if comments and len(newest) <= MOST_COMMENTS else None
    opening = row.get("description") if first is None or first["text"] != row.get("description") else None
    names = labels_of(viewer, {one[key] for one in comments for key in ("user_id", "contact_id") if one[key]})
    watchers = {id for (id,) in db.session.execute(relations.linked("tickets", row.id, "watchers"))}
    return {
        "row": row, "comments": comments, "names": names, "files": commenting.files_of([one["id"] for one in comments]),
        "flags": {one.key: one.label or one.key for one in choices("comment_flag")}, "opening": opening,
        "is_cut": len(newest) > MOST_COMMENTS, "may_write": may(viewer, "edit", "tickets"), "canned": templates.canned(),
        "statuses": [one.key for one in choices("ticket_status")], "watches": viewer.id in watchers,
        "watcher_count": len(watchers), "is_young": commenting.is_young, "typed": {}, "faults": {}, "writing": presence.others(viewer, row.id),
    }  # fmt: skip


cards.add_part("tickets", cards.Part("_ticket_thread.html", thread, place="left"))
cards.add_deed(
    "tickets",
    cards.Deed(
        "faq",
        N_("Make a FAQ"),
        "help-circle",
        lambda who, row: f"/crm/tickets/{row.id}/faq" if may(who, "create", "faqs") else "",
    ),
)
cards.add_deed(
    "tickets",
    cards.Deed(
        "merge",
        N_("Merge"),
        "git-merge",
        lambda who, row: (
            f"/crm/tickets/{row.id}/merge" if may(who, "merge", "tickets") and not row.get("merged_into_id") else ""
        ),
    ),
)
cards.add_deed(
    "tickets",
    cards.Deed(
        "copy",
        N_("Duplicate"),
        "copy",
        lambda who, row: f"/crm/tickets/new?copy={row.id}" if may(who, "create", "tickets") else "",
    ),
)


@bp.get("/<int:id>/comments")
def comments(id: int) -> Any:
    """The thread alone, as it is now."""
    return _draw(id)


def _draw(
    id: int, typed: Mapping[str, str] | None = None, faults: Mapping[str, str] | None = None, status: int = 200
) -> Any:
    row = search.one(viewer(), "tickets", id)
    part = thread(viewer(), row)
    if part is None:
        raise Missing
    part = {**part, "typed": typed or {}, "faults": faults or {}}
    name = "_ticket_thread.html" if is_part() else "ticket_thread.html"
    return make_response(render_template(name, part=part, row=row, here="tickets"), status)


@bp.post("/<int:id>/comments")
def comment(id: int) -> Any:
    """Say something: in public (a mail to the customer) or among staff."""
    visibility, status = request.form.get("visibility", "public"), request.form.get("status", "")
    sent = [one for one in request.files.getlist("file") if one.filename]
    try:
        demand_record(viewer(), "tickets", id, "edit" if visibility == "public" else "view")
        commenting.checked(request.form.get("text", ""))
        if len(sent) > MOST_FILES:
            raise Refused.because("too_many", _("At most %(most)s files at once.", most=MOST_FILES), "file")
        kept = [attachments.store(viewer(), one.filename or "", one.stream, one.mimetype or "").id for one in sent]
        commenting.say(
            viewer(), id, request.form.get("text", ""), visibility, Channel.FORM, file_ids=kept, status=status
        )
        commit()
    except Refused as refused:
        db.session.rollback()
        faults = {name: " ".join(one.message for one in found) for name, found in refused.faults.items()}
        return _draw(id, request.form, faults, 413 if refused.is_too_large else 422)
    finally:
        for one in sent:
            one.close()
    tell(_("The answer is on its way.") if visibility == "public" else _("Noted for staff."))
    return _draw(id) if is_part() else go(f"/crm/tickets/{id}")


@bp.post("/<int:id>/comments/<int:comment_id>/remove")
def remove(id: int, comment_id: int) -> AnyResponse:
    """Take the words of one's own comment away; a mark stays."""
    commenting.remove(viewer(), comment_id)
    commit()
    return go(f"/crm/tickets/{id}")


@bp.get("/<int:id>/comments/<int:comment_id>/edit")
def comment_page(id: int, comment_id: int) -> str:
    """One's own note, to be mended while it is young."""
    found = commenting.mendable(viewer(), comment_id)
    return _comment_form(found, found["text"], {})


def _comment_form(comment: Mapping[str, Any], text: str, faults: Mapping[str, str]) -> str:
    ticket = demand_record(viewer(), "tickets", comment["ticket_id"], "view")
    return render_template("ticket_comment.html", here="tickets", ticket=ticket, text=text, faults=faults)


@bp.post("/<int:id>/comments/<int:comment_id>/edit")
def change_comment(id: int, comment_id: int) -> Any:
    text = request.form.get("text", "")
    try:
        commenting.change_text(viewer(), comment_id, text)
        commit()
    except Refused as refused:
        db.session.rollback()
        faults = {name: " ".join(one.message for one in found) for name, found in refused.faults.items()}
        return make_response(_comment_form(commenting.mendable(viewer(), comment_id), text, faults), 422)
    tell(_("The note is changed."))
    return go(f"/crm/tickets/{id}#comment-{comment_id}")


@bp.post("/<int:id>/canned")
def canned(id: int) -> str:
    """The box for answers with a ready answer below what was typed."""
    ticket = demand_record(viewer(), "tickets", id, "view")
    chosen = request.form.get("canned", 0, type=int)
    text = templates.canned_text(chosen, ticket, viewer().name) if chosen else ""
    typed = request.form.get("text", "").rstrip()
    return render_template("_ticket_text.html", text=f"{typed}\n\n{text}".strip() if typed else text)


@bp.get("/<int:id>/attachments/<int:file_id>")
def attachment(id: int, file_id: int) -> AnyResponse:
    """A file of a comment, always as a download."""
    found = commenting.file_of(viewer(), id, file_id)
    return as_download(attachments.path_of(found.sha256), found.name)


@bp.get("/<int:id>/comments/<int:comment_id>/formatted")
def formatted(id: int, comment_id: int) -> AnyResponse:
    """The formatted text of a mail, sanitised, in a page that may do nothing."""
    found = commenting.of_id(viewer(), comment_id)
    if found["ticket_id"] != id or not found["html"]:
        raise Missing
    answer = make_response(f"<!doctype html><meta charset=utf-8><title>{comment_id}</title>{found['html']}")
    answer.headers["Content-Security-Policy"] = "default-src 'none'; sandbox; base-uri 'none'; form-action 'none'"
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer


@bp.post("/<int:id>/watch")
def watch(id: int) -> AnyResponse:
    """Watch a ticket, or watch it no longer."""
    demand_record(viewer(), "tickets", id, "view")
    me = viewer().id
    if me is None:
        raise Missing
    watched = {found for (found,) in db.session.execute(relations.linked("tickets", id, "watchers"))}
    change = relations.unlink if me in watched else relations.link
    change(SYSTEM, "tickets", id, "watchers", [me], Channel.FORM)
    commit()
    tell(_("You watch this ticket no longer.") if me in watched else _("You will be told what is written here."))
    return go(f"/crm/tickets/{id}")


# a ticket becomes something else


@bp.get("/<int:id>/faq")
def faq(id: int) -> str:
    """Question and answer as proposed, with what looks like personal data."""
    draft = faq_making.draft_of(viewer(), id)
    return _faq_page(id, {"question": draft.question, "answer": draft.answer}, {})


def _faq_page(id: int, values: Mapping[str, Any], faults: Mapping[str, str]) -> str:
    ticket = demand_record(viewer(), "tickets", id, "view")
    found = faq_making.personal(ticket, f"{values.get('question') or ''}\n{values.get('answer') or ''}")
    return render_template("ticket_faq.html", here="tickets", ticket=ticket, values=values, faults=faults, found=found)


@bp.post("/<int:id>/faq")
def make_faq(id: int) -> Any:
    """Make the draft; while personal data is in it, only after it was looked at."""
    values = {name: request.form.get(name, "") for name in ("question", "answer")}
    ticket = demand_record(viewer(), "tickets", id, "view")
    if faq_making.personal(ticket, f"{values['question']}\n{values['answer']}") and not request.form.get("is_checked"):
        fault = {
            "is_checked": _("Look at the names, addresses and numbers found, take them out, or say that they may stay.")
        }
        return make_response(_faq_page(id, values, fault), 422)
    try:
        made = faq_making.make(viewer(), id, {**values, "product_id": ticket["product_id"]}, Channel.FORM)
        commit()
    except Refused as refused:
        db.session.rollback()
        faults = {name: " ".join(one.message for one in found) for name, found in refused.faults.items()}
        return make_response(_faq_page(id, values, faults), 422)
    tell(_("The FAQ is a draft. Customers see it when it is published."))
    return go(f"/crm/faqs/{made}")


@bp.get("/<int:id>/merge")
def merge_page(id: int) -> str:
    ticket = demand_record(viewer(), "tickets", id, "edit")
    return render_template("ticket_merge.html", here="tickets", ticket=ticket, faults={}, chosen={})


@bp.post("/<int:id>/merge")
def merge(id: int) -> Any:
    """Merge others into this one."""
    others = [int(one) for one in request.form.getlist("other") if one.isdecimal()]
    try:
        merging.merge(viewer(), id, others, Channel.FORM)
        commit()
    except Refused as refused:
        db.session.rollback()
        faults = {name: " ".join(one.message for one in found) for name, found in refused.faults.items()}
        ticket, chosen = demand_record(viewer(), "tickets", id, "edit"), _numbered(others)
        page = render_template("ticket_merge.html", here="tickets", ticket=ticket, faults=faults, chosen=chosen)
        return make_response(page, 422)
    tell(_("The tickets are one now."))
    return go(f"/crm/tickets/{id}")


def _numbered(ids: list[int]) -> dict[int, str]:
    """Id → number and title of those that may be read."""
    rows = search.find(viewer(), "tickets", columns=("title",), within=ids[:100], limit=100, count="none").rows
    return {row.id: f"{row.number}: {row.label}" for row in rows}


@bp.get("/<int:id>/split/<int:comment_id>")
def split_page(id: int, comment_id: int) -> str:
    found = commenting.of_id(viewer(), comment_id)
    ticket = demand_record(viewer(), "tickets", found["ticket_id"], "edit")
    return render_template(
        "ticket_split.html", here="tickets", ticket=ticket, comment=found, title=ticket["title"], faults={}
    )


@bp.post("/<int:id>/split/<int:comment_id>")
def split(id: int, comment_id: int) -> Any:
    """Make a ticket of its own from one comment."""
    title = request.form.get("title", "")
    try:
        made = merging.split(viewer(), comment_id, title, Channel.FORM)
        commit()
    except Refused as refused:
        db.session.rollback()
        faults = {name: " ".join(one.message for one in found) for name, found in refused.faults.items()}
        found = commenting.of_id(viewer(), comment_id)
        ticket = demand_record(viewer(), "tickets", found["ticket_id"], "edit")
        page = render_template(
            "ticket_split.html", here="tickets", ticket=ticket, comment=found, title=title, faults=faults
        )
        return make_response(page, 422)
    tell(_("%(label)s is saved.", label=_(modules["tickets"].label)))
    return go(f"/crm/tickets/{made}")
