"""Email Contact Portal: its own app and the mass-mail engine."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from crm.config import Config

BLUEPRINTS = (
    "ecp.web.gate:bp",
    "ecp.web.home:bp",
    "ecp.web.own:bp",
    "ecp.web.writing:bp",
    "ecp.web.sendouts:bp",
    "ecp.web.automatic:bp",
    "surveys.web.building:bp",
    "web_tracking.web.pages:bp",
    "web_tracking.forms.web.building:bp",
    "web_tracking.scoring.web.pages:bp",
    "ecp.web.groups:bp",
    "ecp.web.list_types:bp",
    "ecp.web.senders:bp",
    "ecp.web.domains:bp",
    "ecp.web.warm_up:bp",
    "ecp.web.servers:bp",
    "ecp.web.outbox:bp",
    "ecp.web.outgoing:bp",
    "ecp.web.clockwork:bp",
    "ecp.web.deliverability:bp",
    "ecp.web.return_mailboxes:bp",
    "ecp.web.users:bp",
    "ecp.web.settings:bp",
)
"""Staff pages of the portal, by dotted name, in menu order."""

RECORD_PAGES = {
    "crm.web.lists:bp": "",
    "crm.web.cards:bp": "",
    "crm.web.forms:bp": "",
    "crm.web.mass:bp": "",
    "crm.web.imports:bp": "",
    "crm.web.exports:bp": "",
    "crm.web.bin:bp": "/bin",
}
"""Pages that every module with `in_ecp` has here too, the same ones as in the CRM; each with its place below `/ecp`."""


def create_app(config: "Config | None" = None) -> "Flask":
    """The portal as a WSGI app of its own: config, db, catalog, ui, blueprints, in that order."""
    from flask import Flask
    from jinja2 import ChoiceLoader, PackageLoader

    from crm import catalog, ui
    from crm import config as settings
    from crm.db import db
    from ecp.face import ECP

    settled = config or settings.load()
    app = Flask(__name__, static_folder=None)
    app.jinja_loader = ChoiceLoader([PackageLoader("ecp"), PackageLoader("crm")])
    app.config["SQLALCHEMY_DATABASE_URI"] = settled.url_of_database
    app.config["CUSTOMERHUB"] = settled
    app.config["SECRET_KEY"] = settled.secret_keys[0]
    db.init_app(app)
    catalog.load()
    ui.install(app, settled, ECP)
    app.context_processor(lambda: {"site_look": catalog.named("ecp.web.settings:site_look")})
    for name in BLUEPRINTS:
        app.register_blueprint(catalog.named(name))
    for name, place in RECORD_PAGES.items():
        app.register_blueprint(catalog.named(name), url_prefix=f"{ECP.prefix}{place}")
    return app
