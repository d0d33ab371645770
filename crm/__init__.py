"""The system of record and the internal app."""

import gc

from flask import Flask

from crm.config import Config


def create_app(config: Config | None = None) -> Flask:
    """The CRM as a WSGI app of its own: config, db, catalog, ui, blueprints, in that order, nothing else."""
    from crm import catalog, ui
    from crm import config as settings
    from crm.ui.face import CRM

    settled = config or settings.load()
    app = _ground_of(settled)
    ui.install(app, settled, CRM)
    for blueprint in catalog.blueprints():
        app.register_blueprint(blueprint)
    gc.freeze()  # what is loaded stays: the collector would walk all of it again and again while a batch is worked on
    return app


def create_worker_app(config: Config) -> Flask:
    """The app of processes that show no pages: the same ground, and languages; the pages' code is not in its memory."""
    from crm.ui import i18n

    app = _ground_of(config)
    i18n.install(app, config)
    gc.freeze()
    return app


def _ground_of(config: Config) -> Flask:
    """What every app stands on: settings, database, all modules."""
    from crm import catalog
    from crm.db import db

    app = Flask(__name__, static_folder=None)
    app.config["SQLALCHEMY_DATABASE_URI"] = config.url_of_database
    app.config["CUSTOMERHUB"] = config
    app.config["SECRET_KEY"] = config.secret_keys[0]
    db.init_app(app)
    if config.queue_engine != "embedded":
        import crm.jobs.telling  # noqa: F401 - tells the broker of jobs after each commit
    if config.name_servers:
        from crm.config import name_servers
        from crm.mail.dns_lookup import use_name_servers

        use_name_servers(name_servers(config.name_servers))
    catalog.load()
    return app
