"""What is allowed at an event and yet looks like a mistake: said on its card, never refused (spec 2.1, 3.1, 3.2)."""

from datetime import date
from zoneinfo import ZoneInfo

from sqlalchemy import select

from crm.db import db
from crm.engine.registry import modules
from crm.modules.events import kinds
from crm.modules.events.kinds import Event
from crm.words import _, ngettext


def oddities_of(event: Event, last_registration_on: date | None, registered: int) -> list[str]:
    """Sentences about an event whose dates or type do not seem to go together. `registered`: how many have a place."""
    found = []
    starts = event.starts_at.astimezone(ZoneInfo(event.zone)).date() if event.starts_at is not None else None
    if last_registration_on is not None and starts is not None and last_registration_on > starts:
        found.append(_("The last registration date is after the start of the event."))
    if event.survey_id is not None and not _is_answered(event.survey_id):
        found.append(_("The survey of this event is not active: whoever registers is not asked its questions."))
    if event.module != "mass_events":
        return found
    if event.type == "open" and registered:
        said = ngettext(
            "This event is open to all, so nobody registers; %(num)s person who has a place keeps it.",
            "This event is open to all, so nobody registers; %(num)s people who have a place keep it.", registered,
        )  # fmt: skip
        found.append(said)
    if event.parent_id is not None:
        main = kinds.load_many([event.parent_id]).get(event.parent_id)
        if main is not None and _is_outside(event, main):
            found.append(_("This part is outside of the times of “%(name)s”.", name=main.name))
    parts = kinds.sub_events(event.id)
    found += [
        _("The part “%(name)s” is not published: nobody can choose it.", name=part.name)
        for part in parts
        if event.state == "open" and part.state == "planned"
    ]
    found += [
        _("The part “%(name)s” is outside of the times of this event.", name=part.name)
        for part in parts
        if _is_outside(part, event)
    ]
    return found


def _is_answered(survey_id: int) -> bool:
    table = modules["surveys"].table
    said = select(table.c.id).where(table.c.id == survey_id, table.c.status == "active", table.c.deleted_at.is_(None))
    return db.session.execute(said).first() is not None


def _is_outside(part: Event, main: Event) -> bool:
    times = (part.starts_at, part.ends_at, main.starts_at, main.ends_at)
    if None in times:
        return False
    starts, ends, begins, is_over = times
    return starts < begins or ends > is_over  # type: ignore[operator]
