"""How a public page looks: the organisation's name, logo and colours on one small sheet, in the language of the person."""

import base64
import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

from flask import Response, current_app, make_response, render_template, request
from flask_babel import force_locale
from markupsafe import Markup

from crm import config
from crm.modules.organisation import Organisation, organisation
from crm.ui import assets
from crm.ui.i18n import LANGUAGES

SOURCE = Path(assets.__file__).parent.parent / "static_src" / "public.css"
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}").fullmatch


def page(
    template: str,
    status: int = 200,
    language: str | None = None,
    *,
    css: str = "",
    script: str = "",
    framed_by: str = "'none'",
    tells: bool = False,
    whose: Organisation | None = None,
    **values: Any,
) -> Response:
    """The page `public/<template>.html` (a name with a slash is taken as it stands).

    `language`: the person's; without one, what the browser asks for. `css`, `script`: more of the house's own making,
    written into the page and allowed by their hash. `framed_by`: sites that may show the page in a frame, for the CSP.
    `tells`: its script may speak to this house (crm.ui.public_gesture). `whose`: said where nobody may ask the database.
    """
    said = organisation() if whose is None else whose
    locale = choose_language(language)
    sheet = style_of(said.colour) + (f"\n{css}" if css else "")
    name = template if "/" in template else f"public/{template}"
    with force_locale(locale):
        text = (render_template if whose is None else _render_alone)(
            f"{name}.html",
            face={"name": said.name, "logo": said.logo, "sheet": Markup(sheet), "script": Markup(script)},  # noqa: S704 - ours, filtered before it was kept
            locale=locale,
            **values,
        )
    answer = make_response(text, status)
    answer.headers["Content-Language"] = locale
    answer.headers["Content-Security-Policy"] = (
        f"default-src 'none'; style-src 'sha256-{_hash(sheet)}'; img-src 'self' data:; form-action 'self'; "
        f"frame-ancestors {framed_by}; base-uri 'none'" + script_rule(script, tells)
    )
    return answer


def _render_alone(name: str, **values: Any) -> str:
    """Without what an app gives to all its pages, as it may ask the database for that."""
    return current_app.jinja_env.get_template(name).render(**values)


def script_rule(script: str, tells: bool = False) -> str:
    """What a Content-Security-Policy says of a page with this one script: it by its hash, and whether it may speak to us."""
    return (f"; script-src 'sha256-{_hash(script)}'" + ("; connect-src 'self'" if tells else "")) if script else ""


@contextmanager
def speaking(language: str | None) -> Iterator[None]:
    """Inside, texts are in the language of the page for that person."""
    with force_locale(choose_language(language)):
        yield


def choose_language(said: str | None) -> str:
    """A language that the pages exist in: the person's, else the browser's, else the site's."""
    if said in LANGUAGES:
        return str(said)
    return request.accept_languages.best_match(list(LANGUAGES)) or config.current().locale


def style_of(colour: str) -> str:
    """The sheet with the organisation's colour in it (for light screens; on dark ones ours is readable)."""
    sheet = _sheet()
    if not _COLOUR(colour):
        return sheet
    return f"{sheet}\n@media (prefers-color-scheme: light) {{ :root {{ --accent: {colour}; }} }}"


@lru_cache(maxsize=1)
def _sheet() -> str:
    try:
        return (assets.FOLDER / assets.manifest()["public.css"]).read_text()
    except (assets.NotBuilt, KeyError):
        return SOURCE.read_text()  # a checkout whose browser files are not built


@lru_cache(maxsize=64)
def _hash(sheet: str) -> str:
    return base64.b64encode(hashlib.sha256(sheet.encode()).digest()).decode("ascii")


__all__ = ["Organisation", "choose_language", "page", "speaking", "style_of"]
