"""SPF (RFC 7208): is there one record, can receivers evaluate it within their limits, and does it allow us to send?"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from crm.mail.dns_lookup import Check, Finding, Lookup, NoAnswer
from crm.words import told as _

LOOKUPS = 10  # RFC 7208 4.6.4
VOIDS = 2
_TERM = re.compile(r"([+\-~?]?)(all|include|a|mx|ptr|ip4|ip6|exists)(?::([^/]+(?:/\d.*)?|\S+))?(/\S*)?", re.I).fullmatch
_MODIFIER = re.compile(r"([a-z][a-z0-9_.\-]*)=(\S*)", re.I).fullmatch

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(slots=True)
class _Walk:
    """What one evaluation has seen so far."""

    lookup: Lookup
    lookups: int = 0
    voids: int = 0
    networks: list[Network] = field(default_factory=list)
    includes: set[str] = field(default_factory=set)
    problems: list[Finding] = field(default_factory=list)
    end: str = ""


def spf_records(texts: Sequence[str]) -> list[str]:
    """Those of a name's TXT records that are SPF records (RFC 7208 4.5)."""
    return [text for text in texts if re.match(r"v=spf1(?: |$)", text, re.I)]


def check_spf(domain: str, lookup: Lookup, include: str = "", addresses: Sequence[str] = ()) -> Check:
    """Look at the SPF record of `domain`. `include` is the name that it should include and `addresses` are the IP addresses
    that mails leave from; the record is good when it names the one or covers all of the others."""
    try:
        records = spf_records(lookup.texts(domain))
    except NoAnswer as problem:
        return Check("spf", domain, "", (Finding("no_answer", "unknown", problem.sentence),))
    if not records:
        sentence = _("%(domain)s has no SPF record: receivers cannot know that we may send for it.", domain=domain)
        return Check("spf", domain, "", (Finding("missing", "problem", sentence),))
    if len(records) > 1:
        sentence = _(
            "%(domain)s has %(count)s SPF records; receivers then ignore them all. Join them into one.",
            domain=domain,
            count=len(records),
        )
        return Check("spf", domain, " | ".join(records), (Finding("several", "problem", sentence),))
    walk = _Walk(lookup)
    try:
        _follow(walk, domain, records[0], (domain,), top=True)
    except NoAnswer as problem:
        walk.problems.append(Finding("no_answer", "unknown", problem.sentence))
    findings = [*walk.problems, *_limits(walk), *_permission(walk, include, addresses), *_ending(walk)]
    if not findings:
        findings = [
            Finding(
                "ok",
                "ok",
                _(
                    "The SPF record is good; it needs %(count)s of %(most)s look-ups.",
                    count=walk.lookups,
                    most=LOOKUPS,
                ),
            )
        ]
    return Check("spf", domain, records[0], tuple(findings))


def _follow(walk: _Walk, domain: str, record: str, path: tuple[str, ...], *, top: bool) -> None:
    redirect = ""
    for term in record.split()[1:]:
        modifier, mechanism = _MODIFIER(term), _TERM(term)
        if modifier:
            if modifier.group(1).lower() == "redirect":
                redirect = modifier.group(2)
        elif mechanism:
            sign, name, target, cidr = mechanism.groups()
            if name.lower() == "all":
                walk.end = (sign or "+") if top else walk.end
                return  # what stands behind is never looked at, nor is redirect
            _mechanism(walk, domain, name.lower(), target or "", cidr or "", path, passes=sign in ("", "+"))
        else:
            sentence = _(
                "“%(name)s” in the SPF record of %(domain)s is not a known term; receivers then ignore the whole record.",
                name=term[:80],
                domain=domain,
            )
            walk.problems.append(Finding("syntax", "problem", sentence))
    if redirect:
        _descend(walk, redirect.rstrip(".").lower(), path, top=top)


def _mechanism(
    walk: _Walk, domain: str, name: str, target: str, cidr: str, path: tuple[str, ...], *, passes: bool
) -> None:
    if name in ("ip4", "ip6"):
        try:
            network = ipaddress.ip_network(target + cidr, strict=False)
        except ValueError:
            sentence = _(
                "“%(name)s:%(target)s%(cidr)s” in the SPF record of %(domain)s is not an address.",
                name=name,
                target=target,
                cidr=cidr,
                domain=domain,
            )
            walk.problems.append(Finding("syntax", "problem", sentence))
            return
        if passes:
            walk.networks.append(network)
        return
    host, _slash, prefix = (target or domain).partition("/")
    host, prefix = host.rstrip(".").lower(), prefix or cidr.lstrip("/")
    if name == "include":
        if passes:
            walk.includes.add(host)
        _descend(walk, host, path, top=False)
        return
    walk.lookups += 1
    if name in ("ptr", "exists") or "%" in host or walk.lookups > LOOKUPS:
        return
    hosts = [host]
    if name == "mx":
        hosts = walk.lookup.exchanges(host)
        walk.voids += not hosts
        if len(hosts) > LOOKUPS:
            sentence = _(
                "“mx” of %(host)s has %(count)s exchangers; receivers look at %(most)s and then give up.",
                host=host,
                count=len(hosts),
                most=LOOKUPS,
            )
            walk.problems.append(Finding("mx_limit", "problem", sentence))
    for each in hosts[:LOOKUPS]:
        found = walk.lookup.addresses(each)
        walk.voids += not found
        if passes:
            walk.networks += [_network(address, prefix) for address in found]


