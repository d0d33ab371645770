"""The views of a list as its tabs, from engine.saved_views: shipped ones with translated names, saved ones as named."""

from collections.abc import Sequence

from flask_babel import gettext as _

from crm.engine import saved_views
from crm.engine.module import Module
from crm.engine.saved_views import View
from crm.identity.viewer import Viewer


def offered(viewer: Viewer, module: Module) -> list[View]:
    """The views of a module that `viewer` has, in the order of the tabs."""
    return saved_views.views(viewer, module)


def chosen(views: Sequence[View], key: str) -> View:
    """The view called `key`, else the one that opens first."""
    found = next((view for view in views if view.key == key), None)
    return found or next((view for view in views if view.is_default), views[0])


def name_of(view: View) -> str:
    """The tab's words: a shipped view speaks the person's language, a saved one is called as its maker called it."""
    return _(view.name) if view.is_builtin else view.name
