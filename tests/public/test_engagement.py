"""Truthful engagement over HTTP: a gateway changes no rate and no subscription and starts nothing, a person does; judged again."""

import base64
import hashlib
import re
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, text, update

from crm import clock
from crm.db import db
from crm.engine import outbox, picklists, records, search, timeline
from crm.engine.channels import Channel
from crm.engine.conditions import sentence
from crm.engine.registry import modules
from crm.identity.viewer import SYSTEM
from crm.mail.sending.deliveries import Delivery
from ecp import judging, settling, statistics
from ecp.content.compile import CANARY
from ecp.content.compile import prepare as prepare_mail
from ecp.engagement import has_clicked, has_read, settled
from ecp.machines import RULES
from ecp.pipeline import frozen
from tests.public.conftest import FIREFOX

CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"
)
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8", "Accept-Language": "fi"}
GATEWAY = {"User-Agent": CHROME, **BROWSER}
PERSON = {"User-Agent": FIREFOX, **BROWSER}


@pytest.fixture
def behind_a_gateway(sent, visitor):
    """The house sends by a server; `get(path, seconds after sending, headers, address)`."""
    config = visitor.application.config
    config["CUSTOMERHUB"] = config["CUSTOMERHUB"].with_(
        smtp_url="smtp://127.0.0.1:1", trusted_proxies="127.0.0.0/8", scanner_networks="203.0.113.0/24", proxy_networks="2001:db8:aa::/48"
    )  # fmt: skip
    sent_at = sent.row().sent_at

    def get(path, seconds, headers=PERSON, address="192.0.2.44"):
        with clock.standing_at(sent_at + timedelta(seconds=seconds)):
            return visitor.get(path, headers={**headers, "X-Forwarded-For": address})

    return get


def verdicts(kind):
    table = modules[kind].table
    rows = db.session.execute(select(table.c.made_by, table.c.why).order_by(table.c.id))
    return [f"{row.made_by}: {row.why}" for row in rows]


def acted_upon(sent, until=None):
    """Whether rules that ask for a person's reading or click would act."""
    said = select(has_read(until), has_clicked(until=until), has_clicked(2, until)).where(Delivery.id == sent.delivery)
    return tuple(bool(one) for one in db.session.execute(said).one())


def test_a_gateway_that_opens_everything_two_seconds_after_delivery_changes_nothing(sent, visitor, behind_a_gateway):
    from tests.public.test_leaving import refusals

    get, by_gateway = behind_a_gateway, {"headers": GATEWAY, "address": "198.51.100.7"}
    before = statistics.report(SYSTEM, sent.sendout)
    settling.settle_fresh()
    paths = [f"/o/{sent.token('open')}.gif", *(f"/c/{sent.token('click')}/{n}" for n in (1, 2, 0))]
    paths += [
        f"/u/{sent.token('leave')}",
        f"/u1/{sent.token('one_click')}",
        f"/pref/{sent.token('preferences')}",
        f"/v/{sent.token('view')}",
    ]
    for place, path in enumerate(paths):
        assert get(path, 2 + place / 10, **by_gateway).status_code in {200, 204, 302}
    report = statistics.report(SYSTEM, sent.sendout)
    changed = {name for name in before if report[name] != before[name]}
    assert changed == {"machine_read", "machine_clicked"}
    assert {one.split(":")[0] for one in verdicts("opens") + verdicts("clicks")} == {"machine"}
    sendouts = modules["sendouts"].table
    begun = update(sendouts).where(sendouts.c.id == sent.sendout).values(started_at=sent.row().sent_at)
    db.session.execute(begun)
    hours = statistics.curve(SYSTEM, sent.sendout)
    assert sum(hour["machine"] for hour in hours) == len(verdicts("opens") + verdicts("clicks"))
    assert not any(hour["read"] or hour["clicked"] for hour in hours)
    assert refusals() == {}
    assert sent.row().unsubscribed_at is None
    assert acted_upon(sent) == (False, False, False)
    told = [entry.sentence for entry in timeline.page(SYSTEM, "contacts", sent.contact).entries]
    assert not [one for one in told if "Followed" in one or "Read" in one or "Clicked" in one]

    get(f"/o/{sent.token('open')}.gif", 1800)
    get(f"/c/{sent.token('click')}/2", 1830)
    report = statistics.report(SYSTEM, sent.sendout)
    assert (report["read"], report["clicked"], report["clicks"]) == (1, 1, 1)
    assert acted_upon(sent) == (True, True, True)
    at = sent.row().first_click_at
    assert acted_upon(sent, until=at - timedelta(seconds=31)) == (False, False, False)
    with clock.standing_at(at + timedelta(minutes=1)):
        assert acted_upon(sent, until=settled()) == (
            False,
            False,
            False,
        )  # whoever acts on it waits until it has settled
    with clock.standing_at(at + timedelta(minutes=10)):
        assert settling.settle_fresh() == 1
        assert acted_upon(sent, until=settled()) == (True, True, True)


