"""M125, as far as modules go: who may do what with mails, lists, senders and refused addresses (spec/marketing.md 7)."""

import pytest

from crm.engine import records
from crm.engine.channels import Channel
from crm.engine.permissions import has_area, may
from crm.engine.refusals import Forbidden

MATRIX = {  # (verb, module) → who may. mary: marketer; ada: administrator of both; bob: seller; eve: portal only
    ("create", "email_templates"): {"mary", "ada", "eve"},
    ("edit", "html_snippets"): {"mary", "ada", "eve"},
    ("edit", "landing_pages"): {"mary", "ada", "eve"},
    ("create", "sendouts"): {"mary", "ada", "eve"},
    ("create", "portal_target_groups"): {"mary", "ada", "eve"},
    ("create", "list_types"): {"ada"},
    ("edit", "list_types"): {"ada"},
    ("create", "sender_addresses"): {"ada"},
    ("edit", "plans"): {"ada"},
    ("create", "suppressions"): {"mary", "ada", "eve"},
    ("edit", "suppressions"): {"ada"},
    ("delete", "suppressions"): set(),
    ("view", "deliveries"): {"mary", "ada", "eve", "bob", "rita"},
    ("create", "campaigns"): {"mary", "ada"},
    ("edit", "target_groups"): {"mary", "ada", "eve"},
}


@pytest.mark.parametrize(("verb", "module"), MATRIX)
def test_the_matrix_holds(people, verb, module):
    allowed = {name for name in ("mary", "ada", "bob", "rita", "eve") if may(people[name], verb, module)}
    assert allowed == MATRIX[verb, module]


def test_sellers_and_readers_send_nothing(people):
    assert {name for name in ("mary", "ada", "bob", "rita", "eve") if has_area(people[name], "send")} == {
        "mary", "ada", "eve",
    }  # fmt: skip


def test_a_crm_administrator_who_is_none_of_the_portal_does_not_touch_lists_and_senders(people, make):
    from tests.people import make_user, viewer

    carl = viewer(make_user("Carl", "administrator", crm_admin=True, ecp_access=True))
    for module in ("list_types", "sender_addresses", "plans"):
        assert not may(carl, "create", module)
        assert not may(carl, "edit", module)
    assert may(carl, "edit", "suppressions")


def test_a_marketer_adds_a_refused_address_but_does_not_let_it_in_again(people):
    mary = people["mary"]
    id = records.create(mary, "suppressions", {"email": "a@example.com"}, Channel.FORM)
    with pytest.raises(Forbidden):
        records.update(mary, "suppressions", id, {"active": False, "note": "Asked to"}, Channel.FORM)
    records.update(people["ada"], "suppressions", id, {"active": False, "note": "Asked to"}, Channel.FORM)
