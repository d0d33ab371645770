"""What sets one staff app apart from another: its name, address, cookie, needed flag and menu."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from flask import current_app

from crm.identity.viewer import Viewer

if TYPE_CHECKING:
    from crm.ui.menu import Group


@dataclass(frozen=True)
class Face:
    """One staff app. `menu(viewer)` gives the groups of its left menu."""

    key: str  # also of the flags: <key>_access, <key>_admin
    title: str
    prefix: str  # where its pages are
    icon: str
    menu: Callable[[Viewer], "list[Group]"]

    @property
    def cookie(self) -> str:
        return f"ch_{self.key}"

    @property
    def login(self) -> str:
        return f"{self.prefix}/login"


def crm_menu(viewer: Viewer) -> "list[Group]":
    from crm.ui.menu import groups_of_modules

    return groups_of_modules(viewer)


CRM = Face("crm", "CRM", "/crm", "address-book", crm_menu)


def face() -> Face:
    """The face of the app that answers now."""
    return cast(Face, current_app.extensions["customerhub"]["face"])
