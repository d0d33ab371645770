"""What stands behind a refusal: the opt-out, the list or campaign that was left, the bounce, the other person with the address."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select

from crm.db import db, fold
from crm.engine import picklists
from crm.engine.registry import modules
from crm.engine.rows import labels_of
from crm.identity.viewer import Viewer
from crm.mail.sending.deliveries import Delivery
from crm.modules.people import PERSONS
from crm.words import _, say_moment
from ecp.pipeline.audience import RECEIVED
from ecp.why.steps import Step


@dataclass(frozen=True)
class Case:
    """One person in one sendout, as it was decided. `at`: when; None: it would be decided so now."""

    viewer: Viewer
    sendout: Any  # its row
    person_module: str
    person_id: int
    email_key: str
    at: datetime | None


def steps_of(case: Case, reason: str) -> list[Step]:
    """The steps that led to a refusal, the oldest first; [] where nothing more is known."""
    look = _BY_REASON.get(reason)
    return sorted(look(case), key=lambda step: (step.at is not None, step.at)) if look else []


def _opted_out(case: Case) -> Iterator[Step]:
    yield from _suppressed("global", lambda row: _("This address was taken off all mail"))(case)
    for module in PERSONS:
        table = modules[module].table
        places = [fold(table.c.email_key) == fold(case.email_key)] if case.email_key else []
        mine = [table.c.id == case.person_id] if module == case.person_module else []
        rows = db.session.execute(
            select(table.c.id, table.c.email_opt_out_at, table.c.email_opt_out_source)
            .where(or_(*places, *mine), table.c.deleted_at.is_(None), table.c.email_opt_out)
            .limit(5)
        ).all() if places or mine else []  # fmt: skip
        names = labels_of(case.viewer, [row.id for row in rows if row.id != case.person_id])
        for row in rows:
            own = row.id == case.person_id
            who = _("somebody with the same address") if row.id not in names else names[row.id]
            sentence = (
                _("Opted out of all mail.")
                if own
                else _("%(name)s, with the same address, opted out of all mail.", name=who)
            )
            yield Step("opt_out", sentence, row.email_opt_out_at, row.email_opt_out_source or "" if own else "", "bad")


def _suppressed(scope: str, words: Callable[[Any], str], by_sendout: str = "") -> Callable[[Case], Iterator[Step]]:
    """Refusals of a scope, by the address or by the person; also such as have ended since."""

    def look(case: Case) -> Iterator[Step]:
        c = modules["suppressions"].table.c
        said = [
            c.scope == scope,
            c.deleted_at.is_(None),
            or_(c.email_key == case.email_key, c.person_id == case.person_id),
        ]
        if by_sendout:
            said.append(c.scope_id == case.sendout[by_sendout])
        rows = db.session.execute(
            select(c.at, c.source, c.note, c.active, c.ended_at, c.email_key, c.scope_id)
            .where(*said)
            .order_by(c.at.desc())
            .limit(5)
        )
        for row in rows:
            sentence = f"{words(row)} ({_(picklists.label('suppression_source', row.source))})."
            more = [row.note] if row.note else []
            if row.email_key != case.email_key:
                more.append(_("It was said for an earlier address of this person."))
            if not row.active and row.ended_at:
                more.append(_("It ended %(at)s.", at=say_moment(row.ended_at)))
            yield Step(f"refused_{scope}", sentence, row.at, " ".join(more), "bad")

    return look


def _left_campaign(case: Case) -> Iterator[Step]:
    yield from _suppressed("campaign", lambda row: _("Left this campaign"), "campaign_id")(case)
    members = modules["campaign_members"].table.c
    row = db.session.execute(
        select(members.left_at).where(
            members.campaign_id == case.sendout["campaign_id"], members.person_id == case.person_id, members.state == "unsubscribed"
        )
    ).first()  # fmt: skip
    if row is not None:
        yield Step("left_campaign", _("Unsubscribed from the campaign."), row.left_at, "", "bad")


def _bounced(case: Case) -> Iterator[Step]:
    yield from _suppressed("bounce", lambda row: _("A mail to this address came back"))(case)
    d = Delivery.__table__.c
    rows = db.session.execute(
        select(d.bounced_at, d.bounce_text)
        .where(d.email_key == case.email_key, d.bounced_at.is_not(None), d.email_key != "")
        .order_by(d.bounced_at.desc())
        .limit(3)
    )
    for row in rows:
        yield Step("bounced", _("A mail to this address came back."), row.bounced_at, row.bounce_text or "", "bad")


def _same_address(case: Case) -> Iterator[Step]:
    d = Delivery.__table__.c
    row = db.session.execute(
        select(d.person_id, d.state, d.sent_at).where(
            d.sendout_id == case.sendout["id"], d.email_key == case.email_key, d.person_id != case.person_id, d.skip_reason.is_(None)
        )
    ).first()  # fmt: skip
    if row is not None:
        name = labels_of(case.viewer, [row.person_id]).get(row.person_id, _("somebody else"))
        yield Step("duplicate", _("The mail to this address went to %(name)s.", name=name), row.sent_at)


def _earlier(case: Case) -> Iterator[Step]:
    d, s = Delivery.__table__.c, modules["sendouts"].table.c
    rows = db.session.execute(
        select(s.id, d.sent_at, d.created_at)
        .join_from(Delivery.__table__, modules["sendouts"].table, s.id == d.sendout_id)
        .where(
            s.email_template_id == case.sendout["email_template_id"], s.id != case.sendout["id"], d.state.in_(RECEIVED),
            or_(d.person_id == case.person_id, d.email_key == case.email_key),
        )
        .order_by(d.id.desc())
        .limit(3)
    ).all()  # fmt: skip
    names = labels_of(case.viewer, [row.id for row in rows])
    for row in rows:
        name = names.get(row.id, _("another sendout"))
        yield Step("received", _("Got the same mail with “%(name)s”.", name=name), row.sent_at or row.created_at)


def _no_opt_in(case: Case) -> Iterator[Step]:
    table = modules[case.person_module].table
    row = db.session.execute(
        select(table.c.email_opt_in, table.c.email_opt_in_at).where(table.c.id == case.person_id)
    ).first()
    if row is not None:
        said = _(picklists.label("email_opt_in", row.email_opt_in or "none"))
        yield Step("opt_in", _("The opt-in of this person is: %(said)s.", said=said), row.email_opt_in_at, "", "bad")


_BY_REASON: dict[str, Callable[[Case], Iterator[Step]]] = {
    "opt_out": _opted_out,
    "list_unsubscribed": _suppressed("list_type", lambda row: _("Left this list"), "list_type_id"),
    "campaign_unsubscribed": _left_campaign,
    "bounced_before": _bounced,
    "complained": _suppressed("complaint", lambda row: _("Told the provider that our mail is unwanted")),
    "duplicate_address": _same_address,
    "already_received": _earlier,
    "no_opt_in": _no_opt_in,
}
