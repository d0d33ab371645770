"""A scheduled sendout is promised its mails of the month it leaves in; given up or moved, the promise is given back."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from crm import clock
from crm.db import db
from crm.engine.refusals import Refused
from crm.identity.viewer import SYSTEM
from ecp import quotas
from ecp.pipeline import actions, prepare, schedule
from tests.pipeline.conftest import build_house

NOW = datetime(2026, 11, 10, 9, tzinfo=UTC)
SOON, NEXT_MONTH = NOW + timedelta(days=1), NOW + timedelta(days=40)


@pytest.fixture
def five_left(own_app):
    """Five mails a month, and two drafts to three people each: (first, second, their campaign)."""
    house = build_house()
    campaign = house.campaign(house.contacts(3))
    db.session.execute(text("UPDATE plans SET current = false"))
    house.make("plans", name="Five", key="five", monthly_mail_limit=5, current=True)
    drafts = [house.sendout(campaign, skip_earlier=False) for _ in range(2)]
    db.session.commit()
    with clock.standing_at(NOW):
        yield *drafts, campaign


def promised(month=None):
    db.session.rollback()
    return quotas.quota(month).reserved


def test_what_is_scheduled_is_promised_and_the_next_one_is_refused_until_it_is_given_up(five_left):
    first, second, _campaign = five_left
    actions.schedule(SYSTEM, first, SOON)
    db.session.commit()
    assert promised() == 3
    for refused in (lambda: actions.start(SYSTEM, second), lambda: actions.schedule(SYSTEM, second, SOON)):
        with pytest.raises(Refused, match="needs 3 mails and 2 are left"):
            refused()
        db.session.rollback()
    actions.unschedule(SYSTEM, first)
    db.session.commit()
    assert promised() == 0
    actions.schedule(SYSTEM, second, SOON)
    db.session.commit()
    actions.cancel(SYSTEM, second)
    db.session.commit()
    assert promised() == 0


def test_it_is_promised_of_the_month_in_which_it_leaves(five_left):
    first, second, _campaign = five_left
    actions.schedule(SYSTEM, first, NEXT_MONTH)
    db.session.commit()
    assert (promised(), promised("2026-12")) == (0, 3)
    with pytest.raises(Refused, match="2 are left of the 5 of 2026-12"):
        actions.schedule(SYSTEM, second, NEXT_MONTH)
    db.session.rollback()
    actions.unschedule(SYSTEM, first)
    actions.schedule(SYSTEM, first, SOON)
    db.session.commit()
    assert (promised(), promised("2026-12")) == (3, 0)


def test_at_its_moment_the_promise_becomes_that_of_the_sendout_and_is_not_counted_twice(five_left):
    first, _second, _campaign = five_left
    actions.schedule(SYSTEM, first, SOON)
    db.session.commit()
    with clock.standing_at(SOON + timedelta(seconds=1)):
        assert schedule.start_due() == [first]  # though 3 of 5 are promised already: to this very sendout
        assert prepare.prepare(first)
        assert promised() == 3
        assert db.session.execute(text("SELECT count(*) FROM quota_holds")).scalar() == 0


def test_one_that_fails_at_its_moment_gives_its_promise_back(five_left):
    first, _second, _campaign = five_left
    actions.schedule(SYSTEM, first, SOON)
    db.session.execute(text("UPDATE campaigns SET active = false"))
    db.session.commit()
    with clock.standing_at(SOON + timedelta(seconds=1)):
        assert schedule.start_due() == []
        assert promised() == 0
