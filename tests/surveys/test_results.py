"""Results: sums equal the raw answers, small anonymous ones are withheld, files for spreadsheets are harmless, groups are found (P57, P61)."""

import random
from collections import Counter
from datetime import date

import pytest
from sqlalchemy import Engine, event, insert

from crm.db import db
from crm.engine import records, search, timeline
from crm.engine.channels import Channel
from crm.engine.refusals import Refused
from crm.identity.viewer import SYSTEM
from surveys import answering, cuts, designing, forms, response_rows, results
from surveys.cuts import Cut
from surveys.design import load
from tests.surveys.conftest import AB

QUESTIONS = [
    {"name": "fruit", "kind": "radio", "options": AB, "settings": {"other": True}},
    {"name": "many", "kind": "checkboxes", "options": AB},
    {"name": "score", "kind": "nps"},
    {"name": "stars", "kind": "rating"},
    {"name": "age", "kind": "number"},
    {"name": "order", "kind": "ranking", "options": AB},
    {"name": "table", "kind": "matrix", "options": AB, "settings": {"rows": "x: X\ny: Y"}},
    {"name": "words", "kind": "text"},
]


def send(asked, person=None, language=None, **typed):
    form = forms.open_form(asked.id, language)
    answers = forms.read(
        form,
        {
            f"q.{name.replace('__', '.')}": value if isinstance(value, list) else [value]
            for name, value in typed.items()
        },
    )
    assert answers.is_good, answers.faults
    made = answering.store(SYSTEM, asked.id, answers, person)
    db.session.commit()
    return made


def test_sums_equal_the_raw_answers(ask):
    asked = ask(QUESTIONS)
    luck = random.Random(1)
    raw = []
    for _ in range(30):
        one = {"fruit": luck.choice("abc"), "many": luck.sample("abc", luck.randint(1, 3)), "score": str(luck.randint(0, 10)),
               "stars": str(luck.randint(1, 5)), "age": str(luck.randint(10, 90))}  # fmt: skip
        raw.append(one)
        send(asked, **one, order__0="1", order__1="3", order__2="2", table__x="a", words="Hello")
    send(asked, fruit="_other", fruit___other="Pear")
    found = {one.question.name: one for one in results.summaries(load(asked.id))}
    assert [one.answered for one in found.values()] == [31, 30, 30, 30, 30, 30, 30, 30]
    counts = Counter(one["fruit"] for one in raw) | {"_other": 1}
    assert {one.key: one.count for one in found["fruit"].counts} == counts
    assert sum(one.share for one in found["fruit"].counts) == pytest.approx(100, abs=0.3)
    assert {one.key: one.count for one in found["many"].counts} == Counter(key for one in raw for key in one["many"])
    scores = [int(one["score"]) for one in raw]
    nps = 100 * (sum(one >= 9 for one in scores) - sum(one <= 6 for one in scores)) / 30
    assert found["score"].nps == pytest.approx(nps, abs=0.06)
    assert found["score"].average == pytest.approx(sum(scores) / 30, abs=0.001)
    ages = [int(one["age"]) for one in raw]
    assert (found["age"].average, found["age"].least, found["age"].most) == (
        pytest.approx(sum(ages) / 30, abs=0.001),
        min(ages),
        max(ages),
    )
    design = load(asked.id)
    bars = results.histogram(design, design.by_name["age"])
    assert (len(bars), sum(count for _from, _to, count in bars)) == (10, 30)
    assert found["fruit"].texts == ["Pear"]  # what stands behind "something else"
    assert {(one.part, one.key): one.count for one in found["table"].counts if one.count} == {("x", "a"): 30}
    assert {(one.part, one.key) for one in found["order"].counts if one.count} == {("a", "1"), ("b", "3"), ("c", "2")}
    assert found["words"].texts[:2] == ["Hello", "Hello"]
    cross = results.crossing(design, design.by_name["fruit"], design.by_name["stars"])
    assert cross.counts == Counter((one["fruit"], one["stars"]) for one in raw)


