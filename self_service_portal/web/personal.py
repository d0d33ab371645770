"""/me/<token>: a person's own page, opened by the link of a mail, without a password. What is sensitive asks for a mailed code."""

from datetime import timedelta
from typing import Any

from flask import Blueprint, Response, request
from flask_babel import gettext as _

from crm.db import db
from crm.engine import records
from crm.engine.attachments import StoredFile
from crm.engine.channels import Channel
from crm.engine.refusals import Conflict, Fault, Missing, Refused
from crm.identity import tokens
from crm.identity.sealing import public_base, sealer
from crm.modules.portals import letters
from crm.modules.privacy import asking, codes, exporting, showing
from crm.modules.rules import key_of_email
from crm.modules.subscriptions import HOLDER
from crm.ui.downloads import as_download
from crm.ui.public_face import Unknown, guard, writing
from crm.ui.public_page import page, speaking
from self_service_portal import myself
from self_service_portal.myself import Myself
from self_service_portal.pages import sections
from self_service_portal.sections import documents

bp = Blueprint("personal", __name__, template_folder="../templates")
guard(bp)

TEST = "test"  # in the place of the token in test mails
NEW_ADDRESS = "me_new_address"
HOLDS = timedelta(days=2)
ACTS = ("see", "download", "request", "email", "fetch")


def _who(token: str) -> Myself:
    found = myself.of_token(token)
    if found is None:
        raise Unknown
    return found


@bp.get("/me/<token>")
def show(token: str) -> Response:
    """The page. Changes nothing."""
    if token == TEST:
        text = _(
            "In the mail to a recipient, this link opens a page made for that person. Nothing can be changed from here."
        )
        return page("words", heading=_("This is a test mail"), text=text)
    who = _who(token)
    with speaking(who.language):
        drawn = [(one, part) for one in sections() if who.contact_id and (part := one.draw(who.contact_id)) is not None]
    preferences = f"/pref/{sealer().seal('preferences', who.delivery_id or 0)}"
    return page(
        "me/page", language=who.language, who=who, drawn=drawn, preferences=preferences, token=token,
        documents=f"/me/{token}/documents",
    )  # fmt: skip


@bp.get("/me/<token>/documents/<int:id>")
def document(token: str, id: int) -> Response:
    """One document of the person, as a download."""
    who = _who(token)
    try:
        stored, path = documents.file_of(who.contact_id or 0, id)
    except Missing:
        raise Unknown from None
    return _file(stored, path)


@bp.post("/me/<token>/code")
@writing
def send_code(token: str) -> Response:
    """Mail a code for one act, and ask for it."""
    return _send_code(_who(token), f"/me/{token}")


@bp.post("/me/<token>/<any(see, download, request, email):act>")
@writing
def do(token: str, act: str) -> Response:
    """Do one act, when the code is right."""
    who, place = _who(token), f"/me/{token}"
    with speaking(who.language):
        faults = _faults(act)
        if not faults and not codes.check(who.id, act, request.form.get("code", "")):
            faults = {"code": _("The code is not right, or its ten minutes are over.")}
        if faults:
            return _ask(who, act, place, faults, 422)
        try:
            return _DOES[act](who)
        except Conflict as conflict:
            return page("words", 409, who.language, heading=_("Not now"), text=str(conflict))


@bp.get("/me/data/<token>")
def ask_for_file(token: str) -> Response:
    """The way to a finished export: the page offers to mail a code."""
    who, _export = _export_of(token)
    return page("me/fetch", language=who.language, place=f"/me/data/{token}")


@bp.post("/me/data/<token>/code")
@writing
def send_code_for_file(token: str) -> Response:
    return _send_code(_export_of(token)[0], f"/me/data/{token}", "fetch")


@bp.post("/me/data/<token>/fetch")
@writing
def fetch(token: str) -> Response:
    """The file, when the code is right."""
    who, export = _export_of(token)
    if not codes.check(who.id, "fetch", request.form.get("code", "")):
        with speaking(who.language):
            said = {"code": _("The code is not right, or its ten minutes are over.")}
        return _ask(who, "fetch", f"/me/data/{token}", said, 422)
    return _file(*exporting.file_of(export, who.id))


