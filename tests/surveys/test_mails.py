"""Surveys in mails: the personal link of each recipient, who was asked, letters of single invitations (P52, P50)."""

import re

import pytest
from sqlalchemy import select

from crm import catalog
from crm.db import db
from crm.engine import outbox, records
from crm.engine.channels import Channel
from crm.engine.refusals import Refused
from crm.identity.viewer import SYSTEM
from crm.mail.sending.deliveries import Delivery
from ecp.pipeline import actions, prepare
from ecp.pipeline.frozen import load
from ecp.pipeline.render import Renderer
from surveys import links
from surveys.modules.survey_invitations import SurveyInvitation
from tests.pipeline.conftest import build_house

INVITATIONS = SurveyInvitation.__table__
NAME = {"name": "name", "kind": "text"}


def invitations(asked):
    db.session.expire_all()
    return list(db.session.execute(select(INVITATIONS).where(INVITATIONS.c.survey_id == asked.id)).mappings())


def test_each_recipient_is_invited_once_and_the_link_of_his_mail_is_his(ask, visitor):
    house = build_house()
    asked = ask([NAME])
    tag = f"{{$links.survey:{asked.id}}}"
    house.mail_id = house.mail(html=f'<p><a href="{tag}">Answer</a> <a href="{{$links.unsubscribe}}">Leave</a></p>')
    people = house.contacts(2)
    sendout = house.sendout(house.campaign(people))
    actions.start(SYSTEM, sendout)
    assert prepare.prepare(sendout)
    asked_people = invitations(asked)
    assert sorted(one["person_id"] for one in asked_people) == people
    delivery = next(one["delivery_id"] for one in asked_people if one["person_id"] == people[1])
    row = dict(
        db.session.execute(
            select(catalog.modules["sendouts"].table).where(catalog.modules["sendouts"].table.c.id == sendout)
        )
        .mappings()
        .one()
    )
    renderer = Renderer(row, load(sendout))
    address = renderer.link(f"links.survey:{asked.id}", delivery, None)
    assert links.open_token(address.rpartition("/")[2]) == links.Opened("delivery", asked.id, delivery)
    path = address[address.index("/s/") :]
    assert visitor.get(path).status_code == 200
    assert visitor.post(path, data={"q.name": "Anna", "go": "send"}).status_code == 303
    (response,) = asked.responses()
    assert (response["person_id"], response["sendout_id"], response["source"]) == (people[1], sendout, "mail")
    answered = select(Delivery.survey_answered_at).where(Delivery.id == delivery)
    assert db.session.execute(answered).scalar() is not None
    assert [one["is_answered"] for one in invitations(asked) if one["person_id"] == people[0]] == [False]
    assert visitor.post(path, data={"q.name": "Anna", "go": "send"}).status_code == 409


def test_a_test_mail_leads_to_a_preview(ask, visitor):
    asked = ask([NAME])
    address = links.of_test(str(asked.id), sealer=links.sealer(), base_url="https://example.com")
    assert links.open_token(address.rpartition("/")[2]) == links.Opened("preview", asked.id)
    assert links.of_test("x", sealer=links.sealer(), base_url="") == ""


def test_an_active_mail_leads_to_active_surveys_only(ask):
    house = build_house()
    asked = ask([NAME], status="draft")
    with pytest.raises(Refused, match="not active"):
        house.mail(html=f'<a href="{{$links.survey:{asked.id}}}">Answer</a>')
    asked.set(status="active")
    assert house.mail(html=f'<a href="{{$links.survey:{asked.id}}}">Answer</a>')


def test_a_sendout_to_a_survey_that_was_closed_since_is_not_sent(ask):
    house = build_house()
    asked = ask([NAME])
    house.mail_id = house.mail(
        html=f'<a href="{{$links.survey:{asked.id}}}">A</a> <a href="{{$links.unsubscribe}}">L</a>'
    )
    sendout = house.sendout(house.campaign(house.contacts(1)))
    actions.start(SYSTEM, sendout)
    asked.set(status="closed")
    assert prepare.prepare(sendout) is False
    assert invitations(asked) == []


def test_a_task_asks_one_person_by_a_letter_once_about_each_subject(ask, person, visitor):
    build_house()
    asked = ask([NAME], title="How did we do?")
    ticket = records.create(SYSTEM, "campaigns", {"name": "A subject"}, Channel.SYSTEM)
    run = outbox.TASKS["surveys.invite"].run
    for _ in range(2):
        assert run(None, survey_id=asked.id, contact_id=person, source="ticket", subject_id=ticket) == "asked"
        db.session.commit()
    (letter,) = db.session.execute(select(Delivery).where(Delivery.person_id == person)).scalars()
    assert letter.payload["subject"] == "How did we do?"
    path = re.search(r"https?://[^/]+(/s/\S+)", letter.payload["text"])[1]
    assert visitor.post(path, data={"q.name": "Fine", "go": "send"}).status_code == 303
    (response,) = asked.responses()
    assert (response["source"], response["subject_id"]) == ("ticket", ticket)
    records.update(SYSTEM, "contacts", person, {"email_opt_out": True}, Channel.SYSTEM)
    assert run(None, survey_id=asked.id, contact_id=person, source="event") != "asked"
