"""Forms for everybody (spec/portal.md 0.4): a signed token in place of a cookie, a trap for robots, limits, nothing done twice.

A page draws `{{ guards(form_token("newsletter")) }}` (from "_public_form.html") inside its form. The view that takes it:

    sent = receive("newsletter", email=request.form.get("email", ""))   # raises Refused, TooOften
    if sent.is_trap:                                                    # a robot: the same page as for success, nothing stored
        return thanks()
    if sent.first is not None:                                          # sent again: what came of it the first time
        return thanks(**sent.first)
    …                                                                   # do it, in the transaction of db.session
    sent.keep({"id": made})
    commit()

Raise Refused or roll back, and the token may be sent again. A form that is drawn again keeps the token: `sent_token()`.
"""

import secrets
from dataclasses import dataclass
from typing import Any

from flask import request
from flask_babel import gettext as _
from itsdangerous import BadSignature, URLSafeTimedSerializer

from crm import clock, config, limits
from crm.engine import form_posts
from crm.engine.refusals import Refused
from crm.limits import Limiter, Rate
from crm.mail.message import BadAddress, email_key
from crm.ui.public_face import TooOften, source

FIELD, TRAP = "form", "fax_number"  # names of the hidden inputs
HOLDS_SECONDS = 24 * 3600
LEAST_SECONDS = 2.0
POSTS = Limiter(Rate(20, 600))  # of one address to all forms
POSTS_AFTER_TOKEN = Limiter(Rate(120, 600))  # forms that a whole hall fills in at once (decisions.md 30)
POSTS_OF_EMAIL = Limiter(Rate(5, 3600))


@dataclass(frozen=True)
class Sent:
    """A form that came. `first`: what came of the same form when it was sent before; None the first time."""

    token: str
    is_trap: bool = False
    first: dict[str, Any] | None = None

    def keep(self, result: dict[str, Any]) -> None:
        """Say what came of it; plain JSON. The caller commits."""
        form_posts.keep(self.token, result)

    def release(self) -> None:
        """The form had faults and may be sent again, while what was uploaded with it is kept. The caller commits."""
        form_posts.release(self.token)


def form_token(form: str, subject: str = "") -> str:
    """A token for one filling of a form about `subject` (an event, a survey), for the hidden input."""
    return _signer().dumps([form, subject, secrets.token_urlsafe(9)])


def sent_token(form: str, subject: str = "") -> str:
    """The token of the form that was sent when it holds, else a new one: for drawing the form again with its faults."""
    said = request.form.get(FIELD, "")
    return said if _age(form, subject, said) is not None else form_token(form, subject)


def receive(form: str, subject: str = "", email: str = "", is_for_crowds: bool = False) -> Sent:
    """Take the form of this request. `is_for_crowds`: many may send it from one address, once the token holds.

    Raises TooOften (429), Refused with the code form_expired or too_fast; nothing is stored then.
    """
    key = limits.key_of(source())
    token = request.form.get(FIELD, "")
    age = _age(form, subject, token)
    _take(POSTS_AFTER_TOKEN if is_for_crowds and age is not None else POSTS, key)
    if age is None:
        raise Refused.because(
            "form_expired", _("This page was open too long. Look at what you typed and send it again.")
        )
    if request.form.get(TRAP, "").strip():
        return Sent(token, is_trap=True)
    if age < LEAST_SECONDS:
        raise Refused.because("too_fast", _("That was very fast. Look at what you typed and send it again."))
    first = form_posts.claim(form, token)
    if first is None and email:
        try:
            _take(POSTS_OF_EMAIL, email_key(email))
        except BadAddress:
            pass  # the form itself will say so
    return Sent(token, first=first)


def _take(limiter: Limiter, key: str) -> None:
    wait = limiter.take(key)
    if wait:
        raise TooOften(wait)


def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(list(reversed(config.current().secret_keys)), salt="public form")


def _age(form: str, subject: str, token: str) -> float | None:
    """Seconds since the token was made; None for one that does not hold, or is of another form or subject."""
    try:
        said, made_at = _signer().loads(token, max_age=HOLDS_SECONDS, return_timestamp=True)
    except BadSignature:  # an expired one too
        return None
    if not isinstance(said, list) or said[:2] != [form, subject]:
        return None
    return max(0.0, (clock.now() - made_at).total_seconds())
