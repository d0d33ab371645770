"""What surveys hold about persons: answers are given out to them, and stay as numbers when the person is erased."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Select, delete, select, update

from crm.db import db, rows_changed
from crm.engine import attachments
from crm.identity.tokens import Token
from crm.modules.privacy.holdings import Holding, excuse, register, register_eraser
from crm.modules.privacy.person import Person
from crm.words import N_
from surveys.modules.survey_answers import SurveyAnswer
from surveys.modules.survey_questions import SurveyQuestion
from surveys.modules.survey_responses import SurveyResponse
from surveys.modules.surveys import Survey
from surveys.publishing import PURPOSE


def _answers(ids: Sequence[int]) -> Select[Any]:
    """The answers with the questions as they were asked."""
    a, q, s = SurveyAnswer.__table__, SurveyQuestion.__table__, Survey.__table__
    said = select(s.c.name.label("survey"), q.c.title.label("question"), a.c.part, a.c.choice, a.c.text, a.c.score)
    said = said.join(q, q.c.id == a.c.question_id).join(s, s.c.id == a.c.survey_id)
    return said.where(a.c.person_id.in_(ids)).order_by(a.c.id)


def erase(person: Person) -> Mapping[str, int]:
    """Answers lose the person; what was typed and sent as a file goes, what was chosen and scored stays as a number."""
    r, a = SurveyResponse.__table__, SurveyAnswer.__table__
    mine = list(db.session.execute(select(r.c.id).where(r.c.person_id.in_(person.ids))).scalars())
    by_answer = a.c.response_id.in_(mine)
    files = list(db.session.execute(select(a.c.file_id).where(by_answer, a.c.file_id.is_not(None))).scalars())
    written = rows_changed(update(a).where(by_answer, a.c.choice.is_(None)).values(text=None))
    db.session.execute(update(a).where(by_answer).values(person_id=None, file_id=None))
    blank: dict[str, Any] = {
        "person_id": None,
        "invitation_id": None,
        "once": None,
        "draft": None,
        "troubles": [],
        "flag": None,
    }
    db.session.execute(update(r).where(r.c.id.in_(mine)).values(blank))
    held = a.metadata.tables["survey_files"]
    db.session.execute(delete(held).where(held.c.file_id.in_(files)))
    attachments.drop_unheld(files)
    db.session.execute(delete(Token).where(Token.purpose == PURPOSE, Token.subject_id.in_(mine)))
    return {"survey answers": written}


register(
    Holding("survey_responses", "person_id", N_("Surveys"), ("survey_id", "status", "started_at", "completed_at", "language")),
    Holding("survey_answers", "person_id", N_("Answers"), rows=_answers),
    Holding("survey_invitations", "person_id", N_("Invitations to surveys"), ("survey_id", "invited_at", "opened_at", "completed_at"), fate="delete"),
)  # fmt: skip
excuse("goes with the delivery", "survey_invitations.delivery_id")
excuse("what a survey was about: a ticket, an event", "survey_invitations.subject_id", "survey_responses.subject_id")
register_eraser(erase)
