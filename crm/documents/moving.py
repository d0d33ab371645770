"""Rows of a sheet that repeat or vanish move the rows below; here every address that points at them follows (spec/sales.md S61)."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

Own = tuple[int, int]  # a formula's row in the template, and which copy of it this is

# Functions of a list: one cell of a row that repeats means all its copies there, as a person who writes SUM(D5) expects.
_OVER = r"(?:SUM|AVERAGE|COUNT|COUNTA|MIN|MAX|PRODUCT|MEDIAN|SUBTOTAL|SUMPRODUCT|SUMIFS?|COUNTIFS?|AVERAGEIFS?)"
_BEFORE = re.compile(rf"(?i)\b{_OVER}\((?:[^()]*[;,])?\s*$")
_AFTER = re.compile(r"\s*[;,)]")
_CELL = r"(?P<column>\$?[A-Z]{1,3})(?P<mark>\$?)(?P<row>\d{1,7})"
_SECOND = r"(?P<column2>\$?[A-Z]{1,3})(?P<mark2>\$?)(?P<row2>\d{1,7})"
_NAME = r"'(?:[^']|'')+'"
EXCEL = re.compile(
    rf"(?<![\w.$!'\]\[])(?:(?P<sheet>{_NAME}|[\w.]+)!)?{_CELL}(?P<colon>:{_SECOND})?(?![\w(.!:\[])", re.IGNORECASE
)
"""`A1`, `$A$1:B2`, `Sheet!A1`, `'My sheet'!A1`."""
_CALC = rf"(?P<sheet>\$?(?:{_NAME}|[^\W\d]\w*))?\.{_CELL}(?P<colon>:(?:\$?(?:{_NAME}|[^\W\d]\w*))?\.{_SECOND})?"
CALC = re.compile(rf"\[{_CALC}\]", re.IGNORECASE)
"""`[.A1]`, `[$Sheet.$A$1:.B2]`: as formulas of Calc have them."""
ADDRESS = re.compile(_CALC, re.IGNORECASE)
"""The same without brackets: as other places of a Calc file have them."""


@dataclass
class Moves:
    """Where the rows of one sheet went. `went`: number in the template → the new numbers, none when it vanished."""

    went: dict[int, list[int]] = field(default_factory=dict)
    spans: dict[int, int] = field(default_factory=dict)  # rows that one entry stands for, where they are several

    def of(self, row: int) -> list[int]:
        """The new numbers of a row. A row that the file does not write keeps its distance to those before it."""
        if row in self.went:
            return self.went[row]
        moved = sum(self.spans.get(one, 1) * (len(to) - 1) for one, to in self.went.items() if one < row)
        return [max(row + moved, 1)]

    @cached_property
    def is_still(self) -> bool:
        """Whether every row stayed where it was. Asked once all are told."""
        return all(to == [row] for row, to in self.went.items())

    def span(self, first: int, last: int, own: Own | None = None) -> tuple[int, int] | None:
        """The new first and last row of a range; None when all of it vanished. A formula in a row that repeats means its own copy."""
        starts, ends = self.of(first), self.of(last)
        if own is not None:
            count = len(self.of(own[0]))
            if count > 1 and len(starts) == len(ends) == count:
                return starts[own[1]], ends[own[1]]
        if first == last:
            return (starts[0], starts[-1]) if starts else None
        start = next((to[0] for row in range(first, last + 1) if (to := self.of(row))), None)
        end = next((to[-1] for row in range(last, first - 1, -1) if (to := self.of(row))), None)
        return (start, end) if start is not None and end is not None else None

    def copies(self, first: int, last: int) -> list[tuple[int, int]]:
        """A range that belongs to its row (merged cells): once for each copy of it."""
        starts, ends = self.of(first), self.of(last)
        if len(starts) == len(ends):
            return list(zip(starts, ends, strict=True))
        found = self.span(first, last)
        return [found] if found else []


def moved_formula(
    text: str, grammar: re.Pattern[str], moves: Mapping[str, Moves], sheet: str, own: Own | None = None, gone: str = "0"
) -> str:
    """A formula whose addresses follow. `sheet`: where it stands, "" for none; `own`: its row; `gone`: written for rows that vanished."""
    parts = re.split(r'("(?:[^"]|"")*")', text)
    for place in range(0, len(parts), 2):
        parts[place] = grammar.sub(_follow(moves, sheet, own, gone), parts[place])
    return "".join(parts)


def _follow(moves: Mapping[str, Moves], sheet: str, own: Own | None, gone: str) -> Callable[[re.Match[str]], str]:
    def follow(found: re.Match[str]) -> str:
        named = plain_sheet(found["sheet"]) if found["sheet"] else sheet
        its = moves.get(named)
        if its is None or its.is_still:
            return found[0]
        first = int(found["row"])
        span = its.span(first, int(found["row2"] or first), own if named == sheet else None)
        if span is None:
            return gone
        whole, base = found[0], found.start()
        begin = whole[: found.end("mark") - base]
        closing = "]" if whole.endswith("]") else ""
        if found["colon"]:
            until = whole[found.start("colon") - base : found.end("mark2") - base]
            return f"{begin}{span[0]}{until}{span[1]}{closing}"
        is_list = not sheet or (_BEFORE.search(found.string[:base]) and _AFTER.match(found.string[found.end() :]))
        if span[0] == span[1] or not is_list:
            return f"{begin}{span[0]}{closing}"
        dot = "" if found.re is EXCEL else "."
        return f"{begin}{span[0]}:{dot}{found['column']}{found['mark']}{span[1]}{closing}"

    return follow


def plain_sheet(name: str) -> str:
    """The name of a sheet as formulas write it, plain."""
    name = name.lstrip("$")
    return name[1:-1].replace("''", "'") if name.startswith("'") else name
