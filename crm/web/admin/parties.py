"""Who may be a member or stand in a rule: users, groups, roles, branches of roles; as options of a form."""

from flask_babel import gettext as _
from sqlalchemy import select

from crm.db import db
from crm.engine.refusals import Refused
from crm.identity.refused import Unfit
from crm.identity.roles import all_roles
from crm.identity.tables import Group, User


def options() -> list[tuple[str, str]]:
    """("user:12", "Alice Virtanen") and so on, users first."""
    users = db.session.execute(
        select(User.id, User.first_name, User.last_name)
        .where(User.deleted_at.is_(None))
        .order_by(User.last_name, User.id)
    )
    groups = db.session.execute(select(Group.id, Group.name).where(Group.deleted_at.is_(None)).order_by(Group.name))
    roles = all_roles()
    return [
        *((f"user:{row.id}", f"{row.first_name or ''} {row.last_name}".strip()) for row in users),
        *((f"group:{row.id}", _("Group: %(name)s", name=row.name)) for row in groups),
        *((f"role:{row.id}", _("Role: %(name)s", name=row.name)) for row in roles),
        *((f"branch:{row.id}", _("Role and those below: %(name)s", name=row.name)) for row in roles),
    ]


def read(said: str) -> tuple[str, int]:
    """A party from an option's value. Raises Refused."""
    kind, _colon, id = said.partition(":")
    if not id.isdecimal():
        raise Refused.because("required", _("Choose somebody."))
    return kind, int(id)


def sentences(refused: Exception) -> dict[str, str]:
    """What a form says about a refusal: field → sentence."""
    if isinstance(refused, Unfit):
        return {refused.field: str(refused)}
    if isinstance(refused, Refused):
        return refused.by_field
    return {"": str(refused)}
