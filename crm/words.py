"""Sentences of the lower rooms in the viewer's language. Outside of a web request or a job with a language: English."""

from contextlib import AbstractContextManager
from decimal import Decimal
from typing import Any

import flask_babel


def _(text: str, **values: Any) -> str:
    """`text` translated, then filled with `values` (%(name)s)."""
    try:
        said = str(flask_babel.gettext(text))
    except (KeyError, RuntimeError):  # no app, or one without languages
        said = text
    return said % values if values else said


def N_(text: str) -> str:  # noqa: N802 - the name that tools of gettext know
    """The text as it is; marks a constant as one that `_` translates where it is shown."""
    return text


def speaking(language: str) -> AbstractContextManager[Any]:
    """Within it, sentences are said in `language` ("fi"); for jobs, which act for a person without a request."""
    return flask_babel.force_locale(language)


def say_number(value: int | Decimal) -> str:
    """A number as the viewer's language writes it: 10,000 or 10 000."""
    try:
        is_told = flask_babel.get_locale() is not None
    except (KeyError, RuntimeError):
        is_told = False
    if is_told:
        return str(flask_babel.format_decimal(value))
    return f"{value:,f}".rstrip("0").rstrip(".") if isinstance(value, Decimal) and value % 1 else f"{int(value):,}"
