"""Where hits wait for the roll-up: a file of their own beside SQLite, a table in PostgreSQL. A hit is committed when put() returns.

Neither has an index beside its key, and nothing is kept in memory: what was answered survives the death of the process.
"""

import secrets
import sqlite3
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from sqlalchemy import delete, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url

from crm.config import Config
from crm.db import db
from web_tracking.tables import Hit, HitMark

if TYPE_CHECKING:
    import psycopg

COLUMNS = ("at", "site_id", "visitor", "nonce", "kind", "said")
CHECKPOINT_PAGES = 20_000
ROLLING_UP = 7_420_518  # key of the lock of the roll-up in PostgreSQL


@dataclass(frozen=True, slots=True)
class Waiting:
    """One hit as it was stored. `at`: milliseconds since 1970 by our clock; `said`: JSON."""

    at: int
    site_id: int
    visitor: str | None
    nonce: int
    kind: str
    said: str


class Store(Protocol):
    """Where hits wait. `put` may be called by any thread; `take` and `done` by the roll-up."""

    def put(self, *hit: Any) -> None:
        """Store one hit, its values in the order of COLUMNS; committed when this returns."""

    def take(self, most: int) -> list[Waiting]:
        """The next hits, taken out in the transaction of `db.session`: they come again when that is rolled back."""

    def done(self) -> None:
        """The transaction of the last `take` was committed."""

    def forget(self, visitors: Sequence[str]) -> int:
        """Drop what waits of these visitors; gives how much."""


def store_of(config: Config) -> Store:
    """The store of this installation."""
    if config.is_sqlite:
        return FileStore(config.data_path / "hits.sqlite3")
    return TableStore(config.url_of_database)


class FileStore:
    """Hits in a SQLite file: one insert, one commit, no index."""

    _INSERT = "INSERT INTO hits (at, site_id, visitor, nonce, kind, said) VALUES (?, ?, ?, ?, ?, ?)"

    def __init__(self, path: Path) -> None:
        self.path = path
        self._local = threading.local()
        self._read_to = 0

    def put(self, *hit: Any) -> None:
        self._connection().execute(self._INSERT, hit)

    def take(self, most: int) -> list[Waiting]:
        connection = self._connection()
        source = connection.execute("SELECT source FROM about").fetchone()[0]
        marks = HitMark.__table__
        mark = db.session.execute(select(marks.c.last_id).where(marks.c.source == source)).scalar() or 0
        said = "SELECT id, at, site_id, visitor, nonce, kind, said FROM hits WHERE id > ? ORDER BY id LIMIT ?"
        rows = connection.execute(said, (mark, most)).fetchall()
        if rows:
            self._read_to = rows[-1][0]
            moved = insert_of(db.session)(HitMark).values(source=source, last_id=self._read_to)
            db.session.execute(moved.on_conflict_do_update(index_elements=["source"], set_={"last_id": self._read_to}))
        return [Waiting(*row[1:]) for row in rows]

    def done(self) -> None:
        self._connection().execute("DELETE FROM hits WHERE id <= ?", (self._read_to,))

    def forget(self, visitors: Sequence[str]) -> int:
        if not visitors or not self.path.exists():
            return 0
        holes = ",".join("?" * len(visitors))
        gone = self._connection().execute(f"DELETE FROM hits WHERE visitor IN ({holes})", visitors)  # noqa: S608
        self._connection().execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return gone.rowcount

    def _connection(self) -> sqlite3.Connection:
        made: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if made is None:
            made = self._local.connection = self._open()
        return made

    def _open(self) -> sqlite3.Connection:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        is_new = not self.path.exists()
        connection = sqlite3.connect(self.path, isolation_level=None, timeout=10)
        for pragma in (
            "busy_timeout=10000", "journal_mode=WAL", "synchronous=NORMAL", f"wal_autocheckpoint={CHECKPOINT_PAGES}",
            "secure_delete=ON",
        ):  # fmt: skip
            connection.execute(f"PRAGMA {pragma}")
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(
            "CREATE TABLE IF NOT EXISTS hits (id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, "
            "site_id INTEGER NOT NULL, visitor TEXT, nonce INTEGER NOT NULL, kind TEXT NOT NULL, said TEXT NOT NULL)"
        )
        connection.execute(
            "CREATE TABLE IF NOT EXISTS about (one INTEGER PRIMARY KEY CHECK (one = 1), source TEXT NOT NULL)"
        )
        connection.execute("INSERT OR IGNORE INTO about VALUES (1, ?)", (secrets.token_hex(16),))
        connection.execute("COMMIT")
        if is_new:
            self.path.chmod(0o600)
        return connection


class TableStore:
    """Hits in a table of the house's PostgreSQL, written on connections of our own that commit each insert."""

    _INSERT = "INSERT INTO hits (at, site_id, visitor, nonce, kind, said) VALUES (%s, %s, %s, %s, %s, %s)"

    def __init__(self, url: str) -> None:
        self._dsn = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        self._local = threading.local()
        import psycopg  # not above: every process loads this file, and on SQLite none needs these 8 MB

        self._driver = psycopg

    def put(self, *hit: Any) -> None:
        connection: psycopg.Connection[Any] | None = getattr(self._local, "connection", None)
        if connection is None or connection.closed:
            connection = self._driver.connect(self._dsn, autocommit=True, prepare_threshold=0)
            self._local.connection = connection
        try:
            connection.execute(self._INSERT, hit)
        except self._driver.OperationalError:
            connection.close()  # the next hit gets a new one
            raise

    def take(self, most: int) -> list[Waiting]:
        db.session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ROLLING_UP})
        first = select(Hit.id).order_by(Hit.id).limit(most).with_for_update(skip_locked=True)
        gone = delete(Hit).where(Hit.id.in_(first)).returning(Hit.id, *(getattr(Hit, name) for name in COLUMNS))
        rows = db.session.execute(gone, execution_options={"synchronize_session": False}).all()
        return [Waiting(*row[1:]) for row in sorted(rows)]

    def done(self) -> None:
        pass  # they went with the transaction

    def forget(self, visitors: Sequence[str]) -> int:
        said = delete(Hit).where(Hit.visitor.in_(visitors))
        return int(db.session.execute(said, execution_options={"synchronize_session": False}).rowcount)  # type: ignore[attr-defined]


def insert_of(session: Any) -> Any:
    """The insert of the session's database that knows ON CONFLICT."""
    return postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
