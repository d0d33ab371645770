"""Certificates: to those who attended, each once, with their own name; valid for whoever checks the code."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from crm import clock
from crm.db import db
from crm.documents import certificate_codes as codes
from crm.documents import certifying, converting, verifying
from crm.engine import attachments, records
from crm.engine.channels import Channel
from crm.engine.refusals import Conflict, Missing
from crm.identity.viewer import SYSTEM
from crm.mail.sending.deliveries import Delivery
from crm.modules.events import attendance, seats
from crm.modules.events.attendees import TABLE as ATTENDEES
from crm.modules.events.event_times import set_times
from tests.documents.samples import Word
from tests.documents.test_pdf import run, text_of, with_office

word = Word()
NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
BODY = [
    "{$contact.first_name} {$contact.last_name} of {$contact.account.name}",
    "{$event.name} {$certificate.number} {$certificate.code}",
]


@pytest.fixture
def course(make, people):
    """A course that is over: three attended, one did not come; ids of event and contacts."""
    make("sender_addresses", address="events@example.com", state="confirmed", is_default=True)
    account = make("accounts", name="Acme Oy")
    ids = [
        make("contacts", first_name=name, last_name="Virta", email=f"{name.lower()}@example.com", account_id=account, language="fi")
        for name in ("Anna", "Bertta", "Cecilia", "Daavid")
    ]  # fmt: skip
    with clock.standing_at(NOW):
        event = make("invitation_events", name="Course", seats=9, owner_id=people.alice, status="open")
        set_times(
            SYSTEM,
            event,
            [{"starts_at": NOW + timedelta(days=1), "ends_at": NOW + timedelta(days=1, hours=3)}],
            Channel.SYSTEM,
        )
        seats.add_many(SYSTEM, event, ids, Channel.SYSTEM, tells=False)
    with clock.standing_at(NOW + timedelta(days=2)):
        rows = dict(
            db.session.execute(
                select(ATTENDEES.c.contact_id, ATTENDEES.c.id).where(ATTENDEES.c.event_id == event)
            ).all()
        )
        attendance.mark(SYSTEM, event, [rows[id] for id in ids[:3]], "attended", Channel.SYSTEM)
        attendance.missing(SYSTEM, event, Channel.SYSTEM)
    db.session.commit()
    return event, ids


@pytest.fixture
def certificate_template(template):
    return lambda *body, **values: template(
        word.file(*map(word.p, body or BODY)),
        name="Certificate",
        module="attendees",
        purpose="certificate",
        output="pdf",
        **values,
    )


def certificate_mails():
    said = select(Delivery.email, Delivery.payload, Delivery.contact_id).where(
        Delivery.dedupe_key.startswith("certificate:")
    )
    return db.session.execute(said.order_by(Delivery.id)).all()


@with_office
def test_three_who_attended_get_one_mail_each_with_the_own_name_and_a_second_sending_skips_them(
    course, certificate_template, people, tmp_path
):
    event, contacts = course
    id = certificate_template()
    said = run(certifying.start(people["alice"], event, id))
    assert said == "Certificates sent: 3. Sent before: 0. Not sent, with the reason: 0."
    sent = certificate_mails()
    assert [row.email for row in sent] == ["anna@example.com", "bertta@example.com", "cecilia@example.com"]
    assert "Course" in sent[0].payload["subject"]
    assert [file[1] for file in sent[0].payload["files"]] == ["application/pdf"]
    known = certifying.of_event(event)
    for name, contact in zip(("Anna", "Bertta", "Cecilia"), contacts[:3], strict=True):
        (own,) = verifying.of_contact(contact, event)
        file, path = verifying.open_own(contact, own.id)
        assert file.endswith(".pdf")
        text = text_of(path.read_bytes(), tmp_path)
        row = next(one for one in known.values() if one["contact_id"] == contact)
        assert f"{name} Virta of Acme Oy" in text
        assert f"Course {own.number} {codes.spelled(row['verify_code'])}" in text
        assert [one.name for one in attachments.files_of(SYSTEM, "contacts", contact)] == [file]
        assert verifying.check(codes.spelled(row["verify_code"]).lower()) == verifying.Valid("Course", f"{name[0]}. V.")
    assert verifying.of_contact(contacts[3]) == []
    with pytest.raises(Missing):
        verifying.open_own(contacts[3], own.id)
    again = run(certifying.start(people["alice"], event, id))
    assert again == "Certificates sent: 0. Sent before: 3. Not sent, with the reason: 0."
    assert len(certificate_mails()) == 3


@pytest.fixture
def quick(monkeypatch):
    """A PDF that costs nothing: what these tests ask is who gets one."""
    monkeypatch.setattr(converting, "engine", lambda: "soffice")
    monkeypatch.setattr(
        converting, "to_pdf", lambda files, seconds=None: [converting.PDF + data[:4] for _format, data in files]
    )


def test_who_cannot_get_one_is_listed_with_the_reason_and_the_others_get_theirs(
    course, certificate_template, people, quick, make
):
    event, (anna, bertta, cecilia, _daavid) = course
    for id, changes in ((anna, {"account_id": None}), (bertta, {"email_opt_out": True})):
        records.update(SYSTEM, "contacts", id, changes, Channel.SYSTEM)
    db.session.commit()
    template = certificate_template()
    said = run(certifying.start(people["alice"], event, template))
    assert said == "Certificates sent: 1. Sent before: 0. Not sent, with the reason: 2."
    problems = {row["contact_id"]: row["problem"] for row in certifying.of_event(event).values()}
    assert problems == {
        anna: "Empty: {$contact.account.name}",
        bertta: "This person has opted out of e-mail.",
        cecilia: None,
    }
    assert verifying.of_contact(anna) == []
    number = next(row["number"] for row in certifying.of_event(event).values() if row["contact_id"] == anna)
    records.update(SYSTEM, "contacts", anna, {"account_id": make("accounts", name="New Oy")}, Channel.SYSTEM)
    db.session.commit()
    run(certifying.start(people["alice"], event, template, again=True))
    assert [row.email for row in certificate_mails()] == [
        "cecilia@example.com",
        "anna@example.com",
        "cecilia@example.com",
    ]
    assert verifying.of_contact(anna)[0].number == number
    assert verifying.forget([anna]) == 1
    assert verifying.of_contact(anna) == []
    assert attachments.files_of(SYSTEM, "contacts", anna) == []


def test_nothing_starts_without_attendance_with_a_template_of_another_event_or_without_the_engine(
    course, certificate_template, people, make, monkeypatch, quick
):
    event, _contacts = course
    other = make("invitation_events", name="Other", seats=1)
    strange, good = certificate_template(event_id=other), certificate_template(event_id=event)
    for id, template, code in ((event, strange, "other_event"), (other, strange, "nobody_attended")):
        with pytest.raises(Conflict) as refused:
            certifying.start(people["alice"], id, template)
        assert refused.value.code == code
    monkeypatch.setattr(converting, "engine", lambda: None)
    with pytest.raises(Conflict, match="LibreOffice"):
        certifying.start(people["alice"], event, good)


def test_a_certificate_that_was_taken_back_is_not_valid_and_not_sent_again(course, certificate_template, people, quick):
    event, (anna, *_others) = course
    template = certificate_template()
    run(certifying.start(people["alice"], event, template))
    row = next(one for one in certifying.of_event(event).values() if one["contact_id"] == anna)
    assert verifying.check(row["verify_code"])
    verifying.take_back(event, row["id"])
    with pytest.raises(Missing):
        verifying.take_back(event, row["id"])
    assert verifying.check(row["verify_code"]) is None
    assert verifying.of_contact(anna) == []
    assert run(certifying.start(people["alice"], event, template, again=True)).startswith("Certificates sent: 2.")


def test_a_sending_that_was_broken_off_goes_on_where_it_was(course, certificate_template, people, quick, monkeypatch):
    event, _contacts = course
    monkeypatch.setattr(certifying, "AT_ONCE", 1)
    real, calls = converting.to_pdf, []

    def breaks(files, seconds=None):
        calls.append(files)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(files)

    monkeypatch.setattr(converting, "to_pdf", breaks)
    job = certifying.start(people["alice"], event, certificate_template(), again=True)
    with pytest.raises(KeyboardInterrupt):
        run(job)
    db.session.rollback()
    assert len(certificate_mails()) == 1
    assert run(job) == "Certificates sent: 2. Sent before: 1. Not sent, with the reason: 0."
    assert len(certificate_mails()) == 3
    assert len(set(certifying.of_event(event))) == 3


def test_no_typed_code_but_a_whole_one_is_looked_up(course, certificate_template, people, quick):
    event, _contacts = course
    run(certifying.start(people["alice"], event, certificate_template()))
    code = next(iter(certifying.of_event(event).values()))["verify_code"]
    for typed in ("", code[:-1], code + "A", "%" * 16, code.replace(code[0], "0")):
        assert verifying.check(typed) is None
    db.session.execute(update(ATTENDEES).values(deleted_at=NOW))
    assert verifying.check(code) is None
