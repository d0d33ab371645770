"""Who gets a ticket that comes without an owner: nobody, one user or group, or the members of a group in turn."""

from sqlalchemy import select

from crm.db import db
from crm.identity.owners import owners_among
from crm.identity.tables import GroupMember, User
from crm.modules.tickets import settings as said


def next_owner() -> int | None:
    """The owner of a new ticket, as the settings say; in turn, the turn moves on. The caller commits."""
    known = said.current()
    if known.assigning == "one" and known.assignee_id:
        return known.assignee_id if owners_among([known.assignee_id]) else None
    if known.assigning != "round_robin" or not known.group_id:
        return None
    members = members_of(known.group_id)
    if not members:
        return known.group_id if owners_among([known.group_id]) else None
    db.session.execute(select(said.TicketSettingsRow.id).where(said.TicketSettingsRow.id == 1).with_for_update())
    said.forget()
    last = said.current().last_assigned_id or 0
    chosen = next((id for id in members if id > last), members[0])
    said.change(last_assigned_id=chosen)
    return chosen


def members_of(group_id: int) -> list[int]:
    """The users of a group who may log in, by id; groups in it count too, to any depth."""
    users, seen, waiting = set[int](), set[int](), [group_id]
    while waiting:
        group = waiting.pop()
        if group in seen:
            continue
        seen.add(group)
        rows = db.session.execute(select(GroupMember.kind, GroupMember.member_id).where(GroupMember.group_id == group))
        for kind, member in rows:
            if kind == "user":
                users.add(member)
            elif kind == "group":
                waiting.append(member)
            elif kind == "role":
                users |= set(db.session.scalars(select(User.id).where(User.role_id == member)))
    live = select(User.id).where(User.id.in_(users), ~User.archived, User.deleted_at.is_(None), User.crm_access)
    return sorted(db.session.scalars(live)) if users else []
