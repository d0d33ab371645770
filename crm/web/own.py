"""What belongs to whoever is signed in: running jobs, quick search, preferences. Both staff apps have it, each its own."""

from collections.abc import Callable
from typing import Any
from zoneinfo import available_timezones

from flask import Blueprint, g, make_response, redirect, render_template, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select, update
from werkzeug.wrappers import Response as AnyResponse

from crm import config
from crm.db import db
from crm.engine import outbox, text_index
from crm.engine.refusals import Missing, Refused
from crm.engine.registry import modules
from crm.identity.tables import User
from crm.modules.users import writing
from crm.ui.face import face
from crm.ui.formats import DATE_FORMATS, NUMBER_FORMATS
from crm.ui.i18n import LANGUAGES
from crm.ui.page import go, local_path, tell
from crm.ui.session import THEMES, commit, viewer

JOB_NAMES = {
    "run_import": _l("Import"), "check_import": _l("Checking a file"), "refresh_target_group": _l("Refreshing a target group"),
    "index_custom_field": _l("Indexing a field"), "run_export": _l("Export"), "merge_documents": _l("Making documents"),
    "personal_mails.make": _l("Mail with a document"),
}  # fmt: skip
PREFERENCES = ("title", "phone", "mobile", "locale", "timezone", "date_format", "number_format", "signature")
Address = Callable[[str, int], str]


def make_blueprint(prefix: str, address: Address | None = None) -> Blueprint:
    """The pages under `prefix`. `address(module, id)`: where the app shows a record ("" when it does not)."""
    made = Blueprint("own", __name__, url_prefix=prefix)
    where = address or (lambda module, id: f"/crm/{module}/{id}" if modules[module].in_crm else "")

    def suggest_here() -> str:
        return suggest(where)

    def search_here() -> str:
        return search(where)

    made.add_url_rule("/jobs", "jobs", jobs)
    made.add_url_rule("/jobs/<int:id>/cancel", "cancel", cancel, methods=["POST"])
    made.add_url_rule("/search/suggest", "suggest", suggest_here)
    made.add_url_rule("/search", "search", search_here)
    made.add_url_rule("/preferences", "preferences", preferences)
    made.add_url_rule("/preferences", "save", save_preferences, methods=["POST"])
    made.add_url_rule("/preferences/look", "look", look, methods=["POST"])
    return made


# jobs


def jobs() -> str:
    """The running jobs of the viewer, with their bars; the fragment asks for itself again while there are any."""
    return render_template("_jobs.html", jobs=outbox.running_for(db.session, viewer().id or 0), names=JOB_NAMES)


def cancel(id: int) -> AnyResponse | str:
    job = outbox.standing(db.session, id)
    if job is None or job.created_by_id != viewer().id:
        raise Missing
    outbox.cancel(db.session, id)
    commit()
    return jobs()


# search


def suggest(where: Address) -> str:
    """Records, pages and actions for what was typed so far."""
    text = " ".join(request.args.get("q", "").split())
    return render_template("_suggest.html", text=text, where=where, modules=modules, **_found(text, 5))


def _found(text: str, limit: int) -> dict[str, Any]:
    folded = text.lower()
    pages, makers = [], []
    for group in face().menu(viewer()):
        pages += [link for link in group.links if folded in link.label.lower()]
        makers += [
            link for link in group.links if link.create and folded and folded in f"{_('New')} {link.noun}".lower()
        ]
    hits: dict[str, Any] = {}
    hint = ""
    if text:
        try:
            hits = text_index.search(viewer(), text, limit=limit)
        except Refused:
            hint = _("Type at least two letters to find records.")
    return {"pages": pages[:8], "makers": makers[:4], "hits": hits, "hint": hint}


def search(where: Address) -> str:
    """All that is found, by module."""
    text = " ".join(request.args.get("q", "").split())
    return render_template("search.html", text=text, where=where, modules=modules, **_found(text, 20))


# preferences


def preferences(faults: dict[str, str] | None = None, typed: Any = None) -> str:
    c = User.__table__.c
    me = db.session.execute(select(User.__table__).where(c.id == viewer().id)).mappings().one()
    held = dict(me) | ({name: typed.get(name, "") for name in PREFERENCES} if typed else {})
    return render_template(
        "preferences.html", me=held, faults=faults or {}, zones=sorted(zone for zone in available_timezones() if "/" in zone),
        date_formats=DATE_FORMATS, number_formats=NUMBER_FORMATS, site_zone=config.current().timezone,
    )  # fmt: skip


def save_preferences() -> AnyResponse:
    faults = {}
    changes = {name: request.form[name] or None for name in PREFERENCES if name in request.form}
    if changes.get("date_format") and changes["date_format"] not in DATE_FORMATS:
        faults["date_format"] = _("Choose one of the formats offered.")
    if changes.get("number_format") and changes["number_format"] not in NUMBER_FORMATS:
        faults["number_format"] = _("Choose one of the formats offered.")
    if unknown := set(request.form) - set(PREFERENCES) - {"csrf"}:
        faults[""] = _("“%(name)s” cannot be changed here.", name=sorted(unknown)[0])
    if not faults:
        try:
            writing.change_user(viewer(), viewer().id or 0, changes)
            commit()
            g.locale = changes.get("locale") or config.current().locale
            tell(_("Your preferences are saved."))
            return redirect(f"{face().prefix}/preferences", 303)
        except Refused as refused:
            db.session.rollback()
            faults = {name: found[0].message for name, found in refused.faults.items()}
    return make_response(preferences(faults, request.form), 422)


def look() -> AnyResponse:
    """Theme and language, from the menu of the person."""
    if request.form.get("theme") in THEMES:
        remember("theme", request.form["theme"])
    if request.form.get("locale") in LANGUAGES:
        writing.change_user(viewer(), viewer().id or 0, {"locale": request.form["locale"]})
    commit()
    return go(local_path(request.form.get("next", "").rstrip("?"), f"{face().prefix}/"))


def remember(name: str, value: Any) -> None:
    """Keep a preference of the viewer. The caller commits."""
    g.preferences[name] = value
    db.session.execute(update(User).where(User.id == viewer().id).values(preferences=g.preferences))


bp = make_blueprint("/crm")
