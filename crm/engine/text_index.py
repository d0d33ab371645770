"""Search by the beginnings of words: one index over all modules, kept in the transaction of the change itself.

SQLite: an FTS5 table with prefix indexes; PostgreSQL: a tsvector with a GIN index. Both hold the same words, which we cut
ourselves: folded runs of letters and digits, so that an e-mail address is found by its parts and no character is special.
Every word is kept behind the code of its module ("k3xlogistics"), so that a search in one module walks its entries only.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import time
from functools import cache
from typing import Any
from zlib import crc32

from sqlalchemy import (
    BigInteger,
    Connection,
    and_,
    bindparam,
    event,
    false,
    or_,
    select,
    text,
    true,
)
from sqlalchemy.sql import ColumnElement

from crm.db import Base, Entity, db, fold, fold_text
from crm.engine.module import Module
from crm.engine.outbox import Progress, task
from crm.engine.permissions import may, readable, scope
from crm.engine.refusals import Refused
from crm.engine.registry import modules
from crm.identity.viewer import Viewer
from crm.words import _

WORD = re.compile(r"[^\W_]+")
CODE, PREFIXES = 3, (2, 3)  # the lengths of beginnings that FTS5 indexes, behind the code
SHORTEST, LONGEST_WORD, MOST_WORDS, MOST_ASKED = 2, 60, 2_000, 8
TAKEN = frozenset({"html", "source"})  # kinds whose markup is not searched

# The table is not in the metadata of the house: on SQLite it is a virtual one.
CREATE = {
    "sqlite": (
        "CREATE VIRTUAL TABLE IF NOT EXISTS text_index USING fts5("
        "words, tokenize='unicode61 remove_diacritics 0', prefix='5 6', columnsize=0, detail=none)",
    ),
    "postgresql": (
        "CREATE TABLE IF NOT EXISTS text_index (entity_id bigint PRIMARY KEY REFERENCES entities (id) ON DELETE CASCADE, "
        "words tsvector NOT NULL)",
        "CREATE INDEX IF NOT EXISTS ix_text_index_words ON text_index USING gin (words) WITH (fastupdate = off)",
    ),
}


@event.listens_for(Base.metadata, "after_create")
def create(_metadata: Any, connection: Connection, **_kw: Any) -> None:
    """Make the index where there is none; runs with create_all, and is called by the migration."""
    for statement in CREATE[connection.dialect.name]:
        connection.exec_driver_sql(statement)


@event.listens_for(Base.metadata, "before_drop")
def drop(_metadata: Any, connection: Connection, **_kw: Any) -> None:
    connection.exec_driver_sql("DROP TABLE IF EXISTS text_index")


@dataclass(frozen=True, slots=True)
class Hit:
    """One record found."""

    module: str
    id: int
    label: str
    number: str | None


def words_of(said: str) -> list[str]:
    """The words of a text as they are indexed and asked for, each once, in order."""
    found = WORD.findall(fold_text(said) or "")
    return list(dict.fromkeys(word[:LONGEST_WORD] for word in found))[:MOST_WORDS]


def indexed_fields(module: Module) -> list[str]:
    """The fields whose words a record is found by: its title, its number, and those the module declares."""
    fields = module.fields
    names = dict.fromkeys((*module.titles, "number", *module.search))
    return [name for name in names if name in fields and fields[name].kind.name not in TAKEN]


def index_many(module: Module | str, rows: Mapping[int, Mapping[str, Any]]) -> None:
    """Index records (id → values by field name) anew, in the caller's transaction."""
    module = modules[module] if isinstance(module, str) else module
    if not rows or not module.is_record:
        return
    taken = indexed_fields(module)
    code = code_of(module.key)
    made = [{"id": id, "words": _joined(code, values, taken)} for id, values in rows.items()]
    connection = db.session.connection()
    if connection.dialect.name == "sqlite":
        connection.execute(text("DELETE FROM text_index WHERE rowid = :id"), made)
        connection.execute(text("INSERT INTO text_index (rowid, words) VALUES (:id, :words)"), made)
        return
    said = (
        "INSERT INTO text_index (entity_id, words) SELECT i, array_to_tsvector(string_to_array(w, ' ')) "
        "FROM unnest(CAST(:ids AS bigint[]), CAST(:words AS text[])) AS rows (i, w) "
        "ON CONFLICT (entity_id) DO UPDATE SET words = excluded.words"
    )
    connection.execute(text(said), {"ids": [one["id"] for one in made], "words": [one["words"] for one in made]})


