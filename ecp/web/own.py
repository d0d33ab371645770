"""What belongs to whoever is signed in to the portal: jobs, search, profile. The same pages as in the CRM, with own addresses."""

from crm.ui.places import place_of
from crm.ui.session import viewer
from crm.web.own import make_blueprint


def _address(module: str, id: int) -> str:
    return place_of(module, id, viewer())


bp = make_blueprint("/ecp", _address)
