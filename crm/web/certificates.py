"""Certificates on the page of an event: who gets one, sending them in one go, taking one back."""

from typing import Any

from flask import Blueprint, make_response, render_template, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from crm.db import db
from crm.documents import certifying, making, templates, verifying
from crm.engine import search
from crm.engine.conditions import where
from crm.engine.refusals import Conflict, Missing
from crm.engine.rows import Row
from crm.identity.viewer import SYSTEM, Viewer
from crm.ui.cards import Deed, Pane, add_deed, add_pane
from crm.ui.page import go, is_part, tell
from crm.ui.session import commit, viewer
from crm.web.documents import file_of, standing_of
from crm.web.events import KEY, demand_event, may_edit
from crm.words import N_

bp = Blueprint("certificates", __name__, url_prefix="/crm")


def page_of(asks: Viewer, row: Row) -> str:
    """The page of certificates of an event, for its organisers."""
    return f"/crm/{row.module}/{row.id}/certificates" if may_edit(asks, row.module, row.id) else ""


def href_of(asks: Viewer, row: Row) -> str:
    """The same as a button, when there is a template."""
    return page_of(asks, row) if _templates(row.id) else ""


for key in templates.EVENTS:
    add_deed(key, Deed("certificates", "Certificates", "certificate", href_of))
    add_pane(
        key, Pane("certificates", N_("Certificates"), page_of, lambda _asks, row: len(certifying.of_event(row.id)))
    )


def _templates(event_id: int) -> list[Row]:
    """The active certificate templates: those of this event first, then those of any."""
    said = {"$and": [where("purpose", "is", "certificate"), where("active", "is", True)]}
    found = search.find(
        SYSTEM, templates.KEY, where=said, columns=templates.COLUMNS, sort=("name",), limit=200, count="none"
    ).rows
    return sorted(
        (one for one in found if one["event_id"] in (None, event_id)), key=lambda one: one["event_id"] is None
    )


@bp.get(f"/{KEY}/<int:id>/certificates")
def show(key: str, id: int, fault: str = "", status: int = 200) -> Any:
    """Those who attended, with their certificates."""
    event, row = demand_event(key, id)
    page = render_template(
        "_certificates.html" if is_part() else "certificates.html", here=key, row=row, event=event, home=f"/crm/{key}/{id}", fault=fault, people=certifying.attended(id),
        known=certifying.of_event(id), templates=_templates(id), mails=_mails(), form=request.form,
        job=standing_of(request.args.get("job", type=int)), file=file_of(request.args.get("file", type=int)),
    )  # fmt: skip
    return make_response(page, status)


def _mails() -> list[tuple[int, str]]:
    """The mails of the folder of events, which may go with certificates."""
    said = {"$and": [where("folder", "is", "Event"), where("status", "is", "active"), where("kind", "is", "email")]}
    found = search.find(
        SYSTEM, "email_templates", where=said, columns=("name",), sort=("name",), limit=200, count="none"
    )
    return [(one.id, one.label) for one in found.rows]


@bp.post(f"/{KEY}/<int:id>/certificates")
def send(key: str, id: int) -> Any:
    """Send to all who attended; or show one of them first (`preview`)."""
    demand_event(key, id)
    template = request.form.get("template", 0, type=int)
    try:
        if template not in {one.id for one in _templates(id)}:
            raise Missing
        if request.form.get("preview"):
            people = certifying.attended(id)
            if not people:
                raise Conflict(_("Nobody is marked as attended, so there is nothing to show."), "nobody_attended")
            job = making.start(viewer(), template, people[0]["id"], keeps=False)
        else:
            job = certifying.start(
                viewer(), id, template, request.form.get("mail", type=int), again=request.form.get("again") == "1",
                with_joined=request.form.get("with_joined") == "1",
            )  # fmt: skip
        commit()
    except Conflict as conflict:
        db.session.rollback()
        return show(key, id, str(conflict), 422)
    except Missing:
        db.session.rollback()
        return show(key, id, _("Choose a template."), 422)
    return go(f"/crm/{key}/{id}/certificates?job={job}")


@bp.post(f"/{KEY}/<int:id>/certificates/<int:certificate>/take-back")
def take_back(key: str, id: int, certificate: int) -> AnyResponse:
    """The certificate is not valid any more."""
    demand_event(key, id)
    verifying.take_back(id, certificate)
    commit()
    tell(_("The certificate is not valid any more."))
    return go(f"/crm/{key}/{id}/certificates")
