"""What the CRM does about portals: settings, the table of a profile, the element on the contact's card, requests (P2–P4)."""

import pytest
from sqlalchemy import select

from crm.db import db
from crm.engine import records
from crm.engine.channels import Channel
from crm.engine.refusals import Refused
from crm.engine.registry import modules
from crm.identity.viewer import SYSTEM
from crm.modules.portals import matrix, requests
from tests.self_service_portal.conftest import mails, work


def test_the_table_of_a_profile_is_saved_as_it_was_ticked(shop, crm):
    ada = crm("ada")
    path = f"/admin/portal-profiles/{shop.profile}"
    said = ada.form(path)
    before = matrix.read(shop.profile)["modules"]["contacts"]
    ada.post(path, said)
    assert matrix.read(shop.profile)["modules"]["contacts"] == before
    ada.post(path, said | {
        "contacts.department.visible": ["1"], "contacts.scope": ["account"], "box": ["links"],
        "link.url": ["https://shop.example/"], "link.label.en": ["Shop"], "link.label.fi": ["Kauppa"],
    })  # fmt: skip
    held = matrix.read(shop.profile)
    assert held["modules"]["contacts"]["fields"]["department"]["visible"]
    assert held["modules"]["contacts"]["scope"] == "account"
    assert held["links"] == [{"url": "https://shop.example/", "label": {"en": "Shop", "fi": "Kauppa"}}]
    answer = ada.post(
        path, said | {"contacts.fax.editable": ["1"], "link.url": ["javascript:alert(1)"], "link.label.en": ["x"]}, 422
    )
    assert "can only be changed where it is shown" in answer.text
    assert "https://" in answer.text
    ada.get(f"{path}/preview/contacts")


@pytest.mark.parametrize(
    ("said", "place", "code"),
    [
        ({"leads": {"enabled": True}}, "leads", "unknown"),
        ({"contacts": {"fields": {"nonsense": {"visible": True}}}}, "contacts.nonsense", "unknown"),
        ({"contacts": {"fields": {"phone": {"editable": True}}}}, "contacts.phone", "needs_visible"),
        (
            {"contacts": {"fields": {"owner_id": {"visible": True, "editable": True}}}},
            "contacts.owner_id",
            "not_editable",
        ),
        (
            {"contacts": {"fields": {"account_id": {"visible": True, "editable": True}}}},
            "contacts.account_id",
            "not_editable",
        ),
        (
            {"contacts": {"fields": {"created_at": {"visible": True, "editable": True}}}},
            "contacts.created_at",
            "not_editable",
        ),
        (
            {"contacts": {"enabled": True, "can_create": True, "fields": {"phone": {"visible": True}}}},
            "contacts",
            "needs_default",
        ),
        (
            {"potentials": {"fields": {"closes_on": {"visible": True, "default": "soon"}}}},
            "potentials.closes_on",
            "bad_date",
        ),
    ],
)
def test_bad_profiles_are_refused_at_their_place(app, said, place, code):
    with pytest.raises(Refused) as refused:
        matrix.clean_modules(said)
    assert refused.value.faults[place][0].code == code


def test_a_default_makes_room_for_a_hidden_mandatory_field(shop):
    made = {"potentials": {"enabled": True, "can_create": True, "fields": {
        "name": {"visible": True, "editable": True}, "stage": {"default": "Prospecting"}, "closes_on": {"default": "2027-01-31"},
    }}}  # fmt: skip
    matrix.change(SYSTEM, shop.profile, Channel.SYSTEM, modules=made)
    id = records.create(shop.viewer("dan"), "potentials", {"name": "Mine"}, Channel.PORTAL)
    table = modules["potentials"].table
    row = db.session.execute(select(table).where(table.c.id == id)).one()
    assert (row.contact_id, row.account_id, row.owner_id, row.stage) == (
        shop.ids["dan"], shop.ids["acme"], shop.people.alice, "Prospecting",
    )  # fmt: skip


def test_a_portal_keeps_one_profile_for_new_log_ins_and_those_in_use(shop, crm):
    second = shop.make("portal_profiles", name="Second", portal_id=shop.portal)
    with pytest.raises(Refused):
        shop.make("portal_profiles", name="ordinary", portal_id=shop.portal)
    with pytest.raises(Refused):
        records.update(SYSTEM, "portal_profiles", shop.profile, {"is_default": False}, Channel.SYSTEM)
    records.update(SYSTEM, "portal_profiles", second, {"is_default": True}, Channel.SYSTEM)
    work()
    table = modules["portal_profiles"].table
    assert db.session.execute(select(table.c.id).where(table.c.is_default)).scalars().all() == [second]
    ada = crm("ada")
    token = ada.form("/admin/portals")["csrf"][0]
    answer = ada.post(f"/admin/portal-profiles/{shop.profile}/delete", {"csrf": token}, 409)
    assert "3 log-ins" in answer.text
    ada.post(f"/admin/portals/{shop.portal}/profiles", {"csrf": token, "name": "Third", "base": str(second)})


def test_settings_of_a_portal_are_refused_with_a_sentence(shop):
    for values, name in (
        ({"base_url": "http://my.example.com"}, "base_url"), ({"colour": "blue"}, "colour"), ({"code": "a/b"}, "code"),
        ({"languages": ["fi"]}, "default_language"), ({"session_minutes": 1}, "session_minutes"), ({"logo": "//evil.example/x.png"}, "logo"),
    ):  # fmt: skip
        with pytest.raises(Refused) as refused:
            shop.set(**values)
        assert name in refused.value.faults
        db.session.rollback()
    shop.set(base_url="http://localhost:8000")


