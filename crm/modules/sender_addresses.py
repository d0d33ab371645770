"""Sender addresses: those that mails may come from, once their owner and their domain agree."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Mapped

from crm.db import db
from crm.engine import fields as f
from crm.engine.conditions import where
from crm.engine.fields import Choice, PicklistSeed
from crm.engine.module import Action, Block, Filter, Module
from crm.engine.record import Record
from crm.engine.refusals import Fault
from crm.modules.rules import after
from crm.words import _

STATES = PicklistSeed.of(
    "sender_state", "State of a sender address",
    Choice("pending", "Waits for confirmation", "yellow"), Choice("confirmed", "Confirmed", "green"),
    Choice("domain_verified", "Domain verified", "green"), Choice("disabled", "Disabled", "secondary"),
)  # fmt: skip
USABLE = ("confirmed", "domain_verified")


class SenderAddress(Record):
    """An address that mails come from. A new one waits until the link in its confirmation mail was followed."""

    __tablename__ = "sender_addresses"
    address: Mapped[str] = f.email("Address", unique=True)
    display_name: Mapped[str | None] = f.text("Sender name", max=100)
    state: Mapped[str] = f.picklist(
        "State", "sender_state", default="pending", mass_edit=False, read_only=True, audited=True
    )
    is_default: Mapped[bool] = f.checkbox("Default sender")
    confirmed_at: Mapped[datetime | None] = f.moment("Confirmed at", read_only=True)
    asked_at: Mapped[datetime | None] = f.moment("Confirmation mail at", read_only=True)
    checked_at: Mapped[datetime | None] = f.moment("DNS checked at", read_only=True)
    check_result: Mapped[str | None] = f.long_text("Result of the DNS check", max=4000, read_only=True)
    override_note: Mapped[str | None] = f.text("Used without DNS check because", max=250)
    description: Mapped[str | None] = f.long_text("Description")


def default_row() -> Any:
    """The sender that mails begin with: the default one, else the first that may be used; None without any."""
    table = SenderAddress.__table__
    usable = (table.c.state.in_(USABLE), table.c.deleted_at.is_(None))
    query = select(table.c.id, table.c.address, table.c.display_name).where(*usable)
    return db.session.execute(query.order_by(table.c.is_default.desc(), table.c.id).limit(1)).first()


def address_stays(values: Mapping[str, Any], old: Mapping[str, Any] | None) -> dict[str, Fault]:
    """What was confirmed is this address and no other; only such a one can be the default."""
    if values.get("is_default") and after(values, old).get("state") not in USABLE:
        return {"is_default": Fault("not_confirmed", _("Only a confirmed address can be the default sender."))}
    if old is not None and values.get("address", old["address"]).lower() != old["address"].lower():
        return {"address": Fault("locked", _("A sender address cannot be changed. Add a new one and disable this."))}
    return {}


MODULE = Module(
    SenderAddress,
    label="Sender address",
    plural="Sender addresses",
    menu="Marketing",
    icon="at",
    title="address",
    columns=("address", "display_name", "state", "is_default", "checked_at"),
    facts=("state", "display_name", "is_default", "confirmed_at"),
    form=(
        Block("Sender address", ("address", "display_name", "is_default", "state", "confirmed_at", "owner_id")),
        Block("Domain", ("checked_at", "check_result", "override_note")),
        Block("More", ("description",)),
    ),
    search=("address", "display_name"),
    sort=("address",),
    filters=(Filter("usable", "Can be used", where("state", "one of", list(USABLE))),),
    actions=(
        Action("make_default", "Make default", lambda it: {"is_default": True}, when={"$and": [where("is_default", "is", False), where("state", "one of", list(USABLE))]},
               icon="star"),
    ),
    picklists=(STATES,),
    checks=(address_stays,),
    sole=("is_default",),
    areas={"create": "ecp_admin", "edit": "ecp_admin", "delete": "ecp_admin"},
    in_ecp=True,
)  # fmt: skip
