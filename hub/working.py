"""What a worker process does: the jobs of all rooms, the timetable, and the post office that sends what is due."""

import logging
import threading
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from flask import Flask

from crm.config import Config
from crm.db import db
from crm.jobs import schedule
from crm.jobs.engines import brokered, embedded
from crm.jobs.engines.carriers import carrier_of
from crm.mail.pool import Pool
from crm.mail.sending.office import PostOffice, Rules
from crm.mail.transport import choose
from hub.watching import Watching

log = logging.getLogger(__name__)
TOP = Path(__file__).parent.parent
ROOMS = ("crm", "web_tracking", "surveys", "ecp", "self_service_portal")
SAYS_TASK = ("@task(", "@outbox.task(")
MAIL = "mail"  # named among `queues`, it means the post office


def load_tasks() -> None:
    """Import every file of every room that registers a task, so that no job waits for a worker that knows it."""
    for room in ROOMS:
        for path in sorted((TOP / room).rglob("*.py")):
            if any(said in path.read_text() for said in SAYS_TASK):
                import_module(".".join(path.relative_to(TOP).with_suffix("").parts).removesuffix(".__init__"))


def work(
    app: Flask,
    config: Config,
    stop: threading.Event,
    name: str,
    *,
    queues: Sequence[str] | None = None,
    with_clock: bool = True,
) -> None:
    """Work until `stop` is set. `queues` (None: all): only these, with "mail" for sending.

    With a broker a process serves one queue of jobs (`shares_of` says which processes there are)."""
    load_tasks()
    threads = []
    if queues is None or MAIL in queues:
        threads.append(threading.Thread(target=_post_office(app, config, name).run, args=(stop,), name="post office"))
    served = None if queues is None else [one for one in queues if one != MAIL]
    carrier = carrier_of(config)
    lease = config.lease_seconds
    if carrier is None:
        if served is None or served:
            kept = {"lease_seconds": lease, "queues": served, "name": name}
            threads.append(threading.Thread(target=embedded.run, args=(app, stop), kwargs=kept, name="jobs"))
    elif served is None or len(served) > 1:
        raise ValueError("a worker process of an engine with a broker serves one queue of jobs")
    elif served:
        kept = {"lease_seconds": lease, "name": name}
        threads.append(
            threading.Thread(target=brokered.run, args=(app, stop, carrier, served[0]), kwargs=kept, name="jobs")
        )
    if with_clock:
        threads.append(threading.Thread(target=keep_time, args=(app, config, stop, name), name="clock"))
        threads.append(threading.Thread(target=Watching(app, config, name).run, args=(stop,), name="watch"))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def keep_time(app: Flask, config: Config, stop: threading.Event, name: str) -> None:
    """Be a clock until `stop` is set."""
    from crm.jobs import telling

    schedule.keep_time(app, name, config.timezone, stop, telling.reminder_of(config))


def shares_of(config: Config, queues: Sequence[str] | None, with_clock: bool) -> list[tuple[list[str] | None, bool]]:
    """Which worker processes serve `queues` (None: all): the queues of each, and whether the clock is in it.

    One does with the embedded engine; with a broker there is one for each queue of jobs and one for mail and the clock.
    """
    if config.queue_engine == "embedded":
        return [(list(queues) if queues is not None else None, with_clock)]
    asked = list(queues) if queues is not None else [*embedded.QUEUES, MAIL]
    shares: list[tuple[list[str] | None, bool]] = [([one], False) for one in asked if one != MAIL]
    if MAIL in asked or with_clock:
        shares.append(([MAIL] if MAIL in asked else [], with_clock))
    return shares


def _post_office(app: Flask, config: Config, name: str) -> PostOffice:
    rules = Rules(
        send_rate=config.send_rate,
        domain_rate=config.domain_rate,
        lease_seconds=config.lease_seconds,
        first_retry_seconds=config.first_retry_seconds,
        ledger_sync=config.ledger_sync,
    )
    with app.app_context():
        return PostOffice(
            db.engine,
            Pool(choose(config.smtp_url, config.data_path), db.engine, app.app_context),
            rules,
            app.app_context,
            name,
        )
