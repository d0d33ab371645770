"""What happened to a record, newest first, from all sources at once. No table of events.

A source is a `Related.timeline` of a module that shows on the record's card, the change log, or one that an outer room
registers. One statement takes the newest moments of all of them, the viewer's rights in it; only the sources that have
some on the page are then read, by id. So a card costs little where little happened.
"""

import base64
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import cache
from string import Formatter
from typing import Any

from sqlalchemy import BigInteger, Integer, Select, and_, bindparam, literal_column, or_, select, union_all
from sqlalchemy.sql import ColumnElement

from crm.db import db
from crm.engine import search, ways
from crm.engine.conditions import BadCondition, about, sentence
from crm.engine.fields import Field
from crm.engine.history import Change
from crm.engine.module import Module, Timeline
from crm.engine.permissions import may, readable
from crm.engine.refusals import Refused
from crm.engine.registry import Shown, modules
from crm.engine.relations import linked
from crm.engine.remembered import composed
from crm.engine.rows import Row, labels_of, name_all
from crm.identity.viewer import Viewer
from crm.words import N_, _, in_sentence, say_day, say_moment

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
WAYS = {
    "portal": N_("in the portal"),
    "import": N_("by an import"),
    "api": N_("by the API"),
}  # not by hand on a page of staff
ROBOTS = {"survey": N_("A survey"), "": N_("The system")}  # channel → who changed it where nobody did by hand
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
    "file shared": N_("File shared with the customer"),
    "file no longer shared": N_("File no longer shared with the customer"),
    "comment changed": N_("Comment changed"),
    "comment removed": N_("Comment removed"),
    "questions changed": N_("Questions changed"),
    "form changed": N_("Fields of the form changed"),
    "key revoked": N_("Key revoked"),
    "submissions deleted": N_("Submissions deleted"),
    "website form": N_("Sent a website form; empty fields were filled"),
    "unlocked": N_("Unlocked"),
    "taken": N_("Taken"),
    "released": N_("Given back to the unit"),
    "mailed again": N_("Mailed again"),
    "asked in the portal": N_("Asked in the portal"),
    "accepted": N_("Accepted by the customer"),
    "accepted by time": N_("Taken as accepted: nobody answered in time"),
    "not solved": N_("Not solved, says the customer"),
    "away": N_("Given back to the unit: who held it is away"),
    "corrected response": N_("Response corrected"),
    "corrected temporary": N_("Temporary resolution corrected"),
    "corrected final": N_("Final resolution corrected"),
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


# By name: to ask a sub-select for its columns makes one anew of each, which takes longer than to send the statement.
EVERYTHING: ColumnElement[Any] = literal_column("*")
SOURCE: ColumnElement[int] = literal_column("source", Integer)
ID: ColumnElement[int] = literal_column("id", BigInteger)
Place = tuple[datetime, str, int]
Moment = tuple[ColumnElement[datetime], ColumnElement[int]]
Find = Callable[[Viewer, Module, Any], tuple[Select[Any], Moment]]
Read = Callable[[Viewer, Module, Sequence[int]], Iterable[Entry]]


@dataclass(frozen=True)
class Source:
    """Something that knows what happened.

    `find(viewer, module, id)`: a Select of the rows that belong to the record and may be seen, and their columns of the
    moment and the id; `id` is a parameter of the statement, which is kept, so it must not hold what changes with time.
    `read(viewer, module, ids)`: the entries of rows with these ids, in whatever order.
    """

    key: str
    category: str
    find: Find
    read: Read


@dataclass(frozen=True)
class Page:
    """Entries, newest first. `next`: the cursor of what is older; None when there is nothing. `categories`: all filters."""

    entries: Sequence[Entry]
    next: str | None = None
    categories: Sequence[str] = ()


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
        found.append(Source(CHANGES, CHANGE, _find_changes, _read_changes))
    return found


def categories(viewer: Viewer, module: Module | str) -> list[str]:
    """The filters that a card's timeline offers, in catalog order."""
    return _categories(sources(viewer, module))


def _categories(known: Iterable[Source]) -> list[str]:
    return list(dict.fromkeys(source.category for source in known if source.category))


