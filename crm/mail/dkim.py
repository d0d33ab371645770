"""DKIM signatures (RFC 6376, 8301, 8463): relaxed headers, simple body, no l=, made on `cryptography`.

A library would spend 10 ms a mail; this costs one SHA-256 over the body and one RSA operation, 430 us (measures.md A3).
From, To, Subject and Date are named once more than they occur, so that nobody can add a second one in front; both
List-Unsubscribe headers are covered, as RFC 8058 demands.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key

from crm.mail.message import ascii_domain

SIGNED = frozenset(
    b"from to cc subject date message-id reply-to mime-version content-type content-transfer-encoding list-id list-unsubscribe "
    b"list-unsubscribe-post in-reply-to references auto-submitted".split()
)
OVERSIGNED = (b"from", b"to", b"subject", b"date")
_PADDING, _SHA256 = PKCS1v15(), hashes.SHA256()


@dataclass(slots=True)
class Signer:
    """One key of one domain. `key_pem` is a PKCS8 private key, RSA of at least 1024 bits or Ed25519; raises ValueError else."""

    domain: str
    selector: str
    key_pem: bytes = field(repr=False)
    _key: RSAPrivateKey | Ed25519PrivateKey = field(init=False, repr=False)
    _prefixes: dict[tuple[bytes, ...], bytes] = field(init=False, repr=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.domain = ascii_domain(self.domain)
        ascii_domain(f"{self.selector}.example")  # a selector is made of the same labels; raises BadAddress
        key = serialization.load_pem_private_key(self.key_pem, password=None)
        if not isinstance(key, (RSAPrivateKey, Ed25519PrivateKey)):
            raise ValueError("A DKIM key must be RSA or Ed25519.")
        if isinstance(key, RSAPrivateKey) and key.key_size < 1024:
            raise ValueError("An RSA key of a DKIM signature must have 1024 bits at least (RFC 8301); use 2048.")
        self._key = key

    @property
    def algorithm(self) -> str:
        """The a= tag."""
        return "rsa-sha256" if isinstance(self._key, RSAPrivateKey) else "ed25519-sha256"

    def header(self, names: tuple[bytes, ...], canonical: bytes, body_hash: bytes, now: int) -> bytes:
        """The DKIM-Signature line for header names in signing order and their canonical lines."""
        prefix = self._prefixes.get(names)
        if prefix is None:
            prefix = self._prefixes[names] = self._prefix(names)
        raw = b"%s t=%d;\r\n bh=%s;\r\n b=" % (prefix, now, body_hash)
        data = canonical + b"dkim-signature:" + raw[16:].replace(b"\r\n ", b" ")
        if isinstance(self._key, RSAPrivateKey):
            signature = self._key.sign(data, _PADDING, _SHA256)
        else:
            signature = self._key.sign(hashlib.sha256(data).digest())
        coded = base64.b64encode(signature)
        return raw + b"\r\n ".join(coded[at : at + 72] for at in range(0, len(coded), 72)) + b"\r\n"

    def _prefix(self, names: tuple[bytes, ...]) -> bytes:
        head = (
            f"DKIM-Signature: v=1; a={self.algorithm}; c=relaxed/simple;\r\n d={self.domain}; s={self.selector};\r\n h="
        )
        lines, line = [], b""
        for name in names:
            if len(line) + len(name) > 68:
                lines.append(line)
                line = b""
            line += name + b":"
        lines.append(line[:-1])
        return head.encode("ascii") + b"\r\n ".join(lines) + b";\r\n"

    @property
    def record_name(self) -> str:
        """Name of the TXT record, without the dot at its end."""
        return f"{self.selector}._domainkey.{self.domain}"

    @property
    def record(self) -> str:
        """Text of the TXT record (RFC 6376 3.6.1); longer than 255 characters it must be published in several strings."""
        public = self._key.public_key()
        if isinstance(self._key, Ed25519PrivateKey):  # RFC 8463 4.2: the bare 32 octets
            raw = public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
            return f"v=DKIM1; k=ed25519; p={base64.b64encode(raw).decode('ascii')}"
        der = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        return f"v=DKIM1; k=rsa; p={base64.b64encode(der).decode('ascii')}"

    @property
    def zone_line(self) -> str:
        """The record as a line of a zone file, cut into strings of at most 255 octets."""
        text = self.record
        strings = " ".join(f'"{text[at : at + 250]}"' for at in range(0, len(text), 250))
        return f"{self.record_name}. 3600 IN TXT ({strings})"


def make_key(kind: Literal["rsa", "ed25519"] = "rsa") -> bytes:
    """A new private key as PKCS8 PEM: RSA with 2048 bits (what every receiver can verify) or Ed25519."""
    key = generate_private_key(65537, 2048) if kind == "rsa" else Ed25519PrivateKey.generate()
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def sign(signers: Sequence[Signer], lines: Sequence[bytes], body: bytes, now: int) -> list[bytes]:
    """The DKIM-Signature lines to put in front of header `lines` (each ends in CRLF) over `body`; `now` is Unix time."""
    names, canonical = canonicalize_headers(lines)
    body_hash = base64.b64encode(hashlib.sha256(canonicalize_body(body)).digest())
    return [signer.header(names, canonical, body_hash, now) for signer in signers]


def canonicalize_headers(lines: Sequence[bytes]) -> tuple[tuple[bytes, ...], bytes]:
    """Names in signing order (oversigned ones once more) and the relaxed lines (RFC 6376 3.4.2)."""
    names: list[bytes] = []
    canonical: list[bytes] = []
    for line in reversed(lines):  # several of one name are signed from the last to the first (RFC 6376 5.4.2)
        name, relaxed = _relaxed(line)
        if relaxed:
            names.append(name)
            canonical.append(relaxed)
    return (*names, *OVERSIGNED), b"".join(canonical)


@lru_cache(maxsize=256)  # two lines of three are the same in all mails of a sendout
def _relaxed(line: bytes) -> tuple[bytes, bytes]:
    """Name and relaxed line of one header, the line empty when it is not signed."""
    name, _, value = line.partition(b":")
    name = name.strip().lower()
    return name, b"%s:%s\r\n" % (name, b" ".join(value.split())) if name in SIGNED else b""


def canonicalize_body(body: bytes) -> bytes:
    """Simple (RFC 6376 3.4.3): empty lines at the end count as one line end, an empty body is one CRLF."""
    if not body.endswith(b"\r\n\r\n"):
        return body if body.endswith(b"\r\n") else body + b"\r\n"
    return body.rstrip(b"\r\n") + b"\r\n"
