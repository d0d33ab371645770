"""Portal target groups: a snapshot of a campaign, bound to one list type."""

import pytest

from crm.engine import records, search
from crm.engine.channels import Channel
from crm.engine.refusals import Refused
from crm.identity.viewer import SYSTEM
from crm.modules.campaigns import members
from crm.modules.people import Choice
from ecp import groups


def person(**values):
    return records.create(SYSTEM, "contacts", {"last_name": "X"} | values, Channel.SYSTEM)


@pytest.fixture
def campaign(app):
    return records.create(SYSTEM, "campaigns", {"name": "Autumn", "type": "Webinar"}, Channel.SYSTEM)


@pytest.fixture
def list_type(app):
    return records.create(SYSTEM, "list_types", {"name": "News"}, Channel.SYSTEM)


def joined(campaign, *ids):
    members.change(SYSTEM, campaign, Choice(contact_ids=ids), Channel.SYSTEM)


def test_an_import_takes_addresses_once_a_person_and_counts_what_is_left_out(campaign, list_type):
    joined(
        campaign, person(email="a@example.com"), person(email="A@example.com"), person(), person(email="b@example.com")
    )
    left = {"email": "b@example.com", "scope": "list_type", "scope_id": list_type, "source": "recipient"}
    records.create(SYSTEM, "suppressions", left, Channel.SYSTEM)
    id, taken = groups.take_in(SYSTEM, campaign, list_type, "Autumn people", Channel.SYSTEM)
    counts = (taken.contact_count, taken.skipped_no_email_count, taken.duplicate_count, taken.unsubscribed_count)
    assert counts == (3, 1, 1, 1)
    row = search.one(SYSTEM, "portal_target_groups", id)
    assert (row["contact_count"], row["duplicate_count"]) == (3, 1)


def test_who_joins_later_appears_only_after_a_refresh(campaign, list_type):
    joined(campaign, person(email="a@example.com"))
    id, _ = groups.take_in(SYSTEM, campaign, list_type, "Autumn people", Channel.SYSTEM)
    late = person(email="late@example.com")
    joined(campaign, late)
    assert search.count(SYSTEM, "portal_target_group_members", {"portal_target_group_id": id}) == 1
    taken = groups.refresh(SYSTEM, id, Channel.SYSTEM)
    assert (taken.added, taken.removed, taken.contact_count) == (1, 0, 2)
    members.remove(SYSTEM, campaign, [late], Channel.SYSTEM)
    assert groups.refresh(SYSTEM, id, Channel.SYSTEM).removed == 1


def test_an_inactive_campaign_is_neither_offered_nor_taken(campaign, list_type):
    records.update(SYSTEM, "campaigns", campaign, {"active": False}, Channel.SYSTEM)
    assert campaign not in [one.id for one in groups.importable_campaigns(SYSTEM)]
    with pytest.raises(Refused, match="not active"):
        groups.take_in(SYSTEM, campaign, list_type, "Autumn people", Channel.SYSTEM)
