"""Touches: each time something led a person to us or brought one nearer, by which way, source and campaign. Kept as a ledger."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from crm.db import BigId
from crm.engine import fields as f
from crm.engine.fields import Choice, PicklistSeed
from crm.engine.module import Module, Related
from crm.engine.record import Ledger

KINDS = PicklistSeed.of(
    "touch_kind", "Way of a touch",
    Choice("mail", "Mail"), Choice("visit", "Website"), Choice("form", "Website form"), Choice("outside_form", "Form of another site"),
    Choice("event", "Event"), Choice("survey", "Survey"), Choice("import", "Import"), Choice("program", "Program"),
    Choice("manual", "By hand"),
)  # fmt: skip


class Touch(Ledger):
    """One touch. `label`: as it is said and counted; `ref`: the row that it was made of, so that it is made once; below
    zero: of a mail of somebody else (gathering.lend_mail)."""

    __tablename__ = "touches"
    __table_args__ = (
        Index("uq_touches_once", "kind", "ref", unique=True),
        Index("ix_touches_person_at", "person_id", "at"),
    )
    person_id: Mapped[int] = mapped_column(
        BigId, ForeignKey("entities.id", ondelete="CASCADE"),
        info={"field": f.make("link", "Person", to=("contacts", "leads"), aliases=("contact_id",))},
    )  # fmt: skip
    at: Mapped[datetime] = f.moment("When")
    kind: Mapped[str] = f.picklist("Way", "touch_kind")
    label: Mapped[str] = f.text("Source", max=200)
    campaign: Mapped[str | None] = f.text("Campaign", max=150)
    detail: Mapped[str | None] = f.text("Detail", max=300)
    sendout_id: Mapped[int | None] = f.link("Mailing", to="sendouts")
    campaign_id: Mapped[int | None] = f.link("Campaign of ours", to="campaigns")
    ref: Mapped[int] = mapped_column(BigInteger)


_shown = Related(by="person_id", label="Touches", columns=("at", "kind", "label", "campaign", "detail"))

MODULE = Module(
    Touch,
    label="Touch",
    plural="Touches",
    icon="route",
    title="label",
    parent="person_id",
    about="person_id",
    columns=("at", "person_id", "kind", "label", "campaign", "detail", "sendout_id"),
    sort=("-at",),
    picklists=(KINDS,),
    shows_on={"contacts": _shown, "leads": _shown},
    importable=False,
    in_ecp=True,
)
