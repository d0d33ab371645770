"""Rules that both kinds of events share: zones, mails of the right folder, products on sale, no fewer seats than taken."""

import secrets
from collections.abc import Mapping, Sequence
from typing import Any
from zoneinfo import available_timezones

from sqlalchemy import func, select

from crm.db import db
from crm.engine.refusals import Fault
from crm.engine.registry import modules
from crm.identity.sealing import public_base
from crm.modules.events.lists import OCCUPYING
from crm.modules.rules import after
from crm.words import _

FOLDER = "Event"
Values = Mapping[str, Any]


def public_address(slug: str) -> str:
    """Where the public page of an event stands."""
    return f"{public_base()}/portal/public/events/{slug}"


def fresh_slug() -> str:
    """A part of an address that nobody guesses."""
    return secrets.token_urlsafe(9).replace("-", "x").replace("_", "y").lower()


def published(switch: Any) -> Any:
    """A rule that gives an event its slug and, while `switch(values)` holds, its public address: on the first save too."""

    def derive(values: Values, old: Values | None) -> dict[str, Any]:
        then = after(values, old)
        slug = then.get("slug") or fresh_slug()
        return {"slug": slug, "public_link": public_address(slug) if switch(then) else None}

    return derive


def zone_is_known(values: Values, old: Values | None) -> dict[str, Fault]:
    zone = values.get("time_zone")
    if zone and zone not in available_timezones():
        return {
            "time_zone": Fault(
                "not_in_list", _("“%(zone)s” is no time zone. Write one such as Europe/Helsinki.", zone=zone)
            )
        }
    return {}


def product_is_active(values: Values, old: Values | None) -> dict[str, Fault]:
    product = values.get("product_id")
    if product is None or product == (old or {}).get("product_id"):
        return {}
    table = modules["products"].table
    if not db.session.execute(select(table.c.active).where(table.c.id == product)).scalar():
        return {"product_id": Fault("inactive", _("This product is not active."))}
    return {}


def form_has_names(values: Values, old: Values | None) -> dict[str, Fault]:
    """The survey that people answer when they register is none of those that keep no names: an attendee's answers are his."""
    survey = values.get("survey_id")
    if survey is None or survey == (old or {}).get("survey_id"):
        return {}
    table = modules["surveys"].table
    if db.session.execute(select(table.c.anonymous).where(table.c.id == survey)).scalar():
        said = _("This survey is anonymous. The form of an event keeps who answered: choose another survey.")
        return {"survey_id": Fault("bad_value", said)}
    return {}


def mails_are_for_events(names: Sequence[str]) -> Any:
    """A rule that templates named by the fields `names` lie in the folder of events."""

    def check(values: Values, old: Values | None) -> dict[str, Fault]:
        chosen = {name: values[name] for name in names if values.get(name) and values[name] != (old or {}).get(name)}
        if not chosen:
            return {}
        table = modules["email_templates"].table
        found = select(table.c.id).where(table.c.id.in_(chosen.values()), table.c.folder == FOLDER)
        fitting = set(db.session.execute(found).scalars())
        wrong = Fault("no_such_record", _("There is no such mail in the folder “Event”."))
        return {name: wrong for name, id in chosen.items() if id not in fitting}

    return check


def occupied(event_id: int) -> int:
    """How many seats of an event are taken."""
    table = modules["attendees"].table
    said = select(func.count()).where(
        table.c.event_id == event_id, table.c.status.in_(OCCUPYING), table.c.deleted_at.is_(None)
    )
    return int(db.session.execute(said).scalar() or 0)


def holds_who_joined(field: str) -> Any:
    """A rule that the number of seats in `field` is not lowered below those taken (the event's row is locked by the door)."""

    def check(values: Values, old: Values | None) -> dict[str, Fault]:
        then = after(values, old)
        if old is None or values.get(field) is None or then.get("unlimited_seats"):
            return {}
        if not {field, "unlimited_seats"} & {name for name in values if values[name] != old.get(name)}:
            return {}
        taken = occupied(old["id"])
        if values[field] < taken:
            return {
                field: Fault("out_of_range", _("%(count)s seats are taken already. Cancel some first.", count=taken))
            }
        return {}

    return check
