"""The declaration of a module: what a record is and where its fields show. No route, no template, no SQL for lists."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import BigInteger, Index, Integer, Text, cast, func, literal, type_coerce
from sqlalchemy.sql import ColumnElement

from crm.db import Scaled, db, fold
from crm.engine import overlay
from crm.engine.fields import Field, PicklistSeed
from crm.engine.formulas import Formula
from crm.engine.labels import of_field
from crm.engine.record import COMMON_FIELDS, Ledger, Record
from crm.engine.refusals import UnknownName
from crm.words import N_

Condition = dict[str, Any]


class BadDeclaration(Exception):
    """A module declares something that does not hold together; the sentence says what. Stops the start."""


@dataclass(frozen=True)
class Block:
    """A titled group of fields on the card and the form."""

    label: str
    fields: tuple[str, ...]


@dataclass(frozen=True)
class Filter:
    """A saved view that ships with the module."""

    key: str
    label: str
    where: Condition
    sort: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class Action:
    """Something that can be done to a record beyond editing: `changes(row)` gives the values that it writes.

    `when`: a condition on the record under which it is offered. `confirm`: the question asked before.
    """

    key: str
    label: str
    changes: Callable[[Mapping[str, Any]], dict[str, Any]]
    when: Condition = field(default_factory=dict)
    confirm: str = ""
    icon: str = "bolt"


@dataclass(frozen=True)
class Timeline:
    """How rows of this module appear on the timeline of the record they belong to: one keyset query (engine.timeline)."""

    at: str  # the column of the moment
    sentence: (
        str  # English, with {names} of columns, {a|b} for the first that says something; translated before it is filled
    )
    icon: str = "point"
    columns: tuple[str, ...] = ()
    category: str = ""  # the filter of the timeline it belongs to: mail, visit, call, task, change, note, survey …
    where: Condition = field(default_factory=dict)


@dataclass(frozen=True)
class Related:
    """That rows of this module show on cards of another: found by the link field `by`, or by the named many-link."""

    by: str = ""
    through: str = ""  # name of a ManyLink
    label: str = ""
    columns: tuple[str, ...] = ()
    timeline: Timeline | None = None
    tab: bool = True  # a related list on the card


@dataclass(frozen=True)
class PortalExposure:
    """That customers may see records of this module in a portal whose profile shows it.

    `by_contact`, `by_account`: the link fields that say whose a record is ("id": the record itself is the contact or the
    account); with neither, everybody sees those that meet `where`. `where`: only such records, whoever asks (published …).
    `is_split`: lists offer All and Mine. `status`: the picklist field that lists are filtered by.
    `through`: of rows below a record (comments, lines): the link to it; who sees that record sees `fields` of its rows.
    `is_view_only`: customers write it by pages of its own, never as a record, whatever a profile ticks.
    `kept`: fields that customers never write, whatever a profile ticks. `gives`: what every record carries that a customer makes.
    `edit_where`: only such records may be changed by customers. `is_of_company`: a portal administrator sees those of the whole
    company, whatever the profile's scope. `goes_to_assignee`: its owner is whom the portal names, not who looks after the contact.
    """

    by_contact: str = ""
    by_account: str = ""
    where: Condition = field(default_factory=dict)
    is_split: bool = True
    status: str = ""
    through: str = ""
    through_module: str = ""
    fields: tuple[str, ...] = ()
    is_view_only: bool = False
    kept: frozenset[str] = frozenset()
    gives: Mapping[str, Any] = field(default_factory=dict)
    edit_where: Condition = field(default_factory=dict)
    is_of_company: bool = False
    goes_to_assignee: bool = False


@dataclass(frozen=True)
class ManyLink:
    """A link of any number of records of this module to any number of `to`, without a key on either side.

    `name`: the relation as seen from here (activities → "contacts"); `back`: as seen from there ("activities").
    """

    name: str
    to: str
    back: str
    label: str = ""
    back_label: str = ""


@dataclass
class Module:
    """All that the house knows of a module. `key` is the table's name, and the URL, and the API resource."""

    record: type[Any]
    label: str
    plural: str
    menu: str = ""  # group of the left menu; "" = not in the menu
    prefix: str = ""  # of numbers; "" = not numbered
    title: str | tuple[str, ...] = "name"  # field(s) whose values are the record's label
    untitled: str = N_("(no name)")  # what lists and cards say where these are empty
    columns: tuple[str, ...] = ()
    form: tuple[Block, ...] = ()
    search: tuple[str, ...] = ()  # fields of the text index
    sort: tuple[str, ...] = ("-created_at",)
    filters: tuple[Filter, ...] = ()
    actions: tuple[Action, ...] = ()
    formulas: tuple[Formula, ...] = ()
    picklists: tuple[PicklistSeed, ...] = ()
    links: tuple[ManyLink, ...] = ()
    shows_on: Mapping[str, Related | tuple[Related, ...]] = field(default_factory=dict)
    aliases: Mapping[str, str] = field(default_factory=dict)  # other name → canonical name
    fields_of_table: Mapping[str, Field] = field(default_factory=dict)  # for plain tables (users, groups)
    follows: str = ""  # link field to the record whose sharing this one follows (private accounts cascade)
    parent: str = ""  # of a Ledger: the link field to the record that its rights come from
    about: str = ""  # of a Ledger: the link field to the person it tells of; who may not see that one sees no row
    counts: Condition = field(
        default_factory=dict
    )  # which rows "there are …" means, unless a condition names its fields
    duplicates: tuple[str, ...] = ()  # fields whose equal values warn of a duplicate
    importable: bool = True
    creatable: bool = True  # by people; False: only the system makes such rows
    editable: bool = True
    deletable: bool = True
    in_api: bool = True
    in_search: bool = True  # found by the search over all modules; False for what only administrators set
    icon: str = "file"
    facts: tuple[str, ...] = ()  # fields shown at the top of the card
    checks: tuple[Callable[[Mapping[str, Any], Mapping[str, Any] | None], Any], ...] = ()
    """Rules of the module beyond single fields: check(new values, old row or None) → {field: Fault} or {}; run by cleaning."""
    asks: tuple[Callable[[Any, Mapping[str, Any], Mapping[str, Any] | None], Any], ...] = ()
    """Rules that depend on who writes: ask(viewer, new values, old row or None) → {field: Fault} or {}; run after the checks."""
    doubts: tuple[Callable[[Mapping[str, Any], Mapping[str, Any] | None], dict[str, str]], ...] = ()
    """What is allowed, but people are asked once more: doubt(new values, old row or None) → {field: sentence}. Forms ask;
    programs, who cannot be asked, are not."""
    stays: Callable[[Mapping[str, Any]], bool] | None = None
    """Whether a record is one that can never be deleted, so that its card does not offer it."""
    before_delete: tuple[Callable[[list[int]], Any], ...] = ()
    """check(ids) → {id: Fault}; a refused id is not deleted."""
    derives: tuple[Callable[[Mapping[str, Any], Mapping[str, Any] | None], dict[str, Any]], ...] = ()
    """Values that follow from others, in every channel: derive(new values, old row or None) → values to write as well;
    run by cleaning before the checks. (A formula is an administrator's, and runs for forms only.)"""
    keeps: Mapping[str, str] = field(default_factory=dict)
    """module → link field here: a record of that module cannot be deleted while a row here points at it."""
    opened_by: str = ""
    """Picklist field whose keys no, read, write say how far the owner opens the record to others; private when "no"."""
    restricted_by: str = ""
    """Checkbox that closes a record to all but its creator, its owner, administrators, and the users of `allowed`."""
    allowed: str = ""  # name of the ManyLink to the users who may see and edit a restricted record
    sole: tuple[str, ...] = ()
    """Checkboxes that at most one record has: ticking one takes the tick from the others."""
    also: tuple[str, ...] = ()  # other names of the module, taken by the API and the registry
    api_defaults: Mapping[str, Any] = field(default_factory=dict)
    """What a record that programs make holds where they say nothing (a form has defaults of its own)."""
    areas: Mapping[str, str] = field(default_factory=dict)
    """verb → name of an area in Viewer.rights.areas or a flag in Viewer.flags which is needed beside the profile right."""
    in_crm: bool = True  # has pages in the CRM
    in_ecp: bool = False  # has pages in the Email Contact Portal
    portal: PortalExposure | None = None  # what customers may see of it in the Self-Service Portal; None: nothing, ever

    declared: dict[str, Field] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.key = self.record.__tablename__
        self.table = self.record.__table__
        if not issubclass(self.record, Record):
            self.creatable = self.creatable and bool(self.fields_of_table)
        for column in self.table.columns:
            said = column.info.get("field")
            if said is None:
                continue
            required = not column.nullable and said.kind.name not in {"checkbox", "multi"} and not said.read_only
            self.declared[column.key] = said.named(column.key, required)
        for name, said in self.fields_of_table.items():
            self.declared[name] = said.named(name, said.required)
        for name, said in self.declared.items():
            self.declared[name] = replace(said, label=of_field(self.key, name, said.label))
        if issubclass(self.record, Record):  # what a record is comes first, what all carry last
            own = {name: said for name, said in self.declared.items() if name not in COMMON_FIELDS}
            self.declared = {"number": self.declared["number"]} | own | {n: self.declared[n] for n in COMMON_FIELDS[1:]}
        self._check()
        self._index()

    # what it is

    @property
    def is_ledger(self) -> bool:
        return issubclass(self.record, Ledger) or (bool(self.parent) and not self.is_record)

    @property
    def is_record(self) -> bool:
        return issubclass(self.record, Record)

    @property
    def titles(self) -> tuple[str, ...]:
        return (self.title,) if isinstance(self.title, str) else self.title

    def label_of(self, values: Mapping[str, Any]) -> str:
        """The record's label, from its values."""
        said = " ".join(str(values[name]) for name in self.titles if values.get(name))
        return (said or str(values.get("number") or ""))[:255]

    # its fields

    @property
    def fields(self) -> dict[str, Field]:
        """Declared and custom fields by name; not to be changed."""
        custom = overlay.custom_fields(self.key)
        return self.declared | custom if custom else self.declared

    def resolve(self, name: str) -> str:
        """The canonical name of a field or alias. Raises UnknownName with the nearest match."""
        known = self.fields
        if name in known or name == "id":
            return name
        if name in self.aliases:
            return self.aliases[name]
        for field_name, said in known.items():
            if name in said.aliases:
                return field_name
        raise UnknownName("field", name, [*known, *self.aliases])

    def field(self, name: str) -> Field:
        """The field called `name` (or an alias of it). Raises UnknownName."""
        known = self.fields
        return known[name] if name in known else known[self.resolve(name)]

    def column(self, name: str, table: Any = None) -> ColumnElement[Any]:
        """The SQL expression of a field on `table` (an alias of this module's table; default: the table itself)."""
        table = self.table if table is None else table
        if name in table.c:
            return table.c[name]  # type: ignore[no-any-return]
        return custom_column(self.fields[name], table)

    # the other side of links

    @property
    def relations(self) -> dict[str, Field]:
        """Its own links by relation name: account → the field account_id."""
        return {said.relation: said for said in self.fields.values() if said.is_link}

    def _check(self) -> None:
        def known(names: tuple[str, ...], where: str) -> None:
            for name in names:
                first = name.lstrip("-").split(".")[0]
                relations = {said.relation for said in self.declared.values() if said.is_link}
                if first not in self.declared and not ("." in name and first in relations) and first != "id":
                    raise BadDeclaration(f"Module {self.key}: {where} names a field “{name}”, which it does not have.")

        known(self.titles, "title")
        known(self.columns, "columns")
        known(self.search, "search")
        known(self.sort, "sort")
        known(self.facts, "facts")
        for block in self.form:
            known(block.fields, f"the block “{block.label}”")
        rules = (
            self.follows,
            self.parent,
            self.about,
            self.opened_by,
            *self.sole,
            *self.keeps.values(),
            *self.duplicates,
            *self.aliases.values(),
        )
        for name in rules:
            if name:
                known((name,), "a rule")

    def _index(self) -> None:
        c = self.table.c
        if not self.is_record:
            return
        live = {"sqlite_where": c.deleted_at.is_(None), "postgresql_where": c.deleted_at.is_(None)}
        if self.prefix:
            Index(f"uq_{self.key}_number", c.number, unique=True, **live)
        # Lists show living records only, and mostly those of some owners: with both in the index, counting what fits need not
        # look at the table. PostgreSQL also wants to find there the text that is folded.
        Index(f"ix_{self.key}_created", c.created_at, c.id, c.owner_id, **live)
        Index(f"ix_{self.key}_updated", c.updated_at, c.id, c.owner_id, **live)
        for name, said in self.declared.items():
            column = c[name]
            is_title = name == self.titles[-1]
            if said.unique:
                what = fold(column) if said.kind.is_text else column
                Index(f"uq_{self.key}_{name}", what, unique=True, **live)
            if (said.indexed or is_title) and not column.index:
                is_folded = said.kind.is_text and said.kind.name != "picklist"
                beside: dict[str, Any] = {"postgresql_include": [name]} if is_folded else {}
                what = fold(column) if is_folded else column
                Index(f"ix_{self.key}_{name}", what, c.id, c.owner_id, **live, **beside)


def _written(value: str) -> ColumnElement[str]:
    return literal(value, literal_execute=True)


def custom_column(said: Field, table: Any) -> ColumnElement[Any]:
    """The SQL expression of a custom field in `extra`, typed so that both databases compare alike (decisions.md 7)."""
    # Its name is written into the statement: an index of the expression serves only what is the very same.
    if db.engine.dialect.name == "sqlite":
        raw: ColumnElement[Any] = func.json_extract(table.c.extra, _written(f"$.{said.name}"))
    else:
        raw = table.c.extra.op("->>")(_written(said.name))
    if said.kind.is_scaled:
        return type_coerce(cast(raw, BigInteger), Scaled(4, said.scale))
    if said.kind.name == "whole":
        return cast(raw, BigInteger)
    if said.kind.name == "checkbox":
        return type_coerce(cast(raw, Integer), Integer)
    return type_coerce(raw, Text)
