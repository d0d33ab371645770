"""What follows an answer: the owner is told, a ticket is made, the person joins a campaign; each when its condition holds.

A reaction is a row of a survey. When a response is complete, those whose condition holds become jobs; a repeated job does
nothing twice, because what it makes is committed together with its end. Anonymous surveys have none: they would tell when
somebody answered.
"""

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import ForeignKey, String, delete, insert, select
from sqlalchemy.orm import Mapped, mapped_column

from crm import config
from crm.db import BigId, Json, db, id_inserted
from crm.engine import outbox, records, search
from crm.engine.channels import Channel
from crm.engine.outbox import Progress, task
from crm.engine.refusals import Fault, Missing, Refused
from crm.identity.tables import Group, User
from crm.identity.viewer import SYSTEM, Viewer
from crm.mail.letters import Letter
from crm.mail.message import Address, BadAddress
from crm.mail.sending.singles import put_letter
from crm.modules.sender_addresses import default_row
from crm.modules.tickets.assigning import members_of
from crm.words import N_, _, speaking
from surveys import answering, logic
from surveys.design import Design, load
from surveys.designing import open_for
from surveys.mapping import module_of

DEEDS = {
    "notify": N_("Tell the owner of the survey by mail"),
    "ticket": N_("Make a ticket"),
    "campaign": N_("Add the person to a campaign"),
}
MOST = 30


class SurveyReaction(db.Model):  # type: ignore[name-defined, misc]
    """One thing that follows an answer. `condition` as in surveys/logic.py, None: always. `words`: the title of the ticket."""

    __tablename__ = "survey_reactions"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    survey_id: Mapped[int] = mapped_column(BigId, ForeignKey("surveys.id", ondelete="CASCADE"), index=True)
    condition: Mapped[Any | None] = mapped_column(Json)
    deed: Mapped[str] = mapped_column(String(20))
    campaign_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("campaigns.id", ondelete="CASCADE"), index=True)
    words: Mapped[str | None] = mapped_column(String(200))


REACTIONS = SurveyReaction.__table__


def of(survey_id: int) -> list[Any]:
    """The reactions of a survey, as rows."""
    said = select(REACTIONS).where(REACTIONS.c.survey_id == survey_id).order_by(REACTIONS.c.id)
    return list(db.session.execute(said).mappings())


def add(
    viewer: Viewer, survey_id: int, deed: str, condition: Any, campaign_id: int | None = None, words: str = ""
) -> int:
    """A new reaction; gives its id. Raises Missing, Forbidden, Refused. The caller commits."""
    open_for(viewer, survey_id)
    design = load(survey_id)
    if design.row["anonymous"]:
        raise Refused.because("anonymous", _("An anonymous survey does not know whose answer is whose."))
    if deed not in DEEDS:
        raise Refused({"deed": [Fault("not_in_list", _("Choose what follows."))]})
    if len(of(survey_id)) >= MOST:
        raise Refused.because("too_many", _("A survey has at most %(most)s of these.", most=MOST))
    logic.check(condition, design.by_name, "when")
    if deed == "campaign" and (campaign_id is None or not search.exists(viewer, "campaigns", campaign_id)):
        raise Refused({"campaign_id": [Fault("required", _("Choose a campaign."))]})
    values = {
        "survey_id": survey_id, "deed": deed, "condition": condition or None, "words": words.strip()[:200] or None,
        "campaign_id": campaign_id if deed == "campaign" else None,
    }  # fmt: skip
    return id_inserted(insert(REACTIONS).values(values))


def remove(viewer: Viewer, survey_id: int, reaction_id: int) -> None:
    """Take a reaction away. Raises Missing, Forbidden. The caller commits."""
    open_for(viewer, survey_id)
    found = db.session.execute(
        delete(REACTIONS)
        .where(REACTIONS.c.id == reaction_id, REACTIONS.c.survey_id == survey_id)
        .returning(REACTIONS.c.id)
    ).first()
    if found is None:
        raise Missing


def asks(survey_id: int, name: str) -> bool:
    """Whether a reaction asks a question."""
    return any(name in logic.names(one["condition"]) for one in of(survey_id))


def start(design: Design, values: Mapping[str, Any], response_id: int) -> None:
    """Put a job for each reaction whose condition holds, in the transaction of the response."""
    if design.row["anonymous"]:
        return
    found = of(design.id)
    walk = (
        logic.Walk(design, {name: design.by_name[name].kind.plain(value) for name, value in values.items()})
        if found
        else None
    )
    for one in found:
        if walk is not None and logic.holds(one["condition"], walk.answer):
            outbox.put(
                db.session, "surveys.react", dedupe_key=f"survey_reaction:{one['id']}:{response_id}",
                reaction_id=one["id"], response_id=response_id,
            )  # fmt: skip


