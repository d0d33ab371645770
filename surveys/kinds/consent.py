"""Consent: one tick that says yes to the words beside it; required means that without it nothing is sent."""

from collections.abc import Sequence
from typing import Any

from crm.words import _
from surveys.kinds.base import Kind, Part, Question, Setting, Wrong

YES = "yes"


class Consent(Kind):
    name, label, icon, counts = "consent", "Consent", "square-check", "choices"
    settings = (Setting("words", "Words beside the tick", is_spoken=True),)
    fits = frozenset({"checkbox", "text", "long_text"})

    def clean(self, question: Question, raw: Any) -> Any:
        if raw in (None, "", False):
            return None
        if raw is not True and raw != YES:
            raise Wrong(_("Tick the box or leave it."))
        return True

    def typed(self, question: Question, value: Any) -> dict[str, list[str]]:
        return {"": [YES]} if value else {}

    def parts(self, question: Question, value: Any) -> list[Part]:
        said = question.set("words") or question.title  # what was agreed to, as it was shown
        return [Part(choice=YES, text=str(said)[:10_000])]

    def value_of(self, parts: Sequence[Part]) -> Any:
        return True if parts else None

    def plain(self, value: Any) -> Any:
        return YES if value else None

    def words(self, question: Question, value: Any) -> str:
        return _("yes") if value else ""

    def written(self, question: Question, value: Any) -> Any:
        return True

    def from_field(self, question: Question, value: Any) -> Any:
        return None  # nobody is made to agree by what is known of him
