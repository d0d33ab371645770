"""Addresses that mails carry for machines: the return path of one mail (VERP) and its Message-ID.

Both hold only opaque text made elsewhere (a sealed delivery id), never a person's id or address. Return paths may come back in
another case or with the plus part rewritten by old servers, so tokens are lower case letters and digits and both forms are read.
"""

from __future__ import annotations

import hmac
import re
from functools import lru_cache

from crm.mail.message import LOCAL_PART_OCTETS, Address, BadAddress, ascii_domain, clean_addr

_TOKEN = re.compile(r"[a-z0-9]{8,54}").fullmatch
_RETURN_PATH = re.compile(r"([a-z0-9.\-]{1,20})[+=]([a-z0-9]{8,54})").fullmatch


def return_path(mailbox: str, token: str) -> str:
    """The VERP address of one mail: `bounces@mail.example.com` and `abcd…` give `bounces+abcd…@mail.example.com`.

    `token`: 8 to 54 lower case letters and digits. Raises `BadAddress` when the whole would not fit in 64 octets."""
    address = _mailbox(mailbox)
    local = f"{address.local}+{token}"
    if not _TOKEN(token):
        raise BadAddress("token", "A return path token has 8 to 54 lower case letters and digits.")
    if len(local) > LOCAL_PART_OCTETS or not _RETURN_PATH(local.lower()):
        raise BadAddress(
            "mailbox",
            f"The bounce mailbox “{mailbox}” must have a short plain name before the @ (20 characters at most).",
        )
    return f"{local}@{address.domain}"


@lru_cache(maxsize=64)
def _mailbox(addr: str) -> Address:
    return Address(addr)


def read_return_path(addr: str, mailbox: str) -> str | None:
    """The token in an address that `return_path` made for `mailbox`, whatever its case; None for any other address."""
    try:
        address, ours = clean_addr(addr).lower(), Address(mailbox)
    except BadAddress:
        return None
    local, _, domain = address.rpartition("@")
    found = _RETURN_PATH(local)
    if not found or domain != ours.domain or found.group(1) != ours.local.lower():
        return None
    return found.group(2)


def message_id(secret: bytes, kind: str, number: int | str, domain: str) -> str:
    """The Message-ID of a mail under our domain: the same on every retry, and nobody can tell the number from it.

    `secret` is a key of the installation, `kind` the sort of mail (`delivery`), `number` its id there."""
    seal = _keyed(secret).copy()  # each from the start would cost a mail of a sendout more than what is in it
    seal.update(f"message-id\0{kind}\0{number}".encode())
    return f"<{seal.digest()[:20].hex()}@{ascii_domain(domain)}>"


@lru_cache(maxsize=8)
def _keyed(secret: bytes) -> hmac.HMAC:
    """The HMAC that knows its key and has read nothing yet."""
    return hmac.new(secret, digestmod="sha256")
