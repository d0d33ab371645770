"""What is done with a sendout from its pages: sent, scheduled, paused, copied. Each ends at the card with one sentence."""

from collections.abc import Callable

from flask import redirect, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from crm.db import db
from crm.engine import records, relations, search
from crm.engine.channels import Channel
from crm.engine.permissions import demand
from crm.engine.refusals import Conflict, Refused
from crm.ui.formats import own
from crm.ui.page import go, tell
from crm.ui.session import commit, viewer
from crm.words import ngettext
from ecp.pipeline import actions, audience
from ecp.web.sendout_outlook import Outlook, look, mail_version
from ecp.web.sendout_steps import address_of, draw_send, typed_moment

COPIED = (
    "name",
    "email_template_id",
    "campaign_id",
    "list_type_id",
    "skip_earlier",
    "recurrence",
    "recurs_until",
    "description",
)


def start(id: int) -> Response:
    """Send now, if what was shown still holds."""
    sendout = actions.load(viewer(), id)
    if sendout.state != "draft":  # pressed twice, or somebody else was faster: the state that holds is told
        return _move(id, lambda: actions.start(viewer(), id, Channel.FORM), _("The sending has begun."))
    seen = look(viewer(), sendout)
    fault = _not_as_shown(sendout, seen)
    if fault:
        return _again(id, fault, seen)
    try:
        _note_tested(id)
        actions.start(viewer(), id, Channel.FORM)
        commit()
    except Refused as refused:
        db.session.rollback()
        return _again(id, {"": refused.sentences}, seen)
    tell(
        ngettext(
            "The sending to %(num)s person has begun.", "The sending to %(num)s people has begun.", seen.count.sendable
        )
    )
    return go(address_of(id))


def schedule(id: int) -> Response:
    """Send at a moment, if what was shown still holds. The people are counted anew when it comes."""
    raw = request.form.get("at", "")
    at = typed_moment(raw)
    sendout = actions.load(viewer(), id)
    if sendout.state == "draft":
        seen = look(viewer(), sendout)
        fault = {"at": _("Say the day and the time.")} if at is None else _not_as_shown(sendout, seen, is_later=True)
        if fault:
            return _again(id, fault, seen, raw)
    try:
        assert at is not None or sendout.state != "draft"  # noqa: S101 — told above
        if at is None:
            raise Refused.because("bad_date", _("Say the day and the time."), "scheduled_at")
        _note_tested(id)
        actions.schedule(viewer(), id, at, Channel.FORM)
        commit()
    except Refused as refused:
        db.session.rollback()
        return _again(id, {"": refused.sentences}, None, raw)
    if sendout.recurs:
        tell(
            _(
                "E-mail scheduled. It leaves for the first time %(when)s, and then again and again.",
                when=own().moment(at),
            )
        )
    else:
        tell(_("E-mail scheduled. It leaves %(when)s.", when=own().moment(at)))
    return go(address_of(id))


def _note_tested(id: int) -> None:
    if (
        request.form.get("tested") == "1"
        and not search.one(viewer(), "sendouts", id, columns=("is_tested",))["is_tested"]
    ):
        records.update(viewer(), "sendouts", id, {"is_tested": True}, Channel.FORM)


def _not_as_shown(sendout: actions.Sendout, seen: Outlook, is_later: bool = False) -> dict[str, str]:
    """What speaks against going on: not tested, or the page that was looked at is out of date."""
    if request.form.get("tested") != "1":
        return {"tested": _("Send yourself a test first, look at it, and tick “I have tested it”.")}
    shown = request.form.get("mail_version", type=int)
    if shown is not None and shown != mail_version(sendout.email_template_id):
        return {"": _("Somebody changed the e-mail since you opened this page. Look at it again before you send.")}
    people = request.form.get("people", type=int)
    if not is_later and people is not None and people != seen.count.sendable:
        return {"": _("The audience has changed since you opened this page: it would go to %(now)s people now, not to %(then)s.",
                      now=own().number(seen.count.sendable), then=own().number(people))}  # fmt: skip
    return {}


def _again(id: int, faults: dict[str, str], seen: Outlook | None, raw: str = "") -> Response:
    row = search.one(viewer(), "sendouts", id)
    status = 409 if "" in faults and "tested" not in faults else 422
    return draw_send(row, raw, status, faults, seen)


def _move(id: int, act: Callable[[], str], said: str) -> Response:
    try:
        act()
        commit()
        tell(said)
    except Conflict as conflict:
        db.session.rollback()
        tell(str(conflict), "warn")
    return go(address_of(id))


def unschedule(id: int) -> Response:
    """A draft again."""
    return _move(
        id, lambda: actions.unschedule(viewer(), id, Channel.FORM), _("The sendout is a draft again. Nothing was sent.")
    )


def pause(id: int) -> Response:
    """Nothing more begins."""
    return _move(
        id,
        lambda: actions.pause(viewer(), id, Channel.FORM),
        _("Paused. What was being sent is ended; the rest waits."),
    )


def resume(id: int) -> Response:
    """Go on with those who wait."""
    return _move(id, lambda: actions.resume(viewer(), id, Channel.FORM), _("The sending goes on."))


def cancel(id: int) -> Response:
    """End it."""
    return _move(
        id,
        lambda: actions.cancel(viewer(), id, Channel.FORM),
        _("Cancelled. What was sent stays sent; nobody else gets it."),
    )


def copy(id: int) -> Response:
    """A new draft with the same mail and people."""
    demand(viewer(), "create", "sendouts")
    row = search.one(viewer(), "sendouts", id)
    values = {name: row[name] for name in COPIED if row.get(name) is not None}
    values["name"] = _("%(name)s (copy)", name=row["name"])[:150]
    values["source"] = row["source"] if row["source"] in {"ecp", "mass_mailing"} else "mass_mailing"
    made = records.create(viewer(), "sendouts", values, Channel.FORM)
    if groups := audience.group_ids_of(id):
        relations.link(viewer(), "sendouts", made, "portal_target_groups", list(groups), Channel.FORM)
    commit()
    tell(_("This is a copy. Nothing was sent."))
    return redirect(address_of(made, "mail"), 303)