def page(
    viewer: Viewer,
    module: Module | str,
    id: int,
    *,
    wanted: Iterable[str] = (),
    after: str | None = None,
    limit: int = PAGE,
    is_seen: bool = False,
) -> Page:
    """A page of what happened to a record. `wanted`: categories, none: all. `after`: the `next` of the page before.

    `is_seen`: the caller has just read the record for this viewer. Raises Missing when the viewer may not see the record, Refused for a cursor that is none.
    """
    module = modules[module] if isinstance(module, str) else module
    if not is_seen:
        search.one(viewer, module, id, columns=())
    chosen = set(wanted)
    before = _read_cursor(after) if after else None
    known = sources(viewer, module)
    asked = [one for one in known if not chosen or one.category in chosen]
    found = _newest(viewer, module, id, asked, before, limit + 1)
    kept: dict[str, list[int]] = {}
    for key, row in found[:limit]:
        kept.setdefault(key, []).append(row)
    entries = [entry for one in asked if one.key in kept for entry in one.read(viewer, module, kept[one.key])]
    entries.sort(key=lambda entry: entry.order, reverse=True)
    next = _cursor(entries[-1]) if len(found) > limit and entries else None
    return Page(_tell(viewer, entries), next, _categories(known))


def _newest(
    viewer: Viewer, module: Module, id: int, asked: Sequence[Source], before: Place | None, limit: int
) -> list[tuple[str, int]]:
    """(source, id) of the newest rows of all sources before a place, in order: one statement, a branch a source."""
    if not asked:
        return []
    keys = sorted(one.key for one in asked)  # equal moments stand in the order of the sources
    said = (
        composed(viewer, ("timeline", module.key, *keys), lambda: _statement(viewer, module, asked, keys))
        if before is None
        else _statement(viewer, module, asked, keys, before)
    )
    return [(keys[source], row) for source, row in db.session.execute(said, {"card": id, "most": limit})]


def _statement(
    viewer: Viewer, module: Module, asked: Sequence[Source], keys: Sequence[str], before: Place | None = None
) -> Select[int, int]:
    """The rows of `_newest`, of the record `card` and at most `most`."""
    branches, most = [], bindparam("most", type_=Integer)
    for one in asked:
        rows, (at, row) = one.find(viewer, module, bindparam("card", type_=BigInteger))
        rank = literal_column(str(keys.index(one.key)), Integer)
        said = rows.with_only_columns(rank.label("source"), at.label("at"), row.label("id"))
        said = said.where(at.is_not(None), *_before(at, row, one.key, before))
        branch = said.order_by(at.desc(), row.desc()).limit(most).subquery()
        branches.append(select(EVERYTHING).select_from(branch))
    order = [literal_column(name, Integer).desc() for name in ("at", "source", "id")]
    return select(SOURCE, ID).select_from(union_all(*branches).subquery("newest")).order_by(*order).limit(most)


def _before(
    at: ColumnElement[datetime], id: ColumnElement[int], source: str, place: Place | None
) -> list[ColumnElement[bool]]:
    """The condition that rows of `source` come after `place` on a timeline."""
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


def _declared(shown: Shown, said: Timeline, place: int) -> Source:
    source = f"{shown.module.key}.{shown.related.by or shown.related.through}.{said.at or place}"
    table, key = shown.module.table, shown.module.key
    named = _named(said.sentence)
    columns = list(dict.fromkeys([said.at, *said.columns, *(one for name in named for one in name.split("|"))]))

    def find(viewer: Viewer, module: Module, id: Any) -> tuple[Select[Any], Moment]:
        rows = search.ids(viewer, shown.module, said.where or None, known=shown.related.by or "")
        return rows.where(_belongs(shown, module, id)), (shown.module.column(said.at), table.c.id)

    def read(viewer: Viewer, module: Module, ids: Sequence[int]) -> list[Entry]:
        return [
            Entry(row[said.at], source, row.id, "", said.icon, category, key, dict.fromkeys(named), row, told=said)
            for row in search.some(viewer, shown.module, ids, columns, known=shown.related.by or "")
        ]

    category = said.category or key
    return Source(source, category, find, read)


@cache
def _named(sentence: str) -> list[str]:
    """The names that a sentence is filled with; `a|b` is the first of two columns that says something."""
    return [name for _text, name, _spec, _conversion in Formatter().parse(sentence) if name]


def _belongs(shown: Shown, module: Module, id: Any) -> ColumnElement[bool]:
    """That rows of a module which shows on a card belong to the record `id` of `module`."""
    if shown.related.by:
        link: ColumnElement[int] = shown.module.column(shown.related.by)
        said: ColumnElement[bool] = link == id
        return said
    own: ColumnElement[int] = shown.module.table.c.id
    relation = next(
        name for name, one in modules.relations(module.key).items()
        if one.kind == "many" and one.target == shown.module.key and one.link is not None
        and shown.related.through in {one.link.name, one.link.back}
    )  # fmt: skip
    return own.in_(linked(module.key, id, relation))


