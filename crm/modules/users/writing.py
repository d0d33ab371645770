"""Writing users: made, changed, archived, deleted; their passwords. Used by the admin pages, the profile page, the command.

The two apps have administrators of their own (decisions.md 5): who administers the CRM sets what concerns the CRM, who
administers the Email Contact Portal sets its two flags, and makes users who have the portal alone.
"""

from collections.abc import Mapping
from typing import Any
from zoneinfo import available_timezones

from sqlalchemy import func, insert, select, update

from crm import clock
from crm.db import Entity, db, fold, id_inserted
from crm.engine import history
from crm.engine.channels import Channel
from crm.engine.kinds import BadValue
from crm.engine.refusals import Fault, Forbidden, Missing, Refused, Stale
from crm.identity import logins, passwords, stamp
from crm.identity.refused import Unfit
from crm.identity.roles import role_by_key
from crm.identity.tables import Role, User
from crm.identity.viewer import FLAGS, SYSTEM, Viewer
from crm.modules.users import MODULE
from crm.words import LANGUAGES, N_, _

ECP_FLAGS = frozenset({"ecp_access", "ecp_admin"})
CRM_FLAGS = frozenset({"crm_access", "crm_admin"})
OWN = frozenset(  # what everybody may change of themselves (spec/platform.md 5.13)
    {
        "first_name", "last_name", "title", "phone", "mobile", "signature", "locale", "timezone", "date_format",
        "number_format", "works_from", "works_until",
    }
)  # fmt: skip
Values = dict[str, Any]


def create_user(
    viewer: Viewer,
    values: Mapping[str, Any],
    password: str | None = None,
    must_change: bool = True,
    channel: Channel = Channel.FORM,
) -> int:
    """Make a user; gives the id. Without a password nobody can sign in until one is set (by a link or an administrator).

    `values`: fields of the module; a role that is not named is “ECP only” without access to the CRM, else “Read-only”.
    Raises Refused, Forbidden. The caller commits.
    """
    values = {name: value for name, value in values.items() if name != "archived"}
    faults: dict[str, list[Fault]] = {}
    clean = _defaults() | _cleaned(values, faults)
    if not clean.get("role_id"):
        clean["role_id"] = role_by_key("read_only" if clean["crm_access"] else "ecp_only")
    for name, said in MODULE.declared.items():
        if said.required and not clean.get(name) and name not in faults:
            faults[name] = [Fault("required", _("“%(label)s” is required.", label=_(said.label)))]
    _demand_right(viewer, {}, clean)
    _check(clean, None, faults)
    if password is not None and (wrong := _password_faults(password, clean)):
        faults["password"] = wrong
    if faults:
        raise Refused(faults)
    now = clock.now()
    id = id_inserted(insert(Entity).values(module=MODULE.key, label=MODULE.label_of(clean)))
    clean |= {"id": id, "created_at": now, "updated_at": now, "must_change_password": must_change}
    if password is not None:
        clean |= {"password_hash": passwords.hash_of(password), "password_changed_at": now}
    db.session.execute(insert(User).values(**clean))
    history.note_events(viewer, MODULE, [id], "created", channel, now)
    stamp.renew()
    return id


def change_user(
    viewer: Viewer, id: int, changes: Mapping[str, Any], version: int | None = None, channel: Channel = Channel.FORM
) -> None:
    """Change a user, or oneself as far as OWN goes. Raises Missing, Stale, Refused, Forbidden. The caller commits."""
    old = load(id)
    if version is not None and version != old["version"]:
        raise Stale(old["version"])
    faults: dict[str, list[Fault]] = {}
    clean = {name: value for name, value in _cleaned(changes, faults).items() if old[name] != value}
    for name in clean:
        if MODULE.declared[name].required and not clean[name]:
            faults[name] = [Fault("required", _("“%(label)s” is required.", label=_(MODULE.declared[name].label)))]
    if not (viewer.id == id and set(clean) <= OWN):
        _demand_right(viewer, old, clean)
    _check(clean, old, faults)
    if faults:
        raise Refused(faults)
    if not clean:
        return
    if any(clean.get(flag) is False for flag in FLAGS):
        keep_an_administrator(old, clean)
    _write(viewer, old, clean, channel)
    if any(clean.get(flag) is False for flag in ("crm_access", "ecp_access")):
        logins.end_sessions(id)