def test_conditions_on_openings_and_clicks_mean_people_unless_they_say_whose(sent, visitor, behind_a_gateway):
    """Target groups, filters and rules by the builder of conditions: "there are clicks" of a person."""

    def who(condition):
        return search.count(SYSTEM, "contacts", {"$and": [{"$eq": ["id", sent.contact]}, condition]})

    behind_a_gateway(f"/c/{sent.token('click')}/1", 2)
    on_first = {"$eq": ["link_number", 1]}
    assert (who({"$has": ["clicks"]}), who({"$has": ["clicks", on_first]}), who({"$hasnot": ["clicks"]})) == (0, 0, 1)
    assert who({"$has": ["clicks", {"$eq": ["made_by", "machine"]}]}) == 1
    assert "Made by" in sentence({"$has": ["clicks", on_first]}, "contacts")
    behind_a_gateway(f"/c/{sent.token('click')}/1", 900)
    assert (who({"$has": ["clicks"]}), who({"$has": ["clicks", on_first]}), who({"$hasnot": ["clicks"]})) == (1, 1, 0)
    assert (who({"$has": ["opens"]}), who({"$has": ["opens", {"$eq": ["agent_family", "Firefox"]}]})) == (0, 0)


def test_each_event_says_why_on_the_report_and_on_the_card(sent, visitor, behind_a_gateway):
    get = behind_a_gateway
    opening = f"/o/{sent.token('open')}.gif"
    get(opening, 3)
    get(opening, 90, address="2001:db8:aa:1::9")
    get(opening, 100, {"User-Agent": "Mozilla/5.0", **BROWSER})
    get(opening, 200, address="203.0.113.200")
    get(opening, 300, {"User-Agent": "", "Accept": ""})
    get(opening, 400, {"User-Agent": FIREFOX + " " + "x" * 10_000})
    get(opening, 500, {**PERSON, "Sec-Purpose": "prefetch"})
    get(opening, 600)
    assert verdicts("opens") == [
        "machine: at_once", "unknown: proxy", "unknown: proxy", "machine: network", "machine: several_signs", "unknown: one_sign",
        "machine: ahead", "human: like_person",
    ]  # fmt: skip
    assert sent.row().read_count == 1
    assert statistics.report(SYSTEM, sent.sendout)["unknown_read"] == 0  # who read is no doubt
    shown = statistics.why(SYSTEM, sent.sendout)
    assert [(one["made_by"], one["why"], one["opens"]) for one in shown][:3] == [
        ("human", "like_person", 1), ("unknown", "proxy", 2), ("unknown", "one_sign", 1),
    ]  # fmt: skip
    row = search.find(
        SYSTEM, "opens", where={"person_id": sent.contact}, columns=("why", "made_by", "ip"), sort=("id",)
    ).rows[1]
    assert picklists.label("why_made_by", row["why"]) == "A mail service loads pictures for all its people"
    assert picklists.label("made_by", row["made_by"]) == "Cannot be told"
    assert row["ip"] == "2001:db8:aa::"


def test_an_address_is_believed_from_trusted_proxies_only(sent, visitor, behind_a_gateway):
    config = visitor.application.config
    config["CUSTOMERHUB"] = config["CUSTOMERHUB"].with_(trusted_proxies="10.0.0.1")
    behind_a_gateway(f"/o/{sent.token('open')}.gif", 600, address="203.0.113.200")
    assert verdicts("opens") == ["human: like_person"]


