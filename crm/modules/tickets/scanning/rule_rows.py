"""Rules of a scanner as administrators write them: read in their order, checked, saved, moved."""

from collections.abc import Mapping
from typing import Any

import re2
from sqlalchemy import delete, insert, select, update

from crm import clock
from crm.db import compile_pattern, db, id_inserted
from crm.engine.refusals import Fault, Missing, Refused
from crm.identity.owners import owners_among
from crm.modules.tickets.scanning import scanners
from crm.modules.tickets.scanning.rules import ACTIONS, BODY_OPERATORS, OPERATORS, Rule
from crm.modules.tickets.scanning.tables import MailScanner, ScannerRule
from crm.words import _

DEFAULTS = ("priority", "severity", "category")


def rules_of(scanner_id: int, only_active: bool = True) -> list[Rule]:
    """The rules of a scanner in the order in which they are asked."""
    table = ScannerRule.__table__
    said = select(table).where(table.c.scanner_id == scanner_id).order_by(table.c.place, table.c.id)
    rows = db.session.execute(said.where(table.c.active) if only_active else said).mappings()
    left_out = {"scanner_id", "place"}
    found = []
    for row in rows:
        values: dict[str, Any] = {name: value for name, value in row.items() if name not in left_out}
        values["folders"] = tuple(values["folders"])
        found.append(Rule(**values))
    return found


def one(scanner_id: int, id: int) -> dict[str, Any]:
    """A rule as a form shows it, its defaults beside the rest. Raises Missing."""
    table = ScannerRule.__table__
    said = select(table).where(table.c.scanner_id == scanner_id, table.c.id == id)
    row = db.session.execute(said).mappings().first()
    if row is None:
        raise Missing
    return {**row, **row["defaults"]}


def save_rule(scanner_id: int, values: Mapping[str, Any], id: int | None = None) -> int:
    """Add a rule at the end, or change one. Raises Refused, Missing. The caller commits."""
    scanners.one(scanner_id)
    row = _clean_rule(values)
    _touch(scanner_id)
    if id is None:
        last = db.session.execute(
            select(ScannerRule.place)
            .where(ScannerRule.scanner_id == scanner_id)
            .order_by(ScannerRule.place.desc())
            .limit(1)
        ).scalar()
        return id_inserted(insert(ScannerRule).values(scanner_id=scanner_id, place=(last or 0) + 1, **row))
    done: Any = db.session.execute(
        update(ScannerRule).where(ScannerRule.id == id, ScannerRule.scanner_id == scanner_id).values(**row)
    )
    if not done.rowcount:
        raise Missing
    return id


def _clean_rule(values: Mapping[str, Any]) -> dict[str, Any]:
    faults: dict[str, list[Fault]] = {}
    row: dict[str, Any] = {
        "folders": [str(one) for one in values.get("folders") or []], "match": values.get("match") or "all",
        "action": values.get("action") or "create", "owner_id": values.get("owner_id"),
        "answer_template_id": values.get("answer_template_id"), "active": values.get("active", True),
        "defaults": {name: values[name] for name in DEFAULTS if values.get(name)},
    }  # fmt: skip
    for name in ("sender", "recipient", "subject_operator", "subject", "body_operator", "body"):
        row[name] = str(values.get(name) or "").strip()
        if len(row[name]) > 255:
            faults[name] = [
                Fault(
                    "too_long",
                    _("This takes at most %(limit)s characters; there are %(count)s.", limit=255, count=len(row[name])),
                )
            ]
    for operator, text, known in (
        ("subject_operator", "subject", tuple(OPERATORS)), ("body_operator", "body", BODY_OPERATORS),
    ):  # fmt: skip
        if row[operator] and row[operator] not in known:
            faults[operator] = [Fault("not_in_list", _("Choose a value of the list."))]
        elif row[operator] and not row[text]:
            faults[text] = [Fault("required", _("Say what it is compared with."))]
        elif row[text] and not row[operator]:
            faults[operator] = [Fault("required", _("Say how it is compared."))]
    if row["subject_operator"] == "regex" and row["subject"]:
        try:
            compile_pattern(row["subject"])
        except re2.error as bad:
            said = bad.args[0] if bad.args else ""
            reason = said.decode(errors="replace") if isinstance(said, bytes) else str(said)  # re2 says it in bytes
            faults["subject"] = [
                Fault("bad_pattern", _("This pattern cannot be read: %(reason)s.", reason=reason[:200]))
            ]
    if row["match"] not in ("all", "any"):
        faults["match"] = [Fault("not_in_list", _("Choose a value of the list."))]
    if row["action"] not in ACTIONS:
        faults["action"] = [Fault("not_in_list", _("Choose a value of the list."))]
    if row["owner_id"] and not owners_among([row["owner_id"]]):
        faults["owner_id"] = [Fault("no_such_record", _("This user or group is not active, or does not exist."))]
    if faults:
        raise Refused(faults)
    return row


def _touch(scanner_id: int) -> None:
    """Mails that were left before are looked at again, since the rules are others now."""
    db.session.execute(update(MailScanner).where(MailScanner.id == scanner_id).values(rules_changed_at=clock.now()))


def remove_rule(scanner_id: int, id: int) -> None:
    """Delete a rule. The caller commits."""
    _touch(scanner_id)
    db.session.execute(delete(ScannerRule).where(ScannerRule.id == id, ScannerRule.scanner_id == scanner_id))


def move_rule(scanner_id: int, id: int, up: bool) -> None:
    """Let a rule be asked one place earlier or later. The caller commits."""
    order = [rule.id for rule in rules_of(scanner_id, only_active=False)]
    if id not in order:
        raise Missing
    _touch(scanner_id)
    place = order.index(id)
    other = place + (-1 if up else 1)
    if 0 <= other < len(order):
        order[place], order[other] = order[other], order[place]
    for number, rule_id in enumerate(order):
        db.session.execute(update(ScannerRule).where(ScannerRule.id == rule_id).values(place=number))
