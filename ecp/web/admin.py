"""Who administers the portal: its own flag, which administrators of the CRM do not have by themselves (M37)."""

from flask_babel import gettext as _

from crm.engine.refusals import Forbidden
from crm.identity.viewer import Viewer
from crm.ui.session import viewer


def demand_portal_admin() -> Viewer:
    """Who asks, when it is an administrator of the portal; else Forbidden."""
    found = viewer()
    if "ecp_admin" not in found.flags:
        raise Forbidden(_("Only an administrator of the Email Contact Portal may open this page."), "forbidden_action")
    return found
