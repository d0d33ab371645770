"""What a new portal shows before an administrator has touched anything, and what closing it does, by whichever door (P1–P3)."""

from sqlalchemy import select

from crm.db import db
from crm.engine import records
from crm.engine.channels import Channel
from crm.engine.registry import modules
from crm.identity.viewer import SYSTEM
from crm.modules.portals import matrix, usual
from self_service_portal.pages import boxes
from self_service_portal.web.home import ALWAYS
from surveys import links
from tests.self_service_portal.conftest import work
from tests.surveys.conftest import make_survey


def profiles_of(portal):
    table = modules["portal_profiles"].table
    return list(db.session.execute(select(table).where(table.c.portal_id == portal)).mappings())


def test_a_new_portal_gets_a_profile_that_shows_what_customers_come_for(shop):
    portal = shop.make("portals", name="Second", code="second", default_language="fi", owner_id=shop.people.ada)
    work()
    (profile,) = profiles_of(portal)
    assert profile["is_default"]
    assert profile["modules"] == matrix.clean_modules(profile["modules"])  # what an administrator could have ticked
    assert set(profile["boxes"]) == {box.key for box in boxes()} - ALWAYS
    shop.portal = portal
    shop.set(base_url="http://localhost")  # so that it answers in place of the first
    shop.customer("eva", "acme")
    eva = shop.browse("eva")
    for path in (
        "/contacts/{eva}",
        "/accounts/{acme}",
        "/tickets",
        "/service_requests",
        "/events",
        "/faqs",
        "/my-data",
    ):
        eva.get(path.format(**shop.ids))
    for key in ("tickets", "service_requests", "faqs", "events"):
        assert f'href="/portal/{key}"' in eva.get("/").text, key
    form = eva.form("/tickets/new")
    eva.post("/tickets/new", form | {"title": ["It squeaks"], "description": ["All day"], "priority": ["High"]})
    assert "It squeaks" in eva.get("/").text


def test_every_new_profile_begins_with_the_usual_or_as_another_one(shop, crm):
    made = shop.make("portal_profiles", name="By a program", portal_id=shop.portal)
    assert set(matrix.read(made)["modules"]) == set(usual.MODULES)
    ada = crm("ada")
    token = ada.form("/preferences")["csrf"]
    for name, base in (("Usual", ""), ("Copy", str(shop.profile))):
        ada.post(f"/admin/portals/{shop.portal}/profiles", {"csrf": token, "name": name, "base": base})
    found = {row["name"]: set(row["modules"]) for row in profiles_of(shop.portal)}
    assert found["Usual"] == set(usual.MODULES)
    assert found["Copy"] == {"contacts", "accounts", "potentials"}
    work()
    assert len(profiles_of(shop.portal)) == 4  # no first profile where there is one


def test_a_survey_that_waits_is_on_the_home_page_until_it_is_answered(shop):
    asked = make_survey([{"name": "mood", "kind": "text"}], title="How was it?")
    address = links.invite(asked.id, shop.ids["dora"])
    db.session.commit()
    assert f'href="{address}">How was it?' in shop.browse("dora").get("/").text
    assert "How was it?" not in shop.browse("dan").get("/").text
    asked.set(status="closed")
    assert "How was it?" not in shop.browse("dora").get("/").text


def test_closing_a_portal_ends_every_session_whichever_door_did_it(shop):
    dora = shop.browse("dora")
    dora.get("/")
    records.update(SYSTEM, "portals", shop.portal, {"active": False}, Channel.API)
    work()
    assert dora.client.get("/portal/").status_code == 503
    shop.set(active=True)
    work()
    dora.get("/", 303)  # what was open before stays closed
