"""From a user or an API key to a Viewer: roles, profiles, groups and sharing rules made into plain sets.

A viewer is kept by the process as long as the identity stamp stands, so a request costs one query, not ten.
"""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from threading import Lock
from typing import Any, Literal

from sqlalchemy import Label, Row, Select, bindparam, select

from crm import clock
from crm.db import db
from crm.identity import stamp, tokens
from crm.identity.sessions import Live, UserSession
from crm.identity.tables import (
    ApiKey,
    Group,
    GroupMember,
    Profile,
    Role,
    RoleProfile,
    SharingDefault,
    SharingRule,
    User,
)  # fmt: skip
from crm.identity.viewer import ECP_AREAS, FLAGS, ModuleRights, Rights, Viewer

App = Literal["crm", "ecp"]
MOST_KEPT = 500

_kept: OrderedDict[tuple[str, str, int], Viewer] = OrderedDict()
_lock = Lock()


def of_user(user_id: int, app: App | None = None) -> Viewer | None:
    """The viewer that user is; None when there is none, he is archived, or has no access to `app` (None: to any)."""
    user = db.session.execute(_users().where(User.__table__.c.id == user_id)).first()
    return None if user is None else _with_access(user, app)


def signed_in(app: App, token: str, also: tuple[Label[Any], ...] = ()) -> tuple[Viewer, Row[Any], Live] | None:
    """The viewer whose session in `app` has this token, the user's row, and the session: one statement, asked by every page.

    `also`: what else that statement is to read, whoever it is; it stands in the row.
    """
    given = {"token_hash": tokens.hashed(token), "app": app, "now": clock.now()}
    user = db.session.execute(_by_session(also), given).first()
    viewer = None if user is None else _with_access(user, app)
    if user is None or viewer is None:
        return None
    return viewer, user, Live(*(getattr(user, f"session_{name}") for name in Live._fields))


def _users(*also: Any) -> Select[Any]:
    table = User.__table__
    said = select(table, stamp.present().label("stamp"), *also)
    return said.where(table.c.deleted_at.is_(None), ~table.c.archived)


@cache
def _by_session(also: tuple[Label[Any], ...]) -> Select[Any]:
    session = UserSession.__table__
    said = _users(*(session.c[name].label(f"session_{name}") for name in Live._fields), *also)
    return said.join(session, session.c.user_id == User.__table__.c.id).where(
        session.c.token_hash == bindparam("token_hash"), session.c.app == bindparam("app"), session.c.ends_at > bindparam("now")
    )  # fmt: skip


def _with_access(user: Row[Any], app: App | None) -> Viewer | None:
    viewer = _kept_or_made(user)
    has_access = f"{app}_access" in viewer.flags if app else viewer.flags & {"crm_access", "ecp_access"}
    return viewer if has_access else None


def of_key(key: Any) -> Viewer | None:
    """The viewer that acts by an API key (a row of `api_keys` that `api_keys.find` gave): the user, narrowed."""
    viewer = of_user(key.user_id)
    if viewer is None:
        return None
    scopes = None if key.scopes is None else {name: frozenset(verbs) for name, verbs in key.scopes.items()}
    return replace(viewer, kind="api_key", api_key_id=key.id, scopes=scopes)


def _kept_or_made(user: Row[Any]) -> Viewer:
    mark = user.stamp or ""
    where = (str(db.engine.engine.url), mark, user.id)  # tests put a connection in the engine's place
    with _lock:
        found = _kept.get(where)
        if found is not None:
            _kept.move_to_end(where)
            return found
    made = _make(user)
    if mark:
        with _lock:
            _kept[where] = made
            while len(_kept) > MOST_KEPT:
                _kept.popitem(last=False)
    return made


def _make(user: Row[Any]) -> Viewer:
    """Six queries, however many users, groups and rules there are."""
    tree = RoleTree.read()
    below = tree.below(user.role_id)
    groups = _groups_of(user, tree)
    principals = frozenset({user.id} | groups)
    shared: dict[str, dict[str, set[int]]] = {"read": {}, "write": {}}
    rules = db.session.execute(select(SharingRule.__table__)).all()
    mine = [rule for rule in rules if _is_party(rule.to_kind, rule.to_id, user, groups, tree)]
    roles_of_rules = {rule.from_id for rule in mine if rule.from_kind == "role"}.union(
        *(tree.branch(rule.from_id) for rule in mine if rule.from_kind == "branch")
    )
    users_by_role = _users_by_role(below | roles_of_rules)
    for rule in mine:
        owners = {rule.from_id}
        if rule.from_kind in {"role", "branch"}:
            roles = tree.branch(rule.from_id) if rule.from_kind == "branch" else {rule.from_id}
            owners = set().union(*(users_by_role.get(role, set()) for role in roles))
        shared[rule.level].setdefault(rule.module, set()).update(owners)
    flags = frozenset(flag for flag in FLAGS if getattr(user, flag))
    return Viewer(
        kind="staff",
        id=user.id,
        name=f"{user.first_name or ''} {user.last_name}".strip(),
        is_admin="crm_admin" in flags and "crm_access" in flags,
        flags=flags,
        rights=_rights(user.role_id, "ecp_admin" in flags),
        principals=principals,
        subordinates=frozenset().union(*(users_by_role.get(role, set()) for role in below)) - {user.id},
        shared_read={module: frozenset(owners) for module, owners in shared["read"].items()},
        shared_write={module: frozenset(owners) for module, owners in shared["write"].items()},
        defaults={row.module: row.level for row in db.session.execute(select(SharingDefault.__table__))},
        **{name: value for name in ("locale", "timezone") if (value := getattr(user, name))},
    )


