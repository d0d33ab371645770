"""Two contacts of two accounts: each sees only its own, by every door and at every address (P1, P3)."""

import pytest

from crm.db import db
from crm.engine import permissions, records, search, text_index
from crm.engine.channels import Channel
from crm.engine.refusals import Forbidden, Missing, Refused
from crm.engine.registry import modules
from crm.identity.viewer import SYSTEM
from crm.modules.portals import matrix

OPEN = {"fields": {"name": {"visible": True}, "stage": {"visible": True}, "amount": {"visible": True}}}


@pytest.fixture
def deals(shop):
    """A potential of each customer; the profile shows potentials of the company."""
    shop.show(potentials={"scope": "account", "can_edit": False, **OPEN})
    made = {
        name: shop.make(
            "potentials", name=f"Deal of {name}", account_id=shop.ids[account], contact_id=shop.ids[name], stage="Prospecting",
            closes_on="2027-01-31",
        )
        for name, account in (("dora", "acme"), ("dan", "acme"), ("bea", "beta"))
    }  # fmt: skip
    db.session.commit()
    return made


def names(page):
    return {row["name"] for row in page.rows}


def test_each_list_holds_only_records_of_the_contact_or_of_its_company(shop, deals):
    assert names(search.find(shop.viewer("dora"), "potentials", columns=("name",))) == {"Deal of dora", "Deal of dan"}
    assert names(search.find(shop.viewer("bea"), "potentials", columns=("name",))) == {"Deal of bea"}
    shop.show(potentials={"scope": "own", **OPEN})
    assert names(search.find(shop.viewer("dora"), "potentials", columns=("name",))) == {"Deal of dora"}
    assert [row.id for row in search.find(shop.viewer("bea"), "accounts").rows] == [shop.ids["beta"]]
    assert [row.id for row in search.find(shop.viewer("dan"), "contacts").rows] == [shop.ids["dan"]]


def test_a_contact_without_account_sees_only_own_records(shop, deals):
    records.update(SYSTEM, "contacts", shop.ids["dan"], {"account_id": None}, Channel.SYSTEM)
    alone = shop.make(
        "potentials", name="Of nobody", stage="Prospecting", closes_on="2027-01-31", account_id=shop.ids["beta"]
    )
    db.session.commit()
    found = search.find(shop.viewer("dan"), "potentials", columns=("name",))
    assert names(found) == {"Deal of dan"}
    assert alone not in [row.id for row in found.rows]
    assert search.find(shop.viewer("dan"), "accounts").rows == []


def test_what_the_profile_does_not_show_is_nowhere(shop, deals):
    """A module that is switched off is gone from menu, list, card, search and JSON alike."""
    dora = shop.browse("dora")
    assert "Potentials" in dora.get("/").text
    assert "Deal of dora" in dora.get("/search?q=deal").text
    shop.show(potentials={"enabled": False})
    held = matrix.read(shop.profile)["modules"]
    held["potentials"]["enabled"] = False
    matrix.change(SYSTEM, shop.profile, Channel.SYSTEM, modules=held)
    db.session.commit()
    for path in (
        "/potentials",
        f"/potentials/{deals['dora']}",
        "/api/potentials",
        f"/api/potentials/{deals['dora']}",
        "/leads",
        "/users",
    ):
        dora.get(path, 404)
    assert "Potentials" not in dora.get("/").text
    assert "Deal of dora" not in dora.get("/search?q=deal").text
    with pytest.raises(Missing):
        search.one(shop.viewer("dora"), "potentials", deals["dora"])


def test_fields_that_are_not_shown_are_absent_from_columns_conditions_sorts_and_search(shop):
    viewer = shop.viewer("dora")
    records.update(SYSTEM, "contacts", shop.ids["dora"], {"department": "Secretservice"}, Channel.SYSTEM)
    db.session.commit()
    assert "department" not in permissions.readable(viewer, "contacts")
    assert search.one(viewer, "contacts", shop.ids["dora"], ("department",))["department"] is None
    for asked in ({"where": {"$eq": ["department", "Secretservice"]}}, {"sort": ("department",)}):
        with pytest.raises(Exception, match="department"):
            search.find(viewer, "contacts", **asked)
    assert text_index.search(viewer, "secretservice") == {}
    assert "Secretservice" not in shop.browse("dora").get(f"/contacts/{shop.ids['dora']}").text


