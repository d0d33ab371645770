"""Scores: what each kind of event gives, how it is limited and fades, who is meant, and that bad rules harm nothing."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import insert, update

from crm import clock
from crm.db import db
from crm.engine import merging, records, search
from crm.engine.channels import Channel
from crm.engine.conditions import where
from crm.engine.refusals import Refused
from crm.engine.registry import modules
from crm.identity.viewer import SYSTEM
from crm.modules.leads.convert import Wanted, convert
from tests.surveys.conftest import make_survey
from tests.web_tracking.conftest import Tracked
from tests.web_tracking.scoring.conftest import ago, click, make, opening, rule, score_of
from web_tracking.scoring import counting, model, tasks
from web_tracking.scoring.model import Model
from web_tracking.scoring.score_rules import ScoreRule
from web_tracking.scoring.tables import ScorePart

Scored = Callable[..., dict[int, int]]


def parts(person: int) -> dict[str, tuple[int, int, int]]:
    return {one["name"]: (one["event_count"], one["points"], one["worth"]) for one in counting.explained(person)}


def test_what_people_did_counts_and_what_machines_did_never(scored: Scored) -> None:
    anna, berg = make("contacts"), make("leads")
    rule(name="Clicks", points=10)
    rule(name="Opens", kind="mail_opened", points=3)
    for made_by in ("human", "machine", "unknown"):
        click(anna, made_by=made_by)
        opening(berg, made_by=made_by)
    click(None)
    assert scored(anna, berg) == {anna: 10, berg: 3}
    assert parts(anna)["Clicks"][:2] == (1, 10)


def test_every_kind_of_event_is_scored_where_it_stands(scored: Scored, site: Tracked, people: Any) -> None:
    anna, berg = make("contacts"), make("leads")
    site.hit(path="/prices/2026", p=site.token(anna))
    site.hit(path="/jobs")
    site.hit(k="event", e="Asked for a quote")
    site.hit(k="download", e="https://shop.example/files/b.pdf")
    site.roll_up()
    page = make("tracked_pages", label="Prices", site_id=site.id, pattern="/prices*")
    form = make("website_forms", name="Visit", entity="leads")
    asked = make_survey([{"name": "nps", "kind": "nps"}], name="How was it")
    survey, question = asked.id, asked.questions["nps"]
    event = make("mass_events", name="Fair", starts_at=ago(3), ends_at=ago(2), time_zone="UTC")
    sent = {"form_id": form, "received_at": ago(0.01), "person_id": berg, "said": {}, "troubles": [], "tried_count": 0}
    db.session.execute(insert(modules["form_submissions"].table), [sent | {"once": str(n), "outcome": said} for n, said in enumerate(("made", "suspected"))])  # fmt: skip
    response = {
        "survey_id": survey,
        "edition": 1,
        "status": "complete",
        "completed_at": ago(0.01),
        "source": "mail",
        "troubles": [],
        "person_id": anna,
    }
    id = db.session.execute(insert(modules["survey_responses"].table).values(response)).inserted_primary_key[0]  # type: ignore[attr-defined]
    db.session.execute(insert(modules["survey_answers"].table).values(survey_id=survey, response_id=id, question_id=question, person_id=anna, name="nps", part="", score=9))  # fmt: skip
    seat = make("attendees", event_id=event, contact_id=anna)
    db.session.execute(update(modules["attendees"].table).where(modules["attendees"].table.c.id == seat).values(registered_at=ago(4), attended_at=ago(2.5), status="attended"))  # fmt: skip
    make("tickets", title="It squeaks", contact_id=anna)
    table = db.metadata.tables["intakes"]
    db.session.execute(insert(table).values(caller="user:1", submission="s-1", module="leads", record_id=berg, is_new=True, created_at=ago(0.01)))  # fmt: skip
    saved = model.Model(half_life_days=None)
    model.save(saved)
    said: list[tuple[dict[str, Any], int]] = [
        ({"kind": "page", "pattern": "/prices"}, anna), ({"kind": "page", "tracked_page_id": page}, anna), ({"kind": "page", "pattern": "/nothing"}, 0),
        ({"kind": "site_event", "pattern": "Asked*quote"}, anna), ({"kind": "download", "pattern": "*.pdf"}, anna), ({"kind": "form", "website_form_id": form}, berg),
        ({"kind": "registered", "event_id": event}, anna), ({"kind": "attended"}, anna), ({"kind": "ticket", "points": -4}, anna),
        ({"kind": "survey", "survey_id": survey}, anna), ({"kind": "survey_score", "least": 9}, anna), ({"kind": "survey_score", "most": 6}, 0),
        ({"kind": "outside_form"}, berg),
    ]  # fmt: skip
    for number, (values, _who) in enumerate(said):
        rule(name=f"R{number}", **values)
    scored()
    for number, (values, who) in enumerate(said):
        expected = {who: (1, values.get("points", 10), values.get("points", 10) * 100)} if who else {}
        assert {one: parts(one)[f"R{number}"] for one in (anna, berg) if f"R{number}" in parts(one)} == expected, values
    assert score_of("contacts", anna) == 8 * 10 - 4


def test_points_fade_by_half_lives_and_are_limited_a_day_and_in_all(scored: Scored) -> None:
    anna, berg = make("contacts"), make("leads")
    model.save(Model(half_life_days=10))
    rule(name="Fades as all do", points=100)
    rule(name="Fades slowly", points=100, half_life_days=20)
    rule(name="Limited", points=100, most_points=120, half_life_days=3650)
    rule(name="Once a day", points=100, once_a_day=True, half_life_days=3650)
    rule(name="Taken", points=-100, most_points=150, half_life_days=3650)
    at = ago(20).replace(hour=10)
    for minute in (1, 2, 3):
        click(anna, at=at.replace(minute=minute))
    click(berg, -2)  # of a clock that is ahead: not yet
    scored()
    found = parts(anna)
    assert found["Fades as all do"][:2] == (3, 300)
    assert abs(found["Fades as all do"][2] - 7500) < 600  # 20 days are two half-lives, up to hours of the day
    assert abs(found["Fades slowly"][2] - 15_000) < 600
    assert found["Limited"][1:] == (120, 12_000)
    assert found["Once a day"][:2] == (1, 100)
    assert found["Taken"][1:] == (-150, -15_000)
    assert parts(berg) == {}
    assert score_of("contacts", anna) == round(sum(worth for _n, _p, worth in found.values()) / 100)


def test_a_recount_writes_what_differs_and_takes_away_what_is_gone(scored: Scored) -> None:
    anna, berg, cara = make("contacts"), make("contacts"), make("contacts")
    rule(name="Clicks", points=10)
    for person in (anna, berg):
        click(person)
    assert scored(anna, berg, cara) == {anna: 10, berg: 10, cara: 0}
    clicks = modules["clicks"].table
    db.session.execute(update(clicks).where(clicks.c.person_id == anna).values(made_by="machine"))
    click(berg)
    click(cara)
    assert scored(anna, berg, cara) == {anna: 0, berg: 20, cara: 10}
    assert (parts(anna), parts(berg)["Clicks"][:2]) == ({}, (2, 20))
    db.session.execute(update(ScorePart.__table__).values(points=ScorePart.points + 5))
    assert scored(berg) == {berg: 20}
    assert parts(berg)["Clicks"][:2] == (2, 20)


def test_a_rule_is_about_the_people_whom_its_condition_means(scored: Scored) -> None:
    boss, other, berg = make("contacts", title="Manager"), make("contacts", title="Cook"), make("leads")
    rule(name="Managers", source="contacts", conditions=where("title", "is", "Manager"))
    rule(name="Leads", source="leads", points=7)
    for one in (boss, other, berg):
        click(one)
    assert scored(boss, other, berg) == {boss: 10, other: 0, berg: 7}


def test_who_becomes_or_ceases_to_be_meant_is_counted_after_the_change(scored: Scored) -> None:
    anna = make("contacts", title="Cook")
    rule(source="contacts", conditions=where("title", "is", "Manager"), half_life_days=3650)
    click(anna)
    scored()
    for title, score in (("Manager", 10), ("Cook", 0)):
        records.update(SYSTEM, "contacts", anna, {"title": title}, Channel.SYSTEM)
        run_jobs("scores.changed")
        assert score_of("contacts", anna) == score


def test_scores_are_read_sorted_and_asked_like_any_field_and_nobody_writes_them(scored: Scored, people: Any) -> None:
    anna, ben, cara = (make("contacts", first_name=name) for name in ("Anna", "Ben", "Cara"))
    model.save(Model(warm_at=20, hot_at=30))
    rule(half_life_days=3650)
    for one, times in ((anna, 2), (ben, 3)):
        for _time in range(times):
            click(one)
    scored()
    rows = search.find(SYSTEM, "contacts", columns=("score", "score_grade"), sort=("-score",), where=where("id", "one of", [anna, ben, cara])).rows  # fmt: skip
    assert [(row.id, row["score"], row["score_grade"]) for row in rows] == [(ben, 30, "hot"), (anna, 20, "warm"), (cara, 0, "cold")]  # fmt: skip
    assert search.count(SYSTEM, "contacts", {"$gte": ["score", 20]}) == 2
    group = make(
        "target_groups", name="Hot", source="contacts", conditions={"$gte": ["score", 30]}, leave_out_unmailable=False
    )
    from crm.modules.target_groups.refresh import refresh

    assert refresh(SYSTEM, group, Channel.SYSTEM).member_count == 1
    with pytest.raises(Refused):
        records.update(people["ada"], "contacts", ben, {"score": 1000}, Channel.FORM)


BAD: list[tuple[dict[str, Any], str]] = [
    ({"points": 1_000_000}, "points"), ({"points": 0}, "points"), ({"points": "much"}, "points"), ({"kind": "horoscope"}, "kind"),
    ({"half_life_days": 0}, "half_life_days"), ({"half_life_days": -5}, "half_life_days"), ({"most_points": 0}, "most_points"),
    ({"conditions": {"$eq": ["shoe_size", 44]}}, "conditions"), ({"conditions": {"$gte": ["score", 10]}}, "conditions"),
    ({"source": "leads", "conditions": {"$eq": ["department", "x"]}}, "conditions"),
    ({"kind": "survey_score", "least": 9, "most": 2}, "most"), ({"kind": "ticket", "pattern": "/prices"}, "pattern"),
]  # fmt: skip


@pytest.mark.parametrize(("values", "field"), BAD)
def test_a_bad_rule_gets_a_sentence_at_its_field(session: Any, values: dict[str, Any], field: str) -> None:
    with pytest.raises(Refused) as refused:
        records.create(SYSTEM, "score_rules", {"name": "R", "kind": "mail_clicked", "points": 5} | values, Channel.FORM)
    assert field in refused.value.faults


def test_a_rule_whose_field_or_kind_is_gone_is_skipped_and_says_why(scored: Scored) -> None:
    anna, good, gone, odd = make("contacts"), rule(name="Good"), rule(name="Gone"), rule(name="Odd")
    click(anna)
    table = ScoreRule.__table__
    db.session.execute(update(table).where(table.c.id == gone).values(conditions={"$eq": ["cf_999", "x"]}))
    db.session.execute(update(table).where(table.c.id == odd).values(kind="horoscope"))
    assert scored(anna) == {anna: 10}
    problem = {id: search.one(SYSTEM, "score_rules", id)["problem"] for id in (good, gone, odd)}
    assert problem[good] is None
    assert "cf_999" in problem[gone]
    assert problem[odd]
    records.update(SYSTEM, "score_rules", gone, {"conditions": None}, Channel.FORM)
    assert scored(anna) == {anna: 20}
    assert search.one(SYSTEM, "score_rules", gone)["problem"] is None


def test_a_preview_counts_as_the_scores_then_are(scored: Scored) -> None:
    some = [make("contacts", first_name=f"N{n}") for n in range(4)]
    rule(points=10, half_life_days=3650)
    rule(name="Minus", points=-30, kind="mail_opened", half_life_days=3650)
    for place, one in enumerate(some):
        for _time in range(place):
            click(one)
    opening(some[1])
    expected = counting.distribution(counting.rules(), model.load())
    found = scored(*some)
    assert expected == {-20: 1, 20: 1, 30: 1}
    assert sorted(found.values()) == [-20, 0, 20, 30]


def test_what_is_new_is_counted_without_counting_everybody(scored: Scored, monkeypatch: pytest.MonkeyPatch) -> None:
    anna, ben = make("contacts"), make("contacts", first_name="Ben")
    rule(half_life_days=3650)
    click(anna)
    tasks.catch_up(None)  # the first time: all
    assert score_of("contacts", anna) == 10
    monkeypatch.setattr(tasks, "everything", lambda _progress: pytest.fail("counted everybody"))
    monkeypatch.setattr(tasks, "AGAIN", 0)
    counted: list[int] = []
    monkeypatch.setattr(counting, "recount", lambda ids, real=counting.recount: (counted.extend(ids), real(ids)))
    click(ben)
    tasks.catch_up(None)
    assert counted == [ben]
    assert score_of("contacts", ben) == 10
    assert tasks.catch_up(None) is None
    assert counted == [ben]


def test_after_a_conversion_a_merge_and_a_deletion_scores_follow(scored: Scored, people: Any) -> None:
    berg = make("leads", last_name="Berg", email="berg@example.com")
    rule(half_life_days=3650)
    click(berg)
    scored()
    done = convert(SYSTEM, berg, Wanted(), Channel.SYSTEM)
    tasks.changed(None, "leads", "updated", [berg])
    assert done.contact_id
    assert (score_of("leads", berg), score_of("contacts", done.contact_id)) == (0, 10)
    twin = make("contacts", first_name="Twin")
    click(twin)
    scored()
    ada = people["ada"]
    merging.merge(ada, "contacts", done.contact_id, twin)
    run_jobs("scores.of_people")
    assert score_of("contacts", done.contact_id) == 20
    records.delete(SYSTEM, "contacts", done.contact_id, Channel.SYSTEM)
    tasks.changed(None, "contacts", "deleted", [done.contact_id])
    table = ScorePart.__table__
    assert db.session.execute(table.select().where(table.c.person_id == done.contact_id)).all() == []


def run_jobs(name: str) -> None:
    """Run what waits under a name, as a worker would."""
    from sqlalchemy import select

    from crm.engine.outbox import TASKS, Job

    found = list(db.session.execute(select(Job).where(Job.task == name)).scalars())
    assert found
    for job in found:
        TASKS[name].run(None, **job.arguments)


def test_days_are_those_of_the_house(scored: Scored, monkeypatch: pytest.MonkeyPatch) -> None:
    anna = make("contacts")
    rule(once_a_day=True, half_life_days=3650)
    monkeypatch.setattr(clock, "site_zone", lambda: "Europe/Helsinki")
    noon = ago(5).replace(hour=12, minute=0, second=0, microsecond=0)
    click(anna, at=noon.replace(hour=23))  # the next day in Helsinki
    click(anna, at=noon)
    scored()
    assert parts(anna)["Rule"][0] == 2