def test_a_group_of_fields_is_one_text_an_answer_with_the_names_of_its_fields(ask):
    fields = "who: Name *\nsize: Shirt [S | L]"
    asked = ask([{"name": "guest", "kind": "panel", "settings": {"fields": fields}}])
    send(asked, guest__0__who="Vera", guest__0__size="L")
    send(asked, guest__0__who="Ari")
    (found,) = results.summaries(load(asked.id))
    assert (found.answered, found.texts) == (2, ["Name: Ari", "Name: Vera, Shirt: L"])


def test_whole_numbers_that_lie_close_together_have_a_bar_each(ask):
    asked = ask([{"name": "guests", "kind": "number"}])
    design = load(asked.id)

    def bars():
        found = results.histogram(design, design.by_name["guests"])
        return [(str(int(first)), count) for first, last, count in found if first == last]

    send(asked, guests="7")
    assert bars() == [("7", 1)]
    send(asked, guests="7")
    send(asked, guests="10")
    assert bars() == [("7", 2), ("8", 0), ("9", 0), ("10", 1)]
    send(asked, guests="7.5")
    assert (bars(), len(results.histogram(design, design.by_name["guests"]))) == ([], 10)
    send(asked, guests="9000")
    assert len(results.histogram(design, design.by_name["guests"])) == 10


def test_results_are_narrowed_by_language_way_and_account(ask, person):
    asked = ask(QUESTIONS, language="en", languages=["fi"])
    account = records.create(SYSTEM, "accounts", {"name": "Acme"}, Channel.SYSTEM)
    records.update(SYSTEM, "contacts", person, {"account_id": account}, Channel.SYSTEM)
    send(asked, person, fruit="a")
    send(asked, language="fi", fruit="b")
    count = lambda **cut: cuts.response_count(load(asked.id), Cut(**cut))  # noqa: E731
    assert [
        count(),
        count(language="fi"),
        count(account_id=account),
        count(first=date(2999, 1, 1)),
        count(source="mail"),
    ] == [2, 1, 1, 0, 0]
    (fruit, *_) = results.summaries(load(asked.id), Cut(account_id=account))
    assert [(one.key, one.count) for one in fruit.counts[:2]] == [("a", 1), ("b", 0)]


def test_anonymous_results_wait_for_five_and_hide_small_groups(ask):
    asked = ask([QUESTIONS[0], {"name": "stars", "kind": "rating"}], anonymous=True, language="en", languages=["fi"])
    design = load(asked.id)
    for n in range(4):
        send(asked, fruit="a", stars="1", language="fi" if n else "en")
    assert all(one.is_withheld and not one.counts for one in results.summaries(design))
    assert len(list(response_rows.table(design))) == 1
    assert results.histogram(design, design.by_name["stars"]) == []
    send(asked, fruit="b", stars="2")
    assert [one.answered for one in results.summaries(design)] == [5, 5]
    assert len(list(response_rows.table(design))) == 6
    assert "Person" not in next(iter(response_rows.table(design)))
    assert all(one.is_withheld for one in results.summaries(design, Cut(language="fi")))
    assert results.crossing(design, design.by_name["fruit"], design.by_name["stars"]).counts == {}


def test_a_file_for_spreadsheets_holds_every_answer_and_no_formula(ask, person):
    asked = ask(QUESTIONS)
    send(asked, person, words="=1+1", many=["a", "b"], score="9")
    send(asked, words="@SUM(A1)")
    head, first, second = list(response_rows.table(load(asked.id)))
    said = dict(zip(head, first, strict=True))
    assert (said["words"], said["many"], said["score"], said["Person"]) == ("'=1+1", "Apple, Banana", "9", "Anna Aalto")
    assert second[head.index("words")] == "'@SUM(A1)"


