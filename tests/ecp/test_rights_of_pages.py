"""Who may do what with mass mail (spec/marketing.md 7), asked of the pages: marketer, administrators of portal and CRM, others."""

import pytest

from crm.db import db
from crm.engine import records
from crm.engine.channels import Channel
from crm.identity.viewer import SYSTEM
from ecp import list_addresses

# person, app → of the actions below those that are allowed
MARKETER = {"write", "import", "send", "add address"}
ADMIN = MARKETER | {"cancel", "list type", "sender", "users", "site", "plan", "remove address"}
WHO = [
    ("eve", "ecp", MARKETER), ("mary", "ecp", MARKETER), ("ada", "ecp", ADMIN),
    ("carl", "ecp", MARKETER | {"cancel", "remove address"}), ("carl", "crm", {"write", "send", "cancel"}),
    ("mary", "crm", {"write", "send"}), ("alice", "crm", set()), ("rita", "crm", set()),
]  # fmt: skip
IN_CRM = {"write", "send", "cancel"}


@pytest.fixture
def actions(house):
    """Action → (address, form): each is allowed when the answer is neither 403 nor a page that is not there."""
    draft = house.sendout(house.campaign(house.contacts(1)))
    begun = house.sendout(house.campaign(house.contacts(1, "example.org")))
    records.update(SYSTEM, "sendouts", begun, {"state": "sending"}, Channel.SYSTEM)
    list_addresses.add(SYSTEM, house.list_id, [(1, "left@example.com")], "", Channel.FORM)
    left = records.create(
        SYSTEM,
        "suppressions",
        {"email": "l@example.com", "scope": "list_type", "scope_id": house.list_id},
        Channel.SYSTEM,
    )
    db.session.commit()
    here = f"/list_types/{house.list_id}/addresses"
    return {
        "write": ("/email_templates/write", {"kind": "email"}),
        "import": ("/portal_target_groups/new", {"campaign_id": "", "name": ""}),
        "send": (f"/sendouts/{draft}/start", {"tested": "1"}),
        "cancel": (f"/sendouts/{begun}/cancel", {}),
        "list type": ("/list_types/new", {"name": ""}),
        "sender": ("/sender_addresses/new", {"address": ""}),
        "users": ("/users/new", {"email": ""}),
        "site": ("/settings", {"colour": "green"}),
        "plan": ("/plan", {"plan": 0}),
        "add address": (here, {"addresses": "new@example.com"}),
        "remove address": (f"{here}/{left}/remove", {"reason": "Asked"}),
    }


@pytest.mark.parametrize(("name", "face", "allowed"), WHO, ids=[f"{name} in {face}" for name, face, _ in WHO])
def test_everybody_may_do_what_the_table_says_and_nothing_else(browse, actions, name, face, allowed):
    browser = browse(name, face)
    token = browser.form("/preferences")["csrf"]
    found = set()
    for action, (path, said) in actions.items():
        if face == "crm" and action not in IN_CRM:
            continue
        answer = browser.client.post(f"{browser.prefix}{path}", data=said | {"csrf": token})
        assert answer.status_code < 500, (action, answer.text[:500])
        if answer.status_code not in {403, 404} or (action == "plan" and answer.status_code == 404):
            found.add(action)
    assert found == allowed
