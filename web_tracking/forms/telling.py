"""Who is told of a submission by mail: whom the form names, who got the record; of a failed one the form's owner too."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from crm import config
from crm.db import db
from crm.engine.registry import modules
from crm.identity.tables import Group, User
from crm.mail.letters import Letter
from crm.mail.message import Address, BadAddress
from crm.mail.sending.singles import put_letter
from crm.modules.sender_addresses import default_row
from crm.modules.tickets.assigning import members_of
from crm.words import _, speaking
from web_tracking.forms import keeping
from web_tracking.forms.design import Design

MOST_WORDS = 6000


def tell(design: Design, row: Mapping[str, Any]) -> int:
    """Write to them in their languages, once; how many mails were put. The caller commits."""
    form, sender = design.row, default_row()
    named = [form["notified_id"]]
    named += [_owner_of(row)] if form["notifies_owner"] else []
    named += [form["owner_id"]] if row["outcome"] == "failed" else []
    if sender is None or not any(named):
        return 0
    users = select(User.id, User.email, User.locale).where(
        User.id.in_({user for one in named if one for user in _users(one)}), ~User.archived, User.deleted_at.is_(None)
    )
    put = 0
    for user in db.session.execute(users).all():
        try:
            to = Address(user.email)
        except BadAddress:
            continue
        with speaking(user.locale or config.current().locale):
            letter = Letter(to, _subject(design, row), _words(design, row))
        key = f"form:{row['id']}:{row['outcome']}:{user.id}"
        made = put_letter(db.session, letter, Address(sender.address, sender.display_name or ""), dedupe_key=key)
        put += made is not None
    return put


def _users(id: int) -> list[int]:
    is_group = db.session.execute(select(Group.id).where(Group.id == id)).first() is not None
    return members_of(id) if is_group else [id]


def _owner_of(row: Mapping[str, Any]) -> int | None:
    id = row["person_id"] or row["account_id"]
    if id is None:
        return None
    for key in ("contacts", "leads", "accounts"):
        table = modules[key].table
        found = db.session.execute(select(table.c.owner_id).where(table.c.id == id)).first()
        if found is not None:
            owner: int | None = found.owner_id
            return owner
    return None


def _subject(design: Design, row: Mapping[str, Any]) -> str:
    name = " ".join(str(design.row["name"]).split())[:120]
    if row["outcome"] == "failed":
        return _("A submission of “%(name)s” could not be written to the CRM", name=name)
    return _("New submission of “%(name)s”", name=name)


def _words(design: Design, row: Mapping[str, Any]) -> str:
    said = row["said"]
    lines = [
        f"{asked.label}: {text if isinstance(text, str) else ', '.join(text)}"
        for asked in design.asked
        if (text := said.get(asked.name))
    ]
    files = [stored.name for stored in keeping.files_of([row["id"]]).get(row["id"], [])]
    lines += [f"{_('Files')}: {', '.join(files)}"] if files else []
    why = [row["reason"]] if row["outcome"] == "failed" else []
    why += [f"{one['field']}: {one['reason']}" for one in row["troubles"]]
    settings = config.current()
    base = str(settings.crm_url or settings.base_url).rstrip("/")
    link = f"{base}/crm/website_forms/{design.id}/submissions/{row['id']}"
    return "\n".join([*why, *([""] if why else []), *lines])[:MOST_WORDS] + f"\n\n{link}\n"
