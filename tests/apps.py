"""How tests make apps: one app a worker and database, whose engine is swapped for a connection that is rolled back."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Connection, Engine

from crm import config, create_app, create_worker_app
from crm.db import Database, db
from crm.engine import remembered
from crm.identity import viewers
from tests import databases, people

SECRET = "a secret for tests only, long enough to be accepted"


class Browser(FlaskClient):
    """A client whose every request has an app context of its own, as in life, also when the test has one pushed."""

    def open(self, *args: Any, **kwargs: Any) -> Any:
        with self.application.app_context():
            answer = super().open(*args, **kwargs)
        db.session.expire_all()  # the request may have changed what the test holds
        return answer


def make_app(url: str, **settings: Any) -> Flask:
    """The CRM app on the database at `url`; `settings` as in crm/config.py."""
    app = create_app(_config(url, settings))
    app.testing = True
    app.test_client_class = Browser
    return app


def make_worker_app(url: str, **settings: Any) -> Flask:
    """The app of worker processes, which knows no pages."""
    app = create_worker_app(_config(url, settings))
    app.testing = True
    return app


def _config(url: str, settings: dict[str, Any]) -> config.Config:
    # Files of one worker are not another's: each clears away what it made.
    folder = databases.run_folder() / f"data-{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}"
    values: dict[str, Any] = {"secret_key": SECRET, "data_dir": str(folder)} | settings
    return config.load({}).with_(database_url=url, **values)


def build_template(url: str) -> None:
    """Make all tables and what every installation begins with."""
    from hub.setting_up import prepare_database

    app = make_app(url)
    with app.app_context():
        prepare_database()
        db.session.remove()
    forget_engine(app)


class AppsOfWorker:
    """The apps of this process by kind of database."""

    def __init__(self) -> None:
        self._urls: list[str] = []
        self._apps: dict[tuple[str, bool], Flask] = {}

    def _app(self, kind: str, with_people: bool) -> Flask:
        if (kind, with_people) not in self._apps:
            url = databases.create(kind, build_template)
            self._urls.append(url)
            app = self._apps[kind, with_people] = make_app(url)
            if with_people:
                with app.app_context():
                    people.keep()
                    db.session.remove()
        return self._apps[kind, with_people]

    @contextmanager
    def rolled_back(self, kind: str, with_people: bool = False) -> Iterator[Flask]:
        """The app of `kind`, its context pushed; whatever is committed inside disappears at the end.

        `with_people`: on a database of its own, where the people of `tests.people` are already."""
        app = self._app(kind, with_people)
        viewers._kept.clear()  # the people are the same from test to test, what a test makes of the rules is its own
        remembered._kept.pop("list", None)  # so is what it makes of the planners' hints
        with app.app_context():
            engine = db.engine
            # A session bound to a connection that is in a transaction commits savepoints only.
            db.session.configure(join_transaction_mode="create_savepoint")
        with engine.connect() as connection, swapped(engine, connection):
            outer = connection.begin()
            try:
                with app.app_context():
                    yield app
            finally:
                outer.rollback()

    def close(self) -> None:
        for app in self._apps.values():
            forget_engine(app)
        for url in self._urls:
            databases.drop(url)


def forget_engine(app: Flask) -> None:
    """Close the connections of `app`; the other apps of the process keep theirs."""
    with app.app_context():
        engine = db.engine
    engine.dispose()
    for url in [url for url, one in Database._engines.items() if one is engine]:
        del Database._engines[url]


@contextmanager
def swapped(engine: Engine, connection: Connection) -> Iterator[None]:
    """Every app on `engine` works through `connection`, those made meanwhile too."""
    _replace(engine, connection)
    try:
        yield
    finally:
        _replace(connection, engine)


def _replace(old: Any, new: Any) -> None:
    for engines in (Database._engines, *db._app_engines.values()):
        for key in [key for key, one in engines.items() if one is old]:
            engines[key] = new