def test_closing_a_portal_ends_sessions_and_the_welcome_mail_can_be_tried(shop, crm):
    ada, dora = crm("ada"), shop.browse("dora")
    token = ada.form("/admin/portals")["csrf"][0]
    ada.post(f"/admin/portals/{shop.portal}/test-mail", {"csrf": token})
    (mail,) = mails("portal_test:")
    assert mail.email == "ada@example.com"
    ada.post(f"/admin/portals/{shop.portal}/switch", {"csrf": token})
    ada.post(f"/admin/portals/{shop.portal}/switch", {"csrf": token})
    dora.get("/", 303)


def test_access_is_switched_on_and_off_on_the_contacts_card(shop, crm):
    """P4."""
    ada = crm("ada")
    eve = shop.ids["eve"] = shop.make(
        "contacts", last_name="Eve", email="eve@acme.example", account_id=shop.ids["acme"]
    )
    without = shop.make("contacts", last_name="Nomail", account_id=shop.ids["acme"])
    db.session.commit()
    assert "Portal permissions" in ada.get(f"/contacts/{eve}").text
    token = ada.form("/preferences")["csrf"]
    said = {"csrf": token, "portal": str(shop.portal), "active": "1", "profile_id": str(shop.profile)}
    ada.post(f"/contacts/{without}/portal", said)
    assert "needs an e-mail address" in ada.get(f"/contacts/{without}").text
    ada.post(f"/contacts/{eve}/portal", said | {"is_admin": "1"})
    users = modules["portal_users"].table
    shop.users["eve"] = db.session.execute(select(users.c.id).where(users.c.contact_id == eve)).scalar_one()
    work()
    assert len(mails("portal_welcome:")) == 1
    ada.post(f"/contacts/{eve}/portal/again", {"csrf": token, "portal": str(shop.portal)})
    assert len(mails("portal_welcome:")) == 2
    inside = shop.browse("eve")
    inside.get("/contacts")
    ada.post(f"/contacts/{eve}/portal", said | {"active": ""})
    inside.get("/", 303)
    assert not shop.row("eve").active
    shop.log_in("eve@acme.example")
    assert "Switched off" in ada.get(f"/contacts/{eve}").text
    shop.log_in("dora@acme.example")
    assert f'href="/crm/contacts/{shop.ids["dora"]}">dora@acme.example' in ada.get("/admin/logins").text


def test_who_has_the_address_already_is_named_once_with_a_link(shop, crm):
    """P6."""
    ada = crm("ada")
    twin = shop.make("contacts", last_name="Twin", email="DORA@acme.example", account_id=shop.ids["acme"])
    db.session.commit()
    said = {"csrf": ada.form("/preferences")["csrf"], "portal": str(shop.portal), "active": "1"}
    ada.post(f"/contacts/{twin}/portal", said)
    page = ada.get(f"/contacts/{twin}").text
    sentence = "Dora Customer logs in with this address already."
    assert page.count(sentence) == 2  # what came of the try, and the element
    assert f'{sentence} <a href="/crm/contacts/{shop.ids["dora"]}">' in page
    assert "as it is compared" not in page


def test_the_condition_of_public_surveys_asks_for_fields_of_surveys(shop, crm):
    page = crm("ada").get(f"/portals/{shop.portal}/edit").text
    choices = page[page.index("Surveys that are public") :]
    assert ">Anonymous<" in choices
    assert ">Self-registration<" not in choices


def test_access_is_nobodys_to_give_without_the_right(shop, crm):
    alice = crm("alice")
    card = alice.get(f"/contacts/{shop.ids['dora']}").text
    assert "Portal permissions" in card
    assert "Send the welcome mail" not in card
    token = alice.form("/preferences")["csrf"]
    for path in (f"/contacts/{shop.ids['dora']}/portal", f"/contacts/{shop.ids['dora']}/portal/again"):
        alice.post(path, {"csrf": token, "portal": str(shop.portal), "active": ""}, 404)
    assert shop.row("dora").active


def test_a_request_is_answered_on_its_card(shop, crm):
    from crm.modules.portals import access

    id = requests.ask("registration", access.portal_row(shop.portal), email="vera@new.example", last_name="Vera")
    other = requests.ask("registration", access.portal_row(shop.portal), email="max@new.example", last_name="Max")
    contact = shop.make("contacts", last_name="Vera", email="vera@new.example")
    db.session.commit()
    ada = crm("ada")
    assert "Answer this request" in ada.get(f"/portal_requests/{id}").text
    token = ada.form("/preferences")["csrf"]
    ada.post(f"/portal_requests/{id}/answer", {"csrf": token, "deed": "accept", "contact_id": str(contact)})
    ada.post(f"/portal_requests/{other}/answer", {"csrf": token, "deed": "reject"})
    work()
    assert [mail.email for mail in mails("portal_welcome:")] == ["vera@new.example"]
    table = modules["portal_requests"].table
    assert db.session.execute(select(table.c.status).order_by(table.c.id)).scalars().all() == ["accepted", "rejected"]
    assert "Answer this request" not in ada.get(f"/portal_requests/{id}").text
    ada.post(f"/portal_requests/{id}/answer", {"csrf": token, "deed": "reject"}, 409)
