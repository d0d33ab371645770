"""The mails in the local folder, as their readers see them: what leaves when no mail server is set. For administrators of the portal.

Every mail of the site is here, also links that log somebody in, so marketers may not read it.
"""

from urllib.parse import quote

from flask import Blueprint, Response, make_response, render_template, request
from flask_babel import gettext as _

from crm import config
from crm.engine.refusals import Missing
from crm.mail.folder import Folder, StoredHead, StoredMail
from ecp.content.preview import PREVIEW_CSP, open_outside
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
    demand_portal_admin()
    text = " ".join(request.args.get("q", "").split()).lower()
    heads, after = _page(text, request.args.get("before", ""))
    return render_template(
        "ecp_outbox.html",
        heads=heads,
        after=after,
        text=text,
        here="outbox",
        count=folder().count(),
        has_smtp=bool(config.current().smtp_url),
    )


def _page(text: str, before: str) -> tuple[list[StoredHead], str]:
    if not text:
        heads = folder().newest(ROWS + 1, before)
        return heads[:ROWS], heads[ROWS - 1].id if len(heads) > ROWS else ""
    found: list[StoredHead] = []
    looked = 0
    while looked < MOST_LOOKED_AT:
        heads = folder().newest(500, before)
        for head in heads:
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
    demand_portal_admin()
    found = folder().read(id)
    if found is None:
        raise Missing
    return found


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
    return _download(
        file.data, file.mime_type if is_inline else "application/octet-stream", file.name or f"part-{place}", is_inline
    )


@bp.get("/<id>/source")
def source(id: str) -> Response:
    """The whole mail as it was handed over."""
    return _download(_mail(id).source, "message/rfc822", f"{id}.eml", False)


def _download(data: bytes, media_type: str, name: str, is_inline: bool) -> Response:
    answer = make_response(data)
    answer.headers["Content-Type"] = media_type
    how = "inline" if is_inline else "attachment"
    answer.headers["Content-Disposition"] = f"{how}; filename*=UTF-8''{quote(name)}"
    answer.headers["X-Content-Type-Options"] = "nosniff"
    return answer
