"""The Email Contact Portal as a staff app: its name, its address, its menu."""

from collections.abc import Iterable

from flask_babel import gettext as _

from crm.engine.permissions import has_area, may
from crm.engine.registry import modules
from crm.identity.viewer import Viewer
from crm.mail.servers import leaves_the_house
from crm.ui.deeds import has_room
from crm.ui.face import Face
from crm.ui.menu import Group, Link

CONTENT = ("email_templates", "html_snippets", "landing_pages", "surveys")
SENDING = ("sendouts", "portal_target_groups")
SETTINGS = ("list_types", "sender_addresses", "suppressions", "tracked_sites", "survey_themes")


def _links(viewer: Viewer, keys: Iterable[str]) -> list[Link]:
    found = []
    for key in keys:
        module = modules[key]
        if not may(viewer, "view", module):
            continue
        is_open = module.creatable and may(viewer, "create", module) and has_room(key)
        new = f"/ecp/{key}/new" if is_open else ""
        found.append(Link(_(module.plural), f"/ecp/{key}", module.icon, key, new, _(module.label)))
    return found


def may_look_into_outbox(viewer: Viewer) -> bool:
    """Administrators of the portal; and who may send, as long as no mail server is set and mails stay in the house."""
    return "ecp_admin" in viewer.flags or (has_area(viewer, "send") and not leaves_the_house())


def menu(viewer: Viewer) -> list[Group]:
    """Content, sending, settings; what the viewer may not open is not there."""
    sending = _links(viewer, SENDING)
    if may(viewer, "view", "sendouts") and may(viewer, "view", "email_templates"):
        sending.append(Link(_("Automatic mails"), "/ecp/automatic", "mail-cog", "automatic"))
    settings = _links(viewer, SETTINGS)
    if may(viewer, "view", "score_rules"):
        settings.append(Link(_("Lead scoring"), "/ecp/scoring", "flame", "scoring"))
    if may_look_into_outbox(viewer):
        sending.append(Link(_("Outbox"), "/ecp/outbox", "inbox", "outbox"))
    if "ecp_admin" in viewer.flags:
        sending.append(Link(_("Mails on their way"), "/ecp/outgoing", "mail-forward", "outgoing"))
        settings += [
            Link(_("Sender domains"), "/ecp/sender_domains", "shield-check", "sender_domains"),
            Link(
                _("Mail servers"),
                "/ecp/mail_servers",
                "server",
                "mail_servers",
                "/ecp/mail_servers/new",
                _("Mail server"),
            ),
            Link(_("Deliverability"), "/ecp/deliverability", "heart-rate-monitor", "deliverability"),
            Link(_("Timetable"), "/ecp/timetable", "clock", "timetable"),
            Link(_("Users"), "/ecp/users", "users", "users", "/ecp/users/new", _("User")),
            Link(_("Site settings"), "/ecp/settings", "settings", "settings"),
            Link(_("Plan and quota"), "/ecp/plan", "gauge", "plan"),
        ]
    groups = [
        Group(_("Content"), tuple(_links(viewer, CONTENT)), "content"),
        Group(_("Sending"), tuple(sending), "sending"),
        Group(_("Settings"), tuple(settings), "settings"),
    ]
    return [group for group in groups if group.links]


ECP = Face("ecp", "Email Contact Portal", "/ecp", "mail-bolt", menu)
