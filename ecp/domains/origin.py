"""Where our mails come from, as the DNS of sender domains must name it: a setting of the site, else what the mail server tells."""

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from sqlalchemy import delete, insert, select

from crm import clock, config
from crm.db import db
from crm.engine.refusals import Fault, Refused
from crm.mail.message import Address, BadAddress, ascii_domain
from crm.modules.organisation import SiteSetting
from crm.words import _

NAME = "mail_origin"
MOST_ADDRESSES = 20


@dataclass(frozen=True)
class Origin:
    """`include`: a name whose SPF record lists our servers. `addresses`: theirs. `reports`: who gets DMARC reports.

    `host`: the mail server that we hand mails to, "" when it is in the house and tells nothing."""

    include: str = ""
    addresses: tuple[str, ...] = ()
    reports: str = ""
    host: str = ""

    @property
    def term(self) -> str:
        """What an SPF record needs for us, the best way first; "" when nothing is known."""
        return f"include:{self.include}" if self.include else self.by_address

    @property
    def by_address(self) -> str:
        """The same without an include: no further look-ups where the addresses are known."""
        if self.addresses:
            return " ".join(f"ip{6 if ':' in one else 4}:{one}" for one in self.addresses)
        return f"a:{self.host}" if self.host else ""


def origin() -> Origin:
    """As it is set now."""
    said = db.session.execute(select(SiteSetting.value).where(SiteSetting.name == NAME)).scalar() or {}
    return Origin(
        said.get("include", ""),
        tuple(said.get("addresses", ())),
        said.get("reports", ""),
        _host(config.current().smtp_url),
    )


def _host(smtp_url: str) -> str:
    """The host of a mail server that stands in the world under a name; "" for one in the house or an address."""
    host = (urlsplit(smtp_url).hostname or "") if smtp_url else ""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return host if "." in host else ""
    return ""


def change(include: str, addresses: str, reports: str) -> Origin:
    """Set it from what was typed; addresses stand apart by blanks, commas or lines. Raises Refused. The caller commits."""
    faults: dict[str, list[Fault]] = {}
    include, reports = include.strip().removeprefix("include:").rstrip(".").lower(), reports.strip()
    try:
        include = ascii_domain(include) if include else ""
    except BadAddress as bad:
        faults["include"] = [Fault("bad_domain", str(bad))]
    found: list[str] = []
    for each in filter(None, re.split(r"[\s,;]+", addresses)):
        try:
            one = ipaddress.ip_network(each.removeprefix("ip4:").removeprefix("ip6:"), strict=False)
        except ValueError:
            faults["addresses"] = [Fault("bad_address", _("“%(said)s” is no IP address.", said=each[:60]))]
            continue
        if not one.is_global:
            sentence = _(
                "“%(said)s” is an address inside a house; receivers see the one that mails leave it by.", said=each[:60]
            )
            faults["addresses"] = [Fault("not_global", sentence)]
        short = str(one.network_address) if one.num_addresses == 1 else str(one)
        found += [] if short in found else [short]
    if len(found) > MOST_ADDRESSES:
        sentence = _("At most %(most)s addresses; name a network or an include instead.", most=MOST_ADDRESSES)
        faults["addresses"] = [Fault("too_many", sentence)]
    try:
        reports = Address(reports).addr if reports else ""
    except BadAddress as bad:
        faults["reports"] = [Fault("bad_email", str(bad))]
    if faults:
        raise Refused(faults)
    db.session.execute(delete(SiteSetting).where(SiteSetting.name == NAME))
    value = {"include": include, "addresses": found, "reports": reports}
    db.session.execute(insert(SiteSetting).values(name=NAME, value=value, changed_at=clock.now()))
    return origin()