@task("surveys.react")
def react(_progress: Progress, reaction_id: int, response_id: int) -> str:
    """Do what follows one response."""
    reaction = db.session.execute(select(REACTIONS).where(REACTIONS.c.id == reaction_id)).mappings().first()
    table = answering.RESPONSES
    response = db.session.execute(select(table).where(table.c.id == response_id)).mappings().first()
    if reaction is None or response is None:
        return "the reaction or the response is gone"
    try:
        survey = search.one(SYSTEM, "surveys", response["survey_id"])
    except Missing:
        return "the survey is gone"
    if reaction["deed"] == "campaign":
        if response["person_id"] is None:
            return "nobody to add"
        answering.add_to_campaign(reaction["campaign_id"], response["person_id"])
        return "added to the campaign"
    design = load(response["survey_id"], response["language"])
    title = reaction["words"] or _("Answer to “%(name)s”", name=survey["name"])
    text = f"{_told(design, response_id)}\n\n{_link(response['survey_id'], response_id)}"
    if reaction["deed"] == "notify":
        key = f"survey_reaction:{reaction_id}:{response_id}"
        words = reaction["words"] or ""
        count = _tell(survey["owner_id"], lambda: words or _("Answer to “%(name)s”", name=survey["name"]), text, key)
        return f"{count} people told"
    is_contact = module_of(response["person_id"]) == "contacts"
    values = {
        "title": title[:255], "description": text, "source": "survey", "owner_id": survey["owner_id"],
        "contact_id": response["person_id"] if is_contact else None,
    }  # fmt: skip
    return f"ticket {records.create(SYSTEM, 'tickets', values, Channel.SURVEY)}"


@task("surveys.tell_troubles")
def tell_troubles(_progress: Progress, response_id: int) -> str:
    """Tell the owner of a survey that fields of the CRM did not take an answer; it is kept in the survey."""
    table = answering.RESPONSES
    said = select(table.c.survey_id, table.c.troubles).where(table.c.id == response_id)
    row = db.session.execute(said).first()
    if row is None or not row.troubles:
        return "nothing to tell"
    try:
        survey = search.one(SYSTEM, "surveys", row.survey_id)
    except Missing:
        return "the survey is gone"
    lines = [f"{one['question']} → {one['field']}: {one['reason']}" for one in row.troubles]
    text = "\n".join([*lines, "", _link(row.survey_id, response_id)])
    subject = lambda: _("An answer to “%(name)s” could not be written to the CRM", name=survey["name"])  # noqa: E731
    return f"{_tell(survey['owner_id'], subject, text, f'survey_troubles:{response_id}')} people told"


def _told(design: Design, response_id: int) -> str:
    """The answers, a line a question."""
    values = answering.values_of(design, response_id)
    found = [one for one in design.questions if one.name in values]
    return "\n".join(f"{one.title or one.name}: {one.kind.words(one, values[one.name])}" for one in found)[:8000]


def _link(survey_id: int, response_id: int) -> str:
    return f"{config.current().base_url.rstrip('/')}/crm/surveys/{survey_id}/responses/{response_id}"


def _tell(owner_id: int | None, subject_of: Callable[[], str], text: str, key: str) -> int:
    """Write to the owner, or to the members of the group that owns the survey, in their language; how many were told."""
    sender = default_row()
    if owner_id is None or sender is None:
        return 0
    is_group = db.session.execute(select(Group.id).where(Group.id == owner_id)).first() is not None
    ids = members_of(owner_id) if is_group else [owner_id]
    said = select(User.id, User.email, User.locale).where(User.id.in_(ids), ~User.archived, User.deleted_at.is_(None))
    count = 0
    for person in db.session.execute(said).all():
        with speaking(person.locale or config.current().locale):
            subject = subject_of()
        try:
            letter = Letter(Address(person.email), " ".join(subject.split())[:200], text + "\n")
        except BadAddress:
            continue
        put_letter(
            db.session, letter, Address(sender.address, sender.display_name or ""), dedupe_key=f"{key}:{person.id}"
        )
        count += 1
    return count


__all__ = ["DEEDS", "SurveyReaction", "add", "asks", "of", "react", "remove", "start", "tell_troubles"]
