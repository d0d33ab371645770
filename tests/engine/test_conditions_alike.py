"""Every operator on every kind of field finds in the database what it finds in memory; so do conditions put together."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st
from sqlalchemy import select

from crm import clock
from crm.db import db
from crm.engine import conditions, overlay
from crm.engine.conditions import OPERATORS, allowed
from crm.identity.viewer import SYSTEM
from tests.engine.declared import MOMENT, PLACES, THINGS, present, put

TEXTS = [
    "Acme",
    "acme oy",
    "ÄÄNI",
    "ääni",
    "Aani",
    "50 %",
    "a_b",
    "a\\b",
    "ﬁn Straße",
    "Ｗｉｄｅ",
    "log",
    "x" * 90,
    "Ö\nrivi",
]
ROWS: list[dict[str, Any]] = [
    {
        "name": text,
        "note": text[::-1] if place % 3 else None,
        "email": f"{place}.{'anna' if place % 2 else 'Ben'}@Example.com" if place % 4 else None,
        "phone": "+358 40 123" if place % 2 else None,
        "stage": [None, "New", "Open", "Won"][place % 4],
        "colours": [None, ("Red",), ("red", "Blue_%"), ("Red", "Green")][place % 4],
        "amount": [None, Decimal("10.50"), Decimal(-3), Decimal("99999999.99")][place % 4],
        "share": [Decimal("12.5"), None][place % 2],
        "pieces": [None, 0, 7, -2][place % 4],
        "due_on": [None, date(2026, 3, 15), date(2026, 3, 14), date(2024, 2, 29)][place % 4],
        "seen_at": [None, MOMENT, datetime(2026, 3, 14, 22, 0, tzinfo=UTC), datetime(2026, 3, 15, 21, 59, 59, 999999, tzinfo=UTC)][
            place % 4
        ],
        "opens": [None, time(8, 30), time(0)][place % 3],
        "vip": bool(place % 2),
        "cf_1": text.upper() if place % 2 else None,
        "cf_2": [None, Decimal("10.5"), Decimal(-3)][place % 3],
        "cf_3": [None, date(2026, 3, 15), date(1999, 12, 31)][place % 3],
        "cf_4": [None, MOMENT, datetime(2026, 3, 15, 21, 59, 59, 500, tzinfo=UTC)][place % 3],
        "cf_5": [None, True, False][place % 3],
        "cf_6": [None, ("Red", "Green"), ("red",)][place % 3],
        "cf_7": [None, "New", "Won"][place % 3],
        "cf_8": [None, 5, -5][place % 3],
    }
    for place, text in enumerate(TEXTS)
]  # fmt: skip
CUSTOM = {"cf_1": "text", "cf_2": "number", "cf_3": "day", "cf_4": "moment", "cf_5": "checkbox", "cf_6": "multi",
          "cf_7": "picklist", "cf_8": "whole"}  # fmt: skip
SAMPLES: dict[str, list[Any]] = {
    "text": ["acme", "ÄÄNI", "a", "50 %", "a_b", "a\\b", "FIN", "wide", "strasse", "_", "%", "x" * 90, "example.COM"],
    "picklist": ["New", "Won", "won"],
    "multi": ["Red", "red", "Blue_%", ["Red", "Green"], ["Green", "Red"], "Blue"],
    "number": [10.5, "-3", "99999999.99", "0", "10.50001"],
    "whole": [0, "7", -2, 5],
    "day": ["2026-03-15", "$now", "$now.date -1 day", "2024-02-29", "$now +1 year"],
    "moment": ["2026-03-15", "2026-03-15T12:00:00Z", "2026-03-15 14:00", "$now", "$now.date", "$now -14 hours"],
    "time": ["08:30", "00:00", "$now.time"],
    "checkbox": [True, False, "1"],
}
WINDOWS = [
    "$today",
    "yesterday",
    "$this_week",
    "$last_month",
    "$this_year",
    "$last_7_days",
    "before_today",
    "$from_today",
]
PATTERNS = ["^a", "ä+n", "[A-C]", "a.b", "^.{2,6}$", "oy$|LOG", r"\d\s%", r"[^\w]", "ﬁ", r"a\\b", "(a|ä)(c|ä)"]


@pytest.fixture
def stored(app) -> Iterator[dict[int, dict[str, Any]]]:
    """The rows in the database, and by id in memory."""
    with present(), clock.standing_at(MOMENT):
        for name, kind in CUSTOM.items():
            said = {"multi": "thing_colours", "picklist": "thing_stage"}.get(kind)
            overlay.add_field("t_things", kind, f"Custom {name}", name, **({"picklist": said} if said else {}))
        db.session.flush()
        fields = THINGS.fields
        known: dict[int, dict[str, Any]] = {}
        place = put(PLACES, name="Turku", city="Åbo")
        for index, row in enumerate(ROWS):
            extra = {name: fields[name].kind.store(row[name], fields[name]) for name in CUSTOM if row[name] is not None}
            values = {name: value for name, value in row.items() if name not in CUSTOM} | {
                "place_id": place if index % 2 else None
            }
            id = put(THINGS, **values, extra=extra)
            known[id] = row | values | {"id": id, "created_at": MOMENT}
        yield known


def found(where: Any) -> set[int]:
    said = select(THINGS.table.c.id).where(conditions.compile(where, THINGS, SYSTEM))
    return set(db.session.execute(said).scalars())


def group(kind: str) -> str:
    if kind in {"long_text", "email", "phone"}:
        return "text"
    return "number" if kind in {"money", "percent"} else kind


def questions() -> list[dict[str, Any]]:
    """Each operator on each field that takes it, with each sample of its kind."""
    declared = {name: said.kind for name, said in THINGS.declared.items() if name in ROWS[0]}
    from crm.engine.kinds import KINDS

    asked: list[dict[str, Any]] = []
    for name, kind in {**declared, **{name: KINDS[kind] for name, kind in CUSTOM.items()}}.items():
        samples = SAMPLES[group(kind.name)]
        for key in allowed(type("F", (), {"kind": kind})()):  # type: ignore[arg-type]
            takes = OPERATORS[key].takes
            if takes == "none":
                asked.append({key: [name]})
            elif takes == "window":
                asked += [{key: [name, window]} for window in WINDOWS]
            elif takes == "pattern":
                asked += [{key: [name, pattern]} for pattern in PATTERNS]
            elif takes == "two":
                asked += [{key: [name, low, high]} for low in samples for high in samples]
            elif takes == "several":
                asked += [{key: [name, samples]}, {key: [name, samples[:2]]}, {key: [name, samples[2:3]]}]
                asked = [one for one in asked if one.get(key) is None or one[key][1] != []]
            else:
                asked += [{key: [name, sample]} for sample in samples]
    return asked


def test_every_operator_on_every_kind_finds_the_same_in_the_database_and_in_memory(stored):
    asked = questions()
    assert {next(iter(one)) for one in asked} == set(OPERATORS)
    differing = []
    some = 0
    for where in asked:
        expected = {id for id, row in stored.items() if conditions.matches(where, THINGS, row)}
        some += 0 < len(expected) < len(stored)
        if found(where) != expected or found({"$not": where}) != set(stored) - expected:
            differing.append(where)
    assert differing == []
    assert some > len(asked) / 3  # the samples tell rows apart


def test_a_negative_operator_matches_empty(stored):
    for positive, negative, value in [
        ("$eq", "$ne", "Won"), ("$in", "$nin", ["Won"]),
    ]:  # fmt: skip
        assert found({positive: ["stage", value]}).isdisjoint(found({negative: ["stage", value]}))
        assert found({positive: ["stage", value]}) | found({negative: ["stage", value]}) == set(stored)
    assert found({"$is.null": ["note"]}) <= found({"$not.cts": ["note", "a"]})
    assert found({"$is.null": ["amount"]}) <= found({"$not.between": ["amount", 0, 100]})


LEAVES = st.sampled_from(questions())
TREES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(lambda items, key: {key: items}, st.lists(inner, min_size=1, max_size=3), st.sampled_from(["$and", "$or", "$nor"])),
        st.builds(lambda item: {"$not": [item]}, inner),
    ),
    max_leaves=6,
)  # fmt: skip


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(where=TREES)
def test_conditions_put_together_find_the_same(stored, where):
    try:
        expected = {id for id, row in stored.items() if conditions.matches(where, THINGS, row)}
    except conditions.BadCondition:
        reject()  # nested too deeply
    assert found(where) == expected


TEXT = st.text(alphabet=st.sampled_from(list("aAäÄöå%_\\'\"|. ßﬁ１é\n")), min_size=1, max_size=6)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(held=TEXT, asked=TEXT, key=st.sampled_from(["$eq", "$beg", "$end", "$cts", "$like", "$gt", "$lte"]))
def test_any_text_is_compared_alike(stored, held, asked, key):
    id = next(iter(stored))
    db.session.execute(THINGS.table.update().where(THINGS.table.c.id == id).values(note=held))
    where = {key: ["note", asked]}
    try:
        expected = conditions.matches(where, THINGS, {"note": held})
    except conditions.BadCondition:
        reject()  # nothing but blanks
    assert (id in found(where)) == expected
