"""DMARC as of RFC 9989 (2026): the tree walk instead of the public suffix list, new tags known, old ones tolerated."""

from __future__ import annotations

import re
from dataclasses import dataclass

from crm.mail.dns_lookup import Check, Finding, Lookup, NoAnswer
from crm.words import told as _

_DEEPEST = 8  # RFC 9989 4.10: a name of more labels is cut to 7 at once
_POLICIES = ("none", "quarantine", "reject")
_GONE = ("pct", "rf", "ri")


@dataclass(frozen=True, slots=True)
class Policy:
    """A DMARC record that counts: where it stands, its text and its tags (names in lower case)."""

    domain: str
    record: str
    tags: dict[str, str]


def read_record(text: str) -> dict[str, str] | None:
    """Tags of a DMARC record, None when it isn't one. Unknown tags are kept, broken ones left out."""
    first, *rest = text.split(";")
    if not re.fullmatch(r"\s*v\s*=\s*DMARC1\s*", first):
        return None
    tags: dict[str, str] = {}
    for part in rest:
        key, equals, value = part.partition("=")
        if equals and re.fullmatch(r"\s*[A-Za-z]\w*\s*", key):
            tags.setdefault(key.strip().lower(), value.strip())
    return tags


def walk_tree(domain: str, lookup: Lookup) -> list[Policy]:
    """The records from `domain` up towards the root (RFC 9989 4.10); a name with two records counts as one with none."""
    labels = domain.lower().rstrip(".").split(".")
    found = []
    while labels:
        name = ".".join(labels)
        records = [(text, tags) for text in lookup.texts(f"_dmarc.{name}") if (tags := read_record(text)) is not None]
        if len(records) == 1:
            policy = Policy(name, *records[0])
            found.append(policy)
            psd = policy.tags.get("psd", "u").lower()
            if psd == "n" or (psd == "y" and name != domain):
                break
        labels = labels[-(_DEEPEST - 1) :] if len(labels) > _DEEPEST else labels[1:]
    return found


def organizational_domain(domain: str, found: list[Policy]) -> str:
    """The name whose records speak for `domain` (RFC 9989 4.10.2): psd=n names it, psd=y stands right above it, else the
    highest name that has a record, else `domain` itself."""
    domain = domain.lower().rstrip(".")
    for policy in found:
        psd = policy.tags.get("psd", "u").lower()
        if psd == "n":
            return policy.domain
        if psd == "y" and policy.domain != domain:
            depth = policy.domain.count(".") + 2
            return ".".join(domain.split(".")[-depth:])
    return found[-1].domain if found else domain


def check_dmarc(domain: str, lookup: Lookup, return_path_domain: str = "", signing_domain: str = "") -> Check:
    """Look at the DMARC policy that holds for `domain`; `return_path_domain` (of our VERP addresses) and `signing_domain` (of
    our DKIM keys) should align with it."""
    try:
        found = walk_tree(domain, lookup)
        organization = organizational_domain(domain, found)
        policy = next((each for each in found if each.domain in (domain, organization)), found[-1] if found else None)
        if policy is None and (count := _count_records(domain, lookup)) > 1:
            sentence = _(
                "%(domain)s has %(count)s DMARC records; receivers then ignore them all. Keep one.",
                domain=domain,
                count=count,
            )
            return Check("dmarc", domain, "", (Finding("several", "problem", sentence),))
        if policy is None:
            sentence = _(
                "%(domain)s has no DMARC record; the large mailbox providers ask for one. Begin with “v=DMARC1; p=none; rua=mailto:…”.",
                domain=domain,
            )
            return Check("dmarc", domain, "", (Finding("missing", "problem", sentence),))
        findings = _judge(domain, policy)
        if return_path_domain and return_path_domain != domain:
            findings += _alignment(policy, organization, return_path_domain, lookup)
        if signing_domain and signing_domain != domain and policy.tags.get("adkim", "r").lower() == "s":
            sentence = _(
                "The DMARC record wants DKIM aligned exactly (adkim=s), but mails are signed by %(name)s. Make a key for %(domain)s itself.",
                name=signing_domain,
                domain=domain,
            )
            findings.append(Finding("strict_dkim", "problem", sentence))
        findings += _reports(policy, lookup)
    except NoAnswer as problem:
        return Check("dmarc", domain, "", (Finding("no_answer", "unknown", problem.sentence),))
    if not findings:
        findings = [Finding("ok", "ok", _("The DMARC record is good (it stands at %(domain)s).", domain=policy.domain))]
    return Check("dmarc", policy.domain, policy.record, tuple(findings))


