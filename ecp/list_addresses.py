"""Addresses that have left a list: added by hand or from a file, taken out with a reason. Good lines in, bad ones told by number."""

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlalchemy import select

from crm.db import db
from crm.engine import records
from crm.engine.channels import Channel
from crm.engine.refusals import Fault, Refused
from crm.engine.registry import modules
from crm.identity.viewer import Viewer
from crm.modules.rules import demand_record, key_of_email
from crm.words import _, say_number

MOST_LINES, AT_ONCE = 100_000, 500


@dataclass
class Added:
    """What came of a list of addresses. `bad`: (line, what stood there, why it was not taken)."""

    added: int = 0
    known: int = 0
    bad: list[tuple[int, str, str]] = field(default_factory=list)


def lines_of(text: str) -> list[tuple[int, str]]:
    """(line, address) of a pasted text or CSV file: the first column; empty lines and a heading “email” are passed over."""
    found = []
    sample = text[:4000]
    delimiter = max(",;\t", key=sample.count) if any(mark in sample for mark in ",;\t") else ","
    reader = csv.reader(io.StringIO(text.lstrip("\ufeff")), delimiter=delimiter)
    for row in reader:
        said = row[0].strip() if row else ""
        if said and not (reader.line_num == 1 and said.lower() in {"email", "e-mail", "address", "sähköposti"}):
            found.append((reader.line_num, said))
    return found


def add(viewer: Viewer, list_type_id: int, lines: Iterable[tuple[int, str]], note: str, channel: Channel) -> Added:
    """Let these addresses leave a list. Raises Missing, Forbidden, Refused. The caller commits."""
    demand_record(viewer, "list_types", list_type_id, "view")
    given = list(lines)
    if len(given) > MOST_LINES:
        raise Refused(
            addresses=Fault(
                "too_many",
                _(
                    "At most %(most)s addresses at once; there are %(count)s.",
                    most=say_number(MOST_LINES),
                    count=say_number(len(given)),
                ),
            )
        )
    outcome = Added()
    seen: set[str] = set()
    usable = []
    for line, address in given:
        key = key_of_email(address)
        if key is None:
            outcome.bad.append((line, address[:80], _(_("This is no e-mail address."))))
        elif key in seen:
            outcome.known += 1
        else:
            seen.add(key)
            usable.append((line, address, key))
    for start in range(0, len(usable), AT_ONCE):
        _add_some(viewer, list_type_id, usable[start : start + AT_ONCE], note, channel, outcome)
    outcome.bad.sort()
    return outcome


def _add_some(
    viewer: Viewer, list_type_id: int, part: list[tuple[int, str, str]], note: str, channel: Channel, outcome: Added
) -> None:
    table = modules["suppressions"].table
    here = (
        table.c.scope == "list_type",
        table.c.scope_id == list_type_id,
        table.c.active,
        table.c.deleted_at.is_(None),
    )
    known = set(
        db.session.execute(
            select(table.c.email_key).where(*here, table.c.email_key.in_([key for *_, key in part]))
        ).scalars()
    )
    fresh = [one for one in part if one[2] not in known]
    outcome.known += len(part) - len(fresh)
    source = "import" if channel is Channel.IMPORT else "user"
    rows = [
        {"email": address, "scope": "list_type", "scope_id": list_type_id, "source": source, "note": note or None}
        for _place, address, _key in fresh
    ]
    made = records.create_many(viewer, "suppressions", rows, channel, keep_going=True)
    outcome.added += sum(id is not None for id in made.ids)
    for place, refused in made.refused.items():
        line, address, _key = fresh[place]
        found = refused.faults.values() if isinstance(refused, Refused) else ()
        message = " ".join(fault.message for faults in found for fault in faults) or str(refused)
        outcome.bad.append((line, address[:80], message))


def take_out(viewer: Viewer, suppression_id: int, reason: str) -> None:
    """Let an address be mailed on its list again, for a reason that is kept. Raises Missing, Forbidden, Refused. The caller commits."""
    if not reason.strip():
        raise Refused(reason=Fault("required", _(_("Say why this address may be mailed again."))))
    records.update(viewer, "suppressions", suppression_id, {"active": False, "note": reason.strip()}, Channel.FORM)
