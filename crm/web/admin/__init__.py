"""Settings of the CRM, for its administrators: users, groups, roles, profiles, sharing, keys, numbers, log-ins."""

from flask import Blueprint, redirect
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response as AnyResponse

from crm.identity.viewer import Viewer
from crm.ui.menu import Link, add_links
from crm.ui.session import demand_admin

bp = Blueprint("admin", __name__, url_prefix="/crm/admin")
PAGES = (
    ("users", _l("Users"), "users"),
    ("groups", _l("Groups"), "users-group"),
    ("roles", _l("Roles"), "hierarchy"),
    ("profiles", _l("Profiles"), "shield-check"),
    ("sharing", _l("Sharing"), "share"),
    ("api-keys", _l("API keys"), "key"),
    ("portals", _l("Portals"), "door"),
    ("numbering", _l("Numbering"), "hash"),
    ("translations", _l("Translations"), "language"),
    ("support", _l("Support"), "headset"),
    ("service-requests", _l("Service requests"), "checklist"),
    ("mail-scanners", _l("Mail scanners"), "mail-search"),
    ("logins", _l("Log-ins"), "login"),
    ("keeping", _l("Keeping"), "hourglass"),
)


@bp.before_request
def guard() -> None:
    demand_admin()


@bp.app_context_processor
def pages() -> dict[str, object]:
    return {"admin_pages": PAGES}


@bp.get("/")
def first() -> AnyResponse:
    return redirect("/crm/admin/users")


def links(viewer: Viewer) -> list[Link]:
    settings = [Link(_("Settings"), "/crm/admin/users", "settings", "admin")] if viewer.is_admin else []
    return [*settings, Link(_("Interface for programs"), "/crm/api-docs", "api", "api-docs")]


add_links("Settings", links)

from crm.web.admin import (  # noqa: E402, F401 — they add their pages to bp
    groups,
    keeping,
    keys,
    logins,
    numbering,
    portals,
    profiles,
    roles,
    scanners,
    service_requests,
    sharing,
    support,
    translations,
    users,
)
