"""Mails that people wrote in E-mail templates, sent to one person by a room of the house: confirmations, reminders, answers.

The row is written in the caller's transaction and rendered by the room that knows templates (kind "written"). Tags of the
person (`contact.first_name`) are read when it is rendered; what the sending room knows (`event.name`) comes as values.
"""

from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import select

from crm.db import db
from crm.engine import tags
from crm.engine.refusals import Refused
from crm.engine.registry import modules
from crm.mail.message import Address, Attachment
from crm.mail.sending import singles

KIND = "written"
MOST_OCTETS = 2_000_000  # of all files of one mail
Subject = Callable[[int, tuple[str, int], Mapping[str, str]], str]  # template, person, values of the sending room
_makers: list[Subject] = []


def add_subject(make: Subject) -> None:
    """The room that renders these mails says how their subjects are filled with the person's values."""
    _makers[:] = [make]


def is_ready(template_id: int | None) -> bool:
    """Whether there is such a mail and it is active."""
    if template_id is None:
        return False
    table = modules["email_templates"].table
    said = select(table.c.id).where(table.c.id == template_id, table.c.status == "active", table.c.kind == "email")
    return db.session.execute(said.where(table.c.deleted_at.is_(None))).first() is not None


def put(
    template_id: int, to: Address, person: tuple[str, int], *, values: Mapping[str, str], files: Sequence[Attachment] = (),
    dedupe_key: str,
) -> int | None:  # fmt: skip
    """Write the mail `template_id` to one person; its delivery id, None when the key was used before. The caller commits.

    `person`: (module, id), whose tags are filled. `values`: tag → text, for tags of the room that sends. `files` go along,
    two megabytes together at most.
    """
    if sum(len(file.data) for file in files) > MOST_OCTETS:
        raise ValueError("The files of a written mail may have two megabytes together.")
    payload: dict[str, Any] = {
        "template_id": template_id, "name": to.name, "values": dict(values),
        "files": [[file.name, file.mime_type, b64encode(file.data).decode("ascii")] for file in files],
    }  # fmt: skip
    subject = _subject(template_id, person, values)
    return singles.put_mail(db.session, KIND, to, payload, dedupe_key=dedupe_key, subject=subject, person=person)


def _subject(template_id: int, person: tuple[str, int], values: Mapping[str, str]) -> str:
    """The mail's subject for the card of the person, filled as it is when the mail leaves."""
    try:
        return _makers[0](template_id, person, values) if _makers else ""
    except (Refused, tags.TagError):  # then the mail cannot be rendered either, and its delivery says so
        return ""
