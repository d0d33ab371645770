"""Where hits wait for the roll-up: a file of their own beside SQLite, a table in PostgreSQL. A hit is committed when put() returns.

Neither has an index beside its key, and nothing is kept in memory: what was answered survives the death of the process.
A commit writes one small page: AUTOINCREMENT would write a second one each time, larger pages would be summed up and
written whole. So nothing but the file's own rows keeps an id from being given twice, and the last one stays, emptied.
"""

import secrets
import sqlite3
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from sqlalchemy import delete, func, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url

from crm.config import Config
from crm.db import db
from web_tracking.tables import Hit, HitMark

if TYPE_CHECKING:
    import psycopg

HITS = Hit.__table__
COLUMNS = ("at", "site_id", "visitor", "nonce", "kind", "said")
PAGE_OCTETS = 1024
CHECKPOINT_PAGES = 2_000  # a checkpoint holds everybody up: 5 ms with these, 160 ms with 80,000, for 1 us a hit
GONE = "gone"  # kind of a hit of which nothing is left but its number
ROLLING_UP = 7_420_518  # key of the lock of the roll-up in PostgreSQL


class Waiting(NamedTuple):
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


class _Hit:
    """A hit on its way into the file. `is_stored`: it is committed; `fault`: why it could not be."""

    __slots__ = ("fault", "is_stored", "values")

    def __init__(self, values: tuple[Any, ...]) -> None:
        self.values, self.is_stored = values, False
        self.fault: Exception | None = None


class FileStore:
    """Hits in a SQLite file without an index, on one connection a process.

    Threads of a process that come at the same time wait for each other at our lock, which is fair, and not at SQLite's, which
    sleeps and tries again; whoever has it commits the hits of all that wait, at once or not at all.
    """

    _INSERT = "INSERT INTO hits (at, site_id, visitor, nonce, kind, said) VALUES (?, ?, ?, ?, ?, ?)"
    _EMPTY = "UPDATE hits SET visitor = NULL, nonce = 0, kind = ?, said = '{}'"

    def __init__(self, path: Path) -> None:
        self.path = path
        self._read_to = 0
        self._waiting: deque[_Hit] = deque()
        self._lock = threading.RLock()
        self._opened: sqlite3.Connection | None = None

    def put(self, *hit: Any) -> None:
        mine = _Hit(hit)
        self._waiting.append(mine)
        with self._lock:
            if not mine.is_stored and mine.fault is None:
                self._store()
        if mine.fault is not None:
            raise mine.fault

    def _store(self) -> None:
        """Commit all that wait. With the lock."""
        hits = []
        while self._waiting:
            hits.append(self._waiting.popleft())
        try:
            if len(hits) == 1:
                self._connection().execute(self._INSERT, hits[0].values)
            else:
                with self._transaction() as connection:
                    connection.executemany(self._INSERT, [one.values for one in hits])
        except Exception as fault:  # noqa: BLE001 — told to everybody whose hit it was
            for one in hits:
                one.fault = fault
        else:
            for one in hits:
                one.is_stored = True

    def take(self, most: int) -> list[Waiting]:
        with self._lock:
            source = self._connection().execute("SELECT source FROM about").fetchone()[0]
        marks = HitMark.__table__
        mark = db.session.execute(select(marks.c.last_id).where(marks.c.source == source)).scalar() or 0
        said = "SELECT at, site_id, visitor, nonce, kind, said, id FROM hits WHERE id > ? ORDER BY id LIMIT ?"
        with self._lock:
            rows = self._connection().execute(said, (mark, most)).fetchall()
        if rows:
            self._read_to = rows[-1][-1]
            moved = insert_of(db.session)(HitMark).values(source=source, last_id=self._read_to)
            db.session.execute(moved.on_conflict_do_update(index_elements=["source"], set_={"last_id": self._read_to}))
        return [Waiting._make(row[:-1]) for row in rows]

    def done(self) -> None:
        with self._transaction() as connection:
            connection.execute("DELETE FROM hits WHERE id < ?", (self._read_to,))
            connection.execute(f"{self._EMPTY} WHERE id = ?", (GONE, self._read_to))

    def forget(self, visitors: Sequence[str]) -> int:
        if not visitors or not self.path.exists():
            return 0
        holes = ",".join("?" * len(visitors))
        with self._transaction() as connection:
            gone = connection.execute(f"{self._EMPTY} WHERE visitor IN ({holes})", (GONE, *visitors))
        with self._lock:
            self._connection().execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return gone.rowcount

    def skip(self, count: int) -> None:
        """Leave out the next `count` numbers: an empty row takes the last of them."""
        said = "INSERT INTO hits (id, at, site_id, nonce, kind, said) SELECT coalesce(max(id), 0) + ?, 0, 0, 0, ?, '{}' FROM hits"
        with self._transaction() as connection:
            connection.execute(said, (count, GONE))

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing of what is done within, with the lock."""
        with self._lock:
            connection = self._connection()
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    def _connection(self) -> sqlite3.Connection:
        if self._opened is None:
            self._opened = self._open()
        return self._opened

    def _open(self) -> sqlite3.Connection:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        is_new = not self.path.exists()
        connection = sqlite3.connect(self.path, isolation_level=None, timeout=10, check_same_thread=False)
        for pragma in (
            "busy_timeout=10000", f"page_size={PAGE_OCTETS}", "journal_mode=WAL", "synchronous=NORMAL", f"wal_autocheckpoint={CHECKPOINT_PAGES}",
            "secure_delete=ON",
        ):  # fmt: skip
            connection.execute(f"PRAGMA {pragma}")
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(
            "CREATE TABLE IF NOT EXISTS hits (id INTEGER PRIMARY KEY, at INTEGER NOT NULL, "
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
    """Hits in a table of the house's PostgreSQL, written on connections of our own that commit each insert.

    They are taken by ranges of ids, in one scan of the key. The table is empty most of the time, so PostgreSQL believes that it
    is, whatever waits: a join with "the first so many" became a loop over all rows for each row.
    """

    _INSERT = "INSERT INTO hits (at, site_id, visitor, nonce, kind, said) VALUES (%s, %s, %s, %s, %s, %s)"

    def __init__(self, url: str) -> None:
        self._dsn = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        self._local = threading.local()
        self._taken_to = self._done_to = 0
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
        first = self._first(self._done_to)
        if first is None and self._done_to:
            first = self._first(0)  # numbers are given before they are committed: a smaller one may have come since
        if first is None:
            return []
        self._taken_to = first + most
        said = delete(HITS).where(HITS.c.id >= first, HITS.c.id < self._taken_to)
        rows = db.session.execute(said.returning(HITS.c.id, *(HITS.c[name] for name in COLUMNS))).all()
        return [Waiting._make(row[1:]) for row in sorted(rows)]

    def _first(self, after: int) -> int | None:
        found: int | None = db.session.execute(select(func.min(HITS.c.id)).where(HITS.c.id >= after)).scalar()
        return found

    def done(self) -> None:
        self._done_to = self._taken_to  # the next look begins behind the rows that went with the transaction

    def forget(self, visitors: Sequence[str]) -> int:
        said = delete(Hit).where(Hit.visitor.in_(visitors))
        return int(db.session.execute(said, execution_options={"synchronize_session": False}).rowcount)  # type: ignore[attr-defined]


def insert_of(session: Any) -> Any:
    """The insert of the session's database that knows ON CONFLICT."""
    return postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
