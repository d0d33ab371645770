"""Pages of sendouts under both staff apps: the wizard, the card with its progress, what can be done, the report."""

from flask import Blueprint

from ecp.web import sendout_card as card
from ecp.web import sendout_deeds as deeds
from ecp.web import sendout_recipients as recipients
from ecp.web import sendout_steps as steps

PAGES = (  # rule, function
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
)
WRITES = (
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


bp = make_blueprint("/ecp")
crm_bp = make_blueprint("/crm")
