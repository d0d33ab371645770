"""Personal links of a mail: a delivery and one purpose, sealed. Nothing is stored, a retry gives the same links.

A token is AES-SIV (RFC 5297) over the id, with the purpose as associated data: it tells nothing, cannot be made or changed
without the links key, and one made to see pictures cannot unsubscribe anybody. It dies with its delivery (decisions.md 20).
Whose opens and clicks carry a person is decided here, by CUSTOMERHUB_MEASURE and the person's consent (decisions.md 23).
"""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from crm import config
from crm.identity import keys

Purpose = Literal[
    "open", "click", "view", "leave", "one_click", "preferences", "page", "bounce", "total_open", "total_click"
]
Measure = Literal["none", "totals", "with_consent", "all"]

TOKEN_LENGTH = 32
_ID_OCTETS = 8
CANARY = 0  # the number of the link that no person sees

PATHS: dict[Purpose, str] = {  # what a token of each purpose stands behind in an address
    "open": "o", "click": "c", "view": "v", "leave": "u", "one_click": "u1", "preferences": "pref", "page": "p",
    "total_open": "o", "total_click": "c",
}  # fmt: skip


class Sealer:
    """Seals and opens tokens. `keys`: 64 octets each, the newest first; older ones still open what they sealed."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._ciphers = [AESSIV(key) for key in keys]
        if not self._ciphers:
            raise ValueError("A sealer needs a key.")

    def seal(self, purpose: Purpose, number: int) -> str:
        """The token of a delivery (or, for the two `total_` purposes, of a sendout): 32 letters, digits, - and _."""
        return urlsafe_b64encode(self.octets(purpose, number)).decode("ascii")

    def octets(self, purpose: Purpose, number: int, size: int = _ID_OCTETS) -> bytes:
        """The same before it is written as text: 16 octets and those of the number (6 in return paths, which are short)."""
        return self._ciphers[0].encrypt(number.to_bytes(size, "big"), [purpose.encode("ascii")])

    def open(self, purpose: Purpose, token: str) -> int | None:
        """The id in a token that was sealed for `purpose`; None for anything else, whatever it is."""
        if len(token) != TOKEN_LENGTH or not token.isascii():
            return None
        try:
            sealed = urlsafe_b64decode(token)
        except (binascii.Error, ValueError):
            return None
        if urlsafe_b64encode(sealed).decode("ascii") != token:
            return None  # another spelling of the same octets (foreign alphabet characters are skipped by the decoder)
        return self.open_octets(purpose, sealed)

    def open_octets(self, purpose: Purpose, sealed: bytes) -> int | None:
        """The id in what `octets` gave; None for anything else."""
        for cipher in self._ciphers:
            try:
                return int.from_bytes(cipher.decrypt(sealed, [purpose.encode("ascii")]), "big")
            except InvalidTag:
                continue
        return None


@dataclass(frozen=True, slots=True)
class Tracking:
    """What may be measured of one person's mail."""

    pixel: bool
    links: Literal["personal", "total", "plain"]


def tracking(measure: Measure, answer: str) -> Tracking:
    """Whether the mail of somebody carries a pixel, and whether its links name the delivery, the sendout or nothing.

    `answer`: what the person said to being measured: unknown, yes or no. A no holds also where the site measures all.
    """
    if measure == "none":
        return Tracking(pixel=False, links="plain")
    if measure == "totals":
        return Tracking(pixel=True, links="total")
    if answer == "yes" or (measure == "all" and answer != "no"):
        return Tracking(pixel=True, links="personal")
    return Tracking(pixel=False, links="total")


def public_base() -> str:
    """What the public addresses begin with: CUSTOMERHUB_PUBLIC_URL (a bare host name is taken too), else the base address."""
    settings = config.current()
    said = str(settings.public_url or settings.base_url).rstrip("/")
    return said if "//" in said else f"{settings.base_url.partition('//')[0]}//{said}"


def sealer() -> Sealer:
    """The sealer under the links key of this installation (made on first use; the caller commits): one query."""
    return Sealer([keys.of("links", 64)])


class LinkMaker:
    """The addresses in the mails of one sendout."""

    def __init__(self, sealer: Sealer, base_url: str, sendout_id: int) -> None:
        self._sealer, self._base = sealer, base_url.rstrip("/")
        self._total_click = f"{self._base}/c/{sealer.seal('total_click', sendout_id)}/"
        self._total_open = f"{self._base}/o/{sealer.seal('total_open', sendout_id)}.gif"

    def address(self, purpose: Purpose, delivery_id: int) -> str:
        """The personal address of a page: `https://…/u/<token>`."""
        return f"{self._base}/{PATHS[purpose]}/{self._sealer.seal(purpose, delivery_id)}"

    def page(self, slug: str, delivery_id: int) -> str:
        """The address of a landing page that is filled with the recipient's data."""
        return f"{self._base}/p/{slug}?d={self._sealer.seal('page', delivery_id)}"

    def click_base(self, delivery_id: int, how: Tracking) -> str:
        """What stands in front of a tracked link's number, "" when links lead straight to their targets."""
        if how.links == "plain":
            return ""
        if how.links == "total":
            return self._total_click
        return f"{self._base}/c/{self._sealer.seal('click', delivery_id)}/"

    def pixel(self, delivery_id: int, how: Tracking) -> str:
        """The address of the 1x1 picture, "" when there is none."""
        if not how.pixel:
            return ""
        if how.links == "total":
            return self._total_open
        return f"{self._base}/o/{self._sealer.seal('open', delivery_id)}.gif"
