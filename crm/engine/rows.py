"""What reading gives: a page of rows. A row is a light mapping of field names to Python values, with labels of links."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Select, select

from crm.db import Entity, db
from crm.engine.fields import Field
from crm.engine.permissions import may, scope
from crm.engine.registry import modules
from crm.engine.ways import among, given, keys
from crm.identity.viewer import Viewer

PRINCIPALS = {"users", "groups"}  # staff know each other's names


class Row(Mapping[str, Any]):
    """One record as a viewer may see it. A field that was asked for and may not be read is None."""

    __slots__ = ("_labels", "_values", "deleted_at", "id", "label", "module", "number", "version")

    def __init__(
        self,
        module: str,
        id: int,
        label: str,
        values: dict[str, Any],
        number: str | None = None,
        version: int = 0,
        deleted_at: datetime | None = None,
    ) -> None:
        self.module, self.id, self.label, self.number = module, id, label, number
        self.version, self.deleted_at = version, deleted_at
        self._values = values
        self._labels: Mapping[int, str] = {}

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"<Row {self.module}/{self.id} {self.label!r}>"

    def label_of(self, name: str) -> str | None:
        """The label of the record that the link `name` points at; None when there is none or it may not be read."""
        value = self._values.get(name)
        return self._labels.get(value) if value is not None else None


@dataclass
class Page:
    """Rows in order. `total`: how many there are in all (None: not counted); `at_least`: there are more than that.

    `next`: the cursor to give as `after` for the rows that follow; None on the last page.
    """

    rows: list[Row] = field(default_factory=list)
    total: int | None = None
    at_least: bool = False
    next: str | None = None

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)


def name_links(viewer: Viewer, rows: Sequence[Row], fields: Mapping[str, Field]) -> None:
    """Give the rows the labels of what their links point at: one query, and one for each module with narrow rights."""
    name_all(viewer, rows, [name for name, said in fields.items() if said.is_link and said.kind.name != "file"])


def name_all(viewer: Viewer, rows: Iterable[Row], linked: Iterable[str]) -> None:
    """The same for rows of several modules at once; `linked`: the names of their link columns."""
    names, rows = list(linked), list(rows)
    ids = {value for row in rows for name in names if (value := row.get(name)) is not None}
    labels = labels_of(viewer, ids) if ids else {}
    for row in rows:
        row._labels = labels


def labels_of(viewer: Viewer, ids: Iterable[int]) -> dict[int, str]:
    """id → label of the records among `ids` that are there and may be read."""
    wanted = sorted(set(ids))
    if not wanted:
        return {}
    found: dict[str, dict[int, str]] = {}
    for id, module, label in db.session.execute(_cards(db.engine.dialect.name), {"ids": keys(wanted)}):
        found.setdefault(module, {})[id] = label
    labels: dict[int, str] = {}
    for key, known in found.items():
        if key in PRINCIPALS and viewer.kind in {"staff", "api_key", "system"}:
            labels |= known
        elif key in modules and may(viewer, "view", key):
            labels |= _readable(viewer, key, known)
    return labels


@cache
def _cards(_dialect: str) -> Select[Any]:
    cards = Entity.__table__
    said = select(cards.c.id, cards.c.module, cards.c.label)
    return said.where(given(cards.c.id, "ids"), cards.c.deleted_at.is_(None))


def _readable(viewer: Viewer, key: str, known: dict[int, str]) -> dict[int, str]:
    narrowing = scope(viewer, key)
    if narrowing is None:
        return known
    id = modules[key].table.c.id
    seen = set(db.session.execute(select(id).where(among(id, sorted(known)), narrowing)).scalars())
    return {one: label for one, label in known.items() if one in seen}
