"""Questions and fields of the CRM: what a form begins with, and what answers change there, through the writing door.

A mapping: {"direction": "prefill" | "write" | "both", "module", "field", "write_empty"}. A field that cannot be written does
not lose the response: it is listed with it, with the reason.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from crm.db import Entity, db
from crm.engine import records, search
from crm.engine.channels import Channel
from crm.engine.fields import Field
from crm.engine.refusals import Forbidden, Missing, Refused, UnknownName
from crm.engine.registry import modules
from crm.identity.viewer import SYSTEM
from crm.words import N_, _
from surveys.design import Design
from surveys.kinds import Question

PEOPLE = ("contacts", "leads")
DIRECTIONS = {
    "prefill": N_("Begin with the field"), "write": N_("Write the answer to the field"), "both": N_("Both"),
}  # fmt: skip
TARGETS = ("contacts", "accounts", "campaigns", "tickets", "invitation_events", "mass_events")
SUBSCRIPTIONS = frozenset({"email_opt_in", "email_opt_out"})  # fields of contacts that start or end mails
NOT_WRITTEN = frozenset({"owner", "user", "link", "file", "conditions", "html", "source"})


def targets() -> list[str]:
    """The modules of this house whose fields questions can be tied to."""
    return [key for key in TARGETS if key in modules]


def field_of(mapping: Mapping[str, Any]) -> Field | None:
    """The field that a mapping names, or None when there is none."""
    key = str(mapping.get("module") or "")
    if key not in modules:
        return None
    try:
        return modules[key].field(str(mapping.get("field") or ""))
    except UnknownName:
        return None


def problem_of(question: Question) -> str:
    """What is wrong with the mapping of a question; "" when nothing is."""
    mapping = question.mapping
    if not mapping:
        return ""
    said = field_of(mapping)
    if mapping.get("direction") not in DIRECTIONS or mapping.get("module") not in targets() or said is None:
        return _("Choose the module, the field and what it is for.")
    if said.kind.name in NOT_WRITTEN or (said.read_only and mapping["direction"] != "prefill"):
        return _("“%(label)s” cannot be tied to a question.", label=_(said.label))
    if said.sensitive and mapping["direction"] != "write":
        return _("“%(label)s” is not shown to people: a link may be passed on.", label=_(said.label))
    if mapping["direction"] != "prefill" and said.kind.name not in question.kind.fits:
        return _("An answer of this type does not fit into “%(label)s”.", label=_(said.label))
    if mapping["direction"] != "prefill" and said.picklist and question.kind.takes_options:
        from crm.engine import picklists

        known = {choice.key for choice in picklists.choices(said.picklist)}
        foreign = [one.value for one in question.options if one.value not in known]
        if foreign:
            return _(
                "These options are no values of “%(label)s”: %(values)s.",
                label=_(said.label),
                values=", ".join(foreign),
            )
    return ""


def known_of(design: Design, person: int) -> dict[str, Any]:
    """What is known of a person, by question, where questions begin with a field."""
    wanted: dict[str, list[Question]] = {}
    for question in design.questions:
        if question.mapping and question.mapping.get("direction") in {"prefill", "both"}:
            said = field_of(question.mapping)
            if said is not None and not said.sensitive and question.mapping["module"] in {"contacts", "accounts"}:
                wanted.setdefault(question.mapping["module"], []).append(question)
    found: dict[str, Any] = {}
    for key, questions in wanted.items():
        target = _target(key, person, None)
        if target is None:
            continue
        module, id = target
        names = [name for name in (_name_in(module, question) for question in questions) if name]
        row = search.one(SYSTEM, module, id, columns=names)
        for question in questions:
            name = _name_in(module, question)
            value = question.kind.from_field(question, row[name]) if name and row[name] is not None else None
            if value is not None:
                found[question.name] = value
    return found


def write_back(
    design: Design,
    values: Mapping[str, Any],
    person: int | None,
    subject_id: int | None = None,
    only_empty: bool = False,
) -> list[dict[str, str]]:
    """Write mapped answers to the CRM, in the caller's transaction; gives what could not be: question, field, reason.

    Only questions that are shown count; an empty answer clears nothing unless its mapping says so.
    """
    wanted: dict[tuple[str, int], dict[str, tuple[str, Any]]] = {}
    troubles: list[dict[str, str]] = []
    walk = _walk(design, values)
    for question in design.questions:
        mapping = question.mapping
        if not mapping or mapping.get("direction") not in {"write", "both"} or not walk.is_open(question):
            continue
        value = values.get(question.name)
        if value is None and not mapping.get("write_empty"):
            continue
        target = _target(mapping["module"], person, subject_id)
        if target is None:
            continue
        module, id = target
        name = _name_in(module, question)
        if name is None:
            troubles.append(_trouble(question, mapping["field"], _("There is no such field any more.")))
            continue
        written = None if value is None else question.kind.written(question, value)
        wanted.setdefault((module, id), {})[name] = (question.name, written)
    for (module, id), fields in wanted.items():
        if only_empty:
            row = search.one(SYSTEM, module, id, columns=list(fields))
            fields = {name: said for name, said in fields.items() if row[name] in (None, "", ())}
        troubles += _write(module, id, fields)
    return troubles


def _write(module: str, id: int, fields: dict[str, tuple[str, Any]]) -> list[dict[str, str]]:
    """Write what can be written; each round leaves out what was refused."""
    troubles: list[dict[str, str]] = []
    left = dict(fields)
    while left:
        try:
            with db.session.begin_nested():
                changes = {name: value for name, (_question, value) in left.items()}
                records.update(SYSTEM, module, id, changes, Channel.SURVEY)
            return troubles
        except Refused as refused:
            blamed = {name: faults[0].message for name, faults in refused.faults.items() if name in left}
            for name, reason in (blamed or dict.fromkeys(left, str(refused)[:300])).items():
                troubles.append({"question": left.pop(name)[0], "field": name, "reason": reason})
        except (Missing, Forbidden) as gone:
            reason = str(gone) or _("The record is gone.")
            return troubles + [{"question": said[0], "field": name, "reason": reason} for name, said in left.items()]
    return troubles


def _trouble(question: Question, field: str, reason: str) -> dict[str, str]:
    return {"question": question.name, "field": field, "reason": reason}


def _walk(design: Design, values: Mapping[str, Any]) -> Any:
    from surveys.logic import Walk

    return Walk(design, {name: design.by_name[name].kind.plain(value) for name, value in values.items()})


def _name_in(module: str, question: Question) -> str | None:
    """The field of a mapping in `module` (a lead has many of the fields of a contact)."""
    try:
        return modules[module].resolve(str((question.mapping or {}).get("field") or ""))
    except UnknownName:
        return None


def module_of(id: int | None) -> str | None:
    """The module of a live record."""
    if id is None:
        return None
    table = Entity.__table__
    said = select(table.c.module).where(table.c.id == id, table.c.deleted_at.is_(None))
    return db.session.execute(said).scalar()


def _target(key: str, person: int | None, subject_id: int | None) -> tuple[str, int] | None:
    """The record that a mapping to `key` means for this person and subject."""
    if key == "contacts":
        found = module_of(person)
        return (found, person) if found in PEOPLE and person is not None else None
    if key == "accounts":
        if module_of(person) != "contacts" or person is None:
            return None
        table = modules["contacts"].table
        account = db.session.execute(select(table.c.account_id).where(table.c.id == person)).scalar()
        return ("accounts", int(account)) if account is not None and module_of(account) == "accounts" else None
    return (key, subject_id) if subject_id is not None and module_of(subject_id) == key else None
