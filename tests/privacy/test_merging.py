"""Two contacts that are one: seats, tickets, log-ins, links of mails and consents stay right (P98)."""

from typing import Any

import pytest
from sqlalchemy import select

from crm import clock
from crm.db import db
from crm.engine import merging, records, relations
from crm.engine.channels import Channel
from crm.engine.refusals import Forbidden, Missing, Refused
from crm.engine.registry import modules
from crm.identity.viewer import SYSTEM
from crm.modules.events.attendees import TABLE as PLACES
from crm.modules.privacy import person
from tests.people import People
from tests.privacy.conftest import make


@pytest.fixture
def pair(people: People) -> tuple[int, int]:
    """A contact that stays and its double, both Alice's."""
    kept = make("contacts", last_name="Virta", first_name="Aino", email="aino@virta.example", owner_id=people.alice)
    gone = make("contacts", last_name="Virta", mobile="+358 40 1", email="a.virta@virta.example", owner_id=people.alice)
    return kept, gone


def rows(key: str, **where: Any) -> list[Any]:
    table = modules[key].table
    said = select(table).where(*(table.c[name] == value for name, value in where.items())).order_by(table.c.id)
    return list(db.session.execute(said).mappings())


def test_two_attendees_become_one_row_with_the_better_status_and_tickets_follow(
    people: People, pair: tuple[int, int]
) -> None:
    kept, gone = pair
    event, other = (
        make("invitation_events", name="One", seats=9, spare_places=2),
        make("invitation_events", name="Two", seats=9, spare_places=2),
    )
    make("attendees", event_id=event, contact_id=kept, name="Aino Virta", status="cancelled")
    make("attendees", event_id=event, contact_id=gone, name="Virta", status="joined")
    make("attendees", event_id=other, contact_id=gone, name="Virta", status="joined")
    ticket = make("tickets", title="Help", contact_id=gone)
    talk = make("activities", subject="Call", kind="task", due_on="2026-12-01")
    relations.link(SYSTEM, "activities", talk, "contacts", [kept, gone], Channel.SYSTEM)
    below = make("contacts", last_name="Below", reports_to_id=gone)
    records.update(SYSTEM, "contacts", gone, {"reports_to_id": kept}, Channel.SYSTEM)
    db.session.commit()

    merging.merge(people["alice"], "contacts", kept, gone, ["mobile"])
    db.session.commit()

    live = select(PLACES.c.event_id, PLACES.c.status).where(PLACES.c.contact_id == kept, PLACES.c.deleted_at.is_(None))
    assert sorted(db.session.execute(live).all()) == sorted([(event, "joined"), (other, "joined")])
    assert [row["contact_id"] for row in rows("tickets", id=ticket)] == [kept]
    assert [row["reports_to_id"] for row in rows("contacts", id=below)] == [kept]
    assert list(db.session.execute(relations.linked("activities", talk, "contacts")).scalars()) == [kept]
    stays, left = rows("contacts", id=kept)[0], rows("contacts", id=gone)[0]
    assert (stays["mobile"], stays["email"], stays["reports_to_id"]) == ("+358 40 1", "aino@virta.example", None)
    assert left["deleted_at"] is not None
    assert merging.where_is(gone) == kept
    assert person.find("contacts", kept).contact_ids == (kept, gone)  # erased together


def test_the_older_log_in_and_the_stricter_consent_stay(people: People, pair: tuple[int, int]) -> None:
    kept, gone = pair
    portal = make("portals", name="My house", code="main", owner_id=people.ada)
    make("portal_profiles", name="Ordinary", portal_id=portal)
    older = make("portal_users", contact_id=gone, portal_id=portal)
    younger = make("portal_users", contact_id=kept, portal_id=portal)
    campaign = make("campaigns", name="Spring")
    for who, state in ((kept, "member"), (gone, "unsubscribed")):
        values = {
            "campaign_id": campaign,
            "person_module": "contacts",
            "person_id": who,
            "contact_id": who,
            "state": state,
            "added_by": "user",
            "added_at": clock.now(),
        }
        db.session.execute(modules["campaign_members"].table.insert().values(values))
    records.update(SYSTEM, "contacts", gone, {"email_opt_out": True, "may_measure_opens": "no"}, Channel.SYSTEM)
    records.update(SYSTEM, "contacts", kept, {"may_measure_opens": "yes"}, Channel.SYSTEM)
    db.session.commit()

    merging.merge(people["ada"], "contacts", kept, gone)
    db.session.commit()

    users = rows("portal_users", contact_id=kept)
    assert {row["id"]: row["deleted_at"] is None for row in users} == {older: True, younger: False}
    assert next(row["email"] for row in users if row["id"] == older) == "aino@virta.example"
    assert [row["state"] for row in rows("campaign_members", person_id=kept)] == ["unsubscribed"]
    stays = rows("contacts", id=kept)[0]
    assert (stays["email_opt_out"], stays["may_measure_opens"]) == (True, "no")


def test_who_may_not_delete_the_one_or_edit_the_other_merges_nothing(people: People, pair: tuple[int, int]) -> None:
    kept, gone = pair
    with pytest.raises(Forbidden):
        merging.merge(people["rita"], "contacts", kept, gone)
    with pytest.raises(Missing):
        merging.merge(people["alice"], "contacts", kept, 999_999)
    with pytest.raises(Refused):
        merging.merge(people["alice"], "contacts", kept, kept)
    with pytest.raises(Refused):
        merging.merge(people["alice"], "contacts", kept, gone, ["email_key"])
    with pytest.raises(Missing):
        merging.merge(people["ada"], "users", people.alice, people.bob)
    assert merging.where_is(gone) is None
