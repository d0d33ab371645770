"""Personal links: an id and one purpose, sealed. Nothing is stored, and the same link comes out every time.

A token is AES-SIV (RFC 5297) over the id, with the purpose as associated data: it tells nothing and cannot be made or
changed without the links key, and one made for one purpose opens nothing else (decisions.md 20).
"""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from functools import cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from crm import config
from crm.identity import keys

TOKEN_LENGTH = 32  # of a token of one id
_ID_OCTETS = 8


class Sealer:
    """Seals and opens tokens. `keys`: 64 octets each, the newest first; older ones still open what they sealed."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._ciphers = [AESSIV(key) for key in keys]
        if not self._ciphers:
            raise ValueError("A sealer needs a key.")

    def seal(self, purpose: str, number: int, size: int = _ID_OCTETS) -> str:
        """The token of an id: 32 letters, digits, - and _. `size`: octets of the number, for several ids in one."""
        return urlsafe_b64encode(self.octets(purpose, number, size)).decode("ascii")

    def octets(self, purpose: str, number: int, size: int = _ID_OCTETS) -> bytes:
        """The same before it is written as text: 16 octets and those of the number (6 in return paths, which are short)."""
        return self._ciphers[0].encrypt(number.to_bytes(size, "big"), _said(purpose))

    def open(self, purpose: str, token: str, size: int = _ID_OCTETS) -> int | None:
        """The id in a token that was sealed for `purpose`; None for anything else, whatever it is."""
        if len(token) != -(-(16 + size) // 3) * 4 or not token.isascii():
            return None
        try:
            sealed = urlsafe_b64decode(token)
        except (binascii.Error, ValueError):
            return None
        if urlsafe_b64encode(sealed).decode("ascii") != token:
            return None  # another spelling of the same octets (foreign alphabet characters are skipped by the decoder)
        return self.open_octets(purpose, sealed)

    def open_octets(self, purpose: str, sealed: bytes) -> int | None:
        """The id in what `octets` gave; None for anything else."""
        for cipher in self._ciphers:
            try:
                return int.from_bytes(cipher.decrypt(sealed, _said(purpose)), "big")
            except InvalidTag:
                continue
        return None


@cache
def _said(purpose: str) -> list[bytes]:
    """A purpose as the cipher takes it; there are few, and ours only."""
    return [purpose.encode("ascii")]


def sealer() -> Sealer:
    """The sealer under the links key of this installation (made on first use; the caller commits): one query."""
    return Sealer([keys.of("links", 64)])


def public_base() -> str:
    """What the public addresses begin with: CUSTOMERHUB_PUBLIC_URL (a bare host name is taken too), else the base address."""
    settings = config.current()
    said = str(settings.public_url or settings.base_url).rstrip("/")
    return said if "//" in said else f"{settings.base_url.partition('//')[0]}//{said}"
