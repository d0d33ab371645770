"""Who holds a value already: for fields that must be unique, and for those whose equal values warn of a duplicate."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import select

from crm.db import db, fold, fold_text
from crm.engine import ways
from crm.engine.module import Module
from crm.engine.permissions import scope
from crm.identity.viewer import Viewer

AT_ONCE = 5_000


def holders(module: Module, name: str, keys: Iterable[Any], viewer: Viewer | None = None) -> dict[Any, int]:
    """The lowest id of a live record for each of `keys` (folded texts, or values) that one has in field `name`.

    With a `viewer` only records that it may see count.
    """
    table, said = module.table, module.fields[name]
    column: Any = module.column(name)
    compared = fold(column) if said.kind.is_text else column
    wanted = list(keys)
    found: dict[Any, int] = {}
    narrowing = scope(viewer, module, "view") if viewer else None
    for start in range(0, len(wanted), AT_ONCE):
        keys = wanted[start : start + AT_ONCE]
        query = select(table.c.id, column).where(ways.among(compared, keys))
        if "deleted_at" in table.c:
            query = query.where(table.c.deleted_at.is_(None))
        if narrowing is not None:
            query = query.where(narrowing)
        with ways.by_index(len(keys)):
            rows = db.session.execute(query.order_by(table.c.id.desc())).all()
        found |= {fold_text(value) if said.kind.is_text else value: id for id, value in rows}
    return found


def likely(
    viewer: Viewer, module: Module, values: Mapping[str, Any], own_id: int | None = None
) -> list[tuple[str, int]]:
    """(field, id) of records that look like `values`: a warning with a link, never a refusal."""
    found = []
    for name in module.duplicates:
        value = values.get(name)
        if value:
            key = fold_text(value) if module.fields[name].kind.is_text else value
            id = holders(module, name, [key], viewer).get(key)
            if id is not None and id != own_id:
                found.append((name, id))
    return found
