"""Conditions on answers, and what follows from them: which pages and questions are shown, open and required.

Spelled like the conditions of the house: {"$eq": ["q1", "yes"]}, {"q1": "yes"}, {"$and": […]}, {"$or": […]}; a question that
is not shown counts as empty. What depends on itself, also by a detour, is refused when it is saved (`circles`).
"""

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from crm.db import fold_text
from crm.engine.refusals import Refused
from crm.words import _
from surveys.design import Design, Page
from surveys.kinds import Question

DEEPEST, LONGEST = 5, 50
END = "end"


def _number(value: Any) -> Decimal | None:
    try:
        return value if isinstance(value, Decimal) else Decimal(str(value))
    except InvalidOperation:
        return None


def _same(answer: Any, value: Any) -> bool:
    if isinstance(answer, list):
        return any(_same(one, value) for one in answer)
    if isinstance(answer, Decimal):
        return answer == _number(value)
    return fold_text(str(answer)) == fold_text(str(value))


def _order(answer: Any, value: Any) -> int | None:
    """-1, 0, 1 as the answer is less, the same, more; None when they cannot be compared."""
    left, right = (_number(answer), _number(value))
    if left is None or right is None:
        left, right = str(answer), str(value)  # type: ignore[assignment] # days in ISO spelling compare as text
    return (left > right) - (left < right)  # type: ignore[operator]


def _contains(answer: Any, value: Any) -> bool:
    if isinstance(answer, list):
        return _same(answer, value)
    return (fold_text(str(value)) or "") in (fold_text(str(answer)) or "")


Test = Callable[[Any, Any], bool]
OPERATORS: dict[str, tuple[str, Test]] = {  # what is asked of an answer that was given; nothing holds of an empty one
    "$eq": ("is", _same),
    "$gt": ("more than", lambda answer, value: _order(answer, value) == 1),
    "$gte": ("at least", lambda answer, value: _order(answer, value) in {0, 1}),
    "$lt": ("less than", lambda answer, value: _order(answer, value) == -1),
    "$lte": ("at most", lambda answer, value: _order(answer, value) in {0, -1}),
    "$cts": ("contains", _contains),
    "$in": ("one of", lambda answer, value: any(_same(answer, one) for one in value)),
    "$not.null": ("is answered", lambda answer, value: True),
}
OPPOSITES = {"$ne": "$eq", "$nin": "$in", "$not.cts": "$cts", "$is.null": "$not.null"}
LABELS = {"$ne": "is not", "$nin": "none of", "$not.cts": "does not contain", "$is.null": "is empty"}
NO_VALUE = {"$is.null", "$not.null"}


def holds(condition: Any, answer_of: Callable[[str], Any]) -> bool:
    """Whether a condition holds; `answer_of(name)`: the plain value of a question, None when it is empty."""
    if not condition:
        return True
    ((word, inner),) = condition.items()
    if word == "$and":
        return all(holds(one, answer_of) for one in inner)
    if word == "$or":
        return any(holds(one, answer_of) for one in inner)
    if not word.startswith("$"):
        word, inner = "$eq", [word, inner]
    name, *values = inner if isinstance(inner, list) else [inner]
    answer, value = answer_of(name), values[0] if values else None
    is_empty = answer is None or answer in ("", [])
    if word in OPPOSITES:
        return is_empty or not OPERATORS[OPPOSITES[word]][1](answer, value)
    return not is_empty and OPERATORS[word][1](answer, value)


def names(condition: Any) -> Iterator[str]:
    """The questions that a condition asks."""
    if not condition:
        return
    ((word, inner),) = condition.items()
    if word in {"$and", "$or"}:
        for one in inner:
            yield from names(one)
    elif word.startswith("$"):
        yield inner[0] if isinstance(inner, list) else inner
    else:
        yield word


def check(condition: Any, known: Mapping[str, Question], field: str, depth: int = 0) -> None:
    """Raises Refused at `field` when a condition cannot be understood or asks a question that there is not."""

    def refuse(message: str) -> None:
        raise Refused.because("bad_conditions", message, field)

    if condition in (None, {}):
        return
    if not isinstance(condition, dict) or len(condition) != 1 or depth > DEEPEST:
        refuse(_('A condition has one operator, such as {"$eq": ["q1", "yes"]}, at most five deep.'))
    ((word, inner),) = condition.items()
    if word in {"$and", "$or"}:
        if not isinstance(inner, list) or not inner or len(inner) > LONGEST:
            refuse(_("“%(word)s” takes a list of 1 to %(most)s conditions.", word=word, most=LONGEST))
        for one in inner:
            check(one or {"": ""}, known, field, depth + 1)
        return
    if not word.startswith("$"):
        word, inner = "$eq", [word, inner]
    if word not in OPERATORS and word not in OPPOSITES:
        refuse(_("There is no operator “%(word)s”.", word=word))
    said = inner if isinstance(inner, list) else [inner]
    if not said or not isinstance(said[0], str) or said[0] not in known:
        refuse(_("There is no question “%(name)s”.", name=str(said[0])[:60] if said else ""))
    if not known[said[0]].kind.has_answer:
        refuse(_("“%(name)s” is no question, so it has no answer.", name=said[0]))
    values = said[1:]
    if len(values) != (0 if word in NO_VALUE else 1):
        refuse(_("“%(word)s” takes one value.", word=word))
    if word in {"$in", "$nin"}:
        if not isinstance(values[0], list) or not all(isinstance(one, (str, int, float)) for one in values[0]):
            refuse(_("“%(word)s” takes a list of values.", word=word))
    elif values and not isinstance(values[0], (str, int, float)):
        refuse(_("“%(word)s” takes one value.", word=word))


