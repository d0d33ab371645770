"""Where records have their pages: in the app that answers now, or in the CRM when only that has them."""

from crm import config
from crm.engine.registry import modules
from crm.identity.viewer import Viewer
from crm.ui.face import face


def has_pages(key: str) -> bool:
    """Whether records of module `key` have pages in the app that answers now."""
    if key not in modules:
        return False
    return modules[key].in_crm if face().key == "crm" else modules[key].in_ecp


def place_of(key: str, id: int | None = None, viewer: Viewer | None = None) -> str:
    """The address of a module's list, or of one record's card; "" when the viewer cannot open it anywhere."""
    tail = f"/{key}" if id is None else f"/{key}/{id}"
    if has_pages(key):
        return face().prefix + tail
    if key in modules and modules[key].in_crm and viewer is not None and "crm_access" in viewer.flags:
        return f"{config.current().crm_url.rstrip('/')}/crm{tail}"
    return ""
