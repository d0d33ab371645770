"""Whose personal page a link opens: the person behind a delivery, or behind a log-in."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from crm.db import db
from crm.engine.registry import modules
from crm.identity.sealing import sealer
from crm.identity.viewer import Viewer
from crm.mail.sending.deliveries import Delivery
from crm.modules.privacy import person
from crm.modules.privacy.person import PERSONS
from crm.modules.rules import key_of_email
from crm.modules.subscriptions import Known
from self_service_portal.links import PURPOSE


@dataclass(frozen=True)
class Myself:
    """The person as the page knows one. `delivery_id`: of the mail that led here, None after a log-in."""

    module: str
    row: dict[str, Any]
    delivery_id: int | None = None

    @property
    def id(self) -> int:
        return int(self.row["id"])

    @property
    def contact_id(self) -> int | None:
        return self.id if self.module == "contacts" else None

    @property
    def name(self) -> str:
        return " ".join(str(self.row[one]) for one in ("first_name", "last_name") if self.row[one])

    @property
    def email(self) -> str:
        return str(self.row["email"] or "")

    @property
    def language(self) -> str | None:
        said: str | None = self.row["language"]
        return said

    @property
    def addressee(self) -> Known:
        """The same for subscriptions."""
        return Known(self.email, key_of_email(self.email) or "", self.module, self.id)

    @property
    def whole(self) -> person.Person:
        """With the records that are the same person."""
        return person.find(self.module, self.id)


def shortened(address: str) -> str:
    """An address as a page may show it to whoever looks on."""
    local, _at, domain = address.rpartition("@")
    return f"{local[:2]}…@{domain}" if len(local) > 2 else f"…@{domain}"


def of_token(token: str) -> Myself | None:
    """Whose page a sealed link opens; None for one that opens nothing, or whose person is gone or was erased."""
    number = sealer().open(PURPOSE, token)
    if number is None:
        return None
    d = Delivery.__table__
    row = db.session.execute(select(d.c.person_module, d.c.person_id, d.c.email).where(d.c.id == number)).first()
    if row is None or not row.email or row.person_module not in PERSONS or row.person_id is None:
        return None
    return _of(row.person_module, row.person_id, number)


def of_viewer(viewer: Viewer) -> Myself | None:
    """The customer who is signed in."""
    return _of("contacts", viewer.customer.contact_id) if viewer.customer else None


def of_person(module: str, id: int) -> Myself | None:
    """The person of a record that is not in the bin."""
    return _of(module, id)


def _of(module: str, id: int, delivery_id: int | None = None) -> Myself | None:
    table = modules[module].table
    said = select(table).where(table.c.id == id, table.c.deleted_at.is_(None), table.c.archived.is_(False))
    row = db.session.execute(said).mappings().first()
    return None if row is None else Myself(module, dict(row), delivery_id)
