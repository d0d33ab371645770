"""File: what somebody attaches. The bytes are checked and kept by surveys/files.py; the answer names them."""

from collections.abc import Sequence
from typing import Any

from crm.words import _
from surveys.kinds.base import Kind, Part, Question, Read, Setting, Wrong

MOST_FILES, MOST_MEGABYTES = 5, 10


class File(Kind):
    name, label, icon, counts = "file", "File", "paperclip", "files"
    settings = (
        Setting("most", "Files at most", "whole", 1, MOST_FILES, default=1),
        Setting("megabytes", "Megabytes a file", "whole", 1, MOST_MEGABYTES, default=MOST_MEGABYTES),
        Setting("types", "Endings taken", help="Such as pdf, jpg, png; empty: all but programs"),
    )
    fits = frozenset()

    def endings(self, question: Question) -> tuple[str, ...]:
        """The endings that are taken, without dots; () for all."""
        said = str(question.set("types") or "").replace(",", " ").split()
        return tuple(one.strip(".").lower() for one in said)

    def read(self, question: Question, typed: Read) -> Any:
        return [one for one in typed("") if one] or None

    def clean(self, question: Question, raw: Any) -> Any:
        """`raw`: [{"id", "name"}], opened from their seals before (surveys/files.py)."""
        if not raw:
            return None
        if not isinstance(raw, list) or not all(isinstance(one, dict) and {"id", "name"} <= set(one) for one in raw):
            raise Wrong(_("Choose a file."))
        most = min(int(question.set("most")), MOST_FILES)
        if len(raw) > most:
            raise Wrong(_("At most %(most)s files; there are %(count)s.", most=most, count=len(raw)))
        return [{"id": one["id"], "name": one["name"]} for one in raw]

    def typed(self, question: Question, value: Any) -> dict[str, list[str]]:
        return {}  # their seals are made for one page at a time

    def parts(self, question: Question, value: Any) -> list[Part]:
        return [Part(text=one["name"], file_id=one["id"]) for one in value]

    def value_of(self, parts: Sequence[Part]) -> Any:
        return [{"id": one.file_id, "name": one.text or ""} for one in parts] or None

    def plain(self, value: Any) -> Any:
        return [one["name"] for one in value] if value else None

    def words(self, question: Question, value: Any) -> str:
        return ", ".join(one["name"] for one in value or ())

    def from_field(self, question: Question, value: Any) -> Any:
        return None
