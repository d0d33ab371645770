"""A user or a group goes: what it owns passes to another, then it disappears from lists and can own nothing more."""

from sqlalchemy import delete, select, update

from crm import clock
from crm.db import Entity, db, rows_changed
from crm.engine import history, records
from crm.engine.channels import Channel
from crm.engine.module import Module
from crm.engine.refusals import Missing, Refused
from crm.engine.registry import modules
from crm.identity import logins, sharing, stamp
from crm.identity.owners import owners_among
from crm.identity.tables import ApiKey, GroupMember, User
from crm.identity.viewer import SYSTEM, Viewer
from crm.modules.users import MODULE
from crm.modules.users.writing import demand_over, keep_an_administrator, load
from crm.words import _

AT_ONCE = 500


def delete_user(viewer: Viewer, id: int, heir: int) -> int:
    """Delete a user; everything owned goes to `heir`, an active user or a group. Gives how many records that were.

    Raises Missing, Refused (oneself, the last administrator, a bad heir), Forbidden. The caller commits.
    """
    old = load(id)
    demand_over(viewer, old)
    if viewer.id == id:
        raise Refused.because("not_oneself", _("You cannot delete yourself. Ask another administrator."))
    now = clock.now()
    keep_an_administrator(old, {"deleted_at": now})
    moved = transfer(viewer, id, heir)
    logins.end_sessions(id)
    db.session.execute(delete(ApiKey).where(ApiKey.user_id == id))
    db.session.execute(delete(GroupMember).where(GroupMember.kind == "user", GroupMember.member_id == id))
    db.session.execute(update(User).where(User.id == id).values(deleted_at=now, password_hash=None))
    db.session.execute(update(Entity).where(Entity.id == id).values(deleted_at=now))
    sharing.forget_party(("user", id))
    history.note_events(viewer, MODULE, [id], "deleted", Channel.FORM, now)
    stamp.renew()
    return moved


def transfer(viewer: Viewer, giver: int, heir: int) -> int:
    """Give every record of one owner to another; gives how many. Raises Refused when one cannot be given."""
    if heir == giver or not owners_among([heir]):
        raise Refused.because(
            "no_such_record", _("Choose another active user or a group to receive the records."), "heir"
        )
    moved = 0
    for module in modules:
        if module.is_record:
            moved += _transfer_in(viewer, module, giver, heir)
    return moved


def _transfer_in(viewer: Viewer, module: Module, giver: int, heir: int) -> int:
    table = module.table
    owned = select(table.c.id).where(table.c.owner_id == giver, table.c.deleted_at.is_(None)).order_by(table.c.id)
    is_person = viewer.is_admin and viewer.kind == "staff"
    acting, channel = (viewer, Channel.MASS_EDIT) if is_person else (SYSTEM, Channel.SYSTEM)
    moved = 0
    while module.editable and (ids := list(db.session.execute(owned.limit(AT_ONCE)).scalars())):
        try:
            records.update_many(acting, module, {id: {"owner_id": heir} for id in ids}, channel)
        except Missing:  # pragma: no cover - the rows were read in this very transaction
            raise Refused.because(
                "in_use", _("%(plural)s are being changed by others. Try again.", plural=_(module.plural))
            ) from None
        moved += len(ids)
    # What lies in the bin, and what only the system writes, changes hands without a change log.
    rest = rows_changed(update(table).where(table.c.owner_id == giver).values(owner_id=heir))
    return moved + rest