def archive_user(viewer: Viewer, id: int) -> None:
    """Let a user sign in no more; the records stay. Raises Missing, Refused, Forbidden. The caller commits."""
    old = load(id)
    demand_over(viewer, old)
    if viewer.id == id:
        raise Refused.because("not_oneself", _("You cannot archive yourself. Ask another administrator."))
    if not old["archived"]:
        keep_an_administrator(old, {"archived": True})
        _write(viewer, old, {"archived": True}, Channel.FORM)
        logins.end_sessions(id)


def unarchive_user(viewer: Viewer, id: int) -> None:
    """Let an archived user sign in again. Raises Missing, Forbidden. The caller commits."""
    old = load(id)
    demand_over(viewer, old)
    if old["archived"]:
        _write(viewer, old, {"archived": False}, Channel.FORM)


# passwords


def change_own_password(viewer: Viewer, old: str, new: str, session_id: int | None = None) -> None:
    """Change one's own password; the other sessions end. Raises Refused (fields old, password). The caller commits."""
    if viewer.id is None or viewer.kind != "staff":
        raise Forbidden(_("Only a user who is signed in has a password to change."))
    user = load(viewer.id)
    if not passwords.is_right(old, user["password_hash"]):
        raise Refused.because("wrong_password", _("This is not your present password."), "old")
    if old == new:
        raise Refused.because("not_changed", _("Take another password than the present one."), "password")
    _set_password(user, new, must_change=False)
    logins.end_sessions(viewer.id, by="password", but=session_id)


def set_password(viewer: Viewer, id: int, new: str, must_change: bool = True) -> None:
    """Give a user a new password; all sessions end. By default it must be changed at the next sign-in.

    Raises Missing, Refused, Forbidden. The caller commits.
    """
    user = load(id)
    demand_over(viewer, user)
    _set_password(user, new, must_change)
    logins.end_sessions(id, by="password")


def _set_password(user: Mapping[str, Any], new: str, must_change: bool) -> None:
    if wrong := _password_faults(new, user):
        raise Refused({"password": wrong})
    db.session.execute(
        update(User)
        .where(User.id == user["id"])
        .values(password_hash=passwords.hash_of(new), password_changed_at=clock.now(), must_change_password=must_change)
    )


def _password_faults(password: str, user: Mapping[str, Any]) -> list[Fault]:
    about = (user.get("email"), user.get("first_name"), user.get("last_name"))
    return [Fault(code, message) for code, message in passwords.faults(password, *about)]


# who may


def _demand_right(viewer: Viewer, old: Mapping[str, Any], clean: Mapping[str, Any]) -> None:
    """Raises Forbidden when the viewer may not write these values (new ones, or those that change) of a user."""
    if viewer.is_system:
        return
    now = {flag: clean.get(flag, old.get(flag, False)) for flag in FLAGS}
    changed = {flag for flag in FLAGS if bool(now[flag]) != bool(old.get(flag, False))}
    if changed & ECP_FLAGS and "ecp_admin" not in viewer.flags:
        raise Forbidden(_("Only an administrator of the Email Contact Portal gives access to it."))
    if "crm_admin" in viewer.flags:
        return
    if changed & CRM_FLAGS:
        raise Forbidden(_("Only an administrator of the CRM gives access to it."))
    if "ecp_admin" not in viewer.flags:
        raise Forbidden(_("Only an administrator writes users."))
    if old.get("crm_access") and set(clean) - ECP_FLAGS:
        raise Forbidden(_("This user works in the CRM too; its administrator changes such data."))
    if "role_id" in clean and clean["role_id"] != role_by_key("ecp_only"):
        raise Forbidden(_("Only an administrator of the CRM gives roles other than “ECP only”."))


def demand_over(viewer: Viewer, user: Mapping[str, Any]) -> None:
    """Raises Forbidden when the viewer does not administer this user as a whole."""
    is_theirs = user["ecp_admin"] and "ecp_admin" not in viewer.flags
    if viewer.is_system or ("crm_admin" in viewer.flags and not is_theirs):
        return
    if "ecp_admin" not in viewer.flags or user["crm_access"]:
        raise Forbidden(_("You do not administer this user."))


