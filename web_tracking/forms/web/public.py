"""/form/<key>: the page of a form, its script for other sites, and where both send to. Cookie-less; hostile ground.

The page works without scripts. The script asks `/form/<key>.json` for the form as markup and sends by fetch; the answer is
JSON then, else a page. Traps need no third party: a field for robots, a signed token with its time, rates, a small sum.
"""

import hashlib
import hmac
import json
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Response, make_response, redirect, render_template, request
from flask_babel import gettext as _

from crm import config, limits
from crm.agents import family, kind_of
from crm.db import db, only_reading
from crm.engine.attachments import MEGABYTE
from crm.engine.refusals import Refused
from crm.identity.sealing import public_base
from crm.limits import Limiter, Rate
from crm.mail.message import BadAddress, email_key
from crm.ui import assets
from crm.ui.public_face import Gone, TooOften, Unknown, guard, source
from crm.ui.public_page import choose_language, page
from crm.words import speaking
from web_tracking.forms import counting, keeping, reading, tickets
from web_tracking.forms.design import BESIDE, FIRST, LANGUAGES, PLAIN, Design, find, load
from web_tracking.forms.keeping import TooLarge
from web_tracking.forms.reading import Typed
from web_tracking.forms.tickets import Ticket
from web_tracking.forms.website_forms import is_web_address, lines

bp = Blueprint("website_forms_public", __name__, template_folder="../../templates")
MOST_TEXT = 256 * 1024
MOST_FILES = keeping.MOST_FILES * keeping.MOST_MEGABYTES * MEGABYTE + MEGABYTE
guard(bp, MOST_TEXT)
POSTS = Limiter(Rate(60, 600))  # of one address with a good token: an office behind one address may send many
PLAIN_POSTS = Limiter(Rate(10, 600))  # of one address without one
OF_EMAIL = Limiter(Rate(10, 3600))
AN_HOUR = 3600


class Foreign(Exception):
    """A site that is not named at the form."""


@bp.get("/form/<key>")
def show(key: str) -> Response:
    """The page of the form."""
    design = _enter(key)
    with speaking(design.language):
        answer = _page(design, tickets.draw(design.id, design.letter, "page"), Typed())
        _count_view(design)
        return answer


@bp.get("/form/<key>.js")
def script(key: str) -> Response:
    """The script that draws the form where it stands in a page of another site."""
    found = find(key[:60])
    if found is None:
        raise Unknown
    body = _script(assets.manifest()["embed_form.js"]) if found[1] else b""
    answer = Response(body, 200 if found[1] else 410, content_type="text/javascript; charset=utf-8")
    answer.headers |= {
        "Cache-Control": f"public, max-age={AN_HOUR}", "Cross-Origin-Resource-Policy": "cross-origin",
        "Access-Control-Allow-Origin": "*",
    }  # fmt: skip
    return answer


@bp.get("/form/<key>.json")
def part(key: str) -> Response:
    """The form as markup for the script: drawn anew each time, with a token of its own."""
    try:
        design = _enter(key)
        _demand_known(design)
    except Gone:
        return _say(410, message=_("This form is closed."))
    except Foreign:
        return _say(403, message=_("This form may not be shown on this site."))
    with speaking(design.language):
        answer = _say(200, design, html=_markup(design, tickets.draw(design.id, design.letter, "embed"), Typed()))
        _count_view(design)
        return answer


@bp.post("/form/<key>")
def send(key: str) -> Response:
    """A submission."""
    only_reading(True)
    request.max_form_memory_size, request.max_form_parts = MOST_TEXT, 2 * reading.MOST_NAMES
    found = find(key[:60])
    if found is None:
        raise Unknown
    if not found[1]:
        return _closed()
    row = load(found[0]).row
    if (
        row["takes_files"] and request.mimetype == "multipart/form-data"
    ):  # no other form has a limit for its texts alone
        request.max_content_length = MOST_FILES
    ticket = tickets.read(found[0], request.form.get(tickets.FIELD, ""))
    _count_post(ticket)
    design = load(found[0], _language(), ticket.variant if ticket else FIRST)
    with speaking(design.language):
        try:
            if ticket is None or ticket.way != "page":
                _demand_known(design)
        except Foreign:
            return _refuse(403, design, _("This form may not be sent from this site."))
        return _take(design, ticket)


