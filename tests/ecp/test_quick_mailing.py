"""Quick mailings: administrators choose people in a list and write to them; all else is as for every sendout."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from crm import clock
from crm.db import db
from crm.engine import search
from crm.identity.viewer import SYSTEM
from crm.mail.sending.deliveries import Delivery
from ecp import quick
from ecp.pipeline import actions, prepare
from tests.api.calls import caller

HOME = "/quick-mailing"


@pytest.fixture
def chosen(house):
    """A contact who may be mailed, one who opted out, and a lead."""
    good = house.contact("good@example.com", first_name="Aino")
    out = house.contact("out@example.com", email_opt_out=True)
    lead = house.make("leads", last_name="Lead", company="Co", email="lead@example.com")
    db.session.commit()
    return [good, out], lead


def rows(sendout):
    d = Delivery.__table__
    said = select(d.c.person_id, d.c.state, d.c.skip_reason).where(d.c.sendout_id == sendout)
    return {row.person_id: row.skip_reason or row.state for row in db.session.execute(said)}


def test_an_administrator_writes_to_people_chosen_in_the_list(browse, house, chosen):
    ids, _lead = chosen
    ada = browse("ada", "crm")
    assert 'value="quick_mailing"' in ada.get("/contacts").text
    token = ada.form("/contacts/new")["csrf"]
    asked = ada.post("/contacts/mass", {"csrf": token, "do": "quick_mailing", "id": [str(id) for id in ids]})
    page = asked.location.removeprefix("/crm")
    assert "2 chosen people" in ada.get(page).text
    form = ada.form(page, "subject")
    refused = ada.post(HOME, form | {"subject": "", "text": ""}, 422).text
    assert "Write a subject." in refused
    assert "Write what the mail says" in refused
    unknown = ada.post(HOME, form | {"subject": "Hello", "text": "Hello {$contact.nothing}"}, 422).text
    assert "contact.nothing" in unknown
    assert db.session.execute(search.ids(SYSTEM, "sendouts")).first() is None
    said = form | {
        "subject": "Hello {$contact.first_name}",
        "text": "Dear {$contact.first_name|friend}\n\n<b>1 < 2</b>",
    }
    place = ada.post(HOME, said).location
    sendout = int(place.split("/")[-3])
    last = ada.get(place.removeprefix("/crm")).text
    assert "Send to 1 person" in last
    assert "Has opted out of mail" in last
    row = search.one(SYSTEM, "sendouts", sendout)
    assert (row["source"], row["state"], row["campaign_id"]) == ("quick_mailing", "draft", None)
    mail = search.one(SYSTEM, "email_templates", row["email_template_id"])
    assert "&lt;b&gt;1 &lt; 2&lt;/b&gt;" in mail["html"]
    assert "1 < 2" in mail["text"]
    for step in ("mail", "sender", "time"):
        assert 'name="campaign_id"' not in ada.get(f"/sendouts/{sendout}/steps/{step}").text
    actions.start(SYSTEM, sendout)
    assert prepare.prepare(sendout)
    assert rows(sendout) == {ids[0]: "waiting", ids[1]: "opt_out"}
    assert "People chosen in a list" in ada.get(f"/sendouts/{sendout}").text


@pytest.mark.parametrize("name", ["mary", "alice", "charlie"])
def test_nobody_else_has_the_action_the_page_or_the_verb(app, people, browse, house, chosen, name):
    ids, _lead = chosen
    if name != "mary":
        browser = browse(name, "crm")
        assert 'value="quick_mailing"' not in browser.get("/contacts").text
        browser.get(f"{HOME}?of=contacts&id={ids[0]}", 403)
        token = browser.form("/contacts/new")["csrf"]
        browser.post(HOME, {"csrf": token, "of": "contacts", "id": str(ids[0]), "subject": "x", "text": "y"}, 403)
    ask = caller(app, getattr(people, name))
    answer = ask("POST", "/quick_mailings", {"contact_ids": ids, "subject": "Hello", "text": "Hello"})
    assert answer.status_code == 403, answer.text
    assert db.session.execute(select(func.count()).select_from(search.ids(SYSTEM, "sendouts").subquery())).scalar() == 0


def test_the_same_by_rest_with_a_mail_a_template_or_a_filter(app, people, house, chosen):
    ids, lead = chosen
    ask = caller(app, people.ada)
    template = house.mail(
        name="Layout", kind="template", subject="From the layout", sender_address_id=None, sender_name=None
    )
    db.session.commit()

    def made(**said):
        answer = ask("POST", "/quick_mailings", said)
        assert answer.status_code == 201, answer.text
        row = search.one(SYSTEM, "sendouts", int(answer.json["data"]["id"]))
        return row, answer.json["meta"]["people"]

    row, count = made(contact_ids=ids, lead_ids=[lead], email_template_id=house.mail_id, list_type_id=house.list_id)
    assert (row["email_template_id"], row["list_type_id"], count) == (house.mail_id, house.list_id, 3)
    other = caller(app, people.mary)  # may send, but is no administrator
    for verb, body in (("starts", {}), ("schedules", {"at": (clock.now() + timedelta(hours=1)).isoformat()})):
        assert other("POST", f"/sendouts/{row.id}/{verb}", body).status_code == 403
    assert ask("POST", f"/sendouts/{row.id}/starts", {}).status_code == 200
    prepare.prepare(row.id)
    assert rows(row.id) == {ids[0]: "waiting", ids[1]: "opt_out", lead: "waiting"}
    row, count = made(contact_ids=ids, email_template_id=template, subject="Another subject")
    mail = search.one(SYSTEM, "email_templates", row["email_template_id"])
    assert (mail["subject"], mail["kind"], mail["sender_address_id"]) == ("Another subject", "email", house.sender_id)
    _row, count = made(module="contacts", where={"$eq": ["email", "good@example.com"]}, subject="Hi", text="Hi")
    assert count == 1


@pytest.mark.parametrize(
    ("said", "status", "field"),
    [
        ({"subject": "x", "text": "y"}, 422, "people"),
        ({"contact_ids": "all", "subject": "x", "text": "y"}, 422, None),
        ({"contact_ids": [999_999], "subject": "x", "text": "y"}, 422, "people"),
        ({"module": "accounts", "subject": "x", "text": "y"}, 422, "module"),
        ({"module": "contacts", "subject": "x"}, 422, "text"),
        ({"module": "contacts", "email_template_id": 999_999}, 404, None),
        ({"module": "contacts", "subject": "x", "text": "y", "list_type_id": 999_999}, 422, "list_type_id"),
        ({"module": "contacts", "where": [], "subject": "x", "text": "y"}, 422, None),
        ({"module": "contacts", "subject": "x\r\nBcc: a@example.com", "text": "{if"}, 422, "text"),
    ],
)
def test_what_is_missing_or_wrong_is_told_and_nothing_is_written(app, people, house, chosen, said, status, field):
    answer = caller(app, people.ada)("POST", "/quick_mailings", said)
    assert answer.status_code == status, answer.text
    if field:
        assert field in answer.text
    assert db.session.execute(search.ids(SYSTEM, "sendouts")).first() is None


def test_more_than_may_be_are_refused(house, people, monkeypatch):
    monkeypatch.setattr(quick, "MOST", 2)
    ids = house.contacts(3)
    with pytest.raises(quick.Refused, match="at most 2"):
        quick.make(people["ada"], quick.Wanted(quick.Choice(contact_ids=ids), "x", "y"), quick.Channel.API)
