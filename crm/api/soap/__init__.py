"""The SOAP interface of older connectors (spec/platform.md 6.2): four managers, five calls, what they do is done by the same doors.

SOAP 1.1, rpc/encoded, because that is what such connectors speak. The libraries for servers say document/literal only, so the
envelope is read and written here, on lxml.
"""

from flask import Blueprint

bp = Blueprint("soap", __name__, url_prefix="/CrmIntegrationWebservice")

from crm.api.soap import serving  # noqa: E402, F401
