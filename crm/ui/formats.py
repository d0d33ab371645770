"""How values look to a person: dates, numbers, money, relative times, by language, zone and the person's own formats."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_datetime, format_time, format_timedelta
from babel.numbers import format_compact_decimal, format_decimal
from flask import Flask, g
from flask_babel import get_locale
from flask_babel import gettext as _
from markupsafe import Markup, escape

from crm import clock
from crm.engine import picklists
from crm.engine.fields import Field
from crm.engine.labels import of_name
from crm.words import in_sentence

Day = date  # `date` is a method of Formats

CURRENCY = "€"
UNDIALLED = re.compile("[^+0-9]+")
DATE_FORMATS = {"iso": "yyyy-MM-dd", "dmy": "d.M.yyyy", "mdy": "MM/dd/yyyy", "dmy_slash": "dd/MM/yyyy"}
NUMBER_FORMATS = {"comma": "fi", "point": "en", "apostrophe": "de_CH"}


@dataclass(frozen=True)
class Formats:
    """The formats of one person."""

    locale: str = "en"
    zone: str = "Europe/Helsinki"
    date_format: str = ""  # a key of DATE_FORMATS; "" as the language has it
    number_format: str = ""

    def date(self, value: date) -> str:
        return _date(value, self.date_format, self.locale)

    def moment(self, value: datetime) -> str:
        there = value.astimezone(_zone(self.zone))
        return f"{self.date(there.date())} {self.time(there.time())}"

    def time(self, value: time) -> str:
        if self.date_format in {"iso", "dmy"}:
            return value.strftime("%H:%M")
        return _time(value.replace(second=0, microsecond=0), self.locale)

    def number(self, value: Any, decimals: int | None = None) -> str:
        pattern = None if decimals is None else "#,##0" + ("." + "0" * decimals if decimals else "")
        return str(format_decimal(value, pattern, locale=NUMBER_FORMATS.get(self.number_format, self.locale)))

    def money(self, value: Any) -> str:
        whole = value == int(value)
        said = self.number(value, 0 if whole else 2)
        if self.locale != "en":
            return f"{said} {CURRENCY}"
        return f"-{CURRENCY}{said[1:]}" if said.startswith("-") else f"{CURRENCY}{said}"

    def compact(self, value: Any) -> str:
        """A number short enough for a chart: 12K."""
        return str(format_compact_decimal(value, locale=self.locale, fraction_digits=1))

    def ago(self, value: datetime) -> str:
        """“3 hours ago”; a date when it is more than 30 days away."""
        away = value - clock.now()
        if abs(away.total_seconds()) < 45:
            return _("just now")
        if abs(away.days) > 30:
            return self.date(value.astimezone(_zone(self.zone)).date())
        return str(format_timedelta(away, add_direction=True, locale=self.locale, threshold=1.1))

    def day_name(self, value: Day) -> str:
        """“Today”, “Yesterday”, “Mon 3 March” as a heading of the timeline."""
        today = clock.today(self.zone)
        if value == today:
            return _("Today")
        if (today - value).days == 1:
            return _("Yesterday")
        this_year, other_years = (
            ("EEE d.M.", "d.M.yyyy") if self.locale.startswith("fi") else ("EEE d MMM", "d MMM yyyy")
        )
        return str(format_date(value, this_year if value.year == today.year else other_years, locale=self.locale))

    def month(self, value: Day) -> str:
        return str(format_datetime(datetime(value.year, value.month, 1), "LLL yyyy", locale=self.locale))  # noqa: DTZ001


@lru_cache(maxsize=4096)
def _date(value: date, wanted: str, locale: str) -> str:
    return str(format_date(value, DATE_FORMATS.get(wanted, "medium"), locale=locale))


@lru_cache(maxsize=4096)
def _time(value: time, locale: str) -> str:
    return str(format_time(value, "short", locale=locale))


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def own() -> Formats:
    """The formats of whoever asks now."""
    if "formats" not in g:
        viewer = g.get("viewer")
        locale = get_locale() or Locale("en")
        chosen = g.get("own_formats") or {}
        zone = viewer.timezone if viewer is not None else "Europe/Helsinki"
        g.formats = Formats(locale.language, zone, chosen.get("date", ""), chosen.get("number", ""))
    return g.formats  # type: ignore[no-any-return]


def words(field: Field, value: Any, formats: Formats | None = None) -> str:
    """A value as plain text in the person's language; "" when it is empty. Links give their id: use `present` in pages."""
    formats = formats or own()
    kind = field.kind.name
    if value is None or value in ("", ()):
        return ""
    if kind == "checkbox":
        return _("Yes") if value else _("No")
    if kind == "picklist":
        return _label(field.picklist, value)
    if kind == "multi":
        return ", ".join(_label(field.picklist, key) for key in value)
    if kind == "money":
        return formats.money(value)
    if kind == "percent":
        return f"{formats.number(Decimal(value).normalize())} %"
    if kind in {"number", "whole"}:
        return formats.number(value, field.scale if kind == "number" else 0)
    if kind == "day":
        return formats.date(value)
    if kind == "moment":
        return formats.moment(value)
    if kind == "time":
        return formats.time(value)
    if kind == "conditions":
        return _("set") if value else ""
    return _(of_name(field.names, str(value))) if field.names else str(value)


