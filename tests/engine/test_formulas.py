"""Formulas at a save: which channel runs them, in which order, under which names (C4, C5), and what an error does."""

import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from crm.engine.channels import Channel
from crm.engine.formulas import Formula, before_save, check_formula, run
from crm.engine.refusals import UnknownName

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


@dataclass
class Accounts:
    formulas: tuple[Formula, ...]
    key: str = "accounts"
    names = {
        "name": "name",
        "billing_street": "billing_street",
        "bill_street": "billing_street",
        "shipping_street": "shipping_street",
        "ship_street": "shipping_street",
        "revenue": "revenue",
        "summary": "summary",
    }

    def resolve(self, name: str) -> str:
        if name not in self.names:
            raise UnknownName("field", name, self.names)
        return self.names[name]


COPY = Formula("create", "shipping_street", "{if $ship_street}{$ship_street}{else}{$bill_street}{/if}")


@pytest.mark.parametrize("channel", list(Channel))
def test_formulas_run_only_for_the_form(channel):
    computed = before_save(Accounts((COPY,)), {"billing_street": "Katu 1"}, channel, is_new=True, now=NOW)
    assert computed.values == ({"shipping_street": "Katu 1"} if channel is Channel.FORM else {})


def test_old_and_new_names_hit_the_same_field():
    for name in ("bill_street", "billing_street"):
        module = Accounts((Formula("save", "ship_street", f"{{${name}|upper}}"),))
        assert run(module, "save", {"billing_street": "Katu 1"}, Channel.FORM, now=NOW).values == {
            "shipping_street": "KATU 1"
        }


def test_order_is_validation_then_create_then_save_and_later_ones_see_earlier_values():
    module = Accounts(
        (
            Formula("save", "summary", "{$name}, {$shipping_street}"),
            COPY,
            Formula("save", "summary", "<{$summary}>"),
            Formula("validation", "name", "{if !$name}Write a name{/if}"),
        )
    )
    new = before_save(module, {"name": "Acme", "billing_street": "Katu 1"}, Channel.FORM, is_new=True, now=NOW)
    assert new.values == {"shipping_street": "Katu 1", "summary": "<Acme, Katu 1>"}
    old = before_save(module, {"name": "", "billing_street": "Katu 1"}, Channel.FORM, is_new=False, now=NOW)
    assert "shipping_street" not in old.values
    assert [fault.message for fault in old.faults["name"]] == ["Write a name"]


def test_an_error_stops_a_validation_and_leaves_the_target_of_others_alone(caplog):
    broken = "{math equation='a/b' a=1 b=$revenue}"
    module = Accounts((Formula("validation", "revenue", broken), Formula("save", "summary", broken)))
    with caplog.at_level(logging.WARNING):
        computed = before_save(module, {"revenue": Decimal(0)}, Channel.FORM, is_new=False, now=NOW)
    assert computed.values == {}
    assert [fault.message for fault in computed.faults["revenue"]] == ["Formula for revenue: division by zero"]
    assert "formula failed" in caplog.text


def test_a_field_formula_runs_for_its_source_only():
    module = Accounts((Formula("field", "summary", "{$account.industry}", source="parent_id"),))

    def related(relation):
        return {"industry": "Steel"} if relation == "account" else None

    assert run(module, "field", {}, Channel.FORM, source="name", related=related).values == {}
    assert run(module, "field", {}, Channel.FORM, source="parent_id", related=related).values == {"summary": "Steel"}


def test_a_detail_formula_is_shown_and_stores_nothing():
    module = Accounts((Formula("detail", "", "{if !$revenue}No revenue known for #{$ID}{/if}"),))
    computed = run(module, "detail", {"id": 7}, Channel.API)
    assert computed.notes == ["No revenue known for #7"]
    assert computed.values == {}


@pytest.mark.parametrize(
    ("formula", "words"),
    [
        (Formula("save", "summary", "{$nmae}"), "Unknown tag {$nmae}"),
        (Formula("save", "summary", "{if $name}x"), "never closed"),
        (Formula("save", "summary", "{$name|uper}"), "did you mean |upper?"),
        (Formula("save", "summary", "{$name}\n{$name}"), "one line"),
        (Formula("sometimes", "summary", "{$name}"), "trigger is one of"),
        (Formula("save", "nothing", "{$name}"), "no field nothing"),
    ],
)
def test_a_wrong_formula_is_refused_before_it_is_kept(formula, words):
    assert any(words in problem.message for problem in check_formula(Accounts(()), formula))


def test_a_good_formula_has_no_problems_even_with_curly_quotes():
    text = "{if $bill_street == “x”}{$account.industry}{$rel_bill_street}{$rows|rows_count}{$ID}{/if}"
    assert check_formula(Accounts(()), Formula("save", "summary", text), frozenset({"account"})) == []
    assert run(
        Accounts((Formula("save", "summary", "{if $name == “x”}y{/if}"),)), "save", {"name": "x"}, Channel.FORM
    ).values == {"summary": "y"}
