"""Answers: one row for each thing that was chosen, written or rated, so that results are counted by the database."""

from decimal import Decimal
from typing import Any

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from crm.db import BigId
from crm.engine import fields as f
from crm.engine.fields import make
from crm.engine.module import Module
from crm.engine.record import Ledger


def _within(table: str, label: str, **more: Any) -> Any:
    """A key to another ledger, which is no record and so no link."""
    return mapped_column(
        BigId, ForeignKey(f"{table}.id", ondelete="CASCADE"), info={"field": make("whole", label)}, **more
    )


class SurveyAnswer(Ledger):
    """One part of an answer. `part`: the row of a matrix, the option of a ranking; `choice`: the option's value, or the
    number as text, of what can be counted; `text`: what was written; `score`: what can be averaged."""

    __tablename__ = "survey_answers"
    __table_args__ = (
        Index("ix_survey_answers_counted", "question_id", "part", "choice"),
        Index("ix_survey_answers_scored", "question_id", "score"),
        Index("ix_survey_answers_person", "person_id", "question_id"),
    )
    survey_id: Mapped[int] = f.link("Survey", to="surveys", on_delete="CASCADE")
    response_id: Mapped[int] = _within("survey_responses", "Response", index=True)
    question_id: Mapped[int] = _within("survey_questions", "Question")
    person_id: Mapped[int | None] = f.link("Person", to=("contacts", "leads"), aliases=("contact_id",))
    name: Mapped[str] = f.text("Name of the question", max=60)
    part: Mapped[str] = f.text("Row", max=80, default="")
    choice: Mapped[str | None] = f.text("Choice", max=80)
    text: Mapped[str | None] = f.long_text("Answer")
    score: Mapped[Decimal | None] = f.number("Number", scale=4)
    file_id: Mapped[int | None] = f.file("File", in_lists=False)


MODULE = Module(
    SurveyAnswer,
    label="Answer",
    plural="Answers",
    icon="message-circle",
    title="name",
    parent="survey_id",
    about="person_id",
    columns=("survey_id", "person_id", "name", "part", "choice", "text", "score"),
    sort=("-id",),
    importable=False,
    in_ecp=True,
)
