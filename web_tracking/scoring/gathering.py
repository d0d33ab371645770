"""Touches are made of what the ledgers say: one statement a way, each row once, also when it runs again.

Visits before somebody was recognised count as soon as he is: the roll-up gives them to the person. A mail that was followed is
one touch; the visit that it led to is the same one and makes none where the click is known.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, String, and_, case, cast, delete, exists, func, literal, or_, select
from sqlalchemy.sql import ColumnElement

from crm.db import Entity, db
from crm.engine.history import Change
from crm.engine.registry import modules
from crm.modules.intakes.tables import Intake
from web_tracking.scoring.touches import Touch
from web_tracking.stores import insert_of

TOUCHES, LOG, INTAKES, LIVE = Touch.__table__, Change.__table__, Intake.__table__, Entity.__table__
COLUMNS = ("person_id", "at", "kind", "label", "campaign", "detail", "sendout_id", "campaign_id", "ref")
HUMAN = "human"
Since = Mapping[str, int]


def gather(since: Since | None = None, bound_since: datetime | None = None, kept_since: datetime | None = None) -> int:
    """Make the touches that are missing; gives how many. `since`: the last row of each ledger that was read, None: all of them;
    `bound_since`: visits of whoever was recognised since then are looked at as well; `kept_since`: of older events none is
    made. The caller commits."""
    made, rows = 0, since or {}
    found = [
        _visits(rows, bound_since),
        *(find(rows) for find in (_mails, _forms, _intakes, _events, _surveys, _arrivals)),
    ]
    for said in found:
        if kept_since is not None:
            every = said.subquery("every")
            said = select(every).where(every.c.at >= kept_since)
        new = insert_of(db.session)(TOUCHES).from_select(list(COLUMNS), said)
        result: Any = db.session.execute(new.on_conflict_do_nothing(index_elements=["kind", "ref"]))
        made += max(0, result.rowcount)
    return made


def gather_mails(people: Sequence[int] | None = None) -> None:
    """Bring the touches of followed mails up to what is now held for the deed of a person: those of some people, or of all.

    Those whose clicks are no longer kept stay. The caller commits."""
    clicks = modules["clicks"].table
    mine = [TOUCHES.c.person_id.in_(people)] if people is not None else []
    followed = exists().where(clicks.c.delivery_id == TOUCHES.c.ref)
    gone = delete(TOUCHES).where(TOUCHES.c.kind == "mail", *mine, followed, ~followed.where(clicks.c.made_by == HUMAN))
    db.session.execute(gone, execution_options={"synchronize_session": False})
    new = insert_of(db.session)(TOUCHES).from_select(list(COLUMNS), _mails({}, people))
    db.session.execute(new.on_conflict_do_nothing(index_elements=["kind", "ref"]))
    own = TOUCHES.alias("own")
    has_own = exists().where(
        own.c.person_id == TOUCHES.c.person_id,
        own.c.kind == "mail",
        own.c.sendout_id == TOUCHES.c.sendout_id,
        own.c.ref > 0,
    )  # who was lent the mail of somebody became one with him
    lent = delete(TOUCHES).where(TOUCHES.c.kind == "mail", TOUCHES.c.ref < 0, *mine, has_own)
    db.session.execute(lent, execution_options={"synchronize_session": False})


def lend_mail(person_id: int, touch: Mapping[str, Any]) -> None:
    """Note the mail of somebody else that brought the browser in which a person filled in a form: the first one alone.

    `touch`: its at, campaign, detail, sendout_id, campaign_id. Its `ref` is below zero, as no delivery was his. The caller commits."""
    new = insert_of(db.session)(TOUCHES).values(
        {"person_id": person_id, "kind": "mail", "label": "Mail", "ref": -person_id, **touch}
    )
    db.session.execute(new.on_conflict_do_nothing(index_elements=["kind", "ref"]))


def drop_older(before: datetime) -> int:
    """Forget touches of before a moment."""
    gone: Any = db.session.execute(delete(TOUCHES).where(TOUCHES.c.at < before))
    return int(gone.rowcount)


def _touch(
    person: Any, at: Any, kind: Any, label: Any, ref: Any, *, campaign: Any = None, detail: Any = None, sendout: Any = None,
    campaign_id: Any = None,
) -> Select[Any]:  # fmt: skip
    """The columns of a touch. Only of living persons."""
    none, number = literal(None, String), cast(literal(None), TOUCHES.c.ref.type)
    said = select(
        person.label("person_id"), at.label("at"), (literal(kind) if isinstance(kind, str) else kind).label("kind"),
        func.substr(label, 1, 200).label("label"), (func.substr(campaign, 1, 150) if campaign is not None else none).label("campaign"),
        (func.substr(detail, 1, 300) if detail is not None else none).label("detail"),
        (sendout if sendout is not None else number).label("sendout_id"),
        (campaign_id if campaign_id is not None else number).label("campaign_id"), ref.label("ref"),
    )  # fmt: skip
    is_person = LIVE.c.module.in_(("contacts", "leads"))
    return said.join(LIVE, and_(LIVE.c.id == person, is_person, LIVE.c.deleted_at.is_(None)))


def _newer(table: Any, since: Since) -> list[ColumnElement[bool]]:
    return [table.c.id > since[table.name]] if table.name in since else []


def _said(*columns: Any) -> ColumnElement[Any]:
    """The first of several texts that says something."""
    found = [func.nullif(column, "") for column in columns]
    return func.coalesce(*found) if len(found) > 1 else found[0]


def _mails(since: Since, people: Sequence[int] | None = None) -> Select[Any]:
    clicks, sendouts = modules["clicks"].table, modules["sendouts"].table
    mine = _newer(clicks, since) + ([clicks.c.person_id.in_(people)] if people is not None else [])
    first = (
        select(func.min(clicks.c.at).label("at"), clicks.c.delivery_id, clicks.c.person_id, func.max(clicks.c.sendout_id).label("sendout_id"), func.min(clicks.c.url).label("url"))
        .where(clicks.c.made_by == HUMAN, clicks.c.person_id.is_not(None), clicks.c.delivery_id.is_not(None), *mine)
        .group_by(clicks.c.delivery_id, clicks.c.person_id)
        .subquery("first")
    )  # fmt: skip
    return _touch(
        first.c.person_id, first.c.at, "mail", literal("Mail"), first.c.delivery_id, campaign=sendouts.c.name,
        detail=first.c.url, sendout=sendouts.c.id, campaign_id=sendouts.c.campaign_id,
    ).outerjoin(sendouts, sendouts.c.id == first.c.sendout_id)  # fmt: skip


def _visits(since: Since, bound_since: datetime | None) -> Select[Any]:
    """Visits that something led to, and each first one of a browser."""
    visits, visitors, clicks = modules["visits"].table, modules["visitors"].table, modules["clicks"].table
    label = _labelled(visits)
    is_known = exists().where(
        clicks.c.sendout_id == visits.c.sendout_id, clicks.c.person_id == visits.c.person_id, clicks.c.made_by == HUMAN
    )
    said = _touch(
        visits.c.person_id, visits.c.started_at, "visit", label, visits.c.id, campaign=visits.c.campaign, detail=visits.c.entry,
        sendout=visits.c.sendout_id,
    )  # fmt: skip
    leads_on = or_(_said(visits.c.source, visits.c.referrer).is_not(None), visits.c.is_returning.is_(False))
    said = said.where(visits.c.person_id.is_not(None), leads_on, or_(visits.c.sendout_id.is_(None), ~is_known))
    newer = _newer(visits, since)
    if newer and bound_since is not None:
        sites = select(modules["tracked_sites"].table.c.id)
        bound = select(visitors.c.id).where(
            visitors.c.site_id.in_(sites), visitors.c.last_seen_at >= bound_since, visitors.c.bound_at >= bound_since
        )
        newer = [or_(*newer, visits.c.visitor_id.in_(bound))]
    return said.where(*newer)


def _labelled(table: Any) -> ColumnElement[Any]:
    """Source and medium as they are said: "google / cpc", "google.com", "Directly"."""
    source = _said(table.c.source, table.c.referrer)
    return case(
        (and_(_said(table.c.source).is_not(None), _said(table.c.medium).is_not(None)), source + literal(" / ") + table.c.medium),
        (source.is_not(None), source),
        else_=literal("Directly"),
    )  # fmt: skip


def _forms(since: Since) -> Select[Any]:
    sent, forms = modules["form_submissions"].table, modules["website_forms"].table
    return (
        _touch(
            sent.c.person_id, sent.c.received_at, "form", case((_said(sent.c.source, sent.c.referrer).is_not(None), _labelled(sent)), else_=literal("Website form")),
            sent.c.id, campaign=sent.c.campaign, detail=forms.c.name, campaign_id=forms.c.campaign_id,
        )
        .join(forms, forms.c.id == sent.c.form_id)
        .where(sent.c.person_id.is_not(None), sent.c.outcome.in_(("made", "known")), *_newer(sent, since))
    )  # fmt: skip


def _intakes(since: Since) -> Select[Any]:
    return _touch(
        INTAKES.c.record_id, INTAKES.c.created_at, "outside_form", literal("Form of another site"), INTAKES.c.id
    ).where(INTAKES.c.module.in_(("contacts", "leads")), *_newer(INTAKES, since))


def _events(since: Since) -> Select[Any]:
    seats = modules["attendees"].table
    event = Entity.__table__.alias("event")
    return (
        _touch(seats.c.contact_id, seats.c.registered_at, "event", literal("Event"), seats.c.id, campaign=event.c.label, detail=event.c.label)
        .join(event, event.c.id == seats.c.event_id)
        .where(
            seats.c.registered_at.is_not(None), seats.c.deleted_at.is_(None), seats.c.status.not_in(("cancelled", "declined")),
            *_newer(seats, since),
        )
    )  # fmt: skip


def _surveys(since: Since) -> Select[Any]:
    answers, surveys = modules["survey_responses"].table, modules["surveys"].table
    return (
        _touch(
            answers.c.person_id, answers.c.completed_at, "survey", literal("Survey"), answers.c.id, detail=surveys.c.name,
            sendout=answers.c.sendout_id,
        )
        .join(surveys, surveys.c.id == answers.c.survey_id)
        .where(answers.c.status == "complete", answers.c.completed_at.is_not(None), *_newer(answers, since))
    )  # fmt: skip


ARRIVALS = {  # channel of what made somebody known → way
    "import": "import", "api": "program", "form": "manual", "quick_edit": "manual", "workflow": "program", "system": "program",
}  # fmt: skip


def _arrivals(since: Since) -> Select[Any]:
    """How people came in who were typed or read in; not those whom a form, a survey or a conversion made."""
    leads = modules["leads"].table
    contacts = modules["contacts"].table
    kind = case(*((LOG.c.channel == channel, way) for channel, way in ARRIVALS.items()), else_=literal("manual"))
    label = func.coalesce(
        _said(leads.c.lead_source, contacts.c.lead_source),
        case((kind == "import", literal("Import")), (kind == "program", literal("Program")), else_=literal("By hand")),
    )
    by_form = exists().where(INTAKES.c.record_id == LOG.c.entity_id)
    converted = exists().where(modules["leads"].table.alias("before").c.converted_contact_id == LOG.c.entity_id)
    return (
        _touch(LOG.c.entity_id, LOG.c.at, kind, label, LOG.c.id)
        .outerjoin(leads, leads.c.id == LOG.c.entity_id)
        .outerjoin(contacts, contacts.c.id == LOG.c.entity_id)
        .where(LOG.c.field == "", LOG.c.new == "created", LOG.c.channel.in_(list(ARRIVALS)), ~by_form, ~converted, *_newer(LOG, since))
    )  # fmt: skip
