"""What service requests hold about persons."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Select, or_, select

from crm.db import db
from crm.engine.registry import modules
from crm.modules.privacy import blotting
from crm.modules.privacy.holdings import Holding, register, register_eraser, register_notes
from crm.modules.privacy.person import REMOVED, Person
from crm.modules.service_requests import note_files
from crm.modules.service_requests.notes import TABLE as NOTES
from crm.words import N_


def _own(ids: Sequence[int]) -> Select[Any]:
    table = modules["service_requests"].table
    return select(table.c.id).where(table.c.contact_id.in_(ids))


def erase(person: Person) -> Mapping[str, int]:
    """Files that came with what the person wrote; and the person's name in what staff wrote in own requests."""
    theirs = select(NOTES.c.id).where(NOTES.c.request_id.in_(_own(person.ids)))
    blotting.blot_rows(NOTES, list(db.session.scalars(theirs)), person.words)
    return {"files of service requests": note_files.forget(person.contact_ids)}


def _messages(ids: Sequence[int]) -> Select[Any]:
    """What was said in own requests, by both sides, as far as customers may read it."""
    c = NOTES.c
    is_theirs = or_(c.request_id.in_(_own(ids)), c.contact_id.in_(ids))
    return select(c.request_id, c.at, c.text).where(is_theirs, ~c.is_internal).order_by(c.id)


def _notes(ids: Sequence[int]) -> Select[Any]:
    """What staff wrote among themselves in requests of the persons."""
    c = NOTES.c
    return select(c.request_id, c.at, c.text).where(c.request_id.in_(_own(ids)), c.is_internal).order_by(c.id)


register(
    Holding(
        "service_requests",
        "contact_id",
        N_("Service requests"),
        ("number", "title", "status", "created_at", "ended_at", "description"),
        is_blotted=True,
    ),
    Holding(
        "sr_steps",
        "accepted_by_id",
        N_("What you accepted"),
        ("request_id", "step", "accepted_at"),
        blank={"rejection": None},
    ),
    Holding(
        "sr_notes",
        "contact_id",
        N_("Messages in service requests"),
        rows=_messages,
        blank={"author_name": REMOVED},
        is_blotted=True,
    ),
    Holding(
        "sr_feedback",
        "contact_id",
        N_("Your feedback"),
        ("request_id", "at", "rate", "classification", "comment"),
        blank={"comment": None},
    ),
)
register_notes(Holding("sr_notes", "contact_id", N_("Internal notes in service requests"), rows=_notes))
register_eraser(erase)
