"""The mails in the local folder, as their readers see them: what leaves when no mail server is set.

Every mail of the site is here, also links that log somebody in or confirm an address, so only administrators of the portal read
them all. Who may send sees the mails of sendouts that the reading door shows, and tests asked for in person; and that only while
no mail server is set, when nobody outside holds one of their links.
"""

import io
from collections.abc import Sequence

from flask import Blueprint, Response, make_response, render_template, request
from flask_babel import gettext as _
from sqlalchemy import select

from crm import config
from crm.db import db
from crm.engine import search
from crm.engine.refusals import Missing
from crm.mail.folder import Folder, StoredHead, StoredMail
from crm.mail.message import BadAddress, email_key
from crm.mail.sending.deliveries import Delivery
from crm.mail.servers import leaves_the_house
from crm.ui.downloads import as_download, boxed
from crm.ui.session import viewer
from ecp.content.preview import PREVIEW_CSP, open_outside
from ecp.face import may_look_into_outbox
from ecp.pipeline import testing
from ecp.web.admin import demand_portal_admin

bp = Blueprint("outbox", __name__, url_prefix="/ecp/outbox")
ROWS, MOST_LOOKED_AT = 50, 5000
SAFE_TYPES = ("image/png", "image/jpeg", "image/gif", "image/webp")


def folder() -> Folder:
    """The folder of this site."""
    return Folder(config.current().data_path / "outbox")


@bp.get("")
def show() -> str:
    """The newest mails, or those to and from an address."""
    _demand_reader()
    text = " ".join(request.args.get("q", "").split()).lower()
    heads, after = _page(text, request.args.get("before", ""))
    return render_template(
        "ecp_outbox.html",
        heads=heads,
        after=after,
        text=text,
        here="outbox",
        count=folder().count() if _reads_all() else None,
        has_smtp=leaves_the_house(),
    )


def _page(text: str, before: str) -> tuple[list[StoredHead], str]:
    if not text and _reads_all():
        heads = folder().newest(ROWS + 1, before)
        return heads[:ROWS], heads[ROWS - 1].id if len(heads) > ROWS else ""
    found: list[StoredHead] = []
    looked = 0
    while looked < MOST_LOOKED_AT:
        heads = folder().newest(500, before)
        for head in _readable(heads):
            if text in f"{head.recipient} {head.sender} {head.subject}".lower():
                found.append(head)
                if len(found) == ROWS:
                    return found, head.id
        looked += len(heads)
        if len(heads) < 500:
            return found, ""
        before = heads[-1].id
    return found, before


def _mail(id: str) -> StoredMail:
    _demand_reader()
    found = folder().read(id)
    if found is None or not _readable([found.head]):
        raise Missing
    return found


def _reads_all() -> bool:
    return "ecp_admin" in viewer().flags


def _demand_reader() -> None:
    if not may_look_into_outbox(viewer()):
        demand_portal_admin()


def _readable(heads: Sequence[StoredHead]) -> list[StoredHead]:
    """Those of `heads` that the viewer may read: one query."""
    if _reads_all() or not heads:
        return list(heads)
    table = Delivery.__table__
    seen = search.ids(viewer(), "deliveries")
    mine = (table.c.kind == "sendout_test") & table.c.dedupe_key.startswith(testing.tests_of(viewer()), autoescape=True)
    asked = select(table.c.message_id).where(
        table.c.email_key.in_({_key(head.recipient) for head in heads}),
        table.c.message_id.in_({head.message_id for head in heads if head.message_id}),
        (table.c.sendout_id.is_not(None) & table.c.id.in_(seen)) | mine,
    )
    known = set(db.session.execute(asked).scalars())
    return [head for head in heads if head.message_id in known]


def _key(recipient: str) -> str:
    try:
        return email_key(recipient)
    except BadAddress:  # then it is the mail of no delivery
        return ""


@bp.get("/<id>")
def read(id: str) -> str:
    """One mail: how it looks, its headers, its parts."""
    mail = _mail(id)
    return render_template("ecp_outbox_mail.html", mail=mail, here="outbox", size=len(mail.source))


@bp.get("/<id>/seen")
def seen(id: str) -> Response:
    """The mail's HTML (or text) for the sandboxed frame."""
    mail = _mail(id)
    if mail.html and request.args.get("as") != "text":
        document = open_outside(mail.html)
        for place, file in enumerate(mail.files):
            if file.content_id:
                document = document.replace(f"cid:{file.content_id}", f"/ecp/outbox/{id}/parts/{place}?inline=1")
    else:
        document = render_template("ecp_text_preview.html", text=mail.text or _("(This mail has no text part.)"))
    answer = make_response(document)
    answer.headers["Content-Security-Policy"] = PREVIEW_CSP.replace("img-src ", "img-src 'self' ")
    answer.headers["X-Frame-Options"] = "SAMEORIGIN"
    return answer


@bp.get("/<id>/parts/<int:place>")
def part(id: str, place: int) -> Response:
    """An attachment or inline picture."""
    files = _mail(id).files
    if place >= len(files):
        raise Missing
    file = files[place]
    is_inline = bool(request.args.get("inline")) and file.mime_type in SAFE_TYPES
    if is_inline:
        return boxed(make_response(file.data, {"Content-Type": file.mime_type}))
    return as_download(io.BytesIO(file.data), file.name or f"part-{place}")


@bp.get("/<id>/source")
def source(id: str) -> Response:
    """The whole mail as it was handed over."""
    return as_download(io.BytesIO(_mail(id).source), f"{id}.eml", "message/rfc822")
