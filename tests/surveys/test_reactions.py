"""What follows an answer: the owner is told, a bad rating becomes a ticket, people join a campaign; tickets ask for an opinion."""

import re
from types import SimpleNamespace

import pytest
from sqlalchemy import select

from crm.db import db
from crm.engine import outbox, records, search
from crm.engine.channels import Channel
from crm.engine.outbox import Job
from crm.engine.refusals import Refused
from crm.identity.viewer import SYSTEM
from crm.mail.sending.deliveries import Delivery
from crm.modules.tickets import settings as ticket_settings
from surveys import answering, cuts, designing, forms, reach, reactions
from surveys.design import load
from surveys.web import conditions
from tests.ecp.conftest import browse, people, portal  # noqa: F401 - fixtures
from tests.pipeline.conftest import build_house
from tests.surveys.test_staff_pages import staff  # noqa: F401 - fixture

RATING = {"name": "stars", "kind": "rating", "title": "How many stars?"}
LOW = {"$lte": ["stars", 2]}


def answer(asked, person, stars):
    said = forms.read(forms.open_form(asked.id), {"q.stars": [str(stars)]})
    made = answering.store(SYSTEM, asked.id, said, person)
    db.session.commit()
    return made


def run_jobs(task="surveys.react"):
    """Run what waits, as the worker does; gives what each said."""
    said = []
    for job in (
        db.session.execute(select(Job).where(Job.task == task, Job.state == "waiting").order_by(Job.id)).scalars().all()
    ):
        said.append(outbox.TASKS[task].run(SimpleNamespace(job_id=job.id), **job.arguments))
        job.state = "done"
        db.session.commit()
    return said


def test_a_bad_rating_becomes_a_ticket_of_the_person_once(ask, person):
    asked = ask([RATING])
    reactions.add(SYSTEM, asked.id, "ticket", LOW, words="A bad visit")
    answer(asked, person, 5)
    assert run_jobs() == []
    answer(asked, person, 2)
    assert len(run_jobs()) == 1
    (ticket,) = search.find(SYSTEM, "tickets", columns=("title", "contact_id", "source", "description")).rows
    assert (ticket["title"], ticket["contact_id"], ticket["source"]) == ("A bad visit", person, "survey")
    assert "How many stars?: 2" in ticket["description"]
    answer(asked, None, 1)  # nobody knows who, and yet it is a ticket
    assert len(run_jobs()) == 1
    assert {row["contact_id"] for row in search.find(SYSTEM, "tickets", columns=("contact_id",)).rows} == {person, None}


def test_the_owner_is_told_and_the_person_joins_the_campaign(ask, person, people):  # noqa: F811
    build_house()
    campaign = records.create(SYSTEM, "campaigns", {"name": "Call back"}, Channel.SYSTEM)
    asked = ask([RATING], owner_id=people.mary)
    reactions.add(SYSTEM, asked.id, "notify", None)
    reactions.add(SYSTEM, asked.id, "campaign", LOW, campaign_id=campaign)
    response = answer(asked, person, 1)
    run_jobs()
    (letter,) = db.session.execute(select(Delivery).where(Delivery.dedupe_key.like("survey_reaction:%"))).scalars()
    assert ("Feedback" in letter.payload["subject"], f"/responses/{response}" in letter.payload["text"]) == (True, True)
    members = search.find(SYSTEM, "campaign_members", where={"$eq": ["campaign_id", campaign]}).rows
    assert [row["person_id"] for row in members] == [person]


def test_the_owner_is_told_of_an_answer_that_the_crm_did_not_take(ask, person, people):  # noqa: F811
    build_house()
    mapping = {"module": "contacts", "field": "email", "direction": "write"}
    asked = ask([{"name": "mail", "kind": "text", "mapping": mapping}], owner_id=people.mary)
    form = forms.open_form(asked.id)
    for typed in ("anna@new.example", "no address"):
        answering.store(SYSTEM, asked.id, forms.read(form, {"q.mail": [typed]}), person)
    db.session.commit()
    assert run_jobs("surveys.tell_troubles") == ["1 people told"]
    (letter,) = db.session.execute(select(Delivery).where(Delivery.dedupe_key.like("survey_troubles:%"))).scalars()
    assert "could not be written" in letter.payload["subject"]
    assert f"/responses/{asked.responses()[-1]['id']}" in letter.payload["text"]
    assert search.one(SYSTEM, "contacts", person)["email"] == "anna@new.example"