@cache
def code_of(key: str) -> str:
    """Three letters or digits that stand for the module in the index. Two modules with one code would only cost time."""
    number = crc32(key.encode()) % 36**CODE
    digits = "0123456789abcdefghijklmnopqrstuvwxyz"
    return "".join(digits[number // 36**place % 36] for place in range(CODE))


def _joined(code: str, values: Mapping[str, Any], taken: list[str]) -> str:
    said = [
        " ".join(value) if isinstance(value, tuple) else str(value) for name in taken if (value := values.get(name))
    ]
    return " ".join(code + word for word in words_of(" ".join(said)))


def forget(ids: Iterable[int]) -> None:
    """Take records out of the index."""
    gone = list(ids)
    if not gone:
        return
    connection = db.session.connection()
    if connection.dialect.name == "sqlite":
        connection.execute(text("DELETE FROM text_index WHERE rowid = :id"), [{"id": id} for id in gone])
    else:
        connection.execute(text("DELETE FROM text_index WHERE entity_id = ANY(:ids)"), {"ids": gone})


def rebuild(on_row: Callable[[int], None] | None = None) -> int:
    """Make the index anew from all records, a few at a time; gives how many there are. Commits.

    Records that are gone leave it, and on SQLite what was deleted leaves the file (decisions.md 33).
    """
    count = 0
    key = "rowid" if db.engine.dialect.name == "sqlite" else "entity_id"
    gone = f"DELETE FROM text_index WHERE {key} NOT IN (SELECT id FROM entities WHERE deleted_at IS NULL)"  # noqa: S608
    db.session.execute(text(gone))
    db.session.commit()
    for module in modules:
        if not module.is_record:
            continue
        columns = [module.table.c[name] for name in ("id", "extra", *indexed_fields(module)) if name in module.table.c]
        last = 0
        while True:
            page = select(*columns).where(module.table.c.id > last, module.table.c.deleted_at.is_(None))
            rows = db.session.execute(page.order_by(module.table.c.id).limit(2_000)).mappings().all()
            if not rows:
                break
            index_many(module, {row["id"]: {**row, **(row.get("extra") or {})} for row in rows})
            last, count = rows[-1]["id"], count + len(rows)
            db.session.commit()
            if on_row:
                on_row(count)
    if db.engine.dialect.name == "sqlite":
        db.session.execute(text("INSERT INTO text_index (text_index) VALUES ('optimize')"))
    db.session.commit()
    return count


@task("rebuild_text_index", daily=time(3, 40))
def rebuild_nightly(progress: Progress) -> str:
    """The index of every night."""
    return f"{rebuild(progress.step)} records"


def asked_words(said: str) -> list[str]:
    """The words of a search. Raises Refused when there are not two letters to search by."""
    words = words_of(said)[:MOST_ASKED]
    if sum(len(word) for word in words) < SHORTEST:
        raise Refused.because("too_short", _("Type at least two letters to search."), "text")
    return words


def _match(words: list[str], module: Module, longest: int = LONGEST_WORD) -> str:
    """The question to the index: records of `module` with words that begin with each of `words`, as far as `longest`."""
    asked = [code_of(module.key) + word[:longest] for word in words]
    if db.engine.dialect.name == "sqlite":
        return " AND ".join(f'"{word}" *' for word in asked)
    return " & ".join(f"'{word}':*" for word in asked)


def _matching(question: str) -> Any:
    """A Select of the ids whose words match."""
    if db.engine.dialect.name == "sqlite":
        said = text("SELECT rowid AS entity_id FROM text_index WHERE text_index MATCH :question")
    else:
        said = text("SELECT entity_id FROM text_index WHERE words @@ CAST(:question AS tsquery)")
    return said.bindparams(bindparam("question", question, unique=True)).columns(entity_id=BigInteger)


def condition(viewer: Viewer, module: Module, said: str, seen: frozenset[str] | None = None) -> ColumnElement[bool]:
    """That a record of `module` (on its own table) is found by `said`. Raises Refused for less than two letters."""
    words = asked_words(said)
    if not module.is_record:
        return _in_fields(module, words, [name for name in module.search if seen is None or name in seen])
    found = module.table.c.id.in_(_matching(_match(words, module)).subquery().select())
    hidden = _hidden_only(viewer, module, words)
    return found if hidden is None else and_(found, hidden)


def _hidden_only(viewer: Viewer, module: Module, words: list[str]) -> ColumnElement[bool] | None:
    """For a viewer who may not read all that is indexed: that the words stand in what may be read."""
    seen = readable(viewer, module)
    names = indexed_fields(module)
    if seen.issuperset(names):
        return None
    return _in_fields(module, words, [name for name in names if name in seen])


def _in_fields(module: Module, words: list[str], names: list[str]) -> ColumnElement[bool]:
    columns = [fold(module.column(name)) for name in names if module.fields[name].kind.is_text]
    if not columns:
        return false()
    return and_(true(), *(or_(*(column.contains(word, autoescape=True) for column in columns)) for word in words))


def search(viewer: Viewer, said: str, module: str | None = None, limit: int = 5) -> dict[str, list[Hit]]:
    """Records that `viewer` may see by words that begin with what was typed: module key → hits, newest first.

    Archived and deleted ones are left out. `limit`: hits a module. Raises Refused for less than two letters.
    """
    words = asked_words(said)
    asked = [modules[module]] if module else [one for one in modules if one.is_record and (one.search or one.titles)]
    asked = [one for one in asked if may(viewer, "view", one)]
    found: dict[str, list[Hit]] = {}
    with _by_index():
        if len(asked) > 1:
            present = _modules_with(words, asked)
            asked = [one for one in asked if one.key in present]
        for one in asked:
            hits = [Hit(one.key, *row) for row in db.session.execute(_hits(viewer, one, words, limit))]
            if hits:
                found[one.key] = hits
    return found


@contextmanager
def _by_index() -> Iterator[None]:
    """PostgreSQL takes a limit as a reason to read the whole table, which is right only for words that are everywhere."""
    if db.engine.dialect.name != "postgresql":
        yield
        return
    db.session.execute(text("SET LOCAL enable_seqscan = off"))
    yield
    db.session.execute(text("SET LOCAL enable_seqscan = on"))


def _modules_with(words: list[str], asked: list[Module]) -> set[str]:
    """In which modules there may be any: one statement that looks at one entry for each."""
    if db.engine.dialect.name == "sqlite":  # indexed beginnings: one entry is found at once
        matching, longest = "text_index MATCH :{0}", PREFIXES[-1]
    else:
        matching, longest = "words @@ CAST(:{0} AS tsquery)", LONGEST_WORD
    found = " UNION ALL ".join(
        f"SELECT {place} WHERE EXISTS (SELECT 1 FROM text_index WHERE {matching.format(f'q{place}')})"  # noqa: S608
        for place in range(len(asked))  # numbers only: what was typed is bound
    )
    questions = {f"q{place}": _match(words, one, longest) for place, one in enumerate(asked)}
    return {asked[place].key for place in db.session.execute(text(found), questions).scalars()}


def _hits(viewer: Viewer, module: Module, words: list[str], limit: int) -> Any:
    table, cards = module.table, Entity.__table__
    found = _matching(_match(words, module)).cte("found")
    found = found.prefix_with("MATERIALIZED", dialect="postgresql")  # else it walks the key and tests every entry
    label = cards.c.label
    said = (
        select(table.c.id, label, cards.c.number)
        .select_from(found.join(table, table.c.id == found.c.entity_id).join(cards, cards.c.id == table.c.id))
        .where(table.c.deleted_at.is_(None), table.c.archived.is_(False))
        .order_by(found.c.entity_id.desc())
        .limit(limit)
    )
    narrowing = scope(viewer, module)
    if narrowing is not None:
        said = said.where(narrowing)
    hidden = _hidden_only(viewer, module, words)
    return said if hidden is None else said.where(hidden)
