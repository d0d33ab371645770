"""How a public page looks: the organisation's name, logo and colours on one small sheet, in the language of the person."""

import base64
import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

from flask import Response, make_response, render_template, request
from flask_babel import force_locale

from crm import config
from crm.ui import assets
from crm.ui.i18n import LANGUAGES
from ecp.organisation import Organisation, organisation

SOURCE = Path(assets.__file__).parent.parent / "static_src" / "public.css"
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}").fullmatch


def page(template: str, status: int = 200, language: str | None = None, **values: Any) -> Response:
    """The page `public/<template>.html`. `language`: the person's; without one, what the browser asks for."""
    said = organisation()
    locale = choose_language(language)
    sheet = style_of(said.colour)
    with force_locale(locale):
        text = render_template(
            f"public/{template}.html",
            face={"name": said.name, "logo": said.logo, "sheet": sheet},
            locale=locale,
            **values,
        )
    answer = make_response(text, status)
    answer.headers["Content-Language"] = locale
    answer.headers["Content-Security-Policy"] = (
        f"default-src 'none'; style-src 'sha256-{_hash(sheet)}'; img-src 'self' data:; form-action 'self'; "
        "frame-ancestors 'none'; base-uri 'none'"
    )
    return answer


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
