"""The rules of the large mailbox providers for bulk senders, looked at before a sendout goes: on the very mail that would leave.

Gmail and Yahoo (2024), Microsoft (2025): SPF, DKIM and DMARC aligned with From, one-click leaving (RFC 8058) under the
signature, a visible link, sound headers. The mail is made for somebody who does not exist and is sent to nobody.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, Literal, cast
from urllib.parse import urlsplit

from sqlalchemy import select

from crm import config
from crm.db import db
from crm.engine.refusals import Refused
from crm.engine.registry import modules
from crm.identity import keys
from crm.mail.message import Address, BadAddress
from crm.mail.servers import MailServer
from crm.modules.organisation import organisation
from crm.words import N_, _
from ecp.content.compile import Compiled
from ecp.content.limits import WARN_BYTES
from ecp.domains import checking
from ecp.domains.advice import Seen
from ecp.domains.selectors import signers_of
from ecp.domains.table import SenderDomain
from ecp.pipeline import audience, checks, frozen
from ecp.pipeline.actions import Sendout
from ecp.pipeline.frozen import Frozen
from ecp.pipeline.render import Made, Person, Renderer
from ecp.pipeline.sender import as_sent
from ecp.pipeline.values import Filled

Level = Literal["ok", "notice", "problem", "unknown"]
Verdict = tuple[Level, str]
FREE = frozenset(
    [
        "gmail.com",
        "googlemail.com",
        "yahoo.com",
        "ymail.com",
        "aol.com",
        "outlook.com",
        "hotmail.com",
        "live.com",
        "msn.com",
        "icloud.com",
        "me.com",
        "mac.com",
        "gmx.de",
        "gmx.net",
        "web.de",
        "proton.me",
        "protonmail.com",
        "mail.ru",
        "yandex.ru",
        "zoho.com",
    ]
)
SHORTENERS = frozenset(
    ["bit.ly", "tinyurl.com", "t.co", "goo.gl", "ow.ly", "is.gd", "buff.ly", "rebrand.ly", "cutt.ly", "lnkd.in"]
)
ONCE = ("From", "To", "Subject", "Date", "Message-ID", "MIME-Version")
SIGNED = {"from", "to", "subject", "date", "list-unsubscribe", "list-unsubscribe-post"}


@dataclass(frozen=True)
class Rule:
    """One rule and whether this mail keeps it."""

    key: str
    title: str
    level: Level
    sentence: str


@dataclass
class Looked:
    """What the rules look at. `mail` is None when it cannot be made yet."""

    domain: str
    local: str
    must_offer_leaving: bool
    seen: Sequence[Seen]
    compiled: Compiled | None = None
    mail: EmailMessage | None = None
    octets: int = 0
    longest_line: int = 0
    names: list[str] = field(default_factory=list)

    def found(self, kind: str) -> list[Seen]:
        return [one for one in self.seen if one.kind == kind]

    def part(self, kind: str) -> str:
        """The text of the first part of a type, "" for none."""
        for one in self.mail.walk() if self.mail else ():
            if one.get_content_type() == kind and one.get_content_disposition() != "attachment":
                return str(cast(EmailMessage, one).get_content())
        return ""


def look(sendout: Sendout) -> list[Rule]:
    """Every rule for a draft, in the order of `RULES`; [] while the e-mail has no sender or cannot be compiled."""
    table = modules["email_templates"].table
    row = db.session.execute(select(table).where(table.c.id == sendout.email_template_id)).mappings().first()
    if row is None or not row["sender_address_id"]:
        return []
    said = as_sent(row)
    try:
        sender = Address(said["sender_address"] or "")
        about = _looked(sendout, said, sender)
    except (BadAddress, Refused):
        return []
    rules = []
    for key, title, judge, needs_mail in RULES:
        if needs_mail and about.mail is None:
            continue
        level, sentence = judge(about)
        rules.append(Rule(key, _(title), level, sentence))
    return rules


def _looked(sendout: Sendout, said: Mapping[str, Any], sender: Address) -> Looked:
    list_type_id = checks.settled_list(sendout, tuple(audience.group_ids_of(sendout.id)))
    needs = frozen.needs_unsubscribe(list_type_id)
    compiled, language = frozen.compile_mail(sendout.email_template_id, needs)
    row = db.session.get(SenderDomain, sender.domain)
    about = Looked(sender.domain, sender.local, needs, checking.kept(row), compiled)
    if keys.find("links") is None or keys.find("message_id") is None:
        return about  # nobody has prepared a mail in this house yet; a page that only looks makes no keys
    columns = {"id": sendout.id, "campaign_id": sendout.campaign_id, "creator_id": sendout.creator_id, "source": "ecp"}
    content = Frozen(sendout.id, compiled, tuple(frozen.files_of(sendout.email_template_id)))
    renderer = Renderer(columns | {"list_type_id": list_type_id} | dict(said), content, signers_of(sender.domain))
    made = renderer.make_one(Person(0, "contacts", 0, "somebody@example.org"), Filled({}, {}, language, "no"))
    if isinstance(made, Made):
        data = bytes(made.mail.data).replace(b"\r\n..", b"\r\n.")
        about.mail = message_from_bytes(data, _class=EmailMessage, policy=policy.default)
        about.octets, about.longest_line = len(data), max(map(len, data.split(b"\r\n")))
        about.names = [name.lower() for name in about.mail.keys()]  # noqa: SIM118 - doubles count
    return about


# The rules. Each takes what was looked at and gives a level and a sentence.


def _from(it: Looked) -> Verdict:
    if it.domain in FREE:
        return "problem", _("%(domain)s belongs to a mailbox provider, which forbids mails in its name from other servers. Send from a domain of your own.", domain=it.domain)  # fmt: skip
    if re.match(r"(do-?not-?reply|no-?reply|noreply)", it.local, re.I):
        return "notice", _("Mails come from “%(name)s”. Providers like an address that takes answers.", name=it.local)
    return "ok", _("Mails come from a domain of your own, %(domain)s.", domain=it.domain)


def _record(kind: str, good: str) -> Callable[[Looked], Verdict]:
    """A rule that asks what the last DNS check found of one kind of record."""

    def judge(it: Looked) -> Verdict:
        found = it.found(kind)
        if not found:
            return "unknown", _("The DNS of %(domain)s was not checked yet.", domain=it.domain)
        for wanted in ("problem", "unknown"):
            for one in found:
                for _code, level, sentence in one.findings:
                    if level == wanted:
                        return cast(Level, wanted), sentence
        return "ok", _(good)

    return judge


def _signed(it: Looked) -> Verdict:
    headers = it.mail.get_all("DKIM-Signature", []) if it.mail else []
    tags = [dict(re.findall(r"(\w+)=([^;]*)", re.sub(r"\s+", "", str(one)))) for one in headers]
    aligned = [one for one in tags if _is_aligned(one.get("d", ""), it.domain)]
    if not tags:
        return "problem", _("The mail is not signed. Make a key for %(domain)s under Sender domains.", domain=it.domain)
    if not aligned:
        return "problem", _("The signature is of another domain than the sender's, so it does not count for DMARC.")
    missing = (SIGNED & set(it.names)) - set(aligned[0].get("h", "").lower().split(":"))
    if missing:
        return "problem", _("The signature does not cover: %(names)s.", names=", ".join(sorted(missing)))
    return "ok", _("Signed by %(domain)s, the headers for leaving included.", domain=aligned[0]["d"])


def _is_aligned(signer: str, domain: str) -> bool:
    return domain == signer or domain.endswith(f".{signer}")


def _one_click(it: Looked) -> Verdict:
    if not it.must_offer_leaving:
        return "ok", _("Not asked of essential mails.")
    said = str(it.mail["List-Unsubscribe"] or "") if it.mail else ""
    addresses = re.findall(r"<([^>]*)>", said)
    post = str(it.mail["List-Unsubscribe-Post"] or "") if it.mail else ""
    if post != "List-Unsubscribe=One-Click" or not addresses:
        return "problem", _("The headers for leaving with one click are missing.")
    if sum(one.startswith("https://") for one in addresses) != 1:
        return "problem", _("The address to leave by is not https, so providers show no button. Set CUSTOMERHUB_PUBLIC_URL or CUSTOMERHUB_BASE_URL to the https address of this site.")  # fmt: skip
    return "ok", _("One click leaves the list (RFC 8058), and a mail does so too.")


def _visible_leave(it: Looked) -> Verdict:
    if not it.must_offer_leaving:
        return "ok", _("Not asked of essential mails.")
    body = it.part("text/html") or it.part("text/plain")
    if not re.search(r"/(u|pref)/", body):
        return "problem", _("The mail shows no link to leave by.")
    if it.compiled is not None and it.compiled.footer_was_added:
        return "ok", _("The link to leave by is in the standard footer that is added.")
    return "ok", _("The mail shows a link to leave by.")


def _list_headers(it: Looked) -> Verdict:
    if it.mail and it.mail["List-Id"]:
        return "ok", _("The list has a name that stays the same (List-Id).")
    return ("problem", _("The mail names no list (List-Id). Choose a list type.")) if it.must_offer_leaving else ("ok", _("Not asked of essential mails."))  # fmt: skip


def _form(it: Looked) -> Verdict:
    wrong = [name for name in ONCE if it.names.count(name.lower()) != 1]
    if wrong:
        return "problem", _("These headers must stand in a mail once: %(names)s.", names=", ".join(wrong))
    if it.longest_line > 998:
        return "problem", _("A line of the mail is longer than 998 characters.")
    return "ok", _("Every header that must be there is there once.")


def _text(it: Looked) -> Verdict:
    text, html = it.part("text/plain").strip(), it.part("text/html")
    if not text:
        return "problem", _("The mail has no plain text; filters take that for a sign of junk.")
    if html and len(text) < 20:
        return "notice", _("The plain text says next to nothing. Write it, or write more than pictures.")
    return "ok", _("The mail has a plain text.")


def _size(it: Looked) -> Verdict:
    size = len(it.part("text/html").encode())
    if size > WARN_BYTES:
        return "problem", _(
            "The mail has %(size)s kB; Gmail cuts it at 102 kB, with the link to leave by.", size=size // 1024
        )
    if it.octets > 5 * 1024 * 1024:
        return "notice", _(
            "With its files the mail has %(size)s MB; many servers refuse that.", size=it.octets // 1024 // 1024
        )
    return "ok", _("The mail has %(size)s kB; it is cut from 102 kB on.", size=max(1, size // 1024))


def _links(it: Looked) -> Verdict:
    wrong: dict[str, str] = {}
    targets = [one.url for one in it.compiled.links] if it.compiled else []
    for target in targets:
        if "{" in target.partition("://")[0]:
            continue  # a tag that makes the whole address
        try:
            said = urlsplit(target)
            host = (said.hostname or "").lower()
        except ValueError:
            wrong[target] = _("cannot be read")
            continue
        if host in SHORTENERS:
            wrong[target] = _("hides its target behind a shortener")
        elif re.fullmatch(r"[\d.]+|\[?[0-9a-f:]+\]?", host):
            wrong[target] = _("leads to a number instead of a name")
        elif said.username:
            wrong[target] = _("holds a user name")
        elif said.scheme == "http":
            wrong[target] = _("is not encrypted (http)")
    if not wrong:
        return "ok", _("All links lead to names over https.") if targets else _("The mail has no links of its own.")
    target, why = next(iter(wrong.items()))
    rest = len(wrong) - 1
    said_rest = _(" So do %(count)s more.", count=rest) if rest else ""
    is_bad = any(one != _("is not encrypted (http)") for one in wrong.values())
    return "problem" if is_bad else "notice", _("%(target)s %(why)s.", target=target[:120], why=why) + said_rest


def _encrypted(it: Looked) -> Verdict:
    own = db.session.execute(select(MailServer.security, MailServer.name).where(MailServer.active)).all()
    open_ones = [row.name for row in own if row.security == "none"]
    if open_ones:
        return "notice", _("Mails leave without encryption by: %(names)s.", names=", ".join(open_ones))
    if own:
        return "ok", _("Mails leave encrypted, by servers of your own.")
    url = config.current().smtp_url
    if not url:
        return "notice", _("No mail server is set, so mails go to the local folder.")
    if "starttls=never" in url and urlsplit(url).hostname not in ("localhost", "127.0.0.1", "::1"):
        return "problem", _("Mails leave without encryption (starttls=never in CUSTOMERHUB_SMTP_URL).")
    return "ok", _("Mails leave encrypted where the server offers it, or within this machine.")


def _who(it: Looked) -> Verdict:
    if not it.must_offer_leaving or organisation().address:
        return "ok", _("Recipients learn who writes.")
    return "notice", _(
        "The site has no postal address. Many countries ask for it in mass mails; set it under Site settings."
    )


_SPF = _record("spf", N_("Receivers see that our servers may send for the domain (SPF)."))
_DKIM = _record("dkim", N_("The key of the signature stands in DNS (DKIM)."))
_DMARC = _record("dmarc", N_("The domain says what becomes of forgeries (DMARC)."))
_RETURN = _record("return_path", N_("Bounces and answers find their way back."))
RULES: tuple[
    tuple[str, str, Callable[[Looked], Verdict], bool], ...
] = (  # key, title, judge, whether it needs the mail
    ("from", N_("Sender's domain"), _from, False),
    ("spf", "SPF", _SPF, False),
    ("signed", N_("Signature"), _signed, True),
    ("dkim", "DKIM", _DKIM, False),
    ("dmarc", "DMARC", _DMARC, False),
    ("return_path", N_("Return path"), _RETURN, False),
    ("encrypted", N_("Encryption"), _encrypted, False),
    ("one_click", N_("One-click leaving"), _one_click, True),
    ("leave_link", N_("Visible link to leave by"), _visible_leave, True),
    ("list_id", N_("Name of the list"), _list_headers, True),
    ("form", N_("Headers"), _form, True),
    ("text", N_("Plain text"), _text, True),
    ("size", N_("Size"), _size, True),
    ("links", N_("Links"), _links, False),
    ("who", N_("Postal address"), _who, False),
)
