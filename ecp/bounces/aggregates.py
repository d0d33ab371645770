"""Aggregate reports read: DMARC (RFC 7489 and 9990, XML without any entity) and TLS (RFC 8460, JSON)."""

from __future__ import annotations

import ipaddress
import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.parsers import expat

from crm import clock
from crm.mail.message import BadAddress, ascii_domain
from crm.words import _

MOST_RECORDS = 100_000
MOST_DEPTH = 20
MOST_TEXT = 2_000
OLDEST = timedelta(days=400)
RECORD = "feedback/record"


class BadReport(Exception):
    """A report that cannot be used; the text says why."""


@dataclass(slots=True)
class Sent:
    """What one server sent in a domain's name."""

    source_ip: str = ""
    mail_count: int = 0
    disposition: str = ""
    has_dkim: bool = False
    has_spf: bool = False
    header_from: str = ""
    signed_by: str = ""
    spf_domain: str = ""


@dataclass(slots=True)
class Aggregate:
    """One DMARC report."""

    domain: str
    reporter: str
    report_id: str
    begins_at: datetime
    ends_at: datetime
    policy: str
    rows: list[Sent]


@dataclass(slots=True)
class TlsAggregate:
    """One TLS report on one domain."""

    domain: str
    reporter: str
    report_id: str
    begins_at: datetime
    ends_at: datetime
    good_count: int
    failed_count: int
    failures: dict[str, int]


@dataclass(slots=True)
class _Reading:
    """Where the parser is, and what it has found; names without name spaces."""

    path: list[str] = field(default_factory=list)
    text: list[str] = field(default_factory=list)
    head: dict[str, str] = field(default_factory=dict)
    rows: list[Sent] = field(default_factory=list)
    row: Sent | None = None

    def begin(self, name: str, _attributes: Any) -> None:
        self.path.append(re.sub(r"^.*[:}]", "", name).lower())
        self.text.clear()
        if len(self.path) > MOST_DEPTH:
            raise BadReport(_("The report is nested too deeply."))
        if self.path == ["feedback", "record"]:
            if len(self.rows) >= MOST_RECORDS:
                raise BadReport(_("The report has more than %(most)s records.", most=MOST_RECORDS))
            self.row = Sent()

    def say(self, text: str) -> None:
        if sum(map(len, self.text)) < MOST_TEXT:
            self.text.append(text)

    def end(self, _name: str) -> None:
        place, said = "/".join(self.path), "".join(self.text).strip()[:MOST_TEXT]
        self.path.pop()
        self.text.clear()
        if place == RECORD and self.row is not None:
            self.rows.append(self.row)
            self.row = None
        elif self.row is not None:
            self._of_record(place.removeprefix(f"{RECORD}/"), said)
        else:
            self.head.setdefault(place, said)

    def _of_record(self, place: str, said: str) -> None:
        row = self.row
        assert row is not None  # noqa: S101 - asked by the caller
        if place == "row/source_ip":
            row.source_ip = _address(said)
        elif place == "row/count":
            row.mail_count = _number(said)
        elif place == "row/policy_evaluated/disposition":
            row.disposition = _word(said)
        elif place == "row/policy_evaluated/dkim":
            row.has_dkim = said.lower() == "pass"
        elif place == "row/policy_evaluated/spf":
            row.has_spf = said.lower() == "pass"
        elif place == "identifiers/header_from":
            row.header_from = _plain(said, 255).lower()
        elif place == "auth_results/dkim/domain":
            row.signed_by = row.signed_by or _plain(said, 255).lower()
        elif place == "auth_results/spf/domain":
            row.spf_domain = row.spf_domain or _plain(said, 255).lower()


def read_dmarc(data: bytes) -> Aggregate:
    """The report in some XML. Raises BadReport: also for a document type, which no report has, and which brings entities."""
    found = _Reading()
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = (
        found.begin,
        found.end,
        found.say,
    )
    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = _refuse
    parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, ValueError, LookupError):
        raise BadReport(_("The report is no well-formed XML.")) from None
    head = found.head
    return Aggregate(
        domain=_domain(head.get("feedback/policy_published/domain", "")),
        reporter=_plain(head.get("feedback/report_metadata/org_name", ""), 120) or "?",
        report_id=_plain(head.get("feedback/report_metadata/report_id", ""), 200),
        **_between(
            head.get("feedback/report_metadata/date_range/begin", ""),
            head.get("feedback/report_metadata/date_range/end", ""),
        ),
        policy=_word(head.get("feedback/policy_published/p", "")) or "none",
        rows=found.rows,
    )


def _refuse(*_said: Any) -> None:
    raise BadReport(_("The report brings a document type, which no report needs; it was not read."))


def _between(begin: str, end: str) -> dict[str, datetime]:
    """The days of a report: seconds since 1970, or a moment by ISO 8601. Raises BadReport for what cannot be."""
    first, last = _moment(begin), _moment(end)
    now = clock.now()
    if first is None or last is None or last < first or last - first > timedelta(days=31):
        raise BadReport(_("The days of the report make no sense."))
    if first < now - OLDEST or last > now + timedelta(days=2):
        raise BadReport(_("The report is of a time too long ago, or still to come."))
    return {"begins_at": first, "ends_at": last}


def _moment(said: str) -> datetime | None:
    try:
        if re.fullmatch(r"\d{1,12}(?:\.\d+)?", said):
            return datetime.fromtimestamp(int(said.partition(".")[0]), UTC)
        found = datetime.fromisoformat(said.replace("Z", "+00:00"))
    except (ValueError, OverflowError, OSError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _domain(said: str) -> str:
    try:
        return ascii_domain(said.rstrip("."))
    except (BadAddress, ValueError, UnicodeError):
        raise BadReport(_("The report is about no domain.")) from None


def _address(said: str) -> str:
    try:
        return str(ipaddress.ip_address(said))
    except ValueError:
        return "?"


def _number(said: str) -> int:
    return min(int(said), 2_000_000_000) if re.fullmatch(r"\d{1,10}", said) else 0


def _word(said: str) -> str:
    return said.lower() if re.fullmatch(r"[A-Za-z]{1,12}", said) else ""


def _plain(said: str, most: int) -> str:
    return "".join(one for one in said if one.isprintable()).strip()[:most]


def read_tls(data: bytes) -> list[TlsAggregate]:
    """The domains of a TLS report. Raises BadReport."""
    try:
        said = json.loads(data)
        between = _between(str(said["date-range"]["start-datetime"]), str(said["date-range"]["end-datetime"]))
        about = [one for one in said["policies"][:100] if isinstance(one, dict)]
        found = [_of_policy(one, said, between) for one in about]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise BadReport(_("The report is no TLS report in JSON.")) from None
    return found


def _of_policy(one: dict[str, Any], said: dict[str, Any], between: dict[str, datetime]) -> TlsAggregate:
    failures: dict[str, int] = {}
    for detail in (one.get("failure-details") or [])[:200]:
        kind = _plain(str(detail.get("result-type", "")), 60) or "?"
        failures[kind] = failures.get(kind, 0) + _number(str(detail.get("failed-session-count", 0)))
    summary = one.get("summary") or {}
    return TlsAggregate(
        _domain(str(one["policy"]["policy-domain"])), _plain(str(said.get("organization-name", "")), 120) or "?",
        _plain(str(said.get("report-id", "")), 200), **between,
        good_count=_number(str(summary.get("total-successful-session-count", 0))),
        failed_count=_number(str(summary.get("total-failure-session-count", 0))), failures=failures,
    )  # fmt: skip