class Walk:
    """The way of one set of answers through a survey. `plain`: what was answered, by question, as conditions compare it."""

    def __init__(self, design: Design, plain: Mapping[str, Any]) -> None:
        self.design, self._plain = design, plain
        self._shown: dict[str, bool] = {}
        self._reached: dict[int, bool] = {}
        self._goal: dict[int, int] = {}  # page → the place that follows it

    def answer(self, name: str) -> Any:
        """The answer to a question as far as it counts: None when the question is not shown or cannot be answered."""
        question = self.design.by_name.get(name)
        if question is None or not self.is_open(question):
            return None
        return self._plain.get(name)

    def is_reached(self, place: int) -> bool:
        """Whether the way leads over a page: nothing jumps over it, its condition holds."""
        if place not in self._reached:
            page = self.design.page(place)
            self._reached[place] = self._is_led_to(place) and holds(page.visible_if, self.answer)
        return self._reached[place]

    def _is_led_to(self, place: int) -> bool:
        return all(self._next_of(before) <= place for before in range(1, place) if self.is_reached(before))

    def _next_of(self, place: int) -> int:
        if place not in self._goal:
            page, last = self.design.page(place), len(self.design.pages) + 1
            self._goal[place] = next(
                (last if to == END else int(to) for when, to in page.jumps if holds(when, self.answer)), place + 1
            )
        return self._goal[place]

    def is_shown(self, question: Question) -> bool:
        """Whether a question is seen at all."""
        if question.name not in self._shown:
            self._shown[question.name] = (
                question.visible and self.is_reached(question.page) and holds(question.visible_if, self.answer)
            )
        return self._shown[question.name]

    def is_open(self, question: Question) -> bool:
        """Whether a question is seen and can be answered."""
        return self.is_shown(question) and holds(question.enable_if, self.answer)

    def is_required(self, question: Question) -> bool:
        """Whether an answer is demanded: never of what is hidden or closed."""
        if not question.kind.has_answer or not self.is_open(question):
            return False
        return question.required or bool(question.required_if and holds(question.required_if, self.answer))

    def shows_something(self, page: Page) -> bool:
        """Whether a page is worth stopping at: the way leads there and something is shown."""
        if not self.is_reached(page.place):
            return False
        return any(self.is_shown(question) for question in page.questions)

    def stops(self) -> list[int]:
        """The places of the pages that are shown, in order."""
        return [page.place for page in self.design.pages if self.shows_something(page)]


def circles(design: Design) -> list[str]:
    """The questions and pages that depend on themselves, by a detour too; each as its name. Empty when all is well."""
    needs: dict[str, set[str]] = {}
    for page in design.pages:
        key = f"page {page.place}"
        needs[key] = set(names(page.visible_if))
        for before in design.pages[: page.place - 1]:
            for when, _to in before.jumps:
                needs[key] |= set(names(when))
            if before.jumps:
                needs[key].add(f"page {before.place}")
        for question in page.questions:
            asked = [*names(question.visible_if), *names(question.enable_if), *names(question.required_if)]
            needs[question.name] = {key, *asked}
    found, done = [], set[str]()
    for start in needs:
        if start not in done and _comes_back(start, needs, done):
            found.append(start)
    return found


def _comes_back(start: str, needs: Mapping[str, set[str]], done: set[str]) -> bool:
    """Whether a walk along needs from `start` meets itself; `done` keeps what was found to be free of circles."""
    open_now: list[str] = []
    stack: list[tuple[str, Iterator[str]]] = [(start, iter(needs.get(start, ())))]
    open_now.append(start)
    while stack:
        name, rest = stack[-1]
        following = next((one for one in rest if one not in done), None)
        if following is None:
            stack.pop()
            open_now.pop()
            done.add(name)
        elif following in open_now:
            return True
        else:
            stack.append((following, iter(needs.get(following, ()))))
            open_now.append(following)
    return False
