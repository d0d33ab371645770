"""Date phrases and date formats of formulas: `next monday`, `+1 week`, `2026-01-31 + 14 days`, `Y-m-d`.

A moment is a whole number of seconds since 1970 (UTC), read and shown in the zone of the run, as the formulas of old
installations expect: `{"Y-m-d"|date:$t}`."""

from __future__ import annotations

import calendar
import re
from datetime import UTC, date, datetime, timedelta, tzinfo

from crm.words import _

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTHS = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)
_SHORT_DAYS = {day[:3]: index for index, day in enumerate(DAYS)}
_ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5}
_SIGNS = {"next": 1, "last": -1, "previous": -1, "this": 0}
_UNIT = r"(sec|second|min|minute|hour|day|weekday|week|fortnight|month|year)s?"
_WEEKDAY = r"(mon|tue|wed|thu|fri|sat|sun)[a-z]*"

_STEPS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("stamp", re.compile(r"@(-?\d{1,12})")),
    (
        "iso",
        re.compile(
            r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[t ]+(\d{1,2}):(\d{2})(?::(\d{2}))?(?:\.\d+)?(z|[+-]\d{2}:?\d{2})?)?"
        ),
    ),
    ("point", re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})(?:\s+(\d{1,2})[:.](\d{2}))?")),
    ("clock", re.compile(r"(?:at\s+)?(\d{1,2}):(\d{2})(?::(\d{2}))?")),
    ("edge", re.compile(r"(first|last) day of")),
    ("nth", re.compile(rf"(first|second|third|fourth|fifth|last) {_WEEKDAY} of")),
    ("relative", re.compile(rf"(next|last|previous|this) {_UNIT}\b")),
    ("named", re.compile(rf"(next|last|previous|this) {_WEEKDAY}\b")),
    ("amount", re.compile(rf"([+-]?)\s*(\d{{1,6}})(?:\.0+)?\s*{_UNIT}\b(\s+ago\b)?")),
    ("word", re.compile(r"(now|today|midnight|tomorrow|yesterday|noon)\b")),
    ("weekday", re.compile(rf"{_WEEKDAY}\b")),
)
_GAP = re.compile(r"[\s,]*")
_NUMBERLESS = re.compile(rf"[+-]\s*{_UNIT}\b")


class Phrase(ValueError):
    """A date phrase that cannot be understood; the text is the reason."""


def read_moment(phrase: str, now: datetime, zone: tzinfo) -> int:
    """Seconds since 1970 that a phrase means at `now`, in `zone`. Raises Phrase."""
    text = phrase.strip().lower()
    if not text:
        raise Phrase(_("the date is empty"))
    if re.fullmatch(r"-?\d{9,12}", text):
        return int(text)
    moment = now.astimezone(zone)
    edge: str | None = None
    nth: tuple[str, int] | None = None
    position = 0
    while position < len(text):
        found = _first(text, position)
        if found is None:
            rest = text[position:]
            if _NUMBERLESS.match(rest):
                raise Phrase(_('a number is missing in "%(value)s"', value=phrase.strip()))
            raise Phrase(_('"%(value)s" is not a date', value=phrase.strip()))
        kind, match = found
        position = _gap(text, match.end())
        if kind == "edge":
            edge = match[1]
        elif kind == "nth":
            nth = (match[1], _SHORT_DAYS[match[2]])
        else:
            try:
                moment = _step(kind, match, moment, zone)
            except (ValueError, OverflowError):
                raise Phrase(_('"%(value)s" is not a date', value=phrase.strip())) from None
    if edge:
        last = calendar.monthrange(moment.year, moment.month)[1]
        moment = moment.replace(day=1 if edge == "first" else last)
    if nth:
        moment = _nth_weekday(moment, *nth)
    return int(moment.replace(tzinfo=zone).timestamp()) if moment.tzinfo is None else int(moment.timestamp())


def _first(text: str, position: int) -> tuple[str, re.Match[str]] | None:
    for kind, pattern in _STEPS:
        if match := pattern.match(text, position):
            return kind, match
    return None


def _gap(text: str, position: int) -> int:
    match = _GAP.match(text, position)
    return match.end() if match else position


def _step(kind: str, match: re.Match[str], moment: datetime, zone: tzinfo) -> datetime:
    midnight = {"hour": 0, "minute": 0, "second": 0, "microsecond": 0}
    if kind == "stamp":
        return datetime.fromtimestamp(int(match[1]), zone)
    if kind == "iso":
        year, month, day, hour, minute, second = (int(part or 0) for part in match.groups()[:6])
        if match[7]:
            written = f"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{match[7].upper()}"
            return datetime.fromisoformat(written).astimezone(zone)
        return datetime(year, month, day, hour, minute, second, tzinfo=zone)
    if kind == "point":
        day, month, year, hour, minute = (int(part or 0) for part in match.groups())
        return datetime(year, month, day, hour, minute, tzinfo=zone)
    if kind == "clock":
        return moment.replace(hour=int(match[1]), minute=int(match[2]), second=int(match[3] or 0), microsecond=0)
    if kind == "word":
        shift = {"tomorrow": 1, "yesterday": -1}.get(match[1], 0)
        if match[1] == "now":
            return moment
        return (moment + timedelta(days=shift)).replace(**{**midnight, "hour": 12 if match[1] == "noon" else 0})  # type: ignore[arg-type]
    if kind == "relative":
        return _shift(moment, _SIGNS[match[1]], match[2])
    if kind == "amount":
        amount = int(match[2]) * (-1 if match[1] == "-" else 1) * (-1 if match[4] else 1)
        return _shift(moment, amount, match[3])
    if kind == "named":
        return _weekday(moment, _SHORT_DAYS[match[2]], _SIGNS[match[1]]).replace(**midnight)  # type: ignore[arg-type]
    return _weekday(moment, _SHORT_DAYS[match[1]], 0).replace(**midnight)  # type: ignore[arg-type]


