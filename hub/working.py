"""What a worker process does: the jobs of all rooms, the timetable, and the post office that sends what is due."""

import logging
import threading
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from flask import Flask

from crm.config import Config
from crm.db import db
from crm.jobs.engines import embedded
from crm.mail.sending.office import PostOffice, Rules
from crm.mail.transport import choose

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
    """Work until `stop` is set. `queues` (None: all): only these, with "mail" for sending."""
    load_tasks()
    office = None
    if queues is None or MAIL in queues:
        office = threading.Thread(target=_post_office(app, config, name).run, args=(stop,), name="post office")
        office.start()
    served = None if queues is None else [one for one in queues if one != MAIL]
    if served is None or served or with_clock:
        embedded.run(
            app, stop, lease_seconds=config.lease_seconds, zone=config.timezone, queues=served, name=name,
            with_clock=with_clock,
        )  # fmt: skip
    if office is not None:
        office.join()


def _post_office(app: Flask, config: Config, name: str) -> PostOffice:
    rules = Rules(
        send_rate=config.send_rate,
        domain_rate=config.domain_rate,
        lease_seconds=config.lease_seconds,
        first_retry_seconds=config.first_retry_seconds,
        ledger_sync=config.ledger_sync,
    )
    with app.app_context():
        return PostOffice(db.engine, choose(config.smtp_url, config.data_path), rules, app.app_context, name)