@pytest.mark.parametrize(
    ("sent_at", "verdict"),
    [
        (timedelta(hours=2), "human: like_person"),
        (None, "human: like_person"),
        (timedelta(seconds=2), "machine: at_once"),
    ],
)
def test_clocks_that_differ_and_sendings_not_noted_yet(sent, behind_a_gateway, sent_at, verdict):
    then = sent.row().sent_at
    later = None if sent_at is None else then + sent_at
    db.session.execute(Delivery.__table__.update().values(sent_at=None, text_begun_at=later))
    behind_a_gateway(f"/o/{sent.token('open')}.gif", 0)
    assert verdicts("opens") == [verdict]


@pytest.fixture
def crowd(sent):
    """Twelve people of one sendout whose links are followed from one address in the same second, an hour after it."""
    at = datetime(2026, 11, 21, 12, 0, 1, tzinfo=UTC)
    people = sent.house.contacts(12, "crowd.example")
    table = Delivery.__table__
    for place, person in enumerate(people):
        row = {"sendout_id": sent.sendout, "person_module": "contacts", "person_id": person, "email": f"c{place}@crowd.example",
               "email_key": f"c{place}@crowd.example", "state": "sent", "created_at": at, "sent_at": at}  # fmt: skip
        id = db.session.execute(table.insert().values(**row)).inserted_primary_key[0]
        event = {"sendout_id": sent.sendout, "delivery_id": id, "person_id": person, "at": at + timedelta(hours=1, milliseconds=place),
                 "ip": "198.51.100.0", "agent_family": "Chrome", "delay": 3600, "made_by": "human", "why": "like_person", "rules": RULES}  # fmt: skip
        db.session.execute(modules["clicks"].table.insert().values(**event, link_number=1))
        db.session.execute(modules["opens"].table.insert().values(**event, signs="proxy" if place else None))
        judging.recount([id])
    db.session.commit()
    return at + timedelta(hours=1)


def test_a_crowd_at_one_moment_is_seen_by_the_next_round(sent, crowd):
    assert statistics.report(SYSTEM, sent.sendout)["clicked"] == 12
    db.session.execute(text("DELETE FROM site_settings WHERE name = 'events_settled'"))
    settling._set_mark({"opens": 0, "clicks": 0})
    with clock.standing_at(crowd + timedelta(minutes=1)):
        assert settling.settle_fresh() == 12
    assert set(verdicts("clicks")) == {"machine: crowd"}
    assert set(verdicts("opens")) == {"human: like_person"}  # a picture proxy does that for its people
    sendout = search.one(SYSTEM, "sendouts", sent.sendout)
    assert (sendout["clicked_count"], sendout["read_count"]) == (0, 12)
    with clock.standing_at(crowd + timedelta(hours=1)):
        assert settling.settle_fresh() == 12
        assert settling.settle_fresh() == 0


def test_all_can_be_judged_again_when_rules_or_networks_change(sent, crowd, app):
    db.session.execute(text("UPDATE clicks SET rules = 0, made_by = 'machine', why = 'at_once'"))
    db.session.execute(
        modules["clicks"].table.insert().values(sendout_id=sent.sendout, link_number=2, at=crowd, signs="head")
    )
    config = app.config
    settled_before = config["CUSTOMERHUB"]
    steps = []
    assert judging.judge_again([sent.sendout], lambda done: not steps.append(done)) == (25, 13)
    assert steps == [24, 25]
    assert set(verdicts("clicks")) == {"machine: crowd", "machine: head"}
    assert judging.judge_again() == (25, 0)
    config["CUSTOMERHUB"] = settled_before.with_(proxy_networks="198.51.100.0/24")
    assert judging.judge_again() == (25, 24)
    assert set(verdicts("opens")) == {"unknown: proxy"}
    report = statistics.report(SYSTEM, sent.sendout)
    assert (report["read"], report["unknown_read"], report["unknown_clicked"]) == (0, 12, 12)
    config["CUSTOMERHUB"] = settled_before
    assert judging.judge_again()[1] == 24
    assert statistics.report(SYSTEM, sent.sendout)["read"] == 12
    versions = db.session.execute(
        text("SELECT DISTINCT rules FROM clicks UNION SELECT DISTINCT rules FROM opens")
    ).scalars()
    assert list(versions) == [RULES]


