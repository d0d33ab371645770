"""Pages of sendouts under both staff apps: the wizard, the card with its progress, what can be done, the report."""

from collections.abc import Callable
from typing import Any

from flask import Blueprint

from crm.engine.permissions import has_area, may
from crm.engine.rows import Row
from crm.identity.viewer import Viewer
from crm.ui.cards import Deed, add_deed
from crm.ui.face import face
from ecp.web import sendout_card as card
from ecp.web import sendout_deeds as deeds
from ecp.web import sendout_recipients as recipients
from ecp.web import sendout_steps as steps
from ecp.web import sendout_why as why

Rules = tuple[tuple[str, Callable[..., Any]], ...]
PAGES: Rules = (
    ("/new", steps.begin),
    ("/<int:id>/edit", steps.edit),
    ("/<int:id>/steps/<step>", steps.show),
    ("/<int:id>/left-out/<reason>", steps.left_out),
    ("/<int:id>", card.show),
    ("/<int:id>/progress", card.progress),
    ("/<int:id>/content", card.content),
    ("/<int:id>/curve.csv", card.curve_csv),
    ("/<int:id>/links.csv", card.links_csv),
    ("/<int:id>/recipients", recipients.show),
    ("/<int:id>/recipients.csv", recipients.csv),
    ("/<int:id>/why", why.pick),
    ("/<int:id>/why/<int:person_id>", why.show),
)
WRITES: Rules = (
    ("/new", steps.build),
    ("/<int:id>/steps/<step>", steps.save),
    ("/<int:id>/start", deeds.start),
    ("/<int:id>/schedule", deeds.schedule),
    ("/<int:id>/unschedule", deeds.unschedule),
    ("/<int:id>/pause", deeds.pause),
    ("/<int:id>/resume", deeds.resume),
    ("/<int:id>/cancel", deeds.cancel),
    ("/<int:id>/copy", deeds.copy),
    ("/<int:id>/recipients/campaign", recipients.make_campaign),
    ("/<int:id>/recipients/retry", recipients.retry),
    ("/<int:id>/recipients/<int:delivery_id>/verdict", recipients.settle),
)


def make_blueprint(prefix: str) -> Blueprint:
    """The pages under `prefix` ("/crm" or "/ecp")."""
    made = Blueprint("sendouts", __name__, url_prefix=f"{prefix}/sendouts", template_folder="../templates")
    for rule, view in PAGES:
        made.add_url_rule(rule, f"{view.__module__.rpartition('_')[2]}_{view.__name__}", view)
    for rule, view in WRITES:
        made.add_url_rule(rule, f"do_{view.__module__.rpartition('_')[2]}_{view.__name__}", view, methods=["POST"])
    return made


def _mail_campaign(asks: Viewer, row: Row) -> str:
    """The way from a campaign's card in the CRM to a mass mailing of it."""
    is_ready = row.get("type") == "Email" and row.get("active") and face().key == "crm"
    allowed = may(asks, "create", "sendouts") and has_area(asks, "send")
    return f"/crm/sendouts/new?campaign_id={row.id}" if is_ready and allowed else ""


add_deed("campaigns", Deed("mail", "Send an e-mail", "send", _mail_campaign))
bp = make_blueprint("/ecp")
crm_bp = make_blueprint("/crm")
