"""Sites that are followed: their hosts, the key in their snippet, what consent they need, how long visits are kept."""

import ipaddress
import re
import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy.orm import Mapped

from crm.engine import fields as f
from crm.engine.conditions import where
from crm.engine.fields import Choice, PicklistSeed
from crm.engine.module import Block, Filter, Module
from crm.engine.record import Record
from crm.engine.refusals import Fault
from crm.words import _

MOST_MONTHS = 13
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[0-9a-f:.]+\])(?::[1-9]\d{{0,4}})?")
_SEPARATORS = re.compile(r"[\s,;]+")
MODES = PicklistSeed.of(
    "consent_mode", "Consent of visitors",
    Choice("required", "Visits are noted after the site's consent call", "green"),
    Choice("legitimate", "People who come by a personal link are noted until they refuse", "orange"),
)  # fmt: skip


class TrackedSite(Record):
    """One site. Its key stands in public, in the address of the script; it opens nothing but the noting of visits."""

    __tablename__ = "tracked_sites"
    name: Mapped[str] = f.text("Name", max=120)
    domain: Mapped[str] = f.text("Domain", max=200, unique=True, help="example.com; www.example.com goes with it")
    more_hosts: Mapped[str | None] = f.long_text("More host names", max=2000, in_lists=False, help="One a line")
    key: Mapped[str] = f.text("Key", max=40, unique=True, read_only=True)
    active: Mapped[bool] = f.checkbox("Active", default=True)
    consent_mode: Mapped[str] = f.picklist("Consent", "consent_mode", default="required", audited=True)
    counts_all: Mapped[bool] = f.checkbox(
        "Count page views without consent", help="As daily totals: no cookie, no address, no browser is kept"
    )
    kept_months: Mapped[int] = f.whole(
        "Months kept",
        least=1,
        most=MOST_MONTHS,
        default=MOST_MONTHS,
        help="Older visits and daily totals go each night",
    )
    kept_parameters: Mapped[str | None] = f.text(
        "Kept parameters", max=300, in_lists=False,
        help="Names in addresses that tell pages apart, such as product, article; all others are dropped",
    )  # fmt: skip
    excluded_networks: Mapped[str | None] = f.long_text(
        "Addresses left out", max=2000, in_lists=False, help="Your own networks, one a line: 192.0.2.0/24"
    )


def host_of(said: str) -> str:
    """The host of what somebody typed for a domain, an address of a page included; in lower case, letters as they travel."""
    plain = said.strip().lower()
    plain = urlsplit(plain).netloc if "//" in plain else plain.partition("/")[0]
    try:
        return plain if plain.isascii() else plain.encode("idna").decode("ascii")
    except UnicodeError:
        return plain


def hosts_of(row: Mapping[str, Any]) -> frozenset[str]:
    """Every host that belongs to a site, with its port where one is named."""
    found = {row["domain"], *(host_of(one) for one in words(row.get("more_hosts")))}
    return frozenset(found | {host.removeprefix("www.") for host in found} | {f"www.{host}" for host in found})


def words(text: str | None) -> list[str]:
    """The entries of a field that holds several."""
    return [one for one in _SEPARATORS.split(text or "") if one]


def _complete(values: Mapping[str, Any], old: Mapping[str, Any] | None) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if isinstance(values.get("domain"), str):
        found["domain"] = host_of(values["domain"])
    if old is None:
        found["key"] = secrets.token_hex(10)
    return found


def _reads_well(values: Mapping[str, Any], old: Mapping[str, Any] | None) -> dict[str, Fault]:
    """Hosts, networks and parameters are what they are meant to be."""
    faults: dict[str, Fault] = {}
    if values.get("domain") and not _HOST.fullmatch(values["domain"]):
        faults["domain"] = Fault("bad_domain", _("Write the name of a host, such as example.com."))
    for host in words(values.get("more_hosts")):
        if not _HOST.fullmatch(host_of(host)):
            faults["more_hosts"] = Fault("bad_domain", _("“%(said)s” is not the name of a host.", said=host))
    for said in words(values.get("excluded_networks")):
        try:
            ipaddress.ip_network(said, strict=False)
        except ValueError:
            faults["excluded_networks"] = Fault("bad_network", _("“%(said)s” is not an address or network.", said=said))
    for said in words(values.get("kept_parameters")):
        if not re.fullmatch(r"[\w-]{1,40}", said, re.ASCII):
            faults["kept_parameters"] = Fault("bad_name", _("“%(said)s” is not the name of a parameter.", said=said))
    return faults


MODULE = Module(
    TrackedSite,
    label="Followed site",
    plural="Followed sites",
    menu="Marketing",
    icon="world",
    columns=("name", "domain", "active", "consent_mode", "kept_months"),
    facts=("domain", "active", "consent_mode"),
    form=(
        Block("Site", ("name", "domain", "more_hosts", "active", "owner_id")),
        Block("Privacy", ("consent_mode", "counts_all", "kept_months", "kept_parameters", "excluded_networks")),
    ),
    search=("name", "domain"),
    sort=("name",),
    filters=(Filter("active", "Active", where("active", "is", True)),),
    picklists=(MODES,),
    derives=(_complete,),
    checks=(_reads_well,),
    areas={"create": "ecp_admin", "edit": "ecp_admin", "delete": "ecp_admin"},
    importable=False,
    in_ecp=True,
)
