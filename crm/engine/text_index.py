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
    cast,
    column,
    event,
    false,
    func,
    or_,
    select,
    table,
    text,
    true,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.sql import ColumnElement

from crm.db import WAITING, Base, Entity, db, fold, fold_text
from crm.engine import statistics, ways
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
FEW, NEWEST = 300, 1_000  # matches that are kept by their ids; records that are looked through where there are more
TAKEN = frozenset({"html", "source"})  # kinds whose markup is not searched

# The table is not in the metadata of the house: on SQLite it is a virtual one.
CREATE = {
    "sqlite": (
        "CREATE VIRTUAL TABLE IF NOT EXISTS text_index USING fts5("
        "words, tokenize='unicode61 remove_diacritics 0', prefix='5 6', columnsize=0, detail=none)",
    ),
    "postgresql": (
        # No foreign key, as on SQLite: whoever deletes a record forgets its words, and the night clears away what is left.
        "CREATE TABLE IF NOT EXISTS text_index (entity_id bigint PRIMARY KEY, words tsvector NOT NULL)",
        "CREATE INDEX IF NOT EXISTS ix_text_index_words ON text_index USING gin (words)",
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


Found = tuple[Module, list[Any]]  # a module and the rows that were found in it


def words_of(said: str) -> list[str]:
    """The words of a text as they are indexed and asked for, each once, in order."""
    folded = fold_text(said) or ""
    found: Iterable[str] = WORD.findall(folded)
    if len(folded) > LONGEST_WORD:
        found = (word[:LONGEST_WORD] for word in found)
    return list(dict.fromkeys(found))[:MOST_WORDS]


def indexed_fields(module: Module) -> list[str]:
    """The fields whose words a record is found by: its title, its number, and those the module declares."""
    fields = module.fields
    names = dict.fromkeys((*module.titles, "number", *module.search))
    return [name for name in names if name in fields and fields[name].kind.name not in TAKEN]


def index_many(module: Module | str, rows: Mapping[int, Mapping[str, Any]], is_new: bool = False) -> None:
    """Index records (id → values by field name) anew, in the caller's transaction. `is_new`: they are not in it yet."""
    module = modules[module] if isinstance(module, str) else module
    if not rows or not module.is_record:
        return
    taken = indexed_fields(module)
    code = code_of(module.key)
    made = [(id, _joined(code, values, taken)) for id, values in rows.items()]
    connection = db.session.connection()
    if connection.dialect.name == "sqlite":
        if not is_new:
            connection.exec_driver_sql("DELETE FROM text_index WHERE rowid = ?", [(id,) for id in rows])
        connection.exec_driver_sql("INSERT INTO text_index (rowid, words) VALUES (?, ?)", made)
        return
    said = (
        "INSERT INTO text_index (entity_id, words) SELECT i, array_to_tsvector(string_to_array(w, ' ')) "
        "FROM unnest(%(ids)b::bigint[], %(words)b::text[]) AS rows (i, w)"
    )
    if not is_new:
        said += " ON CONFLICT (entity_id) DO UPDATE SET words = excluded.words"
    with _gathered(connection, len(rows)):
        connection.exec_driver_sql(said, {"ids": list(rows), "words": [words for _id, words in made]})


@contextmanager
def _gathered(connection: Connection, count: int) -> Iterator[None]:
    """On PostgreSQL a batch is sorted into the index at its end, word by word, and not record by record: half the work.

    Single records wait to be sorted in, too, but few of them (`WAITING` in crm/db.py): every search looks through those.
    """
    if count < statistics.MANY:
        yield
        return
    connection.exec_driver_sql("SET LOCAL gin_pending_list_limit = '16MB'")
    yield
    connection.exec_driver_sql("SELECT gin_clean_pending_list('ix_text_index_words')")
    connection.exec_driver_sql(f"SET LOCAL gin_pending_list_limit = '{WAITING}'")


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
    words = words_of(" ".join(said))
    return code + f" {code}".join(words) if words else ""


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
    asked = [modules[module]] if module else [one for one in modules if one.is_record and one.in_search]
    asked = [one for one in asked if may(viewer, "view", one)]
    find = _search_sqlite if db.engine.dialect.name == "sqlite" else _search_postgresql
    return {one.key: [Hit(one.key, *row) for row in rows] for one, rows in find(viewer, words, asked, limit) if rows}


def _search_sqlite(viewer: Viewer, words: list[str], asked: list[Module], limit: int) -> Iterator[Found]:
    """First in which modules there may be any, by indexed beginnings: one statement that looks at one entry for each."""
    if len(asked) > 1:
        matching = "SELECT 1 FROM text_index WHERE text_index MATCH :q{0}"
        found = " UNION ALL ".join(
            f"SELECT {place} WHERE EXISTS ({matching.format(place)})" for place in range(len(asked))
        )
        questions = {f"q{place}": _match(words, one, PREFIXES[-1]) for place, one in enumerate(asked)}
        asked = [asked[place] for place in db.session.execute(text(found), questions).scalars()]
    for one in asked:
        yield one, _run(_hits(viewer, one, words), _matching(_match(words, one)), limit)


def _search_postgresql(viewer: Viewer, words: list[str], asked: list[Module], limit: int) -> Iterator[Found]:
    """First the ids in each module, as far as these are few: one statement. Where they are many, some soon turn up among the
    newest records; only where they don't, all that match are read."""
    questions = [_match(words, one) for one in asked]
    for place, known in db.session.execute(PRESENT, {"questions": questions, "most": FEW + 1}):
        one, said = asked[place - 1], _hits(viewer, asked[place - 1], words)
        if len(known) <= FEW:
            yield one, _run(said, ways.among(one.table.c.id, known), limit)
            continue
        rows = _run(said, _among_newest(one, questions[place - 1]), limit)
        yield one, rows if len(rows) == limit else _run(said, _matching(questions[place - 1]), limit)


WORDS = table("text_index", column("entity_id", BigInteger), column("words", postgresql.TSVECTOR))
# MATERIALIZED: to find a few, PostgreSQL would read the table, which is right only for words that are everywhere.
PRESENT = text(
    "SELECT place, ids FROM unnest(CAST(:questions AS text[])) WITH ORDINALITY AS asked (question, place), "
    "LATERAL (SELECT array_agg(entity_id) AS ids FROM (WITH found AS MATERIALIZED "
    "(SELECT entity_id FROM text_index WHERE words @@ CAST(question AS tsquery)) "
    "SELECT entity_id FROM found LIMIT :most) AS few) AS known WHERE ids IS NOT NULL"
)


def _hits(viewer: Viewer, module: Module, words: list[str]) -> Any:
    """A Select of the ids of living records of `module` that the viewer may see; which ones is still to be said."""
    table = module.table
    said = select(table.c.id).where(table.c.deleted_at.is_(None), table.c.archived.is_(False))
    parts = [scope(viewer, module), _hidden_only(viewer, module, words)]
    return said.where(*(ways.tested(part) for part in parts if part is not None))


def _among_newest(module: Module, question: str) -> ColumnElement[bool]:
    """PostgreSQL: that a record is one of the newest of its module and its words match; each is asked as it is walked to."""
    id = module.table.c.id
    older = select(id).order_by(id.desc()).offset(NEWEST).limit(1).scalar_subquery()
    fits = WORDS.c.words.bool_op("@@")(cast(question, postgresql.TSQUERY))
    return and_(id > func.coalesce(older, 0), select(fits).where(WORDS.c.entity_id == id).scalar_subquery())


def _run(said: Any, which: Any, limit: int) -> list[Any]:
    """Id, label and number of the newest of what `said` gives, of those that `which` says: a condition, or a Select of ids."""
    id, cards = said.selected_columns.id, Entity.__table__
    if isinstance(which, ColumnElement):
        said = said.where(which).order_by(id.desc())
    else:  # else PostgreSQL walks the key and tests every entry
        found = which.cte("found").prefix_with("MATERIALIZED", dialect="postgresql")
        said = said.join_from(found, id.table, id == found.c.entity_id).order_by(found.c.entity_id.desc())
    page = said.limit(limit).subquery("page")
    shown = select(cards.c.id, cards.c.label, cards.c.number).join_from(page, cards, cards.c.id == page.c.id)
    return list(db.session.execute(shown.order_by(cards.c.id.desc())))
