"""A sendout from its start to its report, by a house as it runs: `customerhub serve` and, for two workers, another worker for mail.

The mails are those of `sending.py`, and so is the sink, which shares the cores with the house.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from sqlalchemy import func, select

from benchmarks.sending import sink, to_everybody
from benchmarks.world import Figure, world
from crm.db import db
from crm.engine.channels import Channel
from crm.engine.registry import modules
from crm.identity.viewer import SYSTEM
from crm.mail.sending.deliveries import Delivery
from ecp.pipeline import actions
from tests.apps import SECRET
from tests.ports import free_port

PEOPLE = 100_000


def measure(kind: str, people: int = PEOPLE, fewer: int = 40_000) -> Iterator[Figure]:
    for workers, count in ((1, people), (2, fewer)):
        with sink() as port, world(kind, smtp_url=f"smtp://127.0.0.1:{port}", ledger_sync="process"):
            sendout = to_everybody(count)
            url = db.engine.url.render_as_string(hide_password=False)
            with _house(url, port, workers):
                actions.start(SYSTEM, sendout, Channel.SYSTEM)
                db.session.commit()
                began = time.perf_counter()
                _wait_for(sendout)
                seconds = time.perf_counter() - began
            said = select(func.count()).where(Delivery.sendout_id == sendout, Delivery.state == "sent")
            sent = int(db.session.execute(said).scalar() or 0)
            db.session.rollback()
            if sent != count:
                raise RuntimeError(f"{sent} mails were sent, not {count}")
            note = f"{sent / seconds:,.0f} mails/s with the sink on the same two cores, preparing and finishing in it"
            target = "< 150" if workers == 1 and kind == "sqlite" else ""
            name = f"{count:,} mails from start to end, {workers} sending"
            yield Figure(name, kind, seconds, "s", target, note, {"rate": sent / seconds})


@contextmanager
def _house(url: str, port: int, workers: int) -> Iterator[None]:
    """The processes of a house: `serve`, and workers for mail beside the one that it has."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as running:
        plain = {name: value for name, value in os.environ.items() if not name.startswith("CUSTOMERHUB_")}
        settings = {
            "DATABASE_URL": url, "DATA_DIR": folder, "SECRET_KEY": SECRET, "SMTP_URL": f"smtp://127.0.0.1:{port}",
            "SEND_RATE": "0", "DOMAIN_RATE": "0", "LEDGER_SYNC": "process", "LOG_LEVEL": "warning",
        }  # fmt: skip
        environment = plain | {f"CUSTOMERHUB_{name}": value for name, value in settings.items()}
        more = [["worker", "--queues", "mail"]] * (workers - 1)
        for command in (["serve", "--port", str(free_port()), "--processes", "1"], *more):
            process = subprocess.Popen(
                [sys.executable, "-m", "hub.cli", *command], env=environment, stdout=subprocess.DEVNULL
            )
            running.callback(process.wait)
            running.callback(process.terminate)
        time.sleep(5)  # they start
        yield


def _wait_for(sendout: int) -> None:
    table = modules["sendouts"].table
    said = select(table.c.state).where(table.c.id == sendout)
    until = time.monotonic() + 1_800
    while time.monotonic() < until:
        state = db.session.execute(said).scalar()
        db.session.rollback()
        if state == "sent":
            return
        time.sleep(0.1)
    raise RuntimeError(f"the sendout is {state} after half an hour")
