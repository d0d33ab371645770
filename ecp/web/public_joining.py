"""/u without a token: asking for our mail. /confirm of such a request: the owner of the address agrees, by POST only."""

from typing import Any

from flask import Response, request
from flask_babel import gettext as _

from crm import limits
from crm.agents import family
from crm.db import db
from crm.engine.refusals import Refused
from crm.modules import subscriptions
from crm.modules.opt_ins import asking
from crm.modules.opt_ins.asking import Standing
from crm.modules.organisation import has_subscription_page, organisation
from crm.ui.i18n import LANGUAGES
from crm.ui.public_forms import form_token, receive, sent_token
from crm.ui.public_page import choose_language, page, speaking
from ecp.web.public import Gone, Unknown, bp, source, writing
from ecp.web.public_leaving import shown, wording

FORM = "newsletter"
NAMES = {"first_name": 60, "last_name": 80}


@bp.get("/u")
def join() -> Response:
    """The page where anybody may ask for our mail; `?list=` ticks the list of that number."""
    _demand_open()
    language = _language(request.args.get("language"))
    chosen = {request.args.get("list", "")}
    return _draw(language, form_token(FORM), {}, chosen)


@bp.post("/u")
@writing
def ask_to_join() -> Response:
    """Mail the link that confirms. The answer is the same for every address."""
    _demand_open()
    language = _language(request.form.get("language"))
    email = request.form.get("email", "").strip()
    typed = {name: " ".join(request.form.get(name, "").split()) for name in NAMES} | {"email": email}
    offered = {str(row.id): row for row in _lists()}
    chosen = set(offered) if len(offered) == 1 else {one for one in request.form.getlist("list") if one in offered}
    faults = _faults(typed, bool(chosen))
    if not faults:
        try:
            sent = receive(FORM, email=email)
            if not sent.is_trap and sent.first is None:
                with speaking(language):
                    said = _request(typed, language, chosen, offered)
                asking.ask(said)
                sent.keep({"done": True})
        except Refused as refused:
            with speaking(language):
                faults = {name: found[0].message for name, found in refused.faults.items()}
    if faults:
        db.session.rollback()
        return _draw(language, sent_token(FORM), typed, chosen, faults, 422)
    with speaking(language):
        text = _(
            "We have sent a mail to %(address)s. Open the link in it and confirm: only then do you get our mail. "
            "If no mail comes, look into the folder for junk, or ask again tomorrow.",
            address=email,
        )  # fmt: skip
        return page("words", language=language, heading=_("One step is left"), text=text)


def _demand_open() -> None:
    if not has_subscription_page():
        raise Unknown


def ask_opt_in(token: str) -> Response | None:
    """The page that asks for the last step; None when the token is not one of ours."""
    found = asking.standing(token)
    return None if found is None else _draw_standing(found)


def confirm_opt_in(token: str) -> Response | None:
    """The owner of the address agrees, or asks for a new link; None when the token is not one of ours."""
    found = asking.standing(token)
    if found is None:
        return None
    if found.state == "expired":
        asking.ask_again(token)
        language = found.row.language
        with speaking(language):
            text = _(
                "If the address still wants our mail, a new link is on its way to %(address)s.",
                address=shown(found.row.email),
            )
            return page("words", language=language, heading=_("Look into your mail"), text=text)
    done = asking.confirm(token, limits.shortened(source()))
    return None if done is None else _draw_standing(done)


def _draw_standing(found: Standing) -> Response:
    language = found.row.language
    with speaking(language):
        address, name = shown(found.row.email), organisation().name or _("us")
        if found.state == "done":
            text = _("You get our mail at %(address)s. Every mail has a link by which you can end it.", address=address)
            return page("words", language=language, heading=_("Confirmed"), text=text)
        if found.state == "expired":
            text = _("The link for %(address)s held for 7 days. We can send a new one.", address=address)
            button, action, heading = _("Send me a new link"), "again", _("This link is too old")
        else:
            text = _("Do you want mail from %(name)s at %(address)s?", name=name, address=address)
            button, action, heading = _("Yes, I want this mail"), "confirm", _("Confirm that you want our mail")
        return page("words", language=language, heading=heading, text=text, button=button, action=action)


def _request(typed: dict[str, str], language: str, chosen: set[str], offered: dict[str, Any]) -> asking.Request:
    names = ", ".join(row.name for id, row in offered.items() if id in chosen)
    return asking.Request(
        typed["email"], f"{wording()} ({names})", _("Page to subscribe"), typed["first_name"], typed["last_name"], language,
        [int(one) for one in chosen], [int(one) for one in offered], limits.shortened(source()),
        family(request.headers.get("User-Agent", "")[:500]),
    )  # fmt: skip


def _faults(typed: dict[str, str], has_list: bool) -> dict[str, str]:
    faults = {}
    with speaking(_language(request.form.get("language"))):
        if not typed["email"]:
            faults["email"] = _("Write your e-mail address.")
        if not has_list:
            faults["list"] = _("Tick at least one list.")
        for name, most in NAMES.items():
            if len(typed[name]) > most:
                faults[name] = _(
                    "This takes at most %(most)s characters; there are %(count)s.", most=most, count=len(typed[name])
                )
    return faults


def _lists() -> list[Any]:
    """What can be asked for; notices that one must get are not asked for."""
    return [row for row in subscriptions.offered() if row.kind != "essential"]


def _language(said: str | None) -> str:
    return choose_language(said if said in LANGUAGES else None)


def _draw(
    language: str,
    token: str,
    typed: dict[str, str],
    chosen: set[str],
    faults: dict[str, str] | None = None,
    status: int = 200,
) -> Response:
    lists = _lists()
    if not lists:
        raise Gone
    with speaking(language):
        said = [{"id": row.id, "name": row.name, "kind_label": subscriptions.kind_in_words(row.kind)} for row in lists]
        agreed = wording()
    return page(
        "join", status, language, token=token, typed=typed, chosen=chosen, faults=faults or {}, lists=said, wording=agreed,
        languages=[{"key": key, "label": label} for key, label in LANGUAGES.items()], language_now=language,
    )  # fmt: skip
