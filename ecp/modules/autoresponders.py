"""Autoresponders: a mail that follows an earlier sendout, to who read it, clicked in it, or did not read it (M111)."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Mapped

from crm import clock
from crm.db import db
from crm.engine import fields as f
from crm.engine.conditions import where
from crm.engine.fields import Choice, PicklistSeed
from crm.engine.module import Action, Block, Filter, Module, Related
from crm.engine.record import Record
from crm.engine.refusals import Fault
from crm.modules.email_templates import CAMPAIGN, EmailTemplate
from crm.modules.rules import after
from crm.words import _

REACTIONS = PicklistSeed.of(
    "reaction", "What somebody did with a mail",
    Choice("read", "Read it", "green"), Choice("clicked", "Followed a link", "blue"), Choice("not_read", "Did not read it", "yellow"),
)  # fmt: skip


class Autoresponder(Record):
    """One mail that follows one sendout (of a recurring mailing: all of its sendouts). Each person gets it once.

    `activated_at`: what was due before it was switched on is not sent."""

    __tablename__ = "autoresponders"
    name: Mapped[str] = f.text("Name", max=150)
    sendout_id: Mapped[int] = f.link("Earlier sendout", to="sendouts", on_delete="CASCADE")
    reaction: Mapped[str] = f.picklist("Sent to who", "reaction", default="read", mass_edit=False)
    link_number: Mapped[int | None] = f.whole(
        "Only this link", least=1, help="Its number in the report; none: any link"
    )
    delay: Mapped[int] = f.whole("How long afterwards", least=0, most=1000, default=1)
    unit: Mapped[str] = f.picklist("Unit", "trigger_unit", default="days", mass_edit=False)
    email_template_id: Mapped[int] = f.link(
        "E-mail", to="email_templates", on_delete="RESTRICT", only=where("status", "is", "active")
    )
    active: Mapped[bool] = f.checkbox("Active", default=True, mass_edit=True)
    until: Mapped[date | None] = f.day("The last day at the latest")
    activated_at: Mapped[datetime | None] = f.moment("Active since", read_only=True)
    problem: Mapped[str | None] = f.text("Why nothing was sent", max=300, read_only=True)


def activation(values: Mapping[str, Any], old: Mapping[str, Any] | None) -> dict[str, Any]:
    """It is active from the moment it was switched on: what was due before is not sent."""
    was, now = bool(old and old.get("active")), bool(after(values, old).get("active"))
    return {"activated_at": clock.now()} if now and not was else {}


def mail_fits(values: Mapping[str, Any], old: Mapping[str, Any] | None) -> dict[str, Fault]:
    """An active mail, or an active template of the folder Campaign; a link only where links are asked."""
    faults = {}
    if values.get("link_number") is not None and after(values, old).get("reaction") != "clicked":
        faults["link_number"] = Fault("bad_value", _("A link is chosen only for who followed one."))
    id = values.get("email_template_id")
    if id is None or id == (old or {}).get("email_template_id"):
        return faults
    c = EmailTemplate.__table__.c
    row = db.session.execute(select(c.kind, c.folder, c.status).where(c.id == id)).first()
    if row is not None and row.kind != "email" and row.folder != CAMPAIGN:
        message = _("This is a template. Make an e-mail from it, or move it into the folder Campaign.")
        faults["email_template_id"] = Fault("is_template", message)
    elif row is not None and row.status != "active":
        faults["email_template_id"] = Fault("inactive", _("This e-mail is not active. Activate it first."))
    return faults


MODULE = Module(
    Autoresponder,
    label="Autoresponder",
    plural="Autoresponders",
    icon="mail-forward",
    columns=("name", "sendout_id", "reaction", "delay", "unit", "email_template_id", "active", "problem"),
    facts=("sendout_id", "reaction", "email_template_id", "active", "activated_at", "problem"),
    form=(
        Block("After which mail", ("name", "sendout_id", "reaction", "link_number")),
        Block("What is sent, and when", ("email_template_id", "delay", "unit", "until", "active", "owner_id")),
    ),
    in_search=False,
    search=("name",),
    sort=("name",),
    filters=(Filter("active", "Active", where("active", "is", True)),),
    actions=(
        Action("switch_on", "Switch on", lambda row: {"active": True}, when=where("active", "is", False), icon="player-play"),
        Action("switch_off", "Switch off", lambda row: {"active": False}, when=where("active", "is", True), icon="player-pause"),
    ),
    shows_on={"email_templates": Related(by="email_template_id", columns=("name", "sendout_id", "reaction", "active"))},
    keeps={"email_templates": "email_template_id"},
    picklists=(REACTIONS,),
    derives=(activation,),
    checks=(mail_fits,),
    areas={"create": "send", "edit": "send"},
    importable=False,
    in_ecp=True,
)  # fmt: skip
