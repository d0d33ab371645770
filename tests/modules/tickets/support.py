"""Support as the tests see it: people, a customer with an account, a sender, mails made by hand, and scanners that need no server."""

from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any
from zlib import crc32

from sqlalchemy import insert, select

from crm.db import db, id_inserted
from crm.engine import outbox, records, search
from crm.engine.channels import Channel
from crm.engine.outbox import Job
from crm.engine.registry import modules
from crm.identity import stamp
from crm.identity.tables import SharingDefault
from crm.identity.viewer import SYSTEM
from crm.mail.inbox.parse import read
from crm.mail.sending.deliveries import Delivery
from crm.modules.tickets.scanning import rule_rows, scanners
from crm.modules.tickets.scanning.tables import MailScanner
from crm.modules.tickets.scanning.take_in import take_in

MONDAY = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)  # 10:00 in Helsinki


class Support:
    """What the tests of tickets do again and again."""

    def __init__(self) -> None:
        self.account = self.make("accounts", name="Virta Oy")
        self.contact = self.make(
            "contacts", first_name="Anna", last_name="Virta", email="anna@virta.example", account_id=self.account
        )
        self.make("sender_addresses", address="support@kaisla.example", state="confirmed", is_default=True)

    def make(self, module: str, **values: Any) -> int:
        return records.create(SYSTEM, module, values, Channel.SYSTEM)

    def ticket(self, **values: Any) -> int:
        return self.make("tickets", **({"title": "The printer is on fire", "contact_id": self.contact} | values))

    def row(self, id: int) -> Any:
        return search.one(SYSTEM, "tickets", id)

    def stored(self, id: int) -> Any:
        table = modules["tickets"].table
        return db.session.execute(select(table).where(table.c.id == id)).mappings().one()

    def update(self, id: int, **values: Any) -> None:
        records.update(SYSTEM, "tickets", id, values, Channel.SYSTEM)

    def comments(self, ticket_id: int) -> list[Any]:
        table = modules["ticket_comments"].table
        return list(
            db.session.execute(select(table).where(table.c.ticket_id == ticket_id).order_by(table.c.id)).mappings()
        )

    def tickets(self) -> list[Any]:
        table = modules["tickets"].table
        return list(db.session.execute(select(table).order_by(table.c.id)).mappings())

    def keep_private(self, module: str) -> None:
        """From now on only owners and those above them see the records of a module."""
        db.session.add(SharingDefault(module=module, level="private"))
        stamp.renew()
        db.session.flush()

    def scanner(self, **values: Any) -> int:
        row = {
            "name": f"Support {values.get('reply_from', '')}", "host": "127.0.0.1", "username": "support", "folders": ["INBOX"],
            "reply_from": "support@kaisla.example", "has_plus": True, "seen": {}, "scans": "unread", "port": 993,
        } | values  # fmt: skip
        return id_inserted(insert(MailScanner).values(**row))

    def rule(self, scanner_id: int, **values: Any) -> int:
        return rule_rows.save_rule(scanner_id, {"action": "create"} | values)

    def take(self, scanner_id: int, data: bytes, folder: str = "INBOX") -> Any:
        return take_in(scanners.one(scanner_id), rule_rows.rules_of(scanner_id), read(data), folder)

    def run_jobs(self, *tasks: str) -> None:
        """Run what waits in the outbox, of these tasks (none: of all), as a worker would."""

        class Progress:
            created_by_id = None

            def __init__(self, id: int) -> None:
                self.job_id = id

            def step(self, *_rest: Any, **_named: Any) -> None: ...

            def cancelled(self) -> bool:
                return False

        for _round in range(5):
            jobs = db.session.scalars(select(Job).where(Job.state == "waiting", Job.task.startswith("tickets."))).all()
            jobs = [job for job in jobs if not tasks or job.task in tasks]
            if not jobs:
                return
            for job in jobs:
                outbox.TASKS[job.task].run(Progress(job.id), **job.arguments)
                job.state = "done"
            db.session.flush()

    def sent(self, to: str = "") -> list[Any]:
        """The letters in the outbox, with their payload."""
        rows = db.session.execute(select(Delivery.email, Delivery.payload, Delivery.id).order_by(Delivery.id)).all()
        return [row for row in rows if not to or row.email == to]


def mail(
    subject: str = "Help",
    text: str = "It does not work.",
    sender: str = "Anna Virta <anna@virta.example>",
    **headers: str,
) -> bytes:
    """The bytes of a plain mail; other headers by name, underscores for dashes."""
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = sender, headers.pop("To", "support@kaisla.example"), subject
    made["Message-ID"] = headers.pop("Message_ID", f"<{crc32(repr((subject, text, sender)).encode())}@virta.example>")
    for name, value in headers.items():
        made[name.replace("_", "-")] = value
    made.set_content(text)
    return made.as_bytes()
