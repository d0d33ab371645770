"""What is asked of the database while something runs."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import event

from crm.db import db


def asked(act: Callable[[], Any]) -> list[tuple[str, Any]]:
    """The statements that `act` sends, with their parameters."""
    seen: list[tuple[str, Any]] = []

    def see(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        seen.append((statement, parameters))

    event.listen(db.engine.engine, "before_cursor_execute", see)
    try:
        act()
    finally:
        event.remove(db.engine.engine, "before_cursor_execute", see)
    return seen
