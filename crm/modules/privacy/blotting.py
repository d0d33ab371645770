"""Names and addresses of one person, and making them unreadable in texts that stay: tickets, activities, notes."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import String, Table, Text, select, update

from crm.db import Entity, db
from crm.engine import text_index
from crm.engine.history import Change
from crm.engine.registry import modules

BLOT = "…"
SHORTEST = 3  # letters of a name that is looked for
AT_ONCE = 500


class Words:
    """What is looked for. `marks` tell one person from others (addresses, numbers, the whole name); `names` are common words."""

    def __init__(self, marks: Iterable[str], names: Iterable[str]) -> None:
        self.marks = sorted(
            {one.strip() for one in marks if one and len(one.strip()) > SHORTEST}, key=len, reverse=True
        )
        self.names = sorted(
            {one.strip() for one in names if one and len(one.strip()) >= SHORTEST}, key=len, reverse=True
        )
        parts = [re.escape(one) for one in self.marks] + [rf"\b{re.escape(one)}\b" for one in self.names]
        self._pattern = re.compile("|".join(parts), re.IGNORECASE) if parts else None

    def blot(self, text: str) -> str:
        """The text without them."""
        return self._pattern.sub(BLOT, text) if self._pattern else text

    def are_in(self, text: str) -> bool:
        """Whether the text tells of this person and nobody else: one of the marks is in it."""
        lower = text.lower()
        return any(mark.lower() in lower for mark in self.marks)

    def are_in_bytes(self, data: bytes) -> bool:
        """The same of a file whose encoding is not known."""
        return any(self.are_in(data.decode(encoding, "ignore")) for encoding in ("utf-8", "latin-1", "utf-16-le"))


def blot_rows(table: Table, ids: Sequence[int], words: Words) -> int:
    """Make the words unreadable in every text of the rows, and in their history; gives how many rows were changed."""
    texts = [column for column in table.columns if isinstance(column.type, String | Text) and not column.foreign_keys]
    count = 0
    for start in range(0, len(ids), AT_ONCE):
        some = ids[start : start + AT_ONCE]
        for row in db.session.execute(select(table.c.id, *texts).where(table.c.id.in_(some))).mappings().all():
            fresh = {
                column.key: clean
                for column in texts
                if isinstance(value := row[column.key], str) and (clean := words.blot(value)) != value
            }
            if fresh:
                db.session.execute(update(table).where(table.c.id == row["id"]).values(fresh))
                count += 1
        if table.name in modules and modules[table.name].is_record:
            blot_history(some, words)
            name_again(table.name, some)
    return count


def blot_history(ids: Sequence[int], words: Words) -> None:
    """The same in the change log of records."""
    log = Change.__table__
    said = select(log.c.id, log.c.old, log.c.new).where(log.c.entity_id.in_(ids))
    for row in db.session.execute(said).all():
        old, new = (words.blot(one) if one else one for one in (row.old, row.new))
        if (old, new) != (row.old, row.new):
            db.session.execute(update(log).where(log.c.id == row.id).values(old=old, new=new))


def name_again(key: str, ids: Sequence[int]) -> None:
    """Write label and search index of records anew, from what stands in their table now."""
    module = modules[key]
    for start in range(0, len(ids), AT_ONCE):
        said = select(module.table).where(module.table.c.id.in_(ids[start : start + AT_ONCE]))
        rows: dict[int, dict[str, Any]] = {row["id"]: dict(row) for row in db.session.execute(said).mappings().all()}
        for id, row in rows.items():
            db.session.execute(update(Entity).where(Entity.id == id).values(label=module.label_of(row)))
        text_index.index_many(module, {id: row for id, row in rows.items() if row["deleted_at"] is None})
