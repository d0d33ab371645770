"""From the card of a person: each sendout of late, whether the person got it, and the way to why."""

from typing import Any

from flask import Blueprint, render_template
from flask_babel import gettext as _
from sqlalchemy import select

from crm.db import db
from crm.engine import picklists, search
from crm.engine.permissions import may
from crm.engine.refusals import Missing
from crm.engine.rows import Row
from crm.identity.viewer import Viewer
from crm.mail.sending.deliveries import Delivery
from crm.modules.people import PERSONS
from crm.ui.cards import Deed, add_deed
from crm.ui.session import viewer
from crm.web.lists import module_of

bp = Blueprint("person_mails", __name__, url_prefix="/crm", template_folder="../templates")
LATEST = 50


def href_of(asks: Viewer, row: Row) -> str:
    """The page for a person; "" without the right to see sendouts."""
    return f"/crm/{row.module}/{row.id}/why" if may(asks, "view", "sendouts") else ""


for key in PERSONS:
    add_deed(key, Deed("why", "Which mails came, and why", "help-circle", href_of))


@bp.get("/<any(contacts,leads):key>/<int:id>/why")
def show(key: str, id: int) -> str:
    """The latest sendouts that began, with what became of the mail to this person."""
    if not may(viewer(), "view", "sendouts"):
        raise Missing
    row = search.one(viewer(), module_of(key), id)
    begun: dict[str, Any] = {"$in": ["state", ["preparing", "sending", "paused", "sent", "cancelled", "failed"]]}
    sendouts = search.find(
        viewer(), "sendouts", where=begun, columns=("name", "state", "started_at"), sort=("-started_at",), limit=LATEST, count="none"
    ).rows  # fmt: skip
    d = Delivery.__table__.c
    found = db.session.execute(
        select(d.sendout_id, d.state, d.skip_reason, d.sent_at).where(
            d.person_id == row.id, d.sendout_id.in_([one.id for one in sendouts])
        )
    )
    return render_template(
        "person_mails.html", here=key, row=row, module=module_of(key), sendouts=sendouts, deliveries={one.sendout_id: one for one in found}, words=_words
    )  # fmt: skip


def _words(list: str, key: str) -> str:
    return _(picklists.label(list, key))
