"""Fields of records → the texts that tags print, in the recipient's language, and the stored values that {if} asks."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

Present = Callable[[Any, Any, str], str]
"""(field, value, locale) → what a person reads: dates, numbers and money in that language, the label of a picklist,
several joined by comma, yes or no, the name of a linked record."""


def gather(
    names: Iterable[str], read: Callable[[str], tuple[Any, Any] | None], present: Present, locale: str
) -> tuple[dict[str, str], dict[str, str]]:
    """(`values`, `raw`) for Segments.fill. `read` gives (field, value) of a canonical name, or None for a name that is
    unknown or may not be read; a missing value gives no entry, so that the fallback shows."""
    values: dict[str, str] = {}
    raw: dict[str, str] = {}
    for name in names:
        found = read(name)
        if found is None or found[1] is None:
            continue
        field, value = found
        values[name] = present(field, value, locale)
        raw[name] = stored(value)
    return values, raw


def stored(value: Any) -> str:
    """A value as {if} compares it: keys, ISO dates, plain numbers, 1 or 0, several joined by comma."""
    if isinstance(value, str):  # nearly always
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, Decimal):
        return f"{value.normalize():f}" if value else "0"
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, list | tuple | set | frozenset):
        return ",".join(stored(one) for one in value)
    return str(value)
