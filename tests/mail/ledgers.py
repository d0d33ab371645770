"""What tests of the sending ledger share: a database with its tables, rows to send, a kind that renders them, a worker process."""

from __future__ import annotations

import argparse
import os
import signal
import threading
from collections import Counter
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

from sqlalchemy import Engine, create_engine, insert, select

from crm import clock
from crm.db import Base, Entity, prepare_engine
from crm.mail.message import Envelope, Settled
from crm.mail.sending import runs
from crm.mail.sending.deliveries import Delivery
from crm.mail.sending.kinds import Claimed, Kind, Rendered, register
from crm.mail.sending.office import PostOffice, Rules
from crm.mail.smtp import SmtpServer, Timeouts
from crm.mail.transport import Transport
from tests import forked
from tests.forked import Forked

NO_LIMITS = Rules(0, 0, lease_seconds=5, first_retry_seconds=1, ledger_sync="process", connections=2)


def render(row: Claimed, loaded: Any) -> Rendered:
    if row.email.startswith("poison"):
        raise ValueError("no such tag: {$contact.name}")
    text = f"From: news@example.com\r\nTo: {row.email}\r\nMessage-ID: <{row.id}@example.com>\r\n\r\nHello {row.id}\r\n"
    envelope = Envelope(f"bounces+{row.id}@example.com", row.email)
    return Rendered(envelope, Settled(text.encode()), f"<{row.id}@example.com>")


def a_kind(**changes: Any) -> Kind:
    return register(Kind("sendout", **({"render": render} | changes)))


def open_engine(url: str) -> Engine:
    engine = create_engine(url, pool_size=20)
    prepare_engine(engine)
    Base.metadata.create_all(engine)
    return engine


def a_sendout(engine: Engine, emails: Sequence[str] | int, *, is_open: bool = True, **values: Any) -> int:
    """A sendout with one waiting delivery an address; its id."""
    if isinstance(emails, int):
        emails = [f"person{n}@d{n % 50}.example" for n in range(emails)]
    with engine.begin() as connection:
        sendout_id = connection.execute(
            insert(Entity).values(module="sendouts", label="x").returning(Entity.id)
        ).scalar_one()
        common = {"sendout_id": sendout_id, "created_at": clock.now(), "kind": "sendout", "state": "waiting"} | values
        if emails:
            connection.execute(insert(Delivery), [common | {"email": email, "email_key": email} for email in emails])
        if is_open:
            runs.open_run(connection, sendout_id)
    return int(sendout_id)


def rows(engine: Engine, sendout_id: int | None = None) -> list[Any]:
    with engine.connect() as connection:
        query = select(Delivery.__table__).order_by(Delivery.id)
        if sendout_id is not None:
            query = query.where(Delivery.sendout_id == sendout_id)
        return list(connection.execute(query))


def states(engine: Engine, sendout_id: int) -> Counter[str]:
    return Counter(row.state for row in rows(engine, sendout_id))


def an_office(engine: Engine, transport: Transport, rules: Rules = NO_LIMITS, name: str = "test") -> PostOffice:
    return PostOffice(engine, transport, rules, nullcontext, name)


class Working:
    """An office at work in a thread of this process, inside a `with`."""

    def __init__(self, office: PostOffice) -> None:
        self.office, self.stop = office, threading.Event()
        self.thread = threading.Thread(target=office.run, args=(self.stop,))

    def __enter__(self) -> Working:
        self.thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop.set()
        self.thread.join(30)
        assert not self.thread.is_alive()


def start_process(url: str, port: int, name: str, connections: int = 2, lease: float = 2.0) -> Forked:
    """A sending process of its own, to be killed."""
    return forked.start("tests.mail.ledgers", url, str(port), name, str(connections), str(lease))


def main() -> None:
    said = argparse.ArgumentParser()
    for name in ("url", "port", "name", "connections", "lease"):
        said.add_argument(name)
    given = said.parse_args()
    a_kind()
    engine = create_engine(given.url, pool_size=20)
    prepare_engine(engine)
    rules = Rules(0, 0, float(given.lease), 1, "process", int(given.connections))
    times = Timeouts(connect=5, banner=5, mail=5, rcpt=5, data=5, block=5, dot=30)
    server = SmtpServer(f"smtp://127.0.0.1:{given.port}", timeouts=times)
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    parent = os.getppid()
    office = threading.Thread(target=an_office(engine, server, rules, given.name).run, args=(stop,), daemon=True)
    office.start()
    while office.is_alive() and os.getppid() == parent:
        office.join(0.5)


if __name__ == "__main__":
    main()