def test_what_cannot_follow_is_refused(ask, person, staff):  # noqa: F811
    asked = ask([RATING, {"name": "why", "kind": "text"}])
    mary, path = staff("mary"), f"/crm/surveys/{asked.id}/reactions"
    rows = {"when.0.0.question": "stars", "when.0.0.operator": "$lte", "when.0.0.value": "2"}
    assert mary.post(path, rows | {"deed": "ticket", "words": "Bad"}).status_code == 303
    assert "How many stars?” at most 2" in mary.get(path).text
    for form in ({"deed": "explode"}, {"deed": "campaign"}, {"deed": "ticket", "when.0.0.question": "gone", "when.0.0.operator": "$eq", "when.0.0.value": "1"}):  # fmt: skip
        assert mary.post(path, form).status_code == 422
    assert staff("rita").post(path, {"deed": "ticket"}).status_code in {403, 404}
    with pytest.raises(Refused, match="what follows an answer"):
        designing.delete_question(SYSTEM, asked.id, asked.questions["stars"])
    (held,) = reactions.of(asked.id)
    assert mary.post(f"{path}/{held['id']}/remove", {}).status_code == 303
    assert reactions.of(asked.id) == []
    anonymous = ask([RATING], anonymous=True)
    with pytest.raises(Refused, match="whose answer"):
        reactions.add(SYSTEM, anonymous.id, "notify", None)
    assert conditions.sentence(None, load(asked.id)) == "always"


def test_a_closed_ticket_asks_its_customer_who_answers_by_the_link_of_the_letter(ask, person, visitor):
    build_house()
    asked = ask([RATING], title="Did we help you?")
    ticket_settings.change(survey_id=asked.id)
    ticket = records.create(SYSTEM, "tickets", {"title": "Help", "contact_id": person}, Channel.SYSTEM)
    db.session.commit()
    run_jobs("tickets.tell")
    records.update(SYSTEM, "tickets", ticket, {"status": "Closed"}, Channel.SYSTEM)
    db.session.commit()
    for task in ("tickets.tell", "surveys.invite"):
        said = run_jobs(task)
    assert said == ["asked"]
    letters = db.session.execute(select(Delivery).where(Delivery.person_id == person)).scalars()
    (letter,) = [one for one in letters if one.payload and one.payload.get("subject") == "Did we help you?"]
    path = re.search(r"https?://[^/]+(/s/\S+)", letter.payload["text"])[1]
    assert visitor.get(path).status_code == 200
    assert visitor.post(path, data={"q.stars": "5", "go": "send"}).status_code == 303
    (response,) = asked.responses()
    assert (response["person_id"], response["source"], response["subject_id"]) == (person, "ticket", ticket)
    reached = reach.rates(load(asked.id), cuts.Cut(subject_id=ticket))
    assert (reached.asked, reached.opened, reached.started, reached.completed) == (1, 1, 1, 1)


@pytest.mark.parametrize("module", ["mass_events", "invitation_events"])
def test_a_form_that_an_event_uses_cannot_be_deleted(ask, module):
    asked = ask([RATING], kind="event_form")
    values = {
        "name": "Fair",
        "starts_at": "2030-05-05T10:00:00Z",
        "ends_at": "2030-05-05T18:00:00Z",
        "survey_id": asked.id,
    }
    values |= {"seats": 10} if module == "invitation_events" else {}
    event = records.create(SYSTEM, module, values, Channel.SYSTEM)
    with pytest.raises(Refused):
        records.delete(SYSTEM, "surveys", asked.id, Channel.FORM)
    records.update(SYSTEM, module, event, {"survey_id": None}, Channel.SYSTEM)
    records.delete(SYSTEM, "surveys", asked.id, Channel.FORM)
