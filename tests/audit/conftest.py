"""The tests of the audit ask both staff apps and the public addresses: fixtures of the portal's tests serve here too."""

from tests.ecp.conftest import browse, house, people, portal
from tests.public.conftest import sent, visitor

__all__ = ["browse", "house", "people", "portal", "sent", "visitor"]
