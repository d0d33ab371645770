"""What is said about content that cannot be used, or was changed: with line and column, and never losing the text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from crm.words import _


@dataclass(frozen=True, slots=True)
class ContentProblem:
    """One mistake or warning. `field`: subject, source, text, preheader, sender …; line and column from 1, 0 = no place.

    `severity` is error (cannot be activated or sent) or warning."""

    message: str
    field: str = "source"
    line: int = 0
    column: int = 0
    severity: str = "error"

    def __str__(self) -> str:
        return (
            _("Line %(line)s, column %(column)s: %(message)s", line=self.line, column=self.column, message=self.message)
            if self.line
            else self.message
        )


@dataclass(frozen=True, slots=True)
class Removed:
    """Something that sanitising took out of the source, and where it was."""

    what: str
    line: int
    column: int

    def __str__(self) -> str:
        return _("Line %(line)s, column %(column)s: %(what)s", line=self.line, column=self.column, what=self.what)


class ContentRefused(ValueError):
    """Content that cannot be compiled. `problems` say why, each with its place."""

    def __init__(self, problems: Sequence[ContentProblem]) -> None:
        super().__init__("; ".join(str(problem) for problem in problems))
        self.problems = tuple(problems)
