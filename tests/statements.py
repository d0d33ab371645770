"""What is asked of the database while something runs."""

from collections.abc import Callable
from typing import Any, NamedTuple

from sqlalchemy import event

from crm.db import db


class Statement(NamedTuple):
    """One statement; `is_many`: it was one for many rows of parameters."""

    text: str
    parameters: Any
    is_many: bool


def asked(act: Callable[[], Any]) -> list[Statement]:
    """The statements that `act` sends."""
    seen: list[Statement] = []

    def see(_connection: Any, _cursor: Any, text: str, parameters: Any, _context: Any, is_many: bool) -> None:
        seen.append(Statement(text, parameters, is_many))

    event.listen(db.engine.engine, "before_cursor_execute", see)
    try:
        act()
    finally:
        event.remove(db.engine.engine, "before_cursor_execute", see)
    return seen
