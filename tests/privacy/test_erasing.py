"""A person is erased: nothing that was planted is found, what others need stays, and the address is not mailed again."""

from typing import Any

import pytest
from sqlalchemy import func, select

from crm.db import Base, db
from crm.engine import records
from crm.engine.channels import Channel
from crm.engine.outbox import TASKS, Job
from crm.engine.refusals import Forbidden, Refused
from crm.engine.registry import modules
from crm.identity.sealing import sealer
from crm.identity.viewer import SYSTEM
from crm.mail.sending.deliveries import Delivery
from crm.modules.events.attendees import TABLE as PLACES
from crm.modules.privacy import erasing, erasures, person
from ecp import recipients
from tests.people import People
from tests.privacy.conftest import PLANTED, Traces, dump, make, make_traces


def work(prefix: str) -> None:
    """Do the jobs that wait, as a worker would."""
    rows = (
        db.session.execute(select(Job).where(Job.state == "waiting", Job.task.startswith(prefix)).order_by(Job.id))
        .scalars()
        .all()
    )
    for row in rows:
        row.state = "done"
        TASKS[row.task].run(None, **row.arguments)
        db.session.commit()


def column(table: Any, id: int) -> Any:
    return db.session.execute(select(table).where(table.c.id == id)).mappings().one()


def test_after_an_erasure_neither_database_nor_data_folder_holds_one_of_twelve_planted_strings(
    people: People, traces: Traces
) -> None:
    before = dump()
    assert [one for one in PLANTED.values() if one not in before] == []
    token = sealer().seal("leave", traces.sent)
    assert recipients.recipient_of("leave", token) is not None
    places = func.count(PLACES.c.id)
    counted = select(PLACES.c.event_id, PLACES.c.status, places).group_by(PLACES.c.event_id, PLACES.c.status)
    seats = sorted(db.session.execute(counted.order_by(PLACES.c.status)).all())
    deliveries = db.session.execute(select(func.count(Delivery.id))).scalar()

    job = erasing.ask(people["ada"], "contacts", traces.contact, erasing.confirmation("contacts", traces.contact))
    db.session.commit()
    assert job
    work("privacy.erase")
    work("files.drop")  # a minute later
    db.session.expire_all()

    after = dump()
    marks = {*PLANTED.values(), "1981-02-03", "Planteddescription", "quastenbergh", "planted-address", "planted-second"}
    assert {mark: line for line in after.splitlines() for mark in marks if mark.lower() in line.lower()} == {}
    assert "nina@stays.example" in after
    assert "Dear Nina" in after
    # numbers stay: seats by state, mails sent and read, the score in the survey
    assert sorted(db.session.execute(counted.order_by(PLACES.c.status)).all()) == seats
    assert db.session.execute(select(func.count(Delivery.id))).scalar() >= (deliveries or 0)
    sent, waiting = column(Delivery.__table__, traces.sent), column(Delivery.__table__, traces.waiting)
    assert (sent["state"], sent["read_count"], sent["person_id"]) == ("sent", 1, None)
    assert (waiting["state"], waiting["payload"]) == ("skipped", None)
    answers = Base.metadata.tables["survey_answers"]
    assert [
        float(one) for one in db.session.execute(select(answers.c.score).where(answers.c.score.is_not(None))).scalars()
    ] == [7.0]
    # the ticket stays, its links of mails are dead, nobody logs in
    assert column(modules["tickets"].table, traces.ticket)["title"] == "Question of …"
    assert recipients.recipient_of("leave", token) is None
    users = modules["portal_users"].table
    assert db.session.execute(select(users.c.id).where(users.c.id == traces.portal_user)).first() is None
    contact = column(modules["contacts"].table, traces.contact)
    assert (contact["last_name"], contact["first_name"], contact["email_opt_out"], contact["archived"]) == (
        person.REMOVED,
        None,
        True,
        True,
    )


def test_the_address_of_an_erased_person_is_known_by_a_keyed_hash_only(people: People, traces: Traces) -> None:
    stand_in = erasures.stand_in(PLANTED["email"])
    erasing.erase(person.find("contacts", traces.contact))
    db.session.commit()
    table = modules["suppressions"].table
    rows = db.session.execute(select(table).where(table.c.email_key == stand_in, table.c.active)).mappings().all()
    assert [(row["scope"], row["person_id"]) for row in rows] == [("global", None)]
    assert erasures.hashed(PLANTED["email"]) != erasures.hashed(PLANTED["secondary_email"])


def test_only_who_holds_the_right_erases_and_types_the_number(people: People, traces: Traces) -> None:
    number = erasing.confirmation("contacts", traces.contact)
    with pytest.raises(Forbidden):
        erasing.ask(people["alice"], "contacts", traces.contact, number)
    with pytest.raises(Refused):
        erasing.ask(people["ada"], "contacts", traces.contact, "something else")
    assert db.session.execute(select(Job.id).where(Job.task == "privacy.erase")).first() is None


def test_who_comes_back_with_an_erased_address_gets_no_mail_until_he_asks_for_it(
    people: People, traces: Traces
) -> None:
    erasing.erase(person.find("contacts", traces.contact))
    back = make("contacts", last_name="Somebody", email=PLANTED["email"].upper())
    willing = make("leads", last_name="Willing", company="Own", email=PLANTED["secondary_email"], email_opt_in="double")
    bystander = make("contacts", last_name="Bystander", email="someone@else.example")
    db.session.commit()
    work("privacy.")
    said = {
        one: column(modules[key].table, one)["email_opt_out"]
        for key, one in (("contacts", back), ("leads", willing), ("contacts", bystander))
    }
    assert said == {back: True, willing: False, bystander: False}


def test_a_restored_backup_erases_again_whom_the_living_house_had_erased(
    people: People, traces: Traces, tmp_path: Any
) -> None:
    kept = db.session.begin_nested()
    erasing.erase(person.find("contacts", traces.contact))
    listed = erasures.write_list(tmp_path / "list")
    kept.rollback()  # the backup is of before
    db.session.expire_all()
    assert PLANTED["email"] in dump()
    assert PLANTED["email"] not in listed.read_text()
    wanted = erasures.read_list(listed)
    assert erasing.erase_again(wanted) >= 1
    work("files.drop")
    assert PLANTED["email"] not in dump()
    assert erasing.erase_again(wanted) == 0
    (tmp_path / "bad").write_text("nonsense\n")
    with pytest.raises(ValueError, match="line 1"):
        erasures.read_list(tmp_path / "bad")


def test_a_preview_counts_what_goes_and_what_stays(people: People, traces: Traces) -> None:
    goes, stays = erasing.preview(person.find("contacts", traces.contact))
    assert dict(goes)["Opened mails"] == 1
    assert dict(stays)["Events"] == 1
    assert dict(stays)["Requests"] == 1


def test_a_lead_is_erased_with_the_contact_it_became(people: People) -> None:
    traces = make_traces(people)
    leads = modules["leads"].table
    lead = db.session.execute(select(leads.c.id).where(leads.c.converted_contact_id == traces.contact)).scalar()
    assert lead is not None
    found = person.find("leads", lead)
    assert found.contact_ids == (traces.contact,)
    assert found.lead_ids == (lead,)
    records.delete(SYSTEM, "leads", lead, Channel.SYSTEM)
    erasing.erase(found)  # also from the bin
    assert column(leads, lead)["last_name"] == person.REMOVED
