"""What every public address has in common: no session, no cookie; a GET changes nothing; who guesses gets one neutral answer.

A room calls `guard(bp)` on its blueprint; hub/public.py puts the blueprints of all rooms together.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import Blueprint, Response, make_response, request
from flask_babel import gettext as _
from werkzeug.exceptions import HTTPException

from crm import config, limits
from crm.db import db, only_reading
from crm.limits import Limiter, Rate
from crm.ui.public_page import page

# A whole mail service or company may stand behind one address: its picture proxies read for thousands, and its servers
# leave lists for them with one click. Sealed tokens cannot be guessed, so these limits only stop floods.
READS = Limiter(Rate(6000, 60))
READS_OF_TOKEN = Limiter(Rate(120, 60))
WRITES = Limiter(Rate(600, 60))
WRITES_OF_TOKEN = Limiter(Rate(20, 60))
MISSES = Limiter(Rate(60, 60))  # neutral answers: somebody is guessing
MOST_FORM_BYTES = 16 * 1024

View = Callable[..., Any]


class Unknown(Exception):
    """The address leads nowhere, or to something that its holder may not know of: one neutral page."""


class Gone(Exception):
    """What was here was closed by its owner."""


class TooOften(Exception):
    """A limit was passed; `seconds` until it is worth trying again."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"{seconds:.0f} s")
        self.seconds = seconds


def source() -> str:
    """The address this request came from, behind trusted proxies."""
    forwarded = request.headers.get("X-Forwarded-For")
    return limits.source_of(request.remote_addr, forwarded, config.current().trusted_proxies)


def guard(bp: Blueprint, most_bytes: int = MOST_FORM_BYTES, advice: Callable[[], str] | None = None) -> None:
    """Lay the rules of public addresses on a blueprint. `most_bytes`: of a form. `advice`: what the neutral page says."""

    def begin() -> None:
        request.max_content_length = most_bytes
        _count()

    bp.before_request(begin)
    bp.teardown_request(end)
    bp.after_request(shield)
    bp.register_error_handler(Unknown, lambda _unknown: say_unknown(advice))
    bp.register_error_handler(Gone, say_gone)
    bp.register_error_handler(TooOften, say_too_often)
    bp.register_error_handler(HTTPException, lambda error: say_http(error, advice))


def _count() -> None:
    """Count the request. GET and HEAD read only, unless a view says otherwise."""
    who = limits.key_of(source())
    token = next((str(value) for name, value in (request.view_args or {}).items() if name == "token"), "")
    reads = request.method in {"GET", "HEAD", "OPTIONS"}
    only_reading(reads)
    by_source, by_token = (READS, READS_OF_TOKEN) if reads else (WRITES, WRITES_OF_TOKEN)
    wait = max(by_source.take(who), by_token.take(token) if token else 0.0)
    if wait:
        raise TooOften(wait)


def end(_error: BaseException | None) -> None:
    only_reading(False)


def shield(answer: Response) -> Response:
    """Headers of every public answer: nothing is loaded from elsewhere, framed, cached, indexed or told to other sites."""
    said = answer.headers
    said.setdefault("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; base-uri 'none'")
    said.setdefault("Referrer-Policy", "no-referrer")
    said.setdefault("X-Content-Type-Options", "nosniff")
    said.setdefault("X-Robots-Tag", "noindex, nofollow")
    said.setdefault("Cache-Control", "no-store")
    said.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
    if config.current().base_url.startswith("https:"):
        said.setdefault("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
    return answer


def say_unknown(advice: Callable[[], str] | None = None, status: int = 404) -> Response:
    """The one neutral page; who asks for it too often is told to wait."""
    wait = MISSES.take(limits.key_of(source()))
    if wait:
        return say_too_often(TooOften(wait))
    text = advice() if advice else _("The address may be incomplete or too old.")
    return page("words", status=status, heading=_("This page does not exist"), text=text)


def say_gone(_gone: Gone) -> Response:
    return page("words", status=410, heading=_("This page is closed"), text=_("What was here is no longer shown."))


def say_too_often(often: TooOften) -> Response:
    answer = page(
        "words", status=429, heading=_("Too many requests"), text=_("Please wait a minute and open the page again.")
    )
    answer.headers["Retry-After"] = str(max(1, round(often.seconds)))
    return answer


def say_http(error: HTTPException, advice: Callable[[], str] | None = None) -> Response:
    if error.code == 404:
        return say_unknown(advice)
    headings = {
        400: (_("This form is not complete"), _("Go back, choose what you want and send it again.")),
        405: (_("This cannot be done here"), _("Open the link of the mail again.")),
        413: (_("This form is too large"), _("Go back and send it again.")),
    }
    heading, text = headings.get(error.code or 500, (_("Something went wrong"), _("Please try again in a minute.")))
    answer = page("words", status=error.code or 500, heading=heading, text=text)
    for name, value in error.get_headers():
        if name == "Allow":
            answer.headers[name] = value
    return answer


def writing(view: View) -> View:
    """A view that appends evidence or changes something: its transaction may write, and is committed when it returns."""

    @wraps(view)
    def wrapped(**arguments: Any) -> Any:
        only_reading(False)
        try:
            answer = make_response(view(**arguments))
            db.session.commit()
        except BaseException:
            db.session.rollback()
            raise
        return answer

    return wrapped