def scripted(sent, visitor):
    """The pages of ours that a mail leads to."""
    sent.house.make(
        "landing_pages",
        name="Thanks",
        slug="thanks",
        status="active",
        html="<p>Hi {$contact.first_name}</p><script>x</script>",
    )
    paths = (f"/u/{sent.token('leave')}", f"/pref/{sent.token('preferences')}", f"/p/thanks?d={sent.token('page')}")
    return [visitor.get(path) for path in paths]


def test_pages_of_ours_tell_of_a_gesture_for_who_may_be_measured_and_work_without(sent, visitor):
    """The script may do nothing but that: it stands in the page by its hash and speaks to this house only."""
    for answer in scripted(sent, visitor):
        policy = answer.headers["Content-Security-Policy"]
        (script,) = re.findall(r"<script>(.*?)</script>", answer.text, re.DOTALL)
        assert f"/seen/{sent.token('seen')}" in script
        assert (
            f"script-src 'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'; connect-src 'self'"
            in policy
        )
        assert "unsafe-inline'; script" not in policy
        assert "allow-same-origin" not in policy
    assert "<script" not in visitor.get("/p/thanks").text
    records.update(SYSTEM, "contacts", sent.contact, {"may_measure_opens": "no"}, Channel.SYSTEM)
    db.session.commit()
    for path in (f"/u/{sent.token('leave')}", f"/p/thanks?d={sent.token('page')}"):
        answer = visitor.get(path)
        assert "<script" not in answer.text
        assert "script-src" not in answer.headers["Content-Security-Policy"]


def test_a_gesture_lifts_the_doubt_from_the_last_event_of_its_source_only(sent, visitor, behind_a_gateway):
    get = behind_a_gateway

    def move(seconds, address, token=None):
        with clock.standing_at(sent.row().sent_at + timedelta(seconds=seconds)):
            path = f"/seen/{token or sent.token('seen')}"
            return visitor.post(path, headers={**PERSON, "X-Forwarded-For": address}).status_code

    get(f"/c/{sent.token('click')}/1", 4, address="192.0.2.9")
    get(f"/c/{sent.token('click')}/2", 6)
    assert verdicts("clicks") == ["machine: at_once"] * 2
    assert move(8, "192.0.2.44", token=sent.token("click")) == move(8, "192.0.2.44", token="A" * 32) == 204
    assert sent.row().click_count == 0
    assert move(9, "192.0.2.200") == 204  # the same /24
    assert verdicts("clicks") == ["machine: at_once", "human: gesture"]
    jobs = select(outbox.Job.arguments).where(outbox.Job.task == "scores.of_people")
    assert db.session.execute(jobs).scalars().all() == [{"ids": [sent.contact]}]  # no event is new, so scores are told
    assert (sent.row().click_count, sent.row().read_count) == (1, 1)
    assert move(12, "198.51.100.7") == 204  # from elsewhere, without an event: the mail was read
    assert verdicts("opens") == ["human: gesture"]
    records.update(SYSTEM, "contacts", sent.contact, {"may_measure_opens": "no"}, Channel.SYSTEM)
    db.session.commit()
    assert move(20, "203.0.113.1") == 204
    assert len(verdicts("opens")) == 1


def test_the_hidden_link_is_in_the_html_alone_and_nobody_meets_it(sent, visitor):
    content = frozen.load(sent.sendout)
    mail = prepare_mail(content.compiled)
    values = {"links.click": "https://hub.example/c/T/", "links.pixel": ""}
    html = b"".join(mail.html.fill(values, values)).decode()
    hidden = re.search(r"<a href=3D\"https://hub.example/c/T/0\".*?</a>", html.replace("=\r\n", "").replace("=\n", ""))
    assert hidden
    for said in ('tabindex=3D"-1"', 'aria-hidden=3D"true"', "display:none", '"></a>'):
        assert said in hidden[0]
    assert "/c/T/0" not in b"".join(mail.text.fill(values, values)).decode()
    assert "/c/T/0" not in b"".join(prepare_mail(content.compiled, False).html.fill(values, values)).decode()
    assert CANARY not in content.compiled.html  # so neither size, checks nor preview know it
    online = visitor.get(f"/v/{sent.token('view')}").text
    assert f"/c/{sent.token('click')}/1" in online
    assert f"/c/{sent.token('click')}/0" not in online
