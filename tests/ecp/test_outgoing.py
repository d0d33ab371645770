"""The outbox of single mails (M116): every state with its reason in words, and only what is safe may be done; the timetable (M60)."""

from datetime import timedelta

import pytest
from sqlalchemy import delete, insert, select, update

from crm import clock
from crm.db import database_seconds, db
from crm.engine.outbox import Job, Timetable
from crm.jobs import schedule
from crm.jobs.schedule import Leader
from crm.mail.letters import Letter
from crm.mail.message import Address
from crm.mail.sending import decisions, singles
from crm.mail.sending.deliveries import Delivery, MailWorker

US = Address("us@example.com")
STATES = {  # name → values, what may be done, what the page says
    "new": ({"state": "waiting"}, {"stop"}, ""),
    "begun": ({"state": "leased", "text_begun_at": clock.now()}, set(), ""),
    "later": ({"state": "retry", "reply": "451 busy", "attempts": 2}, {"again", "stop"}, "asked to come back later"),
    "gone": ({"state": "failed", "failed_reason": "hard_bounce", "reply": "550 5.1.1 unknown", "attempts": 1}, {"again"}, "The address does not exist."),
    "lost": ({"state": "uncertain", "reply": "connection lost"}, {"sent", "failed", "again"}, "it may have arrived"),
    "over": ({"state": "cancelled", "skip_reason": "cancelled"}, {"again"}, ""),
    "no": ({"state": "skipped", "skip_reason": "opt_out"}, set(), "Has opted out of mail"),
    "done": ({"state": "sent"}, None, ""),
}  # fmt: skip
AFTER = {
    ("later", "again"): "waiting", ("gone", "again"): "waiting", ("over", "again"): "waiting", ("new", "stop"): "cancelled",
    ("later", "stop"): "cancelled", ("lost", "sent"): "sent", ("lost", "failed"): "failed", ("lost", "again"): "retry",
}  # fmt: skip


@pytest.fixture
def mails(people, house):
    """name → delivery id of a mail in each state."""
    made = {}
    for name, (values, _deeds, _said) in STATES.items():
        letter = Letter(Address(f"{name}@example.com"), f"About {name}", "Hello")
        made[name] = singles.put_letter(db.session, letter, US, dedupe_key=name)
        db.session.execute(update(Delivery).where(Delivery.id == made[name]).values(**values))
    db.session.commit()
    return made


def press(browser, id, deed, status=303):
    return browser.post(f"/outgoing/{id}/{deed}", {"csrf": browser.form("/outgoing")["csrf"][0]}, status)


def state_of(id):
    db.session.expire_all()
    return db.session.execute(select(Delivery.state).where(Delivery.id == id)).scalar()


def test_each_mail_says_why_it_waits_or_failed_and_offers_what_is_safe(browse, mails):
    ada = browse("ada")
    pages = {tab: ada.get(f"/outgoing?show={tab}").text for tab in ("waiting", "failed", "uncertain", "stopped")}
    whole = "".join(pages.values())
    for name, (_values, deeds, said) in STATES.items():
        assert (f"About {name}" in whole) is (deeds is not None), name
        assert said in whole, name
        for deed in ("again", "stop", "sent", "failed"):
            assert (f"/outgoing/{mails[name]}/{deed}" in whole) is (deed in (deeds or ())), (name, deed)
    assert "550 5.1.1 unknown" in pages["failed"]
    assert "About gone" in ada.get("/outgoing?show=failed&q=GONE@").text
    assert "No mail matches" in ada.get("/outgoing?show=failed&q=nobody").text


def test_a_mail_that_failed_is_tried_again_from_the_screen_and_none_is_sent_twice_unasked(browse, mails):
    ada = browse("ada")
    for (name, deed), after in AFTER.items():
        values = STATES[name][0]
        db.session.execute(update(Delivery).where(Delivery.id == mails[name]).values(**values))
        db.session.commit()
        press(ada, mails[name], deed)
        assert state_of(mails[name]) == after, (name, deed)
    row = db.session.execute(
        select(Delivery.attempts, Delivery.failed_reason, Delivery.due_at).where(Delivery.id == mails["gone"])
    ).one()
    assert tuple(row) == (0, None, None)
    for name, deed in (
        ("begun", "stop"),
        ("begun", "again"),
        ("done", "again"),
        ("no", "again"),
        ("new", "sent"),
        ("lost", "stop"),
    ):
        db.session.execute(update(Delivery).where(Delivery.id == mails[name]).values(**STATES[name][0]))
        db.session.commit()
        press(ada, mails[name], deed)
        assert state_of(mails[name]) == STATES[name][0]["state"], (name, deed)
    assert not decisions.stop(db.session, mails["begun"])
    assert not decisions.try_again(db.session, mails["lost"])


def test_everybody_looks_after_the_own_mails_and_strangers_after_none(browse, mails, people):
    row = {
        "state": "failed",
        "failed_reason": "soft_bounce",
        "dedupe_key": f"personal:{people.alice}:x",
        "kind": "personal",
    }
    db.session.execute(update(Delivery).where(Delivery.id == mails["gone"]).values(**row))
    db.session.commit()
    alice, bob = browse("alice", "crm"), browse("bob", "crm")
    assert "About gone" in alice.get("/outgoing?show=failed").text
    assert "About gone" not in bob.get("/outgoing?show=failed").text
    press(bob, mails["gone"], "again", 404)
    press(alice, mails["later"], "again", 404)
    press(alice, mails["gone"], "again")
    assert state_of(mails["gone"]) == "waiting"
    browse("rita", "crm").get("/outgoing", 404)
    browse("mary").get("/outgoing", 403)
    assert "/crm/outgoing" in alice.get("/").text


def test_the_timetable_shows_a_stale_heartbeat_when_the_scheduler_stopped(browse, house, people):
    ada = browse("ada")
    browse("mary").get("/timetable", 403)
    sendout = house.sendout(
        house.campaign(house.contacts(1)), state="scheduled", scheduled_at=clock.now() - timedelta(minutes=5)
    )
    for table in (Leader, Timetable, MailWorker):
        db.session.execute(delete(table))
    db.session.commit()
    page = ada.get("/timetable").text
    for said in (
        "No scheduler is running.",
        "Due sendouts were never looked for.",
        "Nobody sends mails.",
        "may not leave",
        "overdue",
    ):
        assert said in page, said
    assert f"/ecp/sendouts/{sendout}" in page
    assert schedule.lead("one")
    db.session.execute(insert(Timetable).values(task="sendouts.tick", occurrence=clock.now()))
    db.session.execute(insert(MailWorker).values(name="w", seen_at=database_seconds()))
    db.session.execute(delete(Job))
    db.session.commit()
    page = ada.get("/timetable").text
    for said in (
        "The scheduler was seen",
        "What is scheduled will leave at its time.",
        "1 process sends mails.",
        "Europe/Helsinki",
    ):
        assert said in page, said
    db.session.execute(update(Leader).values(until=database_seconds() - 600))  # as a killed one leaves it
    db.session.commit()
    assert "Stale heartbeat: the scheduler was last seen 61" in ada.get("/timetable").text
