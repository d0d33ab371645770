"""The signed token of one drawing of a form: which form and variant, where it stands, when it was drawn; and its small sum.

It takes the place of a cookie: sent again it counts once, sent too early it was no person, and nobody can make one.
"""

import hashlib
import secrets
from dataclasses import dataclass
from typing import Literal

from itsdangerous import BadSignature, URLSafeTimedSerializer

from crm import clock, config

HOLDS_SECONDS = 24 * 3600
LEAST_SECONDS = 2.0
FIELD, TRAP, SUM = "form_token", "fax_number", "form_sum"  # names of hidden inputs and of the sum
Way = Literal["page", "embed"]


@dataclass(frozen=True)
class Ticket:
    """What a good token says. `age`: seconds since it was drawn."""

    text: str
    variant: str
    way: Way
    age: float

    @property
    def once(self) -> str:
        """What the submission is known by when it comes again."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def numbers(self) -> tuple[int, int]:
        """The two numbers of the sum."""
        return numbers_of(self.text)


def draw(form_id: int, variant: str, way: Way) -> str:
    """A token for one drawing."""
    return _signer().dumps([form_id, variant, way, secrets.token_urlsafe(9)])


def read(form_id: int, said: str) -> Ticket | None:
    """What a token says; None for one that was made up, is of another form, or too old."""
    if not 0 < len(said) < 300:
        return None
    try:
        found, made_at = _signer().loads(said, return_timestamp=True)
    except BadSignature:
        return None
    if not isinstance(found, list) or len(found) != 4 or found[0] != form_id or found[2] not in {"page", "embed"}:
        return None
    age = (clock.now() - made_at).total_seconds()
    return Ticket(said, str(found[1])[:2], found[2], max(0.0, age)) if age <= HOLDS_SECONDS else None


def numbers_of(token: str) -> tuple[int, int]:
    """The two numbers of the sum that is asked with a token."""
    digest = hashlib.sha256(token.encode()).digest()
    return digest[0] % 8 + 1, digest[1] % 8 + 1


def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(list(reversed(config.current().secret_keys)), salt="website form")