def _take(design: Design, ticket: Ticket | None) -> Response:
    """Look at what came, keep it, and say so; or draw the form again with what is wrong."""
    typed = reading.read(design, request.form)
    is_plain = ticket is None and not request.form.get(tickets.FIELD) and _takes_plain(design)
    if not is_plain and ticket is None:
        said = _("Look at what you typed and send it.") if not request.form.get(tickets.FIELD) else _(
            "This page was open too long. Look at what you typed and send it again."
        )  # fmt: skip
        return _again(design, typed, said)
    suspicion = _suspicion(ticket)
    if design.row["asks_sum"] and not suspicion and (wrong := reading.check_sum(ticket, request.form)):
        typed.faults[tickets.SUM] = wrong
    if not typed.is_good and not request.form.get(tickets.TRAP, "").strip():
        return _again(design, typed)  # who was only fast sees what is missing
    if not suspicion and _is_too_often(typed):
        suspicion = _in_the_house(lambda: _("Too many submissions with one address"))
    try:
        _keep(design, typed, ticket, suspicion)
    except Refused as refused:
        _begin_reading()
        typed.faults |= {name: found[0].message for name, found in refused.faults.items()}
        return _again(design, typed)
    except TooLarge as large:
        _begin_reading()
        typed.faults[reading.FILES] = str(large)
        return _again(design, typed, status=413)
    return _thank(design)


def _keep(design: Design, typed: Typed, ticket: Ticket | None, suspicion: str) -> None:
    """Keep it, raw, in one commit with the job that goes on."""
    _begin_writing()
    agent = request.headers.get("User-Agent", "")
    made = keeping.keep(
        design, typed, reading.way_of(request.form, request.headers),
        ticket.once if ticket else keeping.once_of(design, typed, limits.key_of(source())),
        variant=ticket.variant if ticket else None, suspicion=suspicion, ip=limits.shortened(source()),
        agent=family(agent), files=request.files.getlist(reading.FILES),
    )  # fmt: skip
    if made is not None:
        counting.add(design.id, ticket.variant if ticket else PLAIN, "suspected" if suspicion else "sent")
    db.session.commit()
    _begin_reading()


def _begin_reading() -> None:
    db.session.rollback()
    only_reading(True)


def _begin_writing() -> None:
    """What was read so far is over: a transaction that reads cannot begin to write once another one has written meanwhile."""
    db.session.rollback()
    only_reading(False)


# the traps


def _count_post(ticket: Ticket | None) -> None:
    wait = (POSTS if ticket else PLAIN_POSTS).take(limits.key_of(source()))
    if wait:
        raise TooOften(wait)


def _suspicion(ticket: Ticket | None) -> str:
    """Why nobody is believed to sit there, in the words of the house; "" when nothing speaks for it."""
    if request.form.get(tickets.TRAP, "").strip():
        return _in_the_house(lambda: _("Filled in the field that people do not see"))
    if ticket is not None and ticket.age < tickets.LEAST_SECONDS:
        return _in_the_house(lambda: _("Sent faster than people type"))
    return ""


def _in_the_house(say: Any) -> str:
    with speaking(config.current().locale):
        return str(say())


def _is_too_often(typed: Typed) -> bool:
    try:
        return bool(OF_EMAIL.take(email_key(typed.shown("email")))) if typed.shown("email") else False
    except BadAddress:
        return False


def _takes_plain(design: Design) -> bool:
    return bool(design.row["accepts_plain"]) and not design.row["asks_sum"]


def _demand_known(design: Design) -> None:
    """Raises Foreign when a browser says that it is on a site that the form does not name."""
    allowed = lines(design.row["allowed_origins"])
    said = request.headers.get("Origin", "").lower()
    if allowed and said not in {*allowed, _own_origin()}:
        raise Foreign


def _own_origin() -> str:
    parts = urlsplit(public_base().lower())
    return f"{parts.scheme}://{parts.netloc}"


# what is shown


def _enter(key: str) -> Design:
    """The open form of this key in the visitor's language, in the variant that falls to this visitor. Raises Unknown, Gone."""
    found = find(key[:60])
    if found is None:
        raise Unknown
    if not found[1]:
        raise Gone
    design = load(found[0], _language())
    letters = [FIRST, *(one["letter"] for one in design.variants if one["active"])]
    if len(letters) > 1 and design.language != (design.row["language"] or "en"):
        return replace(design, letter=BESIDE)
    return design if len(letters) == 1 else load(found[0], _language(), _lot(found[0], letters))


