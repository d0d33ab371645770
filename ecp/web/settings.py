"""Settings of the portal: who speaks (name, logo, colour, address), rules of mailing, own CSS; the plan and what it leaves."""

import hashlib
import logging
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, g, make_response, redirect, render_template, request
from flask_babel import gettext as _
from sqlalchemy import func, select
from werkzeug.wrappers import Response as AnyResponse

from crm.db import db
from crm.engine import attachments
from crm.engine.attachments import MEGABYTE
from crm.engine.refusals import Refused
from crm.engine.registry import modules
from crm.identity.sealing import public_base
from crm.modules import organisation as site
from crm.ui.page import tell
from crm.ui.session import commit, open_to_all, viewer
from crm.ui.style_sheets import cleaned
from ecp import pictures, quotas
from ecp.modules import plans
from ecp.web.admin import demand_portal_admin

log = logging.getLogger(__name__)
bp = Blueprint("settings", __name__, url_prefix="/ecp")
TEXTS = ("name", "colour", "address", "contact", "css")


@bp.get("/settings")
def show() -> Response:
    """All settings on one page."""
    demand_portal_admin()
    return _draw(vars(site.organisation()) | _rules())


def _draw(typed: dict[str, Any], status: int = 200, faults: dict[str, str] | None = None) -> Response:
    _css, left_out = cleaned(typed.get("css") or "")
    page = render_template(
        "ecp_settings.html",
        typed=typed,
        faults=faults or {},
        here="settings",
        left_out=left_out,
        join=f"{public_base()}/u",
    )
    return make_response(page, status)


@bp.post("/settings")
def save() -> AnyResponse:
    """Keep them all, or none."""
    demand_portal_admin()
    typed: dict[str, Any] = {name: request.form.get(name, "").replace("\r\n", "\n").strip() for name in TEXTS}
    if request.form.get("reset_css"):
        typed["css"] = ""
    values = dict(typed)
    try:
        if (logo := _logo()) is not None:
            values["logo"] = logo
        before = vars(site.organisation()) | _rules()
        site.change(**values)
        site.require_opt_in(_wanted_opt_in())
        site.open_subscription_page(request.form.get("subscription_page") == "1")
        commit()
        _note(before)
    except Refused as refused:
        db.session.rollback()
        faults = {name: found[0].message for name, found in refused.faults.items()}
        kept = {
            "logo": site.organisation().logo,
            "require_opt_in": request.form.get("require_opt_in", ""),
            "subscription_page": request.form.get("subscription_page") == "1",
        }
        return _draw(typed | kept, 422, faults)
    left_out = cleaned(values["css"])[1]
    if left_out:
        tell(_("Saved. Of your CSS, %(num)s lines are left out; the page says which.", num=len(left_out)), "warn")
    else:
        tell(_("The settings are saved."))
    return redirect("/ecp/settings" + ("?nocss=1" if request.args.get("nocss") else ""), 303)


def _rules() -> dict[str, Any]:
    """The rules of mailing as they are set."""
    return {"require_opt_in": site.required_opt_in(), "subscription_page": site.has_subscription_page()}


def _wanted_opt_in() -> bool | str:
    """Which opt-in is required, as the page says it: "", "any" or "double"."""
    said = request.form.get("require_opt_in", "")
    return "double" if said == "double" else said == "any"


def _note(before: dict[str, Any]) -> None:
    """Write down who changed which setting from what to what."""
    now = vars(site.organisation()) | _rules()
    for name in now:
        if now[name] != before[name]:
            said = {"user": viewer().id, "setting": name, "old": str(before[name])[:200], "new": str(now[name])[:200]}
            log.info("site setting changed", extra=said)


def _logo() -> str | None:
    """The address of an uploaded logo, "" when it is taken away, None when nothing was said."""
    if request.form.get("no_logo") == "1":
        return ""
    part = request.files.get("logo")
    if part is None or not part.filename:
        return None
    stored = attachments.store(viewer(), part.filename, part.stream, part.mimetype, MEGABYTE)
    return pictures.publish(stored)


@bp.get("/site.css")
@open_to_all
def css() -> Response:
    """The portal's own CSS, as far as it may be used."""
    answer = make_response(cleaned(site.organisation().css)[0])
    answer.headers["Content-Type"] = "text/css; charset=utf-8"
    answer.headers["Cache-Control"] = "public, max-age=86400"
    return answer


@dataclass(frozen=True)
class Look:
    """What every page of the portal shows of the site; `css`: the address of its style sheet, "" for none or with ?nocss=1."""

    title: str = ""
    logo: str = ""
    css: str = ""


def site_look() -> Look:
    """The look of this site, read once a request."""
    if "site_look" not in g:
        said = site.organisation()
        is_on = said.css and not request.args.get("nocss")
        mark = hashlib.sha256(said.css.encode()).hexdigest()[:12]
        g.site_look = Look(said.name, said.logo, f"/ecp/site.css?{mark}" if is_on else "")
    found: Look = g.site_look
    return found


@bp.get("/plan")
def plan() -> str:
    """The plan in force, and what of it is used this month."""
    demand_portal_admin()
    table, lists = modules["plans"].table, modules["list_types"].table
    rows = db.session.execute(select(table).where(table.c.deleted_at.is_(None)).order_by(table.c.id)).all()
    used = db.session.execute(select(func.count()).select_from(lists).where(lists.c.deleted_at.is_(None))).scalar() or 0
    months = db.session.execute(
        select(plans.MailMonth.month, plans.MailMonth.sent_count, plans.MailMonth.reserved_count)
        .order_by(plans.MailMonth.month.desc())
        .limit(24)
    ).all()
    return render_template(
        "ecp_plan.html", plans=rows, lists_used=used, quota=quotas.quota(), months=months, here="plan"
    )


@bp.post("/plan")
def choose() -> AnyResponse:
    """Put another plan in force."""
    demand_portal_admin()
    plans.choose(viewer(), request.form.get("plan", 0, type=int))
    commit()
    tell(_("The plan is in force."))
    return redirect("/ecp/plan", 303)