def _tell(viewer: Viewer, entries: Sequence[Entry]) -> list[Entry]:
    """The entries with their sentences; what their rows point at is named in one go."""
    rows = [entry.row for entry in entries if entry.told and entry.row is not None]
    linked: set[str] = set()
    for key, names in {(row.module, tuple(row)) for row in rows}:
        fields = modules[key].fields
        linked |= {name for name in names if name in fields and fields[name].is_link}
    name_all(viewer, rows, linked)
    told = []
    for entry in entries:
        if entry.told is not None and entry.row is not None:
            module, row = modules[entry.module], entry.row
            values = {
                name: next(filter(None, (_shown(module, row, one) for one in name.split("|"))), "")
                for name in entry.values
            }
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


def _find_changes(viewer: Viewer, module: Module, id: Any) -> tuple[Select[Any], Moment]:
    table = Change.__table__
    seen = [*sorted(readable(viewer, module)), ""]
    return select(table.c.id).where(table.c.entity_id == id, table.c.field.in_(seen)), (table.c.at, table.c.id)


def _read_changes(viewer: Viewer, module: Module, ids: Sequence[int]) -> list[Entry]:
    table = Change.__table__
    rows = db.session.execute(select(table).where(ways.among(table.c.id, ids))).all()
    names = labels_of(
        viewer,
        {id for row in rows for id in (row.actor_id, row.contact_id) if id is not None}
        | set(_linked_ids(module, rows)),
    )
    entries = []
    for row in rows:
        actor = row.actor_id or row.contact_id
        if actor is None:
            who = _(ROBOTS.get(row.channel, "The system"))
        else:
            way = _(WAYS[row.channel]) if row.channel in WAYS else ""
            who = ", ".join(said for said in (names.get(actor, ""), way) if said)
        told, icon = _change_said(viewer, module, row, names)
        entries.append(
            Entry(row.at, CHANGES, row.id, told, icon, CHANGE, module.key, {"field": row.field}, None, row, who)
        )
    return entries


def _linked_ids(module: Module, rows: Sequence[Any]) -> Iterable[int]:
    for row in rows:
        said = module.fields.get(row.field)
        if said is not None and said.is_link and said.kind.name != "file":  # ids of files are none of records
            yield from (int(value) for value in (row.old, row.new) if value and value.isdigit())


def _event_said(event: str) -> str:
    verb, _space, relation = event.partition(" ")
    if relation in modules and verb in {"linked", "unlinked"}:
        records = in_sentence(_(modules[relation].plural))
        return (
            _("Linked %(records)s", records=records) if verb == "linked" else _("Unlinked %(records)s", records=records)
        )
    return _(EVENTS[event]) if event in EVENTS else event.capitalize()


def _time_said(text: str) -> str:
    """A stored date or moment as the reader writes it; what is none of them as it stands."""
    try:
        return say_day(date.fromisoformat(text)) if len(text) == 10 else say_moment(datetime.fromisoformat(text))
    except ValueError:
        return text


def _conditions_said(viewer: Viewer, module: Module, said: Field, id: int, text: str) -> str:
    """Stored conditions as the card says them; that they are set, where they were cut or fit the fields of today no more."""
    values = {}
    if not said.about and "source" in module.fields:
        column = module.column("source")
        values["source"] = db.session.execute(select(column).where(module.table.c.id == id)).scalar()
    try:
        return sentence(
            json.loads(text),
            said.about or about(module, values),
            lambda one: labels_of(viewer, [one]).get(one, _("(hidden)")),
        )
    except (ValueError, BadCondition):
        return _("set")


def _change_said(viewer: Viewer, module: Module, row: Any, names: Mapping[int, str]) -> tuple[str, str]:
    if not row.field:
        return _event_said(row.new or ""), EVENT_ICONS.get(row.new or "", "bolt")
    said = module.fields.get(row.field)
    label = _(said.label) if said else row.field

    def shown(value: str | None) -> str:
        if value is None:
            return "–"
        if said is not None and said.kind.name == "file":
            return _("a file")
        if said is not None and said.is_link:
            return names.get(int(value), _("(hidden)")) if value.isdigit() else value
        if said is not None and said.kind.name == "conditions":
            return _conditions_said(viewer, module, said, row.entity_id, value)
        if said is not None and said.kind.name == "checkbox":
            return _("yes") if value == "1" else _("no")
        if said is not None and said.picklist and said.kind.name == "picklist":
            from crm.engine import picklists

            return _(picklists.label(said.picklist, value))
        if said is not None and said.kind.name in {"day", "moment"}:
            return _time_said(value)
        if said is not None and said.kind.name == "source" and said.read_only:  # nothing that a person wrote
            return _("set")
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
