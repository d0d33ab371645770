"""What came of a survey: counts, shares, averages, NPS and crossings, each by one statement of the database."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from sqlalchemy import and_, func, select

from crm.db import db
from crm.words import _
from surveys.answering import ANSWERS, RESPONSES
from surveys.cuts import LEAST, Cut, is_withheld, may_be_cut, response_count
from surveys.design import Design
from surveys.kinds import OTHER, Question
from surveys.kinds.base import Part
from surveys.kinds.matrix import Matrix
from surveys.kinds.panel import Panel
from surveys.kinds.radio import other_words


@dataclass(frozen=True)
class Count:
    """How often one thing was chosen, and its share of those who answered the question (0 to 100)."""

    key: str
    label: str
    count: int
    share: float
    part: str = ""


@dataclass
class Summary:
    """The results of one question. `answered`: responses that answered it. `counts`: by option, step or row and option.

    `average` of scores; `nps`: -100 to 100, with `promoters`, `passives`, `detractors`; `texts`: the newest ones.
    """

    question: Question
    answered: int = 0
    counts: list[Count] = field(default_factory=list)
    average: float | None = None
    least: Decimal | None = None
    most: Decimal | None = None
    nps: float | None = None
    promoters: int = 0
    passives: int = 0
    detractors: int = 0
    texts: list[str] = field(default_factory=list)
    files: list[tuple[int, str]] = field(default_factory=list)
    is_withheld: bool = False

    def part_label(self, part: str) -> str:
        """What a row of a table, or an option that was put in order, is called."""
        rows = (
            self.question.kind.rows(self.question) if isinstance(self.question.kind, Matrix) else self.question.options
        )
        return next((one.label for one in rows if one.value == part), part)


@dataclass(frozen=True)
class Crossing:
    """Two questions against each other: counts by (row, column)."""

    rows: list[tuple[str, str]]
    columns: list[tuple[str, str]]
    counts: Mapping[tuple[str, str], int]


def summaries(design: Design, cut: Cut | None = None) -> list[Summary]:
    """The results of every question, in order: four statements, whatever the number of questions and answers."""
    cut = cut or Cut()
    found = {question.id: Summary(question) for question in design.questions if question.kind.has_answer}
    if not may_be_cut(design, cut) or is_withheld(design, response_count(design, cut)):
        for one in found.values():
            one.is_withheld = True
        return list(found.values())
    for id, count in db.session.execute(_within(design, cut, [_answered()], [ANSWERS.c.question_id])):
        if id in found:
            found[id].answered = count
    choices: dict[int, dict[tuple[str, str], int]] = {}
    columns = [ANSWERS.c.part, ANSWERS.c.choice, func.count()]
    groups = [ANSWERS.c.question_id, ANSWERS.c.part, ANSWERS.c.choice]
    for id, part, choice, count in db.session.execute(
        _within(design, cut, columns, groups, ANSWERS.c.choice.is_not(None))
    ):
        choices.setdefault(id, {})[part, choice] = count
    scores = [func.avg(ANSWERS.c.score), func.min(ANSWERS.c.score), func.max(ANSWERS.c.score)]
    groups = [ANSWERS.c.question_id]
    for id, average, least, most in db.session.execute(
        _within(design, cut, scores, groups, ANSWERS.c.score.is_not(None))
    ):
        if id in found and found[id].question.kind.counts != "ranks":
            found[id].average, found[id].least, found[id].most = _scaled(average), least, most
    for id, one in found.items():
        one.counts = _counts(one, choices.get(id, {}))
        _say_nps(one, choices.get(id, {}))
        if one.question.kind.counts in {"texts", "files"} or one.question.set("other"):
            _say_texts(design, one, cut)
        if design.row["anonymous"] and not cut.is_whole and one.answered < LEAST:
            found[id] = Summary(one.question, is_withheld=True)
    return list(found.values())


def _scaled(average: Any) -> float | None:
    """An average of a column that is kept in ten-thousandths."""
    if average is None:
        return None
    return round(float(average) / 10_000, 4)


def _answered() -> Any:
    return func.count(ANSWERS.c.response_id.distinct())


def _within(design: Design, cut: Cut, columns: list[Any], groups: list[Any], *more: Any) -> Any:
    """Counts of answers by `groups`; without a cut no look at the responses is needed but that they are complete."""
    keys = [group for group in groups if group is ANSWERS.c.question_id or group not in columns]
    said = select(*keys, *columns).select_from(ANSWERS).where(ANSWERS.c.survey_id == design.id, *more)
    ids = select(RESPONSES.c.id).where(*cut.conditions(design.id))
    pending = select(RESPONSES.c.id).where(RESPONSES.c.survey_id == design.id, RESPONSES.c.status != "complete")
    if cut.is_whole:
        said = said.where(ANSWERS.c.response_id.not_in(pending))
    else:
        said = said.where(ANSWERS.c.response_id.in_(ids))
    return said.group_by(*groups)


def _counts(one: Summary, found: Mapping[tuple[str, str], int]) -> list[Count]:
    """Every option with its count, those that nobody chose too, in the order of the question."""
    question, total = one.question, one.answered or 1
    known = list(_keys(question))
    known += [(part, key, key) for part, key in found if (part, key) not in {(p, k) for p, k, _label in known}]
    return [
        Count(key, label, found.get((part, key), 0), round(100 * found.get((part, key), 0) / total, 1), part)
        for part, key, label in known
    ]


def _keys(question: Question) -> Iterator[tuple[str, str, str]]:
    """(part, key, label) of all that can be chosen."""
    kind: Any = question.kind
    if kind.counts in {"choices"} and kind.takes_options:
        yield from (("", one.value, one.label) for one in question.options)
        if question.set("other"):
            yield "", OTHER, other_words(question)
    elif kind.counts == "rows":
        for row in kind.rows(question):
            yield from ((row.value, one.value, one.label) for one in question.options)
    elif kind.counts == "ranks":
        for one in question.options:
            yield from ((one.value, str(place), str(place)) for place in range(1, kind.places(question) + 1))
    elif hasattr(kind, "steps"):
        yield from (("", str(step), str(step)) for step in kind.steps(question))
    elif kind.name == "consent":
        yield "", "yes", _("yes")


def _say_nps(one: Summary, found: Mapping[tuple[str, str], int]) -> None:
    if one.question.kind.counts != "nps" or not one.answered:
        return
    by_step = {int(choice): count for (_part, choice), count in found.items() if choice.isdigit()}
    one.promoters = sum(count for step, count in by_step.items() if step >= 9)
    one.passives = sum(count for step, count in by_step.items() if step in {7, 8})
    one.detractors = sum(count for step, count in by_step.items() if step <= 6)
    one.nps = round(100 * (one.promoters - one.detractors) / one.answered, 1)


def _say_texts(design: Design, one: Summary, cut: Cut, limit: int = 50) -> None:
    if isinstance(one.question.kind, Panel):
        one.texts = _groups(design, one.question, cut, limit)
        return
    said = select(ANSWERS.c.text, ANSWERS.c.file_id).where(
        ANSWERS.c.question_id == one.question.id, ANSWERS.c.text.is_not(None),
        ANSWERS.c.response_id.in_(select(RESPONSES.c.id).where(*cut.conditions(design.id))),
    )  # fmt: skip
    for row in db.session.execute(said.order_by(ANSWERS.c.id.desc()).limit(limit)):
        if row.file_id is not None:
            one.files.append((row.file_id, row.text))
        else:
            one.texts.append(row.text)


def _groups(design: Design, question: Question, cut: Cut, limit: int) -> list[str]:
    """The newest groups of fields, those of one answer in one text, each field with what it is called."""
    c = ANSWERS.c
    among = [c.question_id == question.id, c.response_id.in_(select(RESPONSES.c.id).where(*cut.conditions(design.id)))]
    newest = select(c.response_id).where(*among).group_by(c.response_id).order_by(func.max(c.id).desc()).limit(limit)
    order = list(db.session.execute(newest).scalars())
    held: dict[int, list[Part]] = {id: [] for id in order}
    rows = select(c.response_id, c.part, c.text).where(*among, c.response_id.in_(order)).order_by(c.id)
    for row in db.session.execute(rows):
        held[row.response_id].append(Part(part=row.part, text=row.text))
    return [question.kind.words(question, question.kind.value_of(held[id])) for id in order]


def histogram(
    design: Design, question: Question, cut: Cut | None = None, bars: int = 10
) -> list[tuple[Decimal, Decimal, int]]:
    """(from, to, count) of a number question, in equal steps from the least to the most; whole numbers that lie close
    together, and one number alone, have a bar each: from and to are the same then."""
    cut = cut or Cut()
    where = [
        ANSWERS.c.question_id == question.id, ANSWERS.c.score.is_not(None),
        ANSWERS.c.response_id.in_(select(RESPONSES.c.id).where(*cut.conditions(design.id))),
    ]  # fmt: skip
    rows = db.session.execute(select(ANSWERS.c.score, func.count()).where(*where).group_by(ANSWERS.c.score)).all()
    if not rows or not may_be_cut(design, cut) or is_withheld(design, sum(count for _score, count in rows)):
        return []
    least, most = min(score for score, _count in rows), max(score for score, _count in rows)
    if least == most or (most - least < 2 * bars and all(score == int(score) for score, _count in rows)):
        by_score = {Decimal(score): count for score, count in rows}
        each = [Decimal(least + at) for at in range(int(most - least) + 1)]
        return [(score, score, by_score.get(score, 0)) for score in each]
    width = (most - least) / bars
    counts = [0] * bars
    for score, count in rows:
        counts[min(int((score - least) / width), bars - 1)] += count
    return [(least + width * at, least + width * (at + 1), count) for at, count in enumerate(counts)]


def crossing(design: Design, rows: Question, columns: Question, cut: Cut | None = None) -> Crossing:
    """How answers to two questions that are counted by options go together; of anonymous surveys none, when a group is too small to show."""
    cut = cut or Cut()
    one, other = ANSWERS.alias(), ANSWERS.alias()
    joined = one.join(other, and_(other.c.response_id == one.c.response_id, other.c.question_id == columns.id))
    where = [
        one.c.question_id == rows.id, one.c.choice.is_not(None), other.c.choice.is_not(None),
        one.c.response_id.in_(select(RESPONSES.c.id).where(*cut.conditions(design.id))),
    ]  # fmt: skip
    said = select(one.c.choice, other.c.choice, func.count()).select_from(joined).where(*where)
    said = said.group_by(one.c.choice, other.c.choice)
    counts = {(row[0], row[1]): row[2] for row in db.session.execute(said)}
    if design.row["anonymous"] and (not may_be_cut(design, cut) or any(count < LEAST for count in counts.values())):
        counts = {}  # one hidden cell could be reckoned from the sums beside it, so all are
    return Crossing(
        _labels(rows, {row for row, _column in counts}), _labels(columns, {column for _row, column in counts}), counts
    )


def _labels(question: Question, used: Iterable[str]) -> list[tuple[str, str]]:
    known = [(key, label) for _part, key, label in _keys(question)]
    return known + [(key, key) for key in sorted(set(used) - {key for key, _label in known})]
