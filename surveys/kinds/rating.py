"""Rating: a step of a scale, drawn as a row of choices."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, ClassVar

from crm.words import _
from surveys.kinds.base import Kind, Part, Question, Setting, Wrong


class Rating(Kind):
    name, label, icon, counts = "rating", "Rating", "star", "scores"
    settings: ClassVar[tuple[Setting, ...]] = (
        Setting("least", "Lowest step", "whole", 0, 1, default=1),
        Setting("most", "Highest step", "whole", 2, 10, default=5),
        Setting("low_label", "Words at the lowest", is_spoken=True),
        Setting("high_label", "Words at the highest", is_spoken=True),
    )
    fits = frozenset({"whole", "number", "percent", "text", "long_text"})

    def steps(self, question: Question) -> range:
        """The steps of its scale."""
        return range(int(question.set("least")), int(question.set("most")) + 1)

    def clean(self, question: Question, raw: Any) -> Any:
        if raw in (None, ""):
            return None
        steps = self.steps(question)
        said = str(raw).strip()
        if not (said.isascii() and said.isdigit() and len(said) < 4 and int(said) in steps):
            raise Wrong(_("Choose a step from %(least)s to %(most)s.", least=steps[0], most=steps[-1]))
        return int(said)

    def parts(self, question: Question, value: Any) -> list[Part]:
        return [Part(choice=str(value), score=Decimal(value))]

    def value_of(self, parts: Sequence[Part]) -> Any:
        return int(parts[0].score) if parts and parts[0].score is not None else None

    def plain(self, value: Any) -> Any:
        return None if value is None else Decimal(value)

    def words(self, question: Question, value: Any) -> str:
        return "" if value is None else str(value)

    def written(self, question: Question, value: Any) -> Any:
        return value

    def from_field(self, question: Question, value: Any) -> Any:
        try:
            return self.clean(question, str(int(value)))
        except (Wrong, TypeError, ValueError):
            return None
