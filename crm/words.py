"""Sentences of the lower rooms in the viewer's language. Outside of a web request or a job with a language: English."""

from contextlib import AbstractContextManager
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import flask_babel

LANGUAGES = ("en", "fi")  # in which every sentence of the house can be said
MOST_KEPT = 500  # characters of a value in a kept sentence


def _(text: str, **values: Any) -> str:
    """`text` translated, then filled with `values` (%(name)s)."""
    try:
        said = str(flask_babel.gettext(text))
    except (KeyError, RuntimeError):  # no app, or one without languages
        said = text
    return said % values if values else said


class Said(str):
    """A sentence as it was said, which can be said again in another language: `text` and `values` as `_` takes them."""

    text: str
    values: dict[str, Any]


def told(text: str, **values: Any) -> Said:
    """The same as `_`, for sentences that are kept: a job finds them, people of several languages read them."""
    made = Said(_(text, **values))
    made.text, made.values = text, values
    return made


def as_kept(sentence: str) -> Any:
    """A sentence as JSON holds it, so that `from_kept` says it in the reader's language; a plain text as it is."""
    if not isinstance(sentence, Said):
        return sentence[:MOST_KEPT]
    values = {
        name: as_kept(value) if isinstance(value, str) else value if isinstance(value, int) else str(value)[:MOST_KEPT]
        for name, value in sentence.values.items()
    }
    return {"text": sentence.text, "values": values}


def from_kept(kept: Any) -> str:
    """What `as_kept` gave, in the language of whoever reads."""
    if not isinstance(kept, dict):
        return str(kept)
    return _(kept["text"], **{name: from_kept(v) if isinstance(v, dict) else v for name, v in kept["values"].items()})


def N_(text: str) -> str:  # noqa: N802 - the name that tools of gettext know
    """The text as it is; marks a constant as one that `_` translates where it is shown."""
    return text


def ngettext(one: str, many: str, number: int, **values: Any) -> str:
    """`one` or `many` translated as `number` asks, filled with `values` and %(num)s: the number as the language writes it."""
    try:
        said = str(flask_babel.get_translations().ungettext(one, many, number))
    except (KeyError, RuntimeError):  # no app, or one without languages
        said = one if number == 1 else many
    return said % {"num": say_number(number), **values}


def speaking(language: str) -> AbstractContextManager[Any]:
    """Within it, sentences are said in `language` ("fi"); for jobs, which act for a person without a request."""
    return flask_babel.force_locale(language)


def in_sentence(text: str) -> str:
    """A name as it stands within a sentence: “Accounts” → “accounts”, but “HTML snippets” and “FAQs” keep their capitals."""
    return " ".join(
        word if sum(letter.isupper() for letter in word) > 1 else word.lower() for word in str(text).split(" ")
    )


def say_number(value: int | Decimal) -> str:
    """A number as the viewer's language writes it: 10,000 or 10 000."""
    try:
        is_told = flask_babel.get_locale() is not None
    except (KeyError, RuntimeError):
        is_told = False
    if is_told:
        return str(flask_babel.format_decimal(value))
    return f"{value:,f}".rstrip("0").rstrip(".") if isinstance(value, Decimal) and value % 1 else f"{int(value):,}"


def say_day(value: date) -> str:
    """A date as the viewer's language writes it; as ISO writes it where nobody reads."""
    try:
        is_told = flask_babel.get_locale() is not None
    except (KeyError, RuntimeError):
        is_told = False
    return str(flask_babel.format_date(value, "medium")) if is_told else value.isoformat()


def say_moment(value: datetime) -> str:
    """A moment in the viewer's zone, as the viewer's language writes it; as ISO writes it where nobody reads."""
    try:
        is_told = flask_babel.get_locale() is not None
    except (KeyError, RuntimeError):
        is_told = False
    return str(flask_babel.format_datetime(value, "short")) if is_told else value.isoformat()
