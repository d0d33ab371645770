"""The timeline of a card as it is drawn: engine.timeline's entries under their days, the changes of one save together."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import g
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from crm.engine import timeline
from crm.engine.module import Module
from crm.engine.registry import modules
from crm.identity.viewer import Viewer
from crm.ui.formats import own
from crm.ui.places import place_of

NAMES = {
    "mail": _l("Mails"), "visit": _l("Visits"), "call": _l("Calls"), "task": _l("Activities"), "change": _l("Changes"),
    "note": _l("Notes"), "survey": _l("Surveys"), "sales": _l("Sales"), "campaign": _l("Campaigns"), "ticket": _l("Tickets"),
}  # fmt: skip


@dataclass
class Drawn:
    """One entry as the page shows it."""

    at: datetime
    icon: str
    text: str
    who: str = ""
    href: str = ""
    lines: list[str] = field(default_factory=list)
    # Of fields that nobody writes: told where the changes are asked for, else only when nothing else changed.
    follows: list[str] = field(default_factory=list)


@dataclass
class Story:
    """A page of the timeline."""

    days: list[tuple[str, list[Drawn]]]
    categories: list[tuple[str, str]]
    wanted: str = ""
    next: str | None = None


def first_page(viewer: Viewer, module: Module, id: int) -> Story:
    """The newest entries of a record that was just read for this viewer."""
    return page(viewer, module, id, is_seen=True)


def page(
    viewer: Viewer, module: Module, id: int, wanted: str = "", after: str | None = None, is_seen: bool = False
) -> Story:
    """A page of what happened to a record (`is_seen`: as for timeline.page). Raises Missing, Refused (bad cursor)."""
    found = timeline.page(viewer, module, id, wanted=(wanted,) if wanted else (), after=after, is_seen=is_seen)
    zone = ZoneInfo(own().zone)
    days: dict[Any, list[Drawn]] = {}
    last: Drawn | None = None
    for entry in found.entries:
        day = days.setdefault(entry.at.astimezone(zone).date(), [])
        if entry.change is not None and entry.change.field:
            if (
                last is not None
                and day
                and day[-1] is last
                and (last.lines or last.follows)
                and last.at == entry.at
                and last.who == entry.who
            ):
                _add(last, module, entry)
                continue
            last = Drawn(entry.at, "pencil", _("Changed"), entry.who)
            _add(last, module, entry)
        else:
            last = Drawn(entry.at, entry.icon, entry.sentence, entry.who, _href(entry))
        day.append(last)
    for drawn in (one for day in days.values() for one in day):
        if not drawn.lines or wanted == timeline.CHANGE:
            drawn.lines += drawn.follows
    categories = [(key, str(NAMES.get(key, key.capitalize()))) for key in found.categories]
    return Story([(own().day_name(day), drawn) for day, drawn in days.items()], categories, wanted, found.next)


def _add(drawn: Drawn, module: Module, entry: Any) -> None:
    """One more field of a save: what somebody wrote, or what only followed from it (a clock that stands, a state)."""
    said = module.fields.get(entry.change.field)
    (drawn.follows if said is not None and said.read_only else drawn.lines).append(entry.sentence)


def _href(entry: Any) -> str:
    row = entry.row
    return (
        place_of(entry.module, row.id, g.viewer)
        if row is not None and entry.module in modules and modules[entry.module].is_record
        else ""
    )
