"""What a single mail says: a template, own words, or own words above a template; tags filled as far as the sender may read.

It is filled when it is written, so that the preview shows what leaves.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from html import escape
from typing import Any

from sqlalchemy import select

from crm.db import db
from crm.engine import search, tags
from crm.engine.conditions import where
from crm.engine.permissions import readable
from crm.engine.refusals import Fault, Missing, Refused
from crm.engine.registry import modules
from crm.engine.rows import Row
from crm.engine.tags import TagError
from crm.engine.tags.check import check
from crm.identity.sealing import public_base, sealer
from crm.identity.viewer import Viewer
from crm.mail.message import Address, Attachment, BadAddress, one_line
from crm.modules.portals.letters import house_sender
from crm.modules.sender_addresses import USABLE
from crm.words import _
from ecp.content import links
from ecp.content.compile import untracked_html
from ecp.content.preview import open_outside
from ecp.modules.mail_rules import NAMESPACES, is_known_tag
from ecp.personal.people import Person
from ecp.pipeline import frozen
from ecp.pipeline.sender import as_sent
from ecp.pipeline.values import Reader
from ecp.pipeline.written import links_of
from surveys import mails
from surveys.links import of_test

FOLDERS = ("Public", "Personal")
MOST_SUBJECT, MOST_MESSAGE = 200, 20_000  # characters
_BODY = re.compile(r"<body\b[^>]*>", re.I)
_ADDRESS = re.compile(r"https?://(?:[^\s<>&]|&amp;)*[^\s<>&.,;:!?()'\"]")  # in escaped words: "&quot;" ends one


@dataclass(frozen=True)
class Draft:
    """What the sender chose. `is_automatic`: the template as it is, `subject` and `message` do not count."""

    template_id: int | None = None
    subject: str = ""
    message: str = ""
    is_automatic: bool = False


@dataclass(frozen=True)
class Written:
    """A filled mail. `html` is "" for a mail of text alone."""

    sender: Address
    reply_to: Address | None
    subject: str
    text: str
    html: str
    files: tuple[Attachment, ...] = ()
    surveys: tuple[int, ...] = ()  # those that it leads to

    @property
    def shown_html(self) -> str:
        """The HTML for a preview: links open elsewhere."""
        return open_outside(self.html)


def offered(viewer: Viewer) -> list[Row]:
    """The mails that may be sent singly: active ones of the public folder and of one's own."""
    mine = {"$and": [where("folder", "is", "Personal"), {"$eq": ["owner_id", viewer.id]}]}
    public = {"$or": [where("folder", "is", "Public"), where("folder", "is empty"), mine]}
    said = {"$and": [where("status", "is", "active"), where("kind", "is", "email"), public]}
    found = search.find(
        viewer, "email_templates", where=said, columns=("name", "subject"), sort=("name",), limit=200, count="none"
    )
    return list(found.rows)


def subject_of(viewer: Viewer, template_id: int | None, person: Person) -> str:
    """The subject that a mail of this template begins with, filled. Raises Refused, Missing."""
    return write(viewer, person, Draft(template_id, is_automatic=True)).subject if template_id is not None else ""


def write(viewer: Viewer, person: Person, draft: Draft, delivery_id: int = 0) -> Written:
    """The mail for one person; personal links are made for `delivery_id`, and empty without one.

    Raises Refused at email_template_id, subject or message, Missing when the template is not offered.
    """
    if draft.template_id is not None and draft.template_id not in {one.id for one in offered(viewer)}:
        raise Missing
    if draft.is_automatic:
        if draft.template_id is None:
            raise Refused.because("required", _("Choose the template to send."), "email_template_id")
        draft = Draft(draft.template_id)
    else:
        _demand_words(viewer, draft)
    said = _Filling(viewer, person, delivery_id)
    subject, message = said.line(draft.subject), said.words(draft.message)
    surveys = _surveys(tags.compile(draft.message, "text").names, "message")
    if draft.template_id is None:
        html = _as_html(message)
        return Written(_own_sender(viewer), _own_address(viewer), subject, f"{message}\n", html, surveys=surveys)
    row = db.session.execute(
        select(modules["email_templates"].table).where(modules["email_templates"].table.c.id == draft.template_id)
    ).mappings().one()  # fmt: skip
    about = as_sent(row)
    _demand_sender(row["sender_address_id"])
    compiled, _language = frozen.compile_mail(draft.template_id, needs_unsubscribe=False, for_one=True)
    parts = {
        "subject": tags.compile(compiled.subject, "subject"),
        "text": tags.compile(links.plain_links(compiled.text, compiled.links), "text"),
        "html": tags.compile(untracked_html(compiled), "html"),
    }
    names = frozenset[str]().union(*(one.names for one in parts.values()))
    surveys += tuple(id for id in _surveys(names, "email_template_id") if id not in surveys)
    shown, raw = said.values(names)
    filled = {name: one.fill(shown, raw) for name, one in parts.items()}
    if message:
        filled["text"] = f"{message}\n\n{filled['text']}"
        filled["html"] = _above(message, filled["html"]) if filled["html"] else ""
    return Written(
        Address(about["sender_address"], one_line(about["sender_name"] or "")),
        _address(about["reply_to"]) or _own_address(viewer), subject or one_line(filled["subject"]), filled["text"],
        filled["html"], tuple(frozen.files_of(draft.template_id)), surveys,
    )  # fmt: skip


def _demand_sender(sender_address_id: int | None) -> None:
    table = modules["sender_addresses"].table
    said = select(table.c.state).where(table.c.id == sender_address_id, table.c.deleted_at.is_(None))
    if db.session.execute(said).scalar() not in USABLE:
        message = _("The sender address of this mail is not confirmed.")
        raise Refused(email_template_id=Fault("not_confirmed", message))


