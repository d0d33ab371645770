"""Who is entered again with the address of an erased person gets no mail, unless that person has asked for it anew."""

from typing import Any

from sqlalchemy import select

from crm.db import db
from crm.engine import afterwards, records
from crm.engine.channels import Channel
from crm.engine.outbox import Progress, task
from crm.engine.registry import modules
from crm.identity.viewer import SYSTEM
from crm.modules.privacy import erasures
from crm.modules.privacy.person import PERSONS

ASKED = ("single_user", "single_webform", "double")
AT_ONCE = 500


ANYBODY_ERASED = select(erasures.Erasure.__table__.c.id).limit(1)  # asked for every new person: built once


def _has_anybody_been_erased() -> bool:
    return db.session.execute(ANYBODY_ERASED).first() is not None


for one in PERSONS:
    afterwards.listen(one, "privacy.came_back", "created", "updated", fields=("email",), when=_has_anybody_been_erased)


@task("privacy.came_back")
def came_back(_progress: Progress | None, module: str, ids: list[int], **_more: Any) -> str:
    """Opt those out whose address is in the list of refusals by its hash."""
    count, table, refusals = 0, modules[module].table, modules["suppressions"].table
    for start in range(0, len(ids), AT_ONCE):
        said = select(table.c.id, table.c.email_key).where(
            table.c.id.in_(ids[start : start + AT_ONCE]), table.c.email_key.is_not(None), table.c.deleted_at.is_(None),
            table.c.email_opt_out.is_(False), table.c.email_opt_in.is_(None) | table.c.email_opt_in.not_in(ASKED),
        )  # fmt: skip
        stand_ins = {row.id: erasures.stand_in(row.email_key) for row in db.session.execute(said)}
        known = select(refusals.c.email_key).where(
            refusals.c.email_key.in_(set(stand_ins.values())), refusals.c.active, refusals.c.scope == "global"
        )
        refused = set(db.session.execute(known).scalars())
        out = [id for id, address in stand_ins.items() if address in refused]
        changes = {"email_opt_out": True, "email_opt_out_source": "Erased earlier"}
        records.update_many(SYSTEM, module, dict.fromkeys(out, changes), Channel.SYSTEM)
        count += len(out)
    return f"{count} opted out"
