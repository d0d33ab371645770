"""How values stand in a document: by its language, amounts with their decimals and without the sign of a currency."""

import html
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from crm import config
from crm.documents.pictures import Gallery
from crm.engine.fields import Field
from crm.ui.formats import Formats, words
from crm.ui.i18n import LANGUAGES
from crm.words import _, speaking

LEAST_OF_MONEY = 2
_BREAKS = re.compile(r"(?i)<br\s*/?>|</(?:p|div|li|h\d|tr)>")


def choose_language(*wanted: str | None) -> str:
    """The first of `wanted` that documents are written in, else the site's."""
    return next((one for one in wanted if one in LANGUAGES), str(config.current().locale))


@dataclass(frozen=True)
class Words:
    """The words of one document. Use inside `speaking_of(language)`. `gallery`: takes its pictures, where it can show them."""

    language: str
    gallery: Gallery | None = None

    def say(self, field: Field | None, value: Any, label: str | None = None, zone: str = "") -> str:
        """A value as it is printed; `label` of the record that a link points at; `zone`: where its moments are told."""
        if value is None or value in ("", ()):
            return ""
        formats = Formats(self.language, zone or config.current().timezone)
        if field is not None and field.kind.name == "file":
            return self.gallery.mark(value) if self.gallery is not None else ""
        if field is not None and field.is_link:
            return label or ""
        if field is not None and field.kind.name == "html":
            return _plain(str(value))
        if field is not None and field.kind.name not in {"money", "number"}:
            return words(field, value, formats)
        if isinstance(value, bool):
            return _("Yes") if value else _("No")
        if isinstance(value, Decimal):
            least = LEAST_OF_MONEY if field is None or field.kind.name == "money" else field.scale
            return formats.number(value, _decimals(value, least if field is not None else 0))
        if isinstance(value, datetime):
            return formats.moment(value)
        if isinstance(value, date):
            return formats.date(value)
        if isinstance(value, list | tuple):
            return ", ".join(self.say(None, one) for one in value)
        return formats.number(value) if isinstance(value, int) else str(value)


def _plain(markup: str) -> str:
    """The text of sanitised HTML, a line for each of its paragraphs."""
    lines = re.sub(r"<[^<>]*>", "", _BREAKS.sub("\n", markup)).split("\n")
    return html.unescape("\n".join(" ".join(line.split()) for line in lines)).strip()


def _decimals(value: Decimal, least: int) -> int:
    """As many as the value has; beyond `least` without zeros at the end."""
    exponent = value.as_tuple().exponent
    has = max(0, -exponent) if isinstance(exponent, int) else 0
    text = f"{value:.{has}f}"
    needed = len(text.rstrip("0").partition(".")[2])
    return min(max(least, needed) if has > LEAST_OF_MONEY else max(least, has), 10)


@contextmanager
def speaking_of(language: str) -> Iterator[Words]:
    """Inside, labels are in the language of the document."""
    with speaking(language):
        yield Words(language)
