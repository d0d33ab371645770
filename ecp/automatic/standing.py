"""How each automatic mail stands: on since when, how many it sent, the last and the next time, what stands in its way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, case, func, select

from crm import clock
from crm.db import db
from crm.engine import search
from crm.engine.conditions import where
from crm.engine.permissions import may
from crm.engine.registry import modules
from crm.engine.rows import Row
from crm.identity.viewer import Viewer
from crm.mail.sending.deliveries import Delivery
from crm.modules.email_templates import cycle_of
from ecp.automatic.joining import MEMBERS
from ecp.modules.sendout_people import PEOPLE

MOST = 200  # of each kind on one page
D = Delivery.__table__.c
SWITCHES = {  # module → the field that switches its automatic mail
    "campaigns": "auto_mail_on", "target_groups": "auto_campaigns", "autoresponders": "active",
}  # fmt: skip


@dataclass(frozen=True)
class Standing:
    """One automatic mail as pages show it. `waiting`: people to whom it could not be sent when they joined."""

    module: str
    id: int
    name: str
    mail_id: int | None
    mail: str
    is_on: bool
    since: datetime | None
    sent: int
    skipped: int
    last_at: datetime | None
    next_at: datetime | None
    problem: str
    waiting: int = 0
    may_switch: bool = False


def all_of(viewer: Viewer) -> list[Standing]:
    """The automatic mails that `viewer` may see: of campaigns, target groups, autoresponders, and recurring mailings."""
    found = [*_campaigns(viewer), *_groups(viewer), *_autoresponders(viewer), *_recurring(viewer)]
    return sorted(found, key=lambda one: (not one.is_on, one.name.casefold()))


def of_record(viewer: Viewer, row: Row) -> Standing | None:
    """The automatic mail of one campaign or target group as its card has it; None when it has none."""
    if row.module == "campaigns":
        found = _campaigns(viewer, row.id)
    elif row.module == "target_groups":
        found = _groups(viewer, row.id)
    else:
        found = [one for one in _autoresponders(viewer) if one.id == row.id]
    return found[0] if found else None


def after_sendout(viewer: Viewer, sendout_id: int) -> list[Standing]:
    """The autoresponders on one sendout."""
    return _autoresponders(viewer, sendout_id)


def _rows(viewer: Viewer, module: str, said: dict[str, Any], columns: tuple[str, ...]) -> list[Row]:
    if not may(viewer, "view", module):
        return []
    return search.find(viewer, module, where=said, columns=columns, sort=("name",), limit=MOST, count="none").rows


def _campaigns(viewer: Viewer, id: int | None = None) -> list[Standing]:
    said: list[dict[str, Any]] = [where("auto_template_id", "is not empty")]
    said += [] if id is None else [{"$eq": ["id", id]}]
    columns = ("name", "auto_template_id", "auto_mail_on", "active", "auto_mail_since", "auto_mail_problem")
    rows = _rows(viewer, "campaigns", {"$and": said}, columns)
    counts, owed = _counts(row.id for row in rows), _owed(row.id for row in rows)
    return [
        _made(
            viewer, row, "auto_template_id", bool(row["auto_mail_on"] and row["active"]), row["auto_mail_since"],
            counts, None, row["auto_mail_problem"], owed.get(row.id, 0),
        )
        for row in rows
    ]  # fmt: skip


def _groups(viewer: Viewer, id: int | None = None) -> list[Standing]:
    said: list[dict[str, Any]] = [where("send_template_id", "is not empty")]
    said += [] if id is None else [{"$eq": ["id", id]}]
    columns = ("name", "send_template_id", "auto_campaigns", "active", "auto_since", "auto_problem")
    rows = _rows(viewer, "target_groups", {"$and": said}, columns)
    counts, moments = _counts(row.id for row in rows), _next_of_mails(row["send_template_id"] for row in rows)
    found = []
    for row in rows:
        is_on = bool(row["auto_campaigns"] and row["active"])
        following = moments.get(row["send_template_id"]) if is_on else None
        found.append(
            _made(viewer, row, "send_template_id", is_on, row["auto_since"], counts, following, row["auto_problem"])
        )
    return found


def _autoresponders(viewer: Viewer, sendout_id: int | None = None) -> list[Standing]:
    said = {} if sendout_id is None else {"$eq": ["sendout_id", sendout_id]}
    columns = ("name", "email_template_id", "active", "activated_at", "until", "problem")
    rows = _rows(viewer, "autoresponders", said, columns)
    counts = _counts(row.id for row in rows)
    today = clock.today(clock.site_zone())
    return [
        _made(
            viewer, row, "email_template_id", bool(row["active"]) and not (row["until"] and row["until"] < today),
            row["activated_at"], counts, None, row["problem"],
        )
        for row in rows
    ]  # fmt: skip


def _recurring(viewer: Viewer) -> list[Standing]:
    said = {"$and": [where("recurrence", "one of", ["daily", "weekly", "monthly"]), where("state", "is", "scheduled")]}
    columns = ("name", "email_template_id", "scheduled_at", "recurs_from")
    rows = _rows(viewer, "sendouts", said, columns)
    children = modules["sendouts"].table
    mine = (
        select(
            children.c.parent_id, func.sum(func.coalesce(children.c.sent_count, 0)),
            func.sum(func.coalesce(children.c.skipped_count, 0)), func.max(children.c.started_at),
        ).where(children.c.parent_id.in_([row.id for row in rows])).group_by(children.c.parent_id)
    )  # fmt: skip
    counts = {row[0]: (int(row[1] or 0), int(row[2] or 0), row[3]) for row in db.session.execute(mine)}
    return [
        _made(viewer, row, "email_template_id", True, row["recurs_from"], counts, row["scheduled_at"], None)
        for row in rows
    ]


def _made(
    viewer: Viewer, row: Row, mail: str, is_on: bool, since: datetime | None, counts: Mapping[int, Any],
    following: datetime | None, problem: str | None, waiting: int = 0,
) -> Standing:  # fmt: skip
    sent, skipped, last = counts.get(row.id, (0, 0, None))
    return Standing(
        row.module, row.id, row.label, row[mail], row.label_of(mail) or "", is_on, since if is_on else None, sent, skipped, last,
        following, problem or "", waiting, row.module in SWITCHES and may(viewer, "edit", row.module),
    )  # fmt: skip


def _counts(ids: Iterable[int]) -> dict[int, tuple[int, int, datetime | None]]:
    """What sends → mails sent, people left out, the last time."""
    is_sent = D.state.in_(("sent", "uncertain"))
    said = (
        select(
            PEOPLE.c.about_id, func.count(case((is_sent, 1))), func.count(case((D.state == "skipped", 1))), func.max(D.sent_at)
        )
        .join(Delivery, and_(D.sendout_id == PEOPLE.c.sendout_id, D.person_id == PEOPLE.c.person_id))
        .where(PEOPLE.c.about_id.in_(list(ids)))
        .group_by(PEOPLE.c.about_id)
    )  # fmt: skip
    return {row[0]: (row[1], row[2], row[3]) for row in db.session.execute(said)}


def _owed(ids: Iterable[int]) -> dict[int, int]:
    said = (
        select(MEMBERS.c.campaign_id, func.count())
        .where(
            MEMBERS.c.campaign_id.in_(list(ids)), MEMBERS.c.owed_template_id.is_not(None), MEMBERS.c.state == "member",
            MEMBERS.c.auto_mail_note.is_not(None),
        )
        .group_by(MEMBERS.c.campaign_id)
    )  # fmt: skip
    return {row[0]: row[1] for row in db.session.execute(said)}


def _next_of_mails(ids: Iterable[int]) -> dict[int, datetime | None]:
    table = modules["email_templates"].table
    rows = db.session.execute(select(table).where(table.c.id.in_(list(ids)))).mappings()
    now, zone = clock.now(), clock.site_zone()
    found = {}
    for row in rows:
        cycle = cycle_of(row)
        found[row["id"]] = cycle.next(now, zone) if cycle else None
    return found


def people_of(campaign_id: int, limit: int, before: int | None = None) -> list[dict[str, Any]]:
    """The people to whom a campaign's automatic mail went or was to go, the last who joined first: ids, not names."""
    mine = [
        MEMBERS.c.campaign_id == campaign_id,
        MEMBERS.c.auto_mail_at.is_not(None) | MEMBERS.c.auto_mail_note.is_not(None),
    ]
    if before is not None:
        mine.append(MEMBERS.c.id < before)
    columns = ("id", "person_id", "person_module", "state", "auto_mail_at", "auto_mail_note", "owed_template_id")
    said = select(*(MEMBERS.c[name] for name in columns)).where(*mine).order_by(MEMBERS.c.id.desc()).limit(limit)
    return [dict(row) for row in db.session.execute(said).mappings()]


def became_of(campaign_id: int, person_ids: Iterable[int]) -> dict[int, Any]:
    """Person → the last automatic mail of a campaign to them: sendout_id, state, skip_reason."""
    sendouts = modules["sendouts"].table
    said = (
        select(D.person_id, D.sendout_id, D.state, D.skip_reason)
        .join(sendouts, sendouts.c.id == D.sendout_id)
        .where(sendouts.c.campaign_id == campaign_id, sendouts.c.is_automatic, D.person_id.in_(list(person_ids)))
        .order_by(D.id)
    )
    return {row.person_id: row for row in db.session.execute(said)}
