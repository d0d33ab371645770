"""Opt-ins: who asked for our mail, in which words and where, and when the owner of the address confirmed it. Kept as evidence."""

from datetime import datetime

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from crm.db import Json
from crm.engine import fields as f
from crm.engine.conditions import where
from crm.engine.module import Filter, Module, Related, Timeline
from crm.engine.record import Ledger


class OptIn(Ledger):
    """One request for mail. `person_id` is empty until it is confirmed; `list_type_ids` and `offered_ids`: what was ticked,
    and what could be."""

    __tablename__ = "opt_ins"
    __table_args__ = (
        Index("ix_opt_ins_person_asked", "person_id", "asked_at"),
        Index("ix_opt_ins_email_asked", "email_key", "asked_at"),
    )
    person_id: Mapped[int | None] = f.link("Person", to=("contacts", "leads"))
    email: Mapped[str] = f.email("Address")
    email_key: Mapped[str] = f.text("Address as it is compared", max=320, in_lists=False)
    first_name: Mapped[str | None] = f.text("First name", max=60, in_lists=False)
    last_name: Mapped[str | None] = f.text("Last name", max=80, in_lists=False)
    language: Mapped[str | None] = f.picklist("Language", "language")
    list_type_ids: Mapped[list[int]] = mapped_column(Json, default=list)
    offered_ids: Mapped[list[int]] = mapped_column(Json, default=list)
    wording: Mapped[str] = f.long_text("What was agreed to", max=2000)
    source: Mapped[str] = f.text("Asked through", max=100)
    ip: Mapped[str | None] = f.text("Asked from, shortened", max=45, in_lists=False)
    agent_family: Mapped[str | None] = f.text("Browser", max=60)
    asked_at: Mapped[datetime] = f.moment("Asked at")
    mail_count: Mapped[int] = f.whole("Mails that asked to confirm", default=0)
    mailed_at: Mapped[datetime | None] = f.moment("Last of them at")
    confirmed_at: Mapped[datetime | None] = f.moment("Confirmed at")
    confirmed_ip: Mapped[str | None] = f.text("Confirmed from, shortened", max=45, in_lists=False)


_shown = Related(
    by="person_id",
    label="Opt-ins",
    columns=("asked_at", "confirmed_at", "email", "source", "wording"),
    timeline=Timeline(
        "confirmed_at", "Confirmed by mail that we may write: {source}", icon="shield-check", category="mail",
        columns=("source",),
    ),
)  # fmt: skip

MODULE = Module(
    OptIn,
    label="Opt-in",
    plural="Opt-ins",
    icon="shield-check",
    title="email",
    parent="person_id",
    columns=("person_id", "email", "asked_at", "confirmed_at", "source", "agent_family", "mail_count"),
    sort=("-asked_at",),
    filters=(
        Filter("confirmed", "Confirmed", where("confirmed_at", "is not empty", None)),
        Filter("waiting", "Not confirmed", where("confirmed_at", "is empty", None)),
    ),
    shows_on={"contacts": _shown, "leads": _shown},
    creatable=False,
    editable=False,
    deletable=False,
    importable=False,
    in_ecp=True,
)
