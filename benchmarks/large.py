"""Pages, groups and reports in a house of a million people (`multitude.py`), seen by somebody who is no administrator.

Contacts are private and belong to twenty people in turn. Ten sharing rules open those of ten of them, half of all, to the viewer.
"""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

from sqlalchemy import func, select, text, update

from benchmarks import multitude
from benchmarks.multitude import Multitude
from benchmarks.world import Figure, p50, p99, world
from crm.db import db, reading
from crm.engine import records, search, text_index
from crm.engine.channels import Channel
from crm.engine.registry import modules
from crm.identity import sessions, sharing
from crm.identity.viewer import SYSTEM, Viewer
from crm.mail.sending.deliveries import Delivery
from crm.modules.target_groups import keeping_fresh, refresh
from ecp import statistics
from ecp.pipeline import actions, prepare
from tests import databases
from tests.people import make_people, make_user, viewer

COUNT = 1_000_000
SORTS = ("last_name", "first_name", "email", "mailing_city", "created_at", "updated_at", "email_opt_out")
WORDS = ("oulu", "mana", "person77", "kar", "ven", "lomi", "d12", "tur")
MEMORY = "shared_buffers=1GB"  # of the private PostgreSQL, in place of the 64 MB that tests have


def measure(kind: str, count: int = COUNT) -> Iterator[Figure]:
    databases.OPTIONS = databases.OPTIONS.replace("shared_buffers=64MB", MEMORY)
    with world(kind) as app:
        alice, made = town(count)
        yield from pages(app, kind, alice, made)
        yield from reports(kind, made)
        yield from groups(kind, alice, made)
        yield one_change(kind, alice, made)
        yield from preparing(kind, made)


def town(count: int) -> tuple[int, Multitude]:
    """The multitude, and the id of who looks at it. Commits."""
    folk = make_people()
    owners = [make_user(f"Owner{number}", with_password=False) for number in range(20)]
    made = multitude.make(count, owners)
    sharing.set_level("contacts", "private")
    for owner in owners[::2]:
        sharing.add_rule("contacts", ("user", owner), ("user", folk.alice), "read")
    db.session.commit()
    return folk.alice, made


# pages


def pages(app: Any, kind: str, alice: int, made: Multitude) -> list[Figure]:
    browser = app.test_client()
    browser.set_cookie("ch_crm", sessions.start("crm", user_id=alice)[0], path="/crm")
    db.session.commit()
    person = made.first_contact + made.count // 40 * 20
    return [
        *_lists(browser, kind, made),
        *_worst(browser, kind, made),
        _page(browser, kind, "card with its timeline", f"/crm/contacts/{person}", "p50 < 30"),
        _page(browser, kind, "home page", "/crm/"),
        _deep(kind, viewer(alice)),
        _search(kind, viewer(alice)),
    ]


def _address(where: Any = None, sort: str = "", **more: str) -> str:
    said = more | ({"where": json.dumps(where)} if where else {}) | ({"sort": sort} if sort else {})
    return f"/crm/contacts?{urlencode(said)}"


def _lists(browser: Any, kind: str, made: Multitude) -> Iterator[Figure]:
    """Every sort that an index holds, both ways, with every condition that one holds: each page four times."""
    conditions = [
        {"mailing_city": "Oulu"}, {"$beg": ["first_name", "Ka"]}, {"$beg": ["email", "person77"]},
        {"email_opt_out": True}, {"account_id": made.first_account + 7}, {"$lt": [made.fields[8], 400]},
    ]  # fmt: skip
    pages = [(f"{where}, by {sort}", _address(where, sort)) for where in conditions for sort in _both_ways(made)]
    found = {name: _runs(_asking(browser, address), 4, warm=1) for name, address in pages}
    slow = sorted(found, key=lambda name: -found[name].cpu)
    shown = "; ".join(f"{name} {found[name].cpu:.0f}" for name in slow[:3])
    least = [one.cpu / 1000 for one in found.values()]
    note = (
        f"{len(found)} pages, of processor p50 {p50(least) * 1000:.1f}, p99 {p99(least) * 1000:.1f} ms; most: {shown}"
    )
    all = [took for one in found.values() for took in one.walls]
    more = {"pages": {name: found[name].cpu for name in slow}}
    yield Figure("list, indexed sort and condition: p50", kind, p50(all) * 1000, "ms", "< 25", note, more)
    yield Figure("list, indexed sort and condition: p99", kind, p99(all) * 1000, "ms", "< 80", note)


