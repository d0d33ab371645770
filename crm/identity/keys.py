"""Keys that must outlive the secret key: of links, of erased addresses, of DKIM. Kept in the database, wrapped.

Wrapped means AES-256-GCM under a key drawn from CUSTOMERHUB_SECRET_KEY (HKDF, RFC 5869), with the name bound in. When the
secret is rotated (a comma-separated list, newest first), older ones still unwrap, and `rewrap()` brings all up to date.
"""

import hashlib
import os
from datetime import datetime

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import String, delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from crm import clock, config
from crm.db import UtcDateTime, db, rows_changed

NONCE = 12


class UnreadableKey(Exception):
    """A kept key opens under none of the secret keys; the message says what to do."""


class Key(db.Model):  # type: ignore[name-defined, misc]
    """One key by name: "links", "erase", "dkim:<domain>:<selector>"."""

    __tablename__ = "keys"
    name: Mapped[str] = mapped_column(String(320), primary_key=True)
    wrapped: Mapped[bytes] = mapped_column()
    wrapped_by: Mapped[str] = mapped_column(String(16))  # fingerprint of the secret key
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


def of(name: str, size: int = 32) -> bytes:
    """The key called `name`; made of `size` random bytes on first use. The caller commits. Raises UnreadableKey."""
    found = find(name)
    if found is not None:
        return found
    try:
        with db.session.begin_nested():
            _insert(name, os.urandom(size))
    except IntegrityError:
        pass  # another process made it in the same moment; theirs holds
    made = find(name)
    if made is None:
        raise UnreadableKey(f"The key “{name}” could not be kept.")
    return made


def find(name: str) -> bytes | None:
    """The key called `name`, or None. Raises UnreadableKey."""
    row = db.session.execute(select(Key.wrapped).where(Key.name == name)).first()
    return None if row is None else _unwrap(name, row.wrapped)


def keep(name: str, secret: bytes) -> None:
    """Keep `secret` as the key called `name`, in place of an older one. The caller commits."""
    wrapped, by = _wrap(name, secret)
    changed = rows_changed(update(Key).where(Key.name == name).values(wrapped=wrapped, wrapped_by=by))
    if not changed:
        _insert(name, secret)


def forget(name: str) -> None:
    """Delete the key called `name`, when there is one. The caller commits."""
    db.session.execute(delete(Key).where(Key.name == name))


def names(prefix: str = "") -> list[str]:
    """The names of the keys that begin with `prefix`."""
    return list(db.session.execute(select(Key.name).where(Key.name.startswith(prefix, autoescape=True))).scalars())


def rewrap() -> int:
    """Wrap every key by the newest secret key; gives how many were not. The caller commits. Raises UnreadableKey."""
    newest = fingerprint()
    rows = db.session.execute(select(Key.name, Key.wrapped).where(Key.wrapped_by != newest)).all()
    for row in rows:
        keep(row.name, _unwrap(row.name, row.wrapped))
    return len(rows)


def fingerprint(secret: str | None = None) -> str:
    """What a secret key may be known by (default: the newest), so that hosts can compare theirs without telling them."""
    secret = config.current().secret_keys[0] if secret is None else secret
    return hashlib.sha256(b"customerhub fingerprint\0" + secret.encode()).hexdigest()[:16]


def _insert(name: str, secret: bytes) -> None:
    wrapped, by = _wrap(name, secret)
    db.session.execute(insert(Key).values(name=name, wrapped=wrapped, wrapped_by=by, created_at=clock.now()))


def _wrapping(secret: str) -> AESGCM:
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"customerhub: wraps keys").derive(secret.encode())
    return AESGCM(derived)


def _wrap(name: str, key: bytes) -> tuple[bytes, str]:
    newest = config.current().secret_keys[0]
    nonce = os.urandom(NONCE)
    return nonce + _wrapping(newest).encrypt(nonce, key, name.encode()), fingerprint(newest)


def _unwrap(name: str, wrapped: bytes) -> bytes:
    for secret in config.current().secret_keys:
        try:
            return _wrapping(secret).decrypt(wrapped[:NONCE], wrapped[NONCE:], name.encode())
        except InvalidTag:
            continue
    raise UnreadableKey(
        f"The key “{name}” was wrapped by another CUSTOMERHUB_SECRET_KEY. Set the old one behind the new one: new,old."
    )
