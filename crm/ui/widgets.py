"""The registry of the home page: what a widget is, which there are, and the layout that each person keeps."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from flask import g
from flask_babel import gettext as _

from crm.identity.viewer import Viewer

MOST = 24


@dataclass(frozen=True)
class Widget:
    """One box of the home page. `draw(viewer)` gives its inside as markup; what it raises shows in its own box.

    `chart(viewer)`: for widgets that are a chart, so that its numbers can be had as a file.
    """

    key: str
    title: str
    draw: Callable[[Viewer], Any]
    is_offered: Callable[[Viewer], bool]
    size: Literal["third", "half", "full"] = "half"
    is_chart: bool = False
    at_first: bool = True  # on the page of somebody who has not arranged one


_widgets: dict[str, Widget] = {}


def add(widget: Widget) -> None:
    """Make a widget known. Any room may; keys are unique."""
    _widgets[widget.key] = widget


def offered(viewer: Viewer) -> list[Widget]:
    """The widgets that this viewer may have, in the order in which they were made known."""
    return [widget for widget in _widgets.values() if widget.is_offered(viewer)]


def find(viewer: Viewer, key: str) -> Widget | None:
    widget = _widgets.get(key)
    return widget if widget is not None and widget.is_offered(viewer) else None


def layout(viewer: Viewer) -> list[Widget]:
    """The viewer's own page: the widgets kept, in their order; or those for the first visit."""
    kept = g.preferences.get("home")
    may_have = {widget.key: widget for widget in offered(viewer)}
    if not isinstance(kept, list):
        return [widget for widget in may_have.values() if widget.at_first]
    return [may_have[key] for key in kept if key in may_have]


def title_of(widget: Widget) -> str:
    return _(widget.title)
