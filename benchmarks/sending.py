"""Preparing and sending a sendout: 60 kB, 12 tags, 96 tracked links, RSA-2048, each delivery recorded by itself, to a sink in a
process of its own; and the plain path (stdlib message, smtplib, a DKIM library, jinja-like replacing) in the same run."""

import os
import resource
import smtplib
import subprocess
import sys
import threading
import time
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from pathlib import Path
from typing import Any

import dkim as dkim_library
from sqlalchemy import func, select

from benchmarks import newsletter
from benchmarks.world import Figure, people, pin, unpin, world
from crm.db import db
from crm.engine import records
from crm.engine.channels import Channel
from crm.engine.registry import modules
from crm.identity.viewer import SYSTEM
from crm.mail import dkim
from crm.mail.sending.deliveries import Delivery
from crm.mail.sending.office import PostOffice, Rules
from crm.mail.transport import choose
from crm.modules.campaigns import members
from crm.modules.people import Choice
from ecp import senders
from ecp.pipeline import actions, prepare

MAILS, PLAIN = 20_000, 200


def measure(kind: str, mails: int = MAILS, prepared: int = 100_000) -> list[Figure]:
    found = []
    for sync, target in (("process", "≥ 900"), ("power", "≥ 600")):
        if kind == "postgresql" and sync == "power":
            continue  # its commits follow the server's own setting
        with _sink() as port, world(kind, smtp_url=f"smtp://127.0.0.1:{port}", ledger_sync=sync) as app:
            count = prepared if sync == "process" else mails
            sendout, seconds = _ready(count)
            if sync == "process":
                target_of = "< 5" if kind == "sqlite" else "< 8"
                found.append(Figure(f"prepare {count:,} deliveries", kind, seconds, "s", target_of))
            rate, memory = _send(app, sendout, sync, mails)
            plain = _plain(port)
            note = f"plain path {plain:.0f} mails/s, {rate / plain:.1f} times as fast; {memory:.0f} MB"
            found.append(
                Figure(f"send, ledger sync {sync}", kind, rate, "mails/s a core", target, note, {"plain": plain})
            )
    return found


class _sink:
    """The test server as a process of its own, on the other core."""

    def __enter__(self) -> int:
        command = [sys.executable, "-m", "tests.mail.smtp_server", "--port", "0", "--log", os.devnull]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        port = int(self.process.stdout.readline().split()[-1])
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(self.process.pid, {cores[-1]})
        return port

    def __exit__(self, *_said: object) -> None:
        self.process.terminate()
        self.process.wait()


def _ready(count: int) -> tuple[int, float]:
    """A sendout with `count` people, prepared; its id and how long preparing took."""
    ids = people(count)
    sender = records.create(
        SYSTEM,
        "sender_addresses",
        {"address": "news@saarni.example", "display_name": "Saarni", "state": "confirmed"},
        Channel.SYSTEM,
    )
    senders.make_signer("saarni.example")
    mail = records.create(SYSTEM, "email_templates", {
        "name": "Bench", "kind": "email", "status": "active", "subject": newsletter.SUBJECT, "sender_name": "Saarni",
        "sender_address_id": sender, "mjml": newsletter.mjml(),
    }, Channel.SYSTEM)  # fmt: skip
    campaign = records.create(SYSTEM, "campaigns", {"name": "Bench", "type": "Email"}, Channel.SYSTEM)
    for start in range(0, count, 20_000):
        members.change(SYSTEM, campaign, Choice(contact_ids=ids[start : start + 20_000]), Channel.SYSTEM)
    values = {"name": "Bench", "email_template_id": mail, "campaign_id": campaign}
    sendout = records.create(SYSTEM, "sendouts", values, Channel.SYSTEM)
    db.session.commit()
    actions.start(SYSTEM, sendout, Channel.SYSTEM)
    db.session.commit()
    began = time.perf_counter()
    prepare.prepare(sendout)
    return sendout, time.perf_counter() - began


def _send(app: Any, sendout: int, sync: str, mails: int) -> tuple[float, float]:
    """Mails a second of one pinned process with two connections, and its memory in MB."""
    settings = app.config["CUSTOMERHUB"]
    office = PostOffice(
        db.engine, choose(settings.smtp_url, Path(settings.data_path)), Rules(0, 0, ledger_sync=sync, connections=2),
        app.app_context, "bench",
    )  # fmt: skip
    said = select(func.count()).select_from(Delivery).where(Delivery.sendout_id == sendout, Delivery.state == "sent")
    stop = threading.Event()
    pin()
    thread = threading.Thread(target=office.run, args=(stop,))
    thread.start()
    try:
        first, began = _wait(said, 500), time.perf_counter()
        last = _wait(said, min(mails, _all(sendout)) - 500)
        seconds = time.perf_counter() - began
    finally:
        stop.set()
        thread.join()
        unpin()
    return (last - first) / seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _all(sendout: int) -> int:
    table = modules["sendouts"].table
    return int(db.session.execute(select(table.c.audience_count).where(table.c.id == sendout)).scalar() or 0) or 10**9


def _wait(said: Any, at_least: int) -> int:
    until = time.monotonic() + 600
    while time.monotonic() < until:
        count = int(db.session.execute(said).scalar() or 0)
        db.session.rollback()
        if count >= at_least:
            return count
        time.sleep(0.25)
    raise RuntimeError(f"only {count} mails were sent in ten minutes")


def _plain(port: int) -> float:
    """The ordinary way: fill by replacing, stdlib message, a DKIM library, smtplib on one reused connection; no record kept."""
    from ecp.content.compile import Content, compile

    html = compile(Content("mjml", newsletter.mjml(), subject="Bench")).html
    key = dkim.make_key("rsa")
    pin()
    with smtplib.SMTP("127.0.0.1", port) as connection:
        began = time.perf_counter()
        for number in range(PLAIN):
            message = EmailMessage()
            message["From"], message["To"] = "Saarni <news@saarni.example>", f"person{number}@plain.example"
            message["Subject"], message["Date"], message["Message-ID"] = (
                "Bench",
                formatdate(),
                make_msgid(domain="saarni.example"),
            )
            body = html
            for tag in newsletter.TAGS:
                body = body.replace("{$" + tag + "}", f"value {number}")
            message.set_content("Text of the letter")
            message.add_alternative(body, subtype="html")
            data = message.as_bytes()
            signed = dkim_library.sign(data, b"bench", b"saarni.example", key, canonicalize=(b"relaxed", b"simple"))
            connection.sendmail("news@saarni.example", [f"person{number}@plain.example"], signed + data)
        rate = PLAIN / (time.perf_counter() - began)
    unpin()
    return rate
