"""Rules that the portal lays on what is written: sources are sanitised, and what is active compiles and knows its tags.

They belong to the records, so that pages, REST, imports and commands all meet them (spec/marketing.md 6.1, 6.14; M3, M67).
"""

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import select

from crm import config
from crm.db import db
from crm.engine.module import Module
from crm.engine.refusals import Fault, UnknownName
from crm.engine.registry import Registry, modules
from crm.modules.events.tags import TAGS as EVENT_TAGS
from crm.modules.portals.tags import TAGS as PORTAL_TAGS
from crm.modules.sender_addresses import USABLE
from crm.words import _
from ecp.content.check import check_content
from ecp.content.compile import Content
from ecp.content.linked import with_survey
from ecp.content.sanitize import sanitize

NAMESPACES = {
    "contact": "contacts", "lead": "leads", "account": "accounts", "user": "users", "owner": "users", "campaign": "campaigns",
    "sendout": "sendouts", "record": "contacts",
}  # fmt: skip
SOURCES = {"email_templates": ("mjml", "html"), "html_snippets": ("html",), "landing_pages": ("html",)}
FIELDS = {
    "source": "html",
    "sender": "sender_name",
}  # what a problem of the content is about → the field it is shown at


def is_known_tag(name: str) -> bool:
    """Whether a tag of a mail names something: `contact.first_name`, `owner.name`; a short `first_name` is the person's."""
    if name in EVENT_TAGS or name in PORTAL_TAGS:
        return True
    namespace, dot, field = name.partition(".")
    if not dot:
        namespace, field = "record", name
    if namespace not in NAMESPACES or field == "id":
        return False
    if field in {"name", "label"}:
        return True
    try:
        said = modules[NAMESPACES[namespace]].field(field)
    except (UnknownName, KeyError):
        return False
    return said.in_lists and not said.sensitive


def tags_of_people() -> list[tuple[str, str]]:
    """(tag, label) of what can be put into a mail, in the order in which it is offered."""
    found = []
    for namespace in ("contact", "account", "owner", "campaign"):
        module = modules[NAMESPACES[namespace]]
        for name, said in module.fields.items():
            if is_known_tag(f"{namespace}.{name}") and said.kind.name not in {"source", "html", "conditions"}:
                found.append((f"{namespace}.{name}", f"{_(module.label)}: {_(said.label)}"))
    return found


def _lines(text: str | None) -> str:
    """Line ends as they are compiled: browsers and some programs send CR LF."""
    return (text or "").replace("\r\n", "\n")


def content_of(row: Mapping[str, Any], needs_unsubscribe: bool = False) -> Content:
    """The content of a written mail as it is compiled."""
    row = with_survey(row)
    language = row.get("language") if row.get("language") in {"en", "fi"} else config.current().locale
    return Content(
        kind="mjml" if row.get("mjml") else "html", source=_lines(row.get("mjml") or row.get("html")),
        subject=row.get("subject") or "", text=_lines(row.get("text")), preheader=row.get("preheader") or "",
        language=str(language), needs_unsubscribe=needs_unsubscribe,
    )  # fmt: skip


def sanitised(key: str) -> Callable[[Mapping[str, Any], Mapping[str, Any] | None], dict[str, Any]]:
    """The rule that takes scripts, handlers and foreign styles out of the sources of module `key`."""

    def derive(values: Mapping[str, Any], old: Mapping[str, Any] | None) -> dict[str, Any]:
        return {name: sanitize(_lines(values[name]))[0] for name in SOURCES[key] if values.get(name)}

    return derive


def holds_when_active(values: Mapping[str, Any], old: Mapping[str, Any] | None) -> dict[str, Fault]:
    """An active mail compiles, and every tag in it is known; each problem with its place."""
    then = {**(old or {}), **values}
    if then.get("status") != "active" or not (then.get("mjml") or then.get("html") or then.get("text")):
        return {}
    content = content_of(then)
    problems = [
        one for one in check_content(
            content, is_known_tag, sender_name="-", has_sender_address=True, suggestions=[name for name, _label in tags_of_people()]
        )
        if one.severity == "error" and not (one.field == "subject" and not content.subject.strip())
    ]  # fmt: skip
    faults: dict[str, list[str]] = {}
    for one in problems:
        field = "mjml" if one.field == "source" and then.get("mjml") else FIELDS.get(one.field, one.field)
        faults.setdefault(field, []).append(str(one))
    return {name: Fault("bad_content", " ".join(found[:20])) for name, found in faults.items()}


def has_confirmed_sender(values: Mapping[str, Any], old: Mapping[str, Any] | None) -> dict[str, Fault]:
    """An active mail leaves from a sender address that was confirmed (spec/marketing.md 9, M39)."""
    then = {**(old or {}), **values}
    changed = {name for name in ("status", "sender_address_id") if old is None or then.get(name) != old.get(name)}
    sender = then.get("sender_address_id")
    if not changed or then.get("status") != "active" or sender is None:
        return {}
    table = modules["sender_addresses"].table
    state = db.session.execute(select(table.c.state).where(table.c.id == sender)).scalar()
    if state is None or state in USABLE:
        return {}
    message = _("This sender address is not confirmed yet. Choose a confirmed one, or follow the link in its mail.")
    return {"sender_address_id": Fault("not_confirmed", message)}


def attach(registry: Registry) -> None:
    """Lay the rules on the modules; once, by the catalog."""
    for key in SOURCES:
        module: Module = registry[key]
        module.derives = (*module.derives, sanitised(key))
    mails = registry["email_templates"]
    mails.checks = (*mails.checks, holds_when_active, has_confirmed_sender)
