"""Every kind of question: answered by a form, stored, read again, told in words; and what it refuses (spec/portal.md 4.1)."""

import io
from typing import Any

import pytest
from werkzeug.datastructures import FileStorage, MultiDict

from crm.db import db
from crm.identity.viewer import SYSTEM
from surveys import answering, designing, forms
from surveys.design import load
from surveys.kinds import ALL, KINDS
from tests.surveys.conftest import AB

ROWS = {"rows": "food: The food\nroom: The room"}
# kind, settings, what is typed by part, the value that is kept, its words
PANEL = {"fields": "name: Name *\nage: Age [number]\nsize: Size [S | L]"}
GOOD: list[tuple[str, dict[str, Any], dict[str, list[str]], Any, str]] = [
    ("text", {}, {"": ["  Hello   there "]}, "Hello there", "Hello there"),
    ("text", {"input": "number"}, {"": ["1 234,50"]}, "1234.5", "1234.5"),
    ("text", {"input": "email"}, {"": ["Anna@EXAMPLE.com"]}, "Anna@example.com", "Anna@example.com"),
    ("text", {"input": "phone"}, {"": ["+358 40 123 4567"]}, "+358 40 123 4567", "+358 40 123 4567"),
    ("text", {"input": "date"}, {"": ["24.12.2026"]}, "2026-12-24", "2026-12-24"),
    ("text", {"input": "time"}, {"": ["14:05"]}, "14:05", "14:05"),
    ("text", {"input": "url"}, {"": ["www.example.com"]}, "https://www.example.com", "https://www.example.com"),
    ("text", {"pattern": "[A-Z]{3}-[0-9]+"}, {"": ["ABC-12"]}, "ABC-12", "ABC-12"),
    ("area", {}, {"": ["One\r\ntwo"]}, "One\ntwo", "One\ntwo"),
    ("radio", {}, {"": ["b"]}, {"choice": "b"}, "Banana"),
    ("radio", {"other": True}, {"": ["_other"], "_other": ["A pear"]}, {"choice": "_other", "text": "A pear"}, "Something else: A pear"),
    ("select", {}, {"": ["c"]}, {"choice": "c"}, "Cherry"),
    ("checkboxes", {"least": 1, "most": 2}, {"": ["c", "a"]}, {"choices": ["a", "c"]}, "Apple, Cherry"),
    ("number", {"least": "0", "most": "10", "unit": "kg"}, {"": ["2,50"]}, "2.5", "2.5 kg"),
    ("date", {"first": "2026-01-01"}, {"": ["2026-02-28"]}, "2026-02-28", "2026-02-28"),
    ("email", {}, {"": ["a@example.com"]}, "a@example.com", "a@example.com"),
    ("phone", {}, {"": ["040 123"]}, "040 123", "040 123"),
    ("rating", {}, {"": ["4"]}, 4, "4"),
    ("nps", {}, {"": ["10"]}, 10, "10"),
    ("matrix", ROWS, {"food": ["a"], "room": ["c"]}, {"food": ["a"], "room": ["c"]}, "The food: Apple; The room: Cherry"),
    ("ranking", {}, {"0": ["2"], "1": ["1"], "2": ["3"]}, ["b", "a", "c"], "1. Banana, 2. Apple, 3. Cherry"),
    ("consent", {"words": "I agree to the terms"}, {"": ["yes"]}, True, "yes"),
    ("panel", PANEL, {"0.name": ["Anna"], "0.age": ["41"]}, [{"name": "Anna", "age": "41"}], "Name: Anna, Age: 41"),
    ("dynamic_panel", PANEL | {"least": 1, "most": 3}, {"0.name": ["Anna"], "2.name": ["Ben"], "2.size": ["L"]},
     [{"name": "Anna"}, {"name": "Ben", "size": "L"}], "Name: Anna; Name: Ben, Size: L"),
]  # fmt: skip
BAD: list[tuple[str, dict[str, Any], dict[str, list[str]]]] = [
    ("text", {}, {"": ["x" * 501]}),
    ("text", {"min_length": 5}, {"": ["abc"]}),
    ("text", {"input": "email"}, {"": ["nobody"]}),
    ("text", {"input": "date"}, {"": ["31.2.2026"]}),
    ("text", {"input": "number", "most": "5"}, {"": ["6"]}),
    ("text", {"pattern": "[0-9]+"}, {"": ["12a"]}),
    ("area", {}, {"": ["x" * 10_001]}),
    ("radio", {}, {"": ["d"]}),
    ("radio", {}, {"": ["a", "b"]}),
    ("radio", {}, {"": ["_other"], "_other": ["x"]}),
    ("radio", {"other": True}, {"": ["_other"]}),
    ("select", {}, {"": ["zzz"]}),
    ("checkboxes", {"least": 2}, {"": ["a"]}),
    ("checkboxes", {"most": 1}, {"": ["a", "b"]}),
    ("checkboxes", {}, {"": ["a", "d"]}),
    ("number", {}, {"": ["many"]}),
    ("number", {"whole": True}, {"": ["1,5"]}),
    ("number", {}, {"": ["NaN"]}),
    ("date", {"last": "2026-01-01"}, {"": ["2026-01-02"]}),
    ("email", {}, {"": ["a@b"]}),
    ("phone", {}, {"": ["call me"]}),
    ("rating", {}, {"": ["6"]}),
    ("rating", {}, {"": ["٣"]}),
    ("nps", {}, {"": ["-1"]}),
    ("matrix", ROWS, {"food": ["zzz"]}),
    ("matrix", ROWS, {"food": ["a", "b"]}),
    ("matrix", ROWS | {"all_rows": True}, {"food": ["a"]}),
    ("ranking", {}, {"0": ["1"], "1": ["1"], "2": ["2"]}),
    ("ranking", {}, {"0": ["1"]}),
    ("ranking", {}, {"0": ["9"]}),
    ("consent", {}, {"": ["perhaps"]}),
    ("panel", PANEL, {"0.age": ["41"]}),
    ("panel", PANEL, {"0.name": ["Anna"], "0.age": ["old"]}),
    ("panel", PANEL, {"0.name": ["Anna"], "0.size": ["XXL"]}),
    ("dynamic_panel", PANEL | {"least": 2}, {"0.name": ["Anna"]}),
]


