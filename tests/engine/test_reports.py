"""Numbers for charts: counted, summed, averaged by a field, in days of the site, under the viewer's rights."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from crm import clock
from crm.engine.refusals import Forbidden, Refused, UnknownName
from crm.engine.reports import aggregate
from crm.identity.viewer import SYSTEM, ModuleRights, Rights, Viewer
from tests.engine.declared import MOMENT, PLACES, THINGS, present, put


@pytest.fixture
def things(app):
    with present(), clock.standing_at(MOMENT):
        place = put(PLACES, name="Harbour")
        put(THINGS, name="a", stage="Won", amount=Decimal("10.10"), place_id=place, due_on=date(2026, 1, 31), pieces=1)
        put(THINGS, name="b", stage="Won", amount=Decimal("0.20"), due_on=date(2026, 2, 1), pieces=2, vip=True)
        put(THINGS, name="c", stage="New", seen_at=datetime(2026, 3, 14, 22, 30, tzinfo=UTC), owner_id=place)
        put(THINGS, name="d", amount=Decimal(5), seen_at=datetime(2026, 3, 14, 21, 30, tzinfo=UTC))
        put(THINGS, name="gone", stage="Won", deleted_at=MOMENT)
        yield place


def told(*said, **more):
    return [(group.label, group.value) for group in aggregate(SYSTEM, "t_things", *said, **more)]


def test_records_are_counted_by_a_list_of_choices_in_its_order(things):
    assert told("stage") == [("New", 1), ("Won", 2), ("(empty)", 1)]
    assert told("stage", where={"vip": True}) == [("Won", 1)]
    assert told() == [("", 4)]
    assert told("vip") == [("no", 3), ("yes", 1)]


def test_money_is_added_exactly(things):
    assert told("stage", measure="sum", of="amount") == [
        ("New", 0), ("Won", Decimal("10.30")), ("(empty)", Decimal(5)),
    ]  # fmt: skip
    assert told(measure="average", of="amount") == [("", Decimal("5.1"))]
    assert told(measure="most", of="pieces") == [("", 2)]
    assert told("stage", measure="least", of="amount")[0] == ("New", None)


def test_dates_are_gathered_in_steps_and_moments_in_days_of_the_site(things):
    assert told("due_on", step="month")[:2] == [("2026-01-01", 1), ("2026-02-01", 1)]
    assert told("due_on", step="week")[:1] == [("2026-01-26", 2)]
    assert told("due_on", step="year")[:1] == [("2026-01-01", 2)]
    assert told("seen_at") == [("2026-03-14", 1), ("2026-03-15", 1), ("(empty)", 2)]


def test_only_what_may_be_seen_is_counted(things):
    assert told("place_id") == [("Harbour", 1), ("(empty)", 3)]
    bob = Viewer(kind="staff", id=things, principals=frozenset({things}), defaults={"t_things": "private"})
    assert [group.value for group in aggregate(bob, "t_things")] == [1]
    hidden = Viewer(kind="staff", id=5, rights=Rights({"t_things": ModuleRights(hidden=frozenset({"amount"}))}))
    for said in ({"by": "amount"}, {"measure": "sum", "of": "amount"}):
        with pytest.raises(UnknownName):
            aggregate(hidden, "t_things", **said)
    with pytest.raises(Forbidden):
        aggregate(Viewer(kind="staff", rights=Rights(otherwise=ModuleRights(verbs=frozenset()))), "t_things")


def test_what_cannot_be_grouped_or_measured_is_refused(things):
    with pytest.raises(Refused, match="cannot be grouped"):
        aggregate(SYSTEM, "t_things", "note")
    with pytest.raises(Refused, match="no number"):
        aggregate(SYSTEM, "t_things", measure="sum", of="name")
    with pytest.raises(UnknownName):
        aggregate(SYSTEM, "t_things", measure="median", of="amount")
