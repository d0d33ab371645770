"""Opens: every loading of the picture of a mail, machines' too. Written by the public pages, read by reports and cards."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from crm.db import BigId
from crm.engine import fields as f
from crm.engine.fields import Choice, PicklistSeed
from crm.engine.module import Module
from crm.engine.record import Ledger

WHY_MACHINE = PicklistSeed.of(
    "why_machine", "Why it is taken for a machine",
    Choice("agent", "Its name"), Choice("at_once", "Right after sending"), Choice("head", "Asked for headers only"),
    Choice("several_links", "Several links at once"), Choice("hidden_link", "Followed a hidden link"),
    Choice("other", "Other signs"),
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
    is_machine: Mapped[bool] = f.checkbox("Likely a machine")
    why_machine: Mapped[str | None] = f.picklist("Why a machine", "why_machine")


MODULE = Module(
    Open,
    label="Open",
    plural="Opens",
    icon="mail-opened",
    title="at",
    parent="sendout_id",
    about="person_id",
    columns=("person_id", "at", "agent_family", "is_machine", "why_machine"),
    sort=("-at",),
    picklists=(WHY_MACHINE,),
    importable=False,
    in_ecp=True,
)
