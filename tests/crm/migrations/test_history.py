"""The history of the tables and the models say the same, on both databases, to the last index."""

import re

import pytest
from sqlalchemy import create_engine, text

from crm import migrations
from crm.db import Base, db, prepare_engine
from tests import databases
from tests.apps import forget_engine, make_app

POSTGRESQL = """
SELECT 'column ' || table_name || '.' || column_name, data_type || coalesce(' ' || character_maximum_length, '')
       || ' null:' || is_nullable || ' identity:' || (column_default IS NOT NULL)
FROM information_schema.columns WHERE table_schema = 'public'
UNION ALL SELECT 'index ' || indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
UNION ALL SELECT 'constraint ' || conrelid::regclass || ' ' || conname, pg_get_constraintdef(oid)
FROM pg_constraint WHERE connamespace = 'public'::regnamespace
UNION ALL SELECT 'function ' || proname, prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace
UNION ALL SELECT 'statistics ' || stxname, pg_get_statisticsobjdef(oid) FROM pg_statistic_ext
"""


def plain(sql: str) -> str:
    """A statement of SQLite without what its writing varies in: spaces, quotes, the order of clauses of a table."""
    words = re.sub(r'["`]', "", re.sub(r"\s+", " ", sql or "")).replace("( ", "(").replace(" )", ")").strip()
    head, paren, rest = words.partition("(")
    if not head.upper().startswith("CREATE TABLE"):
        return words
    clauses, depth, one = [], 0, ""
    for sign in rest:
        depth += (sign == "(") - (sign == ")")
        if depth < 0 or (sign == "," and depth == 0):
            clauses.append(one.strip())
            one = ""
            if depth < 0:
                break
        else:
            one += sign
    return head + paren + ", ".join(sorted(clauses))


def schema(url: str) -> dict[str, str]:
    """Everything in the database by name: tables, columns, indexes, constraints, functions, statistics."""
    engine = create_engine(url)
    prepare_engine(engine)
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            query = "SELECT type || ' ' || name, sql FROM sqlite_master"
            found = {name: plain(sql) for name, sql in connection.execute(text(query))}
        else:
            found = {row[0]: row[1] for row in connection.execute(text(POSTGRESQL))}
    engine.dispose()
    return {name: said for name, said in found.items() if "alembic_version" not in name}


@pytest.fixture
def empty_app(database_kind):
    url = databases.create_empty(database_kind)
    app = make_app(url)
    with app.app_context():
        yield app, url
    forget_engine(app)
    databases.drop(url)


def test_models_and_history_make_the_same_database(empty_app, database_kind):
    _app, by_history = empty_app
    migrations.migrate_by_history()
    by_models = databases.create_empty(database_kind)
    app = make_app(by_models)
    with app.app_context():
        db.create_all()
    forget_engine(app)
    made, wanted = schema(by_history), schema(by_models)
    databases.drop(by_models)
    assert sorted(made) == sorted(wanted), "run scripts/new-migration"
    assert {name: (made[name], wanted[name]) for name in made if made[name] != wanted[name]} == {}


def test_migrating_can_be_repeated(empty_app):
    assert migrations.pending() == "it is empty"
    migrations.migrate()
    assert migrations.pending() == ""
    migrations.migrate()
    assert not migrations.has_records()


def test_the_way_back_leaves_nothing(empty_app):
    _app, url = empty_app
    migrations.migrate_by_history()
    with db.engine.begin() as connection:
        from alembic import command

        command.downgrade(migrations.settings(connection), "base")
    assert [name for name in schema(url) if not name.startswith("table sqlite_")] == []


def test_the_history_is_one_line():
    from alembic.script import ScriptDirectory

    script = ScriptDirectory.from_config(migrations.settings())
    assert len(script.get_heads()) == 1
    numbers = [one.revision for one in script.walk_revisions()]
    assert numbers == [f"{n:04}" for n in range(len(numbers), 0, -1)]


def test_every_table_has_its_primary_key_and_names_follow_the_convention():
    migrations.load_tables()
    for table in Base.metadata.tables.values():
        assert table.primary_key.columns, table.name
        for constraint in table.constraints:
            assert constraint.name or not list(getattr(constraint, "columns", [])), f"{table.name}: {constraint!r}"
