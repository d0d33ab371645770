"""The public page that tells whether a certificate is valid: event and initials, nothing else."""

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from crm import limits
from crm.documents import certificate_codes as codes
from crm.documents import verifying
from crm.ui import public_face
from crm.ui.public_page import page

bp = Blueprint("public_certificates", __name__)
public_face.guard(bp)


@bp.get("/certificates")
def ask() -> AnyResponse:
    """A box for the code; what was typed leads to the page of that code."""
    typed = request.args.get("code", "")[:100]
    if typed:
        return redirect(f"/certificates/{codes.as_typed(typed) or 'unknown'}", 303)
    return page("certificate", code="", said=None)


@bp.get("/certificates/<code>")
def check(code: str) -> AnyResponse:
    """Valid or not valid; who tries many codes is told to wait."""
    said = verifying.check(code[:100])
    if said is None:
        wait = public_face.MISSES.take(limits.key_of(public_face.source()))
        if wait:
            raise public_face.TooOften(wait)
    return page("certificate", status=200 if said else 404, code=codes.spelled(codes.as_typed(code)), said=said)
