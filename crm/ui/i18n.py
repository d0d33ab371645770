"""Languages: which one a page speaks (the person's, else the browser's at the gate, else the site's), and which there are."""

from pathlib import Path
from typing import Any

from flask import Flask, g, has_request_context, request
from flask_babel import Babel, Domain, force_locale, get_domain, get_locale, gettext

from crm.config import Config
from crm.engine import overlay
from crm.engine.labels import Label
from crm.words import ngettext

LANGUAGES = {"en": "English", "fi": "Suomi"}
BASE = "en"  # the language of the declarations


class HouseDomain(Domain):  # type: ignore[misc]
    """The catalogues of the rooms, and before them what an administrator calls a field or a choice."""

    _last: tuple[Any, Any] = (None, None)  # a language and its catalogue

    def get_translations(self) -> Any:
        """The catalogue of the language at hand. A page asks hundreds of times in one language, so the last is kept."""
        language, found = self._last
        if language is None or language is not _language_known():
            language, found = get_locale(), super().get_translations()
            self._last = (language, found)
        return found

    def gettext(self, string: str, **variables: Any) -> str:
        """An administrator's words in the language, else ours, else an administrator's in English, else the text itself."""
        own = overlay.texts_of(string) if isinstance(string, Label) else None
        if not own:
            said = str(self.get_translations().ugettext(string))
            return said % variables if variables else said
        said = own.get(str(get_locale())) or super().gettext(string)
        said = own.get(BASE, said) if said == string else said
        return str(said % variables if variables else said)


def _language_known() -> Any:
    """The language that get_locale() has found already, at a third of its price; None: it has to be asked."""
    try:
        return g._flask_babel.babel_locale
    except (AttributeError, RuntimeError):
        return None


def said_in(language: str, text: str) -> str:
    """Our own words for `text` in a language, whatever an administrator calls it."""
    with force_locale(language):
        return str(Domain.gettext(get_domain(), str(text)))


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
        chosen = g.get("locale") or (viewer.locale if viewer is not None else "")
        if chosen:
            return chosen if chosen in LANGUAGES else config.locale
        return request.accept_languages.best_match(list(LANGUAGES)) or config.locale

    def zone() -> str:
        viewer = g.get("viewer") if has_request_context() else None
        return viewer.timezone if viewer is not None else config.timezone

    babel = Babel(app, locale_selector=language, timezone_selector=zone)
    domain = babel.domain_instance = HouseDomain()  # a cached property of Babel
    # Jinja's "newstyle" calls take every translated sentence for markup, also one that holds what somebody typed. With these a
    # sentence is text like any other, and escaped where it is shown.
    app.jinja_env.install_gettext_callables(gettext, ngettext, newstyle=False)  # type: ignore[attr-defined]
    app.jinja_env.globals["_"] = (
        domain.gettext
    )  # Jinja's own looks for it by its name, anew in every sentence of a page
