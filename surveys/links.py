"""Addresses of surveys: personal ones of mails and invitations, the public one, and previews that store nothing.

A token is sealed (crm/identity/sealing.py): what it opens, and the ids, in one number. Nothing is kept of it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import insert, literal, select

from crm import clock
from crm.db import db, id_inserted
from crm.engine.registry import modules
from crm.identity.sealing import Sealer, public_base, sealer
from crm.mail.sending.deliveries import Delivery
from surveys.modules.survey_invitations import SurveyInvitation
from surveys.modules.surveys import Survey

PURPOSE, SIZE = "survey", 17
WAYS: tuple["Way", ...] = ("delivery", "invitation", "public", "preview")
Way = Literal["delivery", "invitation", "public", "preview"]
INVITATIONS = SurveyInvitation.__table__


@dataclass(frozen=True)
class Opened:
    """What a token opens: a survey, by a delivery or an invitation (`id`), for everybody, or to look at."""

    way: Way
    survey_id: int
    id: int = 0


def token_of(sealed: Sealer, way: Way, survey_id: int, id: int = 0) -> str:
    """The token that opens a survey in one way."""
    return sealed.seal(PURPOSE, WAYS.index(way) << 128 | survey_id << 64 | id, SIZE)


def open_token(token: str) -> Opened | None:
    """What a token opens; None for one that is none."""
    number = sealer().open(PURPOSE, token, SIZE)
    if number is None or number >> 128 >= len(WAYS):
        return None
    return Opened(WAYS[number >> 128], number >> 64 & (2**64 - 1), number & (2**64 - 1))


def of_delivery(delivery_id: int, about: str, *, sealer: Sealer, base_url: str) -> str:
    """`{$links.survey:<id>}` in a mail: the personal address of its recipient (catalog.LINK_KINDS). "" for no number."""
    if not about.isdecimal() or not 0 < int(about) < 2**62:
        return ""
    return f"{base_url.rstrip('/')}/s/{token_of(sealer, 'delivery', int(about), delivery_id)}"


def of_test(about: str, *, sealer: Sealer, base_url: str) -> str:
    """The same in a test mail: the survey to look at; what is sent there is not kept."""
    if not about.isdecimal() or not 0 < int(about) < 2**62:
        return ""
    return f"{base_url.rstrip('/')}/s/{token_of(sealer, 'preview', int(about))}"


def public_address(survey_id: int) -> str:
    """The address of a public survey, which may be published."""
    return f"{public_base()}/s/{token_of(sealer(), 'public', survey_id)}"


def preview_address(survey_id: int) -> str:
    """An address at which the survey can be tried; what is sent there is not kept."""
    return f"{public_base()}/s/{token_of(sealer(), 'preview', survey_id)}"


def invite(survey_id: int, contact_id: int, way: str = "mail", subject_id: int | None = None) -> str:
    """Ask one person (a contact or lead) and give the personal address. Asked about the same subject again, it is the same
    invitation. The caller commits."""
    return address_of(invitation_of(survey_id, contact_id, way, subject_id), survey_id)


def address_of(invitation_id: int, survey_id: int) -> str:
    """The personal address of an invitation."""
    return f"{public_base()}/s/{token_of(sealer(), 'invitation', survey_id, invitation_id)}"


def invitation_of(survey_id: int, person: int, way: str, subject_id: int | None = None) -> int:
    """The invitation of a person about a subject, made when there is none that can still be answered."""
    c = INVITATIONS.c
    known = select(c.id).where(
        c.survey_id == survey_id, c.person_id == person, c.way == way, c.delivery_id.is_(None),
        c.subject_id.is_(None) if subject_id is None else c.subject_id == subject_id, c.is_answered.is_(False),
        c.expires_at.is_(None) | (c.expires_at > clock.now()),
    )  # fmt: skip
    found = db.session.execute(known.order_by(c.id.desc()).limit(1)).scalar()
    if found is not None:
        return int(found)
    now = clock.now()
    values = {
        "survey_id": survey_id, "person_id": person, "way": way, "subject_id": subject_id, "invited_at": now,
        "expires_at": expiry(_days_valid(survey_id), now),
    }  # fmt: skip
    return id_inserted(insert(INVITATIONS).values(values))


def invite_recipients(sendout_id: int, survey_id: int) -> None:
    """An invitation for each delivery of a sendout whose mail leads to a survey: one statement. The caller commits."""
    table, c = Delivery.__table__, INVITATIONS.c
    there = select(c.delivery_id).where(c.survey_id == survey_id, c.delivery_id.is_not(None))
    rows = select(literal(survey_id), table.c.person_id, table.c.id, literal("mail"), literal(False)).where(
        table.c.sendout_id == sendout_id, table.c.state != "skipped", table.c.id.not_in(there)
    )
    names = ["survey_id", "person_id", "delivery_id", "way", "is_answered"]
    db.session.execute(insert(INVITATIONS).from_select(names, rows))


def expiry(days_valid: int | None, sent_at: datetime) -> datetime | None:
    """When a link ends that was sent at `sent_at`."""
    return sent_at + timedelta(days=days_valid) if days_valid else None


def _days_valid(survey_id: int) -> int | None:
    table = Survey.__table__
    return db.session.execute(select(table.c.days_valid).where(table.c.id == survey_id)).scalar()


def delivery_of(id: int) -> Any:
    """Who got a mail and when: a row with person_id, sent_at, sendout_id; None when it is gone."""
    table = Delivery.__table__
    c = table.c
    return db.session.execute(
        select(c.id, c.person_id, c.sent_at, c.created_at, c.sendout_id).where(c.id == id)
    ).first()


def invitation_for(opened: Opened, is_writing: bool = False) -> Any:
    """The row of the invitation that a personal token stands for, or None.

    The first answer to a mail makes its invitation (`is_writing`); before, a row with the same names is made up.
    """
    c = INVITATIONS.c
    if opened.way == "invitation":
        said = select(INVITATIONS).where(c.id == opened.id, c.survey_id == opened.survey_id)
        return db.session.execute(said).mappings().first()
    mail = delivery_of(opened.id)
    if mail is None:
        return None
    said = select(INVITATIONS).where(c.delivery_id == opened.id, c.survey_id == opened.survey_id)
    found = db.session.execute(said).mappings().first()
    sent_at = mail.sent_at or mail.created_at
    expires_at = expiry(_days_valid(opened.survey_id), sent_at)
    values = {
        "survey_id": opened.survey_id, "person_id": mail.person_id, "delivery_id": opened.id, "way": "mail",
        "subject_id": None, "invited_at": sent_at, "expires_at": expires_at, "opened_at": None, "started_at": None,
        "completed_at": None, "is_answered": False,
    }  # fmt: skip
    if found is not None:
        return dict(found) | {"invited_at": sent_at, "expires_at": expires_at, "sendout_id": mail.sendout_id}
    if is_writing:
        with db.session.begin_nested():
            db.session.execute(_upsert(values))
        found = db.session.execute(said).mappings().one()
        return dict(found) | {"expires_at": expires_at, "sendout_id": mail.sendout_id}
    return values | {"id": None, "sendout_id": mail.sendout_id}


def _upsert(values: dict[str, Any]) -> Any:
    from sqlalchemy.dialects import postgresql, sqlite

    make = sqlite.insert if db.engine.dialect.name == "sqlite" else postgresql.insert
    return make(INVITATIONS).values(values).on_conflict_do_nothing(index_elements=["survey_id", "delivery_id"])


def active_surveys() -> list[tuple[int, str]]:
    """The surveys that mails may lead to: id and name."""
    table = modules["surveys"].table
    said = select(table.c.id, table.c.name).where(table.c.status == "active", table.c.deleted_at.is_(None))
    return [(row.id, row.name) for row in db.session.execute(said.order_by(table.c.name))]
