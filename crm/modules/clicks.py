"""Clicks: every following of a link of a mail, by whom and why we think so. Written by the public pages, read by reports and cards."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from crm.db import BigId
from crm.engine import fields as f
from crm.engine.conditions import where
from crm.engine.module import Module, Related, Timeline
from crm.engine.record import Ledger
from crm.words import N_


class Click(Ledger):
    """One click on the link with `link_number` of the sendout. Without consent it carries no delivery and no person."""

    __tablename__ = "clicks"
    __table_args__ = (
        Index("ix_clicks_sendout_at", "sendout_id", "at"),
        Index("ix_clicks_person_at", "person_id", "at"),
        Index(
            "ix_clicks_person_sendout", "person_id", "sendout_id", "made_by"
        ),  # who did not click: of each without its row
    )
    sendout_id: Mapped[int | None] = f.link("Sendout", to="sendouts", on_delete="CASCADE")
    delivery_id: Mapped[int | None] = mapped_column(
        BigId, ForeignKey("deliveries.id", ondelete="CASCADE"), index=True,
        info={"field": f.make("whole", "Delivery", in_lists=False)},
    )  # fmt: skip
    person_id: Mapped[int | None] = f.link("Person", to=("contacts", "leads"))
    link_number: Mapped[int | None] = f.whole("Link")
    url: Mapped[str | None] = f.long_text("Address", max=4000)
    at: Mapped[datetime] = f.moment("When")
    agent_family: Mapped[str | None] = f.text("Mail program", max=60)
    ip: Mapped[str | None] = f.text("Address, shortened", max=45, in_lists=False)
    made_by: Mapped[str] = f.picklist("Made by", "made_by", default="unknown")
    why: Mapped[str | None] = f.picklist("Why", "why_made_by")
    delay: Mapped[int | None] = f.whole("Seconds after sending", in_lists=False)
    signs: Mapped[str | None] = f.text(
        "Signs", max=120, in_lists=False
    )  # what was seen, for judging again: ecp/machines.py
    rules: Mapped[int | None] = f.whole("Version of the rules", in_lists=False)


_shown = Related(
    by="person_id",
    label="Clicks",
    columns=("at", "made_by", "why", "url", "sendout_id"),
    timeline=Timeline(
        "at", "Clicked {url}", icon="click", category="mail", columns=("url", "sendout_id"),
        where=where("made_by", "is", "human"),
    ),
)  # fmt: skip

MODULE = Module(
    Click,
    label="Click",
    plural="Clicks",
    icon="click",
    title="url",
    untitled=N_("The hidden link, which only machines follow"),
    parent="sendout_id",
    about="person_id",
    counts=where("made_by", "is", "human"),
    columns=("person_id", "url", "link_number", "at", "agent_family", "made_by", "why"),
    sort=("-at",),
    shows_on={"contacts": _shown, "leads": _shown},
    importable=False,
    in_ecp=True,
)