def posted(typed: dict[str, list[str]]) -> MultiDict[str, str]:
    return MultiDict([(f"q.it.{part}" if part else "q.it", text) for part, texts in typed.items() for text in texts])


def question(kind: str, settings: dict[str, Any], **more: Any) -> dict[str, Any]:
    options = AB if KINDS[kind].takes_options else []
    return {"name": "it", "kind": kind, "options": options, "settings": settings} | more


@pytest.mark.parametrize(
    ("kind", "settings", "typed", "value", "words"), GOOD, ids=[f"{one[0]}-{n}" for n, one in enumerate(GOOD)]
)
def test_an_answer_of_each_kind_is_kept_and_read_again(ask, kind, settings, typed, value, words):
    asked = ask([question(kind, settings)])
    form = forms.open_form(asked.id)
    answers = forms.read(form, posted(typed))
    assert answers.faults == {}
    assert answers.values == {"it": value}
    answering.store(SYSTEM, asked.id, answers)
    db.session.commit()
    assert asked.answers() == {"it": value}
    design = load(asked.id)
    assert design.by_name["it"].kind.words(design.by_name["it"], value) == words
    again = forms.typed_of(design, {"it": value})
    assert len(again) == len(typed)
    assert forms.read(
        form, posted({name.removeprefix("q.it").removeprefix("."): texts for name, texts in again.items()})
    ).values == {"it": value}


@pytest.mark.parametrize(("kind", "settings", "typed"), BAD, ids=[f"{one[0]}-{n}" for n, one in enumerate(BAD)])
def test_a_wrong_answer_of_each_kind_is_refused_at_its_question(ask, kind, settings, typed):
    asked = ask([question(kind, settings)])
    answers = forms.read(forms.open_form(asked.id), posted(typed))
    assert set(answers.faults) == {"it"}
    assert answers.faults["it"]
    assert answers.typed == dict(posted(typed).lists())


def test_every_kind_that_takes_an_answer_is_in_these_lists():
    takes = {kind.name for kind in ALL if kind.has_answer} - {"file"}
    assert {one[0] for one in GOOD} == takes
    assert {one[0] for one in BAD} == takes


def test_a_choice_that_stands_alone_goes_with_no_other(ask):
    options = [*AB, {"value": "none", "label": "None of these", "exclusive": True}]
    asked = ask([{"name": "it", "kind": "checkboxes", "options": options, "settings": {"least": 2}}])
    form = forms.open_form(asked.id)
    assert "it" in forms.read(form, posted({"": ["a", "none"]})).faults
    assert forms.read(form, posted({"": ["none"]})).values == {"it": {"choices": ["none"]}}


