"""List, card and form of every module with pages in the Email Contact Portal, as its users meet them."""

from functools import cache
from typing import Any

import pytest
from flask import Flask
from markupsafe import escape

from crm.engine import records, search
from crm.engine.channels import Channel
from crm.engine.permissions import may
from crm.engine.registry import modules
from crm.identity.viewer import SYSTEM
from tests.apps import Browser
from tests.every_module import values
from tests.every_module.browsing import browser

IN_ECP = [name for name in values.RECORDS if modules[name].in_ecp]
OUTSIDE = [name for name in values.RECORDS if not modules[name].in_ecp]
OWN_FORMS = {"sendouts", "portal_target_groups", "plans", "email_templates"}  # wizard, import, choice, editor


@cache
def _portal(url: str, settled: Any) -> Flask:
    from ecp import create_app

    made = create_app(settled)
    made.testing = True
    made.test_client_class = Browser
    return made


@pytest.fixture
def portal(app):
    return _portal(app.config["SQLALCHEMY_DATABASE_URI"], app.config["CUSTOMERHUB"])


@pytest.mark.parametrize("name", IN_ECP)
def test_whoever_works_in_the_portal_alone_has_list_and_card(portal, people, name):
    id = records.create(SYSTEM, name, values.complete(name, 2), Channel.SYSTEM)
    search.db.session.commit()
    eve = browser(portal, "eve@example.com", "ecp")
    if name == "plans":  # shown on a page of its own, to administrators
        assert not may(people["eve"], "view", name)
        return
    eve.get(f"/{name}")
    card = eve.get(f"/{name}/{id}").text
    assert str(escape(modules[name].label_of(search.one(SYSTEM, name, id)))) in card


@pytest.mark.parametrize("name", [name for name in IN_ECP if name not in OWN_FORMS])
def test_a_form_saved_as_it_stands_changes_nothing(portal, people, name):
    id = records.create(SYSTEM, name, values.complete(name, 2), Channel.SYSTEM)
    search.db.session.commit()
    ada = browser(portal, "ada@example.com", "ecp")
    before = dict(search.one(SYSTEM, name, id))
    ada.post(f"/{name}/{id}/edit", ada.form(f"/{name}/{id}/edit"))
    after = dict(search.one(SYSTEM, name, id))
    assert {one: (before[one], after[one]) for one in after if before[one] != after[one]} == {}


@pytest.mark.parametrize("name", OUTSIDE)
def test_modules_of_the_crm_have_no_pages_in_the_portal(portal, people, name):
    id = values.make(name, 2)
    search.db.session.commit()
    ada = browser(portal, "ada@example.com", "ecp")
    assert ada.client.get(f"/ecp/{name}").status_code == 404
    assert ada.client.get(f"/ecp/{name}/{id}").status_code == 404
