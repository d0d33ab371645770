"""Passwords: argon2 hashes, and which ones are good enough (length and not well known; no rules of composition)."""

import re
from functools import cache
from itertools import pairwise
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from crm.words import _

LEAST = 12
MOST = 256
MOST_DECORATION = 8  # digits and signs around a listed word that do not make it another password
_hasher = PasswordHasher()  # argon2id with the library's parameters (RFC 9106, low memory)


def hash_of(password: str) -> str:
    """The hash that is kept."""
    return _hasher.hash(_bytes(password))


def is_right(password: str, kept: str | None) -> bool:
    """Whether `password` is the one whose hash is `kept`. Takes as long when there is none to compare with."""
    try:
        return _hasher.verify(kept or _nobody(), _bytes(password[: MOST * 4])) and kept is not None
    except (VerificationError, InvalidHashError):
        return False


def is_outdated(kept: str) -> bool:
    """Whether the hash was made with weaker parameters than today's."""
    return _hasher.check_needs_rehash(kept)


def faults(password: str, *about: str | None) -> list[tuple[str, str]]:
    """What is wrong with a new password: (code, sentence) pairs, none when it is good. `about`: e-mail and names of the person."""
    if len(password) < LEAST:
        return [
            (
                "too_short",
                _(
                    "A password has at least %(least)s characters; this one has %(count)s.",
                    least=LEAST,
                    count=len(password),
                ),
            )
        ]
    if len(password) > MOST:
        return [("too_long", _("A password has at most %(most)s characters.", most=MOST))]
    plain = password.casefold()
    if is_common(plain):
        return [
            ("too_common", _("This password is one of the first that anybody tries. Take another, such as four words."))
        ]
    own = {part for said in about if said for part in (said.casefold(), said.casefold().partition("@")[0])}
    if any(len(part) > 3 and len(plain.replace(part, "")) < LEAST / 2 for part in own):
        return [("too_personal", _("This password is made of your name or address. Take another, such as four words."))]
    return []


def is_common(password: str) -> bool:
    """Whether it is well known: listed, a listed one repeated or with digits and signs around it, or one pattern."""
    known = _known()
    plain = password.casefold()
    if plain in known or _is_repeated(plain) or _is_run(plain):
        return True
    core = re.sub(r"^[\W\d_]+|[\W\d_]+$", "", plain)
    if len(plain) - len(core) > MOST_DECORATION:
        return False
    return core in known or core.translate(_LOOKALIKES) in known or plain.translate(_LOOKALIKES) in known


_LOOKALIKES = str.maketrans("013457@$!", "oieastasi")


def _is_repeated(plain: str) -> bool:
    """A short piece again and again, such as abcabcabcabc or passwordpassword."""
    for size in range(1, len(plain) // 2 + 1):
        piece = plain[:size]
        if (piece * (len(plain) // size + 1))[: len(plain)] == plain and (size <= 4 or piece in _known()):
            return True
    return False


def _is_run(plain: str) -> bool:
    """Letters or digits in a row, up or down, such as abcdefghijkl or 9876543210987."""
    steps = {(ord(b) - ord(a)) % 10 if a.isdigit() and b.isdigit() else ord(b) - ord(a) for a, b in pairwise(plain)}
    return len(steps) == 1 and steps <= {0, 1, 9, -1}


def _bytes(password: str) -> bytes:
    return password.encode("utf-8", "surrogatepass")


@cache
def _known() -> frozenset[str]:
    return frozenset((Path(__file__).parent / "common_passwords.txt").read_text("utf-8").split())


@cache
def _nobody() -> str:
    return hash_of("the password of nobody")