def _demand_words(viewer: Viewer, draft: Draft) -> None:
    faults: dict[str, Fault] = {}
    if draft.template_id is None:
        if not draft.subject.strip():
            faults["subject"] = Fault("required", _("Write a subject, or choose a template."))
        if not draft.message.strip():
            faults["message"] = Fault("required", _("Write the message, or choose a template."))
    for name, text, most in (("subject", draft.subject, MOST_SUBJECT), ("message", draft.message, MOST_MESSAGE)):
        if len(text) > most:
            faults[name] = Fault(
                "too_long", _("%(count)s characters, at most %(most)s are taken.", count=len(text), most=most)
            )
        links_too = name == "message"
        problems = check(text, partial(_may_say, viewer, links_too))
        if problems:
            faults[name] = Fault("unknown", " ".join(str(one) for one in problems[:5]))
    if faults:
        raise Refused({name: [fault] for name, fault in faults.items()})


def may_print(viewer: Viewer, name: str) -> bool:
    """Whether a tag names a value that this viewer may read."""
    namespace, dot, field = name.partition(".")
    if not dot:
        namespace, field = "record", name
    if namespace not in {"contact", "lead", "account", "owner", "user", "record"} or not is_known_tag(name):
        return False
    module = modules[NAMESPACES[namespace]]
    return field in {"name", "label"} or module.resolve(field) in readable(viewer, module)


def _may_say(viewer: Viewer, links_too: bool, name: str) -> bool:
    return may_print(viewer, name) or (links_too and is_own_link(name))


def is_own_link(name: str) -> bool:
    """Whether a tag is a link that own words may lead by: to a survey, or to the person's own page."""
    return name == "links.me" or mails.TAG.fullmatch(name) is not None


def _surveys(names: Iterable[str], field: str) -> tuple[int, ...]:
    """The surveys that tags lead to. Raises Refused at `field` when one is not active."""
    found = tuple(sorted({int(said[1]) for name in names if (said := mails.TAG.fullmatch(name))}))
    if closed := mails.inactive(found):
        message = _("Survey %(id)s is not active, so its link would lead nowhere.", id=closed[0])
        raise Refused({field: [Fault("bad_survey", message)]})
    return found


class _Filling:
    """The values of tags for one person, as far as the viewer may read them."""

    def __init__(self, viewer: Viewer, person: Person, delivery_id: int) -> None:
        self.viewer, self.person, self.delivery_id = viewer, person, delivery_id

    def values(self, names: Iterable[str]) -> tuple[dict[str, str], dict[str, str]]:
        """(as shown, as stored); what may not be read is empty."""
        wanted = frozenset(names)
        read = frozenset(name for name in wanted if not name.startswith("links.") and may_print(self.viewer, name))
        about: Mapping[str, Any] = {"id": 0, "campaign_id": None, "creator_id": self.viewer.id}
        found = Reader(read, about).read([(self.person.module, self.person.id)]).get(self.person.id)
        empty = dict.fromkeys(wanted, "") | self._links(wanted)
        return empty | (found.shown if found else {}), empty | (found.raw if found else {})

    def _links(self, wanted: frozenset[str]) -> dict[str, str]:
        """Personal links; before there is a mail, surveys to look at (nothing answered there is kept), and no others."""
        if self.delivery_id:
            return links_of(wanted, self.delivery_id)
        found = {name: said for name in wanted if (said := mails.TAG.fullmatch(name))}
        return {name: of_test(said[1], sealer=sealer(), base_url=public_base()) for name, said in found.items()}

    def line(self, text: str) -> str:
        return one_line(self._filled(text, "subject"))

    def words(self, text: str) -> str:
        return self._filled(text.replace("\r\n", "\n").strip(), "text")

    def _filled(self, text: str, context: Any) -> str:
        try:
            segments = tags.compile(text, context)
        except TagError as wrong:  # was asked for before; a template may be changed meanwhile
            raise Refused.because("bad_tag", str(wrong), "message") from None
        shown, raw = self.values(segments.names)
        return segments.fill(shown, raw)


def _as_html(message: str) -> str:
    return f'<!doctype html><html><head><meta charset="utf-8"></head><body>{_paragraphs(message)}</body></html>'


def _above(message: str, html: str) -> str:
    """The message as the first thing in the body of a finished mail."""
    box = f'<div style="max-width:600px;margin:0 auto;padding:16px;text-align:left">{_paragraphs(message)}</div>'
    found = _BODY.search(html)
    at = found.end() if found else 0
    return html[:at] + box + html[at:]


def _paragraphs(message: str) -> str:
    style = "font-family:Arial,Helvetica,sans-serif;font-size:16px;line-height:1.5;margin:0 0 16px"
    return "".join(
        f'<p style="{style}">{_led(escape(one.strip())).replace(chr(10), "<br>")}</p>'
        for one in re.split(r"\n\s*\n", message)
    )


def _led(escaped: str) -> str:
    """Escaped words whose addresses can be pressed."""
    return _ADDRESS.sub(lambda found: f'<a href="{found[0]}">{found[0]}</a>', escaped)


def _own_sender(viewer: Viewer) -> Address:
    return Address(house_sender().addr, one_line(viewer.name))


def _own_address(viewer: Viewer) -> Address | None:
    users = modules["users"].table
    return _address(db.session.execute(select(users.c.email).where(users.c.id == viewer.id)).scalar())


def _address(said: str | None) -> Address | None:
    try:
        return Address(said) if said else None
    except BadAddress:  # a user name that no mail can be sent to
        return None
