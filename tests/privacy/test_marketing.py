"""What marketing knows of a person: all of it is in the export, none of it stays after an erasure, and only the hash refuses mail."""

from typing import Any

from sqlalchemy import insert, select

from crm.db import Base, db
from crm.engine.channels import Channel
from crm.identity import tokens
from crm.identity.viewer import SYSTEM
from crm.mail.sending.deliveries import Delivery
from crm.modules.campaigns import members
from crm.modules.opt_ins import asking
from crm.modules.people import Choice
from crm.modules.privacy import erasing, erasures, person, showing
from ecp.pipeline import actions, audience, checks
from tests.every_module.values import visit_of
from tests.people import People
from tests.pipeline.conftest import build_house
from tests.privacy.conftest import PLANTED, Traces, dump, make
from tests.privacy.test_erasing import work

EMAIL = PLANTED["email"]


def rows_of(table: str, **said: Any) -> list[Any]:
    found = Base.metadata.tables[table]
    return list(db.session.execute(select(found).where(*(found.c[name] == value for name, value in said.items()))))


def leave_marks(traces: Traces) -> Any:
    """Lists, campaign, target group, opt-ins asked for and confirmed, a visit of a site."""
    house, who = build_house(), traces.contact
    campaign = make("campaigns", name="Spring", type="Email", active=True)
    members.change(SYSTEM, campaign, Choice(contact_ids=[who]), Channel.SYSTEM)
    make("suppressions", email=EMAIL, scope="list_type", scope_id=house.list_id, source="recipient", person_id=who)
    group = make("portal_target_groups", name="Imported", campaign_id=campaign, list_type_id=house.list_id)
    db.session.execute(
        insert(Base.metadata.tables["portal_target_group_members"]).values(
            portal_target_group_id=group,
            person_module="contacts",
            person_id=who,
            contact_id=who,
            email=EMAIL,
            email_key=EMAIL,
        )
    )
    for name in ("Confirmed page", "Page that waits"):
        asking.ask(asking.Request(EMAIL, f"I want mail of {name}", name, ip="192.0.2.0"))
    first = min(one.id for one in rows_of("opt_ins"))
    asking.confirm(tokens.issue(asking.PURPOSE, first, asking.HOLDS), "192.0.2.0")
    site = make("tracked_sites", name="Shop", domain="shop.example")
    visit_of(site)
    for table in ("visitors", "visits"):
        found = Base.metadata.tables[table]
        db.session.execute(found.update().where(found.c.site_id == site).values(person_id=who))
    db.session.commit()
    return house


def test_the_export_has_everything_that_marketing_knows(people: People, traces: Traces) -> None:
    leave_marks(traces)
    found = {part.key: part for part in showing.parts_of(person.find("contacts", traces.contact), False, False)}
    said = {key: str([dict(row) for row in part.rows]) for key, part in found.items()}
    for key, mark in (
        ("deliveries", EMAIL), ("opens", "at"), ("clicks", "kaisla.example"), ("opt_ins", "I want mail of Confirmed page"),
        ("suppressions", EMAIL), ("campaign_members", "Spring"), ("portal_target_group_members", EMAIL), ("visits", "entry"),
        ("change_log", "email_opt_in"), ("survey_responses", "complete"), ("visitors", "first_seen_at"),
    ):  # fmt: skip
        assert any(mark in text for name, text in said.items() if name.startswith(key)), key
    assert "Page that waits" in said[next(name for name in said if name.startswith("opt_ins"))]


def test_after_an_erasure_only_the_hash_of_the_address_refuses_mail(people: People, traces: Traces) -> None:
    house = leave_marks(traces)
    erasing.erase(person.find("contacts", traces.contact))
    db.session.commit()
    work("files.drop")
    for table in ("opens", "clicks", "target_group_members", "portal_target_group_members", "visits", "visitors"):
        assert rows_of(table, person_id=traces.contact) == [], table
    assert rows_of("opt_ins") == []
    assert EMAIL not in dump()
    held = [row for row in rows_of("suppressions", active=True) if erasures.stand_in(EMAIL) == row.email_key]
    assert {row.scope for row in held} >= {"global", "list_type"}
    assert {row.person_id for row in held} == {None}
    again = make("contacts", last_name="Again", email=EMAIL)
    db.session.commit()
    work("privacy.came_back")
    sendout = house.sendout(house.campaign([again]))
    said = checks.audience_of(actions.load(SYSTEM, sendout))
    assert audience.count(said).skipped_by_reason == {"opt_out": 1}
    assert db.session.execute(select(Delivery.id).where(Delivery.email == EMAIL)).first() is None
