"""Touches: made once of everything that led somebody here, carried to contacts and potentials, counted by source."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import insert, select, update

from crm import clock
from crm.db import db
from crm.engine import merging, picklists, records, search
from crm.engine.channels import Channel
from crm.engine.conditions import where
from crm.engine.registry import modules
from crm.identity.viewer import SYSTEM
from crm.modules.leads.convert import Wanted, convert
from crm.modules.privacy import holdings, showing
from crm.modules.privacy.person import Person
from tests.web_tracking.conftest import BEN, Tracked
from tests.web_tracking.scoring.conftest import ago, click, make
from web_tracking.scoring import attributing, gathering, tasks
from web_tracking.scoring.touches import Touch

TABLE = Touch.__table__


def touches(person: int) -> list[tuple[str, str, str | None]]:
    said = select(TABLE.c.kind, TABLE.c.label, TABLE.c.campaign).where(TABLE.c.person_id == person)
    return [tuple(row) for row in db.session.execute(said.order_by(TABLE.c.at, TABLE.c.id))]


def touch(person: int, days: float, label: str, campaign: str | None = None, ref: int = 0) -> None:
    given = {"person_id": person, "at": ago(days), "kind": "visit", "label": label, "campaign": campaign, "ref": ref or int(days * 1000) + person * 10**7}  # fmt: skip
    db.session.execute(insert(TABLE).values(given))


def test_visits_before_somebody_was_recognised_are_touches_and_each_is_made_once(site: Tracked) -> None:
    lead = make("leads")
    with clock.standing_at(clock.now() - timedelta(days=3)):
        site.hit(path="/pods?utm_source=google&utm_medium=cpc&utm_campaign=spring")
        site.hit(path="/pods", v=BEN, r="https://blog.example/post")
        site.roll_up()
    tasks.everything(None)
    assert touches(lead) == [("manual", "By hand", None)] or touches(lead) == [("program", "Program", None)]
    site.hit(path="/contact", p=site.token(lead, "form"))
    site.roll_up()
    tasks.catch_up(None)
    expected = ("visit", "google / cpc", "spring")
    assert touches(lead)[0] == expected
    count = len(touches(lead))
    assert gathering.gather() == 0
    tasks.everything(None)
    assert len(touches(lead)) == count
    row = search.one(SYSTEM, "leads", lead)
    assert row["first_touch"] == "google / cpc · spring"
    assert [
        one.id for one in search.find(SYSTEM, "leads", where=where("first_touch", "begins with", "google")).rows
    ] == [lead]


def test_a_followed_mail_is_one_touch_with_its_campaign_and_machines_make_none(session: Any) -> None:
    lead = make("leads")
    mail = make("email_templates", name="News", kind="email", status="inactive", subject="News", html="<p>x</p>")
    table = modules["email_templates"].table
    db.session.execute(table.update().where(table.c.id == mail).values(status="active"))
    sendout = make("sendouts", name="Spring news", email_template_id=mail)
    from crm.mail.sending.deliveries import Delivery

    given = {
        "sendout_id": sendout,
        "email": "a@example.com",
        "email_key": "a@example.com",
        "state": "sent",
        "created_at": ago(2),
    }
    ids = [
        db.session.execute(insert(Delivery).values(given | {"email_key": f"a{n}"})).inserted_primary_key[0]
        for n in range(2)
    ]  # type: ignore[attr-defined]
    for made_by in ("human", "human", "machine"):
        click(lead, sendout_id=sendout, delivery_id=ids[0], made_by=made_by)
    click(lead, sendout_id=sendout, delivery_id=ids[1], made_by="machine")
    gathering.gather()
    assert [one for one in touches(lead) if one[0] == "mail"] == [("mail", "Mail", "Spring news")]
    clicks = modules["clicks"].table
    for verdict, count in (("machine", 0), ("human", 1)):  # a verdict may come late
        db.session.execute(update(clicks).where(clicks.c.delivery_id == ids[0]).values(made_by=verdict))
        tasks.of_people(None, [lead])
        assert len([one for one in touches(lead) if one[0] == "mail"]) == count
    db.session.execute(clicks.delete())
    tasks.of_people(None, [lead])
    assert len([one for one in touches(lead) if one[0] == "mail"]) == 1  # clicks are not kept for ever


def test_touches_go_with_a_lead_into_its_contact_and_potential_and_with_merged_contacts(people: Any) -> None:
    lead = make("leads", email="berg@example.com")
    touch(lead, 9, "google / cpc", "spring")
    touch(lead, 5, "Mail", "News")
    made = convert(SYSTEM, lead, Wanted(make_potential=True), Channel.SYSTEM)
    assert made.contact_id
    assert made.potential_id
    tasks.changed(None, "leads", "updated", [lead])
    tasks.changed(None, "potentials", "created", [made.potential_id])
    for key, id in (("leads", lead), ("potentials", made.potential_id)):
        row = search.one(SYSTEM, key, id)
        assert (row["first_touch"], row["last_touch"].split(" · ")[0]) == (
            "google / cpc · spring",
            row["last_touch"].split(" · ")[0],
        )
        assert attributing.path(SYSTEM, row)[0][0]["label"] == "google / cpc"
    assert touches(made.contact_id)[:2] == [("visit", "google / cpc", "spring"), ("visit", "Mail", "News")]
    twin = make("contacts", first_name="Twin")
    touch(twin, 20, "linkedin / social")
    merging.merge(people["ada"], "contacts", made.contact_id, twin)
    tasks.of_people(None, [made.contact_id])
    assert touches(made.contact_id)[0][1] == "linkedin / social"
    assert search.one(SYSTEM, "potentials", made.potential_id)["first_touch"] == "linkedin / social"
    again = make("potentials", name="Second", contact_id=made.contact_id)
    tasks.changed(None, "potentials", "created", [again])
    assert search.one(SYSTEM, "potentials", again)["first_touch"] == "linkedin / social"


def test_what_brings_customers_is_counted_by_the_first_the_last_or_all_touches(people: Any) -> None:
    anna, ben, lead = make("contacts"), make("contacts", first_name="Ben"), make("leads")
    touch(anna, 9, "google", "spring")
    touch(anna, 5, "Mail", "news")
    touch(anna, 4, "Mail", "news", 99)
    touch(ben, 3, "Mail")
    touch(lead, 2, "google")
    make("potentials", contact_id=anna, stage="Closed Won", amount=Decimal(900), currency="EUR")
    make("potentials", contact_id=ben, stage="Prospecting", amount=Decimal(100))
    make("potentials", name="Of nobody")

    def brought(share: Any, by: Any = "label") -> dict[str, tuple[float, float, float, Any]]:
        return {
            one.name: (one.leads, round(one.potentials, 3), round(one.won, 3), one.values.get("EUR", 0))
            for one in attributing.brought(SYSTEM, share, by)
        }

    assert brought("first") == {"google": (1, 1, 1, 900), "Mail": (0, 1, 0, 0), "": (0, 1, 0, 0)}
    assert brought("last") == {"google": (1, 0, 0, 0), "Mail": (0, 2, 1, 900), "": (0, 1, 0, 0)}
    assert brought("even") == {
        "google": (1, 0.333, 0.333, 300), "Mail": (0, 1.667, 0.667, 600), "": (0, 1, 0, 0),
    }  # fmt: skip
    assert brought("first", "campaign")["spring"] == (0, 1, 1, 900)
    # who sees nothing of others counts nothing of them
    assert sum(one.potentials for one in attributing.brought(people["ada"], "first", "label")) == 3


def test_amounts_of_several_currencies_stand_beside_each_other_and_the_list_of_stages_says_what_is_won(
    session: Any,
) -> None:
    lists, values = picklists.Picklist.__table__, picklists.PicklistValue.__table__
    picklists.add("sales_stage", ["Signed"])
    mine = (values.c.key == "Signed") & (values.c.picklist_id == select(lists.c.id).where(lists.c.name == "sales_stage").scalar_subquery())  # fmt: skip
    session.execute(update(values).where(mine).values(carries={"kind": "Won", "probability": 100}))
    picklists.touch()
    anna = make("contacts")
    touch(anna, 9, "google")
    for stage, amount, currency in (("Closed Won", 900, "EUR"), ("Signed", 400, "SEK"), ("Signed", 100, None), ("Prospecting", 50, "USD")):  # fmt: skip
        make("potentials", contact_id=anna, stage=stage, amount=Decimal(amount), currency=currency)
    [google] = attributing.brought(SYSTEM, "first", "label")
    assert (google.won, google.values) == (3, {"EUR": 1000, "SEK": 400})


def test_what_came_after_the_closing_did_not_bring_it(session: Any) -> None:
    anna = make("contacts")
    touch(anna, 9, "google")
    with clock.standing_at(ago(5)):
        won = make("potentials", contact_id=anna, stage="Closed Won")
    touch(anna, 1, "Mail")
    attributing.carry("potentials")
    row = search.one(SYSTEM, "potentials", won)
    assert (row["first_touch"], row["last_touch"]) == ("google", "google")
    gathering.drop_older(clock.now())
    gathering.gather(kept_since=clock.now())  # what is too old is not made again of ledgers that are kept longer
    attributing.carry("potentials")
    assert touches(anna) == []
    assert {one.name for one in attributing.brought(SYSTEM, "first", "label")} == {
        "google"
    }  # still known of the potential


def test_touches_and_parts_of_scores_are_given_out_and_erased(session: Any) -> None:
    found = {(one.table, one.fate) for one in holdings.all_holdings() if one.table in {"touches", "score_parts"}}
    assert found == {("touches", "delete"), ("score_parts", "delete")}
    anna = make("contacts")
    touch(anna, 2, "google")
    records.delete(SYSTEM, "contacts", anna, Channel.SYSTEM)
    records.purge(SYSTEM, "contacts", [anna])
    assert touches(anna) == []
    assert modules["touches"].about == "person_id"


def test_a_person_is_told_what_the_score_is_made_of(session: Any) -> None:
    said = {"name": "Reads the prices", "kind": "page", "points": 8}
    anna, rule = make("contacts"), records.create(SYSTEM, "score_rules", said, Channel.SYSTEM)
    values = {"event_count": 2, "points": 16, "worth": 1396, "first_at": clock.now(), "last_at": clock.now()}
    session.execute(db.metadata.tables["score_parts"].insert().values(person_id=anna, rule_id=rule, **values))
    parts = {part.key: part for part in showing.parts_of(Person((anna,), (), ()))}
    assert [(row["name"], row["points"], row["worth"]) for row in parts["score_parts"].rows] == [
        ("Reads the prices", 16, 14)
    ]
    assert parts["score_parts"].headings["worth"] == "Points left today"
