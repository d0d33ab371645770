"""Values that the CRM did not take: left out one by one, so that the rest is written, and listed with the reason."""

from collections.abc import Callable
from typing import Any

from crm.db import db
from crm.engine.refusals import Refused

Write = Callable[[dict[str, Any]], int]


class Troubles:
    """What could not be written of one submission: `found` is [{"field", "reason"}]."""

    def __init__(self) -> None:
        self.found: list[dict[str, str]] = []

    def add(self, field: str, reason: str) -> None:
        self.found.append({"field": field[:100], "reason": reason[:300]})

    def written(self, write: Write, values: dict[str, Any]) -> int:
        """What `write` gives; each round leaves out the values that were refused. Raises Refused when it is about no value."""
        left = dict(values)
        while True:
            try:
                with db.session.begin_nested():
                    return write(left)
            except Refused as refused:
                blamed = [name for name in refused.faults if name in left]
                if not blamed:
                    raise
                for name in blamed:
                    del left[name]
                    self.add(name, refused.faults[name][0].message)
