"""The database: base class of all tables, column types, and how SQLite and PostgreSQL are made to behave alike."""

import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

import re2
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import DDL, JSON, BigInteger, DateTime, Engine, Float, Index, Integer, MetaData, String, Text, event
from sqlalchemy.dialects import postgresql
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

_reading: ContextVar[bool] = ContextVar("reading", default=False)


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


def only_reading(value: bool) -> None:
    """The same as a switch, for a web request that is begun and ended in different functions."""
    _reading.set(value)


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


def prepare_engine(engine: Engine) -> None:
    """Set up an engine of ours (also one made without Flask): SQLite pragmas, functions, transactions."""
    if engine.dialect.name != "sqlite":
        return

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
            "cache_size=-32000",
        ):
            connection.execute(f"PRAGMA {pragma}")
        connection.create_function("fold", 1, fold_text, deterministic=True)
        connection.create_function("regexp", 2, is_found, deterministic=True)

    @event.listens_for(engine, "begin")
    def begin(connection: Any) -> None:
        # A deferred transaction that reads and then writes fails at once when another wrote in between: so writers say so.
        connection.exec_driver_sql("BEGIN" if _reading.get() else "BEGIN IMMEDIATE")


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
    "CREATE OR REPLACE FUNCTION fold(text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE "
    'AS $$ SELECT lower(normalize($1, NFKC) COLLATE "und-x-icu") $$'
)
event.listen(Base.metadata, "before_create", FOLD_DDL.execute_if(dialect="postgresql"))


class UtcDateTime(TypeDecorator[datetime]):
    """A moment: aware and in UTC in Python, in both databases."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a moment without a time zone: {value!r}")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Any) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


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


def rows_changed(statement: Any) -> int:
    """Run an UPDATE or DELETE in the session's transaction; gives how many rows it met."""
    done: Any = db.session.execute(statement)
    return int(done.rowcount)


def id_inserted(statement: Any) -> int:
    """Run an INSERT of one row in the session's transaction; gives its id."""
    done: Any = db.session.execute(statement)
    return int(done.inserted_primary_key[0])
