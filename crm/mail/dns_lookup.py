"""Asking the DNS, with the three answers that matter told apart: here it is, there is none, and nobody answered."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import dns.exception
import dns.nameserver
import dns.resolver

from crm.words import told as _

Level = Literal["ok", "notice", "problem", "unknown"]


class NoAnswer(Exception):
    """The name servers did not answer; nothing can be said about the record. `sentence` says why."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing seen: a code for programs, a plain sentence for people."""

    code: str
    level: Level
    sentence: str


@dataclass(frozen=True, slots=True)
class Check:
    """What was found about one record: the text itself ("" when there is none) and the findings in order of weight."""

    kind: Literal["spf", "dkim", "dmarc", "return_path"]
    name: str
    record: str
    findings: tuple[Finding, ...]

    @property
    def level(self) -> Level:
        """The worst of the findings."""
        order: tuple[Level, ...] = ("problem", "unknown", "notice", "ok")
        return min((finding.level for finding in self.findings), key=order.index, default="ok")


def use_name_servers(servers: Sequence[tuple[str, int]]) -> None:
    """Ask these (address, port) from now on in this process, instead of those of the system."""
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers = [dns.nameserver.Do53Nameserver(address, port) for address, port in servers]
    dns.resolver.default_resolver = resolver


class Lookup:
    """A resolver with the questions we have. `resolver` is dnspython's; the default one asks the system's name servers.

    `seconds`: for one answer; `in_all`: for all of a check, so that servers that are slow on purpose cost no worker an hour."""

    def __init__(
        self, resolver: dns.resolver.Resolver | None = None, seconds: float = 5.0, in_all: float = 60.0
    ) -> None:
        self.resolver = resolver or dns.resolver.get_default_resolver()
        self.seconds = seconds
        self._until = time.monotonic() + in_all

    def texts(self, name: str) -> list[str]:
        """TXT records of a name, the strings of each joined without a space (RFC 7208 3.3); [] when there are none."""
        return [b"".join(record.strings).decode("utf-8", "replace") for record in self._ask(name, "TXT")]

    def addresses(self, name: str) -> list[str]:
        """IPv4 and IPv6 addresses of a name."""
        return [record.address for kind in ("A", "AAAA") for record in self._ask(name, kind)]

    def exchanges(self, name: str) -> list[str]:
        """Names of the mail exchangers of a domain."""
        return [record.exchange.to_text(omit_final_dot=True) for record in self._ask(name, "MX")]

    def _ask(self, name: str, kind: str) -> list[Any]:
        left = self._until - time.monotonic()
        if left <= 0:
            raise NoAnswer(_("The name servers answer so slowly that the check was given up at %(name)s.", name=name))
        try:
            return list(self.resolver.resolve(name, kind, lifetime=min(self.seconds, left), search=False))
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return []
        except (dns.exception.SyntaxError, dns.name.LabelTooLong, dns.name.NameTooLong, dns.name.EmptyLabel):
            return []
        except dns.exception.DNSException as problem:
            raise NoAnswer(
                _(
                    "The name servers gave no usable answer for %(name)s: %(problem)s.",
                    name=name,
                    problem=_why(problem),
                )
            ) from None


def _why(problem: dns.exception.DNSException) -> str:
    """What a person can do something with; the name of the exception where there is no more to say."""
    if isinstance(problem, dns.exception.Timeout):
        return _("they took too long")
    if isinstance(problem, dns.resolver.NoNameservers):
        return _("they failed, or sent something that is no answer")
    return type(problem).__name__
