"""The REST interface at /api/v1 (JSON:API): one blueprint; importing this room registers all of its calls."""

from flask import Blueprint

from crm.api import errors
from crm.api.auth import authenticate, finish

bp = Blueprint("rest", __name__, url_prefix="/api/v1")
bp.before_request(authenticate)
bp.after_request(finish)
errors.register(bp)

from crm.api.rest import (  # noqa: E402, F401
    attending,
    entry,
    files,
    imports,
    intakes,
    merging,
    relationships,
    requesting,
    resources,
    schema,
    ticket_comments,
    verbs,
)
