"""The transaction of a migration: no second one beside it, whole or not at all, and the house goes on working meanwhile."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from crm.db import db
from crm.engine.refusals import Conflict

log = logging.getLogger(__name__)
LOCK_SECONDS = (
    3.0  # whoever waits for the lock of a table lets everybody else wait behind: others get their turn in between
)
PAUSE_SECONDS = 2.0
GIVEN_UP_AFTER_SECONDS = 900.0  # a backup reads for some minutes
NO_LOCK = "55P03"  # lock_not_available


def alone(work: Callable[[Connection], None]) -> None:
    """Run `work` in a transaction of its own; on PostgreSQL again and again until it gets the locks it needs.

    Raises what `work` raises, and Conflict when rows would point to nothing; then nothing has changed."""
    if db.engine.dialect.name == "sqlite":
        with _unguarded() as connection:
            work(connection)
        return
    begun = time.monotonic()
    while True:
        try:
            with db.engine.begin() as connection:
                connection.exec_driver_sql("SELECT pg_advisory_xact_lock(719203)")
                connection.exec_driver_sql(f"SET LOCAL lock_timeout = {LOCK_SECONDS * 1000:.0f}")
                work(connection)
            return
        except OperationalError as error:
            if getattr(error.orig, "sqlstate", "") != NO_LOCK or time.monotonic() - begun > GIVEN_UP_AFTER_SECONDS:
                raise
        log.warning("a table is in use (by a backup?): the migration lets others go first and tries again")
        time.sleep(PAUSE_SECONDS)


@contextmanager
def _unguarded() -> Iterator[Connection]:
    """SQLite changes a table by making a new one and dropping the old: with foreign keys on, that deletes every row that
    points to it. So they are off, all of them are looked at before the commit, and on again."""
    with db.engine.connect() as connection:
        raw: Any = connection.connection.driver_connection
        raw.execute("PRAGMA foreign_keys = OFF")  # does nothing within a transaction
        try:
            with connection.begin():
                before = _version_of(connection)
                yield connection
                if _version_of(connection) != before:
                    _demand_whole_keys(connection)
        finally:
            raw.execute("PRAGMA foreign_keys = ON")


def _version_of(connection: Connection) -> int:
    """A number that every change of tables raises."""
    return int(connection.exec_driver_sql("PRAGMA schema_version").scalar_one())


def _demand_whole_keys(connection: Connection) -> None:
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
    if broken is not None:
        raise Conflict(
            f"Rows of {broken[0]} would point to rows of {broken[2]} that are not there. Nothing was changed."
        )
