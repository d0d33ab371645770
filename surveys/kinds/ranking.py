"""Ranking: options put in order, the dearest first; without a script by choosing a place for each."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from crm.words import _
from surveys.kinds.base import Kind, Part, Question, Read, Setting, Wrong


class Ranking(Kind):
    name, label, icon, takes_options, counts = "ranking", "Order", "list-numbers", True, "ranks"
    settings = (Setting("most", "Only the first", "whole", 1, 50, help="Empty: all options get a place"),)
    fits = frozenset({"long_text"})

    def places(self, question: Question) -> int:
        """How many places there are to give."""
        return min(int(question.set("most") or len(question.options)), len(question.options))

    def read(self, question: Question, typed: Read) -> Any:
        said = {one.value: next(iter(typed(str(at))), "").strip() for at, one in enumerate(question.options)}
        return {value: place for value, place in said.items() if place} or None

    def clean(self, question: Question, raw: Any) -> Any:
        if raw is None:
            return None
        places = self.places(question)
        if isinstance(raw, list):
            raw = {value: str(place) for place, value in enumerate(raw, 1) if isinstance(value, str)}
        if not isinstance(raw, dict) or any(question.option(value) is None for value in raw):
            raise Wrong(_("Choose from the options."))
        taken: dict[int, str] = {}
        for value, said in raw.items():
            if not (isinstance(said, str) and said.isascii() and said.isdigit() and 1 <= int(said[:4]) <= places):
                raise Wrong(_("Places go from 1 to %(most)s.", most=places))
            if int(said) in taken:
                raise Wrong(_("Place %(place)s was given twice.", place=said))
            taken[int(said)] = value
        if len(taken) < places:
            raise Wrong(_("Give each place from 1 to %(most)s.", most=places))
        return [taken[place] for place in sorted(taken)]

    def typed(self, question: Question, value: Any) -> dict[str, list[str]]:
        at = {one.value: str(place) for place, one in enumerate(question.options)}
        return {at[one]: [str(place)] for place, one in enumerate(value or (), 1) if one in at}

    def parts(self, question: Question, value: Any) -> list[Part]:
        return [Part(part=one, choice=str(place), score=Decimal(place)) for place, one in enumerate(value, 1)]

    def value_of(self, parts: Sequence[Part]) -> Any:
        ordered = sorted(parts, key=lambda one: one.score or Decimal(0))
        return [one.part for one in ordered] or None

    def words(self, question: Question, value: Any) -> str:
        labels = {one.value: one.label for one in question.options}
        return ", ".join(f"{place}. {labels.get(one, one)}" for place, one in enumerate(value or (), 1))

    def written(self, question: Question, value: Any) -> Any:
        return self.words(question, value)

    def from_field(self, question: Question, value: Any) -> Any:
        return None
