"""Quick mailings: administrators mail people whom they chose in a list, without a campaign (spec/marketing.md 6.29, M112).

What comes out is the draft of a sendout whose people are written down, so everything after that is the same as for others: who
may not be mailed is left out, a footer is added, it is tested, started, paused and reported.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Any

from sqlalchemy import func, select, union_all

from crm.db import db
from crm.engine import attachments, records, search
from crm.engine.channels import Channel
from crm.engine.refusals import Fault, Forbidden, Refused
from crm.engine.registry import modules
from crm.identity.viewer import Viewer
from crm.modules.people import Choice, select_people
from crm.modules.sender_addresses import default_row
from crm.words import _, say_number
from ecp.modules.sendout_people import PEOPLE, take
from ecp.pipeline.actions import QUICK
from ecp.pipeline.checks import DEFAULT_LIST

MOST = 500
KEY = "email_templates"
COPIED = ("preheader", "sender_name", "sender_address_id", "reply_to", "language", "mjml", "html", "text", "survey_id")


@dataclass(frozen=True)
class Wanted:
    """What is sent to whom. With a mail its text is taken, and its subject when none is given; without one `text` is plain."""

    people: Choice
    subject: str = ""
    text: str = ""
    email_template_id: int | None = None
    list_type_id: int | None = None


def may_mail(viewer: Viewer) -> bool:
    """Whether the viewer may make quick mailings: administrators of the CRM only."""
    return viewer.is_admin and not viewer.is_system


def demand(viewer: Viewer) -> None:
    """Raises Forbidden for everybody but administrators."""
    if not may_mail(viewer):
        raise Forbidden(_("Only administrators may send quick mailings."), "forbidden_action")


def make(viewer: Viewer, wanted: Wanted, channel: Channel) -> int:
    """The draft of a sendout to the people chosen; gives its id. The caller commits.

    Raises Forbidden, Missing, BadCondition, and Refused with the fields subject, text, email_template_id, list_type_id."""
    demand(viewer)
    people = union_all(*select_people(viewer, wanted.people)).subquery() if _is_anybody(wanted.people) else None
    count = db.session.execute(select(func.count()).select_from(people)).scalar() if people is not None else 0
    if not count or people is None:
        raise Refused.because("required", _("Choose at least one person."), "people")
    if count > MOST:
        message = _(
            "A quick mailing goes to at most %(most)s people; %(count)s are chosen. Make a campaign for more.",
            most=say_number(MOST), count=say_number(count),
        )  # fmt: skip
        raise Refused.because("out_of_range", message, "people")
    mail_id, subject = _mail(viewer, wanted, channel)
    values = {
        "name": _("Quick mailing: %(subject)s", subject=subject)[:150], "email_template_id": mail_id, "source": QUICK,
        "list_type_id": wanted.list_type_id,
    }  # fmt: skip
    id = records.create(viewer, "sendouts", values, channel)
    take(id, id, mail_id, select(people.c.person_id, people.c.person_module, people.c.contact_id))
    return id


def count_of(sendout_id: int) -> int:
    """How many people were chosen for a quick mailing."""
    said = select(func.count()).select_from(PEOPLE).where(PEOPLE.c.sendout_id == sendout_id)
    return db.session.execute(said).scalar() or 0


def _is_anybody(choice: Choice) -> bool:
    return bool(choice.contact_ids or choice.lead_ids or choice.module or choice.target_group_id)


def _mail(viewer: Viewer, wanted: Wanted, channel: Channel) -> tuple[int, str]:
    """The mail that is sent and its subject: the one chosen, a copy of it with another subject, or a new one of plain text."""
    if wanted.email_template_id is None:
        return _written(viewer, wanted, channel)
    row = search.one(viewer, KEY, wanted.email_template_id)
    if row["kind"] not in {"email", "template"} or row["status"] != "active":
        raise Refused(email_template_id=Fault("inactive", _("This e-mail is not active. Activate it first.")))
    subject = " ".join(wanted.subject.split()) or row["subject"] or ""
    if row["kind"] == "email" and subject == row["subject"]:
        return row.id, subject
    if not subject:
        raise Refused(subject=Fault("required", _("Write a subject.")))
    values = {name: row[name] for name in COPIED} | _sender(row)
    id = records.create(viewer, KEY, _named(subject) | values, channel)
    for file in attachments.files_of(viewer, KEY, row.id):
        attachments.attach(viewer, KEY, id, file.id, channel)
    return id, subject


def _written(viewer: Viewer, wanted: Wanted, channel: Channel) -> tuple[int, str]:
    faults = {}
    subject, text = " ".join(wanted.subject.split()), wanted.text.replace("\r\n", "\n").strip()
    if not subject:
        faults["subject"] = [Fault("required", _("Write a subject."))]
    if not text:
        faults["text"] = [Fault("required", _("Write what the mail says, or choose a mail."))]
    if faults:
        raise Refused(faults)
    parts = (escape(part, quote=False).replace("\n", "<br>\n") for part in text.split("\n\n") if part.strip())
    values: dict[str, Any] = {"html": "\n".join(f"<p>{part}</p>" for part in parts), "text": text}
    try:
        return records.create(viewer, KEY, _named(subject) | values | _sender({}), channel), subject
    except Refused as refused:
        raise Refused({"text" if name == "html" else name: found for name, found in refused.faults.items()}) from None


def _named(subject: str) -> dict[str, Any]:
    name = _("Quick mailing: %(subject)s", subject=subject)[:150]
    return {"name": name, "kind": "email", "status": "active", "subject": subject, "folder": "Public"}


def _sender(row: Any) -> dict[str, Any]:
    """The sender of a mail, that of the house where it names none."""
    if row and row["sender_address_id"] and row["sender_name"]:
        return {}
    default = default_row()
    if default is None:
        raise Refused.because(
            "required", _("There is no confirmed sender address. Add one first."), "email_template_id"
        )
    return {"sender_address_id": default.id, "sender_name": default.display_name or default.address}


def lists() -> list[tuple[int, str]]:
    """The list types that a mailing may belong to: (id, name); the one that it has where nobody chooses comes first."""
    table = modules["list_types"].table
    usual = table.c.name != DEFAULT_LIST
    said = select(table.c.id, table.c.name).where(table.c.active, table.c.deleted_at.is_(None))
    said = said.order_by(usual, table.c.name)
    return [(row.id, row.name) for row in db.session.execute(said)]
