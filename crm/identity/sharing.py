"""Sharing between users: a level for each module, and rules that open more. The caller asks for the right and commits."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import Row, delete, insert, select, update

from crm.db import db, id_inserted
from crm.identity import stamp
from crm.identity.refused import Unfit
from crm.identity.tables import PARTIES, Group, Role, SharingDefault, SharingRule, User
from crm.words import N_, _

LEVELS = {
    "private": "Private: the owner, the owner's groups and superiors",
    "read": "Everybody may read",
    "write": "Everybody may read and change",
    "delete": "Everybody may read, change and delete",
}
SAID = {"user": N_("user"), "group": N_("group"), "role": N_("role"), "branch": N_("role")}
Party = tuple[str, int]  # one of PARTIES, and its id


def levels() -> dict[str, str]:
    """Module key → level, of the modules that are not open to everybody."""
    return {row.module: row.level for row in db.session.execute(select(SharingDefault.__table__))}


def set_level(module: str, level: str) -> None:
    """How far records of `module` are open to everybody; holds at once. Raises Unfit."""
    set_levels([module], level)


def set_levels(of: Collection[str], level: str) -> None:
    """The same for several modules in one go. Raises Unfit."""
    if level not in LEVELS:
        raise Unfit("level", _("The level is one of: %(known)s.", known=", ".join(LEVELS)), "not_in_list")
    known = set(db.session.execute(select(SharingDefault.module).where(SharingDefault.module.in_(of))).scalars())
    db.session.execute(update(SharingDefault).where(SharingDefault.module.in_(known)).values(level=level))
    if fresh := [{"module": module, "level": level} for module in of if module not in known]:
        db.session.execute(insert(SharingDefault), fresh)
    stamp.renew()


def rules(module: str | None = None) -> list[Row[Any]]:
    """The sharing rules, of one module or of all."""
    query = select(SharingRule.__table__).order_by(SharingRule.module, SharingRule.id)
    return list(db.session.execute(query if module is None else query.where(SharingRule.module == module)))


def add_rule(module: str, owned_by: Party, shared_with: Party, level: str = "read") -> int:
    """Open records of `module` owned by one party to another, to "read" or "write"; gives the rule's id. Raises Unfit."""
    if level not in {"read", "write"}:
        raise Unfit("level", _("A rule opens records to “read” or to “write”."), "not_in_list")
    check_party(owned_by, "owned_by")
    check_party(shared_with, "shared_with")
    made = id_inserted(
        insert(SharingRule).values(
            module=module,
            from_kind=owned_by[0],
            from_id=owned_by[1],
            to_kind=shared_with[0],
            to_id=shared_with[1],
            level=level,
        )
    )
    stamp.renew()
    return made


def remove_rule(rule: int) -> None:
    """Take a rule back; holds at once."""
    db.session.execute(delete(SharingRule).where(SharingRule.id == rule))
    stamp.renew()


def check_party(party: Party, field: str) -> None:
    """Raises Unfit when there is no such user, role or group."""
    kind, id = party
    if kind not in PARTIES:
        raise Unfit(field, _("This is one of: %(known)s.", known=", ".join(PARTIES)), "not_in_list")
    table: Any = {"user": User, "group": Group}.get(kind, Role)
    query = select(table.id).where(table.id == id)
    if kind in {"user", "group"}:
        query = query.where(table.deleted_at.is_(None))
    if db.session.execute(query).first() is None:
        raise Unfit(field, _("There is no such %(what)s.", what=_(SAID[kind])), "no_such_record")


def forget_party(*parties: Party) -> None:
    """Take away the rules from and to parties that are no more."""
    for kind, id in parties:
        c = SharingRule.__table__.c
        db.session.execute(
            delete(SharingRule).where(
                ((c.from_kind == kind) & (c.from_id == id)) | ((c.to_kind == kind) & (c.to_id == id))
            )
        )
    stamp.renew()
