"""Preparing and sending a sendout: 60 kB, 12 tags, 96 tracked links, RSA-2048, each delivery recorded by itself.

The sender is a process of its own on one core, as a worker is; so is the sink, on the other core. The plain path (stdlib
message, smtplib, a DKIM library, replacing of tags) runs on the same core to the same sink."""

import os
import smtplib
import subprocess
import sys
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
from crm.modules.campaigns import members
from crm.modules.people import Choice
from ecp.domains import selectors
from ecp.pipeline import actions, prepare

MAILS, PLAIN = 20_000, 200
TARGETS = {("sqlite", "process"): "≥ 1,000", ("sqlite", "power"): "≥ 630", ("postgresql", "power"): "≥ 800"}


def measure(kind: str, mails: int = MAILS, prepared: int = 100_000) -> list[Figure]:
    found = []
    for sync in ("process", "power"):
        with sink() as port, world(kind, smtp_url=f"smtp://127.0.0.1:{port}", ledger_sync=sync) as app:
            count = prepared if sync == "process" else mails
            sendout, seconds = _prepared(count)
            if sync == "process":
                target_of = "< 5" if kind == "sqlite" else "< 8"
                found.append(Figure(f"prepare {count:,} deliveries", kind, seconds, "s", target_of))
            sent = _send(app, port, sendout, sync, mails)
            plain = _plain(port)
            note = (
                f"{sent['cpu']:.0f} us of CPU a mail, {sent['memory']:.0f} MB; "
                f"plain path {plain:.0f} mails/s: {sent['rate'] / plain:.1f} times as fast"
            )
            target = TARGETS.get((kind, sync), "")
            more = sent | {"plain": plain}
            found.append(Figure(f"send, ledger sync {sync}", kind, sent["rate"], "mails/s a core", target, note, more))
    return found


class sink:
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


def _prepared(count: int) -> tuple[int, float]:
    """A sendout with `count` people, prepared; its id and how long preparing took."""
    sendout = to_everybody(count)
    actions.start(SYSTEM, sendout, Channel.SYSTEM)
    db.session.commit()
    began = time.perf_counter()
    prepare.prepare(sendout)
    return sendout, time.perf_counter() - began


def to_everybody(count: int) -> int:
    """A sendout with `count` people that nobody has started; its id."""
    ids = people(count)
    sender = records.create(
        SYSTEM,
        "sender_addresses",
        {"address": "news@saarni.example", "display_name": "Saarni", "state": "confirmed"},
        Channel.SYSTEM,
    )
    selectors.make("saarni.example")
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
    return sendout


def _send(app: Any, port: int, sendout: int, sync: str, mails: int) -> dict[str, float]:
    """Mails a second of one pinned process with three connections, its CPU time a mail in us, and its memory in MB."""
    said = select(func.count()).select_from(Delivery).where(Delivery.sendout_id == sendout, Delivery.state == "sent")
    url = db.engine.url.render_as_string(hide_password=False)
    command = [sys.executable, "-m", "benchmarks.sender", url, str(port), sync, app.config["SECRET_KEY"]]
    sender = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(sender.pid, {min(cores)})
    os.sched_setaffinity(0, {max(cores)})  # who watches stays off the core that is measured
    assert sender.stdin is not None
    assert sender.stdout is not None
    try:
        first, began, used = _wait(said, 500), time.perf_counter(), _cpu(sender.pid)
        last = _wait(said, min(mails, _all(sendout)) - 500)
        seconds, used = time.perf_counter() - began, _cpu(sender.pid) - used
    finally:
        sender.stdin.close()
        memory = float(sender.stdout.read() or 0)
        sender.wait()
        os.sched_setaffinity(0, cores)
    return {"rate": (last - first) / seconds, "cpu": used / (last - first) * 1e6, "memory": memory}


def _cpu(pid: int) -> float:
    """Seconds of CPU that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


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
