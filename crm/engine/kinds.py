"""The kinds of fields: how each is stored, checked, compared and written out. One small class a kind, one list."""

import json
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import nh3
from email_validator import EmailNotValidError, validate_email
from sqlalchemy import JSON, BigInteger, Boolean, Date, String, Text, Time
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import TypeEngine

from crm.db import KeySet, Scaled, UtcDateTime
from crm.words import _

if TYPE_CHECKING:
    from crm.engine.fields import Field

TEXT_OPERATORS = frozenset(
    {"$eq", "$ne", "$in", "$nin", "$beg", "$end", "$cts", "$not.cts", "$like", "$regex", "$gt", "$gte", "$lt", "$lte"}
)
ORDER_OPERATORS = frozenset({"$eq", "$ne", "$gt", "$gte", "$lt", "$lte", "$in", "$nin", "$between", "$not.between"})
KEY_OPERATORS = frozenset({"$eq", "$ne", "$in", "$nin"})
NULL_OPERATORS = frozenset({"$is.null", "$not.null"})
LIST_SEPARATOR = " |##| "


class BadValue(Exception):
    """A value of the wrong kind; `code` as in spec/sales.md section 0, the message for the person who typed it."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


class Kind:
    """A kind of field. `clean` takes what forms, files and JSON bring and gives the Python value or raises BadValue."""

    name = "text"
    legacy_ui = 1  # the numeric code that the SOAP field list reports
    json_type = "string"
    operators = TEXT_OPERATORS
    is_text = True  # compared through fold()
    is_scaled = False

    def column(self, field: "Field") -> TypeEngine[Any]:
        return String(field.max or 255)

    def clean(self, raw: Any, field: "Field", zone: str = "UTC") -> Any:
        """The Python value of `raw`; None when it is empty. `zone`: of moments written without one."""
        if raw is None:
            return None
        if isinstance(raw, bool | dict | list | tuple):
            raise BadValue("not_text", _("This takes a text."))
        text = str(raw).replace("\r\n", "\n").replace("\r", "\n").strip()
        if "\x00" in text:
            raise BadValue("bad_text", _("This text holds a character that cannot be stored (NUL)."))
        if not text:
            return None
        return self.check(text, field)

    def check(self, text: str, field: "Field") -> Any:
        if field.max and len(text) > field.max:
            raise BadValue(
                "too_long",
                _("This takes at most %(most)s characters; there are %(count)s.", most=field.max, count=len(text)),
            )
        return text.replace("\n", " ")

    def cut(self, raw: Any, field: "Field") -> Any:
        """`raw` shortened to what fits, for imports."""
        return raw[: field.max] if field.max and isinstance(raw, str) else raw

    def json(self, value: Any) -> Any:
        """The value as the API gives it."""
        return value

    def text(self, value: Any) -> str:
        """The value as files (CSV) hold it; `clean(text(v)) == v`."""
        return "" if value is None else str(value)

    def store(self, value: Any, field: "Field") -> Any:
        """The value as the `extra` JSON column holds it: text, whole number, or None; sorts as the value does."""
        return value

    def unstore(self, stored: Any, field: "Field") -> Any:
        return stored


class TextKind(Kind):
    pass


LONGEST_TEXT = 65_000  # characters of a long text that sets no limit itself


class LongText(Kind):
    name, legacy_ui = "long_text", 19

    def column(self, field: "Field") -> TypeEngine[Any]:
        return Text()

    def check(self, text: str, field: "Field") -> Any:
        limit = field.max or LONGEST_TEXT
        if len(text) > limit:
            raise BadValue(
                "too_long",
                _("This takes at most %(limit)s characters; there are %(count)s.", limit=limit, count=len(text)),
            )
        return text

    def cut(self, raw: Any, field: "Field") -> Any:
        return raw[: field.max or LONGEST_TEXT] if isinstance(raw, str) else raw


class Html(LongText):
    """Formatted text, sanitised: scripts and handlers are dropped silently."""

    name = "html"

    def check(self, text: str, field: "Field") -> Any:
        return nh3.clean(super().check(text, field))


class Source(LongText):
    """Mail or page source (MJML, HTML), kept as written; its own room checks and sanitises it."""

    name = "source"

    def cut(self, raw: Any, field: "Field") -> Any:
        return raw  # half a page is worse than none: too long a source is refused

    def clean(self, raw: Any, field: "Field", zone: str = "UTC") -> Any:
        if raw is None or raw == "":
            return None
        if not isinstance(raw, str):
            raise BadValue("not_text", _("This takes a text."))
        text = raw.replace("\r\n", "\n").replace("\x00", "")
        limit = field.max or LONGEST_TEXT
        if len(text) > limit:
            count, most = (f"{number:,}".replace(",", " ") for number in (len(text), limit))
            raise BadValue(
                "too_long",
                _(
                    "%(label)s is %(count)s characters, maximum is %(most)s.",
                    label=_(field.label),
                    count=count,
                    most=most,
                ),
            )
        return text


class Whole(Kind):
    name, legacy_ui, json_type, operators, is_text = "whole", 7, "integer", ORDER_OPERATORS, False

    def column(self, field: "Field") -> TypeEngine[Any]:
        return BigInteger()

    def clean(self, raw: Any, field: "Field", zone: str = "UTC") -> Any:
        if raw is None or raw == "":
            return None
        if isinstance(raw, bool):
            raise BadValue("not_a_number", _("This takes a whole number."))
        try:
            value = raw if isinstance(raw, int) else int(str(raw).strip())
        except ValueError:
            raise BadValue("not_a_number", _("This takes a whole number, such as 25.")) from None
        check_range(value, field)
        return value


class Number(Kind):
    """A decimal number with a fixed count of decimals."""

    name, legacy_ui, json_type, operators, is_text, is_scaled = "number", 7, "number", ORDER_OPERATORS, False, True
    example = "1234.50"

    def column(self, field: "Field") -> TypeEngine[Any]:
        return Scaled(4, field.scale)

    def clean(self, raw: Any, field: "Field", zone: str = "UTC") -> Any:
        if raw is None or raw == "":
            return None
        if isinstance(raw, bool):
            raise BadValue("not_a_number", _("This takes a number."))
        text = re.sub(r"[\s\u00a0\u202f€%]", "", str(raw)).replace("\u2212", "-")
        if "," in text and "." not in text:
            text = text.replace(",", ".")
        if not text:
            return None
        try:
            value = Decimal(text)
        except InvalidOperation:
            raise BadValue(
                "not_a_number", _("This takes a number, such as %(example)s.", example=self.example)
            ) from None
        if not value.is_finite() or abs(value) >= Decimal(10) ** 14:
            raise BadValue("out_of_range", _("This number is too large."))
        value = value.quantize(Decimal(10) ** -field.scale, ROUND_HALF_UP)
        check_range(value, field)
        return value

    def json(self, value: Any) -> Any:
        return None if value is None else str(value)

    def text(self, value: Any) -> str:
        return "" if value is None else str(value)

    def store(self, value: Any, field: "Field") -> Any:
        return None if value is None else int(Decimal(value).scaleb(4))

    def unstore(self, stored: Any, field: "Field") -> Any:
        return None if stored is None else Decimal(stored).scaleb(-4).quantize(Decimal(10) ** -field.scale)


class Money(Number):
    name, legacy_ui = "money", 71


class Percent(Number):
    name, legacy_ui, example = "percent", 9, "12.5"


class Day(Kind):
    name, legacy_ui, json_type, operators, is_text = "day", 5, "date", ORDER_OPERATORS, False

    def column(self, field: "Field") -> TypeEngine[Any]:
        return Date()

    def clean(self, raw: Any, field: "Field", zone: str = "UTC") -> Any:
        if raw is None or raw == "":
            return None
        if isinstance(raw, datetime):
            return raw.date()
        if isinstance(raw, date):
            return raw
        text = str(raw).strip()
        finnish = re.fullmatch(r"(\d{1,2})\.(\d{1,2})\.(\d{4})", text)
        plain = re.fullmatch(r"(\d{4})-(\d{1,2})-(\d{1,2})", text)
        try:
            if finnish:
                return date(int(finnish[3]), int(finnish[2]), int(finnish[1]))
            if plain:
                return date(int(plain[1]), int(plain[2]), int(plain[3]))
        except ValueError:
            pass  # 31 February: the sentence below says it
        raise BadValue("bad_date", _("This takes a date that exists, such as 2026-11-30."))

    def json(self, value: Any) -> Any:
        return None if value is None else value.isoformat()

    def text(self, value: Any) -> str:
        return "" if value is None else value.isoformat()

    def store(self, value: Any, field: "Field") -> Any:
        return self.json(value)

    def unstore(self, stored: Any, field: "Field") -> Any:
        return None if stored is None else date.fromisoformat(stored)


class Moment(Kind):
    name, legacy_ui, json_type, operators, is_text = "moment", 792, "datetime", ORDER_OPERATORS, False

    def column(self, field: "Field") -> TypeEngine[Any]:
        return UtcDateTime()

    def clean(self, raw: Any, field: "Field", zone: str = "UTC") -> Any:
        if raw is None or raw == "":
            return None
        if not isinstance(raw, datetime):
            try:
                raw = datetime.fromisoformat(str(raw).strip().replace("Z", "+00:00"))
            except ValueError:
                raise BadValue("bad_date", _("This takes a date and time, such as 2026-11-30 14:05.")) from None
        return (raw if raw.tzinfo else raw.replace(tzinfo=ZoneInfo(zone))).astimezone(UTC)

    def json(self, value: Any) -> Any:
        return None if value is None else value.isoformat().replace("+00:00", "Z")

    def text(self, value: Any) -> str:
        return self.json(value) or ""

    def store(self, value: Any, field: "Field") -> Any:
        return None if value is None else value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    def unstore(self, stored: Any, field: "Field") -> Any:
        return None if stored is None else datetime.fromisoformat(stored.replace("Z", "+00:00"))


class Clock(Kind):
    """A time of day."""

    name, legacy_ui, json_type, operators, is_text = "time", 63, "time", ORDER_OPERATORS, False

    def column(self, field: "Field") -> TypeEngine[Any]:
        return Time()

    def clean(self, raw: Any, field: "Field", zone: str = "UTC") -> Any:
        if raw is None or raw == "":
            return None
        try:
            return raw if isinstance(raw, time) else time.fromisoformat(str(raw).strip())
        except ValueError:
            raise BadValue("bad_time", _("This takes a time of day, such as 14:05.")) from None

    def json(self, value: Any) -> Any:
        return None if value is None else value.isoformat("minutes")

    def text(self, value: Any) -> str:
        return self.json(value) or ""

    def store(self, value: Any, field: "Field") -> Any:
        return None if value is None else value.isoformat("seconds")

    def unstore(self, stored: Any, field: "Field") -> Any:
        return None if stored is None else time.fromisoformat(stored)


PHONE = re.compile(r"[+]?[\d\s().\-/]{3,40}(\s*(x|ext\.?)\s*\d{1,8})?").fullmatch


class Phone(Kind):
    name, legacy_ui = "phone", 11

    def check(self, text: str, field: "Field") -> Any:
        text = super().check(text, field)
        if not PHONE(text):
            raise BadValue("bad_phone", _("This takes a telephone number, such as +358 40 123 4567."))
        return text


PLAIN_EMAIL = re.compile(
    r"[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*@(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z]{2,24}"
)


class Email(Kind):
    name, legacy_ui = "email", 13

    def check(self, text: str, field: "Field") -> Any:
        text = super().check(text, field)
        if len(text) <= 64 and "--" not in text and PLAIN_EMAIL.fullmatch(text):
            local, domain = text.rsplit("@", 1)  # nearly every address; the full grammar costs fifty times as much
            return f"{local}@{domain.lower()}"
        try:
            return validate_email(
                text, check_deliverability=False, allow_smtputf8=True, allow_quoted_local=True, test_environment=True,
                strict=True,
            ).normalized  # fmt: skip
        except EmailNotValidError as fault:
            raise BadValue(
                "bad_email", _("This takes an e-mail address, such as name@example.com. %(fault)s", fault=fault)
            ) from None


class Website(Kind):
    name, legacy_ui = "website", 17

    def check(self, text: str, field: "Field") -> Any:
        if not re.match(r"^[a-z][a-z0-9+.-]*:", text, re.I) or re.match(r"^[\w.-]+:\d+(/|$)", text):
            text = "https://" + text
        text = super().check(text, field)
        if not re.fullmatch(r"https?://[^\s/?#@<>\"']+\.?[^\s<>\"']*", text, re.I):
            raise BadValue("bad_website", _("This takes a web address, such as https://www.example.com."))
        return text


class Checkbox(Kind):
    name, legacy_ui, json_type, operators, is_text = "checkbox", 56, "boolean", KEY_OPERATORS, False

    def column(self, field: "Field") -> TypeEngine[Any]:
        return Boolean()

    def clean(self, raw: Any, field: "Field", zone: str = "UTC") -> Any:
        if isinstance(raw, bool):
            return raw
        text = "" if raw is None else str(raw).strip().lower()
        if text in {"1", "true", "yes", "on", "y", "kyllä"}:
            return True
        if text in {"", "0", "false", "no", "off", "n", "ei"}:
            return False
        raise BadValue("not_a_checkbox", _("This takes 1 or 0 (yes or no)."))

    def text(self, value: Any) -> str:
        return "1" if value else "0"

    def store(self, value: Any, field: "Field") -> Any:
        return None if value is None else int(value)

    def unstore(self, stored: Any, field: "Field") -> Any:
        return None if stored is None else bool(stored)


class Picklist(Kind):
    """One key of a picklist. That the key exists is checked by engine.cleaning, which knows the lists."""

    name, legacy_ui, operators, is_text = "picklist", 15, KEY_OPERATORS, False

    def column(self, field: "Field") -> TypeEngine[Any]:
        return String(80)


class MultiPicklist(Kind):
    name, legacy_ui, json_type, is_text = "multi", 33, "array", False
    operators = frozenset({"$eq", "$ne", "$in", "$nin", "$cts", "$not.cts"})

    def column(self, field: "Field") -> TypeEngine[Any]:
        return KeySet()

    def clean(self, raw: Any, field: "Field", zone: str = "UTC") -> Any:
        if raw is None or raw == "":
            return ()
        keys = raw.split(LIST_SEPARATOR) if isinstance(raw, str) else list(raw)
        if not all(isinstance(key, str) for key in keys):
            raise BadValue("not_in_list", _("This takes a list of keys."))
        return tuple(dict.fromkeys(key.strip() for key in keys if key.strip()))

    def json(self, value: Any) -> Any:
        return list(value or ())

    def text(self, value: Any) -> str:
        return LIST_SEPARATOR.join(value or ())

    def store(self, value: Any, field: "Field") -> Any:
        return f"|{'|'.join(value)}|" if value else None

    def unstore(self, stored: Any, field: "Field") -> Any:
        return tuple(stored.strip("|").split("|")) if stored else ()


class Link(Kind):
    """The id of a record of one of the field's target modules. That it exists and may be read: engine.cleaning."""

    name, legacy_ui, json_type, operators, is_text = "link", 10, "integer", KEY_OPERATORS, False

    def column(self, field: "Field") -> TypeEngine[Any]:
        return BigInteger()

    def clean(self, raw: Any, field: "Field", zone: str = "UTC") -> Any:
        if raw is None or raw == "":
            return None
        if isinstance(raw, bool) or not str(raw).strip().isdecimal() or int(raw) >= 2**62:
            raise BadValue("no_such_record", _("There is no such record."))
        return int(raw)


