"""/v the online version of a mail, /p landing pages, /i pictures of mails, /confirm a sender address or a wish for mail."""

import re
from typing import Any

from flask import Response, request, send_file
from flask_babel import gettext as _
from sqlalchemy import select

from crm import clock, config
from crm.db import db
from crm.engine.registry import modules
from crm.engine.tags import TagError, compile, modernise
from crm.identity import tokens
from crm.identity.sealing import sealer
from crm.ui.downloads import boxed
from crm.ui.public_gesture import script_for
from crm.ui.public_page import page, script_rule, speaking
from ecp import pictures, senders
from ecp.content.compile import prepare
from ecp.content.sanitize import sanitize
from ecp.measuring import note_reading
from ecp.pipeline.render import TEST, Renderer
from ecp.pipeline.track import tracking
from ecp.pipeline.values import Reader
from ecp.pipeline.versions import load_for
from ecp.recipients import Recipient, recipient_of
from ecp.web.public import Gone, Unknown, bp, writing
from ecp.web.public_joining import ask_opt_in, confirm_opt_in
from ecp.web.public_leaving import holder, say_test
from ecp.web.public_measuring import seen
from web_tracking import recognising

# What somebody wrote is shown as it is, without script, forms and frames; styles stand in its elements.
WRITTEN = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data: https: http:; font-src 'self' https:; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'; "
    "sandbox allow-popups allow-popups-to-escape-sandbox allow-top-navigation-by-user-activation"
)
_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*").fullmatch


@bp.get("/v/<token>")
@writing
def online(token: str) -> Response:
    """The mail as its recipient got it, in the browser. Counts as reading."""
    if token == TEST:
        return say_test()
    who = holder("view", token)
    content = load_for(who.sendout_id, who.delivery_id) if who.sendout_id is not None else None
    if content is None:
        raise Gone
    note_reading(who, seen())
    return written(_filled(who, content))


def _filled(who: Recipient, content: Any) -> str:
    table = modules["sendouts"].table
    sendout = dict(db.session.execute(select(table).where(table.c.id == who.sendout_id)).mappings().one())
    renderer = Renderer(sendout, content)
    mail = prepare(content.compiled, renderer.measure != "none", is_online=True)
    people = [(who.person_module or "", who.person_id)] if who.person_id is not None else []
    values = next(iter(renderer.reader.read(people).values()), None)
    how = tracking(renderer.measure, who.may_measure)
    shown = dict(values.shown) if values else {}
    shown |= {name: renderer.link(name, who.delivery_id, how) for name in renderer.special if name != "links.pixel"}
    raw = (values.raw if values else {}) | {name: shown.get(name, "") for name in renderer.special}
    if mail.html is not None:
        return mail.html.segments.fill(shown, raw)
    from markupsafe import escape

    return f"<!doctype html><meta charset=utf-8><pre style='white-space:pre-wrap'>{escape(mail.text.segments.fill(shown, raw))}</pre>"


@bp.get("/p/<slug>")
def landing(slug: str) -> Response:
    """A landing page; opened from a mail, its tags show the recipient's data."""
    table = modules["landing_pages"].table
    row = None
    if len(slug) <= 80 and _SLUG(slug):
        query = select(table).where(table.c.slug == slug, table.c.deleted_at.is_(None))
        row = db.session.execute(query).mappings().first()
    if row is None:
        raise Unknown
    if row["status"] != "active" or (
        row["valid_until_on"] and row["valid_until_on"] < clock.today(config.current().timezone)
    ):
        raise Gone
    who = recipient_of("page", request.args.get("d", ""))
    clean, _removed = sanitize(modernise(row["html"] or ""))
    try:
        segments = compile(clean, "html")
    except TagError:
        raise Gone from None
    shown: dict[str, str] = {}
    raw: dict[str, str] = {}
    if who is not None and who.person_id is not None and who.person_module:
        about = {"id": who.sendout_id, "campaign_id": next(iter(who.campaign_ids), None), "creator_id": None}
        found = Reader(frozenset(name for name in segments.names if not name.startswith("links.")), about)
        values = found.read([(who.person_module, who.person_id)]).get(who.person_id)
        if values:
            shown, raw = values.shown, values.raw
    script = script_for(who.delivery_id) if who is not None and who.is_measured else ""
    html = _as_page(segments.fill(shown, raw), row["title"] or row["name"], row["language"])
    return written(recognising.into(html, _visit_parameter(who)), script)


def _visit_parameter(who: Recipient | None) -> str:
    """What makes the visitor of this page known where its links lead: of the mail that led here, or as it was handed on."""
    if who is not None and who.is_measured:
        return recognising.token(sealer(), "mail", who.delivery_id)
    said = request.args.get(recognising.PARAMETER, "")
    return said if said and recognising.read(sealer(), said, clock.now()) else ""


def _as_page(html: str, title: str, language: str | None) -> str:
    if re.search(r"<html[\s>]", html, re.IGNORECASE):
        return html
    from markupsafe import escape

    return (
        f'<!doctype html><html lang="{escape(language or config.current().locale)}"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><title>{escape(title)}</title></head>'
        f"<body>{html}</body></html>"
    )


def written(html: str, script: str = "") -> Response:
    """What a marketer wrote, as a page of its own that can do nothing but be read; `script`: ours, which tells of a gesture."""
    answer = Response(f"{html}<script>{script}</script>" if script else html, mimetype="text/html")
    answer.headers["Content-Security-Policy"] = WRITTEN + (
        f" allow-scripts{script_rule(script, True)}" if script else ""
    )
    return answer


@bp.get("/i/<name>")
def mail_picture(name: str) -> Response:
    """A picture of a mail. Its address never leads to another one, so it may be kept."""
    found = pictures.find(name)
    if found is None:
        raise Unknown
    answer = boxed(send_file(found.path, mimetype=found.media_type, max_age=31_536_000))
    answer.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    answer.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return answer


@bp.get("/confirm/<token>")
def ask_confirmation(token: str) -> Response:
    """Whether an address may be used as a sender, or wants our mail: the page asks, because machines open links too."""
    if (asked := ask_opt_in(token)) is not None:
        return asked
    found = tokens.peek(senders.PURPOSE, token)
    address = _sender(found.subject_id) if found else None
    if address is None:
        raise Unknown
    with speaking(None):
        text = _("Mails of this site may then come from %(address)s.", address=address)
        return page(
            "words",
            heading=_("Confirm this sender address"),
            text=text,
            button=_("Confirm the address"),
            action="confirm",
        )


@bp.post("/confirm/<token>")
@writing
def confirm(token: str) -> Response:
    """Confirm a sender address, or that mail is wanted, once."""
    if (agreed := confirm_opt_in(token)) is not None:
        return agreed
    address = senders.confirm(token)
    if address is None:
        raise Unknown
    return page("words", heading=_("Confirmed"), text=_("Mails may now come from %(address)s.", address=address))


def _sender(id: int | None) -> str | None:
    table = modules["sender_addresses"].table
    return db.session.execute(select(table.c.address).where(table.c.id == id, table.c.deleted_at.is_(None))).scalar()