@bp.get("/me/address/<token>")
def ask_address(token: str) -> Response:
    """Whether a new address shall count. Changes nothing."""
    found = tokens.peek(NEW_ADDRESS, token)
    if found is None:
        raise Unknown
    text = _("Shall we write to %(email)s from now on?", email=found.data["email"])
    return page("words", heading=_("Your new address"), text=text, button=_("Use this address"), action="confirm")


@bp.post("/me/address/<token>")
@writing
def take_address(token: str) -> Response:
    """The owner of the address confirmed it."""
    found = tokens.use(NEW_ADDRESS, token)
    who = myself.of_person(str(found.data["module"]), found.subject_id) if found and found.subject_id else None
    if found is None or who is None:
        raise Unknown
    with speaking(who.language):
        try:
            records.update(HOLDER, who.module, who.id, {"email": found.data["email"]}, Channel.PORTAL)
        except Refused as refused:
            db.session.rollback()
            said = refused.sentences
            return page("words", 409, who.language, heading=_("Not now"), text=said)
        return page("words", language=who.language, heading=_("Done"), text=_("We write to your new address now."))


def _export_of(token: str) -> tuple[Myself, int]:
    number = sealer().open(exporting.PURPOSE, token)
    row = db.session.get(exporting.DataExport, number) if number is not None else None
    who = myself.of_person(row.module, row.person_id) if row is not None else None
    if row is None or who is None:
        raise Unknown
    try:
        exporting.file_of(row.id, who.id)
    except Missing:
        raise Unknown from None
    return who, row.id


def _send_code(who: Myself, place: str, act: str = "") -> Response:
    act = act or request.form.get("act", "")
    if act not in ACTS:
        raise Unknown
    with speaking(who.language):
        if not who.email:
            return page("words", 409, who.language, heading=_("Not now"), text=_("We have no e-mail address of yours."))
        try:
            codes.send(who.module, who.id, who.email, act, who.language)
        except Conflict as conflict:
            return page("words", 429, who.language, heading=_("Not now"), text=str(conflict))
    return _ask(who, act, place)


def _ask(who: Myself, act: str, place: str, faults: Any = None, status: int = 200) -> Response:
    return page(
        "me/code", status, who.language, act=act, place=place, faults=faults or {}, kinds=asking.KINDS, typed=request.form,
        address=myself.shortened(who.email),
    )  # fmt: skip


def _faults(act: str) -> dict[str, str]:
    """What is wrong with what was typed beside the code."""
    if act == "email":
        email = request.form.get("email", "").strip()
        return {} if len(email) <= 320 and key_of_email(email) else {"email": _("This is no e-mail address.")}
    if act == "request":
        try:
            asking.check(request.form.get("kind", ""), request.form.get("text", ""))
        except Refused as refused:
            found: dict[str, list[Fault]] = refused.faults
            return {name: said[0].message for name, said in found.items()}
    return {}


def _see(who: Myself) -> Response:
    found = who.whole
    records_of = [showing.fields_of(module, row) for module, row in found.rows if row["deleted_at"] is None]
    return page("me/data", language=who.language, records=records_of, parts=showing.parts_of(found))


def _download(who: Myself) -> Response:
    exporting.ask(who.module, who.id, who.email, who.language)
    text = _("We are putting your data together. A mail tells you where to fetch it; that takes a few minutes.")
    return page("words", language=who.language, heading=_("On its way"), text=text)


def _request(who: Myself) -> Response:
    asking.ask(who.module, who.id, request.form["kind"], request.form.get("text", ""), "web")
    text = _("Your request has reached us. You get an answer within 30 days.")
    return page("words", language=who.language, heading=_("Thank you"), text=text)


def _email(who: Myself) -> Response:
    email = request.form["email"].strip()
    tokens.revoke(NEW_ADDRESS, who.id)
    token = tokens.issue(NEW_ADDRESS, who.id, HOLDS, {"email": email, "module": who.module})
    text = _("Confirm here that we may write to this address; the link holds for two days:\n%(link)s", link=f"{public_base()}/me/address/{token}")  # fmt: skip
    letters.put(email, _("Confirm your address"), text, f"me_address:{letters.mark_of(token)}")
    said = _("We have sent a link to the new address. It counts when you have opened that link.")
    return page("words", language=who.language, heading=_("One more step"), text=said)


_DOES = {"see": _see, "download": _download, "request": _request, "email": _email}


def _file(stored: StoredFile, path: Any) -> Response:
    return as_download(path, stored.name, stored.media_type)
