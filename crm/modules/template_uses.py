"""Where a mail of E-mail templates is used: what names it in a field cannot be left without it (spec/marketing.md 6.9, M45)."""

from collections.abc import Iterator, Sequence

from sqlalchemy import ColumnElement, Table, select

from crm.db import Base, db
from crm.engine.refusals import Fault
from crm.engine.registry import modules
from crm.words import N_, _

KEY = "email_templates"
HISTORY = {  # what was made from a mail, or was meant to be sent by it once, does not need it any more
    "email_templates.template_id", "emails.email_template_id", "campaign_members.owed_template_id", "sendout_people.email_template_id",
}  # fmt: skip
SAID_ELSEWHERE = {"sendouts.email_template_id"}  # by Module.keeps
MOST_NAMED = 5
OTHERS = {"mail_scanner_rules": N_("Rules of mail scanners")}


def is_free(ids: list[int]) -> dict[int, Fault]:
    """Refuse to delete what is permanent or in use; the uses are named by their numbers."""
    table = modules[KEY].table
    permanent = select(table.c.id).where(
        table.c.id.in_(ids), table.c.name == "Change Comments", table.c.folder == "System"
    )
    found = {
        id: Fault("permanent", _("This template is permanent and cannot be deleted."))
        for id in db.session.execute(permanent).scalars()
    }
    for id, uses in uses_of(ids).items():
        said = "; ".join(f"{label}: {', '.join(names)}" for label, names in uses)
        message = _("This mail is used and cannot be deleted. Used by %(uses)s.", uses=said)
        found.setdefault(id, Fault("in_use", message))
    return found


def uses_of(ids: Sequence[int]) -> dict[int, list[tuple[str, list[str]]]]:
    """Id of a mail → (what uses it, numbers of the records, the first few)."""
    found: dict[int, list[tuple[str, list[str]]]] = {}
    for table, column in _columns():
        number = table.c["number"] if "number" in table.c else table.c["id"]
        said = select(column, number).where(column.in_(ids)).order_by(table.c["id"])
        if "deleted_at" in table.c:
            said = said.where(table.c["deleted_at"].is_(None))
        names: dict[int, list[str]] = {}
        for id, name in db.session.execute(said.limit(1000)):
            names.setdefault(id, []).append(str(name or "–"))
        label = _(modules[table.name].plural if table.name in modules else OTHERS.get(table.name, table.name))
        for id, numbers in names.items():
            more = [_("and %(count)s more", count=len(numbers) - MOST_NAMED)] if len(numbers) > MOST_NAMED else []
            found.setdefault(id, []).append((label, numbers[:MOST_NAMED] + more))
    return found


def _columns() -> Iterator[tuple[Table, ColumnElement[int]]]:
    """Every key to a mail that is more than history."""
    mails = modules[KEY].table
    for table in Base.metadata.tables.values():
        for column in table.columns:
            is_key = any(key.column is mails.c.id for key in column.foreign_keys)
            if is_key and "id" in table.c and f"{table.name}.{column.name}" not in HISTORY | SAID_ELSEWHERE:
                yield table, column
