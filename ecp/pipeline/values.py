"""What the tags of a mail print for each person: read for a batch by one query a kind of person, shown in their language."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from flask_babel import force_locale
from sqlalchemy import bindparam, literal, select

from crm import config
from crm.db import Entity, db
from crm.engine.fields import Field
from crm.engine.module import Module
from crm.engine.refusals import UnknownName
from crm.engine.registry import modules
from crm.engine.tags import Present, gather
from crm.ui.formats import Formats, words

Read = dict[str, tuple[Field | None, Any]]
PERSONS = ("contacts", "leads")
LANGUAGES = ("en", "fi", "sv", "de")
# namespace → how it is found from a person: module and the person's key to it
ABOUT_PERSON = {
    "contact": ("", ""),
    "lead": ("", ""),
    "record": ("", ""),
    "account": ("accounts", "account_id"),
    "owner": ("users", "owner_id"),
}


@dataclass(frozen=True)
class Filled:
    """The values of one person: `shown` is printed, `raw` is what {if} asks; `language` and `may_measure` of the person."""

    shown: dict[str, str]
    raw: dict[str, str]
    language: str
    may_measure: str


@dataclass
class Reader:
    """Reads the values of the tags `names` for people of one sendout. Make one a sendout."""

    names: frozenset[str]
    sendout: Mapping[str, Any]  # the row of the sendout
    _common: Read = field(default_factory=dict)
    _queries: dict[str, tuple[Any, dict[str, Field | None]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for namespace, module, id in (
            ("sendout", "sendouts", self.sendout["id"]),
            ("campaign", "campaigns", self.sendout["campaign_id"]),
            ("user", "users", self.sendout["creator_id"]),
        ):
            asked = self._asked(namespace)
            if asked and id is not None:
                self._common |= _of_record(modules[module], id, asked, namespace)

    def read(self, people: Iterable[tuple[str, int]]) -> dict[int, Filled]:
        """Person id → values, for (module, id) pairs. A person who is gone is left out."""
        by_module: dict[str, list[int]] = {}
        for module, id in people:
            by_module.setdefault(module, []).append(id)
        found: dict[int, Filled] = {}
        for module, ids in by_module.items():
            if module in PERSONS:
                found |= self._read(module, ids)
        return found

    def _read(self, module: str, ids: Sequence[int]) -> dict[int, Filled]:
        if module not in self._queries:  # made once: making it takes longer than running it
            self._queries[module] = self._query(module)
        query, places = self._queries[module]
        kinds = list(places.values())
        rows = db.session.execute(query, {"ids": list(ids)}).all()
        default = config.current().locale
        found: dict[int, Filled] = {}
        for language, mine in groupby(
            sorted(rows, key=lambda row: row.of_language or default), key=lambda row: row.of_language or default
        ):
            present = presenter(language)
            with force_locale(spoken(language)):
                shown_to_all, raw_of_all = gather(self._common, self._common.get, present, language)
                for id, _language, measure, *values in mine:
                    read: Read = dict(zip(places, zip(kinds, values, strict=True), strict=True))
                    shown, raw = gather(places, read.get, present, language)
                    found[id] = Filled(shown_to_all | shown, raw_of_all | raw, language, measure or "unknown")
        return found

    def _query(self, module: str) -> tuple[Any, dict[str, Field | None]]:
        """The statement that reads people of a module by their `ids`, and which tag each further column is for."""
        person = modules[module]
        table = person.table.alias("person")
        columns: list[Any] = [
            table.c.id.label("of_id"),
            table.c.language.label("of_language"),
            table.c.may_measure_opens.label("of_measure"),
        ]
        source: Any = table
        places: dict[str, Field | None] = {}
        for namespace, (other, key) in ABOUT_PERSON.items():
            asked = self._asked(namespace)
            if not asked or (other and key not in table.c):
                continue
            said, where = (person, table) if not other else (modules[other], modules[other].table.alias(namespace))
            if other:
                source = source.outerjoin(where, where.c.id == table.c[key])
            for name in asked:
                expression, kind, source = _expression(said, where, name, source)
                if expression is not None:
                    full = f"{namespace}.{name}"
                    columns.append(expression.label(f"v{len(places)}"))
                    places[full] = kind
        of_ids = table.c.id.in_(bindparam("ids", expanding=True))
        return select(*columns).select_from(source).where(of_ids), places

    def _asked(self, namespace: str) -> list[str]:
        return sorted(name.partition(".")[2] for name in self.names if name.startswith(f"{namespace}."))


def spoken(language: str) -> str:
    """The language that values are written in for a person of `language`: that one, or the site's."""
    return language if language in LANGUAGES else config.current().locale


def presenter(language: str) -> Present:
    """How values look to people of `language`: texts as they are, the rest as pages show it."""
    formats = Formats(spoken(language), config.current().timezone)

    def present(kind: Field | None, value: Any, _locale: str) -> str:
        if kind is None or (isinstance(value, str) and kind.kind.name not in {"picklist", "multi"}):
            return str(value)
        return words(kind, value, formats)

    return present


def _of_record(module: Module, id: int, asked: Sequence[str], namespace: str) -> Read:
    """The values of one record that all people share."""
    table = module.table.alias(namespace)
    source: Any = table
    columns: list[Any] = [literal(1)]
    places: dict[str, Field | None] = {}
    for name in asked:
        expression, kind, source = _expression(module, table, name, source)
        if expression is not None:
            columns.append(expression.label(f"v{len(places)}"))
            places[f"{namespace}.{name}"] = kind
    row = db.session.execute(select(*columns).select_from(source).where(table.c.id == id)).first()
    return {} if row is None else {name: (kind, row[1 + place]) for place, (name, kind) in enumerate(places.items())}


def _expression(module: Module, table: Any, name: str, source: Any) -> tuple[Any, Field | None, Any]:
    """The SQL of a field by a name as tags spell it, its Field (None for a plain text), and the FROM it needs."""
    if name in {"label", "name"} and name not in module.fields and name not in module.aliases:
        card = Entity.__table__.alias()
        return card.c.label, None, source.outerjoin(card, card.c.id == table.c.id)
    try:
        known = module.resolve(name)
    except UnknownName:
        return None, None, source
    if known == "id":
        return None, None, source
    said = module.fields[known]
    column = module.column(known, table)
    if said.is_link and said.kind.name != "file":
        card = Entity.__table__.alias()
        return card.c.label, None, source.outerjoin(card, card.c.id == column)
    return column, said, source
