"""Adding fields of one's own to a module, and the expression index of those that lists shall sort and filter by quickly."""

from typing import Any

from sqlalchemy import Index
from sqlalchemy.schema import CreateIndex

from crm.db import db, fold
from crm.engine import outbox, overlay
from crm.engine.module import Module, custom_column
from crm.engine.refusals import Refused
from crm.engine.registry import modules
from crm.words import _

MOST_INDEXED = 8  # of a module: each costs every write


def add(module: Module, kind: str, label: str, indexed: bool = False, name: str = "", **options: Any) -> str:
    """Add a custom field; gives its technical name. Raises Refused. The caller commits; an index is made by a job."""
    if not module.is_record:
        raise Refused.because(
            "not_offered", _("%(plural)s cannot have fields of your own.", plural=_(module.plural)), "module"
        )
    if options.get("picklist") and options["picklist"] not in modules.picklists():
        raise Refused.because(
            "not_in_list", _("There is no picklist “%(name)s”.", name=options["picklist"]), "picklist"
        )
    if kind in {"picklist", "multi"} and not options.get("picklist"):
        raise Refused.because("required", _("Say which picklist the field uses."), "picklist")
    if indexed and sum(1 for said in module.fields.values() if said.custom and said.indexed) >= MOST_INDEXED:
        raise Refused.because(
            "out_of_range", _("A module has at most %(most)s indexed fields of its own.", most=MOST_INDEXED), "indexed"
        )
    made = overlay.add_field(module.key, kind, label, name=name, indexed=indexed, **options)
    if indexed:
        outbox.put(
            db.session, "index_custom_field", module=module.key, field=made, dedupe_key=f"index {module.key}.{made}"
        )
    return made


@outbox.task("index_custom_field")
def index_custom_field(_progress: outbox.Progress, module: str, field: str, **_: Any) -> str:
    """Make the expression index of a custom field."""
    said = modules[module].fields[field]
    table = modules[module].table
    column: Any = custom_column(said, table)
    live: Any = {"sqlite_where": table.c.deleted_at.is_(None), "postgresql_where": table.c.deleted_at.is_(None)}
    what = fold(column) if said.kind.is_text else column
    index = Index(f"ix_{module}_{field}", what, table.c.id, table.c.owner_id, **live)
    table.indexes.discard(index)  # it belongs to this database, not to the declaration
    # Not looked for by reflection, which knows no expressions: a worker may have died after the index was made.
    db.session.execute(CreateIndex(index, if_not_exists=True))
    return f"{module}.{field} is indexed"
