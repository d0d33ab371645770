"""Deliverability: what came back, how the providers are doing, what receivers report of our domains, and where all that comes in."""

from datetime import timedelta
from typing import Any

from flask import Blueprint, Response, make_response, redirect, render_template, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from crm import clock
from crm.db import db
from crm.engine.refusals import Missing, Refused
from crm.identity.sealing import public_base
from crm.ui.page import tell
from crm.ui.session import commit
from ecp.bounces import hook, mailboxes, overview
from ecp.web.admin import demand_portal_admin

PAGE = "/ecp/deliverability"
bp = Blueprint("deliverability", __name__, url_prefix=PAGE)


@bp.get("")
def show() -> Response:
    """All of it on one page."""
    demand_portal_admin()
    return _draw()


def _draw(typed: dict[str, str] | None = None, faults: dict[str, str] | None = None, status: int = 200) -> Response:
    page = render_template(
        "ecp_deliverability.html", here="deliverability", figures=overview.figures(), latest=overview.latest(), say=overview.say,
        say_why=overview.say_why, providers=overview.providers(), domains=overview.domains(), boxes=mailboxes.listed(), typed=typed or {},
        faults=faults or {}, hook=f"{public_base()}/returns", has_hook=hook.is_set(), days=overview.DAYS,
    )  # fmt: skip
    return make_response(page, status)


@bp.post("/providers")
def set_provider() -> AnyResponse:
    """The rate of one provider."""
    demand_portal_admin()
    typed = {name: request.form.get(name, "").strip() for name in ("provider", "rate")}
    try:
        overview.set_rate(typed["provider"], typed["rate"])
        commit()
    except Refused as refused:
        db.session.rollback()
        return _draw(typed, {name: found[0].message for name, found in refused.faults.items()}, 422)
    tell(_("The rate is set; it holds within a second."))
    return redirect(f"{PAGE}#providers", 303)


@bp.post("/providers/resume")
def resume() -> AnyResponse:
    """End a pause before its time."""
    demand_portal_admin()
    overview.end_pause(request.form.get("provider", ""))
    commit()
    tell(_("The provider gets mail again."))
    return redirect(f"{PAGE}#providers", 303)


@bp.post("/hook")
def make_secret() -> Any:
    """A new secret for calls from outside, shown this once."""
    demand_portal_admin()
    secret = hook.renew()
    commit()
    answer = make_response(render_template("ecp_returns_secret.html", here="deliverability", secret=secret, hook=f"{public_base()}/returns"))  # fmt: skip
    answer.headers["Cache-Control"] = "no-store"
    return answer


@bp.get("/domains/<domain>")
def show_domain(domain: str) -> str:
    """One domain as receivers see it: its days, who sends in its name, what to do."""
    demand_portal_admin()
    since = clock.now() - timedelta(days=overview.DAYS)
    days, sources = overview.days_of(domain, since), overview.sources_of(domain, since)
    tls = overview.tls_of(domain, since)
    if not days and not tls:
        raise Missing
    return render_template(
        "ecp_deliverability_domain.html", here="deliverability", domain=domain, days=days, sources=sources, tls=tls,
        advice=overview.advice(days, sources),
    )  # fmt: skip
