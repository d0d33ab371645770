"""Who holds a personal link: the delivery it was made for, the person, and what the public pages may say and do for them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from crm import config
from crm.db import db
from crm.engine.registry import modules
from crm.engine.relations import linked
from crm.mail.sending.deliveries import Delivery
from crm.modules.people import PERSONS
from ecp.pipeline.track import Purpose, sealer, tracking


@dataclass(frozen=True)
class Recipient:
    """One delivery as its recipient meets it. `person_id` is None when the person is gone."""

    delivery_id: int
    sendout_id: int | None
    email: str
    email_key: str
    state: str
    sent_at: datetime | None  # when the mail left; while its end is not noted yet, when its text began
    unsubscribed_at: datetime | None
    person_module: str | None
    person_id: int | None
    campaign_ids: tuple[int, ...]  # of the sendout, or of the target groups that brought this person in
    list_type_id: int | None
    language: str | None = None
    may_measure: str = "unknown"

    @property
    def is_measured(self) -> bool:
        """Whether what this person does may be kept with the person, as the site and the person say today."""
        return tracking(config.current().measure, self.may_measure).links == "personal"


def recipient_of(purpose: Purpose, token: str) -> Recipient | None:
    """The holder of `token`, when it was sealed for `purpose` and its delivery exists; None else."""
    number = sealer().open(purpose, token)
    return None if number is None else recipient(number)


def recipient(delivery_id: int) -> Recipient | None:
    """The recipient of a delivery; None when there is no such delivery, or it has no address."""
    d, s = Delivery.__table__, modules["sendouts"].table
    row = db.session.execute(
        select(
            d.c.id, d.c.sendout_id, d.c.email, d.c.email_key, d.c.state, func.coalesce(d.c.sent_at, d.c.text_begun_at).label("sent_at"), d.c.unsubscribed_at,
            d.c.person_module, d.c.person_id, s.c.campaign_id, s.c.list_type_id,
        ).outerjoin(s, s.c.id == d.c.sendout_id).where(d.c.id == delivery_id)
    ).first()  # fmt: skip
    if row is None or not row.email:
        return None
    person = _person(row.person_module, row.person_id)
    return Recipient(
        row.id, row.sendout_id, row.email, row.email_key, row.state, row.sent_at, row.unsubscribed_at,
        row.person_module, row.person_id if person else None, _campaigns_of(row), row.list_type_id,
        person.language if person else None, person.may_measure_opens if person else "unknown",
    )  # fmt: skip


def hold(who: Recipient) -> None:
    """Let nobody else change anything for the same delivery until the caller commits: a double click is one after the other."""
    db.session.execute(select(Delivery.id).where(Delivery.id == who.delivery_id).with_for_update())


def _campaigns_of(row: Any) -> tuple[int, ...]:
    if row.campaign_id is not None or row.sendout_id is None or row.person_id is None:
        return () if row.campaign_id is None else (row.campaign_id,)
    groups, members = modules["portal_target_groups"].table, modules["portal_target_group_members"].table
    found = db.session.execute(
        select(groups.c.campaign_id)
        .join(members, members.c.portal_target_group_id == groups.c.id)
        .where(
            groups.c.id.in_(linked("sendouts", row.sendout_id, "portal_target_groups")),
            members.c.person_id == row.person_id,
        )
        .distinct()
    )
    return tuple(sorted(found.scalars()))


def _person(module: str | None, id: int | None) -> Any:
    if module not in PERSONS or id is None:
        return None
    table = modules[module].table
    return db.session.execute(
        select(table.c.language, table.c.may_measure_opens).where(table.c.id == id, table.c.deleted_at.is_(None))
    ).first()
