"""The records that a domain has to publish so that our mails arrive, each with its exact text, its reason and what is there now."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from crm.mail.dmarc import read_record
from crm.mail.spf import merge_spf, spf_records
from crm.words import _
from ecp.domains.origin import Origin
from ecp.domains.selectors import Held


@dataclass(frozen=True)
class Seen:
    """One check as it is kept: what stands in DNS ("" for nothing), how bad it is, and why, in sentences with their level."""

    kind: str
    name: str
    record: str
    level: str
    found: bool
    findings: Sequence[tuple[str, str, str]]  # code, level, sentence

    @property
    def codes(self) -> set[str]:
        return {code for code, _level, _sentence in self.findings}


@dataclass(frozen=True)
class Wanted:
    """One record to publish. `value` is "" where nothing can be said yet; `is_done`: it stands there as it should.

    `other`: another way to say the same; `now`: the record there is, when it must give way; `role`: of a key."""

    kind: str
    title: str
    type: str
    name: str
    value: str
    why: str
    is_done: bool
    seen: Seen | None = None
    other: str = ""
    now: str = ""
    role: str = ""
    selector: str = ""
    may_go: bool = False
    todo: str = field(default="")

    @property
    def state(self) -> str:
        """ok, notice, problem, unknown, or open when it was never looked for."""
        return self.seen.level if self.seen else "open"

    @property
    def strings(self) -> str:
        """The value in quoted strings of at most 250 characters, as zone files want it."""
        return " ".join(f'"{self.value[at : at + 250]}"' for at in range(0, len(self.value), 250))


def wanted(domain: str, origin: Origin, keys: Sequence[Held], seen: Sequence[Seen], path: str) -> list[Wanted]:
    """All records of a domain, in the order in which one publishes them. `path`: the domain of the return path."""
    found = {(one.kind, one.name if one.kind == "dkim" else ""): one for one in seen}
    return [
        _spf(path, origin, found.get(("spf", ""))),
        *(_dkim(one, found.get(("dkim", one.signer.record_name))) for one in keys),
        _dmarc(domain, origin, found.get(("dmarc", ""))),
        _return_path(path, found.get(("return_path", ""))),
    ]


def _spf(domain: str, origin: Origin, seen: Seen | None) -> Wanted:
    there = spf_records(seen.record.split(" | ")) if seen else []
    name = seen.name if seen else domain
    term = origin.term
    if seen and origin.addresses and {"lookups", "voids"} & seen.codes:
        term = origin.by_address
    is_allowed = seen is not None and bool(there) and not {"not_allowed", "several", "missing"} & seen.codes
    value = merge_spf(there, "" if is_allowed else term) if there or term else ""
    other = merge_spf(there, origin.by_address) if origin.include and origin.by_address and not is_allowed else ""
    return Wanted(
        "spf", _("Who may send (SPF)"), "TXT", name, value,
        _("It lists the servers that may send mail for this domain. A name may have only one such record: change the one that is there, do not add a second."),
        seen is not None and seen.level in ("ok", "notice"), seen, other if other != value else "",
        seen.record if seen and there and [value] != there else "",
        todo="" if value else _("Say first which servers your mails leave from (Sender domains, Where mails leave from)."),
    )  # fmt: skip


def _dkim(one: Held, seen: Seen | None) -> Wanted:
    why = {
        "active": _("With this key receivers verify the signature of every mail: that it is from you and was not changed."),
        "next": _("The key that takes over next. Publish it beside the present one; mails are signed with it once it is seen and switched to."),
        "retired": _("Mails no longer get this signature. Leave the record for a week, until the last mail under way has arrived; then take it out."),
    }[one.state]  # fmt: skip
    return Wanted(
        "dkim", _("Signature (DKIM)"), "TXT", one.signer.record_name, one.signer.record, why,
        bool(seen and seen.found), seen if one.state != "retired" else None, role=one.state, selector=one.selector, may_go=one.may_go,
        now=seen.record if seen and seen.record and not seen.found else "",
    )  # fmt: skip


def _dmarc(domain: str, origin: Origin, seen: Seen | None) -> Wanted:
    has_record = seen is not None and bool(seen.record) and "several" not in seen.codes
    name = f"_dmarc.{seen.name if seen is not None and has_record else domain}"
    value = f"v=DMARC1; p=none; rua=mailto:{origin.reports or f'postmaster@{domain}'}"
    if seen is not None and has_record:
        tags = read_record(seen.record) or {}
        value = seen.record
        if "bad_policy" in seen.codes:
            value = "; ".join(["v=DMARC1", "p=none", *(f"{key}={said}" for key, said in tags.items() if key != "p")])
        if "no_reports" in seen.codes:
            value = f"{value.rstrip('; ')}; rua=mailto:{origin.reports or f'postmaster@{domain}'}"
    return Wanted(
        "dmarc", _("What to do with forgeries (DMARC)"), "TXT", name, value,
        _("It tells receivers what to do with mails that fail both checks above, and where to report them. Begin with p=none, read the reports for some weeks, then go to p=quarantine."),
        seen is not None and seen.level in ("ok", "notice"), seen,
        now=seen.record if seen is not None and has_record and value != seen.record else "",
    )  # fmt: skip


def _return_path(domain: str, seen: Seen | None) -> Wanted:
    is_done = seen is not None and seen.level in ("ok", "notice")
    return Wanted(
        "return_path", _("The way back (return path)"), "MX", seen.name if seen else domain,
        seen.record if seen and is_done and seen.record else "",
        _("Mails that cannot be delivered come back to the sender's domain. It needs a server that takes them; each mail returns to an address with a plus sign (name+code@…), which that server must accept."),
        is_done, seen,
        todo="" if is_done else _("Name the server that takes your incoming mail, such as: 10 mail.%(domain)s", domain=domain),
    )  # fmt: skip
