"""How tests make apps: one app a worker and database, whose engine is swapped for a connection that is rolled back."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Connection, Engine

from crm import config, create_app
from crm.db import Database, db
from tests import databases

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
    values: dict[str, Any] = {"secret_key": SECRET, "data_dir": str(databases.run_folder() / "data")} | settings
    app = create_app(config.load({}).with_(database_url=url, **values))
    app.testing = True
    app.test_client_class = Browser
    return app


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
        self._urls: dict[str, str] = {}
        self._apps: dict[str, Flask] = {}

    def _app(self, kind: str) -> Flask:
        if kind not in self._apps:
            self._urls[kind] = databases.create(kind, build_template)
            self._apps[kind] = make_app(self._urls[kind])
        return self._apps[kind]

    @contextmanager
    def rolled_back(self, kind: str) -> Iterator[Flask]:
        """The app of `kind`, its context pushed; whatever is committed inside disappears at the end."""
        app = self._app(kind)
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
        for kind, app in self._apps.items():
            forget_engine(app)
            databases.drop(self._urls[kind])


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
