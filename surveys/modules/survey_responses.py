"""Responses: one filled-in survey. Anonymous ones carry no person, no invitation and no time, only the day."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from crm.db import BigId, Json
from crm.engine import fields as f
from crm.engine.conditions import where
from crm.engine.fields import Choice, PicklistSeed, make
from crm.engine.module import Filter, Module, Related, Timeline
from crm.engine.record import Ledger

STATUSES = PicklistSeed.of(
    "survey_response_status", "State of a response",
    Choice("draft", "Draft", "secondary"), Choice("pending", "Waits for confirmation", "yellow"),
    Choice("complete", "Complete", "green"),
)  # fmt: skip


class SurveyResponse(Ledger):
    """One response. `once`: its invitation's id when that may be answered only once (unique, so that two cannot come in).

    `draft`: what was typed so far, of drafts. `troubles`: mapped fields that could not be written, with the reason.
    """

    __tablename__ = "survey_responses"
    __table_args__ = (
        Index("ix_survey_responses_survey_status", "survey_id", "status", "completed_on"),
        Index("ix_survey_responses_person", "person_id", "completed_at"),
    )
    survey_id: Mapped[int] = f.link("Survey", to="surveys", on_delete="CASCADE")
    edition: Mapped[int] = f.whole("Edition")
    person_id: Mapped[int | None] = f.link("Person", to=("contacts", "leads"), aliases=("contact_id",))
    invitation_id: Mapped[int | None] = mapped_column(
        BigId, ForeignKey("survey_invitations.id", ondelete="SET NULL"), index=True,
        info={"field": make("whole", "Invitation", in_lists=False)},
    )  # fmt: skip
    once: Mapped[int | None] = mapped_column(BigId, unique=True)
    status: Mapped[str] = f.picklist("Status", "survey_response_status")
    started_at: Mapped[datetime | None] = f.moment("Started at", in_lists=False)
    completed_at: Mapped[datetime | None] = f.moment("Answered at")
    completed_on: Mapped[date | None] = f.day("Answered on")
    language: Mapped[str | None] = f.picklist("Language", "language")
    source: Mapped[str] = f.picklist("Way", "survey_way")
    subject_id: Mapped[int | None] = mapped_column(
        BigId, ForeignKey("entities.id", ondelete="SET NULL"), index=True,
        info={"field": make("whole", "About", in_lists=False)},
    )  # fmt: skip
    sendout_id: Mapped[int | None] = f.link("Mail", to="sendouts")
    flag: Mapped[str | None] = f.text("Note", max=200)
    draft: Mapped[dict[str, Any] | None] = mapped_column(Json)
    troubles: Mapped[list[dict[str, str]]] = mapped_column(Json, default=list)


TOLD = Timeline(
    "completed_at", "Answered the survey “{survey_id}”", icon="clipboard-check", category="survey",
    where=where("status", "is", "complete"),
)  # fmt: skip
SHOWN = Related(
    by="person_id", label="Answers", columns=("survey_id", "status", "completed_at", "source", "flag"), timeline=TOLD
)

MODULE = Module(
    SurveyResponse,
    label="Response",
    plural="Responses",
    icon="clipboard-check",
    title="completed_on",
    parent="survey_id",
    about="person_id",
    columns=("survey_id", "person_id", "status", "completed_on", "source", "language", "flag"),
    sort=("-completed_on",),
    filters=(
        Filter("complete", "Complete", where("status", "is", "complete")),
        Filter("flagged", "With a note", where("flag", "is not empty")),
    ),
    shows_on={
        "surveys": Related(
            by="survey_id", label="Responses", columns=("person_id", "status", "completed_on", "source", "flag")
        ),
        "contacts": SHOWN,
        "leads": SHOWN,
    },
    picklists=(STATUSES,),
    importable=False,
    in_ecp=True,
)
