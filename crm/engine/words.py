"""Sentences of the engine in the viewer's language. Outside of a web request or a job with a language: English."""

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


def say_number(value: int | Decimal) -> str:
    """A number as the viewer's language writes it: 10,000 or 10 000."""
    try:
        return str(flask_babel.format_decimal(value))
    except (KeyError, RuntimeError):
        return f"{value:,f}".rstrip("0").rstrip(".") if isinstance(value, Decimal) and value % 1 else f"{int(value):,}"
