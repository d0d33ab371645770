"""A person who left traces everywhere: `traces` makes them, `dump()` is all that database and data folder hold."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import insert, inspect, select, text

from crm import clock, config
from crm.db import Base, db
from crm.engine import attachments, records, relations
from crm.engine.channels import Channel
from crm.engine.imports.plans import Import, ImportFault
from crm.engine.outbox import Job
from crm.identity import sessions, tokens
from crm.identity.viewer import SYSTEM
from crm.mail.message import Address
from crm.mail.sending import singles
from crm.mail.sending.deliveries import Delivery
from crm.modules.clicks import Click
from crm.modules.opens import Open
from crm.modules.tickets import commenting
from tests.people import People, make_people
from tests.surveys.conftest import make_survey

PLANTED = {
    "first_name": "Xaveriina", "last_name": "Quastenbergh", "email": "xq@planted-address.example", "secondary_email": "old@planted-second.example",
    "mobile": "+358 40 7654321", "phone": "+358 9 1234567", "mailing_street": "Plantedstreet 77", "mailing_city": "Plantedcity",
    "title": "Plantedtitle", "department": "Planteddepartment", "description": "Planteddescription of a life", "assistant": "Plantedassistant",
}  # fmt: skip


def make(key: str, **values: Any) -> int:
    return records.create(SYSTEM, key, values, Channel.SYSTEM)


@dataclass
class Traces:
    """The ids of what the person left."""

    contact: int
    other: int
    event: int
    ticket: int
    portal_user: int
    survey: Any
    waiting: int  # a delivery that waits
    sent: int  # one that was sent


@pytest.fixture
def people(app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> People:
    """The people of the tests, in a data folder of their own."""
    monkeypatch.setitem(app.config, "CUSTOMERHUB", app.config["CUSTOMERHUB"].with_(data_dir=str(tmp_path)))
    return make_people()


@pytest.fixture
def traces(people: People) -> Traces:
    return make_traces(people)


def make_traces(people: People) -> Traces:
    """The person, a neighbour who stays, and rows about the person in every room."""
    who = make("contacts", owner_id=people.alice, born_on="1981-02-03", **PLANTED)
    other = make(
        "contacts", last_name="Neighbour", first_name="Nina", email="nina@stays.example", owner_id=people.alice
    )
    records.update(SYSTEM, "contacts", who, {"mobile": "+358 50 1111111"}, Channel.FORM)
    records.update(SYSTEM, "contacts", who, {"mobile": PLANTED["mobile"], "may_measure_opens": "yes"}, Channel.FORM)
    make("leads", last_name=PLANTED["last_name"], first_name=PLANTED["first_name"], company="Plantedtitle Ltd",
         email=PLANTED["secondary_email"], converted_contact_id=who)  # fmt: skip
    event = make("invitation_events", name="Open day", seats=5, spare_places=0)
    make(
        "attendees",
        event_id=event,
        contact_id=who,
        name="Xaveriina Quastenbergh",
        status="attended",
        company="Plantedtitle",
        note="by phone +358 40 7654321",
    )
    make("attendees", event_id=event, contact_id=other, name="Nina Neighbour", status="joined")
    ticket = make(
        "tickets",
        title="Question of Quastenbergh",
        contact_id=who,
        description="Call me: +358 40 7654321. Xaveriina",
        cc="xq@planted-address.example",
    )
    commenting.say(
        SYSTEM,
        ticket,
        "Dear Xaveriina Quastenbergh, we know Plantedstreet 77",
        visibility="public",
        channel=Channel.FORM,
    )
    portal = make("portals", name="My house", code="main", owner_id=people.ada)
    make("portal_profiles", name="Ordinary", portal_id=portal)
    user = make("portal_users", contact_id=who, portal_id=portal)
    sessions.start("portal", portal_user_id=user, address="192.0.2.7", agent="Firefox of Quastenbergh")
    tokens.issue("portal_set_password", user, data={"email": PLANTED["email"]})
    make("portal_requests", email=PLANTED["email"], portal_id=portal, contact_id=who, last_name=PLANTED["last_name"])
    make("suppressions", email=PLANTED["email"], scope="global", source="user", person_id=who, contact_id=who)
    talk = make("activities", subject="Meet Xaveriina Quastenbergh", kind="task", due_on="2026-12-01")
    relations.link(SYSTEM, "activities", talk, "contacts", [who], Channel.SYSTEM)
    mail = make(
        "emails", subject="Hello", to_addresses="Xaveriina <xq@planted-address.example>", text="Dear Quastenbergh"
    )
    relations.link(SYSTEM, "emails", mail, "contacts", [who], Channel.SYSTEM)
    return Traces(who, other, event, ticket, user, _survey(who), *_mails(who))


def _survey(who: int) -> Any:
    from surveys import answering, forms

    made = make_survey([{"name": "score", "kind": "number"}, {"name": "words", "kind": "text"}])
    form = forms.open_form(made.id, "en", person=who)
    answers = forms.read(form, {"q.score": "7", "q.words": "I am Xaveriina of Plantedcity"}, None)
    answering.store(SYSTEM, made.id, answers, contact_id=who, source="mail")
    return made


def _mails(who: int) -> tuple[int, int]:
    """A mail that waits, one that was opened; copies of the person in stores and in the data folder."""
    to = Address(PLANTED["email"], "Xaveriina Quastenbergh")
    waiting = singles.put_mail(
        db.session, "letter", to, {"text": "Dear Xaveriina"}, dedupe_key="planted:1", person=("contacts", who)
    )
    sent = singles.put_mail(
        db.session,
        "letter",
        to,
        {"text": "Dear Xaveriina"},
        dedupe_key=f"planted:2:{PLANTED['email']}",
        subject="To Xaveriina",
        person=("contacts", who),
    )
    agent = Address("agent@stays.example", "An agent")
    told = "Xaveriina Quastenbergh wrote on TT1"
    singles.put_mail(db.session, "letter", agent, {}, dedupe_key="planted:3", subject=told)
    assert waiting
    assert sent
    now = clock.now()
    d = Delivery.__table__
    db.session.execute(
        d.update()
        .where(d.c.id == sent)
        .values(state="sent", sent_at=now, read_count=1, reply="250 to xq@planted-address.example")
    )
    for ledger in (Open, Click):
        values = {"delivery_id": sent, "person_id": who, "at": now, "made_by": "human"}
        known = {name: value for name, value in values.items() if name in ledger.__table__.c}
        more = (
            {"url": "https://kaisla.example/?who=xq@planted-address.example", "link_number": 1}
            if ledger is Click
            else {}
        )
        db.session.execute(insert(ledger.__table__).values(known | more))
    db.session.execute(
        insert(Job).values(
            task="older", queue="default", arguments={"email": PLANTED["email"]}, state="done", run_at=now, created_at=now,
            message="told Xaveriina Quastenbergh",
        )
    )  # fmt: skip
    folder = config.current().data_path
    for place in ("imports", "outbox"):
        (folder / place).mkdir(parents=True, exist_ok=True)
    line = ",".join(PLANTED.values())
    (folder / "imports" / "77-aa.csv").write_text(f"a,b\n{line}\n")
    (folder / "imports" / "78-aa.csv").write_text("a,b\nNina,nina@stays.example\n")
    (folder / "outbox" / f"{1:019d}-aabbccddeeff.eml").write_text(
        "Subject: Hello\nTo: xq@planted-address.example\n\nDear Xaveriina\n"
    )
    (folder / "outbox" / f"{2:019d}-aabbccddeeff.eml").write_text(
        "Subject: Hello\nTo: nina@stays.example\n\nDear Nina\n"
    )
    plan = db.session.execute(
        insert(Import).values(module="contacts", file_name="people.csv", path=str(folder / "imports" / "77-aa.csv"), state="done", created_at=now, checked={"line": line})
        .returning(Import.id)
    ).scalar()  # fmt: skip
    db.session.execute(
        insert(ImportFault).values(
            import_id=plan, line=2, is_refusal=True, message=f"no: {PLANTED['email']}", cells=list(PLANTED.values())
        )
    )
    import io

    kept = attachments.store(SYSTEM, "contacts.csv", io.BytesIO(line.encode()), "text/csv")
    db.session.execute(
        insert(Job).values(
            task="run_export",
            queue="files",
            arguments={},
            state="done",
            run_at=now,
            created_at=now,
            message=f"1 records: /crm/files/{kept.id}",
        )
    )
    own = attachments.store(SYSTEM, "cv.txt", io.BytesIO(b"Planteddescription of Quastenbergh"), "text/plain")
    attachments.attach(SYSTEM, "contacts", who, own.id, Channel.SYSTEM)
    db.session.commit()
    return waiting, sent


def dump() -> str:
    """Every value of every table, the search index, and every file of the data folder (not the database's own)."""
    said: list[str] = []
    there = set(inspect(db.session.connection()).get_table_names())
    for table in (one for one in Base.metadata.sorted_tables if one.name in there):
        for row in db.session.execute(select(table)).all():
            said += [f"{table.name}.{key}={_text(value)}" for key, value in row._mapping.items() if value is not None]
    said += [str(row) for row in db.session.execute(text("SELECT words FROM text_index")).all()]
    for path in sorted(config.current().data_path.rglob("*")):
        if path.is_file() and "sqlite3" not in path.name:
            said.append(f"{path.name}={path.read_bytes().decode('utf-8', 'replace')}")
    return "\n".join(said)


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
