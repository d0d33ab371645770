"""The Self-Service Portal as an app: its name, its address, its menu for one customer."""

from collections.abc import Mapping

from flask_babel import get_locale
from flask_babel import gettext as _

from crm.engine.module import Module
from crm.engine.registry import modules
from crm.identity.viewer import Viewer
from crm.ui.face import Face
from crm.ui.menu import Group, Link

FIRST = {"contacts": 0, "accounts": 1}


def menu(viewer: Viewer) -> list[Group]:
    """One group: one's own card, the company, colleagues, then the modules in the order of the profile."""
    who = viewer.customer
    if who is None:
        return []
    links = [Link(_("Home"), "/portal/", "home", "home")]
    keys = sorted(who.modules, key=lambda key: (FIRST.get(key, len(FIRST)), who.modules[key].order, key))
    for key in keys:
        links += _links(viewer, modules[key])
    return [Group("", tuple(links), "portal")]


def _links(viewer: Viewer, module: Module) -> list[Link]:
    who = viewer.customer
    if who is None:
        return []
    if module.key == "contacts":
        own = [Link(_("My data"), f"/portal/contacts/{who.contact_id}", module.icon, "me")]
        is_wide = who.is_admin or who.modules["contacts"].scope == "account"
        return own + (
            [Link(_("Colleagues"), "/portal/contacts", module.icon, "contacts")] if is_wide and who.account_id else []
        )
    if module.key == "accounts":
        where = f"/portal/accounts/{who.account_id}"
        return [Link(label_of(viewer, module), where, module.icon, "accounts")] if who.account_id else []
    where = "/portal/events" if module.key == "attendees" else f"/portal/{module.key}"
    return [Link(label_of(viewer, module), where, module.icon, module.key)]


def worded(texts: Mapping[str, str], language: str) -> str:
    """What was written for `language`, else in English, else in the language it was written in; "" when in none."""
    return texts.get(language) or texts.get("en") or next((text for text in texts.values() if text), "")


def label_of(viewer: Viewer, module: Module) -> str:
    """What the menu calls a module: the profile's own words in the language of the page, else ours."""
    said = viewer.customer.modules[module.key].labels if viewer.customer else {}
    language = str(get_locale() or "en").split("_")[0]
    own = worded(said, language)
    ours = {"accounts": _("My company"), "attendees": _("Events"), "tickets": _("Requests")}
    return own or ours.get(module.key) or _(module.plural)


PORTAL = Face("portal", "Self-Service Portal", "/portal", "door", menu)
