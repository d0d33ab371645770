"""Date: a day that exists, between a first and a last one."""

from datetime import date
from typing import Any

from crm.words import _
from surveys.kinds.base import Kind, Question, Setting, Wrong
from surveys.kinds.text import as_typed


class Date(Kind):
    name, label, icon = "date", "Date", "calendar"
    settings = (Setting("first", "First day", "date"), Setting("last", "Last day", "date"))
    fits = frozenset({"day", "text", "long_text"})

    def clean(self, question: Question, raw: Any) -> Any:
        if raw in (None, ""):
            return None
        value = as_typed("date", str(raw))
        first, last = question.set("first"), question.set("last")
        if first and value < first:
            raise Wrong(_("This takes %(first)s or later.", first=first))
        if last and value > last:
            raise Wrong(_("This takes %(last)s or earlier.", last=last))
        return value

    def from_field(self, question: Question, value: Any) -> Any:
        return value.isoformat()[:10] if isinstance(value, date) else None
