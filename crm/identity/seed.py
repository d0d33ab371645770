"""The roles and profiles that every installation begins with. Can be repeated; what an administrator changed stays."""

from typing import Any

from sqlalchemy import insert, select

from crm.db import db, id_inserted
from crm.identity import keys as kept_keys  # noqa: F401
from crm.identity import logins, sessions, stamp, tokens  # noqa: F401  (their tables)
from crm.identity.tables import Profile, Role, RoleProfile
from crm.identity.viewer import AREAS, VERBS
from crm.words import N_, _

ALL = list(VERBS)
VIEW = {"verbs": ["view"]}
MAILING = (
    "campaigns", "target_groups", "email_templates", "emails", "html_snippets", "landing_pages", "surveys", "survey_themes", "tracked_sites", "tracked_pages", "website_forms", "score_rules", "list_types",
    "sender_addresses", "portal_target_groups", "sendouts", "autoresponders", "suppressions",
)  # fmt: skip

PROFILES: dict[str, dict[str, Any]] = {
    "administrator": {
        "name": N_("Administrator"), "description": N_("Everything."),
        "view_all": True, "edit_all": True, "otherwise": ALL, "areas": sorted(AREAS),
    },
    "marketer": {
        "name": N_("Marketer"), "description": N_("Works with everybody's records and sends mass mails."),
        "otherwise": ALL, "areas": ["send"],
    },
    "sales": {
        "name": N_("Sales"), "description": N_("Works with customers and deals; sees mass mails without sending them."),
        "otherwise": ALL,
        "modules": {"products": VIEW} | {key: VIEW for key in MAILING if key != "emails"},
    },
    "read_only": {"name": N_("Read-only"), "description": N_("Sees, changes nothing."), "otherwise": ["view"]},
    "ecp_only": {
        "name": N_("ECP only"), "description": N_("Works in the Email Contact Portal alone."),
        "otherwise": [],
        "modules": {key: {"verbs": ALL} for key in MAILING}
        | {"campaigns": VIEW, "deliveries": {"verbs": ["view", "export"]}, "users": VIEW, "groups": VIEW},
        "areas": ["send"],
    },
}  # fmt: skip
ROLES = {  # key → name, key of the role above; each has the profile of the same key
    "administrator": (N_("Administrator"), None),
    "marketer": (N_("Marketer"), "administrator"),
    "sales": (N_("Sales"), "administrator"),
    "read_only": (N_("Read-only"), "administrator"),
    "ecp_only": (N_("ECP only"), "administrator"),
}


def seed() -> None:
    """Put in the roles and profiles that are missing. The caller commits."""
    profiles = {row.key: row.id for row in db.session.execute(select(Profile.key, Profile.id)) if row.key}
    roles = {row.key: row.id for row in db.session.execute(select(Role.key, Role.id)) if row.key}
    missing = [key for key in ROLES if key not in roles]
    for key, said in PROFILES.items():
        if key not in profiles:
            profiles[key] = _put(
                Profile, {"key": key} | said | {name: _(said[name]) for name in ("name", "description")}
            )
    for key in missing:
        name, above = ROLES[key]
        roles[key] = _put(Role, {"key": key, "name": _(name), "parent_id": roles[above] if above else None})
        _put(RoleProfile, {"role_id": roles[key], "profile_id": profiles[key]})
    if missing:
        stamp.renew()


def _put(table: Any, values: dict[str, Any]) -> int:
    return id_inserted(insert(table).values(**values))
