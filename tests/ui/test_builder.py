"""The condition builder: what it draws says the same as what it was drawn from."""

import pytest
from werkzeug.datastructures import MultiDict

from crm.ui import builder
from crm.ui.builder import Group, Line


def sent(part):
    """What a browser would send of a part as it was drawn."""
    if isinstance(part, Line):
        return [("node", f"row:{part.id}"), (f"{part.id}.field", part.field), (f"{part.id}.op", part.op),
                *((f"{part.id}.value", str(value)) for value in part.values)]  # fmt: skip
    own = [("node", f"open:{part.id}"), (f"{part.id}.match", part.match)]
    if part.relation:
        own += [(f"{part.id}.relation", part.relation), (f"{part.id}.absent", "1" if part.is_absent else "0")]
    return [*own, *(pair for one in part.parts for pair in sent(one)), ("node", "close")]


CONDITIONS = [
    {"$eq": ["name", "Acme"]},
    {"$and": [{"$eq": ["name", "Acme"]}, {"$or": [{"$beg": ["city", "T"]}, {"$is.null": ["city"]}]}]},
    {"$has": ["activities", {"$and": [{"$eq": ["status", "Held"]}, {"$window": ["at", "$last_30_days"]}]}]},
    {"$and": [{"$hasnot": ["contacts"]}, {"$in": ["stage", ["A", "B"]]}]},
    {"$between": ["amount", ["1", "2"]]},
    {"$nor": [{"$eq": ["name", "Acme"]}]},
    {
        "$or": [
            {"$has": ["potentials", {"$has": ["activities", {"$eq": ["subject", "x"]}]}]},
            {"$not.cts": ["name", "y"]},
        ]
    },
]


@pytest.mark.parametrize("where", CONDITIONS)
def test_a_condition_comes_back_from_the_form_as_it_went_in(where):
    assert builder.read_tree(MultiDict(sent(builder.draw_tree(where)))) == where


def test_shorthand_stays_as_it_was_written_when_nobody_touches_it():
    import json

    where = {"last_name": "Virta", "age": 5}
    form = MultiDict([*sent(builder.draw_tree(where)), ("conditions", json.dumps(where))])
    assert builder.read_kept(form, "conditions") == where
    form.add("node", "x")
    changed = MultiDict([(name, "Other" if value == "Virta" else value) for name, value in form.items(multi=True)])
    assert builder.read_kept(changed, "conditions") != where


def test_empty_rows_and_unknown_operators_say_nothing():
    empty = Group("a", parts=[Line("b"), Line("c", "name", "$eq", []), Line("d", "name", "$nope", ["x"])])
    assert builder.read_tree(MultiDict(sent(empty))) is None
    assert builder.read_tree(MultiDict()) is None
    assert builder.read_tree(MultiDict([("node", "row:x"), ("node", "close"), ("node", "close")])) is None


@pytest.mark.parametrize(
    ("stored", "drawn"),
    [
        ("$last_7_days", ("$last_7_days", "")), ("last 7 days", ("$last_7_days", "")), ("$last_14_days", ("$last_n_days", "14")),
        ("$next_3_days", ("$next_n_days", "3")), ("$before_today", ("$before_today", "")),
    ],
)  # fmt: skip
def test_a_window_is_drawn_as_what_it_is_and_read_back_so(stored, drawn):
    assert builder.drawn_window(stored) == drawn
    option, days = drawn
    form = MultiDict([("node", "open:a"), ("node", "row:b"), ("b.field", "at"), ("b.op", "$window"), ("b.value", option), ("b.days", days)])  # fmt: skip
    plain = "$" + stored.removeprefix("$").replace(" ", "_")
    assert builder.read_tree(form) == {"$window": ["at", plain]}
