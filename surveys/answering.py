"""Answers are stored: once for an invitation, only while the survey is open, in the caller's transaction."""

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from crm import clock
from crm.db import db, id_inserted, rows_changed
from crm.engine import outbox
from crm.engine.attachments import EntityFile
from crm.engine.channels import Channel
from crm.engine.refusals import Conflict, Forbidden, Missing, Refused
from crm.identity.viewer import SYSTEM, Viewer
from crm.modules.campaigns import members
from crm.modules.people import Choice
from crm.words import _
from surveys.design import Design
from surveys.forms import Answers, Typed
from surveys.kinds import Question
from surveys.mapping import PEOPLE, module_of, write_back
from surveys.modules.survey_answers import SurveyAnswer
from surveys.modules.survey_invitations import SurveyInvitation
from surveys.modules.survey_responses import SurveyResponse
from surveys.modules.surveys import Survey

log = logging.getLogger(__name__)

DRAFTS_LIVE = timedelta(days=30)
RESPONSES, ANSWERS = SurveyResponse.__table__, SurveyAnswer.__table__
INVITATIONS = SurveyInvitation.__table__


class Closed(Conflict):
    """The survey takes no answers now; `code` says why: survey_closed, survey_full."""


class Answered(Conflict):
    """This invitation was answered before."""


def why_closed(row: Any) -> str:
    """Why a survey takes no answers now: "" (it does), "draft", "closed", "early", "late" or "full"."""
    now = clock.now()
    if row["status"] != "active":
        return "draft" if row["status"] == "draft" else "closed"
    if row["opens_at"] and now < row["opens_at"]:
        return "early"
    if row["closes_at"] and now >= row["closes_at"]:
        return "late"
    if row["max_responses"] and count_of(row["id"]) >= row["max_responses"]:
        return "full"
    return ""


def count_of(survey_id: int) -> int:
    """How many complete responses a survey has."""
    said = select(func.count()).where(RESPONSES.c.survey_id == survey_id, RESPONSES.c.status == "complete")
    return int(db.session.execute(said).scalar_one())


def store(
    viewer: Viewer,
    survey_id: int,
    answers: Answers,
    contact_id: int | None = None,
    source: str = "staff",
    subject_id: int | None = None,
    *,
    invitation_id: int | None = None,
    sendout_id: int | None = None,
    writes: str = "all",
    status: str = "complete",
    flag: str | None = None,
) -> int:
    """Keep a response; gives its id. The caller checked that `answers.is_good`, and commits.

    `contact_id`: the contact or lead who answered. `source`: a key of survey_way. `subject_id`: the event, ticket or campaign
    it is about. `writes`: what goes to the CRM: all, only_empty, never. Raises Closed, Answered, Missing, Refused.
    """
    if not answers.is_good:
        raise Refused.because("validation", _("Some answers are missing or wrong."))
    design, row = answers.design, _locked(survey_id)
    if reason := why_closed(row):
        raise Closed(design.text("message_closed") or _("This survey is closed."), f"survey_{reason}")
    is_anonymous = bool(row["anonymous"])
    now = clock.now()
    if invitation_id is not None:
        _take(invitation_id, row, is_anonymous)
    values: dict[str, Any] = {
        "survey_id": survey_id, "edition": row["edition"], "status": status, "language": design.language, "source": source,
        "completed_on": clock.today(clock.site_zone()), "flag": flag, "subject_id": subject_id,
        "sendout_id": sendout_id, "troubles": [],
    }  # fmt: skip
    if not is_anonymous:
        values |= {
            "person_id": contact_id, "invitation_id": invitation_id, "completed_at": now, "started_at": _started(invitation_id) or now,
            "once": invitation_id if invitation_id is not None and not row["repeatable"] else None,
        }  # fmt: skip
    _drop_draft(invitation_id)
    try:
        with db.session.begin_nested():
            response_id = id_inserted(insert(RESPONSES).values(values))
    except IntegrityError as twice:
        raise Answered(
            design.text("message_answered") or _("You have answered already."), "already_answered"
        ) from twice
    person = None if is_anonymous else contact_id
    _write_answers(design, answers.values, response_id, person)
    if status == "complete":
        finish(design, answers.values, response_id, person, subject_id, writes)
        react(design, answers.values, response_id)
    return response_id


