"""From a list of people to a mail for them: the page of quick mailings in the CRM. Administrators only."""

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, Response, make_response, redirect, render_template, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from crm.db import db
from crm.engine import search
from crm.engine.channels import Channel
from crm.engine.conditions import where
from crm.engine.module import Module
from crm.engine.refusals import Refused
from crm.identity.viewer import Viewer
from crm.modules.people import PERSONS, Choice
from crm.ui.deeds import MassDeed, add_mass_deed
from crm.ui.page import address, tell
from crm.ui.session import commit, viewer
from crm.words import N_
from ecp import quick
from ecp.pipeline import prepare

HOME = "/crm/quick-mailing"
bp = Blueprint("quick_mailing", __name__, url_prefix=HOME, template_folder="../templates")
TYPED = ("subject", "text", "email_template_id", "list_type_id")


@bp.get("")
def begin() -> Response:
    """What is to be sent to the people chosen."""
    quick.demand(viewer())
    return _draw(_of(request.args.get("of", "")), _ids(request.args.getlist("id")), {})


@bp.post("")
def make() -> AnyResponse:
    """Keep the draft of a sendout. Nothing is sent before its last page."""
    quick.demand(viewer())
    of, ids = _of(request.form.get("of", "")), _ids(request.form.getlist("id"))
    typed = {name: request.form.get(name, "") for name in TYPED}
    numbers = {name: request.form.get(name, type=int) for name in TYPED[2:]}
    people = Choice(contact_ids=ids) if of == "contacts" else Choice(lead_ids=ids)
    try:
        wanted = quick.Wanted(people, typed["subject"], typed["text"], **numbers)
        id = quick.make(viewer(), wanted, Channel.FORM)
        prepare.make_keys()
        commit()
    except Refused as refused:
        db.session.rollback()
        return _draw(of, ids, typed, {name: found[0].message for name, found in refused.faults.items()}, 422)
    tell(_("This is a draft. Look at who gets it, test it, and send it."))
    return redirect(f"/crm/sendouts/{id}/steps/send", 303)


def _of(said: str) -> str:
    return said if said in PERSONS else PERSONS[0]


def _ids(said: Sequence[str]) -> list[int]:
    """The ids chosen; one more than may be is enough to be refused."""
    return list(dict.fromkeys(int(one) for one in said if one.isascii() and one.isdecimal() and len(one) < 19))


def _draw(
    of: str, ids: list[int], typed: dict[str, Any], faults: dict[str, str] | None = None, status: int = 200
) -> Response:
    seen = ids[:1000]
    names = search.find(viewer(), of, columns=("last_name",), within=seen, limit=8, count="none").rows if seen else []
    said = {"$and": [where("status", "is", "active"), where("kind", "one of", ["email", "template"])]}
    mails = search.find(
        viewer(), quick.KEY, where=said, columns=("name", "subject", "kind"), sort=("name",), limit=300, count="none"
    ).rows
    page = render_template(
        "quick_mailing.html", of=of, ids=ids, names=[row.label for row in names], typed=typed, faults=faults or {},
        mails=[row for row in mails if row["kind"] == "email"], templates=[row for row in mails if row["kind"] == "template"],
        lists=quick.lists(), most=quick.MOST, home=HOME, here=of,
    )  # fmt: skip
    return make_response(page, status)


def _is_offered(asks: Viewer, module: Module) -> bool:
    return module.key in PERSONS and quick.may_mail(asks)


def _href(key: str, ids: Sequence[int]) -> str:
    return address(HOME, of=key, id=[str(one) for one in ids])


add_mass_deed(MassDeed("quick_mailing", N_("Send a quick mailing"), "send", _is_offered, _href))
