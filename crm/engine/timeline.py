"""What happened to a record, newest first: one keyset query for each declared source, merged. No table of events.

A source is a `Related.timeline` of a module that shows on the record's card, the change log, or one that an outer room
registers. Every source carries the viewer's rights in its query; none is asked twice for a page.
"""

import base64
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from string import Formatter
from typing import Any

from sqlalchemy import and_, or_, select
from sqlalchemy.sql import ColumnElement

from crm.db import db
from crm.engine import search
from crm.engine.history import Change
from crm.engine.module import Module, Timeline
from crm.engine.permissions import may, readable
from crm.engine.refusals import Refused
from crm.engine.registry import Shown, modules
from crm.engine.relations import linked
from crm.engine.rows import Row, labels_of, name_all
from crm.identity.viewer import Viewer
from crm.words import N_, _

PAGE = 30
CHANGES = "change_log"
CHANGE = "change"  # the category of the change log
EVENT_ICONS = {
    "created": "plus",
    "deleted": "trash",
    "restored": "rotate",
    "converted": "transform",
    "merged": "git-merge",
}
EVENTS = {  # as history notes them → as they are said
    "created": N_("Created"),
    "deleted": N_("Deleted"),
    "restored": N_("Restored"),
    "converted": N_("Converted"),
    "merged": N_("Merged"),
    "refreshed": N_("Refreshed"),
    "members changed": N_("Members changed"),
    "file attached": N_("File attached"),
    "file removed": N_("File removed"),
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened. `sentence` is translated and plain text; `values` are those that it was filled with.

    `row`: the record or ledger row it tells of (None for the change log). `change`: the row of the change log.
    """

    at: datetime
    source: str
    id: int
    sentence: str
    icon: str = "point"
    category: str = ""
    module: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    row: Row | None = None
    change: Any = None
    who: str = ""
    told: Timeline | None = None  # the declaration that fills the sentence when the page is cut

    @property
    def order(self) -> tuple[datetime, str, int]:
        return (self.at, self.source, self.id)


Place = tuple[datetime, str, int]
Read = Callable[[Viewer, Module, int, Place | None, int], Iterable[Entry]]


@dataclass(frozen=True)
class Source:
    """Something that knows what happened: `read(viewer, module, id, before, limit)` gives entries before a place, newest first."""

    key: str
    category: str
    read: Read


@dataclass(frozen=True)
class Page:
    """Entries, newest first. `next`: the cursor of what is older; None when there is nothing."""

    entries: Sequence[Entry]
    next: str | None = None


_registered: list[tuple[str, Source]] = []


def register_source(module: str, source: Source) -> None:
    """Let a source tell on the cards of `module` ("*": of all). For ledgers of outer rooms that are no modules."""
    _registered.append((module, source))


def sources(viewer: Viewer, module: Module | str) -> list[Source]:
    """The sources of a card that the viewer may know of, in catalog order, the change log last."""
    module = modules[module] if isinstance(module, str) else module
    found = [
        _declared(shown, shown.related.timeline, place)
        for place, shown in enumerate(modules.shown_on(module.key))
        if shown.related.timeline and may(viewer, "view", shown.module) and _may_follow(viewer, shown)
    ]
    found += [source for key, source in _registered if key in {"*", module.key}]
    if module.is_record:
        found.append(Source(CHANGES, CHANGE, _read_changes))
    return found


def categories(viewer: Viewer, module: Module | str) -> list[str]:
    """The filters that a card's timeline offers, in catalog order."""
    return list(dict.fromkeys(source.category for source in sources(viewer, module) if source.category))


def page(
    viewer: Viewer,
    module: Module | str,
    id: int,
    *,
    wanted: Iterable[str] = (),
    after: str | None = None,
    limit: int = PAGE,
) -> Page:
    """A page of what happened to a record. `wanted`: categories, none: all. `after`: the `next` of the page before.

    Raises Missing when the viewer may not see the record, Refused for a cursor that is none.
    """
    module = modules[module] if isinstance(module, str) else module
    search.one(viewer, module, id, columns=())
    chosen = set(wanted)
    before = _read_cursor(after) if after else None
    entries: list[Entry] = []
    for source in sources(viewer, module):
        if not chosen or source.category in chosen:
            entries += source.read(viewer, module, id, before, limit + 1)
    entries.sort(key=lambda entry: entry.order, reverse=True)
    return Page(_tell(viewer, entries[:limit]), _cursor(entries[limit - 1]) if len(entries) > limit else None)


def is_before(
    at: ColumnElement[datetime], id: ColumnElement[int], source: str, place: Place | None
) -> list[ColumnElement[bool]]:
    """The condition that rows of `source` come after `place` on a timeline; for sources that outer rooms register."""
    if place is None:
        return []
    moment, key, last = place
    if source < key:
        return [at <= moment]
    if source > key:
        return [at < moment]
    return [at <= moment, or_(at < moment, and_(at == moment, id < last))]


# declared sources


def _may_follow(viewer: Viewer, shown: Shown) -> bool:
    """Whether the viewer may read what ties the rows to the card, and when they were."""
    needed = {shown.related.by, shown.related.timeline.at if shown.related.timeline else ""} - {""}
    return needed <= readable(viewer, shown.module)


def _declared(shown: Shown, said: Timeline | None, place: int) -> Source:
    source = f"{shown.module.key}.{shown.related.by or shown.related.through}.{said.at if said else place}"
    category = (said.category if said else "") or shown.module.key

    def read(viewer: Viewer, module: Module, id: int, before: Place | None, limit: int) -> list[Entry]:
        return _read_declared(viewer, module, id, before, limit, shown, said or Timeline("", ""), source, category)

    return Source(source, category, read)


def _read_declared(
    viewer: Viewer, module: Module, id: int, before: Place | None, limit: int, shown: Shown, said: Timeline, source: str,
    category: str,
) -> list[Entry]:  # fmt: skip
    table = shown.module.table
    at = shown.module.column(said.at)
    conditions = [at.is_not(None), *is_before(at, table.c.id, source, before)]
    if shown.related.by:
        conditions.append(shown.module.column(shown.related.by) == id)
    else:
        relation = next(
            name for name, one in modules.relations(module.key).items()
            if one.kind == "many" and one.target == shown.module.key and one.link is not None
            and shown.related.through in {one.link.name, one.link.back}
        )  # fmt: skip
        conditions.append(table.c.id.in_(linked(module.key, id, relation)))
    named = [name for _text, name, _spec, _conversion in Formatter().parse(said.sentence) if name]
    columns = list(dict.fromkeys([said.at, *said.columns, *named]))
    found = search.find(
        viewer, shown.module, where=said.where or None, columns=columns, sort=(f"-{said.at}",), limit=limit, count="none",
        also=conditions, labels=False,
    )  # fmt: skip
    key = shown.module.key
    return [
        Entry(row[said.at], source, row.id, "", said.icon, category, key, dict.fromkeys(named), row, told=said)
        for row in found
    ]


def _tell(viewer: Viewer, entries: Sequence[Entry]) -> list[Entry]:
    """The entries with their sentences; what their rows point at is named in one go."""
    rows = [entry.row for entry in entries if entry.told and entry.row is not None]
    linked = {
        name for row in rows for name in row
        if "." not in name and name in modules[row.module].fields and modules[row.module].fields[name].is_link
    }  # fmt: skip
    name_all(viewer, rows, linked)
    told = []
    for entry in entries:
        if entry.told is not None and entry.row is not None:
            values = {name: _shown(modules[entry.module], entry.row, name) for name in entry.values}
            entry = replace(entry, sentence=_(entry.told.sentence).format_map(values), values=values)
        told.append(entry)
    return told


def _shown(module: Module, row: Row, name: str) -> str:
    """A value as a sentence holds it."""
    value = row.get(name)
    said = None if "." in name else module.fields.get(name)
    if value is None or value == ():
        return ""
    if said is None:
        return str(value)
    if said.is_link:
        return row.label_of(name) or ""
    if said.picklist:
        from crm.engine import picklists

        keys = value if isinstance(value, tuple) else (value,)
        return ", ".join(_(picklists.label(said.picklist, key)) for key in keys)
    return said.kind.text(value)


# the change log


def _read_changes(viewer: Viewer, module: Module, id: int, before: Place | None, limit: int) -> list[Entry]:
    table = Change.__table__
    conditions = is_before(table.c.at, table.c.id, CHANGES, before)
    seen = [*sorted(readable(viewer, module)), ""]
    said = select(table).where(table.c.entity_id == id, table.c.field.in_(seen), *conditions)
    rows = db.session.execute(said.order_by(table.c.at.desc(), table.c.id.desc()).limit(limit)).all()
    names = labels_of(
        viewer, {row.actor_id for row in rows if row.actor_id is not None} | set(_linked_ids(module, rows))
    )
    entries = []
    for row in rows:
        who = names.get(row.actor_id, "") if row.actor_id is not None else _("The system")
        sentence, icon = _change_said(module, row, names)
        entries.append(
            Entry(row.at, CHANGES, row.id, sentence, icon, CHANGE, module.key, {"field": row.field}, None, row, who)
        )
    return entries


def _linked_ids(module: Module, rows: Sequence[Any]) -> Iterable[int]:
    for row in rows:
        said = module.fields.get(row.field)
        if said is not None and said.is_link:
            yield from (int(value) for value in (row.old, row.new) if value and value.isdigit())


def _event_said(event: str) -> str:
    verb, _space, relation = event.partition(" ")
    if relation in modules and verb in {"linked", "unlinked"}:
        records = _(modules[relation].plural).lower()
        return (
            _("Linked %(records)s", records=records) if verb == "linked" else _("Unlinked %(records)s", records=records)
        )
    return _(EVENTS[event]) if event in EVENTS else event.capitalize()


def _change_said(module: Module, row: Any, names: Mapping[int, str]) -> tuple[str, str]:
    if not row.field:
        return _event_said(row.new or ""), EVENT_ICONS.get(row.new or "", "bolt")
    said = module.fields.get(row.field)
    label = _(said.label) if said else row.field

    def shown(value: str | None) -> str:
        if value is None:
            return "–"
        if said is not None and said.is_link:
            return names.get(int(value), _("(hidden)")) if value.isdigit() else value
        if said is not None and said.kind.name == "checkbox":
            return _("yes") if value == "1" else _("no")
        if said is not None and said.picklist and said.kind.name == "picklist":
            from crm.engine import picklists

            return _(picklists.label(said.picklist, value))
        return value

    return f"{label}: {shown(row.old)} → {shown(row.new)}", "pencil"


# cursors


def _cursor(entry: Entry) -> str:
    said = json.dumps([entry.at.isoformat(), entry.source, entry.id])
    return base64.urlsafe_b64encode(said.encode()).decode().rstrip("=")


def _read_cursor(text: str) -> Place:
    try:
        at, source, id = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        moment = datetime.fromisoformat(at)
        if moment.tzinfo is not None and isinstance(source, str) and isinstance(id, int) and 0 <= id < 2**63:
            return moment, source, id
    except (ValueError, TypeError, RecursionError):
        pass
    raise Refused.because(
        "bad_cursor", _("This place on the timeline does not exist any more. Start from the beginning.")
    )
