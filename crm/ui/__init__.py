"""The shared web kit of the apps: session, forms, lists, formats, errors. `install` gives it to an app."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from crm.config import Config
    from crm.ui.face import Face

MOST_BYTES = 210 * 1024 * 1024  # an import file may have 200 MB; forms are held to less by Werkzeug's own limit


def install(app: "Flask", config: "Config", face: "Face") -> None:
    """Give `app` the staff frame: languages, assets, security headers, session, CSRF, error pages, template words."""
    from crm.ui import assets, away, csrf, errors, formats, headers, i18n, page, session

    app.extensions["customerhub"] = {"face": face}
    app.url_map.converters["int"] = page.IdInPath
    app.config["MAX_CONTENT_LENGTH"] = MOST_BYTES
    app.config["MAX_FORM_MEMORY_SIZE"] = 4 * 1024 * 1024
    app.config["MAX_FORM_PARTS"] = 20_000
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.auto_reload = False
    i18n.install(app, config)
    assets.install(app, face)
    headers.install(app, config)
    session.install(app, face)
    csrf.install(app, face)
    formats.install(app)
    page.install(app, face)
    errors.install(app)
    away.install(app)
