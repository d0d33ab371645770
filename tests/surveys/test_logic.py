"""What is shown, open and required follows from the answers, and the server has the last word (P56)."""

import pytest

from crm.db import db
from crm.engine.refusals import Refused
from crm.identity.viewer import SYSTEM
from surveys import answering, designing, forms
from surveys.design import load
from surveys.logic import holds
from tests.surveys.conftest import AB

YES_NO = [{"value": "yes"}, {"value": "no"}]


@pytest.mark.parametrize(
    ("condition", "answer", "expected"),
    [({"q": "yes"}, "YES", True), ({"$eq": ["q", "yes"]}, "no", False), ({"$eq": ["q", "a"]}, ["b", "a"], True),
     ({"$ne": ["q", "a"]}, "b", True), ({"$ne": ["q", "a"]}, None, True), ({"$eq": ["q", ""]}, None, False),
     ({"$gt": ["q", 5]}, "5.5", True), ({"$gt": ["q", 5]}, "5", False), ({"$gte": ["q", "5"]}, "5.0", True),
     ({"$lt": ["q", "2026-02-01"]}, "2026-01-31", True), ({"$lte": ["q", 10]}, "9", True), ({"$gt": ["q", 1]}, None, False),
     ({"$cts": ["q", "ell"]}, "Hello", True), ({"$cts": ["q", "a"]}, ["a", "b"], True), ({"$not.cts": ["q", "x"]}, "Hello", True),
     ({"$in": ["q", ["a", "b"]]}, "b", True), ({"$nin": ["q", ["a", "b"]]}, "c", True), ({"$nin": ["q", ["a"]]}, None, True),
     ({"$is.null": ["q"]}, None, True), ({"$is.null": "q"}, "x", False), ({"$not.null": ["q"]}, "x", True),
     ({"$and": [{"q": "a"}, {"$not.null": ["q"]}]}, "a", True), ({"$or": [{"q": "b"}, {"q": "a"}]}, "a", True),
     ({"$or": [{"q": "b"}, {"q": "c"}]}, "a", False)],
)  # fmt: skip
def test_operators(condition, answer, expected):
    assert holds(condition, lambda _name: answer) is expected


def form(asked):
    return forms.open_form(asked.id)


def test_a_hidden_answer_posted_by_hand_is_dropped_and_never_stored(ask, person):
    asked = ask([
        {"name": "come", "kind": "radio", "options": YES_NO},
        {"name": "food", "kind": "text", "required": True, "visible_if": {"come": "yes"},
         "mapping": {"module": "contacts", "field": "title", "direction": "write"}},
    ])  # fmt: skip
    answers = forms.read(form(asked), {"q.come": ["no"], "q.food": ["Everything"]})
    assert answers.is_good  # the hidden one is required, and blocks nothing
    assert answers.values == {"come": {"choice": "no"}}
    answering.store(SYSTEM, asked.id, answers, person)
    db.session.commit()
    assert asked.answers() == {"come": {"choice": "no"}}
    from crm.engine import search

    assert search.one(SYSTEM, "contacts", person)["title"] is None
    assert set(forms.read(form(asked), {"q.come": ["yes"]}).faults) == {"food"}


def test_what_hangs_on_a_hidden_question_is_hidden_too(ask):
    asked = ask([
        {"name": "a", "kind": "radio", "options": YES_NO},
        {"name": "b", "kind": "radio", "options": YES_NO, "visible_if": {"a": "yes"}},
        {"name": "c", "kind": "text", "visible_if": {"b": "yes"}},
    ])  # fmt: skip
    answers = forms.read(form(asked), {"q.a": ["no"], "q.b": ["yes"], "q.c": ["x"]})
    assert answers.values == {"a": {"choice": "no"}}


def test_a_question_that_is_closed_takes_no_answer_and_one_may_be_required_by_another(ask):
    asked = ask([
        {"name": "score", "kind": "nps"},
        {"name": "why", "kind": "area", "required_if": {"$lte": ["score", 6]}},
        {"name": "thanks", "kind": "text", "required": True, "enable_if": {"$gte": ["score", 9]}},
    ])  # fmt: skip
    assert set(forms.read(form(asked), {"q.score": ["3"]}).faults) == {"why"}
    assert forms.read(form(asked), {"q.score": ["8"], "q.thanks": ["x"]}).values == {"score": 8}
    assert set(forms.read(form(asked), {"q.score": ["10"]}).faults) == {"thanks"}


def test_pages_are_jumped_over_left_out_and_ended_early(ask):
    asked = ask(
        [{"name": "who", "kind": "radio", "options": [{"value": "new"}, {"value": "old"}, {"value": "nobody"}]}],
        [{"name": "first", "kind": "text", "required": True}],
        [{"name": "again", "kind": "text", "required": True}],
        [{"name": "last", "kind": "text"}],
        status="draft",
    )
    designing.change_page(SYSTEM, asked.id, asked.pages[0], {"jumps": [
        {"when": {"who": "old"}, "to": 3}, {"when": {"who": "nobody"}, "to": "end"}]})  # fmt: skip
    designing.change_page(SYSTEM, asked.id, asked.pages[2], {"visible_if": {"who": "old"}})
    asked.set(status="active")
    assert forms.read(form(asked), {"q.who": ["new"], "q.first": ["x"], "q.again": ["y"]}).values.keys() == {
        "who",
        "first",
    }
    old = forms.read(form(asked), {"q.who": ["old"], "q.first": ["x"], "q.again": ["y"], "q.last": ["z"]})
    assert old.values.keys() == {"who", "again", "last"}
    nobody = forms.read(form(asked), {"q.who": ["nobody"], "q.first": ["x"], "q.last": ["z"]})
    assert (nobody.is_good, nobody.values.keys()) == (True, {"who"})
    assert nobody.walk.stops() == [1]


def test_circles_are_refused_when_they_are_saved(ask):
    asked = ask(
        [{"name": "a", "kind": "text"}, {"name": "b", "kind": "text", "visible_if": {"a": "x"}}],
        [{"name": "c", "kind": "text"}],
    )
    change = designing.change_question
    for name, condition in (("a", {"a": "x"}), ("a", {"b": "x"})):
        with pytest.raises(Refused, match="depend on themselves"):
            change(SYSTEM, asked.id, asked.questions[name], {"visible_if": condition})
        db.session.rollback()
    with pytest.raises(Refused, match="depend on themselves"):  # a page that is led to by an answer on itself
        designing.change_page(SYSTEM, asked.id, asked.pages[1], {"visible_if": {"c": "x"}})
    db.session.rollback()
    change(
        SYSTEM, asked.id, asked.questions["b"], {"visible_if": {"c": "x"}}
    )  # a later question may decide, without a circle
    designing.change_page(SYSTEM, asked.id, asked.pages[0], {"jumps": [{"when": {"a": "x"}, "to": "end"}]})
    with pytest.raises(Refused, match="forward"):
        designing.change_page(SYSTEM, asked.id, asked.pages[1], {"jumps": [{"when": {"a": "x"}, "to": 1}]})


def test_a_question_that_others_ask_keeps_its_name_and_stays(ask):
    asked = ask(
        [{"name": "a", "kind": "radio", "options": AB}, {"name": "b", "kind": "text", "visible_if": {"a": "a"}}]
    )
    with pytest.raises(Refused, match="b"):
        designing.delete_question(SYSTEM, asked.id, asked.questions["a"])
    with pytest.raises(Refused, match="ask it"):
        designing.change_question(SYSTEM, asked.id, asked.questions["a"], {"name": "c"})
    assert set(load(asked.id).by_name) == {"a", "b"}
