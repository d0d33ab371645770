"""Phone: a telephone number."""

from typing import Any

from surveys.kinds.base import Kind, Question
from surveys.kinds.text import as_typed


class Phone(Kind):
    name, label, icon = "phone", "Phone number", "phone"
    fits = frozenset({"phone", "text", "long_text"})

    def clean(self, question: Question, raw: Any) -> Any:
        return None if raw in (None, "") else as_typed("phone", str(raw)[:500])
