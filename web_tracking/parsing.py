"""A body of the beacon, read strictly: known names of known types within their lengths, or nothing at all."""

import json
import re
from typing import Any, NamedTuple

MOST_BODY = 4096
KINDS = {"view": "view", "leave": "leave", "download": "download", "event": "event", "forget": "forget", "try": "try"}
KEY = re.compile(r"[0-9a-f]{20}")
VISITOR = re.compile(r"[A-Za-z0-9_-]{22}")
MOST_SECONDS = 6 * 3600
_TEXTS = {"u": 2048, "r": 2048, "t": 1000, "e": 200, "p": 100}
_NAMES = frozenset("skvnurtepxcd")


class Body(NamedTuple):
    """What a script says. `visitor`: "" when the browser is not to be known again; `agreed`: its person said so;
    `counted`: this page view was told before, as a bare number, when its person had not agreed yet."""

    site: str
    kind: str
    nonce: int
    visitor: str = ""
    agreed: bool = False
    url: str = ""
    referrer: str = ""
    title: str = ""
    name: str = ""
    token: str = ""
    seconds: int = 0
    counted: bool = False


def read(data: bytes) -> Body | None:
    """The body, or None: no JSON, no object, a name nobody knows, a wrong type, a missing or too long value."""
    try:
        said: Any = _decode(data.decode())
    except (ValueError, RecursionError):
        return None
    if not isinstance(said, dict) or not _NAMES.issuperset(said):
        return None
    for name, text in said.items():
        most = _TEXTS.get(name)
        if most is not None and (not isinstance(text, str) or len(text) > most):
            return None
    key, kind, visitor = said.get("s"), said.get("k"), said.get("v", "")
    nonce, seconds, agreed = said.get("n"), said.get("x", 0), said.get("c", 0)
    if not isinstance(key, str) or not KEY.fullmatch(key) or not isinstance(kind, str) or kind not in KINDS:
        return None
    if type(nonce) is not int or not 0 <= nonce < 2**53 or type(seconds) is not int or not 0 <= seconds < 2**31:
        return None
    if not isinstance(visitor, str) or (visitor and not VISITOR.fullmatch(visitor)) or agreed not in (0, 1):
        return None
    if said.get("d", 0) not in (0, 1):
        return None
    if "u" not in said or (kind in {"forget", "leave"} and not visitor):
        return None
    return Body(
        key, kind, nonce, visitor, bool(agreed), said["u"], said.get("r", ""), said.get("t", ""), said.get("e", ""),
        said.get("p", ""), min(seconds, MOST_SECONDS), bool(said.get("d", 0)),
    )  # fmt: skip


def _refuse(_said: str) -> Any:
    raise ValueError


_decode = json.JSONDecoder(parse_constant=_refuse).decode  # made once: json.loads makes one a call
