"""The CRM over HTTP in this process, on a database of its own: it can be switched off and on, its jobs run when a test says so."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import select
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from crm.db import db
from crm.engine.registry import modules
from crm.identity import api_keys
from crm.identity.tables import User
from crm.jobs.worker import Worker
from hub import wsgi
from tests.apps import forget_engine, make_app
from tests.people import make_people

SCOPES = {"leads": ["create", "edit"], "potentials": ["create"], "campaigns": ["view", "edit"]}


class Quiet(WSGIRequestHandler):
    """Writes no line a request."""

    def log_request(self, *_said: Any) -> None:
        pass


class Crm:
    """A whole house. `calls` counts what came in by path."""

    def __init__(self, url: str, folder: Path) -> None:
        self._place = _bound(0)  # kept all the time: while the CRM is down nobody else gets its port
        self.port = self._place.getsockname()[1]
        self.base = f"http://127.0.0.1:{self.port}"
        folder.mkdir(exist_ok=True)
        self.app = make_app(url, data_dir=str(folder), base_url=self.base, hit_rate=0.0)
        self._house = wsgi.application(self.app.config["CUSTOMERHUB"])
        self._server: BaseWSGIServer | None = None
        self.calls: list[str] = []
        with self.here():
            make_people()
            db.session.commit()
        self.key_id, self.key = self.make_key()

    def __call__(self, environ: Any, start_response: Any) -> Any:
        self.calls.append(f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}")
        return self._house(environ, start_response)

    @contextmanager
    def here(self) -> Iterator[None]:
        """An app context."""
        with self.app.app_context():
            yield

    def make_key(self, scopes: Any = SCOPES) -> tuple[int, str]:
        with self.here():
            user = db.session.execute(select(User.id).where(User.email == "ada@example.com")).scalar_one()
            made = api_keys.add("Site", user, scopes=scopes)
            db.session.commit()
        return made

    def revoke(self) -> None:
        with self.here():
            api_keys.remove(self.key_id, None)
            db.session.commit()

    def up(self) -> None:
        from crm.api import rates  # it needs the catalog, which make_app has loaded

        rates.WRONG.forget()
        if self._server is None:
            with _bound(self.port) as heard:
                heard.listen(64)
                self._server = make_server(
                    "127.0.0.1", self.port, self, threaded=True, request_handler=Quiet, fd=heard.fileno()
                )
            threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def down(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def work(self) -> None:
        """Run every job that is due."""
        worker = Worker(self.app, "tests", 60.0)
        while worker.run_next():
            pass

    def rows(self, table: str, **where: Any) -> list[dict[str, Any]]:
        with self.here():
            said = db.metadata.tables[table]
            asked = select(said).where(*(said.c[name] == value for name, value in where.items())).order_by(said.c.id)
            found = [dict(row) for row in db.session.execute(asked).mappings()]
            db.session.remove()
        return found

    def empty(self) -> None:
        """No leads and potentials are left."""
        with self.here():
            for name in ("leads", "potentials"):
                db.session.execute(modules[name].table.delete())
            db.session.commit()
        self.calls.clear()

    def close(self) -> None:
        self.down()
        self._place.close()
        for app in (self.app, self._house.ecp, self._house.public, self._house.portal, self._house.crm):
            forget_engine(app)


def _bound(port: int) -> socket.socket:
    """A socket on that port (0: any) that nobody can connect to until it listens, and that shares it with others of ours."""
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    made.bind(("127.0.0.1", port))
    return made