def _both_ways(made: Multitude) -> list[str]:
    return [f"{way}{name}" for name in (*SORTS, made.fields[0], made.fields[8]) for way in ("", "-")]


def _worst(browser: Any, kind: str, made: Multitude) -> Iterator[Figure]:
    """What no index holds: parts of words, sorts by any field."""
    asked = {
        "no condition, own order": _address(),
        "words typed above the list": _address(text="karilo"),
        "part of a rare e-mail address": _address({"$cts": ["email", "n77777@"]}),
        "part of a last name": _address({"$cts": ["last_name", "rilo"]}, "last_name"),
        "part of no name": _address({"$cts": ["last_name", "xyzzy"]}, "last_name"),
        "part of a job title": _address({"$cts": ["title", "manager"]}),
        "by job title": _address(sort="title"),
        "by phone, city is Oulu": _address({"mailing_city": "Oulu"}, "-phone"),
        "by name of the account": _address(sort="account_id"),
        "by a field of one's own": _address(sort=made.fields[1]),
        "a field of one's own is": _address({made.fields[1]: "word 77"}),
        "all that fits at the end of the order": _address({"$gte": ["score", 90]}, "email_opt_out"),
        "birthday after, city is not": _address({"$and": [{"$gt": ["born_on", "2000-01-01"]}, {"$ne": ["mailing_city", "Oulu"]}]}),
    }  # fmt: skip
    for name, address in asked.items():
        yield _page(browser, kind, f"worst page: {name}", address, "< 250", runs=4)


def _asking(browser: Any, address: str) -> Callable[[], None]:
    def ask() -> None:
        answer = browser.get(address)
        if answer.status_code != 200:
            raise RuntimeError(f"{address}: {answer.status}")

    return ask


def _page(browser: Any, kind: str, name: str, address: str, target: str = "", runs: int = 12) -> Figure:
    took = _runs(_asking(browser, address), runs)
    return Figure(name, kind, took.wall, "ms", target, took.note)


def _deep(kind: str, alice: Viewer) -> Figure:
    """The page after the 20,000th record, by keyset."""
    where, sort = {"mailing_city": "Oulu"}, ("last_name",)
    with reading():
        far = search.find(alice, "contacts", where=where, sort=sort, limit=10_000, count="none", labels=False).next
        if far:
            far = (
                search.find(alice, "contacts", where=where, sort=sort, limit=10_000, after=far, count="none").next
                or far
            )

        def ask() -> None:
            search.find(alice, "contacts", where=where, sort=sort, after=far)
            db.session.rollback()

        took = _runs(ask, 12)
    return Figure("page behind 20,000 records, by keyset", kind, took.wall, "ms", "< 25", took.note)


def _search(kind: str, alice: Viewer) -> Figure:
    turn = iter(range(10**9))

    def ask() -> None:
        with reading():
            text_index.search(alice, WORDS[next(turn) % len(WORDS)])
            db.session.rollback()

    took = _runs(ask, 80, warm=8)
    note = f"p99 {p99(took.walls) * 1000:.1f} ms, {took.note}"
    return Figure("global search", kind, took.wall, "ms", "p50 < 30", note)


# reports, groups, sendouts


def reports(kind: str, made: Multitude) -> Iterator[Figure]:
    """What came of a sendout to everybody."""
    for name, act in (("numbers", statistics.report), ("curve", statistics.curve), ("links", statistics.links)):
        with reading():
            took = _runs(lambda act=act: act(SYSTEM, made.sendouts[0]), 3, warm=1)  # type: ignore[misc]
            db.session.rollback()
        yield Figure(f"report of a sendout: {name}", kind, took.wall, "ms", "", took.note)


def groups(kind: str, alice: int, made: Multitude) -> Iterator[Figure]:
    """Target groups of many people: filled, and brought up to date when nothing changed."""
    few = {"$and": [
        {"temperature": "Hot"}, {"$in": ["mailing_city", ["Oulu", "Turku", "Pori", "Lahti"]]}, {"email_opt_out": False},
        {"$lt": [made.fields[8], 550]}, {"$hasnot": ["clicks", {"sendout_id": made.sendouts[0]}]},
    ]}  # fmt: skip
    many = {"email_opt_out": False}
    targets = {"few": "< 400", "many": "< 3,000" if kind == "sqlite" else "< 6,000"}
    for name, conditions in (("few", few), ("many", many)):
        values = {"name": name, "conditions": conditions}
        id = records.create(SYSTEM, "target_groups", values, Channel.SYSTEM)
        db.session.commit()
        filled = _runs(lambda id=id: _refreshed(id), 1, warm=0)  # type: ignore[misc]
        again = _runs(lambda id=id: _refreshed(id), 3, warm=0)  # type: ignore[misc]
        count = search.one(SYSTEM, "target_groups", id)["member_count"]
        said = "4 conditions and no click" if name == "few" else "most people"
        note = f"{count:,} people, {again.note}; filled the first time in {filled.wall:,.0f} ms, {filled.note}"
        yield Figure(f"group, {said}: refresh", kind, again.wall, "ms", targets[name], note)


