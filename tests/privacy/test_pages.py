"""Erasing and merging in the browser of staff: who is offered it, what the page says, what happens."""

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select

from crm.db import db
from crm.engine import merging
from crm.engine.outbox import Job
from tests.every_module.browsing import Browser, browser
from tests.people import People
from tests.privacy.conftest import Traces, make


@pytest.fixture
def crm(app: Flask, people: People) -> Callable[[str], Browser]:
    return lambda name: browser(app, f"{name}@example.com")


def test_the_card_offers_to_erase_to_who_may_and_a_wrong_number_erases_nothing(
    crm: Callable[[str], Browser], traces: Traces
) -> None:
    path = f"/contacts/{traces.contact}/erase"
    alice, ada = crm("alice"), crm("ada")
    assert path not in alice.get(f"/contacts/{traces.contact}").text
    assert alice.client.get(f"/crm{path}").status_code == 404
    page = ada.get(path).text
    assert path in ada.get(f"/contacts/{traces.contact}").text
    assert "Opened mails: 1" in page
    assert "Events: 1" in page
    sealed = {"csrf": page.split('name="csrf" value="')[1].split('"')[0]}
    answer = ada.client.post(f"/crm{path}", data=sealed | {"typed": "yes"})
    assert answer.status_code == 422
    waiting = select(Job.arguments).where(Job.task == "privacy.erase")
    assert db.session.execute(waiting).all() == []
    number = page.split("Type ")[1].split(" to confirm")[0]
    assert ada.client.post(f"/crm{path}", data=sealed | {"typed": number}).status_code == 303
    assert [said["id"] for said in db.session.execute(waiting).scalars()] == [traces.contact]


def test_two_chosen_contacts_are_merged_field_by_field(crm: Callable[[str], Browser], people: People) -> None:
    kept = make("contacts", last_name="Virta", first_name="Aino", mobile="+358 40 1", owner_id=people.alice)
    gone = make("contacts", last_name="Virta", first_name="Aino-Maria", phone="+358 9 2", owner_id=people.alice)
    db.session.commit()
    alice = crm("alice")
    page = alice.get(f"/contacts/merge?id={kept}&id={gone}").text
    assert "Aino-Maria" in page
    assert f'name="take.phone" value="{gone}" checked' in page  # the one that stays has none
    sealed = {"csrf": page.split('name="csrf" value="')[1].split('"')[0], "id": [str(kept), str(gone)]}
    assert alice.client.post("/crm/contacts/merge", data=sealed | {"kept": "1"}).status_code == 422
    said = sealed | {"kept": str(kept), "take.phone": str(gone), "take.first_name": str(kept)}
    assert alice.client.post("/crm/contacts/merge", data=said).status_code == 303
    card = alice.get(f"/contacts/{kept}").text
    assert "+358 9 2" in card
    assert "Aino-Maria" not in card.split("timeline")[0]
    assert merging.where_is(gone) == kept
    assert crm("rita").client.get(f"/crm/contacts/merge?id={kept}&id={gone}").status_code == 404
    assert alice.client.get(f"/crm/contacts/merge?id={kept}").status_code in {409, 422}