# roles


@dataclass(frozen=True)
class RoleTree:
    """The tree of roles: id → id of the role above, or None."""

    above: Mapping[int, int | None]

    @classmethod
    def read(cls) -> "RoleTree":
        return cls({row.id: row.parent_id for row in db.session.execute(select(Role.id, Role.parent_id))})

    def below(self, role: int) -> frozenset[int]:
        """All roles under `role`, without itself."""
        under: dict[int | None, list[int]] = {}
        for one, parent in self.above.items():
            under.setdefault(parent, []).append(one)
        found: set[int] = set()
        waiting = [role]
        while waiting:
            fresh = set(under.get(waiting.pop(), ())) - found - {role}
            found |= fresh
            waiting += fresh
        return frozenset(found)

    def branch(self, role: int) -> frozenset[int]:
        """`role` and all under it."""
        return self.below(role) | {role}


def _users_by_role(roles: Iterable[int]) -> dict[int, set[int]]:
    """Also archived users: what they own is still theirs."""
    wanted = sorted(roles)
    found: dict[int, set[int]] = {}
    if wanted:
        for row in db.session.execute(select(User.id, User.role_id).where(User.role_id.in_(wanted))):
            found.setdefault(row.role_id, set()).add(row.id)
    return found


# groups


def _groups_of(user: Row[Any], tree: RoleTree) -> frozenset[int]:
    """Every group the user is in: by name, by role, by a role above, or inside another group."""
    live = select(Group.id).where(Group.deleted_at.is_(None)).subquery()
    rows = db.session.execute(select(GroupMember.__table__).where(GroupMember.group_id.in_(select(live.c.id)))).all()
    found = {row.group_id for row in rows if row.kind != "group" and _is_party(row.kind, row.member_id, user, (), tree)}
    while True:
        wider = {row.group_id for row in rows if row.kind == "group" and row.member_id in found} - found
        if not wider:
            return frozenset(found)
        found |= wider


def _is_party(kind: str, party: int, user: Row[Any], groups: Iterable[int], tree: RoleTree) -> bool:
    if kind == "user":
        return bool(party == user.id)
    if kind == "role":
        return bool(party == user.role_id)
    if kind == "branch":
        return user.role_id in tree.branch(party)
    return party in groups


# profiles


def _rights(role_id: int, is_ecp_admin: bool) -> Rights:
    rows = db.session.execute(
        select(Profile.__table__)
        .join(RoleProfile, RoleProfile.profile_id == Profile.id)
        .where(RoleProfile.role_id == role_id)
    ).all()
    rights = union([rights_of(row) for row in rows])
    return replace(rights, areas=rights.areas | ECP_AREAS) if is_ecp_admin else rights


def rights_of(profile: Any) -> Rights:
    """What one row of `profiles` grants."""
    return Rights(
        modules={
            key: ModuleRights(
                verbs=frozenset(said.get("verbs", profile.otherwise)),
                hidden=frozenset(said.get("hidden", ())),
                read_only=frozenset(said.get("read_only", ())),
            )
            for key, said in (profile.modules or {}).items()
        },
        otherwise=ModuleRights(verbs=frozenset(profile.otherwise or ())),
        view_all=profile.view_all or profile.edit_all,
        edit_all=profile.edit_all,
        areas=frozenset(profile.areas or ()),
    )


def union(many: list[Rights]) -> Rights:
    """Profiles of one role add up: a verb that one grants is granted, a field is hidden when all that see it hide it."""
    if not many:
        return Rights(otherwise=ModuleRights(verbs=frozenset()))
    if len(many) == 1:
        return many[0]
    named = {key for rights in many for key in rights.modules}
    return Rights(
        modules={key: _union_of_modules([rights.of(key) for rights in many]) for key in named},
        otherwise=_union_of_modules([rights.otherwise for rights in many]),
        view_all=any(rights.view_all for rights in many),
        edit_all=any(rights.edit_all for rights in many),
        areas=frozenset().union(*(rights.areas for rights in many)),
    )


def _union_of_modules(many: list[ModuleRights]) -> ModuleRights:
    def shared(sets: list[frozenset[str]]) -> frozenset[str]:
        return frozenset.intersection(*sets) if sets else frozenset()

    seeing = [one for one in many if "view" in one.verbs]
    writing = [one for one in seeing if one.verbs & {"create", "edit"}]
    hidden = shared([one.hidden for one in seeing])
    return ModuleRights(
        verbs=frozenset().union(*(one.verbs for one in many)),
        hidden=hidden,
        # a field may be written when one of the profiles that write neither hides it nor only reads it
        read_only=shared([one.read_only | one.hidden for one in writing]) - hidden,
    )


__all__ = ["ApiKey", "RoleTree", "of_key", "of_user", "rights_of", "union"]
