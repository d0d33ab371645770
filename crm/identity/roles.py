"""Writing roles and profiles. Every function ends by renewing the stamp; the caller asks for the right and commits."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Row, delete, exists, func, insert, select, update

from crm.db import db, fold, id_inserted
from crm.identity import stamp
from crm.identity.refused import Unfit
from crm.identity.tables import GroupMember, Profile, Role, RoleProfile, SharingRule, User
from crm.identity.viewer import AREAS, VERBS
from crm.identity.viewers import RoleTree
from crm.words import _


def role_by_key(key: str) -> int:
    """The id of a seeded role: administrator, marketer, sales, read_only, ecp_only. Raises Unfit."""
    found = db.session.execute(select(Role.id).where(Role.key == key)).scalar()
    if found is None:
        raise Unfit("role", _("There is no role “%(key)s”.", key=key), "not_in_list")
    return int(found)


def all_roles() -> list[Row[Any]]:
    """All roles by name, each with `users`, the number of those that have it."""
    users = select(func.count()).where(User.role_id == Role.id, User.deleted_at.is_(None)).scalar_subquery()
    return list(db.session.execute(select(Role.__table__, users.label("users")).order_by(fold(Role.name))))


def add_role(name: str, parent_id: int | None, profiles: Iterable[int] = (), idle_minutes: int | None = None) -> int:
    """A new role under `parent_id` with these profiles; gives its id. Raises Unfit."""
    if parent_id is not None:
        _demand(Role, parent_id, "parent_id")
    made = id_inserted(
        insert(Role).values(
            name=_free_name(Role, name), parent_id=parent_id, idle_minutes=_checked_minutes(idle_minutes)
        )
    )
    role = made
    _set_profiles(role, profiles)
    stamp.renew()
    return role


def change_role(role: int, **values: Any) -> None:
    """Change name, parent_id, idle_minutes or profiles (ids) of a role. Raises Unfit: a role above itself, a name taken."""
    _demand(Role, role, "")
    if "name" in values:
        values["name"] = _free_name(Role, values["name"], role)
    if values.get("parent_id") is not None:
        _demand(Role, values["parent_id"], "parent_id")
        if values["parent_id"] in RoleTree.read().branch(role):
            raise Unfit("parent_id", _("A role cannot stand under itself."))
    if "idle_minutes" in values:
        values["idle_minutes"] = _checked_minutes(values["idle_minutes"])
    if "profiles" in values:
        _set_profiles(role, values.pop("profiles"))
    if values:
        db.session.execute(update(Role).where(Role.id == role).values(**values))
    stamp.renew()


def remove_role(role: int, replacement: int) -> None:
    """Delete a role; its users, memberships and rules go to `replacement`, the roles under it move up. Raises Unfit."""
    _demand(Role, role, "")
    _demand(Role, replacement, "replacement")
    if role == replacement:
        raise Unfit("replacement", _("The replacement is another role."))
    parent = db.session.execute(select(Role.parent_id).where(Role.id == role)).scalar()
    if db.session.execute(select(Role.parent_id).where(Role.id == replacement)).scalar() == role:
        db.session.execute(update(Role).where(Role.id == replacement).values(parent_id=parent))
    if replacement not in RoleTree.read().below(role):
        parent = replacement
    db.session.execute(update(Role).where(Role.parent_id == role).values(parent_id=parent))
    db.session.execute(update(User).where(User.role_id == role).values(role_id=replacement))
    kinds = ("role", "branch")
    other = GroupMember.__table__.alias()
    mine = GroupMember.__table__.c
    db.session.execute(  # a group that holds both keeps one
        delete(GroupMember).where(
            mine.kind.in_(kinds),
            mine.member_id == role,
            exists().where(
                other.c.group_id == mine.group_id, other.c.kind == mine.kind, other.c.member_id == replacement
            ),
        )
    )
    db.session.execute(
        update(GroupMember).where(mine.kind.in_(kinds), mine.member_id == role).values(member_id=replacement)
    )
    for kind, party in ((SharingRule.from_kind, SharingRule.from_id), (SharingRule.to_kind, SharingRule.to_id)):
        db.session.execute(update(SharingRule).where(kind.in_(kinds), party == role).values({party.key: replacement}))
    db.session.execute(delete(Role).where(Role.id == role))
    stamp.renew()


# profiles


def all_profiles() -> list[Row[Any]]:
    """All profiles by name."""
    return list(db.session.execute(select(Profile.__table__).order_by(fold(Profile.name))))


def copy_profile(base: int, name: str, description: str = "") -> int:
    """A new profile with the rights of `base`; gives its id. Raises Unfit."""
    row = db.session.execute(select(Profile.__table__).where(Profile.id == base)).mappings().first()
    if row is None:
        raise Unfit("base", _("There is no such profile."))
    values = {key: row[key] for key in ("view_all", "edit_all", "otherwise", "modules", "areas")}
    return id_inserted(insert(Profile).values(name=_free_name(Profile, name), description=description, **values))


def change_profile(profile: int, **values: Any) -> None:
    """Change name, description, view_all, edit_all, otherwise (verbs), modules, areas of a profile. Raises Unfit.

    `modules`: key → {"verbs": […], "hidden": [fields], "read_only": [fields]}.
    """
    _demand(Profile, profile, "")
    if unknown := set(values) - {"name", "description", "view_all", "edit_all", "otherwise", "modules", "areas"}:
        raise Unfit(min(unknown), _("A profile has nothing of that name."))
    if "name" in values:
        values["name"] = _free_name(Profile, values["name"], profile)
    if "otherwise" in values:
        values["otherwise"] = _checked_verbs(values["otherwise"], "otherwise")
    if "areas" in values:
        values["areas"] = sorted(set(values["areas"]))
        if strange := set(values["areas"]) - set(AREAS):
            raise Unfit("areas", _("There is no area “%(name)s”.", name=min(strange)), "not_in_list")
    if "modules" in values:
        values["modules"] = {key: _checked_module(said) for key, said in values["modules"].items()}
    db.session.execute(update(Profile).where(Profile.id == profile).values(**values))
    stamp.renew()


def remove_profile(profile: int) -> None:
    """Delete a profile that no role has. Raises Unfit."""
    _demand(Profile, profile, "")
    holders = db.session.execute(
        select(Role.name).join(RoleProfile, RoleProfile.role_id == Role.id).where(RoleProfile.profile_id == profile)
    ).scalars()
    if names := sorted(holders):
        raise Unfit("", _("The role “%(name)s” has this profile. Give it another one first.", name=names[0]), "in_use")
    db.session.execute(delete(Profile).where(Profile.id == profile))


def _set_profiles(role: int, profiles: Iterable[int]) -> None:
    wanted = sorted(set(profiles))
    for profile in wanted:
        _demand(Profile, profile, "profiles")
    db.session.execute(delete(RoleProfile).where(RoleProfile.role_id == role))
    if wanted:
        db.session.execute(insert(RoleProfile), [{"role_id": role, "profile_id": profile} for profile in wanted])


def _checked_module(said: Mapping[str, Any]) -> dict[str, list[str]]:
    if strange := set(said) - {"verbs", "hidden", "read_only"}:
        raise Unfit("modules", _("A module in a profile has no “%(name)s”.", name=min(strange)))
    checked = {name: sorted(set(said[name])) for name in ("hidden", "read_only") if said.get(name)}
    return checked | ({"verbs": _checked_verbs(said["verbs"], "modules")} if "verbs" in said else {})


def _checked_verbs(verbs: Iterable[str], field: str) -> list[str]:
    wanted = set(verbs)
    if strange := wanted - set(VERBS):
        raise Unfit(
            field,
            _(
                "There is no right “%(name)s”. The rights are: %(known)s.",
                name=min(strange),
                known=", ".join(VERBS),
            ),
            "not_in_list",
        )
    return [verb for verb in VERBS if verb in wanted]


def _checked_minutes(minutes: int | None) -> int | None:
    if minutes is not None and not 1 <= minutes <= 10_080:
        raise Unfit("idle_minutes", _("A session may be idle for 1 to 10080 minutes (a week)."), "out_of_range")
    return minutes


def _free_name(table: Any, name: str, but: int | None = None) -> str:
    name = name.strip()
    if not name or len(name) > 120:
        raise Unfit("name", _("A name has 1 to 120 characters."), "required")
    taken = select(table.id).where(fold(table.name) == fold(name))
    if but is not None:
        taken = taken.where(table.id != but)
    if db.session.execute(taken).first():
        raise Unfit("name", _("The name “%(name)s” is taken.", name=name), "not_unique")
    return name


def _demand(table: Any, id: int, field: str) -> None:
    if db.session.execute(select(table.id).where(table.id == id)).first() is None:
        raise Unfit(
            field, _("There is no such %(what)s.", what=_("role") if table is Role else _("profile")), "no_such_record"
        )
