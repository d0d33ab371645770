"""Who there is: users, roles, profiles, groups, sharing rules and API keys.

Users and groups own records, so they have identity cards in `entities`; all else here has ids of its own. The functions
that write these tables end with `stamp.renew()`, by which every process knows that kept viewers are old.
"""

from datetime import datetime, time
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, String, Text, Time
from sqlalchemy.orm import Mapped, mapped_column

from crm.db import BigId, Json, UtcDateTime, db, fold

PARTIES = ("user", "role", "branch", "group")  # a branch is a role with all roles below it
KEY_KINDS = ("custom", "outlook", "contact_portal", "docs")


def _entity_id() -> Any:
    return mapped_column(BigId, ForeignKey("entities.id", ondelete="CASCADE"), primary_key=True, autoincrement=False)


class Role(db.Model):  # type: ignore[name-defined, misc]
    """A place in the tree of roles; whoever is higher on the same branch sees the records of those below."""

    __tablename__ = "roles"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    key: Mapped[str | None] = mapped_column(String(40), unique=True)  # of a seeded role
    name: Mapped[str] = mapped_column(String(120))
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("roles.id"), index=True)
    idle_minutes: Mapped[int | None] = mapped_column(Integer)  # of sessions; None: as the house says


class Profile(db.Model):  # type: ignore[name-defined, misc]
    """What one may do, attached to roles. `modules`: key → {"verbs": […], "hidden": […], "read_only": […]}."""

    __tablename__ = "profiles"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    key: Mapped[str | None] = mapped_column(String(40), unique=True)  # of a seeded profile
    name: Mapped[str] = mapped_column(String(120))
    description: Mapped[str] = mapped_column(Text, default="")
    view_all: Mapped[bool] = mapped_column(default=False)
    edit_all: Mapped[bool] = mapped_column(default=False)
    otherwise: Mapped[list[str]] = mapped_column(Json, default=list)  # verbs in modules that are not named
    modules: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    areas: Mapped[list[str]] = mapped_column(Json, default=list)


class RoleProfile(db.Model):  # type: ignore[name-defined, misc]
    """That a role has a profile; several add up."""

    __tablename__ = "role_profiles"
    role_id: Mapped[int] = mapped_column(ForeignKey("roles.id", ondelete="CASCADE"), primary_key=True)
    profile_id: Mapped[int] = mapped_column(ForeignKey("profiles.id", ondelete="CASCADE"), primary_key=True, index=True)


class User(db.Model):  # type: ignore[name-defined, misc]
    """A member of staff. The e-mail address is the user name; the four flags are independent (decisions.md 5)."""

    __tablename__ = "users"
    id: Mapped[int] = _entity_id()
    email: Mapped[str] = mapped_column(String(320))
    first_name: Mapped[str | None] = mapped_column(String(80))
    last_name: Mapped[str] = mapped_column(String(80))
    title: Mapped[str | None] = mapped_column(String(80))
    role_id: Mapped[int] = mapped_column(ForeignKey("roles.id"), index=True)
    crm_access: Mapped[bool] = mapped_column(default=True)
    crm_admin: Mapped[bool] = mapped_column(default=False)
    ecp_access: Mapped[bool] = mapped_column(default=False)
    ecp_admin: Mapped[bool] = mapped_column(default=False)
    password_hash: Mapped[str | None] = mapped_column(String(255))  # None: cannot sign in until one is set
    must_change_password: Mapped[bool] = mapped_column(default=True)
    password_changed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    phone: Mapped[str | None] = mapped_column(String(60))
    mobile: Mapped[str | None] = mapped_column(String(60))
    signature: Mapped[str | None] = mapped_column(Text)
    reports_to_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))  # gives no rights
    locale: Mapped[str | None] = mapped_column(String(10))
    timezone: Mapped[str | None] = mapped_column(String(60))
    date_format: Mapped[str | None] = mapped_column(String(20))
    number_format: Mapped[str | None] = mapped_column(String(20))
    works_from: Mapped[time | None] = mapped_column(Time)
    works_until: Mapped[time | None] = mapped_column(Time)
    preferences: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)  # home page sections and the like
    archived: Mapped[bool] = mapped_column(default=False)  # may not sign in; keeps the records
    last_login_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    deleted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    version: Mapped[int] = mapped_column(default=1)