def keep_an_administrator(old: Mapping[str, Any], clean: Mapping[str, Any]) -> None:
    """Raises Refused when the change would leave an app without an active administrator."""
    c = User.__table__.c
    gone = bool(clean.get("archived") or clean.get("deleted_at"))
    for app, name in (("crm", N_("the CRM")), ("ecp", N_("the Email Contact Portal"))):
        flags = (f"{app}_access", f"{app}_admin")
        was = all(old[flag] for flag in flags) and not old["archived"]
        if not was or (not gone and all(clean.get(flag, True) for flag in flags)):
            continue
        others = select(func.count()).where(
            c.id != old["id"], c[flags[0]], c[flags[1]], ~c.archived, c.deleted_at.is_(None)
        )
        if not db.session.execute(others).scalar():
            message = _(
                "This is the last active administrator of %(name)s. Make somebody else one first.", name=_(name)
            )
            raise Refused.because("last_administrator", message)


# parts


def _defaults() -> Values:
    return {name: bool(said.default) for name, said in MODULE.declared.items() if name in FLAGS}


def _cleaned(values: Mapping[str, Any], faults: dict[str, list[Fault]]) -> Values:
    clean: Values = {}
    for name, raw in values.items():
        said = MODULE.declared.get(name)
        if said is None:
            faults[name] = [Fault("unknown_field", _("There is no such field."))]
        elif said.read_only:
            faults[name] = [Fault("read_only", _("The system keeps this itself."))]
        else:
            try:
                clean[name] = said.kind.clean(raw, said)
            except BadValue as bad:
                faults[name] = [Fault(bad.code, bad.message)]
    return clean


def _check(clean: Mapping[str, Any], old: Mapping[str, Any] | None, faults: dict[str, list[Fault]]) -> None:
    def fault(name: str, code: str, message: str) -> None:
        faults.setdefault(name, []).append(Fault(code, message))

    id = old["id"] if old else None
    if clean.get("email"):
        c = User.__table__.c
        taken = select(c.id).where(fold(c.email) == fold(clean["email"]), c.deleted_at.is_(None), c.id != (id or 0))
        if db.session.execute(taken).first():
            fault("email", "not_unique", _("A user “%(name)s” exists already.", name=clean["email"]))
    if clean.get("role_id") and not db.session.execute(select(Role.id).where(Role.id == clean["role_id"])).first():
        fault("role_id", "no_such_record", _("There is no such role."))
    if clean.get("reports_to_id"):
        known = select(User.id).where(User.id == clean["reports_to_id"], User.deleted_at.is_(None))
        if clean["reports_to_id"] == id or not db.session.execute(known).first():
            fault("reports_to_id", "no_such_record", _("This takes another user."))
    if clean.get("locale") and clean["locale"] not in LANGUAGES:
        fault("locale", "not_in_list", _("The language is one of: %(known)s.", known=", ".join(LANGUAGES)))
    if clean.get("timezone") and clean["timezone"] not in available_timezones():
        fault("timezone", "not_in_list", _("This takes a time zone, such as Europe/Helsinki."))
    whole = {**(old or {}), **clean}
    if whole.get("works_from") and whole.get("works_until") and whole["works_from"] >= whole["works_until"]:
        fault("works_until", "out_of_range", _("Work ends later than it begins."))
    for app in ("crm", "ecp"):
        if whole.get(f"{app}_admin") and not whole.get(f"{app}_access"):
            fault(f"{app}_admin", "no_access", _("An administrator needs access as well."))


def load(id: int) -> Values:
    table = User.__table__
    row = db.session.execute(select(table).where(table.c.id == id, table.c.deleted_at.is_(None)).with_for_update())
    found = row.mappings().first()
    if found is None:
        raise Missing()
    return dict(found)


def _write(viewer: Viewer, old: Mapping[str, Any], clean: Mapping[str, Any], channel: Channel) -> None:
    now = clock.now()
    db.session.execute(
        update(User).where(User.id == old["id"]).values(**clean, updated_at=now, version=User.version + 1)
    )
    if set(clean) & set(MODULE.titles):
        label = MODULE.label_of({**old, **clean})
        db.session.execute(update(Entity).where(Entity.id == old["id"]).values(label=label))
    changed = {name: (old[name], value) for name, value in clean.items() if name in MODULE.declared}
    history.note_changes(viewer, MODULE, {old["id"]: changed}, MODULE.declared, channel, now)
    stamp.renew()


__all__ = [
    "SYSTEM", "Unfit", "archive_user", "change_own_password", "change_user", "create_user", "set_password",
    "unarchive_user",
]  # fmt: skip
