"""C4 and C5 on accounts: the built-in formula fires for the form alone, and old and new names hit the same field."""

import pytest

from crm.engine import records, search
from crm.engine.channels import Channel
from crm.identity.viewer import SYSTEM

STREET = "Ruukinranta 4"


@pytest.mark.parametrize("channel", [one for one in Channel if one is not Channel.FORM])
@pytest.mark.usefixtures("app")
def test_no_channel_but_the_form_runs_formulas(channel):
    values = {"name": "Kaisla Rooms Oy", "bill_street": STREET, "account_type": "Customer"}
    id = records.create(SYSTEM, "accounts", values, channel)
    row = search.one(SYSTEM, "accounts", id)
    assert row["billing_street"] == STREET
    assert row["shipping_street"] is None


@pytest.mark.usefixtures("app")
def test_the_form_fills_the_shipping_address_of_a_new_account_from_the_billing_address():
    values = {"name": "Kaisla Rooms Oy", "billing_street": STREET, "shipping_city": "Espoo", "billing_city": "Turku"}
    id = records.create(SYSTEM, "accounts", values, Channel.FORM)
    row = search.one(SYSTEM, "accounts", id)
    assert (row["shipping_street"], row["shipping_city"]) == (STREET, "Espoo")
    records.update(SYSTEM, "accounts", id, {"shipping_street": None}, Channel.FORM)
    assert search.one(SYSTEM, "accounts", id)["shipping_street"] is None
