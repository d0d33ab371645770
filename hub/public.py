"""The cookie-less face: one Flask app without session that puts together the public addresses of all rooms."""

from typing import Any

from flask import Flask, request
from flask.sessions import SecureCookieSessionInterface
from jinja2 import ChoiceLoader, PackageLoader

from crm import catalog
from crm.config import Config
from crm.db import db
from crm.ui import i18n, public_away

BLUEPRINTS = (
    "hub.front:bp",
    "ecp.web.public:bp",
    "surveys.web.public:bp",
    "web_tracking.forms.web.public:bp",
    "crm.web.public_certificates:bp",
    "self_service_portal.web.public_faqs:bp",
    "self_service_portal.web.public_requests:bp",
    "self_service_portal.web.public_events:bp",
    "self_service_portal.web.public_registration:bp",
    "self_service_portal.web.acting:bp",
    "self_service_portal.web.personal:bp",
)


class NoSession(SecureCookieSessionInterface):
    """Public pages keep nothing in the browser; a session that is touched there is a mistake and fails."""

    def open_session(self, app: Flask, request: object) -> None:
        return None


class PublicApp(Flask):
    """Faults are logged by the name of the page: the path holds the token of a person."""

    def log_exception(self, exc_info: Any) -> None:
        self.logger.error("%s %s failed", request.method, request.endpoint, exc_info=exc_info)


def create_public_app(config: Config) -> Flask:
    """The public addresses as a WSGI app of their own."""
    app = PublicApp("hub.public", static_folder=None)
    app.session_interface = NoSession()
    app.config.update(
        SQLALCHEMY_DATABASE_URI=config.url_of_database,
        CUSTOMERHUB=config,
        MAX_CONTENT_LENGTH=1024 * 1024,
        MAX_FORM_MEMORY_SIZE=64 * 1024,
    )
    app.jinja_loader = ChoiceLoader([PackageLoader("hub"), PackageLoader("crm")])
    app.jinja_env.auto_reload = False
    db.init_app(app)
    i18n.install(app, config)
    public_away.install(app)
    for name in BLUEPRINTS:
        app.register_blueprint(catalog.named(name))
    return app
