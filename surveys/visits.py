"""Who comes to a survey by which link, and what he may do there now."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select, update

from crm import clock, config
from crm.db import db
from crm.engine.conditions import matches
from crm.engine.registry import modules
from crm.mail.sending.deliveries import Delivery
from crm.mail.servers import leaves_the_house
from surveys import answering, forms, links
from surveys.design import Design, load
from surveys.forms import Answers, Typed
from surveys.links import Opened
from surveys.mapping import PEOPLE, module_of
from surveys.modules.survey_invitations import SurveyInvitation

INVITATIONS = SurveyInvitation.__table__
SOON = timedelta(seconds=10)


@dataclass
class Visit:
    """One opened link. `closed`: why it leads nowhere now ("expired" or a reason of answering.why_closed), "" when it does.

    `response`: what was answered by it before and may be changed; `is_answered`: it may not be answered again.
    """

    opened: Opened
    design: Design
    person: int | None = None
    invitation: Mapping[str, Any] = field(default_factory=dict)
    closed: str = ""
    is_answered: bool = False
    response: Mapping[str, Any] | None = None

    @property
    def is_personal(self) -> bool:
        return self.opened.way in {"delivery", "invitation"}

    @property
    def may_save(self) -> bool:
        return self.is_personal and bool(self.design.row["allow_draft"]) and not self.design.row["anonymous"]


def enter(token: str, language: str | None = None) -> Visit | None:
    """The visit that a token begins; None for one that opens nothing: made up, of a survey or person that is gone, or
    not (any more) for everybody."""
    from crm.engine.refusals import Missing

    opened = links.open_token(token)
    if opened is None:
        return None
    try:
        design = load(opened.survey_id, language)
    except Missing:
        return None
    visit = Visit(opened, design)
    if opened.way == "preview":
        return visit
    if opened.way == "public":
        if not is_for_everybody(design.row):
            return None
    elif not _know(visit):
        return None
    visit.closed = visit.closed or answering.why_closed(design.row)
    return visit


def _know(visit: Visit) -> bool:
    """Who the personal link is for, and whether he has answered. False when there is nobody any more."""
    invitation = links.invitation_for(visit.opened)
    if invitation is None or module_of(invitation["person_id"]) not in PEOPLE:
        return False
    visit.invitation, visit.person = dict(invitation), invitation["person_id"]
    expires_at = invitation["expires_at"]
    if expires_at is not None and clock.now() >= expires_at:
        visit.closed = "expired"
    row = visit.design.row
    if invitation["is_answered"] and not row["repeatable"]:
        until = row["editable_until"]
        if until is not None and clock.now() < until and not row["anonymous"]:
            visit.response = answering.response_of(invitation["id"])
        visit.is_answered = visit.response is None
    return True


def language_of(token: str) -> str | None:
    """The language of the person a link is for."""
    opened = links.open_token(token)
    if opened is None or opened.way not in {"delivery", "invitation"}:
        return None
    invitation = links.invitation_for(opened)
    if invitation is None or module_of(invitation["person_id"]) != "contacts":
        return None
    table = modules["contacts"].table
    return db.session.execute(select(table.c.language).where(table.c.id == invitation["person_id"])).scalar()


def is_for_everybody(row: Mapping[str, Any]) -> bool:
    """Whether a survey has a public address that works: it says so, and an active portal shows such surveys."""
    if not row["public"] or row["status"] != "active":
        return False
    table = modules["portals"].table
    said = select(table.c.public_survey_condition).where(
        table.c.deleted_at.is_(None), table.c.active.is_(True), table.c.public_survey_enabled.is_(True)
    )
    values = {**(row.get("extra") or {}), **row}
    return any(not where or matches(where, "surveys", values) for (where,) in db.session.execute(said))


def begin(visit: Visit) -> Typed:
    """What the form begins with: what was saved, what may be changed, or what is known of the person."""
    if visit.response is not None:
        values = answering.values_of(visit.design, visit.response["id"])
        return forms.typed_of(visit.design, values, forms.sealer())
    if not visit.is_personal:
        return {}
    if visit.may_save and visit.invitation.get("id") is not None:
        saved = answering.draft_of(visit.invitation["id"])
        if saved:
            return saved
    return forms.begin(visit.design, visit.person)


def is_worth_noting(visit: Visit) -> bool:
    """Whether the opening of a link is news that may be kept."""
    if not visit.is_personal or visit.design.row["anonymous"] or visit.invitation.get("id") is None:
        return False
    return visit.invitation.get("opened_at") is None and may_measure(visit.person)


def is_too_soon(visit: Visit) -> bool:
    """Whether a link is opened sooner after its mail left for a server than people read: gateways look into mails first."""
    if visit.opened.way != "delivery" or not leaves_the_house():
        return False
    c = Delivery.__table__.c
    sent_at = db.session.execute(
        select(func.coalesce(c.sent_at, c.text_begun_at)).where(c.id == visit.opened.id)
    ).scalar()
    return sent_at is not None and abs(clock.now() - sent_at) < SOON


def note(visit: Visit, *, started: bool = False) -> None:
    """Note that a link was opened, or that somebody began to answer; of anonymous surveys nothing. The caller commits.

    Opening is measured only where the person, or the house, allows it (decisions.md 23).
    """
    if visit.design.row["anonymous"] or not visit.is_personal:
        return
    c = INVITATIONS.c
    id = visit.invitation.get("id")
    if id is None:
        if not started:
            return
        id = hold(visit)
    now = clock.now()
    if started:
        said = update(INVITATIONS).where(c.id == id, c.started_at.is_(None))
        db.session.execute(said.values(started_at=now))
    if started or may_measure(visit.person):
        said = update(INVITATIONS).where(c.id == id, c.opened_at.is_(None))
        db.session.execute(said.values(opened_at=now))


def hold(visit: Visit) -> int:
    """The id of the visit's invitation; the first answer to a mail makes it."""
    if visit.invitation.get("id") is None:
        visit.invitation = dict(links.invitation_for(visit.opened, is_writing=True))
    return int(visit.invitation["id"])


