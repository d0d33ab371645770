"""Writing groups: made, changed, their members, deleted. Only administrators of the CRM do; used by the admin pages."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Row, delete, insert, select, update

from crm import clock
from crm.db import Entity, db, fold, id_inserted
from crm.engine import history
from crm.engine.channels import Channel
from crm.engine.kinds import BadValue
from crm.engine.refusals import Fault, Forbidden, Missing, Refused
from crm.identity import sharing, stamp
from crm.identity.refused import Unfit
from crm.identity.sharing import Party
from crm.identity.tables import Group, GroupMember
from crm.identity.viewer import Viewer
from crm.modules.groups import MODULE
from crm.modules.users.leaving import transfer
from crm.words import _


def create_group(viewer: Viewer, values: Mapping[str, Any], members: Iterable[Party] = ()) -> int:
    """Make a group; gives its id. `members`: (kind, id), kind one of user, role, branch, group.

    Raises Refused, Forbidden. The caller commits.
    """
    _demand_administrator(viewer)
    clean = _cleaned(values, None)
    if not clean.get("name"):
        raise Refused.because("required", _("“Name” is required."), "name")
    now = clock.now()
    id = id_inserted(insert(Entity).values(module=MODULE.key, label=clean["name"]))
    db.session.execute(insert(Group).values(id=id, **clean, created_at=now, updated_at=now))
    history.note_events(viewer, MODULE, [id], "created", Channel.FORM, now)
    set_members(viewer, id, members)
    return id


def change_group(viewer: Viewer, id: int, changes: Mapping[str, Any]) -> None:
    """Change name or description of a group. Raises Missing, Refused, Forbidden. The caller commits."""
    _demand_administrator(viewer)
    old = _load(id)
    clean = {name: value for name, value in _cleaned(changes, id).items() if old[name] != value}
    if not clean:
        return
    if "name" in clean:
        if not clean["name"]:
            raise Refused.because("required", _("“Name” is required."), "name")
        db.session.execute(update(Entity).where(Entity.id == id).values(label=clean["name"]))
    now = clock.now()
    db.session.execute(update(Group).where(Group.id == id).values(**clean, updated_at=now))
    changed = {id: {name: (old[name], value) for name, value in clean.items()}}
    history.note_changes(viewer, MODULE, changed, MODULE.declared, Channel.FORM, now)


def members(id: int) -> list[Row[Any]]:
    """The members of a group, each with `kind` and `member_id`."""
    table = GroupMember.__table__
    return list(
        db.session.execute(select(table).where(table.c.group_id == id).order_by(table.c.kind, table.c.member_id))
    )


def set_members(viewer: Viewer, id: int, members: Iterable[Party]) -> None:
    """Let a group consist of exactly these. Raises Missing, Refused (unknown, a group inside itself), Forbidden."""
    _demand_administrator(viewer)
    _load(id)
    wanted = sorted(set(members))
    try:
        for party in wanted:
            sharing.check_party(party, "members")
    except Unfit as bad:
        raise Refused.because(bad.code, str(bad), bad.field) from None
    if id in _all_within({party for kind, party in wanted if kind == "group"}):
        raise Refused.because(
            "circle", _("A group cannot be a member of itself, not through other groups either."), "members"
        )
    db.session.execute(delete(GroupMember).where(GroupMember.group_id == id))
    if wanted:
        rows = [{"group_id": id, "kind": kind, "member_id": party} for kind, party in wanted]
        db.session.execute(insert(GroupMember), rows)
    stamp.renew()


def delete_group(viewer: Viewer, id: int, heir: int) -> int:
    """Delete a group; everything it owns goes to `heir`, an active user or a group. Gives how many records that were.

    Raises Missing, Refused, Forbidden. The caller commits.
    """
    _demand_administrator(viewer)
    _load(id)
    moved = transfer(viewer, id, heir)
    now, c = clock.now(), GroupMember.__table__.c
    db.session.execute(delete(GroupMember).where((c.group_id == id) | ((c.kind == "group") & (c.member_id == id))))
    db.session.execute(update(Group).where(Group.id == id).values(deleted_at=now))
    db.session.execute(update(Entity).where(Entity.id == id).values(deleted_at=now))
    sharing.forget_party(("group", id))
    history.note_events(viewer, MODULE, [id], "deleted", Channel.FORM, now)
    return moved


def _demand_administrator(viewer: Viewer) -> None:
    if not viewer.is_system and "crm_admin" not in viewer.flags:
        raise Forbidden(_("Only an administrator of the CRM writes groups."))


def _cleaned(values: Mapping[str, Any], id: int | None) -> dict[str, Any]:
    clean: dict[str, Any] = {}
    faults: dict[str, list[Fault]] = {}
    for name, raw in values.items():
        said = MODULE.declared.get(name)
        if said is None or said.read_only:
            faults[name] = [Fault("unknown_field", _("There is no such field to write."))]
            continue
        try:
            clean[name] = said.kind.clean(raw, said)
        except BadValue as bad:
            faults[name] = [Fault(bad.code, bad.message)]
    if clean.get("name"):
        c = Group.__table__.c
        taken = select(c.id).where(fold(c.name) == fold(clean["name"]), c.deleted_at.is_(None), c.id != (id or 0))
        if db.session.execute(taken).first():
            faults["name"] = [Fault("not_unique", _("A group “%(name)s” exists already.", name=clean["name"]))]
    if faults:
        raise Refused(faults)
    return clean


def _load(id: int) -> dict[str, Any]:
    table = Group.__table__
    found = (
        db.session.execute(select(table).where(table.c.id == id, table.c.deleted_at.is_(None)).with_for_update())
        .mappings()
        .first()
    )
    if found is None:
        raise Missing()
    return dict(found)


def _all_within(groups: set[int]) -> set[int]:
    """The groups and all groups that are members of them, however deep."""
    c = GroupMember.__table__.c
    found, fresh = set(groups), set(groups)
    while fresh:
        inner = select(c.member_id).where(c.kind == "group", c.group_id.in_(sorted(fresh)))
        fresh = set(db.session.execute(inner).scalars()) - found
        found |= fresh
    return found
