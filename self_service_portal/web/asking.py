"""A new request of a customer: the form, its files, and answers of the knowledge base before anything is sent."""

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, make_response, redirect, render_template, request
from flask_babel import gettext as _
from werkzeug.datastructures import FileStorage

from crm.db import db
from crm.engine import attachments, outbox, records, text_index
from crm.engine.attachments import StoredFile
from crm.engine.channels import Channel
from crm.engine.permissions import may
from crm.engine.refusals import Fault, Missing, Refused
from crm.engine.registry import modules
from crm.identity.viewer import Viewer
from crm.modules.tickets import commenting
from crm.ui import forms
from crm.ui.page import tell
from crm.ui.session import commit, viewer
from self_service_portal.face import label_of
from self_service_portal.web import drawing
from self_service_portal.web.current import shown

bp = Blueprint("asking", __name__, url_prefix="/portal/tickets")
MOST_FILES = 10
ASKED = (
    "title",
    "description",
    "priority",
    "category",
    "severity",
    "product_id",
)  # in this order, as far as the profile opens them
MUST = ("title", "description", "priority")
HINTS, WORDS = 5, 8


@bp.get("/new")
def new() -> Any:
    """An empty form; with ?title=…, that title and what the knowledge base says to it (works without script)."""
    _demand()
    values = drawing.first_values(modules["tickets"]) | {"title": request.args.get("title", "")[:255]}
    return _draw(forms.form_of(viewer(), modules["tickets"], values, only=ASKED))


@bp.get("/hints")
def hints() -> str:
    """Answers that fit a title, as a piece of the page."""
    _demand()
    return render_template("tickets/_hints.html", hints=hints_for(viewer(), request.args.get("title", "")))


@bp.post("/new")
def create() -> Any:
    _demand()
    form = forms.form_of(viewer(), modules["tickets"], typed=request.form, only=ASKED)
    sent = sent_files()
    try:
        id = make(viewer(), form.values(), sent)
        commit()
    except Refused as refused:
        db.session.rollback()
        form.refuse(refused)
        return _draw(form, status_of(refused))
    tell(_("Thank you. We have your request; you will get a mail with its number."))
    return redirect(f"/portal/tickets/{id}", 303)


def _demand() -> None:
    if shown("tickets") is None or not may(viewer(), "create", "tickets"):
        raise Missing


def _draw(form: forms.RecordForm, status: int = 200) -> Any:
    fields = {one.name: one for _label, block in form.blocks for one in block}
    title = fields["title"].data if "title" in fields else ""
    said = shown("tickets")
    page = render_template(
        "tickets/new.html", here="tickets", list_title=label_of(viewer(), modules["tickets"]), form=form, fields=[fields[name] for name in ASKED if name in fields], must=MUST,
        widget=drawing.widget, can_attach=said is not None and said.can_attach, most_files=MOST_FILES,
        hints=hints_for(viewer(), title or ""), has_hints=may(viewer(), "view", "faqs"),
    )  # fmt: skip
    return make_response(page, status)


def make(who: Viewer, values: dict[str, Any], sent: Sequence[FileStorage] = ()) -> int:
    """Make the request with its files; a mail with its number follows. Raises Refused. The caller commits."""
    wanting = {
        name: [Fault("required", _("This must be filled in."))]
        for name in MUST
        if name in values and not str(values[name] or "").strip()
    }
    if wanting:
        raise Refused(wanting)
    said = shown("tickets")
    if sent and (said is None or not said.can_attach):
        raise Missing
    id = records.create(who, "tickets", values, Channel.PORTAL)
    if sent:
        kept = keep(who, sent)
        author = commenting.author_of(who, who.customer.contact_id if who.customer else None)
        words = {
            "text": str(values.get("description") or values.get("title") or ""),
            "source": "portal",
            "visibility": "public",
        }
        commenting.put(id, author, words, [one.id for one in kept])
    outbox.put(db.session, "tickets.receipt", dedupe_key=f"tickets:receipt:{id}", ticket_id=id)
    return id


def sent_files() -> list[FileStorage]:
    """The files of this request, without empty ones."""
    return [one for one in request.files.getlist("file") if one.filename]


def keep(who: Viewer, sent: Sequence[FileStorage]) -> list[StoredFile]:
    """Store them. Raises Refused for too many, too large ones and programs."""
    if len(sent) > MOST_FILES:
        raise Refused.because("too_many", _("At most %(most)s files at once.", most=MOST_FILES), "file")
    try:
        return [attachments.store(who, one.filename or "", one.stream, one.mimetype or "") for one in sent]
    finally:
        for one in sent:
            one.close()


def status_of(refused: Refused) -> int:
    """422, and 413 for files that are too large (spec/portal.md 0.5)."""
    return 413 if refused.is_too_large else 422


def hints_for(who: Viewer, title: str) -> list[text_index.Hit]:
    """Published answers in which words of the title stand, those with most of them first."""
    words = [one for one in text_index.words_of(title) if len(one) > 3][:WORDS]
    if not words or not may(who, "view", "faqs"):
        return []
    found: dict[int, tuple[int, text_index.Hit]] = {}
    for word in words:
        for hit in text_index.search(who, word, "faqs", HINTS).get("faqs", []):
            found[hit.id] = (found.get(hit.id, (0, hit))[0] + 1, hit)
    ranked = sorted(found.values(), key=lambda one: (-one[0], one[1].id))
    return [hit for _count, hit in ranked[:HINTS]]