def upload(name: str, data: bytes) -> MultiDict[str, FileStorage]:
    return MultiDict([("q.it", FileStorage(io.BytesIO(data), filename=name, content_type="application/pdf"))])


def test_a_file_is_kept_with_the_answer_and_hangs_on_the_contact(ask, person):
    from crm.engine import attachments

    asked = ask([{"name": "it", "kind": "file", "settings": {"types": "pdf, txt"}}])
    answers = forms.read(forms.open_form(asked.id), MultiDict(), upload("C:\\letters\\report.pdf", b"%PDF-1.7 words"))
    assert answers.faults == {}
    answering.store(SYSTEM, asked.id, answers, person)
    db.session.commit()
    (kept,) = asked.answers()["it"]
    assert kept["name"] == "report.pdf"
    (file,) = attachments.files_of(SYSTEM, "contacts", person)
    assert (file.id, attachments.path_of(file.sha256).read_bytes()) == (kept["id"], b"%PDF-1.7 words")


@pytest.mark.parametrize(
    ("name", "data", "is_too_large"),
    [("big.pdf", b"x" * (10 * 1024 * 1024 + 1), True), ("run.pdf", b"MZ\x90\x00", False), ("run.exe", b"abc", False),
     ("page.html", b"<script>", False)],
)  # fmt: skip
def test_files_over_the_limit_programs_and_other_endings_are_refused(ask, name, data, is_too_large):
    asked = ask([{"name": "it", "kind": "file", "settings": {"types": "pdf exe"}}])
    answers = forms.read(forms.open_form(asked.id), MultiDict(), upload(name, data))
    assert set(answers.faults) == {"it"}
    assert answers.is_too_large is is_too_large


def test_a_file_of_another_survey_is_not_taken(ask):
    one, other = (ask([{"name": "it", "kind": "file"}]) for _ in range(2))
    answers = forms.read(forms.open_form(one.id), MultiDict(), upload("a.txt", b"words"))
    form = forms.open_form(other.id)
    assert forms.read(form, answers.typed).values == {}
    (token,) = answers.typed["q.it"]
    changed = token[:-1] + ("A" if token[-1] != "A" else "B")
    assert forms.read(forms.open_form(one.id), {"q.it": [changed]}).values == {}


@pytest.mark.parametrize(
    ("values", "field"),
    [({"kind": "radio", "options": []}, "settings"), ({"kind": "radio", "options": [AB[0], AB[0]]}, "settings"),
     ({"kind": "matrix", "options": AB}, "settings"), ({"kind": "image", "settings": {"picture": "/i/a.png"}}, "settings"),
     ({"kind": "image", "settings": {"picture": "https://evil.example/a.png", "alt": "A cat"}}, "settings"),
     ({"kind": "text", "settings": {"pattern": "(["}}, "settings"), ({"kind": "text", "settings": {"max_length": "0"}}, "settings"),
     ({"kind": "rating", "settings": {"most": "eleven"}}, "settings"), ({"kind": "quiz"}, "kind"), ({"kind": "text", "title": " "}, "title"),
     ({"kind": "text", "name": "Bad name"}, "name"), ({"kind": "text", "name": "first"}, "name"),
     ({"kind": "text", "visible_if": {"$eq": ["nobody", "x"]}}, "visible_if"), ({"kind": "text", "visible_if": {"$zap": ["first", "x"]}}, "visible_if"),
     ({"kind": "text", "visible_if": ["first"]}, "visible_if"), ({"kind": "text", "mapping": {"module": "contacts", "field": "x", "direction": "both"}}, "mapping"),
     ({"kind": "radio", "options": AB, "mapping": {"module": "contacts", "field": "email_status", "direction": "write"}}, "mapping")],
)  # fmt: skip
def test_a_question_that_does_not_hold_together_is_not_saved(ask, values, field):
    from crm.engine.refusals import Refused

    asked = ask([{"name": "first", "kind": "text"}])
    with pytest.raises(Refused) as refused:
        designing.add_question(SYSTEM, asked.id, asked.pages[0], {"title": "It"} | values)
    assert field in refused.value.faults
    assert list(load(asked.id).by_name) == ["first"]
