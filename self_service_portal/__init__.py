"""The customers' portal: what a company's own customers see and do (spec/portal.md 1)."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from crm.config import Config

MOST_BYTES = 61 * 1024 * 1024  # 60 MB of files, as forms say, and a form


def create_app(config: "Config | None" = None) -> "Flask":
    """The portal as a WSGI app of its own: config, db, catalog, the web kit, pages, in that order."""
    from flask import Flask
    from jinja2 import ChoiceLoader, PackageLoader

    from crm import catalog
    from crm import config as settings
    from crm.db import db
    from crm.ui import assets, csrf, errors, formats, headers, i18n, page, public_away
    from self_service_portal import pages
    from self_service_portal.face import PORTAL
    from self_service_portal.web import current, recognising, refusals

    settled = config or settings.load()
    app = Flask(__name__, static_folder=None)
    app.jinja_loader = ChoiceLoader([PackageLoader("self_service_portal"), PackageLoader("crm")])
    app.config.update(
        SQLALCHEMY_DATABASE_URI=settled.url_of_database,
        CUSTOMERHUB=settled,
        SECRET_KEY=settled.secret_keys[0],
        MAX_CONTENT_LENGTH=MOST_BYTES,
        MAX_FORM_MEMORY_SIZE=1024 * 1024,
        MAX_FORM_PARTS=1_000,
    )
    db.init_app(app)
    catalog.load()
    app.extensions["customerhub"] = {"face": PORTAL}
    app.url_map.converters["int"] = page.IdInPath
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.auto_reload = False
    i18n.install(app, settled)
    assets.install(app, PORTAL)
    headers.install(app, settled, current.hosts_of_portals)
    current.install(app)
    csrf.install(app, PORTAL)
    formats.install(app)
    page.install(app, PORTAL)
    errors.install(app)
    public_away.install(app)
    refusals.install(app)
    recognising.install(app)
    for name in pages.PAGES:
        app.register_blueprint(catalog.named(name))
    return app