def may_measure(person: int | None) -> bool:
    """Whether the opening of a link by this person may be noted."""
    measure = config.current().measure
    if measure in {"none", "totals"} or module_of(person) not in PEOPLE:
        return False
    table = modules[module_of(person) or ""].table
    said = db.session.execute(select(table.c.may_measure_opens).where(table.c.id == person)).scalar()
    return said == "yes" or (measure == "all" and said != "no")


def take(visit: Visit, answers: Answers) -> int | None:
    """Keep the answers of a personal visit; None for a preview. Raises answering.Closed, Answered. The caller commits."""
    if visit.opened.way == "preview":
        return None
    if visit.response is not None:
        answering.replace(visit.response["id"], answers)
        return int(visit.response["id"])
    from crm.identity.viewer import SYSTEM

    invitation_id = hold(visit)
    note(visit, started=True)
    made = answering.store(
        SYSTEM, visit.design.id, answers, visit.person, visit.invitation["way"], visit.invitation["subject_id"],
        invitation_id=invitation_id, sendout_id=visit.invitation.get("sendout_id"),
    )  # fmt: skip
    if visit.opened.way == "delivery" and not visit.design.row["anonymous"]:
        table = Delivery.__table__
        said = update(Delivery).where(table.c.id == visit.opened.id, table.c.survey_answered_at.is_(None))
        db.session.execute(said.values(survey_answered_at=clock.now()))
    return made


def save(visit: Visit, typed: Typed) -> None:
    """Keep what was typed for later. The caller commits."""
    invitation_id = hold(visit)
    note(visit, started=True)
    answering.save_draft(invitation_id, visit.design.id, visit.person, visit.invitation["way"], visit.design, typed)
