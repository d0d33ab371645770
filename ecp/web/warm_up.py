"""The warm-up of a sender domain, from its page: begun and ended by administrators of the portal."""

from flask import Blueprint, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from crm.db import db
from crm.engine.refusals import Conflict, Missing, Refused
from crm.ui.page import go, tell
from crm.ui.session import commit
from ecp.domains import checking, warming
from ecp.web.admin import demand_portal_admin

HOME = "/ecp/sender_domains"
bp = Blueprint("warm_up", __name__, url_prefix=HOME)


@bp.post("/<domain>/warm-up")
def begin(domain: str) -> AnyResponse:
    """Hold sendouts of the domain to a daily ceiling that grows."""
    _known(domain)
    try:
        warming.begin(domain, *(_number(name) for name in ("start", "goal")))
        commit()
        tell(_("The warm-up has begun."))
    except Refused as refused:
        db.session.rollback()
        tell(" ".join(found[0].message for found in refused.faults.values()), "warn")
    except Conflict as conflict:
        db.session.rollback()
        tell(str(conflict), "warn")
    return go(f"{HOME}/{domain}")


@bp.post("/<domain>/warm-up/end")
def end(domain: str) -> AnyResponse:
    """Let everything go."""
    _known(domain)
    warming.stop(domain)
    commit()
    tell(_("The warm-up has ended; nothing is held back any more."))
    return go(f"{HOME}/{domain}")


def _known(domain: str) -> None:
    demand_portal_admin()
    if domain not in checking.known_domains():
        raise Missing


def _number(name: str) -> int:
    text = request.form.get(name, "").strip()
    return int(text) if text.isdecimal() and len(text) < 10 else 0
