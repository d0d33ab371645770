"""The system of record and the internal app."""

from flask import Flask

from crm.config import Config


def create_app(config: Config | None = None) -> Flask:
    """The CRM as a WSGI app of its own: config, db, catalog, ui, blueprints, in that order, nothing else."""
    from crm import catalog, ui
    from crm import config as settings
    from crm.db import db
    from crm.ui.face import CRM

    settled = config or settings.load()
    app = Flask(__name__, static_folder=None)
    app.config["SQLALCHEMY_DATABASE_URI"] = settled.url_of_database
    app.config["CUSTOMERHUB"] = settled
    app.config["SECRET_KEY"] = settled.secret_keys[0]
    db.init_app(app)
    catalog.load()
    ui.install(app, settled, CRM)
    for blueprint in catalog.blueprints():
        app.register_blueprint(blueprint)
    return app
