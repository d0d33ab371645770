"""Languages: which one a page speaks (the person's, else the browser's at the gate, else the site's), and which there are."""

from pathlib import Path

from flask import Flask, g, has_request_context, request
from flask_babel import Babel, gettext, ngettext

from crm.config import Config

LANGUAGES = {"en": "English", "fi": "Suomi"}


def install(app: Flask, config: Config) -> None:
    """Let flask-babel choose by the viewer. Translations of every room that has some are merged."""
    top = Path(__file__).parent.parent.parent
    folders = [str(path) for path in sorted(top.glob("*/translations")) if path.is_dir()]
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = ";".join(folders)
    app.config["BABEL_DEFAULT_LOCALE"] = config.locale
    app.config["BABEL_DEFAULT_TIMEZONE"] = config.timezone

    def language() -> str:
        if not has_request_context():
            return config.locale
        viewer = g.get("viewer")
        if viewer is not None:
            said = g.get("locale") or viewer.locale
            return said if said in LANGUAGES else config.locale
        return request.accept_languages.best_match(list(LANGUAGES)) or config.locale

    def zone() -> str:
        viewer = g.get("viewer") if has_request_context() else None
        return viewer.timezone if viewer is not None else config.timezone

    Babel(app, locale_selector=language, timezone_selector=zone)
    # Jinja's "newstyle" calls take every translated sentence for markup, also one that holds what somebody typed. With these a
    # sentence is text like any other, and escaped where it is shown.
    app.jinja_env.install_gettext_callables(gettext, ngettext, newstyle=False)  # type: ignore[attr-defined]
