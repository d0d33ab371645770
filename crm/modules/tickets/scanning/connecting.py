"""The connection to a mailbox as administrators type it: read, and tried against the real server before it is saved."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from crm.db import db
from crm.engine.refusals import Fault, Refused
from crm.mail import oauth
from crm.mail.mailbox import ENCRYPTIONS, Account, MailboxError, opened, read_authorities
from crm.modules.tickets.scanning import entry
from crm.modules.tickets.scanning.entry import Secrets
from crm.words import _

AUTHS = ("password", "oauth2")
WHERE = (
    "host",
    "username",
    "auth",
    "token_address",
    "client_id",
)  # secrets are good there, and are handed to nobody else
AT_FIELD = {
    "certificate": "validates_certificate", "provider": "token_address", "token": "refresh_token",
}  # fmt: skip


@dataclass(frozen=True)
class Checked:
    """What a test of the connection found: the folders of the mailbox."""

    folders: tuple[str, ...]


def look(account: Account) -> Checked:
    """Log in and list the folders. Raises MailboxError. Takes as long as the server does: no transaction may be open."""
    with opened(account) as box:
        return Checked(tuple(box.folders()))


def get_in(
    row: dict[str, Any], secrets: Secrets, old: Mapping[str, Any] | None, room: str = entry.ROOM,
    look: Callable[[Account], Checked] = look,
) -> tuple[Checked, Secrets]:  # fmt: skip
    """Try the connection; gives what was found and the secrets as they are then. Raises Refused. Ends the transaction.

    Empty secrets are those that `old` has, unless they would now be handed to another server."""
    if old is not None and all((old[name] or None) == (row[name] or None) for name in WHERE):
        secrets = secrets.over(entry.kept(old["id"], room))
    if not secrets.suffice(row["auth"]):
        raise _lacking(row["auth"])
    db.session.rollback()  # the server may be slow; nothing is locked meanwhile
    try:
        return _try(row, secrets, look)
    except MailboxError as problem:
        way_in = "refresh_token" if row["auth"] == "oauth2" else "password"
        name = (AT_FIELD | {"login": way_in}).get(problem.code, "host")
        raise Refused({name: [Fault(problem.code, str(problem))]}) from None


def _lacking(auth: str) -> Refused:
    if auth == "oauth2":
        return Refused.because(
            "required", _("Give the refresh token that the provider made for this mailbox."), "refresh_token"
        )
    return Refused.because("required", _("Type the password of this mailbox."), "password")


def _try(row: dict[str, Any], secrets: Secrets, look: Callable[[Account], Checked]) -> tuple[Checked, Secrets]:
    """Get in once. Gives what was found, and the secrets as they are then: a provider may change the refresh token."""
    if row["auth"] != "oauth2":
        return look(entry.account_of(row, secrets)), secrets
    access = oauth.ask(entry.grant_of(row, secrets))
    if access.refresh_token:
        secrets = replace(secrets, refresh_token=access.refresh_token)
    return look(entry.account_of(row, Secrets(), access.token)), secrets


def clean_connection(row: dict[str, Any]) -> dict[str, list[Fault]]:
    """Clean server, log-in and certificates in `row`; gives what is wrong, by field."""
    faults: dict[str, list[Fault]] = {}
    if row["host"] and not re.fullmatch(r"[A-Za-z0-9.\-:]{1,255}", row["host"]):
        faults["host"] = [Fault("bad_host", _("This is no name of a server, such as imap.example.com."))]
    if not isinstance(row["port"], int) or not 0 < row["port"] < 65_536:
        faults["port"] = [Fault("bad_port", _("A port is a number from 1 to 65535; 993 is usual."))]
    if row["encryption"] not in ENCRYPTIONS:
        faults["encryption"] = [Fault("not_in_list", _("Choose a value of the list."))]
    row["auth"] = row["auth"] or AUTHS[0]
    if row["auth"] not in AUTHS:
        faults["auth"] = [Fault("not_in_list", _("Choose a value of the list."))]
    return faults | _clean_entry(row)


def _clean_entry(row: dict[str, Any]) -> dict[str, list[Fault]]:
    """Certificates, and what a provider of tokens is asked with."""
    faults: dict[str, list[Fault]] = {}
    for name, most in (("token_address", 500), ("client_id", 255), ("scope", 500), ("authorities", 100_000)):
        row[name] = str(row[name] or "").strip() or None
        if row[name] and len(row[name]) > most:
            count = len(row[name])
            sentence = _("This takes at most %(limit)s characters; there are %(count)s.", limit=most, count=count)
            faults[name] = [Fault("too_long", sentence)]
    if row["authorities"] and "authorities" not in faults:
        try:
            read_authorities(row["authorities"])
        except MailboxError as problem:
            faults["authorities"] = [Fault("certificate", str(problem))]
    if row["auth"] == "oauth2":
        if not row["client_id"]:
            faults["client_id"] = [
                Fault("required", _("Say the client id that the provider gave for this installation."))
            ]
        if not re.match(r"https?://[^/\s]", row["token_address"] or ""):
            sentence = _("Say where the provider gives tokens, such as https://oauth2.googleapis.com/token.")
            faults["token_address"] = [Fault("required", sentence)]
        if row["encryption"] == "none":
            faults["encryption"] = [Fault("unsafe", _("A token is sent over an encrypted connection only."))]
    return faults
