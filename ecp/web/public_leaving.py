"""/u the subscription page of a list, /u1 one click of mail programs (RFC 8058), /pref all choices. Changes by POST only."""

from typing import Any

from flask import Response, redirect, request, url_for
from flask_babel import gettext as _
from markupsafe import Markup, escape
from sqlalchemy import select

from crm import limits
from crm.agents import family
from crm.db import db
from crm.engine.registry import modules
from crm.modules import subscriptions
from crm.modules.opt_ins import asking
from crm.modules.organisation import organisation, required_opt_in
from crm.ui.i18n import LANGUAGES
from crm.ui.public_gesture import script_for
from crm.ui.public_page import page, speaking
from ecp import leaving
from ecp.content.sanitize import sanitize
from ecp.pipeline.allow import OPT_INS
from ecp.pipeline.render import TEST
from ecp.recipients import Recipient, hold, recipient_of
from ecp.web.public import Unknown, bp, source, writing

ACTIONS = {"unsubscribe", "subscribe", "no_mail"}
BUTTONS = {"unsubscribe": "unsubscribe", "subscribe": "subscribe", "all_mail": "no_mail"}


def holder(purpose: Any, token: str) -> Recipient:
    """Who holds the link; for a form that is sent, alone until it is done. Raises Unknown."""
    found = recipient_of(purpose, token)
    if found is None:
        raise Unknown
    if request.method == "POST":
        hold(found)
    return found


def shown(address: str) -> str:
    """An address as a page may show it: whoever was given the mail by its recipient need not learn it whole."""
    local, _at, domain = address.rpartition("@")
    return f"{local[:2]}…@{domain}" if len(local) > 2 else f"…@{domain}"


@bp.get("/u/<token>")
def subscription(token: str) -> Response:
    """The subscription page of the list that a mail belongs to. Changes nothing."""
    if token == TEST:
        return say_test()
    return _subscription(holder("leave", token), token)


@bp.post("/u/<token>")
@writing
def change_subscription(token: str) -> Response:
    """End or start the subscription, or end all mail."""
    who = holder("leave", token)
    action = request.form.get("action", "")
    with speaking(who.language):
        if action == "unsubscribe":
            leaving.leave(who)
            said = _("You no longer get this mail.")
        elif action == "subscribe":
            leaving.come_back(who)
            said = _("You get this mail again.")
        elif action == "no_mail":
            leaving.want_no_mail(who)
            said = _("We send you no mail any more.")
        else:
            return page(
                "words", status=400, language=who.language, heading=_("Nothing was chosen"),
                text=_("Go back and press one of the buttons."),
            )  # fmt: skip
    return _subscription(who, token, said)


@bp.get("/u1/<token>")
def show_one_click(token: str) -> Response:
    """A person (or a scanner) opened the one-click address: the page, which asks."""
    who = holder("one_click", token)
    return redirect(url_for("public.subscription", token=_token("leave", who)), 302)  # type: ignore[return-value]


@bp.post("/u1/<token>")
@writing
def one_click(token: str) -> Response:
    """RFC 8058: leave at once, without a question, cookie, log-in or redirect. Both encodings of forms are read."""
    who = holder("one_click", token)
    if request.form.get("List-Unsubscribe", "") != "One-Click":
        return page(
            "words", status=400, language=who.language, heading=_("Nothing was chosen"),
            text=_("This address takes List-Unsubscribe=One-Click."),
        )  # fmt: skip
    leaving.leave(who, "one_click")
    return page("words", language=who.language, heading=_("Done"), text=_("You no longer get this mail."))


@bp.get("/pref/<token>")
def preferences(token: str) -> Response:
    """What a person wants to get. Changes nothing."""
    if token == TEST:
        return say_test()
    return _preferences(holder("preferences", token))


@bp.post("/pref/<token>")
@writing
def change_preferences(token: str) -> Response:
    """Save all choices of the page at once."""
    who = holder("preferences", token)
    if request.form.get("action") != "save":
        return page(
            "words", status=400, language=who.language, heading=_("Nothing was chosen"),
            text=_("Go back and press the button to save."),
        )  # fmt: skip
    offered = [row.id for row in subscriptions.offered()]
    wanted = {int(said) for said in request.form.getlist("list") if said.isdigit() and len(said) < 19}
    before = leaving.standing(who)
    if request.form.get("no_mail") and not before.no_mail:
        leaving.want_no_mail(who)
    elif before.no_mail and not request.form.get("no_mail"):
        leaving.want_mail(who)
    leaving.choose_lists(who, wanted, offered)
    if request.form.get("agree") and not request.form.get("no_mail") and opt_in_is_missing(who):
        with speaking(who.language):
            asking.agree_at_once(who, wording(), _("Mail choices"), *_seen())
    if subscriptions.asks_measuring():
        agrees = bool(request.form.get("may_measure"))
        if agrees != (who.may_measure == "yes"):
            with speaking(who.language):
                leaving.answer_measuring(who, agrees, subscriptions.measuring_question())
    language = request.form.get("language", "")
    if language in LANGUAGES and language != who.language:
        leaving.choose_language(who, language)
    db.session.flush()
    changed = holder("preferences", token)
    with speaking(changed.language):
        said = _("Your choices are saved.")
    return _preferences(changed, said)


