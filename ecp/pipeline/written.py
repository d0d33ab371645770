"""The kind “written” of the post office: one mail from E-mail templates to one person, with values of the room that sends it."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import select

from crm import catalog, clock
from crm.db import db
from crm.engine import tags
from crm.engine.registry import modules
from crm.identity.sealing import public_base, sealer
from crm.mail.assemble import assemble, compile_parts
from crm.mail.message import Address, Attachment, one_line
from crm.mail.sending.kinds import Claimed, Rendered
from crm.modules import language_versions
from crm.words import _
from ecp.content.compile import prepare
from ecp.domains.selectors import signers_of
from ecp.pipeline import frozen
from ecp.pipeline.envelope import bounce_token, host_of
from ecp.pipeline.render import RETURN_OCTETS, letterhead
from ecp.pipeline.sender import as_sent
from ecp.pipeline.track import LinkMaker, Purpose
from ecp.pipeline.values import Reader

PAGES: dict[str, Purpose] = {"links.unsubscribe": "leave", "links.preferences": "preferences"}


def links_of(names: Collection[str], delivery_id: int) -> dict[str, str]:
    """Personal links as in mails of campaigns: those that rooms make (a survey, an event), and the pages of all choices."""
    pages = LinkMaker(sealer(), public_base(), 0)
    found = {name: pages.address(PAGES[name], delivery_id) for name in names if name in PAGES}
    for name in (one for one in names if one.startswith("links.")):
        kind, _dot, about = name.removeprefix("links.").partition(":")
        make = catalog.link_maker(kind)
        if make is not None:
            found[name] = make(delivery_id, about, sealer=sealer(), base_url=public_base())
    return found


def subject_of(template_id: int, person: tuple[str, int], values: Mapping[str, str]) -> str:
    """The subject of such a mail to one person, in the version of his language. Raises TagError."""
    module, id = person
    table = modules["email_templates"].table
    text = select(table.c.subject, table.c.owner_id).where(
        table.c.id == language_versions.choose_for(template_id, module, id)
    )
    row = db.session.execute(text).first()
    segments = tags.compile(row.subject or "" if row else "", "subject")
    names = segments.names - values.keys()
    about = {"id": 0, "campaign_id": None, "creator_id": row.owner_id if row else None}
    found = Reader(frozenset(names), about).read([person]).get(id) if names else None
    empty = dict.fromkeys(names, "")
    return segments.fill(
        empty | (found.shown if found else {}) | dict(values), empty | (found.raw if found else {}) | dict(values)
    )


def load(rows: Sequence[Claimed]) -> None:
    """Such mails are few: each is read when it is rendered."""


def render(row: Claimed, _loaded: Any) -> Rendered:
    """The finished mail, from the template as it is now. Raises Refused when it cannot be compiled, or is gone."""
    from ecp.pipeline.sending import CannotRender

    said = row.payload or {}
    table = modules["email_templates"].table
    written = db.session.execute(
        select(table).where(table.c.id == said["template_id"], table.c.deleted_at.is_(None))
    ).mappings().first()  # fmt: skip
    if written is None:
        raise CannotRender(_("The mail was deleted."))
    about = {
        "id": 0,
        "campaign_id": None,
        "creator_id": written["owner_id"],
        "list_type_id": None,
        "source": "auto_campaign",
        **as_sent(written),
    }
    text = language_versions.choose_for(written["id"], row.person_module, row.person_id)
    compiled, _language = frozen.compile_mail(text, needs_unsubscribe=False, for_one=True)
    mail = prepare(compiled, tracked=False)
    own = {name: str(text) for name, text in said["values"].items()}
    names = frozenset(name for name in mail.printed | mail.asked if name not in own)
    found = Reader(names, about).read([(row.person_module or "", row.person_id)]) if row.person_id else {}
    filled = found.get(row.person_id or 0)
    empty = dict.fromkeys(names, "") | links_of(names, row.id)
    shown = empty | (filled.shown if filled else {}) | own
    raw = empty | (filled.raw if filled else {}) | own
    files = [Attachment(name, kind, b64decode(data)) for name, kind, data in said["files"]]
    parts = compile_parts(
        has_text=True,
        has_html=mail.html is not None,
        attachments=[*frozen.files_of(written["id"]), *files],
        version=compiled.key,
    )
    head = letterhead(about, host_of(public_base()))
    to = Address(row.email, one_line(said["name"]))
    message_id, now = head.message_id(row.id), clock.now()
    lines = head.lines(to, mail.subject.fill(shown, raw), now, message_id)
    html = mail.html.fill(shown, raw) if mail.html else ()
    data = assemble(
        lines, parts, mail.text.fill(shown, raw), html, signers_of(head.sender.domain), int(now.timestamp())
    )
    return Rendered(head.envelope(to, bounce_token(sealer().octets("bounce", row.id, RETURN_OCTETS))), data, message_id)
