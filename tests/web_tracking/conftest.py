"""A followed site, hits as a browser sends them, and what came of them."""

import io
import itertools
import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from crm.db import db
from crm.engine import records
from crm.engine.channels import Channel
from crm.identity.sealing import sealer
from crm.identity.viewer import SYSTEM
from web_tracking import recognising, sites
from web_tracking.collect import Beacon
from web_tracking.rolling_up import roll_up_all
from web_tracking.stores import FileStore

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"
ANNA = "AAAAAAAAAAAAAAAAAAAAAA"  # cookies
BEN = "BBBBBBBBBBBBBBBBBBBBBB"


class Tracked:
    """A site and its public end, over a store in a file."""

    framed = ""  # what a form of ours in a frame of the site says

    def __init__(self, config: Any, folder: Any, **values: Any) -> None:
        given = {"name": "Shop", "domain": "shop.example"} | values
        self.id = records.create(SYSTEM, "tracked_sites", given, Channel.SYSTEM)
        db.session.commit()
        self.key = self.row("tracked_sites")["key"]
        self.store = FileStore(folder / "hits.sqlite3")
        self.known = sites.load()
        self.beacon = Beacon(config, lambda: self.known, self.store)
        self.nonces = itertools.count(1)

    def body(self, **said: Any) -> dict[str, Any]:
        path = said.pop("path", "/")
        return {
            "s": self.key, "k": "view", "n": next(self.nonces), "v": ANNA, "c": 1, "u": f"https://shop.example{path}",
            "t": "A page",
        } | said  # fmt: skip

    def post(self, data: bytes | str | dict[str, Any], **environ: Any) -> str:
        """The status that a body gets."""
        data = json.dumps(data) if isinstance(data, dict) else data
        data = data.encode() if isinstance(data, str) else data
        seen: list[Any] = []
        given = {
            "PATH_INFO": "/t/b", "REQUEST_METHOD": "POST", "REMOTE_ADDR": "198.51.100.77", "CONTENT_LENGTH": str(len(data)),
            "HTTP_ORIGIN": "https://shop.example", "HTTP_USER_AGENT": FIREFOX, "wsgi.input": io.BytesIO(data),
        } | environ  # fmt: skip
        list(self.beacon(given, lambda status, headers: seen.append((status, dict(headers)))))
        self.headers = seen[0][1]
        return str(seen[0][0])[:3]

    def hit(self, **said: Any) -> str:
        """The status that a good hit gets, changed by what is said."""
        return self.post(self.body(**said))

    def waiting(self) -> list[tuple[Any, ...]]:
        return self.store._connection().execute("SELECT * FROM hits WHERE kind <> 'gone'").fetchall()

    def roll_up(self) -> None:
        roll_up_all(self.store)
        db.session.expire_all()

    def rows(self, table: str) -> list[dict[str, Any]]:
        said = db.metadata.tables[table]
        return [dict(row) for row in db.session.execute(select(said).order_by(*said.primary_key.columns)).mappings()]

    def row(self, table: str) -> dict[str, Any]:
        return self.rows(table)[-1]

    def counts(self, what: str) -> dict[str, int]:
        """Of all days together: a test that lets hours pass may begin before midnight and end after it."""
        found: Counter[str] = Counter()
        for row in self.rows("site_counts"):
            if row["what"] == what:
                found[row["name"]] += row["count"]
        return dict(found)

    def token(self, person: int, way: str = "portal") -> str:
        return recognising.token(sealer(), way, person)


@pytest.fixture
def track(app: Any, session: Any, tmp_path: Any) -> Callable[..., Tracked]:
    return lambda **values: Tracked(app.config["CUSTOMERHUB"].with_(hit_rate=0.0), tmp_path, **values)


@pytest.fixture
def site(track: Callable[..., Tracked]) -> Tracked:
    return track()


def make_contact(**values: Any) -> int:
    given = {"first_name": "Anna", "last_name": "Aalto", "email": "anna@example.com"} | values
    id = records.create(SYSTEM, "contacts", given, Channel.SYSTEM)
    db.session.commit()
    return id


@pytest.fixture
def anna(session: Any) -> int:
    return make_contact()