def opt_in_is_missing(who: Recipient) -> bool:
    """Whether the site mails only people who have opted in, and this one has not (and has not refused either)."""
    if who.person_module is None or who.person_id is None:
        return False
    wanted = OPT_INS[required_opt_in()]
    table = modules[who.person_module].table
    state = db.session.execute(select(table.c.email_opt_in).where(table.c.id == who.person_id)).scalar()
    return bool(wanted) and state not in wanted


def wording() -> str:
    """What one agrees to, in the language of the page: kept with the answer."""
    name = organisation().name or _("us")
    return _("I want to get mail from %(name)s. I can end this at any time by a link in each mail.", name=name)


def _seen() -> tuple[str, str]:
    """Where a choice came from, as it may be kept: address cut short, family of the browser."""
    return limits.shortened(source()), family(request.headers.get("User-Agent", "")[:500])


def say_test() -> Response:
    """What the links of a test mail show."""
    return page(
        "words", heading=_("This is a test mail"),
        text=_("In the mail to a recipient, this link opens a page made for that person. Nothing can be changed from here."),
    )  # fmt: skip


def _subscription(who: Recipient, token: str, said: str = "") -> Response:
    now = leaving.standing(who)
    table = modules["list_types"].table
    row = db.session.execute(select(table).where(table.c.id == who.list_type_id)).mappings().first()
    is_off = now.is_off(who)
    with speaking(who.language):
        name = row["name"] if row else _("Mail from us")
        own = own_page(row, is_off) if row else None
    return page(
        "subscription", language=who.language, said=said, list_name=name, is_off=is_off, no_mail=now.no_mail,
        address=shown(who.email), preferences=f"/pref/{_token('preferences', who)}", own_page=own, **_gesture(who),
    )  # fmt: skip


def own_page(row: Any, is_off: bool) -> Markup | None:
    """The list type's own page, with its words and buttons filled in; None when it is the delivered one."""
    from crm.modules.list_types import DEFAULT_PAGE

    written = row["page_html"] or ""
    if not written.strip() or written.strip() == DEFAULT_PAGE.strip():
        return None
    clean, _removed = sanitize(written)
    state = (row["text_unsubscribed"] if is_off else row["text_subscribed"]) or ""
    state = _(state) if state else ""  # the delivered texts speak the reader's language
    labels = {
        "unsubscribe": _("End the subscription"), "subscribe": _("Start the subscription again"),
        "all_mail": _("Send me no mail at all"),
    }  # fmt: skip
    filled = clean.replace("{$list.name}", str(escape(row["name"]))).replace("{$list.state}", str(escape(state)))
    for key, action in BUTTONS.items():
        hidden = (key == "subscribe" and not is_off) or (key == "unsubscribe" and is_off)
        button = f'<button name="action" value="{action}">{escape(labels[key])}</button>'
        filled = filled.replace(f"{{$button.{key}}}", "" if hidden else button)
    return Markup(filled)  # noqa: S704 - sanitised, and what is filled in is escaped


def _preferences(who: Recipient, said: str = "") -> Response:
    now = leaving.standing(who)
    with speaking(who.language):
        lists = [
            {
                "id": row.id,
                "name": row.name,
                "kind_label": subscriptions.kind_in_words(row.kind),
                "is_on": row.id not in now.lists,
            }
            for row in subscriptions.offered()
        ]
        question = subscriptions.measuring_question()
        agreement = wording() if opt_in_is_missing(who) and not now.no_mail else ""
    known = who.person_id is not None
    return page(
        "preferences", language=who.language, said=said, address=shown(who.email), lists=lists, no_mail=now.no_mail, agreement=agreement,
        asks_measuring=known and subscriptions.asks_measuring(), may_measure=who.may_measure == "yes", measuring_text=question,
        languages=[{"key": key, "label": label} for key, label in LANGUAGES.items()] if known else [], language_now=who.language, **_gesture(who),
    )  # fmt: skip


def _gesture(who: Recipient) -> dict[str, Any]:
    """The script that tells of a gesture, into pages of people who may be measured."""
    return {"script": script_for(who.delivery_id), "tells": True} if who.is_measured else {}


def _token(purpose: Any, who: Recipient) -> str:
    from ecp.pipeline.track import sealer

    return sealer().seal(purpose, who.delivery_id)
