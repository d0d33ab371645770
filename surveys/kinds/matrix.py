"""Matrix: the same options for several rows; one choice, or several, in each."""

from collections.abc import Sequence
from typing import Any

from crm.words import _
from surveys.kinds.base import Kind, Option, Part, Question, Read, Setting, Wrong, named_lines


class Matrix(Kind):
    name, label, icon, takes_options, counts = "matrix", "Table of choices", "table", True, "rows"
    settings = (
        Setting("rows", "Rows, one a line (name: words)", "lines", is_spoken=True),
        Setting("several", "Several choices a row", "tick"),
        Setting("all_rows", "Every row must be answered", "tick"),
    )
    fits = frozenset({"long_text"})

    def spoken(self, name: str, own: str, text: str) -> str:
        return named_lines(own, text)

    def rows(self, question: Question) -> list[Option]:
        """Its rows."""
        found = []
        for place, line in enumerate(str(question.set("rows") or "").splitlines(), 1):
            value, colon, label = line.partition(":")
            if line.strip():
                found.append(Option(value.strip() if colon else f"r{place}", (label if colon else line).strip()))
        return found

    def problems(self, question: Question) -> list[str]:
        found, rows = super().problems(question), [one.value for one in self.rows(question)]
        if not rows:
            found.append(_("Add at least one row."))
        if len(set(rows)) < len(rows):
            found.append(_("Two rows have the same name."))
        if any(not (row.isascii() and row.replace("_", "").isalnum() and len(row) <= 40) for row in rows):
            found.append(_("The name of a row is letters a to z, digits and _, at most 40."))
        return found

    def read(self, question: Question, typed: Read) -> Any:
        said = {row.value: [one for one in typed(row.value) if one] for row in self.rows(question)}
        return {row: chosen for row, chosen in said.items() if chosen} or None

    def clean(self, question: Question, raw: Any) -> Any:
        if raw is None:
            return None
        rows = {one.value: one.label for one in self.rows(question)}
        if not isinstance(raw, dict) or not set(raw) <= set(rows):
            raise Wrong(_("This row does not exist."))
        values = {one.value for one in question.options}
        for row, chosen in raw.items():
            if not isinstance(chosen, list) or not chosen or not all(isinstance(one, str) for one in chosen):
                raise Wrong(_("Choose from the options."))
            if not set(chosen) <= values or len(set(chosen)) < len(chosen):
                raise Wrong(_("Choose from the options."))
            if len(chosen) > 1 and not question.set("several"):
                raise Wrong(_("Choose one in the row “%(row)s”.", row=rows[row]))
        missing = [label for row, label in rows.items() if row not in raw]
        if missing and question.set("all_rows"):
            raise Wrong(_("Choose in every row; missing: %(rows)s.", rows=", ".join(missing)))
        return {row: raw[row] for row in rows if row in raw}

    def typed(self, question: Question, value: Any) -> dict[str, list[str]]:
        return {row: list(chosen) for row, chosen in (value or {}).items()}

    def parts(self, question: Question, value: Any) -> list[Part]:
        return [Part(part=row, choice=one) for row, chosen in value.items() for one in chosen]

    def value_of(self, parts: Sequence[Part]) -> Any:
        found: dict[str, list[str | None]] = {}
        for one in parts:
            found.setdefault(one.part, []).append(one.choice)
        return found or None

    def plain(self, value: Any) -> Any:
        return [f"{row}={one}" for row, chosen in value.items() for one in chosen] if value else None

    def words(self, question: Question, value: Any) -> str:
        rows = {one.value: one.label for one in self.rows(question)}
        labels = {one.value: one.label for one in question.options}
        return "; ".join(
            f"{rows.get(row, row)}: {', '.join(labels.get(one, one) for one in chosen)}"
            for row, chosen in (value or {}).items()
        )

    def written(self, question: Question, value: Any) -> Any:
        return self.words(question, value)

    def from_field(self, question: Question, value: Any) -> Any:
        return None
