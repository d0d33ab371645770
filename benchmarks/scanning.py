"""Scanning mails with attachments of 100 kB: parsed, decided, stored and committed one by one, as the scanner does it.

CPU time, since that is ours; the waiting for a mail server's octets is not. Half of the mails open tickets, half answer one."""

import base64
import random
import resource
import tempfile
import time

from sqlalchemy import insert

from benchmarks.world import Figure, people, world
from crm.db import db, id_inserted
from crm.mail.inbox.parse import read
from crm.modules.tickets import codes
from crm.modules.tickets.scanning import rule_rows, scanners
from crm.modules.tickets.scanning.ours import ours
from crm.modules.tickets.scanning.tables import MailScanner
from crm.modules.tickets.scanning.take_in import take_in

ATTACHED = 100 * 1024


def measure(kind: str, mails: int = 400) -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder, world(kind, data_dir=folder):
        people(1_000)
        values = {"name": "Support", "host": "127.0.0.1", "username": "support", "folders": ["INBOX"], "seen": {}}
        id = id_inserted(insert(MailScanner).values(**values, reply_from="support@kaisla.example", has_plus=True))
        rule_rows.save_rule(id, {"action": "create"})
        db.session.commit()
        scanner, rules = scanners.one(id), rule_rows.rules_of(id)
        dice = random.Random(1)
        db.session.commit()
        answered = None
        files = [base64.encodebytes(dice.randbytes(ATTACHED)).replace(b"\n", b"\r\n") for _one in range(mails)]
        own = ours()
        db.session.commit()
        began, cpu = time.perf_counter(), _cpu()
        for number in range(mails):
            to = (
                codes.reply_address("support@kaisla.example", answered)
                if answered and number % 2
                else "support@kaisla.example"
            )
            made = _mail(number if answered is None or number % 2 == 0 else number - 1, to, files[number], number)
            taken = take_in(scanner, rules, read(made), "INBOX", f"1:{number}", own)
            db.session.commit()
            answered = taken.ticket_id
        seconds, used = time.perf_counter() - began, _cpu() - cpu
        note = (
            f"{mails} mails, {mails / seconds:.0f}/s by the clock on this machine, one commit and one stored file each"
        )
        return [Figure("scan mails with 100 kB attached", kind, mails / used, "mails/s of CPU", ">= 50", note)]


def _cpu() -> float:
    said = resource.getrusage(resource.RUSAGE_SELF)
    return said.ru_utime + said.ru_stime


def _mail(person: int, to: str, file: bytes, number: int) -> bytes:
    return (
        (
            f"From: P <person{person}@d{person % 50}.example>\r\nTo: {to}\r\nSubject: Request {number}\r\n"
            f"Message-ID: <{number}@d.example>\r\nMIME-Version: 1.0\r\n"
            'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n'
            "Please help us with this.\r\n--b\r\nContent-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n"
            'Content-Disposition: attachment; filename="picture.pdf"\r\n\r\n'
        ).encode()
        + file
        + b"--b--\r\n"
    )
