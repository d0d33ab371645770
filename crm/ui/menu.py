"""The left menu as data: groups of links, from what the modules declare and what the viewer may see."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from flask_babel import get_locale
from flask_babel import gettext as _

from crm.engine import overlay
from crm.engine.permissions import may
from crm.engine.registry import modules
from crm.identity.viewer import Viewer
from crm.ui.deeds import has_room

ORDER = ("Customers", "Sales", "Activities", "Marketing", "Events", "Service", "Settings")


@dataclass(frozen=True)
class Link:
    """One line of the menu. `key`: its module, for quick create and the mark of where one is."""

    label: str
    href: str
    icon: str
    key: str = ""
    create: str = ""  # address of a new one, when the viewer may make one
    noun: str = ""


@dataclass(frozen=True)
class Group:
    label: str
    links: tuple[Link, ...]
    key: str = ""


Extra = Callable[[Viewer], list[Link]]
_extras: dict[str, list[Extra]] = {}


def add_links(group: str, links: Extra) -> None:
    """Pages that are no module: `links(viewer)` gives what this viewer may open in the menu group called `group`."""
    _extras.setdefault(group, []).append(links)


def _links_of_modules(viewer: Viewer) -> Iterator[tuple[str, Link]]:
    for module in modules:
        if not module.menu or not module.in_crm or not may(viewer, "view", module):
            continue
        create = f"/crm/{module.key}/new" if module.creatable and may(viewer, "create", module) else ""
        link = Link(_(module.plural), f"/crm/{module.key}", module.icon, module.key, create, _(module.label))
        yield module.menu, link


def groups_of_modules(viewer: Viewer) -> list[Group]:
    """The CRM's menu: modules in the order of the catalog, grouped as they say, and the pages that were added."""
    found: dict[str, list[Link]] = {}
    mark = (str(get_locale()), overlay.version())
    kept = viewer.found.get("menu")
    if kept is None or kept[0] != mark:  # on every page, and the same as long as rights and words are
        kept = viewer.found["menu"] = (mark, list(_links_of_modules(viewer)))
    for menu, link in kept[1]:
        found.setdefault(menu, []).append(link if has_room(link.key) else replace(link, create=""))
    for name, extras in _extras.items():
        for links in extras:
            if added := links(viewer):
                found.setdefault(name, []).extend(added)
    ordered = sorted(found, key=lambda name: ORDER.index(name) if name in ORDER else len(ORDER) - 1.5)
    return [Group(_(name), tuple(found[name]), name) for name in ordered]
