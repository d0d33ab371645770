"""What other mail servers and providers hand over by HTTP: signed, and no more believed about a mail than a mail itself is.

`X-Customerhub-Signature: t=<seconds since 1970>,v1=<hex>`: HMAC-SHA256 of "<t>.<body>" under the secret of the page.
"""

import hashlib
import hmac
import json
import os
import re
from typing import Any

from crm import clock
from crm.identity import keys
from crm.words import _
from ecp.bounces.reading import Returned, read
from ecp.bounces.taking import Came, key_of
from ecp.bounces.verdicts import judge
from ecp.pipeline.envelope import read_bounce_token

KEY = "returns_hook"
OFF_SECONDS = 300  # how far the clocks of both sides may be apart, and how long a request can be repeated
MOST_EVENTS = 500
KINDS = ("bounce", "delayed", "delivered", "complaint", "unsubscribe")
_HEADER = re.compile(r"t=(\d{1,12}),v1=([0-9a-f]{64})")
_TOKEN = re.compile(r"(?:.{1,20}[+=])?([0-9a-fA-F]{44})(?:@.{1,255})?")


class BadCall(Exception):
    """What was handed over cannot be read; the text says why."""


def is_set() -> bool:
    """Whether there is a secret, so that anybody may call at all."""
    return keys.find(KEY) is not None


def renew() -> str:
    """A new secret, which both sides must know; the old one holds no more. The caller commits."""
    made = os.urandom(32)
    keys.keep(KEY, made)
    return made.hex()


def is_signed(header: str, body: bytes) -> bool:
    """Whether who calls knows the secret, and calls now."""
    found, kept = _HEADER.fullmatch(header.replace(" ", "")), keys.find(KEY)
    if found is None or kept is None or abs(clock.now().timestamp() - int(found[1])) > OFF_SECONDS:
        return False
    wanted = hmac.new(kept.hex().encode(), found[1].encode() + b"." + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(wanted, found[2])


def read_body(media_type: str, body: bytes) -> list[Came]:
    """What a body holds: one whole mail (message/rfc822), or events as JSON. Raises BadCall."""
    if media_type == "message/rfc822":
        return [Came(key_of(body), read(body))]
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        raise BadCall(_("The body is neither a mail (message/rfc822) nor JSON.")) from None
    events = said.get("events") if isinstance(said, dict) else None
    if not isinstance(events, list) or not all(isinstance(one, dict) for one in events):
        raise BadCall(_("The body holds no list “events”."))
    if len(events) > MOST_EVENTS:
        raise BadCall(_("At most %(most)s events at a time.", most=MOST_EVENTS))
    return [_event(number, one) for number, one in enumerate(events, 1)]


def _event(number: int, said: dict[str, Any]) -> Came:
    kind = said.get("kind")
    if kind not in KINDS:
        raise BadCall(_("Event %(number)s: “kind” is one of %(known)s.", number=number, known=", ".join(KINDS)))
    texts = {name: str(said.get(name) or "")[:2000] for name in ("return_path", "status", "words", "reporter")}
    found = _TOKEN.fullmatch(texts["return_path"])
    token = read_bounce_token(found[1].lower()) if found else None
    if token is None:
        raise BadCall(_("Event %(number)s: “return_path” is the return path of one of our mails.", number=number))
    what = Returned(kind, [token], words=texts["words"], domain=texts["reporter"][:255].lower())
    if kind == "bounce":
        what.verdict = judge(texts["status"], texts["words"])
    return Came("hook:" + hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest(), what)
