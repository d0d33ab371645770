"""The warm-up of a sender domain: a ceiling that grows, stays or falls, a brake within the day, and nothing lost on the way."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, insert, select, update

from crm import clock
from crm.db import db
from crm.engine.refusals import Conflict, Refused
from crm.mail.sending.deliveries import Delivery
from ecp.bounces.tables import ReturnedMail
from ecp.domains import warming
from ecp.domains.forecast import Forecast, forecast
from ecp.domains.warm_tables import WarmUp, WarmUpDay
from ecp.domains.warming import Figures, judged
from ecp.pipeline import actions, prepare
from ecp.why import story
from tests.api.calls import caller

NOON = datetime(2026, 5, 4, 9, tzinfo=UTC)
DOMAIN = "example.com"


@pytest.mark.parametrize(
    ("ceiling", "figures", "verdict", "after"),
    [
        (50, (50, 0, 0), "grew", 76), (50, (20, 0, 0), "quiet", 50), (50, (50, 1, 0), "stayed", 50), (50, (50, 3, 0), "fell", 25),
        (2000, (2000, 0, 2), "stayed", 2000), (2000, (2000, 0, 6), "fell", 1000), (9000, (9000, 0, 0), "grew", 10_000),
        (10_000, (9500, 10, 0), "done", 10_000), (40, (12, 12, 0), "quiet", 40), (10, (30, 30, 0), "fell", 10),
    ],
)  # fmt: skip
def test_a_day_is_judged_by_what_it_brought(ceiling, figures, verdict, after):
    assert judged(ceiling, 50, 10_000, Figures(*figures)) == (verdict, after)


def counts(sendout):
    held = Delivery.due_at == warming.HELD
    said = (
        select(Delivery.state, held, func.count()).where(Delivery.sendout_id == sendout).group_by(Delivery.state, held)
    )
    return {(state, bool(is_held)): number for state, is_held, number in db.session.execute(said)}


def send(sendout, at, bounced=0):
    """As the post office does with what is let go."""
    mine = (Delivery.sendout_id == sendout, Delivery.state == "waiting", Delivery.due_at.is_(None))
    ids = db.session.scalars(select(Delivery.id).where(*mine).order_by(Delivery.id)).all()
    db.session.execute(update(Delivery).where(Delivery.id.in_(ids)).values(state="sent", sent_at=at))
    back = update(Delivery).where(Delivery.id.in_(ids[:bounced]))
    db.session.execute(back.values(bounced_at=at, bounce_type="hard"))
    db.session.commit()
    return ids


def begin(people, house, count):
    sendout = house.sendout(house.campaign(house.contacts(count)), skip_earlier=False)
    db.session.commit()
    actions.start(people["ada"], sendout)
    db.session.commit()
    prepare.prepare(sendout)
    return sendout


def test_mails_beyond_the_days_ceiling_wait_for_the_next_days_and_bad_days_brake(people, house):
    with clock.standing_at(NOON):
        warming.begin(DOMAIN, 40, 1000)
        sendout = begin(people, house, 150)
        assert counts(sendout) == {("waiting", False): 40, ("waiting", True): 110}
        warming.look(None)
        assert counts(sendout)[("waiting", False)] == 40
        waits = db.session.scalar(select(Delivery.person_id).where(Delivery.due_at == warming.HELD).limit(1))
        told = story.story(people["ada"], sendout, waits)
        assert any("is being warmed up" in step.sentence for step in told.steps)
        send(sendout, NOON)
    with clock.standing_at(NOON + timedelta(days=1)):
        warming.look(None)
        plan = db.session.get(WarmUp, DOMAIN)
        assert (plan.ceiling, counts(sendout)[("waiting", False)]) == (61, 61)
        ids = send(sendout, clock.now(), bounced=4)
        warming.look(None)  # 4 of 61 came back: the brake
        assert db.session.get(WarmUp, DOMAIN).braked_at is not None
        other = begin(people, house, 3)
        assert counts(other) == {("waiting", True): 3}
    with clock.standing_at(NOON + timedelta(days=2)):
        warming.look(None)
        assert db.session.get(WarmUp, DOMAIN).ceiling == 30
        assert counts(sendout)[("waiting", False)] == 30
        db.session.execute(insert(ReturnedMail).values(key="k", at=clock.now(), kind="complaint", delivery_id=ids[0]))
        send(sendout, clock.now())
        assert warming.figures(DOMAIN, warming.today()) == Figures(30, 0, 1)
    verdicts = db.session.execute(
        select(WarmUpDay.ceiling, WarmUpDay.sent, WarmUpDay.verdict).order_by(WarmUpDay.day)
    ).all()
    assert [tuple(one) for one in verdicts] == [(40, 40, "grew"), (61, 61, "fell")]
    warming.stop(DOMAIN)
    assert not db.session.scalar(select(func.count()).where(Delivery.due_at == warming.HELD))


def test_what_came_back_before_the_warm_up_began_does_not_brake_it(people, house):
    with clock.standing_at(NOON):
        send(begin(people, house, 30), NOON - timedelta(minutes=1), bounced=30)
        warming.begin(DOMAIN, 40, 1000)
        warming.look(None)
        assert db.session.get(WarmUp, DOMAIN).braked_at is None
        assert warming.standing(DOMAIN).today == Figures(0, 0, 0)
    with clock.standing_at(NOON + timedelta(days=1)):
        warming.look(None)
    assert db.session.scalars(select(WarmUpDay.verdict)).all() == ["quiet"]


def test_it_is_begun_shown_and_ended_on_the_page_of_the_domain(browse, people, house):
    ada, mary = browse("ada"), browse("mary")
    here = f"/sender_domains/{DOMAIN}"
    csrf = {"csrf": ada.form(here)["csrf"]}
    assert "Begin the warm-up" in ada.get(here).text
    for said in ({"start": "5", "goal": "100"}, {"start": "50", "goal": "50"}, {"start": "x", "goal": ""}):
        ada.post(f"{here}/warm-up", csrf | said)
        assert warming.standing(DOMAIN) is None
    ada.post(f"{here}/warm-up", csrf | {"start": "20", "goal": "100"})
    begin(people, house, 25)
    page = ada.get(here).text
    assert "Today at most 20 mails of sendouts leave from this domain" in page
    assert "5 mails wait for a later day." in page
    with pytest.raises(Conflict):
        warming.begin(DOMAIN)
    with pytest.raises(Refused):
        warming.begin("other.example", 0, 10)
    mary.post(f"{here}/warm-up/end", {"csrf": mary.form("/preferences")["csrf"]}, 403)
    ada.post(f"{here}/warm-up/end", csrf)
    assert "The last warm-up of this domain has ended." in ada.get(here).text
    assert begin(people, house, 2)


def test_a_forecast_says_over_how_many_days_mails_leave(people, house):
    days = [(NOON + timedelta(days=n)).date() for n in range(12)]
    with clock.standing_at(NOON):
        assert forecast(DOMAIN, 500) is None  # no warm-up
        warming.begin(DOMAIN, 40, 1000)
        assert forecast(DOMAIN, 40) is None  # all leave today
        assert forecast(DOMAIN, 41) == Forecast(DOMAIN, days[0], days[1], 40)
        assert forecast(DOMAIN, 150) == Forecast(DOMAIN, days[0], days[2], 40)  # 40, 61, 49 of 92
        assert forecast(DOMAIN, 150).days == 3
        assert forecast(DOMAIN, 41, days[5]) == Forecast(
            DOMAIN, days[5], days[6], 40
        )  # days without mails change nothing
        begin(people, house, 150)  # waits in front of others: 40, 61, 49
        assert forecast(DOMAIN, 10) == Forecast(DOMAIN, days[0], days[2], 0)
        assert forecast(DOMAIN, 10, days[2]) is None
        plan = db.session.get(WarmUp, DOMAIN)
        plan.goal = 60  # reached on the second day: then everything leaves on the third
        assert forecast(DOMAIN, 5000).ends == days[2]
        plan.goal, plan.braked_at = 1000, clock.now()
        assert forecast(DOMAIN, 1, days[0]).ends > days[2]
        db.session.rollback()


def foretold(days, text, page):
    """Whether the last page of the steps says both."""
    return f"over {days} days" in page and text in page


def test_the_last_step_of_a_sendout_says_how_the_warm_up_stretches_it(browse, people, house):
    ada = browse("ada")
    sendout = house.sendout(house.campaign(house.contacts(25)), skip_earlier=False)
    db.session.commit()
    here = f"/sendouts/{sendout}/steps/send"
    assert "warmed up" not in ada.get(here).text
    warming.begin(DOMAIN, 12, 100)
    db.session.commit()
    page = ada.get(here).text
    assert foretold(2, f"{DOMAIN} is being warmed up: 12 mails leave on", page)
    at = (clock.now() + timedelta(days=3)).strftime("%Y-%m-%dT%H:%M")
    assert foretold(2, "12 mails leave on", ada.get(f"{here}?at={at}").text)
    warming.stop(DOMAIN)
    db.session.commit()
    assert "warmed up" not in ada.get(here).text


def test_it_is_begun_read_and_ended_by_rest(app, people, house):
    ada, mary = caller(app, people.ada), caller(app, people.mary)
    here = f"/sender_addresses/{house.sender_id}/warm_ups"
    assert ada("GET", here).status_code == 404
    assert mary("POST", here, {"start": 20, "goal": 100}).status_code == 403
    for body, status in (({"start": 5, "goal": 100}, 422), ({"start": "x"}, 422), ({"begin": 5}, 422)):
        assert ada("POST", here, body).status_code == status, body
    made = ada("POST", here, {"start": 20, "goal": 100})
    assert made.status_code == 201, made.text
    assert ada("POST", here, {"start": 20, "goal": 100}).status_code == 409
    begin(people, house, 25)
    said = ada("GET", here).json["data"]["attributes"]
    assert (said["domain"], said["state"], said["ceiling"], said["held"], said["days"]) == (DOMAIN, "on", 20, 5, [])
    assert mary("GET", here).json["data"]["attributes"] == said
    assert mary("DELETE", here).status_code == 403
    assert ada("DELETE", here).json["data"]["attributes"] | {"state": "done", "held": 0} == said | {
        "state": "done",
        "held": 0,
    }
    assert not db.session.scalar(select(func.count()).where(Delivery.due_at == warming.HELD))