def test_profile_a_edits_the_company_phone_b_reads_it_c_does_not_see_it(shop, crm):
    """P3: three profiles, one field; a write by B is refused with field_not_writable."""
    made = {"a": shop.profile}
    for name in ("b", "c"):
        made[name] = shop.make("portal_profiles", name=name, portal_id=shop.portal)
    field = {
        "a": {"visible": True, "editable": True},
        "b": {"visible": True, "editable": False},
        "c": {"visible": False},
    }
    for name, profile in made.items():
        shop.show(
            profile,
            accounts={
                "can_edit": True,
                "fields": {
                    "name": {"visible": True},
                    "phone": field[name],
                    "website": {"visible": True, "editable": True},
                },
            },
        )
    acme = shop.ids["acme"]
    for name, status, is_seen in (("a", 200, True), ("b", 422, True), ("c", 422, False)):
        records.update(SYSTEM, "portal_users", shop.users["dora"], {"profile_id": made[name]}, Channel.SYSTEM)
        records.update(SYSTEM, "accounts", acme, {"phone": "+358 9 111"}, Channel.SYSTEM)
        db.session.commit()
        dora = shop.browse("dora")
        page = dora.get(f"/accounts/{acme}").text
        assert ("+358 9 111" in page) is is_seen, name
        form = dora.form(f"/accounts/{acme}/edit")
        assert ("phone" in form) is (name == "a")
        sent = dora.client.patch(
            f"/portal/api/accounts/{acme}", json={"phone": "+358 9 222"}, headers={"X-CSRF-Token": form["csrf"][0]}
        )
        assert sent.status_code == status, sent.text
        if status == 422:
            assert sent.json == {"error": "validation", "fields": {"phone": ["field_not_writable"]}}
        form = dora.form(f"/accounts/{acme}/edit")
        dora.post(f"/accounts/{acme}/edit", form | {"phone": ["+358 9 333"]})  # a form field too many is left aside
        now = search.one(SYSTEM, "accounts", acme)["phone"]
        assert now == ("+358 9 333" if name == "a" else "+358 9 111")


def test_the_door_itself_refuses_what_the_profile_does_not_open(shop):
    dora, dan = shop.viewer("dora"), shop.viewer("dan")
    with pytest.raises(Refused) as refused:
        records.update(dora, "contacts", shop.ids["dora"], {"owner_id": shop.people.bob}, Channel.PORTAL)
    assert refused.value.faults["owner_id"][0].code == "field_not_writable"
    with pytest.raises(Missing):
        records.update(dan, "contacts", shop.ids["bea"], {"phone": "1"}, Channel.PORTAL)
    with pytest.raises((Missing, Forbidden)):
        records.update(dan, "contacts", shop.ids["dora"], {"phone": "1"}, Channel.PORTAL)
    for verb in ("delete", "export", "import", "merge", "mass_edit", "convert"):
        assert not any(permissions.may(dora, verb, module) for module in modules)
    with pytest.raises(Forbidden):
        records.delete(dora, "contacts", shop.ids["dora"], Channel.PORTAL)
    assert [module.key for module in modules if permissions.may(dan, "create", module)] == []


def test_all_and_mine_are_offered_when_the_scope_is_the_company_and_status_narrows(shop, deals):
    """P18."""
    dora = shop.browse("dora")
    page = dora.get("/potentials").text
    assert "Deal of dan" in page
    assert "whose=mine" in page
    mine = dora.get("/potentials?whose=mine").text
    assert "Deal of dora" in mine
    assert "Deal of dan" not in mine
    records.update(SYSTEM, "potentials", deals["dan"], {"stage": "Closed Won"}, Channel.SYSTEM)
    db.session.commit()
    won = dora.get("/potentials?status=Closed+Won").text
    assert "Deal of dan" in won
    assert "Deal of dora" not in won
    shop.show(potentials={"scope": "own", **OPEN})
    page = dora.get("/potentials?whose=all").text
    assert "whose=mine" not in page
    assert "Deal of dan" not in page
