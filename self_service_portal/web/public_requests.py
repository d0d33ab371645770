"""/portal/public/requests/<token>: a customer accepts an answer to a service request, refuses it, or says how it went. Only a POST decides."""

from typing import Any

from flask import Blueprint, Response, request
from flask_babel import gettext as _

from crm.db import db
from crm.engine import picklists
from crm.engine.refusals import Conflict, Refused
from crm.identity import tokens
from crm.modules.service_requests import accepting, feedback
from crm.modules.service_requests.accepting import FEEDBACK, Asked
from crm.ui.public_face import Unknown, guard, writing
from crm.ui.public_page import page, speaking

bp = Blueprint("public_requests", __name__, template_folder="../templates")
guard(bp)
ADDRESS = "/portal/public/requests/<token>"


def _asked(token: str) -> Asked:
    found = accepting.read(token)
    if found is None:
        raise Unknown
    return found


@bp.get(ADDRESS)
def show(token: str) -> Response:
    """What is asked; changes nothing."""
    return _draw(_asked(token))


def _draw(asked: Asked, faults: dict[str, str] | None = None, status: int = 200) -> Response:
    values: dict[str, Any] = {"asked": asked, "faults": faults or {}, "typed": request.form}
    if asked.purpose == FEEDBACK:
        given = feedback.of_request(asked.request["id"])
        return page("requests/feedback", status, given=given, kinds=picklists.choices("sr_feedback_class"), **values)
    return page("requests/accept", status, **values)


@bp.post(ADDRESS)
@writing
def decide(token: str) -> Response:
    """Accept, not solved (with words), or feedback."""
    asked = _asked(token)
    try:
        with speaking(None):
            said = _take(asked)
            if tokens.use(asked.purpose, token) is None:
                raise Unknown
        db.session.commit()
    except Conflict as conflict:
        db.session.rollback()
        with speaking(None):
            return page("words", 409, heading=_("That cannot be done now"), text=str(conflict))
    except Refused as refused:
        db.session.rollback()
        faults = {name: " ".join(one.message for one in found) for name, found in refused.faults.items()}
        return _draw(_asked(token), faults, 422)
    with speaking(None):
        return page("words", heading=_("Thank you"), text=said)


def _take(asked: Asked) -> str:
    form = request.form
    if asked.purpose == FEEDBACK:
        feedback.give(asked.request["id"], asked.contact_id, form)
        return _("Your feedback has reached us.")
    return thanks(accepting.decide(asked.step["id"], asked.edition, asked.contact_id, "link", form))


def thanks(is_accepted: bool) -> str:
    """What a customer reads who has accepted, or not."""
    return _("We are glad that it helped.") if is_accepted else _("We look at it again.")