def react(design: Design, values: dict[str, Any], response_id: int) -> None:
    """Start what follows a new complete response, once (surveys/reactions.py)."""
    from surveys import reactions

    reactions.start(design, values, response_id)


def finish(
    design: Design, values: dict[str, Any], response_id: int, person: int | None, subject_id: int | None, writes: str
) -> None:
    """What follows a complete response: mapped fields, files on the person's record, the campaign."""
    if design.row["anonymous"]:
        return
    if writes != "never":
        troubles = write_back(design, values, person, subject_id, only_empty=writes == "only_empty")
        if troubles:
            db.session.execute(update(RESPONSES).where(RESPONSES.c.id == response_id).values(troubles=troubles))
            key = f"survey_troubles:{response_id}"
            outbox.put(db.session, "surveys.tell_troubles", dedupe_key=key, response_id=response_id)
    if person is None:
        return
    _hang_files(design, values, person)
    if design.row["campaign_id"] is not None:
        add_to_campaign(design.row["campaign_id"], person)


def replace(response_id: int, answers: Answers, until: datetime | None = None, writes: str = "all") -> None:
    """Change a response whose survey allows it (editable_until), or before `until`: what it belongs to has its own end.

    Raises Closed, Missing. The caller checked that `answers.is_good`, and commits.
    """
    design = answers.design
    row = _locked(design.id)
    until = until or row["editable_until"]
    if until is None or clock.now() >= until:
        raise Closed(design.text("message_answered") or _("You have answered already."), "already_answered")
    found = db.session.execute(select(RESPONSES).where(RESPONSES.c.id == response_id)).mappings().first()
    if found is None or found["survey_id"] != design.id:
        raise Missing
    db.session.execute(delete(ANSWERS).where(ANSWERS.c.response_id == response_id))
    db.session.execute(
        update(RESPONSES).where(RESPONSES.c.id == response_id).values(language=design.language, edition=row["edition"])
    )
    _write_answers(design, answers.values, response_id, found["person_id"])
    finish(design, answers.values, response_id, found["person_id"], found["subject_id"], writes)


def save_draft(
    invitation_id: int, survey_id: int, person: int | None, source: str, design: Design, typed: Typed
) -> None:
    """Keep what was typed so far, unchecked and unwritten; one draft an invitation, for thirty days. The caller commits."""
    now = clock.now()
    values = {"draft": typed, "started_at": now, "language": design.language, "edition": design.row["edition"]}
    said = update(RESPONSES).where(RESPONSES.c.invitation_id == invitation_id, RESPONSES.c.status == "draft")
    if not rows_changed(said.values(values)):
        db.session.execute(
            insert(RESPONSES).values(
                survey_id=survey_id, person_id=person, invitation_id=invitation_id, status="draft", source=source, troubles=[], **values
            )
        )  # fmt: skip


def draft_of(invitation_id: int) -> Typed:
    """What was saved for an invitation; {} when nothing was, or it is too old."""
    said = select(RESPONSES.c.draft).where(
        RESPONSES.c.invitation_id == invitation_id, RESPONSES.c.status == "draft",
        RESPONSES.c.started_at > clock.now() - DRAFTS_LIVE,
    )  # fmt: skip
    return dict(db.session.execute(said).scalar() or {})


def response_of(invitation_id: int) -> Any:
    """The newest complete response of an invitation, or None."""
    said = select(RESPONSES).where(RESPONSES.c.invitation_id == invitation_id, RESPONSES.c.status == "complete")
    return db.session.execute(said.order_by(RESPONSES.c.id.desc()).limit(1)).mappings().first()


def values_of(design: Design, response_id: int) -> dict[str, Any]:
    """The answers of a response, by question."""
    return values_of_many(design, [response_id]).get(response_id, {})


