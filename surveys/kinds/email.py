"""E-mail: an address."""

from typing import Any

from surveys.kinds.base import Kind, Question
from surveys.kinds.text import as_typed


class Email(Kind):
    name, label, icon = "email", "E-mail address", "mail"
    fits = frozenset({"email", "text", "long_text"})

    def clean(self, question: Question, raw: Any) -> Any:
        return None if raw in (None, "") else as_typed("email", str(raw)[:500])
