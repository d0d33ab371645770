"""Opens: every loading of the picture of a mail, by whom and why we think so. Written by the public pages, read by reports and cards."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from crm.db import BigId
from crm.engine import fields as f
from crm.engine.conditions import where
from crm.engine.fields import Choice, PicklistSeed
from crm.engine.module import Module, Related
from crm.engine.record import Ledger

MADE_BY = PicklistSeed.of(
    "made_by", "Whose opening or click it was",
    Choice("human", "A person", "green"), Choice("machine", "A machine", "secondary"),
    Choice("unknown", "Cannot be told", "yellow"),
)  # fmt: skip
WHY = PicklistSeed.of(
    "why_made_by", "Why an opening or click is taken for whose",
    Choice("like_person", "Came as from a person"), Choice("gesture", "Somebody moved or typed on the page it led to"),
    Choice("proxy", "A mail service loads pictures for all its people"), Choice("one_sign", "One sign of a machine, which proves nothing"),
    Choice("hidden_link", "Followed a link that people do not see"), Choice("agent", "Names itself as a scanner"),
    Choice("network", "Comes from a network of scanners"), Choice("head", "Asked for headers only"),
    Choice("ahead", "Loaded ahead by a program"), Choice("at_once", "Right after sending, faster than people read"),
    Choice("several_links", "Several links at the same moment"), Choice("in_order", "One link after the other, in their order"),
    Choice("crowd", "At the same moment for many people"), Choice("beside", "Came together with a machine"),
    Choice("several_signs", "Several signs of a machine"),
)  # fmt: skip


class Open(Ledger):
    """One opening. Without consent (decisions.md 23) it carries no delivery and no person, only the sendout."""

    __tablename__ = "opens"
    __table_args__ = (
        Index("ix_opens_sendout_at", "sendout_id", "at"),
        Index("ix_opens_person_at", "person_id", "at"),
    )
    sendout_id: Mapped[int | None] = f.link("Sendout", to="sendouts", on_delete="CASCADE")
    delivery_id: Mapped[int | None] = mapped_column(
        BigId, ForeignKey("deliveries.id", ondelete="CASCADE"), index=True,
        info={"field": f.make("whole", "Delivery", in_lists=False)},
    )  # fmt: skip
    person_id: Mapped[int | None] = f.link("Person", to=("contacts", "leads"))
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


_shown = Related(by="person_id", label="Openings", columns=("at", "made_by", "why", "agent_family", "sendout_id"))

MODULE = Module(
    Open,
    label="Open",
    plural="Opens",
    icon="mail-opened",
    title="at",
    parent="sendout_id",
    about="person_id",
    counts=where("made_by", "is", "human"),
    columns=("person_id", "at", "agent_family", "made_by", "why"),
    sort=("-at",),
    picklists=(MADE_BY, WHY),
    shows_on={"contacts": _shown, "leads": _shown},
    importable=False,
    in_ecp=True,
)
