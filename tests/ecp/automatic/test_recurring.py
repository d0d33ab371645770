"""M114: a mailing that comes again; each time a sendout of its own, at the same hour of the wall clock."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from sqlalchemy import select

from crm.cycles import Cycle, moment_of
from crm.db import db
from crm.engine import records
from crm.engine.channels import Channel
from crm.engine.refusals import Refused
from crm.engine.registry import modules
from crm.identity.viewer import SYSTEM
from crm.modules.campaigns import members
from crm.modules.people import Choice
from ecp.pipeline import actions, checks, recurring
from hub.backup.standing_still import stand_still
from tests.ecp.automatic.conftest import mailed, template, work

ZONE = "Europe/Helsinki"


@pytest.mark.parametrize(
    ("day", "at", "due"),
    [
        (date(2027, 3, 27), time(3, 30), "2027-03-27T01:30"),
        (
            date(2027, 3, 28),
            time(3, 30),
            "2027-03-28T01:00",
        ),  # there is no half past three: at four, the first minute after
        (date(2027, 3, 28), time(4, 0), "2027-03-28T01:00"),
        (date(2027, 10, 31), time(3, 30), "2027-10-31T00:30"),  # there are two: the first
        (date(2027, 10, 31), time(4, 0), "2027-10-31T02:00"),
    ],
)
def test_a_reading_of_the_wall_clock_is_one_moment_also_when_it_is_none_or_two(day, at, due):
    assert moment_of(day, at, ZONE) == datetime.fromisoformat(due).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("cycle", "now", "last", "following"),
    [
        (
            Cycle("daily", time(3, 30)),
            "2027-10-31T01:00",
            "2027-10-31T00:30",
            "2027-11-01T01:30",
        ),  # once in the night of two hours
        (Cycle("weekly", time(9), weekday=0), "2026-11-23T07:00", "2026-11-23T07:00", "2026-11-30T07:00"),
        (Cycle("weekly", time(9), weekday=0), "2026-11-23T06:59", "2026-11-16T07:00", "2026-11-23T07:00"),
        (Cycle("monthly", time(9), day=31), "2027-02-10T00:00", "2027-01-31T07:00", "2027-02-28T07:00"),
        (Cycle("once", time(9), on=date(2026, 11, 23)), "2026-11-23T08:00", "2026-11-23T07:00", None),
        (Cycle("once", time(9), on=date(2026, 11, 23)), "2026-11-22T08:00", None, "2026-11-23T07:00"),
    ],
)
def test_the_last_and_the_next_time_of_a_cycle(cycle, now, last, following):
    as_moment = lambda said: said and datetime.fromisoformat(said).replace(tzinfo=UTC)  # noqa: E731
    assert cycle.last(as_moment(now), ZONE) == as_moment(last)
    assert cycle.next(as_moment(now), ZONE) == as_moment(following)


OCTOBER = datetime(2026, 10, 12, 6, tzinfo=UTC)  # a Monday at nine by the wall clock, in summer time


@pytest.fixture
def weekly(house, at):
    """A weekly mailing from OCTOBER on to a campaign of two: (house, sendout, campaign, its people)."""
    at(OCTOBER - timedelta(days=1))
    people = house.contacts(2)
    campaign = house.campaign(people)
    sendout = house.sendout(campaign, name="News", recurrence="weekly", recurs_until=date(2026, 11, 9))
    with pytest.raises(Refused):
        actions.start(SYSTEM, sendout)
    actions.schedule(SYSTEM, sendout, OCTOBER)
    db.session.commit()
    return house, sendout, campaign, people


def row(sendout):
    table = modules["sendouts"].table
    db.session.expire_all()
    return db.session.execute(select(table).where(table.c.id == sendout)).mappings().one()


def children(sendout):
    table = modules["sendouts"].table
    said = select(table.c.name, table.c.scheduled_at).where(table.c.parent_id == sendout).order_by(table.c.id)
    return [(one.name, one.scheduled_at) for one in db.session.execute(said)]


def test_every_week_it_goes_to_the_people_of_then_at_the_same_hour_until_its_last_day(weekly, at):
    house, sendout, campaign, people = weekly
    work()
    assert mailed("recurring") == []
    at(OCTOBER)
    for _again in range(2):  # two clocks, or one twice
        work()
    late = house.contact("late@example.com")
    members.change(SYSTEM, campaign, Choice(contact_ids=[late]), Channel.FORM)
    db.session.commit()
    at(OCTOBER + timedelta(days=7, minutes=5))
    work()
    assert mailed("recurring") == [dict.fromkeys(people, "waiting"), dict.fromkeys([*people, late], "waiting")]
    assert (row(sendout)["state"], row(sendout)["scheduled_at"]) == ("scheduled", datetime(2026, 10, 26, 7, tzinfo=UTC))
    said = checks.demand_sendable(SYSTEM, actions.of_row(row(sendout)))  # its page counts who had it before as well
    assert said.count.sendable == 3
    at(datetime(2026, 11, 4, 12, tzinfo=UTC))  # two were missed, by more than a day: they are let go
    work()
    at(datetime(2026, 11, 9, 7, tzinfo=UTC))
    work()
    at(datetime(2026, 11, 16, 7, tzinfo=UTC))
    work()
    moments = [OCTOBER, OCTOBER + timedelta(days=7), datetime(2026, 11, 9, 7, tzinfo=UTC)]
    assert children(sendout) == [(f"News {one.date()}", one) for one in moments]
    assert row(sendout)["state"] == "sent"


def test_unscheduled_or_cancelled_nothing_more_comes(weekly, at):
    _house, sendout, _campaign, _people = weekly
    actions.unschedule(SYSTEM, sendout)
    at(OCTOBER)
    work()
    assert children(sendout) == []
    actions.schedule(SYSTEM, sendout, OCTOBER + timedelta(hours=1))
    actions.cancel(SYSTEM, sendout)
    at(OCTOBER + timedelta(days=8))
    work()
    assert children(sendout) == []


def test_of_two_workers_one_makes_the_sendout(weekly, at):
    _house, sendout, _campaign, _people = weekly
    at(OCTOBER)
    seen = row(sendout)
    assert recurring._put(seen, OCTOBER)
    assert recurring._put(seen, OCTOBER) is None


def test_a_restored_house_sends_nothing_by_itself_until_a_person_says_so(weekly, at):
    house, sendout, campaign, _people = weekly
    mail = template(house)
    timed = template(house, name="Timed", sending_time="daily", sending_at="09:00")
    house.make("target_groups", name="All", everybody=True, send_template_id=timed, auto_campaigns=True)
    house.make("autoresponders", name="Next", sendout_id=sendout, reaction="not_read", delay=0, email_template_id=mail)
    records.update(SYSTEM, "campaigns", campaign, {"auto_template_id": mail}, Channel.SYSTEM)
    members.change(SYSTEM, campaign, Choice(contact_ids=[house.contact("late@example.com")]), Channel.FORM)
    at(OCTOBER)
    stand_still(OCTOBER.isoformat())
    for days in (0, 1):
        at(OCTOBER + timedelta(days=days))
        work()
    assert [mailed(one) for one in ("recurring", "auto_campaign", "auto_target_group", "autoresponder")] == [
        [],
        [],
        [],
        [],
    ]
    assert actions.resume(SYSTEM, sendout) == "scheduled"
    db.session.commit()
    work()
    assert row(sendout)["scheduled_at"] == OCTOBER + timedelta(days=7)
    at(OCTOBER + timedelta(days=7))
    work()
    assert len(mailed("recurring")) == 1