def present(
    field: Field, value: Any, label: str | None = None, href: str | None = None, formats: Formats | None = None
) -> str:
    """A value as markup of a page, escaped. For links: `label` of the record (None: unreadable) and its address `href`."""
    if value is None or value in ("", ()):
        return Markup("")
    kind = field.kind.name
    if field.is_link:
        if label is None:
            return Markup('<span class="quiet">{}</span>').format(_("(hidden)"))
        return Markup('<a href="{}">{}</a>').format(href, label) if href else escape(label)
    if kind == "picklist":
        colour = _colour(field.picklist, value)
        return Markup('<span class="pill {}">{}</span>').format(
            f"dot-{colour}" if colour else "plain", words(field, value, formats)
        )
    if kind == "multi":
        return Markup(" ").join(
            Markup('<span class="pill plain">{}</span>').format(_label(field.picklist, key)) for key in value
        )
    if kind == "email":
        text = escape(value)
        return Markup(f'<a href="mailto:{text}">{text}</a>')  # noqa: S704 — escaped
    if kind == "phone":
        return Markup(f'<a href="tel:{UNDIALLED.sub("", value)}">{escape(value)}</a>')  # noqa: S704 — escaped
    if kind == "website":
        return Markup('<a href="{}" rel="noopener noreferrer" target="_blank">{}</a>').format(
            value, value.split("//", 1)[-1].rstrip("/")
        )
    if kind == "moment":
        formats = formats or own()
        said, aside = formats.ago(value), formats.moment(value)
        if value > clock.now():  # of what is to come one wants the hour, not how long it takes
            said, aside = aside, said
        return Markup('<time datetime="{}" title="{}">{}</time>').format(value.isoformat(), aside, said)
    if kind == "html":
        return Markup(value)  # noqa: S704 — sanitised by its kind when it was written
    return escape(words(field, value, formats))


def is_right_aligned(field: Field) -> bool:
    """Numbers stand at the right, so that they can be compared."""
    return field.kind.name in {"whole", "number", "money", "percent"}


def _label(name: str, key: str) -> str:
    return _(picklists.label(name, key)) or key


def _colour(name: str, key: str) -> str:
    return next((choice.colour for choice in picklists.choices(name) if choice.key == key), "")


def install(app: Flask) -> None:
    """Words for templates."""
    filters: Mapping[str, Any] = {
        "date": lambda value: own().date(value) if value else "",
        "moment": lambda value: own().moment(value) if value else "",
        "ago": lambda value: own().ago(value) if value else "",
        "number": lambda value, decimals=0: own().number(value, decimals) if value is not None else "",
        "money": lambda value: own().money(value) if value is not None else "",
        "in_sentence": in_sentence,
    }
    app.jinja_env.filters.update(filters)
    app.jinja_env.globals.update(present=present, words=words, formats=own, is_right_aligned=is_right_aligned)
