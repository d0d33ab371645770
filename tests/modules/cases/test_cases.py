"""Cases: who sees a restricted one, who is told, tasks and files, closing, import (P87, P88)."""

import io

import pytest
from sqlalchemy import func, select

from crm.db import db
from crm.engine import attachments, records, relations, reports, search, text_index, timeline
from crm.engine.channels import Channel
from crm.engine.outbox import TASKS, Job
from crm.engine.refusals import Forbidden, Missing, Refused
from crm.engine.registry import modules
from crm.identity.viewer import SYSTEM
from crm.mail.sending.deliveries import Delivery
from crm.modules.cases import guests, opening
from tests.every_module.browsing import browser


def test_a_restricted_case_is_nowhere_for_outsiders_and_chosen_users_are_told(make, people, viewer):
    """P87."""
    make("sender_addresses", address="crm@kaisla.example", state="confirmed", is_default=True)
    contact = make("contacts", last_name="Virta", owner_id=people.alice)
    id = records.create(
        viewer("alice"), "cases", {"title": "Secretseminar", "owner_id": people.alice, "restricted": True}, Channel.FORM
    )
    open_one = make("cases", title="Openseminar")
    relations.link(viewer("alice"), "cases", id, "participants", [contact], Channel.FORM)
    opening.choose(viewer("alice"), id, [people.bob], Channel.FORM)
    db.session.commit()
    for name, is_seen in (("alice", True), ("bob", True), ("ada", True), ("charlie", False)):
        who = viewer(name)
        assert ({row.id for row in search.find(who, "cases").rows} == {id, open_one}) is is_seen, name
        assert bool(text_index.search(who, "secretseminar")) is is_seen
        assert search.exists(who, "cases", id) is is_seen
        assert search.count(who, "cases") == (2 if is_seen else 1)
        assert sum(group.count for group in reports.aggregate(who, "cases", "restricted")) == (2 if is_seen else 1)
        seen = search.find(who, "cases", within=relations.linked("contacts", contact, "cases")).rows
        assert [row.id for row in seen] == ([id] if is_seen else [])
        told = timeline.page(who, modules["contacts"], contact).entries
        assert any("Secretseminar" in one.sentence for one in told) is is_seen
    with pytest.raises(Missing):
        search.one(viewer("charlie"), "cases", id)
    with pytest.raises((Missing, Forbidden)):
        records.update(viewer("charlie"), "cases", id, {"title": "Mine"}, Channel.API)
    records.update(viewer("bob"), "cases", id, {"tags": "autumn"}, Channel.FORM)
    job = db.session.scalars(select(Job).where(Job.task == "cases.tell")).one()
    TASKS["cases.tell"].run(type("P", (), {"job_id": job.id})(), **job.arguments)
    table = Delivery.__table__
    told = db.session.execute(select(table.c.email).where(table.c.dedupe_key.startswith("cases:"))).scalars().all()
    assert told == ["bob@example.com"]
    opening.choose(viewer("alice"), id, [], Channel.FORM)
    assert not search.exists(viewer("bob"), "cases", id)


def test_a_case_has_tasks_and_files_and_a_tick_closes_it_with_a_word_about_open_tasks(make, people, viewer, app):
    """P88."""
    id = make("cases", title="Autumn seminar", owner_id=people.alice)
    task = make(
        "activities",
        kind="task",
        activity_type="Task",
        subject="Book a hall",
        due_on="2027-01-01",
        owner_id=people.alice,
    )
    relations.link(SYSTEM, "cases", id, "activities", [task], Channel.FORM)
    file = attachments.store(viewer("alice"), "plan.txt", io.BytesIO(b"The plan"), "text/plain")
    attachments.attach(viewer("alice"), "cases", id, file.id, Channel.FORM)
    db.session.commit()
    assert [one.name for one in attachments.files_of(viewer("bob"), "cases", id)] == ["plan.txt"]
    alice = browser(app, "alice@example.com")
    page = alice.get(f"/cases/{id}").text
    assert "Book a hall" in page or "activities" in page
    assert "1 task is open" in page
    import re

    token = re.search(r'name="csrf" value="(\w+)"', page)[1]
    alice.post(f"/cases/{id}/closed", {"csrf": token, "closed": "1"})
    assert not search.one(SYSTEM, "cases", id)["closed"]
    alice.post(f"/cases/{id}/closed", {"csrf": token, "closed": "1", "sure": "1"})
    row = search.one(SYSTEM, "cases", id)
    assert row["closed"]
    assert row["closed_at"] is not None


def test_a_file_of_rows_makes_cases(make, people, viewer):
    """P88: the import of every module takes cases too, with the rights of who imports."""
    rows = [
        {"title": f"Seminar {number}", "tags": "spring", "restricted": "1" if number % 2 else "0"}
        for number in range(6)
    ]
    outcome = records.create_many(viewer("alice"), "cases", rows, Channel.IMPORT, keep_going=True)
    assert not outcome.refused
    assert modules["cases"].importable
    table = modules["cases"].table
    assert db.session.execute(select(func.count()).select_from(table).where(table.c.restricted)).scalar() == 3
    assert search.count(viewer("charlie"), "cases") == 3


def test_participants_and_guests_of_the_event_go_both_ways(make, people, viewer):
    """P87: only people that one may see, and by the campaign that invites."""
    campaign = make("campaigns", name="Autumn", type="Email", active=True)
    event = make("invitation_events", name="Autumn seminar", campaign_id=campaign, seats=9)
    anna, bert, gone = (
        make("contacts", last_name=name, email=f"{name}@virta.example") for name in ("Anna", "Bert", "Gone")
    )
    make("attendees", event_id=event, contact_id=anna, status="joined", name="Anna")
    make("attendees", event_id=event, contact_id=gone, status="cancelled", name="Gone")
    id, alone = make("cases", title="Seminar", event_id=event), make("cases", title="No event")
    alice = viewer("alice")
    assert guests.take_in(alice, id, Channel.FORM) == 1
    assert set(db.session.scalars(relations.linked("cases", id, "participants"))) == {anna}
    relations.link(alice, "cases", id, "participants", [bert], Channel.FORM)
    with pytest.raises(Forbidden):
        guests.invite(alice, id, Channel.FORM)  # she has no right to change campaigns
    assert guests.invite(viewer("mary"), id, Channel.FORM) == 2
    assert guests.invite(viewer("mary"), id, Channel.FORM) == 0
    relations.unlink(alice, "cases", id, "participants", [bert], Channel.FORM)
    assert guests.take_in(alice, id, Channel.FORM) == 1  # Bert again, as a member of the campaign
    with pytest.raises(Refused, match="no event"):
        guests.take_in(alice, alone, Channel.FORM)
    secret = make("cases", title="Secret", event_id=event, restricted=True)
    with pytest.raises(Missing):
        guests.take_in(viewer("charlie"), secret, Channel.FORM)