class Owner(Link):
    """A user or a group."""

    name, legacy_ui = "owner", 53


class User(Link):
    name, legacy_ui = "user", 52


class File(Link):
    name, legacy_ui = "file", 69


class Conditions(Kind):
    """A condition tree (engine.conditions), as JSON. That it holds together is checked by the module it is about."""

    name, json_type, operators, is_text = "conditions", "object", NULL_OPERATORS, False

    def column(self, field: "Field") -> TypeEngine[Any]:
        return JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")

    def clean(self, raw: Any, field: "Field", zone: str = "UTC") -> Any:
        if raw is None or raw == "" or raw == {}:
            return None
        try:
            value = json.loads(raw) if isinstance(raw, str) else raw
        except ValueError:
            raise BadValue("bad_conditions", _("These conditions are not JSON.")) from None
        if not isinstance(value, dict):
            raise BadValue("bad_conditions", _('Conditions are a JSON object, such as {"billing_city": "Turku"}.'))
        return value

    def text(self, value: Any) -> str:
        return "" if value is None else json.dumps(value, ensure_ascii=False, sort_keys=True)


def check_range(value: Any, field: "Field") -> None:
    """Raises BadValue when a number lies outside the field's `least` and `most`."""
    if field.least is not None and value < field.least:
        raise BadValue("out_of_range", _("This takes %(least)s or more.", least=field.least))
    if field.most is not None and value > field.most:
        raise BadValue("out_of_range", _("This takes %(most)s or less.", most=field.most))


_classes: tuple[Callable[[], Kind], ...] = (
    TextKind, LongText, Html, Source, Whole, Number, Money, Percent, Day, Moment, Clock, Phone, Email, Website,
    Checkbox, Picklist, MultiPicklist, Link, Owner, User, File, Conditions,
)  # fmt: skip
KINDS: dict[str, Kind] = {kind.name: kind for kind in (make() for make in _classes)}