def _judge(domain: str, policy: Policy) -> list[Finding]:
    tags, out = policy.tags, []
    key = "sp" if policy.domain != domain and "sp" in tags else "p"
    wish = tags.get(key, "none").lower()
    if wish not in _POLICIES:
        sentence = _(
            "“%(key)s=%(wish)s” is not a policy; receivers read it as none. Use none, quarantine or reject.",
            key=key,
            wish=wish,
        )
        out.append(Finding("bad_policy", "problem", sentence))
    elif wish == "none":
        out.append(
            Finding("none", "notice", _("The DMARC policy is “none”: forged mail is reported but still delivered."))
        )
    if tags.get("t", "n").lower() == "y":
        out.append(
            Finding(
                "testing", "notice", _("The DMARC record is marked as a test (t=y); receivers act one step milder.")
            )
        )
    if not tags.get("rua"):
        out.append(
            Finding(
                "no_reports", "notice", _("The DMARC record asks for no reports (rua=mailto:…); forgeries stay unseen.")
            )
        )
    gone = [tag for tag in _GONE if tag in tags]
    if gone:
        sentence = _(
            "The DMARC record has tags that are no longer used since RFC 9989: %(names)s.", names=", ".join(gone)
        )
        out.append(Finding("old_tags", "notice", sentence))
    return out


def _count_records(domain: str, lookup: Lookup) -> int:
    """How many DMARC records stand at the name itself."""
    return sum(read_record(text) is not None for text in lookup.texts(f"_dmarc.{domain}"))


def _reports(policy: Policy, lookup: Lookup) -> list[Finding]:
    """Whether those who get the reports have agreed to it, when they are of another organisation (RFC 9990)."""
    out = []
    for address in policy.tags.get("rua", "").split(",")[:5]:
        target = re.fullmatch(r"\s*mailto:[^@\s]+@([A-Za-z0-9.-]+?)\.?(?:!\w+)?\s*", address, re.I)
        if target is None:
            if address.strip():
                sentence = _(
                    "“%(address)s” in the DMARC record is no address for reports (mailto:…).",
                    address=address.strip()[:80],
                )
                out.append(Finding("bad_reports", "notice", sentence))
            continue
        host = target.group(1).lower()
        ends = (host, policy.domain)
        if host == policy.domain or any(a.endswith(f".{b}") for a, b in (ends, ends[::-1])):
            continue
        name = f"{policy.domain}._report._dmarc.{host}"
        if not any(text.replace(" ", "").startswith("v=DMARC1") for text in lookup.texts(name)):
            sentence = _(
                "Reports go to %(host)s, which has not agreed to take them: it needs the record %(name)s with “v=DMARC1”.",
                host=host,
                name=name,
            )
            out.append(Finding("reports_refused", "notice", sentence))
    return out


def _alignment(policy: Policy, organization: str, return_path_domain: str, lookup: Lookup) -> list[Finding]:
    if policy.tags.get("aspf", "r").lower() == "s":
        sentence = _(
            "The DMARC record wants SPF aligned exactly (aspf=s), but bounces go to another name; only DKIM can pass."
        )
        return [Finding("strict_spf", "notice", sentence)]
    other = organizational_domain(return_path_domain, walk_tree(return_path_domain, lookup))
    if other != organization:
        sentence = _(
            "Bounces go to %(return_path_domain)s, which does not belong to %(organization)s: SPF cannot pass DMARC, only DKIM can.",
            return_path_domain=return_path_domain,
            organization=organization,
        )
        return [Finding("not_aligned", "notice", sentence)]
    return []
