"""The report: numbers from rows that add up, the curve, links, recipients, CSV; nothing for who may not see it."""

import csv
import io
from datetime import timedelta

import pytest
from sqlalchemy import text

from crm import clock
from crm.db import db
from crm.engine.refusals import Forbidden, Missing
from crm.engine.registry import modules
from crm.identity.viewer import SYSTEM
from crm.mail.sending.deliveries import Delivery
from crm.modules import retention
from ecp import statistics
from ecp.bounces import evidence
from ecp.pipeline import actions, prepare
from tests.people import make_people, viewer

STATES = ["sent"] * 12 + ["failed", "uncertain", "retry", "waiting", "cancelled"]


@pytest.fixture
def sendout(house):
    """Seventeen people in all states: five read, two clicked, one left; one was skipped."""
    ids = house.contacts(len(STATES))
    out = house.contact("out@example.com", email_opt_out=True)
    id = house.sendout(house.campaign([*ids, out]))
    actions.start(SYSTEM, id)
    prepare.prepare(id)
    start = clock.now()
    table = Delivery.__table__
    for place, (person, state) in enumerate(zip(ids, STATES, strict=True)):
        values = {"state": state, "sent_at": start if state == "sent" else None}
        if place < 5:
            values |= {"first_read_at": start + timedelta(hours=place, minutes=5), "read_count": 2}
        if place < 2:
            values |= {"first_click_at": start + timedelta(hours=1, minutes=1), "click_count": 1}
        if place == 0:
            values |= {"unsubscribed_at": start}
        db.session.execute(table.update().where(table.c.sendout_id == id, table.c.person_id == person).values(values))
    db.session.commit()
    return id


def test_the_states_add_up_to_the_audience(sendout):
    report = statistics.report(SYSTEM, sendout)
    names = ("sent", "failed", "skipped", "uncertain", "waiting", "cancelled")
    assert {name: report[name] for name in names} == {
        "sent": 12, "failed": 1, "skipped": 1, "uncertain": 1, "waiting": 2, "cancelled": 1,
    }  # fmt: skip
    assert sum(report[name] for name in names) == report["audience"] == 18
    assert report["skipped_by_reason"] == {"opt_out": 1}
    assert (report["read"], report["clicked"], report["unsubscribed"], report["reads"]) == (5, 2, 1, 10)


def test_the_curve_shows_first_reads_by_the_hour(sendout):
    curve = statistics.curve(SYSTEM, sendout)
    assert len(curve) == 72
    assert [hour["read"] for hour in curve[:6]] == [1, 1, 1, 1, 1, 0]
    assert sum(hour["clicked"] for hour in curve) == 2


def test_totals_without_persons_are_shown_from_ten_people_up(sendout):
    table = modules["clicks"].table
    db.session.execute(table.insert().values(sendout_id=sendout, link_number=1, at=clock.now(), made_by="human"))
    assert statistics.report(SYSTEM, sendout)["unmeasured_clicks"] == 1
    db.session.execute(text("UPDATE deliveries SET state = 'failed' WHERE state = 'sent' AND read_count = 0"))
    assert statistics.report(SYSTEM, sendout)["unmeasured_clicks"] is None


def test_recipients_can_be_narrowed_and_come_as_csv_without_formulas(sendout):
    unread = {"$and": [{"$eq": ["state", "sent"]}, {"$is.null": ["first_read_at"]}]}
    assert statistics.recipients(SYSTEM, sendout, unread, count="exact").total == 7
    db.session.execute(text("UPDATE deliveries SET email = '=HYPERLINK(1)@example.com' WHERE email = 'n0@example.com'"))
    rows = list(csv.DictReader(io.StringIO("".join(statistics.recipients_csv(SYSTEM, sendout)))))
    assert len(rows) == 18
    assert {row["state"] for row in rows} == {*STATES, "skipped"}
    assert not [row for row in rows if row["email"].startswith("=")]


def test_links_are_counted_in_people_and_clicks(sendout):
    links = statistics.links(SYSTEM, sendout)
    assert [link["url"] for link in links] == ["https://example.com/offer?x=1&y=2", "https://example.com/more"]
    assert {link["people"] for link in links} == {0}


def test_nobody_sees_the_report_of_a_sendout_that_he_may_not_see(sendout, session):
    people = make_people(session)
    with pytest.raises((Missing, Forbidden)):
        statistics.report(viewer(people.charlie), 999_999)
    with pytest.raises(Forbidden):
        actions.start(viewer(people.charlie), sendout)


def test_an_address_that_bounced_softly_four_times_in_a_row_is_a_hard_bounce(house):
    id = house.contact("soft@example.com")
    for turn in range(4):
        sendout = house.sendout(house.campaign([id]), skip_earlier=False)
        actions.start(SYSTEM, sendout)
        prepare.prepare(sendout)
        db.session.execute(
            Delivery.__table__.update()
            .where(Delivery.sendout_id == sendout)
            .values(state="failed", failed_reason="soft_bounce")
        )
        assert evidence.note_bounces() == 1
        status = db.session.execute(text("SELECT email_status FROM contacts WHERE id = :i"), {"i": id}).scalar()
        assert status == ("hard_bounced" if turn == 3 else "soft_bouncing")


def test_the_report_says_from_when_on_single_events_are_there(session):
    now = clock.now()
    retention.change({one.key: str(one.days) for one in retention.KEPT} | {"events": "40"})
    since = statistics.events_kept_since(now - timedelta(days=41))
    assert since is not None
    assert abs(since - (now - timedelta(days=40))) < timedelta(minutes=1)
    assert statistics.events_kept_since(now - timedelta(days=39)) is None
    assert statistics.events_kept_since(None) is None
    retention.change({one.key: str(one.days) for one in retention.KEPT} | {"events": "0"})
    assert statistics.events_kept_since(now - timedelta(days=4000)) is None
