"""The views of a list as its tabs: everything, those that ship with the module, and those that people saved."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from flask_babel import gettext as _

from crm.engine.module import Module
from crm.identity.viewer import Viewer


@dataclass(frozen=True)
class View:
    """One tab. `key` is what the address carries: "all", a shipped filter's key, or a saved view's number."""

    key: str
    label: str
    where: dict[str, Any] = field(default_factory=dict)
    sort: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    is_mine: bool = False
    is_first: bool = False
    id: int = 0


def offered(viewer: Viewer, module: Module) -> list[View]:
    """The views of a module that `viewer` has, in the order of the tabs."""
    shipped = [View(one.key, _(one.label), one.where, one.sort, one.columns) for one in module.filters]
    return [View("all", _("All")), *shipped]


def chosen(views: Sequence[View], key: str) -> View:
    """The view called `key`, else the one that opens first."""
    found = next((view for view in views if view.key == key), None)
    return found or next((view for view in views if view.is_first), views[0])
