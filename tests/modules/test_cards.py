"""What shows on whose card: activities on three of them (C2), private accounts hide what follows them (C98), timelines."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert, update

from crm.db import db
from crm.engine import records, relations, search, timeline
from crm.engine.channels import Channel
from crm.engine.refusals import Missing
from crm.identity import sharing
from crm.identity.viewer import SYSTEM
from crm.mail.letters import Letter
from crm.mail.message import Address
from crm.mail.sending import singles
from crm.mail.sending.deliveries import Delivery
from crm.modules.campaigns import members
from crm.modules.clicks import Click
from crm.modules.people import Choice

NOON = datetime(2026, 5, 5, 12, tzinfo=UTC)


def told(viewer, module, id):
    return [entry.sentence for entry in timeline.page(viewer, module, id).entries]


def test_an_activity_of_two_accounts_and_a_contact_is_on_all_three_cards(session, make):
    one, two = make("accounts", name="One"), make("accounts", name="Two")
    contact = make("contacts", last_name="Virtanen")
    call = make("activities", subject="First call", activity_type="Call", starts_at=NOON)
    relations.link(SYSTEM, "activities", call, "accounts", [one, two], Channel.FORM)
    relations.link(SYSTEM, "activities", call, "contacts", [contact], Channel.FORM)
    for module, id in (("accounts", one), ("accounts", two), ("contacts", contact)):
        found = search.find(SYSTEM, "activities", within=relations.linked(module, id, "activities"))
        assert [row.id for row in found.rows] == [call]
        assert any("First call" in sentence for sentence in told(SYSTEM, module, id))


@pytest.fixture
def mailed(session, make):
    """A contact who was mailed, read it, clicked and left."""
    contact = make("contacts", last_name="Virtanen", email="a@example.com")
    campaign = make("campaigns", name="Spring")
    members.change(SYSTEM, campaign, Choice(contact_ids=[contact]), Channel.FORM)
    sender = make("sender_addresses", address="news@example.com", state="confirmed")
    mail = make(
        "email_templates", name="News", kind="email", status="active", subject="News", sender_name="Us",
        sender_address_id=sender, text="Hello",
    )  # fmt: skip
    sendout = make("sendouts", name="Spring mail", email_template_id=mail, campaign_id=campaign)
    made = session.execute(
        insert(Delivery.__table__).values(
            sendout_id=sendout, person_module="contacts", person_id=contact, contact_id=contact, email="a@example.com",
            email_key="a@example.com", state="sent", created_at=NOON, sent_at=NOON,
            first_read_at=NOON + timedelta(hours=1), first_click_at=NOON + timedelta(hours=2),
            unsubscribed_at=NOON + timedelta(hours=3),
        )
    )  # fmt: skip
    for is_machine in (False, True):
        session.execute(
            insert(Click.__table__).values(
                sendout_id=sendout, delivery_id=made.inserted_primary_key[0], person_id=contact, link_number=1,
                url=f"https://www.example.com/{'robot' if is_machine else 'offer'}", at=NOON + timedelta(hours=2),
                made_by="machine" if is_machine else "human",
            )
        )  # fmt: skip
    return contact, sendout


def test_the_timeline_of_a_person_tells_what_came_of_each_mail(mailed):
    contact, _ = mailed
    letter = Letter(Address("anna@example.com"), "Your certificate", "Here it is.")
    singles.put_letter(db.session, letter, Address("us@example.com"), dedupe_key="one", person=("contacts", contact))
    db.session.execute(update(Delivery).where(Delivery.dedupe_key == "one").values(state="sent", sent_at=NOON))
    sentences = told(SYSTEM, "contacts", contact)
    assert "Was sent “Your certificate”" in sentences
    for said in ("Was sent “Spring mail”", "Read “Spring mail”", "Followed a link of “Spring mail”", "Left by a link"):
        assert any(said in sentence for sentence in sentences), (said, sentences)
    assert any("https://www.example.com/offer" in sentence for sentence in sentences)
    assert not any("robot" in sentence for sentence in sentences)
    assert any("Spring" in sentence and "campaign" in sentence.lower() for sentence in sentences)


def test_recipients_are_shown_to_who_sees_the_sendout_and_the_person(mailed, people):
    contact, sendout = mailed
    records.update(SYSTEM, "contacts", contact, {"owner_id": people.alice}, Channel.SYSTEM)
    sharing.set_level("contacts", "private")
    for name, count in (("alice", 1), ("charlie", 0), ("mary", 0), ("ada", 1), ("eve", 1)):
        assert search.find(people[name], "deliveries", where={"sendout_id": sendout}).total == count, name
        assert search.count(people[name], "clicks") == 2 * count, name


def test_the_timeline_of_a_private_person_is_for_who_sees_the_person_and_of_what_they_see_besides(mailed, people):
    contact, _ = mailed
    records.update(SYSTEM, "contacts", contact, {"owner_id": people.alice}, Channel.SYSTEM)
    sharing.set_level("contacts", "private")
    with pytest.raises(Missing):
        told(people["charlie"], "contacts", contact)
    sentences = told(people["alice"], "contacts", contact)
    assert any("Was sent “Spring mail”" in sentence for sentence in sentences)
    assert any("campaign" in sentence.lower() for sentence in sentences)
    for module in ("sendouts", "campaigns"):
        sharing.set_level(module, "private")
    sentences = told(people["alice"], "contacts", contact)
    assert not [sentence for sentence in sentences if "Spring" in sentence]


def test_a_private_account_hides_its_contacts_and_potentials(people, make):
    account = make("accounts", name="Secret", owner_id=people.alice)
    contact = make("contacts", last_name="Virtanen", account_id=account, owner_id=people.alice)
    potential = make("potentials", name="Deal", account_id=account, owner_id=people.alice)
    free = make("contacts", last_name="Free", owner_id=people.alice)
    assert search.exists(people["charlie"], "contacts", contact)
    sharing.set_level("accounts", "private")
    for module, id in (("accounts", account), ("contacts", contact), ("potentials", potential)):
        with pytest.raises(Missing):
            search.one(people["charlie"], module, id)
        assert search.exists(people["alice"], module, id)
    assert search.exists(people["charlie"], "contacts", free)