def _network(address: str, prefix: str) -> Network:
    """The network of a host address with the dual prefix of RFC 7208 5.3 (`/24//64`); without one the address itself."""
    four, _slashes, six = prefix.partition("//")
    wanted = six if ":" in address else four
    return ipaddress.ip_network(f"{address}/{wanted}" if wanted.isdigit() else address, strict=False)


def _descend(walk: _Walk, name: str, path: tuple[str, ...], *, top: bool) -> None:
    """Follow include or redirect: one look-up, no circle, exactly one record at the other end."""
    walk.lookups += 1
    if name in path:
        sentence = _("The SPF records go in a circle: %(names)s.", names=" → ".join((*path, name)))
        walk.problems.append(Finding("loop", "problem", sentence))
        return
    if "%" in name or walk.lookups > LOOKUPS:
        return
    texts = walk.lookup.texts(name)
    walk.voids += not texts
    records = spf_records(texts)
    if len(records) != 1:
        what = _("no SPF record") if not records else _("%(count)s SPF records", count=len(records))
        sentence = _(
            "The SPF record refers to %(name)s, which has %(what)s; receivers then ignore the whole record.",
            name=name,
            what=what,
        )
        walk.problems.append(Finding("broken_include", "problem", sentence))
        return
    _follow(walk, name, records[0], (*path, name), top=top)


def _limits(walk: _Walk) -> list[Finding]:
    out = []
    if walk.lookups > LOOKUPS:
        sentence = _(
            "The SPF record needs more than %(most)s look-ups; receivers then ignore it. Remove includes that are not needed.",
            most=LOOKUPS,
        )
        out.append(Finding("lookups", "problem", sentence))
    if walk.voids > VOIDS:
        sentence = _(
            "%(count)s look-ups of the SPF record lead nowhere; receivers allow %(most)s. Remove names that no longer exist.",
            count=walk.voids,
            most=VOIDS,
        )
        out.append(Finding("voids", "problem", sentence))
    return out


def _permission(walk: _Walk, include: str, addresses: Sequence[str]) -> list[Finding]:
    if include and include.rstrip(".").lower() in walk.includes:
        return []
    ours = [ipaddress.ip_address(address) for address in addresses]
    missing = [str(address) for address in ours if not any(address in network for network in walk.networks)]
    if walk.end == "+" or not (include or missing) or (ours and not missing):
        return []
    wanted = f"include:{include}" if include else " ".join(f"ip{6 if ':' in each else 4}:{each}" for each in missing)
    return [
        Finding(
            "not_allowed",
            "problem",
            _("The SPF record does not allow us to send. Add “%(wanted)s” before its last term.", wanted=wanted),
        )
    ]


def _ending(walk: _Walk) -> list[Finding]:
    if walk.end == "+":
        return [Finding("all_may", "problem", _("The SPF record ends in “+all”: anybody may send for this domain."))]
    if walk.end == "~":
        return [
            Finding(
                "softfail",
                "notice",
                _("The SPF record ends in “~all” (softfail); “-all” is clearer when all senders are listed."),
            )
        ]
    if walk.end in ("", "?"):
        return [
            Finding(
                "neutral",
                "notice",
                _("The SPF record does not say what happens to other senders; end it in “-all” or “~all”."),
            )
        ]
    return []


def merge_spf(records: Sequence[str], wanted: str = "") -> str:
    """One record that says what `records` say together and allows `wanted` (a term such as "include:x") as well.

    Terms keep their order, doubles are left out; it ends as the first record that says how, in ~all where none does."""
    terms: list[str] = []
    ends: list[str] = []
    redirects: list[str] = []
    for record in records:
        for term in record.split()[1:]:
            name = term.lower().lstrip("+-~?").rstrip(".")
            if name == "all":
                ends.append("~all" if term.lower() in ("all", "+all", "?all") else term.lower())
                break
            if name.startswith("redirect="):
                redirects.append(term)
            elif term.lower() not in [each.lower() for each in terms]:
                terms.append(term)
    new = [each for each in wanted.split() if each.lower() not in [term.lower() for term in terms]]
    if redirects and not ends and len(records) == 1:
        return " ".join(("v=spf1", *terms, *new, redirects[0]))
    terms += [f"include:{each.partition('=')[2]}" for each in redirects if not ends]
    return " ".join(("v=spf1", *terms, *new, (ends or ["~all"])[0]))
