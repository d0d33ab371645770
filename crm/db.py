"""The database: base class of all tables, column types, and how SQLite and PostgreSQL are made to behave alike."""

import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

import re2
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import (
    DDL,
    JSON,
    BigInteger,
    Connection,
    DateTime,
    Engine,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    event,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.sqlite.base import SQLiteCompiler
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.sql import ColumnElement
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator

NAMING = {
    "ix": "ix_%(column_0_N_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
BigId = BigInteger().with_variant(Integer(), "sqlite")  # SQLite gives out ids only for INTEGER PRIMARY KEY
Json = JSON().with_variant(postgresql.JSONB(), "postgresql")


class Base(DeclarativeBase):
    """Base class of every table in the house."""

    metadata = MetaData(naming_convention=NAMING)


class Database(SQLAlchemy):
    """Flask-SQLAlchemy with one engine per URL per process, however many apps share it."""

    _engines: dict[str, Engine] = {}

    def _make_engine(self, bind_key: str | None, options: dict[str, Any], app: Flask) -> Engine:
        url = str(options["url"])
        if url not in self._engines:
            engine = super()._make_engine(bind_key, options, app)
            prepare_engine(engine)
            self._engines[url] = engine
        return self._engines[url]

    @classmethod
    def forget_engines(cls) -> None:
        """Close every connection; after a fork and at the end of tests."""
        for engine in cls._engines.values():
            engine.dispose()
        cls._engines.clear()


db = Database(model_class=Base)

# A host that was cut off sends no word of its end: without these a worker would wait for its database for two hours.
LOOKED_AFTER = {
    "connect_timeout": 10, "keepalives": 1, "keepalives_idle": 20, "keepalives_interval": 5, "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}  # fmt: skip
# And the server of its end of the line: else what such a host had locked stays locked for as long, and its sessions count.
LOOKED_AFTER_THERE = {
    "tcp_keepalives_idle": 20, "tcp_keepalives_interval": 5, "tcp_keepalives_count": 3, "tcp_user_timeout": 30_000,
}  # fmt: skip
PREPARED = 400  # statements whose plans a session of PostgreSQL keeps, each some 20 to 200 kB
# Of the 4 MB that PostgreSQL gives a statement unless told, half a million rows do not fit: it would read whole pages for one of them.
WORK_MEMORY = (
    "SELECT set_config('work_mem', '32MB', false) FROM pg_settings WHERE name = 'work_mem' AND setting::bigint < 32768"
)
WAITING = "64kB"  # of words that PostgreSQL has still to sort into the search index
_reading: ContextVar[bool] = ContextVar("reading", default=False)
_alone: ContextVar[bool] = ContextVar("alone", default=False)


@contextmanager
def reading() -> Iterator[None]:
    """Transactions begun inside only read: on SQLite they do not take the write lock."""
    token = _reading.set(True)
    try:
        yield
    finally:
        _reading.reset(token)


@contextmanager
def writing() -> Iterator[None]:
    """Transactions begun inside write, though those around them only read."""
    token = _reading.set(False)
    try:
        yield
    finally:
        _reading.reset(token)


def only_reading(value: bool, alone: bool = False) -> None:
    """The same as a switch, for a web request that is begun and ended in different functions.

    `alone`: each statement stands for itself on PostgreSQL, until one comes that does more than read.
    """
    _reading.set(value)
    _alone.set(value and alone)


def fold_text(text: str | None) -> str | None:
    """`text` as it is compared: NFKC (widths folded) and lower case; ä and ö stay letters of their own."""
    if text is None:
        return None
    return text.lower() if text.isascii() else unicodedata.normalize("NFKC", text).lower()


@lru_cache(maxsize=500)
def compile_pattern(pattern: str) -> Any:
    """A pattern for RE2, whose time is linear. Raises re2.error."""
    options = re2.Options()
    options.max_mem = 4 << 20
    options.log_errors = False
    return re2.compile(pattern, options)


def is_found(pattern: str, text: str | None) -> bool | None:
    """Whether the RE2 `pattern` occurs in `text`: the function regexp() of SQLite (engine.conditions.patterns)."""
    return None if text is None else compile_pattern(pattern).search(text) is not None


class HintingCompiler(SQLiteCompiler):
    """Also writes what `with_hint(table, "INDEXED BY …", "sqlite")` says of a table."""

    def get_from_hint_text(self, table: Any, text: str | None) -> str | None:
        return text


def prepare_engine(engine: Engine) -> None:
    """Set up an engine of ours (also one made without Flask): SQLite pragmas, functions, transactions; how much may wait on PostgreSQL."""
    if engine.dialect.name != "sqlite":
        _prepare_postgresql(engine)
        return
    engine.dialect.statement_compiler = HintingCompiler

    @event.listens_for(engine, "connect")
    def set_up(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves
        for pragma in (
            "journal_mode=WAL",
            "foreign_keys=ON",
            "busy_timeout=30000",
            "synchronous=NORMAL",
            "secure_delete=ON",
            "temp_store=MEMORY",
            "wal_autocheckpoint=4000",  # 16 MB: a checkpoint writes what many commits changed, and waits for the disk twice
            "cache_size=-32000",
        ):
            connection.execute(f"PRAGMA {pragma}")
        connection.create_function("fold", 1, fold_text, deterministic=True)
        connection.create_function("regexp", 2, is_found, deterministic=True)

    @event.listens_for(engine, "begin")
    def begin(connection: Any) -> None:
        # A deferred transaction that reads and then writes fails at once when another wrote in between: so writers say so.
        connection.exec_driver_sql("BEGIN" if _reading.get() else "BEGIN IMMEDIATE")


def _prepare_postgresql(engine: Engine) -> None:
    """Settings of every session; and what was planned once stays planned from request to request."""

    @event.listens_for(engine, "do_connect")
    def look_after(_dialect: Any, _record: Any, _args: Any, said: dict[str, Any]) -> None:
        said.update(LOOKED_AFTER | said)  # what the address of the database says itself holds

    @event.listens_for(engine, "connect")
    def set_up_session(connection: Any, _record: Any) -> None:
        connection.prepared_max = PREPARED
        connection.execute(f"SET gin_pending_list_limit = '{WAITING}'")
        # To compile a plan takes longer than any page may take, and PostgreSQL does so for whatever it takes for expensive.
        connection.execute("SET jit = off")
        connection.execute(WORK_MEMORY)
        connection.execute("; ".join(f"SET {name} = {value}" for name, value in LOOKED_AFTER_THERE.items()))
        connection.commit()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.info["only_reads"] = _reading.get()
        # BEGIN and ROLLBACK are two ways to the server. A page that reads gains nothing by them: each of its statements sees
        # what is committed when it comes, in a transaction too.
        _stand_alone(connection, _reading.get() and _alone.get())

    @event.listens_for(engine, "before_cursor_execute")
    def look_at(connection: Connection, cursor: Any, statement: str, _values: Any, _context: Any, _many: Any) -> None:
        if connection.info.get("alone") and not _only_reads(cursor, statement):
            _stand_alone(connection, False)  # a transaction begins with this one

    @event.listens_for(engine, "commit")
    def commit(connection: Connection) -> None:
        _stand_alone(connection, False)

    @event.listens_for(engine, "rollback")
    def roll_back(connection: Connection) -> None:
        _stand_alone(connection, False)
        # psycopg forgets its prepared statements at a rollback, as what they speak of may have been made in it; and every page
        # ends with one. What only reads makes nothing, so libpq is told first: the same ROLLBACK, and none is left for psycopg.
        if connection.invalidated or not connection.info.pop("only_reads", False):
            return
        raw: Any = connection.connection.dbapi_connection
        if _status_of(raw) == "INTRANS":
            raw.pgconn.exec_(b"ROLLBACK")


def _stand_alone(connection: Connection, value: bool) -> None:
    """Whether the statements of a connection that is in no transaction are transactions of their own."""
    if connection.invalidated or connection.info.get("alone", False) is value:
        return
    raw: Any = connection.connection.dbapi_connection
    if _status_of(raw) == "IDLE":  # else it is broken, and will not be used again
        raw.autocommit = connection.info["alone"] = value


def _status_of(raw: Any) -> str:
    """What libpq says of the transaction of a connection: by name, so that houses on SQLite need not load the driver (8 MB)."""
    return str(raw.info.transaction_status.name)


def _only_reads(cursor: Any, statement: str) -> bool:
    """Whether a statement neither changes nor locks anything, and is over when its rows have come."""
    return statement.startswith("SELECT ") and " FOR " not in statement and not hasattr(cursor, "scrollable")


class fold(FunctionElement[str]):
    """SQL: the text as it is compared, sorted and made unique. The same in indexes."""

    type = Text()
    name = "fold"
    inherit_cache = True


@compiles(fold)
def _fold_sqlite(element: Any, compiler: Any, **kw: Any) -> str:
    return f"fold({compiler.process(element.clauses, **kw)})"


@compiles(fold, "postgresql")
def _fold_postgresql(element: Any, compiler: Any, **kw: Any) -> str:
    return f'(fold({compiler.process(element.clauses, **kw)}) COLLATE "C")'


class database_seconds(FunctionElement[float]):
    """SQL: seconds since 1970 by the clock of the database."""

    type = Float()
    inherit_cache = True


@compiles(database_seconds)
def _seconds_sqlite(element: Any, compiler: Any, **kw: Any) -> str:
    return "((julianday('now') - 2440587.5) * 86400.0)"


@compiles(database_seconds, "postgresql")
def _seconds_postgresql(element: Any, compiler: Any, **kw: Any) -> str:
    return "extract(epoch FROM clock_timestamp())::float8"


FOLD_DDL = DDL(
    "CREATE OR REPLACE FUNCTION fold(text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT CASE "
    'WHEN octet_length($1) = length($1) THEN lower($1 COLLATE "C") COLLATE "C" '  # ASCII: a fifth of the time
    'ELSE lower(normalize($1, NFKC) COLLATE "und-x-icu") COLLATE "C" END $$'
)
event.listen(Base.metadata, "before_create", FOLD_DDL.execute_if(dialect="postgresql"))


class UtcDateTime(TypeDecorator[datetime]):
    """A moment: aware and in UTC in Python, in both databases."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:
        if value is None:
            return None
        return _in_utc(value).replace(tzinfo=None) if dialect.name == "sqlite" else _in_utc(value)

    def bind_processor(self, dialect: Any) -> Any:
        """On SQLite the text itself, in one step: rows come by the million, and the usual way takes four."""
        return _written if dialect.name == "sqlite" else super().bind_processor(dialect)

    def process_result_value(self, value: datetime | None, dialect: Any) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _in_utc(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError(f"a moment without a time zone: {value!r}")
    return value if value.tzinfo is UTC else value.astimezone(UTC)


def _written(value: datetime | None) -> str | None:
    return None if value is None else _in_utc(value).isoformat(" ", "microseconds")[:26]  # without its "+00:00"


class Scaled(TypeDecorator[Decimal]):
    """A Decimal kept as a whole number of 10**-scale: exact, sortable, alike in both databases; read with `shown` decimals."""

    impl = BigInteger
    cache_ok = True

    def __init__(self, scale: int = 4, shown: int | None = None) -> None:
        super().__init__()
        self.scale = scale
        self.shown = scale if shown is None else shown

    def process_bind_param(self, value: Any, dialect: Any) -> int | None:
        return None if value is None else int(Decimal(value).scaleb(self.scale).to_integral_value())

    def process_result_value(self, value: Any, dialect: Any) -> Decimal | None:
        return None if value is None else Decimal(int(value)).scaleb(-self.scale).quantize(Decimal(10) ** -self.shown)


class KeySet(TypeDecorator[tuple[str, ...]]):
    """Several keys of a picklist, kept as `|a|b|` so that one LIKE finds a key."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Any) -> str | None:
        if isinstance(value, str):  # a LIKE pattern
            return value
        return f"|{'|'.join(value)}|" if value else None

    def process_result_value(self, value: Any, dialect: Any) -> tuple[str, ...]:
        return tuple(value.strip("|").split("|")) if value else ()


class Entity(db.Model):  # type: ignore[name-defined, misc]
    """The identity card of every record. `engine.records` keeps number, label and deleted_at as copies."""

    __tablename__ = "entities"
    __table_args__ = (Index(None, "module", "number"), {"sqlite_autoincrement": True})
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    module: Mapped[str] = mapped_column(String(40))
    number: Mapped[str | None] = mapped_column(String(40))
    label: Mapped[str] = mapped_column(String(255), default="")
    deleted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


def is_sqlite() -> bool:
    """Whether the database of the current app is SQLite."""
    return bool(db.engine.dialect.name == "sqlite")


def folded_index(name: str, *columns: Any, **kw: Any) -> Index:
    """An index over the folded text of `columns` (the first), then the rest as they are."""
    first: ColumnElement[Any] = fold(columns[0])
    return Index(name, first, *columns[1:], **kw)


def statistics_of(tables: Iterable[Table]) -> list[str]:
    """The statements that let PostgreSQL count values of folded texts: an index of living rows only tells it nothing of them.

    Without, it takes every such condition for one that 0.5 % of the rows fit (docs of CREATE STATISTICS, "expression").
    """
    found = []
    for table in tables:
        firsts: list[Any] = [next(iter(index.expressions), None) for index in table.indexes]
        for name in sorted({one.clauses.clauses[0].name for one in firsts if isinstance(one, fold)}):
            found.append(
                f'CREATE STATISTICS st_{table.name}_{name} ON (fold("{name}") COLLATE "C") FROM "{table.name}"'
            )
    return found


@event.listens_for(Base.metadata, "after_create")
def _make_statistics(_metadata: Any, connection: Connection, tables: Iterable[Table] = (), **_kw: Any) -> None:
    if connection.dialect.name == "postgresql":
        for statement in statistics_of(tables):
            connection.exec_driver_sql(statement)


def rows_changed(statement: Any) -> int:
    """Run an UPDATE or DELETE in the session's transaction; gives how many rows it met."""
    done: Any = db.session.execute(statement)
    return int(done.rowcount)


def id_inserted(statement: Any) -> int:
    """Run an INSERT of one row in the session's transaction; gives its id."""
    done: Any = db.session.execute(statement)
    return int(done.inserted_primary_key[0])
