"""Sender domains: what to publish in their DNS, what stands there, their signing keys, and where mails leave from (M41)."""

from typing import Any

from flask import Blueprint, Response, make_response, redirect, render_template, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from crm.db import db
from crm.engine.refusals import Missing, Refused
from crm.mail.message import BadAddress, ascii_domain
from crm.ui.page import go, tell
from crm.ui.session import commit
from ecp.domains import checking, selectors, sheet, warming
from ecp.domains.origin import change, origin
from ecp.domains.table import row_of
from ecp.web.admin import demand_portal_admin

HOME = "/ecp/sender_domains"
bp = Blueprint("domains", __name__, url_prefix=HOME)


@bp.get("")
def all_domains() -> Response:
    """Every domain with its state, and where mails leave from."""
    demand_portal_admin()
    said = origin()
    return _draw({"include": said.include, "addresses": "\n".join(said.addresses), "reports": said.reports})


def _draw(typed: dict[str, Any], status: int = 200, faults: dict[str, str] | None = None) -> Response:
    sheets = [sheet.sheet_of(domain) for domain in checking.known_domains()]
    page = render_template(
        "ecp_domains.html", here="sender_domains", sheets=sheets, typed=typed, faults=faults or {}, origin=origin()
    )
    return make_response(page, status)


def _faults(refused: Refused) -> dict[str, str]:
    db.session.rollback()
    return {name: found[0].message for name, found in refused.faults.items()}


@bp.post("")
def add() -> AnyResponse:
    """Look after one more domain, before it has an address."""
    demand_portal_admin()
    typed = request.form.get("domain", "").strip().lower().removeprefix("@")
    try:
        name = ascii_domain(typed)
    except BadAddress as bad:
        said = origin()
        kept = {"include": said.include, "addresses": "\n".join(said.addresses), "reports": said.reports}
        return _draw(kept | {"domain": typed}, 422, {"domain": str(bad)})
    row_of(name)
    if not selectors.held(name):
        selectors.make(name)
    checking.ask_for([name])
    commit()
    return redirect(f"{HOME}/{name}?checking=first", 303)


@bp.post("/origin")
def set_origin() -> AnyResponse:
    """Where mails leave from; every domain is looked at anew, since what it must publish changes with it."""
    demand_portal_admin()
    typed = {name: request.form.get(name, "").replace("\r\n", "\n") for name in ("include", "addresses", "reports")}
    try:
        change(**typed)
    except Refused as refused:
        return _draw(typed, 422, _faults(refused))
    checking.ask_for(checking.known_domains())
    commit()
    tell(_("Saved. All domains are being checked again."))
    return redirect(HOME, 303)


def _known(domain: str) -> str:
    demand_portal_admin()
    if domain not in checking.known_domains():
        raise Missing
    return domain


@bp.get("/<domain>")
def one(domain: str) -> str:
    """One domain: the records to publish, and what is found."""
    return render_template("ecp_domain.html", **_values(_known(domain)))


@bp.get("/<domain>/records")
def records(domain: str) -> str:
    """The records alone; they ask for themselves while a check is being made."""
    return render_template("_ecp_domain_records.html", **_values(_known(domain)))


def _values(domain: str) -> dict[str, Any]:
    said = sheet.sheet_of(domain)
    mark = _mark(said)
    checking_now = request.args.get("checking", "")
    return {
        "said": said, "here": "sender_domains", "home": f"{HOME}/{domain}", "checking": checking_now,
        "is_checking": bool(checking_now) and checking_now == mark, "warm": warming.standing(domain), "verdicts": warming.VERDICTS,
    }  # fmt: skip


def _mark(said: sheet.Sheet) -> str:
    """Which check is the last one, as an address can carry it."""
    return str(int(said.checked_at.timestamp() * 1000)) if said.checked_at else "first"


def _back(domain: str, said: str) -> AnyResponse:
    commit()
    tell(said)
    return go(f"{HOME}/{domain}")


@bp.post("/<domain>/check")
def check(domain: str) -> AnyResponse:
    """Have a worker look the domain up."""
    mark = _mark(sheet.sheet_of(_known(domain)))
    checking.ask_for([domain])
    commit()
    return go(f"{HOME}/{domain}?checking={mark}")


@bp.post("/<domain>/key")
def make_key(domain: str) -> AnyResponse:
    """The first signing key of a domain, or the next one."""
    made = selectors.make(_known(domain))
    if made.state == "active":
        return _back(domain, _("The key is made. Publish its record; mails are signed with it from now on."))
    return _back(domain, _("The next key is made. Publish its record beside the present one, check, and switch to it."))


@bp.post("/<domain>/switch")
def switch(domain: str) -> AnyResponse:
    """Sign with the next key."""
    made = selectors.switch(_known(domain))
    return _back(domain, _("Mails are signed with %(name)s now. Leave the old record for a week.", name=made.selector))


@bp.post("/<domain>/withdraw")
def withdraw(domain: str) -> AnyResponse:
    """Delete a key that no longer signs."""
    selectors.withdraw(_known(domain), request.form.get("selector", ""))
    return _back(domain, _("The key is deleted. Take its record out of DNS too."))


@bp.post("/<domain>/share")
def share(domain: str) -> AnyResponse:
    """Make or take away the page for those who look after the DNS."""
    is_open = request.form.get("open") == "1"
    sheet.share(_known(domain), is_open)
    return _back(
        domain,
        _("The page is made. Whoever has its address can read it, and nothing else.")
        if is_open
        else _("The page is closed."),
    )
