"""Area: several lines of text."""

from typing import Any

from crm.words import _
from surveys.kinds.base import Kind, Question, Setting, Wrong

LONGEST = 10_000


class Area(Kind):
    name, label, icon = "area", "Several lines of text", "align-left"
    settings = (
        Setting("max_length", "Longest answer", "whole", 1, LONGEST, default=LONGEST),
        Setting("rows", "Lines shown", "whole", 2, 30, default=5),
        Setting("placeholder", "Example in the field", is_spoken=True),
    )

    def clean(self, question: Question, raw: Any) -> Any:
        if raw in (None, ""):
            return None
        if not isinstance(raw, str):
            raise Wrong(_("This takes text."))
        said = "".join(char for char in raw.replace("\r\n", "\n") if char.isprintable() or char in "\n\t").strip()
        most = min(int(question.set("max_length")), LONGEST)
        if len(said) > most:
            raise Wrong(_("At most %(most)s characters; there are %(count)s.", most=most, count=len(said)))
        return said or None
