"""Is a sender's domain ready? SPF, DKIM, DMARC and the way back of bounces, looked up and told in plain sentences, as data."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import dns.resolver
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from crm.mail.dmarc import check_dmarc
from crm.mail.dns_lookup import Check, Finding, Level, Lookup, NoAnswer
from crm.mail.message import ascii_domain
from crm.mail.spf import check_spf
from crm.words import told as _

__all__ = ["Check", "DomainReport", "Finding", "check_dkim", "check_domain", "check_return_path"]
GOOD_BITS, LEAST_BITS = 2048, 1024  # of an RSA key: what is asked for; below which receivers ignore it (RFC 8301)


@dataclass(frozen=True, slots=True)
class DomainReport:
    """All that was found about one domain."""

    domain: str
    spf: Check
    dkim: tuple[Check, ...]
    dmarc: Check
    return_path: Check | None = None

    @property
    def checks(self) -> tuple[Check, ...]:
        """All of them, in the order in which they are told."""
        return (self.spf, *self.dkim, self.dmarc, *((self.return_path,) if self.return_path else ()))

    @property
    def level(self) -> Level:
        """The worst level of all checks: problem, unknown, notice or ok."""
        order: tuple[Level, ...] = ("problem", "unknown", "notice", "ok")
        return min((check.level for check in self.checks), key=order.index)


def check_domain(
    domain: str,
    *,
    keys: Mapping[str, str],
    spf_include: str = "",
    addresses: Sequence[str] = (),
    return_path_domain: str = "",
    signing_domain: str = "",
    resolver: dns.resolver.Resolver | None = None,
    seconds: float = 5.0,
) -> DomainReport:
    """Check a domain that mails are sent from. Takes up to some seconds a look-up: call it from a job, not from a page.

    `keys`: selector → record text (`Signer.record`), which stand at `signing_domain` (default: `domain`); SPF is judged on the
    return path's domain when that is another one.
    Raises `BadAddress` when `domain` is no domain name."""
    name, lookup = ascii_domain(domain), Lookup(resolver, seconds)
    path = ascii_domain(return_path_domain) if return_path_domain else name
    spf = check_spf(path, lookup, spf_include, addresses)
    signs = ascii_domain(signing_domain) if signing_domain else name
    dkim = tuple(check_dkim(signs, selector, expected, lookup) for selector, expected in keys.items())
    if not keys:
        none = Finding(
            "no_key",
            "problem",
            _("There is no DKIM key for %(name)s; mails are not signed. Make one and publish its record.", name=name),
        )
        dkim = (Check("dkim", name, "", (none,)),)
    dmarc = check_dmarc(name, lookup, path, signs)
    return DomainReport(name, spf, dkim, dmarc, check_return_path(path, lookup))


def check_return_path(domain: str, lookup: Lookup) -> Check:
    """Can bounces come back: has the domain of the return path a server that takes mail?"""
    try:
        hosts = lookup.exchanges(domain)
        if hosts == [""] or hosts == ["."]:
            sentence = _(
                "%(domain)s says that it takes no mail (an empty MX): bounces and answers are lost.", domain=domain
            )
            return Check("return_path", domain, "", (Finding("no_mail", "problem", sentence),))
        if not hosts and not lookup.addresses(domain):
            sentence = _("%(domain)s has no MX record: bounces and answers cannot come back.", domain=domain)
            return Check("return_path", domain, "", (Finding("missing", "problem", sentence),))
        dead = [host for host in hosts[:10] if not lookup.addresses(host)]
    except NoAnswer as problem:
        return Check("return_path", domain, "", (Finding("no_answer", "unknown", problem.sentence),))
    record = ", ".join(hosts)
    if hosts and len(dead) == len(hosts[:10]):
        sentence = _(
            "The mail servers of %(domain)s (%(names)s) have no address: bounces cannot come back.",
            domain=domain,
            names=record,
        )
        return Check("return_path", domain, record, (Finding("dead_host", "problem", sentence),))
    if not hosts:
        sentence = _(
            "%(domain)s has no MX record; bounces go to its address itself. An MX record is clearer.", domain=domain
        )
        return Check("return_path", domain, "", (Finding("implicit", "notice", sentence),))
    sentence = _("Bounces come back to the mail servers of %(domain)s.", domain=domain)
    return Check("return_path", domain, record, (Finding("ok", "ok", sentence),))


def check_dkim(domain: str, selector: str, expected: str, lookup: Lookup) -> Check:
    """Does the published key of `selector` equal ours (`expected`: the record text that we asked to publish)?"""
    name = f"{selector}._domainkey.{domain}"
    try:
        records = [text for text in lookup.texts(name) if _tags(text).get("p") is not None]
    except NoAnswer as problem:
        return Check("dkim", name, "", (Finding("no_answer", "unknown", problem.sentence),))
    if not records:
        return Check(
            "dkim",
            name,
            "",
            (Finding("missing", "problem", _("There is no DKIM key at %(name)s: publish the record.", name=name)),),
        )
    if len(records) > 1:
        sentence = _(
            "There are %(count)s DKIM keys at %(name)s; receivers may take the wrong one. Keep one.",
            count=len(records),
            name=name,
        )
        return Check("dkim", name, " | ".join(records), (Finding("several", "problem", sentence),))
    tags = _tags(records[0])
    findings = []
    if not tags["p"]:
        findings.append(
            Finding("revoked", "problem", _("The DKIM key at %(name)s is withdrawn (its p= is empty).", name=name))
        )
    elif tags["p"] != _tags(expected).get("p"):
        findings.append(_wrong_key(name, tags, _tags(expected)))
    elif tags.get("k", "rsa").lower() != _tags(expected).get("k", "rsa"):
        sentence = _(
            "The record at %(name)s names another kind of key (k=) than ours. Publish the record anew.", name=name
        )
        findings.append(Finding("other_kind", "problem", sentence))
    elif tags.get("k", "rsa") == "rsa" and _bits(tags["p"]) < GOOD_BITS:
        findings.append(Finding("short_key", "notice", _("The DKIM key is shorter than 2048 bits; make a new one.")))
    if "y" in tags.get("t", "").split(":"):
        findings.append(
            Finding(
                "testing", "notice", _("The DKIM record is marked as a test (t=y); receivers may ignore signatures.")
            )
        )
    if not findings:
        findings = [Finding("ok", "ok", _("The DKIM key at %(name)s is good.", name=name))]
    return Check("dkim", name, records[0], tuple(findings))


def _wrong_key(name: str, tags: Mapping[str, str], ours: Mapping[str, str]) -> Finding:
    """A published key that is not ours, as exactly as it can be said."""
    published, wanted = tags["p"], ours.get("p", "")
    if len(published) < len(wanted) and wanted.startswith(published):
        sentence = _(
            "The DKIM key at %(name)s is cut off after %(count)s characters. Publish it whole, in two strings if need be.",
            name=name,
            count=len(published),
        )
        return Finding("cut", "problem", sentence)
    bits = _bits(published)
    if tags.get("k", "rsa").lower() == "rsa" and 0 < bits < LEAST_BITS:
        sentence = _(
            "The DKIM key at %(name)s has %(bits)s bits only: receivers ignore it, and it is not ours. Publish the record anew.",
            name=name,
            bits=bits,
        )
        return Finding("short_key", "problem", sentence)
    sentence = _(
        "The DKIM key at %(name)s is not ours: it was cut, mistyped or replaced. Publish the record anew.", name=name
    )
    return Finding("other_key", "problem", sentence)


def _tags(record: str) -> dict[str, str]:
    """Tags of a DKIM record; white space inside values does not count."""
    pairs = (part.partition("=") for part in record.split(";"))
    return {key.strip(): "".join(value.split()) for key, equals, value in pairs if equals}


def _bits(key: str) -> int:
    """Size of a published RSA key, 0 when it cannot be read."""
    try:
        public = load_der_public_key(base64.b64decode(key))
    except (ValueError, TypeError, binascii.Error, UnsupportedAlgorithm):
        return 0
    return public.key_size if isinstance(public, RSAPublicKey) else 0
