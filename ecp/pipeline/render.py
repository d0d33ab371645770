"""Compiled content and people → finished mails, a batch at a time. Nothing is parsed for a person; values come by one query."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from crm import catalog, clock, config
from crm.db import db
from crm.engine.registry import modules
from crm.identity import keys
from crm.mail.assemble import Parts, assemble, compile_parts
from crm.mail.dkim import Signer
from crm.mail.message import Address, Attachment, BadAddress, BadHeader, Envelope, Mail, one_line
from ecp.bounces.mailboxes import bounce_address
from ecp.content.compile import Mail as Segmented
from ecp.content.compile import prepare
from ecp.content.limits import as_test
from ecp.pipeline.envelope import RETURN_OCTETS as RETURN_OCTETS
from ecp.pipeline.envelope import Letterhead, bounce_token, host_of
from ecp.pipeline.frozen import Frozen
from ecp.pipeline.track import LinkMaker, Sealer, public_base, sealer, tracking
from ecp.pipeline.values import Filled, Reader
from surveys.links import of_test

AT_ONCE = 100
TEST = "test"  # stands for the token in the personal links of a test mail


@dataclass(frozen=True)
class Unmade:
    """Why a mail could not be made: for this person alone."""

    delivery_id: int
    why: str


@dataclass(frozen=True)
class Made:
    """A finished mail of a delivery."""

    delivery_id: int
    mail: Mail
    message_id: str


@dataclass(frozen=True)
class Person:
    """One delivery as rendering sees it."""

    delivery_id: int
    person_module: str
    person_id: int
    email: str


class Renderer:
    """Makes the mails of one sendout. Everything that is the same for all is made once, when it is made."""

    def __init__(self, sendout: Mapping[str, Any], content: Frozen, signers: Sequence[Signer] = ()) -> None:
        settings = config.current()
        self.sendout, self.content, self.signers = sendout, content, tuple(signers)
        self.measure = settings.measure
        self.mail: Segmented = prepare(content.compiled, self.measure != "none")
        self.parts: Parts = compile_parts(
            has_text=True, has_html=self.mail.html is not None, attachments=content.files, version=content.compiled.key
        )
        self.sealer: Sealer = sealer()
        self.base_url = public_base()
        self.links = LinkMaker(self.sealer, self.base_url, sendout["id"])
        self.letterhead = letterhead(sendout, host_of(self.base_url))
        self.names = self.mail.printed | self.mail.asked
        self.special = sorted(name for name in self.names if name.startswith("links."))
        self.reader = Reader(frozenset(name for name in self.names if not name.startswith("links.")), sendout)

    def make_one(self, one: Person, values: Filled, own: Sequence[Attachment] = ()) -> Made | Unmade:
        """The mail of one person, with files of his `own`. What cannot be made costs nobody else his."""
        try:
            return self._make(one, values, clock.now(), self._parts_with(own))
        except BadAddress as bad:
            return Unmade(one.delivery_id, str(bad))
        except (BadHeader, UnicodeEncodeError) as bad:
            return Unmade(one.delivery_id, f"The mail could not be made: {bad}"[:500])

    def _parts_with(self, own: Sequence[Attachment]) -> Parts:
        if not own:
            return self.parts
        return compile_parts(
            has_text=True, has_html=self.mail.html is not None, attachments=[*self.content.files, *own], version=self.content.compiled.key
        )  # fmt: skip

    def _make(self, one: Person, values: Filled, now: datetime, parts: Parts) -> Made:
        to = Address(one.email, one_line(values.shown.get("contact.name", "")))
        how = tracking(self.measure, values.may_measure)
        shown = values.shown | {name: self.link(name, one.delivery_id, how) for name in self.special}
        raw = values.raw | {name: shown[name] for name in self.special}
        envelope = self.letterhead.envelope(
            to, bounce_token(self.sealer.octets("bounce", one.delivery_id, RETURN_OCTETS))
        )
        message_id = self.letterhead.message_id(one.delivery_id)
        lines = self.letterhead.lines(
            to, self.mail.subject.fill(shown, raw), now, message_id,
            one_click=self.links.address("one_click", one.delivery_id), leave=envelope.sender,
        )  # fmt: skip
        html = self.mail.html.fill(shown, raw) if self.mail.html else ()
        data = assemble(lines, parts, self.mail.text.fill(shown, raw), html, self.signers, int(now.timestamp()))
        return Made(one.delivery_id, Mail(envelope, data), message_id)

    def link(self, name: str, delivery_id: int, how: Any) -> str:
        """The value of one special link for a delivery; "" for one that no room makes."""
        kind, _, about = name.removeprefix("links.").partition(":")
        match kind:
            case "click":
                return self.links.click_base(delivery_id, how)
            case "pixel":
                return self.links.pixel(delivery_id, how)
            case "unsubscribe":
                return self.links.address("leave", delivery_id)
            case "online":
                return self.links.address("view", delivery_id)
            case "preferences":
                return self.links.address("preferences", delivery_id)
            case "page":
                return self.links.page(about, delivery_id)
        make = catalog.link_maker(kind)
        return make(delivery_id, about, sealer=self.sealer, base_url=self.base_url) if make else ""

    def test_mail(self, to: Address, values: Filled | None, delivery_id: int, own: Sequence[Attachment] = ()) -> Made:
        """A test: `[TEST]` before the subject, nothing measured, nothing to leave by."""
        mail = prepare(self.content.compiled, False)
        inert = {
            "unsubscribe": f"{self.base_url}/u/{TEST}", "online": f"{self.base_url}/v/{TEST}",
            "preferences": f"{self.base_url}/pref/{TEST}", "me": f"{self.base_url}/me/{TEST}",
        }  # fmt: skip
        shown = dict(values.shown) if values else {}
        for name in (one for one in mail.printed | mail.asked if one.startswith("links.")):
            kind, _, about = name.removeprefix("links.").partition(":")
            if kind == "survey":
                shown[name] = of_test(about, sealer=self.sealer, base_url=self.base_url)
                continue
            shown[name] = f"{self.base_url}/p/{about}" if kind == "page" else inert.get(kind, "")
        raw = (values.raw if values else {}) | {name: text for name, text in shown.items() if name.startswith("links.")}
        now = clock.now()
        message_id = self.letterhead.message_id(delivery_id)
        lines = self.letterhead.lines(to, as_test(mail.subject.fill(shown, raw)), now, message_id)
        html = mail.html.fill(shown, raw) if mail.html else ()
        parts = self._parts_with(own)
        data = assemble(lines, parts, mail.text.fill(shown, raw), html, self.signers, int(now.timestamp()))
        envelope = Envelope(self.letterhead.mailbox, to.addr)
        return Made(delivery_id, Mail(envelope, data), message_id)


def letterhead(sendout: Mapping[str, Any], public_host: str) -> Letterhead:
    """What all mails of a sendout have in common, from the sender that was frozen into its row."""
    table = modules["list_types"].table
    row = (
        db.session.execute(select(table.c.name, table.c.slug).where(table.c.id == sendout["list_type_id"])).first()
        if sendout["list_type_id"] is not None
        else None
    )
    sender = Address(sendout["sender_address"], one_line(sendout["sender_name"] or ""))
    reply_to = Address(sendout["reply_to"]) if sendout["reply_to"] else None
    return Letterhead(
        sender=sender,
        secret=keys.of("message_id"),
        mailbox=bounce_address(sender.addr),
        public_host=public_host,
        list_slug=row.slug if row else None,
        list_name=row.name if row else "",
        reply_to=reply_to if reply_to and reply_to.addr != sender.addr else None,
        is_automatic=sendout["source"] in {"auto_campaign", "auto_target_group", "autoresponder"},
    )