def _shift(moment: datetime, amount: int, unit: str) -> datetime:
    """Wall-clock arithmetic; a month or year later on a day that does not exist is the last day of that month."""
    if unit in ("month", "year"):
        months = moment.year * 12 + moment.month - 1 + amount * (12 if unit == "year" else 1)
        year, month = divmod(months, 12)
        return moment.replace(year=year, month=month + 1, day=min(moment.day, calendar.monthrange(year, month + 1)[1]))
    if unit == "weekday":
        for _ in range(min(abs(amount), 10_000)):
            moment += timedelta(days=1 if amount > 0 else -1)
            while moment.weekday() > 4:
                moment += timedelta(days=1 if amount > 0 else -1)
        return moment
    days = {"day": 1, "week": 7, "fortnight": 14}.get(unit)
    if days:
        return moment + timedelta(days=days * amount)
    seconds = {"sec": 1, "second": 1, "min": 60, "minute": 60, "hour": 3600}[unit]
    return (moment.astimezone(UTC) + timedelta(seconds=seconds * amount)).astimezone(moment.tzinfo)


def _weekday(moment: datetime, day: int, sign: int) -> datetime:
    ahead = (day - moment.weekday()) % 7
    if sign > 0:
        return moment + timedelta(days=ahead or 7)
    if sign < 0:
        return moment - timedelta(days=(moment.weekday() - day) % 7 or 7)
    return moment + timedelta(days=ahead)


def _nth_weekday(moment: datetime, which: str, day: int) -> datetime:
    first, length = calendar.monthrange(moment.year, moment.month)
    number = 1 + (day - first) % 7
    if which == "last":
        number += 7 * ((length - number) // 7)
    else:
        number += 7 * (_ORDINALS[which] - 1)
    if number > length:
        raise Phrase(_("this month has no %(which)s %(name)s", which=which, name=DAYS[day]))
    return moment.replace(day=number, hour=0, minute=0, second=0, microsecond=0)


def show_date(pattern: str, stamp: int, zone: tzinfo) -> str:
    """A moment in the letters of `date`: Y y m n d j D l N F M H G h i s A t L U; a backslash keeps a letter."""
    moment = _moment(stamp, zone)
    letters = {
        "Y": f"{moment.year:04}",
        "y": f"{moment.year % 100:02}",
        "m": f"{moment.month:02}",
        "n": str(moment.month),
        "d": f"{moment.day:02}",
        "j": str(moment.day),
        "D": DAYS[moment.weekday()][:3].title(),
        "l": DAYS[moment.weekday()].title(),
        "N": str(moment.isoweekday()),
        "w": str(moment.isoweekday() % 7),
        "W": f"{moment.isocalendar().week:02}",
        "o": str(moment.isocalendar().year),
        "z": str(moment.timetuple().tm_yday - 1),
        "F": MONTHS[moment.month - 1].title(),
        "M": MONTHS[moment.month - 1][:3].title(),
        "t": str(calendar.monthrange(moment.year, moment.month)[1]),
        "L": "1" if calendar.isleap(moment.year) else "0",
        "H": f"{moment.hour:02}",
        "G": str(moment.hour),
        "h": f"{moment.hour % 12 or 12:02}",
        "g": str(moment.hour % 12 or 12),
        "i": f"{moment.minute:02}",
        "s": f"{moment.second:02}",
        "A": "AM" if moment.hour < 12 else "PM",
        "a": "am" if moment.hour < 12 else "pm",
        "U": str(stamp),
    }
    return re.sub(r"\\(.)|(.)", lambda m: m[1] or letters.get(m[2], m[2]), pattern, flags=re.DOTALL)


_PERCENT = {
    "Y": "Y", "y": "y", "m": "m", "d": "d", "e": "j", "H": "H", "I": "h", "M": "i", "S": "s", "p": "A",
    "A": "l", "a": "D", "B": "F", "b": "M", "j": "z", "u": "N", "V": "W",
}  # fmt: skip
_SHORTHAND = {"%F": "%Y-%m-%d", "%D": "%m/%d/%y", "%T": "%H:%M:%S", "%R": "%H:%M"}


def show_percent(pattern: str, stamp: int, zone: tzinfo) -> str:
    """A moment in the letters of `date_format`: `%Y-%m-%d`, `%d.%m.%Y %H:%M`; without a % it is read as `date`."""
    if "%" not in pattern:
        return show_date(pattern, stamp, zone)
    for short, long in _SHORTHAND.items():
        pattern = pattern.replace(short, long)

    def one(match: re.Match[str]) -> str:
        letter = match[1]
        if letter == "%":
            return "%"
        return show_date(_PERCENT[letter], stamp, zone) if letter in _PERCENT else match[0]

    return re.sub(r"%(.)", one, pattern)


def _moment(stamp: int, zone: tzinfo) -> datetime:
    try:
        return datetime.fromtimestamp(stamp, zone)
    except (OverflowError, ValueError, OSError):
        raise Phrase(_("%(stamp)s is not a date", stamp=stamp)) from None


def as_phrase(value: date | datetime) -> str:
    """A stored date or time as formulas print it: `2026-01-31`, `2026-01-31 12:30:00`."""
    return value.strftime("%Y-%m-%d %H:%M:%S") if isinstance(value, datetime) else value.isoformat()
