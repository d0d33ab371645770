"""A record as tags see it: its fields, what it is linked with, its related lists; each read through the doors when it is asked for."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from crm.db import Entity, db
from crm.documents.showing import Words
from crm.documents.sources import Source, sources_of
from crm.engine import relations, search
from crm.engine.fields import Field
from crm.engine.module import Module
from crm.engine.permissions import may, readable
from crm.engine.refusals import Refused, UnknownName
from crm.engine.registry import modules
from crm.engine.rows import Row
from crm.identity.viewer import Viewer
from crm.words import _, in_sentence

MOST_ROWS = 1_000  # of one list, as formulas have it


class Seen(Mapping[str, Any]):
    """Values with names. `text`: how one is printed."""

    def text(self, name: str, words: Words) -> str:
        return words.say(None, self.get(name))

    __eq__ = object.__eq__  # a record is not an empty mapping because its names cannot be listed
    __hash__ = object.__hash__

    def __iter__(self) -> Iterator[str]:
        return iter(())  # names are asked for, never listed

    def __len__(self) -> int:
        return 1


@dataclass
class Reader:
    """Reads for one viewer while one document is made."""

    viewer: Viewer
    _known: dict[int, "SeenRecord | None"] = field(default_factory=dict)

    def record(self, module: Module, row: Row, beside: "Sequence[SeenRecord]" = ()) -> "SeenRecord":
        return SeenRecord(self, module, row, beside)

    def linked(self, ids: Sequence[int], wanted: int) -> "SeenRecord | None":
        """The record `wanted`, read together with all of `ids`; None when it may not be seen."""
        fresh = [id for id in dict.fromkeys([wanted, *ids]) if id not in self._known][:MOST_ROWS]
        if wanted not in self._known:
            self._known |= dict.fromkeys(fresh)
            said = select(Entity.id, Entity.module).where(Entity.id.in_(fresh))
            by_module: dict[str, list[int]] = {}
            for id, key in db.session.execute(said):
                by_module.setdefault(key, []).append(id)
            for key, some in by_module.items():
                if key in modules and may(self.viewer, "view", key):
                    found = self._find(modules[key], within=some)
                    self._known |= {one.row.id: one for one in found}
        return self._known[wanted]

    def children(self, module: Module, row: Row, name: str) -> "list[SeenRecord]":
        """The rows of a related list. Raises Refused when there are too many."""
        relation = modules.relations(module.key)[name]
        if not may(self.viewer, "view", relation.target):
            return []
        target = modules[relation.target]
        if relation.kind == "children":
            return self._find(target, where={"$eq": [relation.field, row.id]}, sort=target.sort)
        return self._find(target, within=relations.linked(module.key, row.id, name), sort=target.sort)

    def _find(self, module: Module, **wanted: Any) -> "list[SeenRecord]":
        page = search.find(
            self.viewer, module, columns=columns_of(self.viewer, module), limit=MOST_ROWS, count="none", **wanted
        )
        if page.next:
            said = _(
                "A document shows at most %(most)s %(plural)s.", most=MOST_ROWS, plural=in_sentence(_(module.plural))
            )
            raise Refused.because("too_many", said)
        found: list[SeenRecord] = []
        found += [SeenRecord(self, module, one, found) for one in page.rows]
        return found


def columns_of(viewer: Viewer, module: Module) -> list[str]:
    """The fields of a module that the viewer may read."""
    seen = readable(viewer, module)
    return [name for name in module.fields if name in seen]


class SeenRecord(Seen):
    """One record; what may not be read is as if it was empty."""

    def __init__(self, reader: Reader, module: Module, row: Row, beside: "Sequence[SeenRecord]" = ()) -> None:
        self._reader, self.module, self.row, self._beside = reader, module, row, beside
        self._asked: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._asked:
            self._asked[name] = self._read(name)
        return self._asked[name]

    def _read(self, name: str) -> Any:
        said = self.field(name)
        if said is not None:
            return self.row.get(said.name)
        source = sources_of(self.module.key).get(name)
        if source is not None:
            return given(source, self._reader.viewer, self.row)
        relation = modules.relations(self.module.key).get(name)
        if relation is None:
            raise KeyError(name)
        if relation.kind != "one":
            return self._reader.children(self.module, self.row, name)
        target = self.row.get(relation.field)
        if target is None:
            return None
        ids = [id for one in self._beside if (id := one.row.get(relation.field)) is not None]
        return self._reader.linked(ids, target)

    def field(self, name: str) -> Field | None:
        try:
            return self.module.fields.get(self.module.resolve(name))
        except UnknownName:
            return None

    def text(self, name: str, words: Words) -> str:
        said = self.field(name)
        if said is None:
            if name == "label":
                return self.row.label
            value = self.get(name)
            return value.row.label if isinstance(value, SeenRecord) else words.say(None, value)
        return words.say(said, self[said.name], self.row.label_of(said.name), self.row.get("time_zone") or "")


class SeenValues(Seen):
    """Values that a source gave, with their fields."""

    def __init__(self, fields: Mapping[str, Field], values: Mapping[str, Any]) -> None:
        self._fields, self._values = fields, values

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def text(self, name: str, words: Words) -> str:
        return words.say(self._fields.get(name), self._values.get(name))


class Inside(Seen):
    """`outer` with some names meaning something else: the row of a loop, a value that was assigned."""

    def __init__(self, outer: Mapping[str, Any], own: Mapping[str, Any]) -> None:
        self.outer, self.own = outer, own

    def __getitem__(self, name: str) -> Any:
        return self.own[name] if name in self.own else self.outer[name]

    def text(self, name: str, words: Words) -> str:
        if name in self.own or not isinstance(self.outer, Seen):
            return words.say(None, self.get(name))
        return self.outer.text(name, words)


def given(source: Source, viewer: Viewer, row: Row) -> Any:
    """What a source says of a record."""
    said = source.read(viewer, row)
    if isinstance(said, Mapping):
        return SeenValues(source.fields, said)
    return [SeenValues(source.fields, one) for one in said]


def root_of(reader: Reader, module: Module, row: Row, more: Mapping[str, Any]) -> Seen:
    """What the tags of a document begin with: the record's own names, the record by its name, and `more`."""
    record = reader.record(module, row)
    return Inside(record, {"record": record, own_name(module): record, **more})


def own_name(module: Module) -> str:
    """What tags call a record of the module: contacts → contact."""
    special = {"invitation_events": "event", "mass_events": "event", "faqs": "faq"}
    if module.key in special:
        return special[module.key]
    return module.key[:-3] + "y" if module.key.endswith("ies") else module.key.removesuffix("s")
