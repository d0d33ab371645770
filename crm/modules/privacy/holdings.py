"""Which tables hold something about a person: what of it an export gives, and what an erasure leaves. Rooms declare theirs.

A table with a link to persons is declared here by its room, or excused with a reason; a test finds one that is neither.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from sqlalchemy import Select, Table

from crm.db import Base

Fate = Literal["keep", "unlink", "delete"]


@dataclass(frozen=True)
class Holding:
    """One column that names persons, and what becomes of its rows.

    `title`: of the section in an export; "" with a `reason` when the rows are not given out. `columns`: what is given.
    `rows`: other rows than those that name the person (ids → Select of the columns). `fate`: what an erasure does to the
    rows; `blank`: column → what stands there afterwards; `is_blotted`: names and addresses of the person are made
    unreadable in their text.
    """

    table: str
    person: str
    title: str = ""
    columns: tuple[str, ...] = ()
    reason: str = ""
    fate: Fate = "keep"
    blank: Mapping[str, Any] = field(default_factory=dict)
    is_blotted: bool = False
    rows: Callable[[Sequence[int]], Select[Any]] | None = None

    @property
    def of(self) -> Table:
        """The table itself."""
        return Base.metadata.tables[self.table]


_holdings: dict[tuple[str, str], Holding] = {}
_notes: list[Holding] = []
_erasers: list[Callable[[Any], Mapping[str, int]]] = []
_excused: dict[tuple[str, str], str] = {}


def register(*found: Holding) -> None:
    """Declare what a room holds about persons."""
    for one in found:
        _holdings[one.table, one.person] = one


def register_notes(found: Holding) -> None:
    """Declare what staff wrote about persons among themselves: in exports only where the administrator includes it."""
    if all(one.table != found.table for one in _notes):
        _notes.append(found)


def all_notes() -> list[Holding]:
    """What the rooms declared by register_notes(), of tables that this installation has."""
    return [one for one in _notes if one.table in Base.metadata.tables]


def register_eraser(erase: Callable[[Any], Mapping[str, int]]) -> None:
    """Let a room take away what no column says: erase(erasing.Person) → {what was removed: how many}, in its transaction."""
    if erase not in _erasers:
        _erasers.append(erase)


def excuse(reason: str, *columns: str) -> None:
    """Say why columns ("table.column") that look like links to persons are none, or are covered by others."""
    for said in columns:
        table, _, column = said.partition(".")
        _excused[table, column] = reason


def all_holdings() -> list[Holding]:
    """What the rooms declared, in order, of tables that this installation has."""
    return [one for one in _holdings.values() if one.table in Base.metadata.tables]


def all_erasers() -> list[Callable[[Any], Mapping[str, int]]]:
    return list(_erasers)


def excused() -> Mapping[tuple[str, str], str]:
    """(table, column) → why it is neither given out nor erased."""
    return dict(_excused)
