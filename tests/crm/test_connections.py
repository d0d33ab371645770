"""Connections to the database: a host that was cut off is noticed in a minute, not in two hours; plans outlast the page."""

import pytest
from psycopg.pq import TransactionStatus
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.engine import make_url

from crm.db import LOOKED_AFTER, only_reading, prepare_engine, reading
from tests.databases import postgres_url


def parameters(**said: str) -> dict[str, str]:
    engine = create_engine(make_url(postgres_url()).update_query_dict(said))
    prepare_engine(engine)
    try:
        with engine.connect() as connection:
            return dict(connection.connection.driver_connection.info.get_parameters())
    finally:
        engine.dispose()


def test_a_silent_database_is_given_up():
    said = parameters()
    assert {name: said.get(name) for name in LOOKED_AFTER} == {name: str(value) for name, value in LOOKED_AFTER.items()}


def test_the_address_of_the_database_may_say_it_otherwise():
    assert parameters(tcp_user_timeout="5000")["tcp_user_timeout"] == "5000"


@pytest.fixture
def engine():
    engine = create_engine(postgres_url(), pool_size=1, max_overflow=0)
    prepare_engine(engine)
    yield engine
    engine.dispose()


def test_what_was_planned_is_known_on_the_next_page_and_nothing_is_compiled(engine):
    for _page in range(8):
        with reading(), engine.connect() as connection:
            connection.execute(text("SELECT count(*) FROM pg_class"))
    with engine.connect() as connection:
        kept = connection.execute(text("SELECT statement FROM pg_prepared_statements")).scalars().all()
        assert kept == ["SELECT count(*) FROM pg_class"]
        assert connection.execute(text("SHOW jit")).scalar() == "off"


def test_what_a_page_wrote_by_mistake_is_undone_all_the_same(engine):
    with reading(), engine.connect() as connection:
        connection.execute(text("CREATE TABLE by_mistake (id int)"))
    assert not inspect(engine).has_table("by_mistake")


def is_held(connection):
    return connection.connection.driver_connection.info.transaction_status == TransactionStatus.INTRANS


def test_statements_of_a_page_stand_alone_until_one_does_more_than_read(engine):
    more = ("CREATE TABLE by_mistake (id int)", "SAVEPOINT here", "SELECT id FROM held FOR UPDATE", "DELETE FROM held")
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE held AS SELECT 1 AS id"))
    only_reading(True, alone=True)
    try:
        for one in more:
            with engine.connect() as connection:
                connection.execute(text("SELECT 1"))
                assert not is_held(connection), "a page that reads begins no transaction"
                connection.execute(text(one))
                assert is_held(connection), one
        with engine.connect() as connection:
            assert connection.execute(text("SELECT count(*) FROM held")).scalar() == 1
            assert connection.execution_options(yield_per=1).execute(text("SELECT 1")).scalars().all() == [1]
    finally:
        only_reading(False)
    with engine.begin() as connection:
        connection.execute(text("SELECT 1"))
        assert is_held(connection), "who may write is in one transaction"
        connection.execute(text("DROP TABLE held"))
    assert not inspect(engine).has_table("by_mistake")
