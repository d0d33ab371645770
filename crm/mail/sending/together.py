"""Commits that several threads wait for, made as one: on SQLite one writes at a time, and each commit waits for the disk.

Nobody goes on before what he brought is committed, so to each it is as if he had committed alone (invariants.md 2); who
comes while another commit is under way shares the next one with all that came meanwhile.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from crm.mail.sending.quick import Entry


class Together:
    """`turn` is held by whoever writes. `commit` gets the entries of a turn and gives each its end; what it raises is everybody's."""

    def __init__(self, turn: threading.Lock, commit: Callable[[Sequence[Entry]], None]) -> None:
        self._turn, self._commit = turn, commit
        self._coming = threading.Lock()
        self._waiting: list[Entry] = []

    def run(self, entry: Entry) -> bool:
        """Wait until `entry` is committed; whether its text may begin. Raises its problem."""
        with self._coming:
            self._waiting.append(entry)
        with self._turn:
            if not entry.is_done:
                self._take_turn()
        if entry.problem is not None:
            raise entry.problem
        return entry.may_begin

    def _take_turn(self) -> None:
        with self._coming:
            entries, self._waiting = self._waiting, []
        try:
            self._commit(entries)
        except BaseException as problem:  # noqa: BLE001 - nobody may take his own for committed
            for one in entries:
                one.problem = problem
        finally:
            for one in entries:
                one.is_done = True
