"""A body of the beacon, read strictly: known names of known types within their lengths, or nothing at all."""

import json
from typing import Annotated, Literal

from msgspec import Meta, Struct, field
from msgspec.json import Decoder

MOST_BODY = 4096
MOST_SECONDS = 6 * 3600
Kind = Literal["view", "leave", "download", "event", "forget", "try"]
NEED_VISITOR = frozenset(("forget", "leave"))
Address = Annotated[str, Meta(max_length=2048)]


class Body(Struct, frozen=True, forbid_unknown_fields=True):
    """What a script says. `visitor`: "" when the browser is not to be known again; `agreed`: its person said so;
    `counted`: this page view was told before, as a bare number, when its person had not agreed yet; `seconds` in view."""

    site: Annotated[str, Meta(min_length=20, max_length=20)] = field(name="s")  # known or not: it is looked up
    kind: Kind = field(name="k")
    nonce: Annotated[int, Meta(ge=0, lt=2**53)] = field(name="n")
    url: Address = field(name="u")
    visitor: Annotated[str, Meta(pattern=r"^([A-Za-z0-9_-]{22})?\Z")] = field(name="v", default="")
    agreed: Literal[0, 1] = field(name="c", default=0)
    referrer: Address = field(name="r", default="")
    title: Annotated[str, Meta(max_length=1000)] = field(name="t", default="")
    name: Annotated[str, Meta(max_length=200)] = field(name="e", default="")
    token: Annotated[str, Meta(max_length=100)] = field(name="p", default="")
    seconds: Annotated[int, Meta(ge=0, lt=2**31)] = field(name="x", default=0)
    counted: Literal[0, 1] = field(name="d", default=0)


def read(data: bytes) -> Body | None:
    """The body, or None: no JSON, no object, a name nobody knows, a wrong type, a missing or too long value."""
    try:
        body = _decode(data)
    except ValueError:
        whole = _without_halves(data)
        if whole is None:
            return None
        body = whole
    return body if body.visitor or body.kind not in NEED_VISITOR else None


def _without_halves(data: bytes) -> Body | None:
    """The same, where a text holds half a character: a title that was cut amid a sign of two."""
    if b"\\ud" not in data.lower():
        return None
    try:
        return _decode(json.dumps(json.loads(data), ensure_ascii=False).encode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None


_decode = Decoder(Body).decode  # made once
