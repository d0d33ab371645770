"""Invitations: that somebody was asked, by which way, and how far he came. Of anonymous surveys only that he has answered."""

from datetime import datetime

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from crm.db import BigId
from crm.engine import fields as f
from crm.engine.conditions import where
from crm.engine.fields import Choice, PicklistSeed, make
from crm.engine.module import Filter, Module, Related, Timeline
from crm.engine.record import Ledger

WAYS = PicklistSeed.of(
    "survey_way", "How somebody came to a survey",
    Choice("mail", "Mail"), Choice("portal", "Portal"), Choice("event", "Event"), Choice("ticket", "Ticket"),
    Choice("call", "Call"), Choice("public", "Public address"), Choice("staff", "Written down by us"),
)  # fmt: skip


class SurveyInvitation(Ledger):
    """One person asked once. Links are sealed, so no token is kept; `delivery_id` is the mail that carried it."""

    __tablename__ = "survey_invitations"
    __table_args__ = (UniqueConstraint("survey_id", "delivery_id"),)
    survey_id: Mapped[int] = f.link("Survey", to="surveys", on_delete="CASCADE")
    person_id: Mapped[int | None] = f.link(
        "Person", to=("contacts", "leads"), on_delete="CASCADE", aliases=("contact_id",)
    )
    delivery_id: Mapped[int | None] = mapped_column(
        BigId, ForeignKey("deliveries.id", ondelete="CASCADE"), index=True,
        info={"field": make("whole", "Delivery", in_lists=False)},
    )  # fmt: skip
    way: Mapped[str] = f.picklist("Way", "survey_way", default="mail")
    subject_id: Mapped[int | None] = mapped_column(
        BigId, ForeignKey("entities.id", ondelete="SET NULL"), index=True,
        info={"field": make("whole", "About", in_lists=False)},
    )  # fmt: skip
    invited_at: Mapped[datetime | None] = f.moment("Asked at")
    expires_at: Mapped[datetime | None] = f.moment("Answer until")
    opened_at: Mapped[datetime | None] = f.moment("Opened at")
    started_at: Mapped[datetime | None] = f.moment("Started at")
    completed_at: Mapped[datetime | None] = f.moment("Answered at")
    is_answered: Mapped[bool] = f.checkbox("Answered")


ASKED = ("survey_id", "way", "invited_at", "opened_at", "started_at", "completed_at", "is_answered")

MODULE = Module(
    SurveyInvitation,
    label="Survey invitation",
    plural="Survey invitations",
    icon="mail-question",
    title="way",
    parent="survey_id",
    about="person_id",
    columns=("survey_id", "person_id", "way", "invited_at", "opened_at", "is_answered", "completed_at"),
    sort=("-invited_at",),
    filters=(Filter("waiting", "Not answered", where("is_answered", "is", False)),),
    shows_on={
        "surveys": Related(by="survey_id", label="Invitations",
                           columns=("person_id", "way", "invited_at", "opened_at", "is_answered")),
        "contacts": Related(by="person_id", label="Surveys asked", columns=ASKED, timeline=Timeline(
            "opened_at", "Opened the survey “{survey_id}”", icon="clipboard-text", category="survey")),
        "leads": Related(by="person_id", label="Surveys asked", columns=ASKED, timeline=Timeline(
            "opened_at", "Opened the survey “{survey_id}”", icon="clipboard-text", category="survey")),
    },
    picklists=(WAYS,),
    importable=False,
    in_ecp=True,
)  # fmt: skip
