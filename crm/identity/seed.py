"""The roles and profiles that every installation begins with. Can be repeated; what an administrator changed stays."""

from typing import Any

from sqlalchemy import insert, select

from crm.db import db, id_inserted
from crm.identity import keys as kept_keys  # noqa: F401
from crm.identity import logins, sessions, stamp, tokens  # noqa: F401  (their tables)
from crm.identity.tables import Profile, Role, RoleProfile
from crm.identity.viewer import AREAS, VERBS

ALL = list(VERBS)
VIEW = {"verbs": ["view"]}
MAILING = (
    "campaigns", "target_groups", "email_templates", "emails", "html_snippets", "landing_pages", "list_types",
    "sender_addresses", "portal_target_groups", "sendouts", "suppressions",
)  # fmt: skip

PROFILES: dict[str, dict[str, Any]] = {
    "administrator": {
        "name": "Administrator", "description": "Everything.",
        "view_all": True, "edit_all": True, "otherwise": ALL, "areas": sorted(AREAS),
    },
    "marketer": {
        "name": "Marketer", "description": "Works with everybody's records and sends mass mails.",
        "otherwise": ALL, "areas": ["send"],
    },
    "sales": {
        "name": "Sales", "description": "Works with customers and deals; sees mass mails without sending them.",
        "otherwise": ALL,
        "modules": {"products": VIEW} | {key: VIEW for key in MAILING if key != "emails"},
    },
    "read_only": {"name": "Read-only", "description": "Sees, changes nothing.", "otherwise": ["view"]},
    "ecp_only": {
        "name": "ECP only", "description": "Works in the Email Contact Portal alone.",
        "otherwise": [],
        "modules": {key: {"verbs": ALL} for key in MAILING}
        | {"campaigns": VIEW, "deliveries": {"verbs": ["view", "export"]}, "users": VIEW, "groups": VIEW},
        "areas": ["send"],
    },
}  # fmt: skip
ROLES = {  # key → name, key of the role above; each has the profile of the same key
    "administrator": ("Administrator", None),
    "marketer": ("Marketer", "administrator"),
    "sales": ("Sales", "administrator"),
    "read_only": ("Read-only", "administrator"),
    "ecp_only": ("ECP only", "administrator"),
}


def seed() -> None:
    """Put in the roles and profiles that are missing. The caller commits."""
    profiles = {row.key: row.id for row in db.session.execute(select(Profile.key, Profile.id)) if row.key}
    roles = {row.key: row.id for row in db.session.execute(select(Role.key, Role.id)) if row.key}
    missing = [key for key in ROLES if key not in roles]
    for key, said in PROFILES.items():
        if key not in profiles:
            profiles[key] = _put(Profile, {"key": key} | said)
    for key in missing:
        name, above = ROLES[key]
        roles[key] = _put(Role, {"key": key, "name": name, "parent_id": roles[above] if above else None})
        _put(RoleProfile, {"role_id": roles[key], "profile_id": profiles[key]})
    if missing:
        stamp.renew()


def _put(table: Any, values: dict[str, Any]) -> int:
    return id_inserted(insert(table).values(**values))