def one_change(kind: str, alice: int, made: Multitude) -> Figure:
    """One person moves to another city: ten groups that are kept up to date ask again, with the eyes of a seller."""
    cities = ("Oulu", "Turku", "Pori", "Lahti")
    for number in range(10):
        conditions = {"$and": [
            {"temperature": ("Hot", "Warm")[number % 2]}, {"$in": ["mailing_city", [cities[number % 4], cities[(number + 1) % 4]]]},
            {"$lt": [made.fields[8], 300 + 50 * number]}, {"email_opt_out": False},
            {"$hasnot": ["clicks", {"sendout_id": made.sendouts[number % 5]}]},
        ]}  # fmt: skip
        values = {"name": f"Fresh {number}", "conditions": conditions, "kept_fresh": True, "owner_id": alice}
        records.create(SYSTEM, "target_groups", values, Channel.SYSTEM)
    db.session.commit()
    fresh, turn = [(viewer(alice), group) for group in keeping_fresh.kept_fresh()], iter(range(10**9))

    def move() -> None:
        number = next(turn)
        person = made.first_contact + made.count // 40 * 20 + number // 2
        contacts = modules["contacts"].table
        city = ("Turku", "Espoo")[number % 2]
        db.session.execute(update(contacts).where(contacts.c.id == person).values(mailing_city=city))
        keeping_fresh.reevaluate(fresh, [person])
        db.session.commit()

    took = _runs(move, 40, warm=10)
    return Figure("one contact's change, ten groups asked again", kind, took.wall, "ms", "< 20", took.note)


def _refreshed(id: int) -> None:
    refresh.refresh(SYSTEM, id, Channel.SYSTEM)
    db.session.commit()


def preparing(kind: str, made: Multitude) -> Iterator[Figure]:
    """A sendout to everybody: its audience and its rows."""
    values = {"name": "Large", "email_template_id": made.mail, "campaign_id": made.campaign}
    sendout = records.create(SYSTEM, "sendouts", values, Channel.SYSTEM)
    db.session.commit()
    actions.start(SYSTEM, sendout, Channel.SYSTEM)
    db.session.commit()
    took = _runs(lambda: prepare.prepare(sendout), 1, warm=0)
    rows = db.session.execute(select(func.count()).select_from(Delivery).where(Delivery.sendout_id == sendout)).scalar()
    if rows != made.count:
        raise RuntimeError(f"{rows} rows, not {made.count}: {search.one(SYSTEM, 'sendouts', sendout)['state_note']}")
    yield Figure(
        "preparing a sendout to everybody", kind, took.wall / 1000, "s", "", f"{rows:,} deliveries, {took.note}"
    )


# what it takes


class Runs(NamedTuple):
    """What some runs of the same took, by the clock (seconds), and of processor, here and in the server (milliseconds a run).

    On a machine that does other things too the clock says little.
    """

    walls: list[float]
    cpu: float

    @property
    def wall(self) -> float:
        return p50(self.walls) * 1000

    @property
    def note(self) -> str:
        return f"{self.cpu:,.1f} ms of processor"


def _runs(act: Callable[[], Any], runs: int, warm: int = 2) -> Runs:
    for _ in range(warm):
        act()
    walls, servers = [], _servers()
    before = time.process_time() + _served(servers)
    for _ in range(runs):
        began = time.perf_counter()
        act()
        walls.append(time.perf_counter() - began)
    return Runs(walls, (time.process_time() + _served(servers) - before) / runs * 1000)


def _servers() -> list[int]:
    """The processes of PostgreSQL that work for this database, where it runs on this machine."""
    if db.engine.dialect.name == "sqlite":
        return []
    with db.engine.connect() as connection:
        said = text(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend'"
        )
        return [pid for pid in connection.execute(said).scalars() if Path(f"/proc/{pid}/schedstat").exists()]


def _served(servers: list[int]) -> float:
    """Seconds of processor that those have used so far."""
    return sum(int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) for pid in servers) / 1e9