def values_of_many(design: Design, response_ids: Iterable[int]) -> dict[int, dict[str, Any]]:
    """The answers of responses: id → question → value. One query."""
    from surveys.kinds import Part

    parts: dict[int, dict[str, list[Part]]] = {}
    said = select(ANSWERS).where(ANSWERS.c.response_id.in_(list(response_ids))).order_by(ANSWERS.c.id)
    for row in db.session.execute(said):
        one = Part(row.part, row.choice, row.text, row.score, row.file_id)
        parts.setdefault(row.response_id, {}).setdefault(row.name, []).append(one)
    return {
        id: {
            name: design.by_name[name].kind.value_of(found) for name, found in by_name.items() if name in design.by_name
        }
        for id, by_name in parts.items()
    }


def sweep_drafts() -> int:
    """Delete drafts older than thirty days; gives how many. The caller commits."""
    before = clock.now() - DRAFTS_LIVE
    return rows_changed(delete(RESPONSES).where(RESPONSES.c.status == "draft", RESPONSES.c.started_at < before))


def _locked(survey_id: int) -> Any:
    """The survey's row as it is now; where answers are numbered, others wait."""
    table = Survey.__table__
    said = select(table).where(table.c.id == survey_id, table.c.deleted_at.is_(None))
    row = db.session.execute(said).mappings().first()
    if row is None:
        raise Missing
    if row["max_responses"]:
        row = db.session.execute(said.with_for_update()).mappings().one()
    return row


def _take(invitation_id: int, row: Any, is_anonymous: bool) -> None:
    """Mark an invitation as answered; of two at once one gets it. Of anonymous surveys nothing but that is noted."""
    now = None if is_anonymous else clock.now()
    said = update(INVITATIONS).where(INVITATIONS.c.id == invitation_id)
    if not row["repeatable"]:
        said = said.where(INVITATIONS.c.is_answered.is_(False))
    if not rows_changed(said.values(is_answered=True, completed_at=now)):
        raise Answered(row["message_answered"] or _("You have answered already."), "already_answered")


def _started(invitation_id: int | None) -> Any:
    if invitation_id is None:
        return None
    said = select(INVITATIONS.c.started_at).where(INVITATIONS.c.id == invitation_id)
    return db.session.execute(said).scalar()


def _drop_draft(invitation_id: int | None) -> None:
    if invitation_id is not None:
        said = delete(RESPONSES).where(RESPONSES.c.invitation_id == invitation_id, RESPONSES.c.status == "draft")
        db.session.execute(said)


def _write_answers(design: Design, values: dict[str, Any], response_id: int, person: int | None) -> None:
    rows = []
    for name, value in values.items():
        question: Question = design.by_name[name]
        for part in question.kind.parts(question, value):
            rows.append(
                {"survey_id": design.id, "response_id": response_id, "question_id": question.id, "person_id": person,
                 "name": name, "part": part.part, "choice": part.choice, "text": part.text, "score": part.score,
                 "file_id": part.file_id}
            )  # fmt: skip
    if rows:
        db.session.execute(insert(ANSWERS), rows)


def _hang_files(design: Design, values: dict[str, Any], person: int) -> None:
    """The files of an answer are documents of the person too."""
    ids = {
        one["id"] for name, value in values.items() if design.by_name[name].kind.counts == "files" for one in value or ()
    }  # fmt: skip
    known = select(EntityFile.file_id).where(EntityFile.entity_id == person, EntityFile.file_id.in_(ids))
    fresh = ids - set(db.session.execute(known).scalars()) if ids else set()
    if fresh:
        db.session.execute(insert(EntityFile), [{"entity_id": person, "file_id": id} for id in sorted(fresh)])


def add_to_campaign(campaign_id: int, person: int) -> None:
    """Put a person into the survey's campaign; one that ended or refuses him is no reason to lose an answer."""
    module = module_of(person)
    if module_of(campaign_id) != "campaigns" or module not in PEOPLE:
        return
    choice = Choice(contact_ids=[person]) if module == "contacts" else Choice(lead_ids=[person])
    try:
        with db.session.begin_nested():
            members.change(SYSTEM, campaign_id, choice, Channel.SURVEY)
    except (Refused, Missing, Forbidden) as refused:
        log.warning("A response could not be added to campaign %s: %s", campaign_id, refused)