class Group(db.Model):  # type: ignore[name-defined, misc]
    """A named set of users, roles, branches and groups that may own records."""

    __tablename__ = "groups"
    id: Mapped[int] = _entity_id()
    name: Mapped[str] = mapped_column(String(120))
    description: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    deleted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class GroupMember(db.Model):  # type: ignore[name-defined, misc]
    """One member of a group: a party of `kind` (PARTIES) and its id."""

    __tablename__ = "group_members"
    __table_args__ = (CheckConstraint("kind IN ('user', 'role', 'branch', 'group')", "kind"),)
    group_id: Mapped[int] = mapped_column(ForeignKey("groups.id", ondelete="CASCADE"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(10), primary_key=True)
    member_id: Mapped[int] = mapped_column(BigId, primary_key=True)


class SharingDefault(db.Model):  # type: ignore[name-defined, misc]
    """How far records of a module are open to everybody; a module without a row: "delete" (everybody sees everything)."""

    __tablename__ = "sharing_defaults"
    __table_args__ = (CheckConstraint("level IN ('private', 'read', 'write', 'delete')", "level"),)
    module: Mapped[str] = mapped_column(String(40), primary_key=True)
    level: Mapped[str] = mapped_column(String(10))


class SharingRule(db.Model):  # type: ignore[name-defined, misc]
    """Records of `module` owned by one party are open to another, to "read" or to "write" (which holds reading)."""

    __tablename__ = "sharing_rules"
    __table_args__ = (
        CheckConstraint("level IN ('read', 'write')", "level"),
        CheckConstraint("from_kind IN ('user', 'role', 'branch', 'group')", "from_kind"),
        CheckConstraint("to_kind IN ('user', 'role', 'branch', 'group')", "to_kind"),
    )
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    module: Mapped[str] = mapped_column(String(40), index=True)
    from_kind: Mapped[str] = mapped_column(String(10))
    from_id: Mapped[int] = mapped_column(BigId)
    to_kind: Mapped[str] = mapped_column(String(10))
    to_id: Mapped[int] = mapped_column(BigId)
    level: Mapped[str] = mapped_column(String(10))


class ApiKey(db.Model):  # type: ignore[name-defined, misc]
    """A key for programs: acts as a user, narrowed by scopes. Only a hash of it is kept; it is shown once."""

    __tablename__ = "api_keys"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    name: Mapped[str] = mapped_column(String(120))
    kind: Mapped[str] = mapped_column(String(20), default="custom")  # KEY_KINDS; the others have fixed scopes
    prefix: Mapped[str] = mapped_column(String(12), unique=True)  # shown in lists; finds the row
    key_hash: Mapped[bytes] = mapped_column()
    scopes: Mapped[dict[str, Any] | None] = mapped_column(Json)  # module or "*" → verbs; None: all the user may
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    allowed_addresses: Mapped[list[str]] = mapped_column(Json, default=list)  # addresses and networks; []: any
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    locked_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    last_used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    creator_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))


class IdentityStamp(db.Model):  # type: ignore[name-defined, misc]
    """One row that changes whenever anything that viewers are made of does."""

    __tablename__ = "identity_stamp"
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    stamp: Mapped[str] = mapped_column(String(32))


_live_users, _live_groups = User.__table__.c.deleted_at.is_(None), Group.__table__.c.deleted_at.is_(None)
Index("uq_roles_name", fold(Role.__table__.c.name), unique=True)
Index("uq_profiles_name", fold(Profile.__table__.c.name), unique=True)
Index(
    "uq_users_email", fold(User.__table__.c.email), unique=True,
    sqlite_where=_live_users, postgresql_where=_live_users,
)  # fmt: skip
Index(
    "uq_groups_name", fold(Group.__table__.c.name), unique=True,
    sqlite_where=_live_groups, postgresql_where=_live_groups,
)  # fmt: skip
Index("ix_users_last_name", fold(User.__table__.c.last_name), User.__table__.c.id)
Index("ix_group_members_member", GroupMember.__table__.c.kind, GroupMember.__table__.c.member_id)
