"""/portal/my-data: all that is stored about the one who is signed in, to see, to fetch, to correct, and what may be sent."""

from typing import Any

from flask import Blueprint, make_response, redirect, render_template, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from crm.db import db
from crm.engine.refusals import Conflict, Missing, Refused
from crm.engine.registry import modules
from crm.modules import subscriptions
from crm.modules.portals import documents as shared
from crm.modules.privacy import asking, exporting, showing
from crm.ui.downloads import as_download
from crm.ui.page import tell
from crm.ui.session import commit, viewer
from self_service_portal import myself
from self_service_portal.myself import Myself
from self_service_portal.sections import documents, history
from self_service_portal.web import asking as asking_page
from self_service_portal.web.current import shown
from self_service_portal.web.records import may_edit

bp = Blueprint("my_data", __name__, url_prefix="/portal")
SOURCE = "Customer portal"


def _me() -> Myself:
    found = myself.of_viewer(viewer())
    if found is None:
        raise Missing
    return found


@bp.get("/my-data")
def show() -> AnyResponse:
    return _page(_me())


def _page(who: Myself, faults: Any = None, status: int = 200) -> AnyResponse:
    found = who.whole
    refused = subscriptions.refusals(who.addressee)
    page = render_template(
        "my_data.html", here="my-data", who=who, faults=faults or {}, typed=request.form, kinds=asking.KINDS,
        records=[showing.fields_of(module, row) for module, row in found.rows if row["deleted_at"] is None],
        parts=showing.parts_of(found), export=exporting.latest(who.id), refused=refused,
        lists=[(row, subscriptions.kind_in_words(row.kind)) for row in subscriptions.offered()],
        asks_measuring=subscriptions.asks_measuring(), question=subscriptions.measuring_question(),
        consents=history.consents(who), log_ins=history.log_ins(who), drawn=documents.DOCUMENTS.draw(who.id),
        sent=shared.of_contact(who.id), can_send=_may_send(), most_files=asking_page.MOST_FILES, may_correct=_may_correct(who.id),
    )  # fmt: skip
    return make_response(page, status)


@bp.post("/my-data/export")
def ask_export() -> AnyResponse:
    """Have the file made; a mail tells when it is there."""
    who = _me()
    try:
        exporting.ask(who.module, who.id, who.email, viewer().locale)
        commit()
        tell(_("We are putting your data together. A mail tells you when it is ready."))
    except Conflict as conflict:
        db.session.rollback()
        tell(str(conflict), "wrong")
    return redirect("/portal/my-data", 303)


@bp.get("/my-data/export/<int:id>")
def fetch(id: int) -> AnyResponse:
    """The file, for seven days."""
    stored, path = exporting.file_of(id, _me().id)
    return as_download(path, stored.name, stored.media_type)


@bp.get("/my-data/documents/<int:id>")
def document(id: int) -> AnyResponse:
    """One document of the customer."""
    stored, path = documents.file_of(_me().id, id)
    return as_download(path, stored.name, stored.media_type)


@bp.get("/my-data/files/<int:id>")
def shared_file(id: int) -> AnyResponse:
    """A document that was shared with the customer, or that the customer sent."""
    stored, path = shared.file_of(_me().id, id)
    return as_download(path, stored.name)


@bp.post("/my-data/files")
def send_files() -> AnyResponse:
    """Documents of the customer, where the profile lets files be added to the own card."""
    who, files = _me(), asking_page.sent_files()
    if not _may_send():
        raise Missing
    try:
        if not files:
            raise Refused.because("required", _("Choose a file first."), "file")
        shared.send(viewer(), who.row, asking_page.keep(viewer(), files))
        commit()
    except Refused as refused:
        db.session.rollback()
        return _page(who, refused.by_field, asking_page.status_of(refused))
    tell(_("Thank you. We have your documents."))
    return redirect("/portal/my-data#documents", 303)


def _may_correct(id: int) -> bool:
    """Whether the profile opens fields of the own card for writing."""
    return shown("contacts") is not None and may_edit(modules["contacts"], id)


def _may_send() -> bool:
    said = shown("contacts")
    return said is not None and said.can_attach


@bp.post("/my-data/request")
def ask() -> AnyResponse:
    """A request for correction, erasure or restriction: a ticket."""
    who = _me()
    try:
        asking.ask(who.module, who.id, request.form.get("kind", ""), request.form.get("text", ""))
        commit()
    except Refused as refused:
        db.session.rollback()
        return _page(who, {name: found[0].message for name, found in refused.faults.items()}, 422)
    tell(_("Your request has reached us. You get an answer within 30 days."))
    return redirect("/portal/my-data", 303)


@bp.post("/my-data/subscriptions")
def choose() -> AnyResponse:
    """What the customer wants to get, and whether opens may be measured."""
    who = _me()
    wanted = [int(one) for one in request.form.getlist("list") if one.isdecimal() and len(one) < 19]
    may_measure: bool | None = bool(request.form.get("may_measure"))
    if not subscriptions.asks_measuring() or may_measure == (who.row["may_measure_opens"] == "yes"):
        may_measure = None
    subscriptions.choose(who.addressee, wanted, bool(request.form.get("no_mail")), may_measure, SOURCE)
    commit()
    tell(_("Your choices are saved."))
    return redirect("/portal/my-data", 303)
