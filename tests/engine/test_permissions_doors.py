"""The same rights seen through the doors: what a viewer may not know shows in no list, sort, condition, search or label."""

import pytest

from crm.engine import history, records, search
from crm.engine.channels import Channel
from crm.engine.conditions import BadCondition, check
from crm.engine.refusals import Forbidden, Missing, Refused, UnknownName
from crm.engine.registry import modules
from crm.identity import roles, sharing
from crm.identity.viewer import SYSTEM
from tests.people import DORA, make_people, make_user, viewer


@pytest.fixture
def people(session):
    return make_people(session)


@pytest.fixture
def account(people):
    values = {"name": "Acme", "phone": "+358 9 555 0101", "website": "https://acme.example", "owner_id": people.alice}
    return records.create(SYSTEM, "accounts", values, Channel.SYSTEM)


@pytest.fixture
def hugo(people, account):
    """A user whose profile hides the phone of accounts and lets the website only be read."""
    from sqlalchemy import select

    from crm.db import db
    from crm.identity.tables import Profile

    base = db.session.scalar(select(Profile.id).where(Profile.key == "marketer"))
    profile = roles.copy_profile(base, "Without phones")
    roles.change_profile(profile, modules={"accounts": {"hidden": ["phone"], "read_only": ["website"]}})
    return viewer(make_user("Hugo", role_id=roles.add_role("Without phones", None, [profile]), with_password=False))


def test_a_hidden_field_is_on_no_card_and_in_no_list(hugo, account):
    assert "phone" not in set(search.one(hugo, "accounts", account))
    row = search.find(hugo, "accounts", columns=("name", "phone")).rows[0]
    assert (row["name"], row["phone"]) == ("Acme", None), "a shared view still works, without what one may not know"


def test_a_hidden_field_sorts_and_filters_nothing(hugo, account):
    for sort in ("phone", "-phone"):
        with pytest.raises((UnknownName, Forbidden, Refused)):
            search.find(hugo, "accounts", sort=(sort,))
    with pytest.raises(BadCondition):
        check({"phone": "+358 9 555 0101"}, modules["accounts"], hugo)
    with pytest.raises(BadCondition):
        search.find(hugo, "accounts", where={"phone": "+358 9 555 0101"})
    with pytest.raises(BadCondition):
        search.find(hugo, "contacts", where={"account.phone": "+358 9 555 0101"})


def test_a_hidden_field_of_a_linked_record_is_no_column(hugo, account):
    records.create(SYSTEM, "contacts", {"last_name": "Virtanen", "account_id": account}, Channel.SYSTEM)
    row = search.find(hugo, "contacts", columns=("last_name", "account.name", "account.phone")).rows[0]
    assert (row["account.name"], row["account.phone"]) == ("Acme", None)


def test_a_hidden_field_is_not_written_and_not_in_the_change_log(hugo, people, account):
    records.update(people["alice"], "accounts", account, {"phone": "+358 9 555 0202"}, Channel.FORM)
    assert "phone" in {one.field for one in history.of_record(people["alice"], modules["accounts"], account)}
    assert "phone" not in {one.field for one in history.of_record(hugo, modules["accounts"], account)}
    for values in ({"phone": "+358 9 555 0303"}, {"website": "https://other.example"}):
        with pytest.raises((Refused, Forbidden)):
            records.update(hugo, "accounts", account, values, Channel.FORM)
    assert search.one(SYSTEM, "accounts", account)["phone"] == "+358 9 555 0202"


def test_charlie_learns_nothing_of_a_private_account(people, account):
    contact = records.create(
        SYSTEM, "contacts", {"last_name": "Virtanen", "account_id": account, "owner_id": people.charlie}, Channel.SYSTEM
    )
    sharing.set_level("accounts", "private")
    charlie = people["charlie"]
    assert search.find(charlie, "accounts").rows == []
    assert search.count(charlie, "accounts") == 0
    assert search.find(charlie, "accounts", text="Acme").rows == []
    assert not search.exists(charlie, "accounts", account)
    for attempt in (
        lambda: search.one(charlie, "accounts", account),
        lambda: records.update(charlie, "accounts", account, {"name": "Mine"}, Channel.API),
        lambda: records.delete(charlie, "accounts", account, Channel.API),
    ):
        with pytest.raises(Missing):
            attempt()
    row = search.one(charlie, "contacts", contact)
    assert row.label_of("account_id") is None
    found = search.find(charlie, "contacts", columns=("last_name", "account.name")).rows
    assert [one["account.name"] for one in found] == [None]
    assert search.find(charlie, "contacts", where={"account.name": "Acme"}).rows == []
    assert search.find(people["alice"], "accounts", text="Acme").rows


def test_rita_reads_and_is_refused_everything_else(people, account):
    rita = people["rita"]
    assert search.one(rita, "accounts", account)["name"] == "Acme"
    for attempt in (
        lambda: records.create(rita, "accounts", {"name": "New"}, Channel.API),
        lambda: records.update(rita, "accounts", account, {"name": "New"}, Channel.API),
        lambda: records.delete(rita, "accounts", account, Channel.API),
        lambda: records.restore(rita, "accounts", [account], Channel.API),
        lambda: records.purge(rita, "accounts", [account]),
    ):
        with pytest.raises(Forbidden):
            attempt()


def test_who_may_see_but_not_change_is_told_so(people, account):
    sharing.set_level("accounts", "read")
    with pytest.raises(Forbidden):
        records.update(people["charlie"], "accounts", account, {"name": "Mine"}, Channel.API)
    records.update(people["alice"], "accounts", account, {"name": "Acme Oy"}, Channel.API)


def test_a_customer_gets_nothing_from_the_doors(people, account):
    with pytest.raises((Missing, Forbidden)):
        search.one(DORA, "accounts", account)
    with pytest.raises(Forbidden):
        records.create(DORA, "accounts", {"name": "New"}, Channel.PORTAL)
    try:
        assert search.find(DORA, "accounts").rows == []
    except Forbidden:
        pass  # as good an answer


def test_eve_of_the_portal_sees_no_customers(people, account):
    with pytest.raises((Missing, Forbidden)):
        search.one(people["eve"], "accounts", account)
