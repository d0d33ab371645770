"""What every test can ask for: an app on each database, its session and client, a database of its own; no network.

`app`, `session`, `client` run a test once on SQLite and once on PostgreSQL. Everything happens inside one outer
transaction that is rolled back, so that tests cost no set-up and see nothing of each other; commits of the code under
test are savepoints. Code that opens connections or processes of its own needs `own_database` (a URL) or `own_app`.
"""

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session, scoped_session

from crm.db import db
from tests import databases, no_network
from tests.apps import AppsOfWorker, build_template, forget_engine, make_app


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--database", choices=databases.KINDS, help="run the tests on this database only")


def pytest_configure(config: pytest.Config) -> None:
    if databases.is_controller():
        databases.open_run_folder(in_memory=True)
    for name in [name for name in os.environ if name.startswith("CUSTOMERHUB_") and "_TEST_" not in name]:
        del os.environ[name]  # settings of whoever runs the tests
    no_network.forbid()


def pytest_unconfigure(config: pytest.Config) -> None:
    if databases.is_controller() and databases.FOLDER_VARIABLE in os.environ:
        databases.close_run_folder()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "database_kind" in metafunc.fixturenames:
        chosen = metafunc.config.getoption("--database")
        metafunc.parametrize("database_kind", [chosen] if chosen else databases.KINDS, scope="session")


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """A long text names no test: one that is made at random would also be another test in each process of the run."""
    return argname if isinstance(val, str | bytes) and len(val) > 80 else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test in which processes, threads or a browser meet on two cores is tried again, once, when it fails.

    One crowded moment must not hide what all the others say. The closing line counts it (`1 rerun`) and the summary names
    it. Tests of one process have no such moment, and no second chance.
    """
    for item in items:
        meets = item.get_closest_marker("journey") or item.get_closest_marker("fault")
        if meets or "own_database" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.flaky(reruns=1))


@pytest.fixture(scope="session")
def apps_of_worker() -> Iterator[AppsOfWorker]:
    apps = AppsOfWorker()
    yield apps
    apps.close()


@pytest.fixture
def app(apps_of_worker: AppsOfWorker, database_kind: str, request: pytest.FixtureRequest) -> Iterator[Flask]:
    """The CRM app with an app context pushed, in a transaction that is rolled back. Who asks for `people` finds them there."""
    with apps_of_worker.rolled_back(database_kind, with_people="people" in request.fixturenames) as app:
        yield app


@pytest.fixture
def session(app: Flask) -> scoped_session[Session]:
    """The session of the pushed app context."""
    return db.session


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser without log-in, on the CRM app."""
    return app.test_client()


@pytest.fixture
def own_database(database_kind: str) -> Iterator[str]:
    """The URL of a fresh database (tables and seeds, no records) that other processes may use too."""
    url = databases.create(database_kind, build_template)
    yield url
    databases.drop(url)


@pytest.fixture
def make_own_app(own_database: str, tmp_path: Any) -> Iterator[Callable[..., Flask]]:
    """`make_own_app(**settings)`: an app on `own_database` with real commits and a data folder of its own."""
    made: list[Flask] = []

    def make(**settings: Any) -> Flask:
        made.append(make_app(own_database, **({"data_dir": str(tmp_path)} | settings)))
        return made[-1]

    yield make
    for app in made:
        forget_engine(app)


@pytest.fixture
def own_app(make_own_app: Callable[..., Flask]) -> Iterator[Flask]:
    """An app on a database of its own, with an app context pushed and real commits."""
    app = make_own_app()
    with app.app_context():
        yield app
