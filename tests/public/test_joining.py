"""Asking for mail and confirming it: by POST only, once, with the evidence kept, and the same answer for everybody."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import select, text

from crm import clock
from crm.db import db
from crm.engine import records
from crm.engine.channels import Channel
from crm.engine.registry import modules
from crm.identity.viewer import SYSTEM
from crm.mail.sending.deliveries import Delivery
from crm.modules.opt_ins import OptIn, asking
from crm.modules.organisation import open_subscription_page, require_opt_in
from crm.ui import public_forms
from tests.public.test_leaving import why_not


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(public_forms, "LEAST_SECONDS", 0.0)
    for limiter in (public_forms.POSTS, public_forms.POSTS_OF_EMAIL):
        limiter.forget()


def ask(visitor, sent, email="new@example.com", **more):
    token = re.search(r'name="form" value="([^"]+)"', visitor.get("/u").text)[1]
    said = {"form": token, "email": email, "list": str(sent.house.list_id), "language": "en"} | more
    return visitor.post("/u", data=said)


def links():
    letters = db.session.execute(select(Delivery.payload).where(Delivery.kind == "letter").order_by(Delivery.id))
    found = [re.search(r"/confirm/(\S+)", letter["text"]) for letter in letters.scalars()]
    return [one[0] for one in found if one]


def contact(email):
    table = modules["contacts"].table
    return db.session.execute(select(table).where(table.c.email_key == email)).mappings().first()


def evidence():
    db.session.expire_all()
    return db.session.execute(select(OptIn).order_by(OptIn.id.desc())).scalars().first()


def test_who_asks_gets_a_link_and_is_in_once_the_button_behind_it_is_pressed(sent, visitor):
    other = sent.house.make("list_types", name="Other news", kind="marketing", active=True)
    answer = ask(visitor, sent, first_name="Nea", last_name="Uusi")
    assert (answer.status_code, "One step is left" in answer.text) == (200, True)
    [link] = links()
    for _ in range(2):  # scanners follow links: nothing happens
        assert "Yes, I want this mail" in visitor.get(link).text
    assert contact("new@example.com") is None
    assert evidence().confirmed_at is None
    for _ in range(2):
        assert "Confirmed" in visitor.post(link, data={"action": "confirm"}).text
    assert "Confirmed" in visitor.get(link).text
    person, row = contact("new@example.com"), evidence()
    assert (person["first_name"], person["email_opt_in"], person["language"]) == ("Nea", "double", "en")
    assert person["email_opt_in_at"] is not None
    assert person["email_opt_in_source"].startswith("Double opt-in")
    assert (row.person_id, row.email, row.list_type_ids) == (person["id"], "new@example.com", [sent.house.list_id])
    assert "I want to get mail" in row.wording
    assert row.asked_at <= row.confirmed_at
    refused = select(modules["suppressions"].table.c.scope_id)
    assert set(db.session.execute(refused).scalars()) >= {other}  # what a new person did not tick is not sent


def test_a_known_person_who_left_comes_back_with_what_is_known_untouched(sent, visitor):
    visitor.post(f"/u/{sent.token('leave')}", data={"action": "no_mail"})
    assert why_not(sent) == "opt_out"
    ask(visitor, sent, "Anna@Example.com", first_name="Other", last_name="Name")
    visitor.post(links()[-1], data={"action": "confirm"})
    person = contact("anna@example.com")
    assert (person["first_name"], person["email_opt_in"], person["email_opt_out"]) == ("Anna", "double", False)
    assert why_not(sent) is None


def test_a_link_that_is_too_old_offers_a_new_one_and_a_wrong_one_tells_nothing(sent, visitor):
    ask(visitor, sent)
    [old] = links()
    with clock.standing_at(clock.now() + timedelta(days=8)):
        assert "Send me a new link" in visitor.get(old).text
        assert links() == [old]
        assert "Look into your mail" in visitor.post(old, data={"action": "again"}).text
        fresh = links()[-1]
        assert fresh != old
        assert "Confirmed" in visitor.post(fresh, data={"action": "confirm"}).text
    wrong = [visitor.get(f"/confirm/{token}") for token in ("nothing", old.rsplit("/", 1)[1], "a" * 22)]
    assert {one.status_code for one in wrong} == {404}
    assert len({one.text for one in wrong}) == 1
    assert visitor.post("/confirm/nothing").status_code == 404


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        ({"email": ""}, "Write your e-mail address."),
        ({"email": "nobody"}, "h-email"),
        ({"email": "a@b\r\nBcc: x@example.com"}, "h-email"),
        ({"list": "999999"}, "Tick at least one list."),
        ({"last_name": "x" * 81}, "at most 80"),
        ({"form": "made-up"}, "open too long"),
    ],
)
def test_what_cannot_be_used_is_told_at_its_field(sent, visitor, said, fault):
    sent.house.make("list_types", name="Other news", kind="marketing", active=True)
    answer = ask(visitor, sent, **{"email": "new@example.com"} | said)
    assert answer.status_code == 422
    assert fault in answer.text
    assert evidence() is None
    assert links() == []


def test_robots_and_those_who_ask_too_often_get_the_same_answer_and_no_mail(sent, visitor):
    trapped = ask(visitor, sent, fax_number="1")
    assert (trapped.status_code, evidence()) == (200, None)
    answers = {ask(visitor, sent).text for _ in range(asking.MOST_A_DAY + 2)}
    assert answers == {trapped.text}
    assert len(links()) == asking.MOST_A_DAY
    records.create(SYSTEM, "suppressions", {"email": "angry@example.com", "scope": "complaint"}, Channel.SYSTEM)
    assert ask(visitor, sent, "angry@example.com").status_code == 200
    assert len(links()) == asking.MOST_A_DAY


def test_with_opt_in_required_one_agrees_on_the_page_of_choices(sent, visitor):
    require_opt_in("double")
    page, save = f"/pref/{sent.token('preferences')}", {"action": "save", "list": str(sent.house.list_id)}
    assert why_not(sent) == "no_opt_in"
    assert 'name="agree"' in visitor.get(page).text
    visitor.post(page, data=save)
    assert why_not(sent) == "no_opt_in"
    answer = visitor.post(page, data=save | {"agree": "1", "language": "fi"})
    assert 'name="agree"' not in answer.text
    assert why_not(sent) is None
    assert (evidence().source, evidence().person_id) == ("Mail choices", sent.contact)
    assert contact("anna@example.com")["language"] == "fi"


def test_a_house_may_keep_the_page_closed(sent, visitor):
    assert visitor.get("/u").status_code == 200
    open_subscription_page(False)
    assert [visitor.get("/u").status_code, visitor.post("/u", data={"email": "a@example.com"}).status_code] == [
        404,
        404,
    ]


def test_what_was_never_confirmed_is_forgotten_after_30_days(sent, visitor):
    ask(visitor, sent)
    asking.sweep(None)
    assert evidence() is not None
    db.session.execute(text("UPDATE opt_ins SET asked_at = :at"), {"at": clock.now() - timedelta(days=31)})
    asking.sweep(None)
    assert evidence() is None