def _lot(form_id: int, letters: list[str]) -> str:
    """Which variant falls to this visitor: always the same one, though nothing is kept of him or with him."""
    who = f"{form_id}|{limits.key_of(source())}|{request.headers.get('User-Agent', '')[:300]}"
    digest = hmac.digest(config.current().secret_keys[-1].encode(), who.encode("utf-8", "replace"), hashlib.sha256)
    return letters[int.from_bytes(digest[:4]) % len(letters)]


def _language() -> str | None:
    """The language that the address or the form says, else what the browser asks for."""
    said = request.args.get("lang") or (request.form.get(reading.LANGUAGE) if request.method == "POST" else None)
    return said if said in LANGUAGES else choose_language(None)


def _count_view(design: Design) -> None:
    """One view more; machines that say so are not counted."""
    if request.method == "GET" and kind_of(request.headers.get("User-Agent", "")) == "reader":
        _begin_writing()
        counting.add(design.id, design.letter, "views")
        db.session.commit()


def _wants_json() -> bool:
    return "application/json" in request.headers.get("Accept", "")


def _again(design: Design, typed: Typed, said: str = "", status: int = 422) -> Response:
    """The form with what was typed and what is wrong; its token is as good as before, or a new one."""
    old = request.form.get(tickets.FIELD, "")
    ticket = tickets.read(design.id, old)
    token = old if ticket else tickets.draw(design.id, design.letter, "embed" if _wants_json() else "page")
    db.session.rollback()
    if _wants_json():
        return _say(status, design, html=_markup(design, token, typed, said))
    return _page(design, token, typed, said, status)


def _thank(design: Design) -> Response:
    url = str(design.row["redirect_url"] or "")
    if url and is_web_address(url):
        return _say(200, design, redirect=url) if _wants_json() else make_response(redirect(url, 303))
    text = design.text("thanks") or _("We have received what you sent.")
    if _wants_json():
        return _say(200, design, html=render_template("website_forms/_thanks.html", text=text, tag="p"))
    return page("website_forms/thanks", language=design.language, text=text, framed_by=_framers(design))


def _page(design: Design, token: str, typed: Typed, said: str = "", status: int = 200) -> Response:
    answer = page(
        "website_forms/page", status, design.language, framed_by=_framers(design),
        **_values(design, token, typed, said), languages=[one for one in LANGUAGES if one != design.language],
    )  # fmt: skip
    target = urlsplit(str(design.row["redirect_url"] or ""))
    if target.netloc:  # browsers ask the policy of the form again for where its answer leads
        policy = answer.headers["Content-Security-Policy"]
        extra = f"form-action 'self' {target.scheme}://{target.netloc}"
        answer.headers["Content-Security-Policy"] = policy.replace("form-action 'self'", extra)
    return answer


def _markup(design: Design, token: str, typed: Typed, said: str = "") -> str:
    return render_template("website_forms/_form.html", **_values(design, token, typed, said), is_embedded=True)


def _values(design: Design, token: str, typed: Typed, said: str) -> dict[str, Any]:
    url = (
        request.url
        if request.method == "GET" and request.path.startswith("/form/")
        else request.form.get(reading.PAGE, "")
    )
    return {
        "design": design, "token": token, "typed": typed, "said": said, "action": f"{public_base()}/form/{design.row['key']}",
        "numbers": tickets.numbers_of(token) if design.row["asks_sum"] else None, "page_url": url[:2000],
        "endings": lines(design.row["file_types"]), "names": reading, "trap": tickets.TRAP,
    }  # fmt: skip


def _framers(design: Design) -> str:
    return " ".join(["'self'", *lines(design.row["allowed_origins"])])


def _closed() -> Response:
    if _wants_json():
        return _say(410, message=_("This form is closed."))
    raise Gone


def _refuse(status: int, design: Design, text: str) -> Response:
    if _wants_json():
        return _say(status, message=text)
    return page("words", status=status, language=design.language, heading=_("This form was not taken"), text=text)


def _say(status: int, design: Design | None = None, **said: str) -> Response:
    """JSON for the script. Sites that the form names may read it; an answer without a form, any."""
    answer = make_response(json.dumps(said, ensure_ascii=False), status)
    answer.headers["Content-Type"] = "application/json; charset=utf-8"
    origin = request.headers.get("Origin", "")
    is_named = design is not None and bool(lines(design.row["allowed_origins"]))
    answer.headers["Access-Control-Allow-Origin"] = origin if is_named and origin else "*"
    answer.headers["Vary"] = "Origin, Accept"
    answer.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return answer


@lru_cache(maxsize=2)
def _script(name: str) -> bytes:
    return (Path(assets.FOLDER) / name).read_bytes()
