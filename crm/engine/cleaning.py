"""Incoming values made clean: names resolved, kinds checked, keys and links looked up, requirements met. For whole batches."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Select, bindparam, select

from crm.db import db, fold_text
from crm.engine import picklists, portal_rights
from crm.engine.channels import RULES, Channel
from crm.engine.fields import Field
from crm.engine.kinds import BadValue
from crm.engine.module import Module
from crm.engine.permissions import readable, scope, writable
from crm.engine.refusals import Fault, Refused, UnknownName
from crm.engine.registry import modules
from crm.identity.owners import owners_among
from crm.identity.viewer import Viewer
from crm.words import _

Values = dict[str, Any]
Faults = dict[str, list[Fault]]
MOST_KNOWN, LONGEST_KNOWN = 2_000, 100  # values kept of a field, and their length


class Cleaner:
    """Cleans rows of one module for one viewer and channel; looks up each name, key and link once a batch."""

    def __init__(self, viewer: Viewer, module: Module, channel: Channel) -> None:
        self.viewer, self.module, self.channel = viewer, module, channel
        self.rules = RULES[channel]
        self.fields = module.fields
        self.readable = readable(viewer, module)
        self.writable = writable(viewer, module)
        self.imposed = portal_rights.imposed(viewer, module)  # of a customer: whose the record is
        found = portal_rights.shown(viewer, module)
        self.shown = found[1] if found else None  # what the customer's profile demands and fills in
        self.rejected: list[tuple[str, str]] = []  # (field, raw) of picklist values kept aside
        self._names: dict[str, Field | Fault] = {}
        demanded = self.shown.required if self.shown else ()
        self._required = [name for name, said in self.fields.items() if said.required or name in demanded]
        self._defaults = [(name, said.default) for name, said in self.fields.items() if said.default is not None]
        self._texts: dict[str, dict[str, Any]] = {}  # field → text → value: cells say the same again and again
        self._keys: dict[str, frozenset[str]] = {}
        self._read: dict[str, dict[str | None, str]] = {}  # picklist → folded label → key

    def clean(
        self, rows: Sequence[Mapping[str, Any]], olds: Sequence[Mapping[str, Any] | None] | None = None
    ) -> tuple[list[Values], dict[int, Refused]]:
        """The clean values of every row, and what is wrong with which (by index). `olds`: the stored rows, of updates."""
        cleaned: list[Values] = []
        faults: dict[int, Faults] = {}
        for index, row in enumerate(rows):
            old = olds[index] if olds else None
            values, wrong = self._clean_row(row, old)
            if wrong:
                faults[index] = wrong
            cleaned.append(values)
        self._check_links(cleaned, faults)
        self._check_unique(cleaned, olds, faults)
        if self.rejected:
            picklists.keep_rejected(self.module.key, self.rejected)
        return cleaned, {index: Refused(wrong) for index, wrong in faults.items()}

    def typed(self, name: str, raw: Any) -> Any:
        """The typed value of a field, from what a formula printed. Raises BadValue."""
        return self._value(self.fields[name], raw)

    def _field(self, name: str) -> Field | Fault:
        found = self._names.get(name)
        if found is None:
            found = self._names[name] = self._resolve(name)
        return found

    def _resolve(self, name: str) -> Field | Fault:
        try:
            said = self.fields[self.module.resolve(name)]
        except (UnknownName, KeyError) as unknown:
            return Fault(
                "unknown",
                str(unknown) if isinstance(unknown, UnknownName) else _("There is no field “%(name)s”.", name=name),
            )
        if self.viewer.kind == "customer" and said.name not in self.writable:
            return Fault("field_not_writable", _("“%(label)s” cannot be changed here.", label=_(said.label)))
        if said.name not in self.readable and not self.viewer.is_system:
            return Fault("unknown", str(UnknownName("field", name)))
        if said.name not in self.writable and not self.rules.trusted:
            return Fault("forbidden", _("“%(label)s” cannot be changed.", label=_(said.label)))
        return said

    def _clean_row(self, row: Mapping[str, Any], old: Mapping[str, Any] | None) -> tuple[Values, Faults]:
        values: Values = {}
        faults: Faults = {}
        for name, raw in row.items():
            said = self._names.get(name) or self._field(name)
            if isinstance(said, Fault):
                faults.setdefault(name, []).append(said)
                continue
            try:
                values[said.name] = self._value(said, raw)
            except BadValue as bad:
                faults.setdefault(said.name, []).append(Fault(bad.code, bad.message))
        if old is None:
            self._fill_of_profile(values)
            self._fill_defaults(values)
        if not faults:
            for derive in self.module.derives:
                values.update(derive(values, old))
        for name in self._demanded(values, old):
            if name not in faults and (values.get(name) is None or values[name] == ""):
                faults[name] = [
                    Fault("required", _("“%(label)s” must be filled in.", label=_(self.fields[name].label)))
                ]
        if not faults:
            for check in self.module.checks:
                for name, fault in (check(values, old) or {}).items():
                    faults.setdefault(name, []).append(fault)
            for ask in self.module.asks:
                for name, fault in (ask(self.viewer, values, old) or {}).items():
                    faults.setdefault(name, []).append(fault)
        return values, faults

    def _value(self, said: Field, raw: Any) -> Any:
        if type(raw) is not str or len(raw) > LONGEST_KNOWN:
            return self._made(said, raw)
        known = self._texts.setdefault(said.name, {})
        if raw in known:
            return known[raw]
        kept_aside = len(self.rejected)
        value = self._made(said, raw)
        if len(known) < MOST_KNOWN and len(self.rejected) == kept_aside:
            known[raw] = value
        return value

    def _made(self, said: Field, raw: Any) -> Any:
        if self.rules.cuts:
            raw = said.kind.cut(raw, said)
        value = said.kind.clean(raw, said, self.viewer.timezone)
        if said.picklist and value:
            value = self._known_keys(said, value)
        return value

    def _known_keys(self, said: Field, value: Any) -> Any:
        if said.picklist not in self._keys:
            self._keys[said.picklist] = frozenset(choice.key for choice in picklists.choices(said.picklist))
        known = self._keys[said.picklist]
        keys = (value,) if isinstance(value, str) else value
        if self.rules.cuts and not known.issuperset(keys):  # spreadsheets say what people read, not our keys
            keys = tuple(dict.fromkeys(key if key in known else self._key_read(said.picklist, key) for key in keys))
            value = keys[0] if isinstance(value, str) else keys
        unknown = [key for key in keys if key not in known]
        if not unknown:
            return value
        if self.rules.cuts:  # an import: the cell stays empty, the value is kept aside for the administrator
            self.rejected += [(said.name, key) for key in unknown]
            return None if isinstance(value, str) else tuple(key for key in keys if key in known)
        raise BadValue(
            "not_in_list", _("“%(name)s” is not a value of “%(label)s”.", name=unknown[0], label=_(said.label))
        )

    def _key_read(self, picklist: str, text: str) -> str:
        """The key whose label, in English or in the reader's language, is `text`; else the text itself."""
        if picklist not in self._read:
            found = self._read[picklist] = {}
            for choice in picklists.choices(picklist):
                for label in (choice.key, choice.label, _(choice.label)):
                    found.setdefault(fold_text(label), choice.key)
        return self._read[picklist].get(fold_text(text.strip()), text)

    def _fill_defaults(self, values: Values) -> None:
        for name, default in self._defaults:
            if name not in values:
                values[name] = default() if callable(default) else default
        if "owner_id" in self.fields and values.get("owner_id") is None:
            values["owner_id"] = self.viewer.id

    def _fill_of_profile(self, values: Values) -> None:
        """What a customer's profile fills in where nothing was sent, and whose the record is, whatever was sent."""
        for name, raw in (self.shown.defaults if self.shown else {}).items():
            if values.get(name) in (None, "", ()) and name in self.fields:
                values[name] = self._value(self.fields[name], raw)
        values.update(self.imposed)

    def _demanded(self, values: Values, old: Mapping[str, Any] | None) -> Iterable[str]:
        return self._required if old is None else [name for name in self._required if name in values]

    def _check_links(self, rows: Sequence[Values], faults: dict[int, Faults]) -> None:
        """Every linked record must exist and may be read by the viewer: one query a target module."""
        for name, said in self.fields.items():
            wanted = {row[name] for row in rows if row.get(name) is not None} if said.is_link else set()
            if not wanted or name in self.imposed:
                continue
            found = self._found(said, wanted)
            for index, row in enumerate(rows):
                if row.get(name) is not None and row[name] not in found:
                    what = _("This user or group is not active, or does not exist.") if said.name == "owner_id" else (
                        _("There is no such record, or you may not see it.")
                    )  # fmt: skip
                    faults.setdefault(index, {}).setdefault(name, []).append(Fault("no_such_record", what))

    def _found(self, said: Field, wanted: set[int]) -> set[int]:
        if said.kind.name == "owner":
            if self.viewer.id is not None and wanted == {self.viewer.id}:
                return wanted
            return owners_among(wanted)
        found: set[int] = set()
        for key in said.to:
            for chunk in _chunks(sorted(wanted - found), 900):
                query = _live_among(modules[key].table if key in modules else db.metadata.tables[key])
                if key in modules and said.kind.name == "link" and not self.viewer.is_system:
                    narrowing = scope(self.viewer, modules[key], "view")
                    query = query if narrowing is None else query.where(narrowing)
                found |= set(db.session.execute(query, {"ids": chunk}).scalars())
        return found

    def _check_unique(
        self, rows: Sequence[Values], olds: Sequence[Mapping[str, Any] | None] | None, faults: dict[int, Faults]
    ) -> None:
        from crm.engine.duplicates import holders

        for name, said in self.fields.items():
            if not said.unique or said.custom:
                continue
            wanted: dict[Any, list[int]] = {}
            for index, row in enumerate(rows):
                if row.get(name) is not None:
                    wanted.setdefault(fold_text(row[name]) if said.kind.is_text else row[name], []).append(index)
            if not wanted:
                continue
            held = holders(self.module, name, list(wanted))
            for key, indexes in wanted.items():
                for place, index in enumerate(indexes):
                    own = olds[index]["id"] if olds and olds[index] else None  # type: ignore[index]
                    if place or held.get(key, own) != own:
                        message = _("Another record has this “%(label)s” already.", label=_(said.label))
                        faults.setdefault(index, {}).setdefault(name, []).append(Fault("not_unique", message))


@cache
def _live_among(target: Any) -> Select[Any]:
    """Ids of the parameter `ids` that live in the table; built once, as every link that is written asks it."""
    query = select(target.c.id).where(target.c.id.in_(bindparam("ids", expanding=True)))
    return query.where(target.c.deleted_at.is_(None)) if "deleted_at" in target.c else query


def _chunks(items: list[Any], size: int) -> Iterable[list[Any]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