def test_hiding_a_question_keeps_its_answers_and_deleting_asks_first(ask):
    asked = ask(QUESTIONS)
    send(asked, words="Kept", fruit="a")
    words = asked.questions["words"]
    designing.change_question(SYSTEM, asked.id, words, {"visible": False})
    assert next(one for one in results.summaries(load(asked.id)) if one.question.name == "words").texts == ["Kept"]
    with pytest.raises(Refused, match="Type the survey's name"):
        designing.delete_question(SYSTEM, asked.id, words)
    designing.delete_question(SYSTEM, asked.id, words, "Feedback")
    assert asked.answers() == {"fruit": {"choice": "a"}}
    edition = search.one(SYSTEM, "surveys", asked.id)["edition"]
    designing.change_question(SYSTEM, asked.id, asked.questions["fruit"], {"kind": "select"})
    assert search.one(SYSTEM, "surveys", asked.id)["edition"] == edition + 1


def test_who_answered_x_with_y_is_found_and_made_a_target_group(ask, person):
    asked = ask(QUESTIONS)
    other = records.create(SYSTEM, "contacts", {"last_name": "Other", "email": "o@example.com"}, Channel.SYSTEM)
    send(asked, person, fruit="a", score="9")
    send(asked, other, fruit="b", score="3")

    def said(name, **more):
        tests = [{"survey_id": asked.id}, {"name": name}, *({key: value} for key, value in more.items())]
        return {"$has": ["survey_answers", {"$and": tests}]}

    assert [row.id for row in search.find(SYSTEM, "contacts", where=said("fruit", choice="a")).rows] == [person]
    low = {"$has": ["survey_answers", {"$and": [{"name": "score"}, {"$lte": ["score", 6]}]}]}
    assert [row.id for row in search.find(SYSTEM, "contacts", where=low).rows] == [other]
    from crm.modules.target_groups import refresh

    group = records.create(
        SYSTEM,
        "target_groups",
        {"name": "Apples", "source": "contacts", "conditions": said("fruit", choice="a")},
        Channel.SYSTEM,
    )
    refresh.refresh(SYSTEM, group, Channel.SYSTEM)
    members = search.find(SYSTEM, "target_group_members", where={"$eq": ["target_group_id", group]}).rows
    assert [row["person_id"] for row in members] == [person]


def test_answers_are_told_on_the_card_and_the_timeline_of_who_gave_them(ask, person):
    from crm.ui import cards  # noqa: F401 - the card asks the same declarations

    asked = ask(QUESTIONS)
    send(asked, person, fruit="a")
    told = [entry.sentence for entry in timeline.page(SYSTEM, "contacts", person, wanted=["survey"]).entries]
    assert told == ["Answered the survey “Feedback”"]


def test_answers_are_counted_by_the_database_whatever_their_number(ask):
    """The same few statements for ten responses and for a thousand: no work row by row."""
    asked = ask(
        [{"name": f"q{n}", "kind": "nps" if n % 2 else "radio", "options": AB if n % 2 == 0 else []} for n in range(10)]
    )
    luck, counted = random.Random(3), []
    for first, last in ((0, 10), (10, 1_000)):
        ids = [10_000 + n for n in range(first, last)]
        db.session.execute(insert(answering.RESPONSES), [
            {"id": id, "survey_id": asked.id, "edition": 1, "status": "complete", "source": "public", "completed_on": date(2026, 1, 1), "troubles": []}
            for id in ids
        ])  # fmt: skip
        rows = []
        for id in ids:
            for n in range(10):
                choice = str(luck.randint(0, 10)) if n % 2 else luck.choice("abc")
                rows.append({"survey_id": asked.id, "response_id": id, "question_id": asked.questions[f"q{n}"],
                             "name": f"q{n}", "part": "", "choice": choice, "score": int(choice) if n % 2 else None})  # fmt: skip
        db.session.execute(insert(answering.ANSWERS), rows)
        db.session.commit()
        design, said = load(asked.id), []
        note = lambda _connection, _cursor, statement, *_more, said=said: said.append(statement)  # noqa: E731
        event.listen(Engine, "before_cursor_execute", note)
        found = results.summaries(design)
        event.remove(Engine, "before_cursor_execute", note)
        assert sum(one.answered for one in found) == last * 10
        counted.append(len(said))
    assert counted[0] == counted[1] < 10
