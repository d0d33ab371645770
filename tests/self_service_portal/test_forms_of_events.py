"""The form of an event: who somebody is, is asked of everybody and of nobody who is known; anonymous surveys are no forms."""

import pytest
from lxml import html

from crm.db import db
from crm.engine.refusals import Refused
from tests.self_service_portal.event_world import heading
from tests.surveys.conftest import make_survey

WHO = ["first_name", "last_name", "email"]
DIET = {"name": "diet", "kind": "text", "title": "Diet"}
NAMES = [
    {"name": "firstname", "kind": "text", "title": "Your first name", "required": True},
    {"name": "lastname", "kind": "text", "title": "Your last name", "required": True},
    {"name": "email", "kind": "email", "title": "Your e-mail", "required": True},
]


def inputs(page):
    return [one.name for one in html.fromstring(page.text).xpath("//form//input[@type!='hidden']")]


@pytest.mark.parametrize("questions", [None, [DIET], [*NAMES, DIET]], ids=["none", "without names", "with names"])
def test_a_public_form_cannot_be_without_first_name_last_name_and_e_mail_and_each_is_asked_once(world, questions):
    """Spec 3.4: such a form would not be published. Here there is none: the form asks the three itself, whatever the survey does."""
    survey = make_survey(questions).id if questions else None
    event = world.mass_event(survey_id=survey)
    page = world.visitor.get(world.path(event))
    asked = inputs(page)
    assert [name for name in asked if name in WHO] == WHO
    assert not {"q.firstname", "q.lastname", "q.email"} & set(asked)
    assert ("q.diet" in asked) == (questions is not None)
    answer = world.register(world.path(event), first_name="", last_name="", email="")
    assert answer.status_code == 422
    assert all(f'id="w-{name}"' in answer.text for name in WHO)
    assert world.attendees(event) == []
    assert world.register(world.path(event), 1).status_code == 200
    assert [one["status"] for one in world.attendees(event)] == ["joined"]


def test_who_is_logged_in_is_not_asked_what_the_log_in_knows(world):
    event = world.mass_event(survey_id=make_survey([*NAMES, DIET]).id)
    dora = world.shop.browse("dora")
    asked = inputs(dora.get(f"/events/{event}"))
    assert not {*WHO, "q.firstname", "q.lastname", "q.email"} & set(asked)
    assert "q.diet" in asked
    said = dora.form(f"/events/{event}", has="q.diet") | {"q.diet": "Fish"}
    dora.post(f"/events/{event}/register", said, 303)
    (row,) = world.attendees(event)
    assert row["contact_id"] == world.shop.ids["dora"]
    assert row["answers_response_id"] is not None


def test_an_anonymous_survey_is_no_form_and_one_that_became_so_leads_to_nobody(world):
    survey = make_survey([DIET], anonymous=True)
    with pytest.raises(Refused) as refused:
        world.mass_event(survey_id=survey.id)
    assert set(refused.value.faults) == {"survey_id"}
    db.session.rollback()
    later = make_survey([DIET])
    event = world.mass_event(survey_id=later.id)
    later.set(anonymous=True)
    answer = world.register(world.path(event), **{"q.diet": "Fish"})
    assert heading(answer) == "We have received your registration"
    (row,) = world.attendees(event)
    assert row["answers_response_id"] is None
    (kept,) = later.responses()
    assert (kept["person_id"], kept["completed_at"]) == (None, None)
