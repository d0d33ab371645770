"""M46, M47, M49-M51: who joins a campaign gets its mail at once and once, whatever dies meanwhile."""

import pytest
from sqlalchemy import delete, select

from crm.db import db
from crm.engine import records
from crm.engine.channels import Channel
from crm.engine.outbox import Job
from crm.engine.refusals import Forbidden, Missing, Refused
from crm.engine.registry import modules
from crm.identity.viewer import SYSTEM
from crm.mail.sending.deliveries import Delivery
from crm.modules.campaigns import members
from crm.modules.people import Choice
from ecp.automatic import joining
from ecp.pipeline import actions, sending
from tests.api.calls import caller
from tests.ecp.automatic.conftest import mailed, template, work
from tests.surveys.conftest import make_survey, visitor  # noqa: F401 - a fixture

MEMBERS = joining.MEMBERS.c


def add(campaign, *contacts):
    members.change(SYSTEM, campaign, Choice(contact_ids=contacts), Channel.FORM)
    db.session.commit()


def notes(campaign):
    db.session.expire_all()
    said = select(MEMBERS.person_id, MEMBERS.auto_mail_note).where(MEMBERS.campaign_id == campaign)
    return dict(db.session.execute(said).all())


@pytest.fixture
def welcoming(house):
    """A campaign with one member from before its mail was chosen: (house, campaign, mail)."""
    campaign, mail = house.campaign([house.contact("before@example.com")]), template(house)
    records.update(SYSTEM, "campaigns", campaign, {"auto_template_id": mail}, Channel.FORM)
    db.session.commit()
    return house, campaign, mail


def test_who_joins_gets_the_mail_at_once_in_one_sendout_and_never_again(welcoming):
    house, campaign, _mail = welcoming
    work()
    assert mailed() == []  # who was there before gets nothing (M47)
    out = house.contact("out@example.com", email_opt_out=True)
    fresh = [*house.contacts(3), out]
    add(campaign, *fresh)
    work()
    assert mailed() == [dict.fromkeys(fresh[:3], "waiting") | {out: "opt_out"}]  # one sendout, and no means no (M49)
    members.remove(SYSTEM, campaign, fresh, Channel.FORM)
    add(campaign, *fresh)  # removed and added again (M50)
    work()
    assert len(mailed()) == 1
    assert set(notes(campaign).values()) == {None, "Got this mail before"}
    other = template(house, name="Other")
    records.update(SYSTEM, "campaigns", campaign, {"auto_template_id": other}, Channel.FORM)
    add(campaign, late := house.contact("late@example.com"))
    work()
    assert mailed()[1:] == [{late: "waiting"}]


def test_by_hand_it_is_sent_once_more_however_often_the_button_is_pressed(people, welcoming):
    house, campaign, mail = welcoming
    add(campaign, person := house.contact("one@example.com"))
    work()
    for _press in range(2):
        joining.resend(SYSTEM, campaign, [person], 0)
        db.session.commit()
    work()
    assert mailed() == [{person: "waiting"}] * 2
    assert joining.times_sent_anew(campaign, mail) == 1
    with pytest.raises((Missing, Forbidden)):
        joining.resend(people["charlie"], campaign, [person], 1)


def test_programs_send_it_by_hand_too(app, people, welcoming):
    house, campaign, _mail = welcoming
    ask, address = caller(app, people.ada), f"/campaigns/{campaign}/automatic_mails"
    add(campaign, person := house.contact("one@example.com"))
    work()
    assert ask("POST", address, {}).json["data"]["attributes"] == {"sendout_ids": []}
    for _once_more in range(2):
        assert len(ask("POST", address, {"person_ids": [person]}).json["data"]["attributes"]["sendout_ids"]) == 1
    assert ask("POST", address, {"person_ids": "all"}).status_code == 422
    work()
    assert mailed() == [{person: "waiting"}] * 3


def test_a_worker_that_dies_before_or_after_its_commit_sends_neither_twice_nor_nothing(welcoming, monkeypatch):
    house, campaign, _mail = welcoming
    add(campaign, person := house.contact("one@example.com"))
    with monkeypatch.context() as patched:
        patched.setattr(actions, "move", lambda *_given, **_named: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            joining.send_owed(campaign)
        db.session.rollback()
    assert mailed() == []
    db.session.execute(delete(Job).where(Job.task == "automatic.join"))  # and its job is lost
    work()
    assert joining.send_owed(campaign) == []  # the job is told twice
    work()
    assert mailed() == [{person: "waiting"}]


@pytest.mark.parametrize(
    ("module", "change", "why"),
    [
        ("campaigns", {"active": False}, "not active"),
        ("campaigns", {"closes_on": "2020-01-01"}, "close date"),
        ("email_templates", {"status": "inactive"}, "not active"),
        ("sender_addresses", {"state": "pending"}, "not confirmed"),
    ],
)
def test_what_cannot_be_sent_is_said_beside_the_person_told_once_a_day_and_sent_on_demand(
    people, welcoming, module, change, why
):
    house, campaign, mail = welcoming
    records.update(SYSTEM, "campaigns", campaign, {"owner_id": people.alice}, Channel.SYSTEM)
    house.make("sender_addresses", address="other@example.com", state="confirmed", is_default=True)
    id = {"campaigns": campaign, "email_templates": mail, "sender_addresses": house.sender_id}[module]
    table = modules[module].table
    old = {name: db.session.execute(select(table.c[name]).where(table.c.id == id)).scalar() for name in change}
    records.update(SYSTEM, module, id, change, Channel.SYSTEM)
    fresh = house.contacts(2)
    for person in fresh:
        add(campaign, person)
        work()
    assert mailed() == []
    assert all(why in notes(campaign)[person] for person in fresh)
    letters = select(Delivery.subject).where(Delivery.dedupe_key.like("automatic:%"))
    assert len(db.session.execute(letters).all()) == 1
    records.update(SYSTEM, module, id, old, Channel.SYSTEM)
    work()
    assert mailed() == []  # not by itself, perhaps weeks later
    joining.send_left_out(SYSTEM, campaign)
    work()
    assert mailed() == [dict.fromkeys(fresh, "waiting")]


def test_a_linked_survey_opens_from_the_mail(welcoming, visitor):  # noqa: F811
    house, campaign, mail = welcoming
    asked = make_survey([{"name": "name", "kind": "text"}])
    with pytest.raises(Refused, match="does not lead to it"):
        records.update(SYSTEM, "email_templates", mail, {"survey_id": asked.id}, Channel.FORM)
    said = {"survey_id": asked.id, "html": '<p><a href="{$links.survey}">Answer</a></p>'}
    records.update(SYSTEM, "email_templates", mail, said, Channel.FORM)
    add(campaign, person := house.contact("one@example.com"))
    work()
    row = db.session.execute(select(Delivery).where(Delivery.person_id == person)).scalars().one()
    address = sending.renderer_of(row.sendout_id).link(f"links.survey:{asked.id}", row.id, None)
    path = address[address.index("/s/") :]
    assert visitor.get(path).status_code == 200
    assert visitor.post(path, data={"q.name": "Anna", "go": "send"}).status_code == 303
    assert [one["person_id"] for one in asked.responses()] == [person]
