"""Staff pages about people of an event: adding, the list of invited, check-in, and what is done with one attendee."""

import re
from typing import Any

from flask import Blueprint, Response, make_response, render_template, request
from flask_babel import gettext as _
from sqlalchemy import select
from werkzeug.wrappers import Response as AnyResponse

from crm.db import db
from crm.engine import search
from crm.engine.channels import Channel
from crm.engine.refusals import Conflict, Missing, Refused
from crm.engine.registry import modules
from crm.engine.rows import labels_of
from crm.modules.contacts.resolve import people_of
from crm.modules.events import attendance, codes, figures, inviting, mails, seats
from crm.modules.people import Choice, select_people
from crm.ui.page import go, local_path, tell
from crm.ui.session import commit, viewer
from crm.web.events import KEY, demand_event, sentences
from crm.words import ngettext

bp = Blueprint("event_people", __name__, url_prefix="/crm")
MOST_TYPED = 1000
FOUND = 20


# adding


@bp.get(f"/{KEY}/<int:id>/add")
def ask_add(key: str, id: int, fault: str = "", status: int = 200) -> Any:
    event, row = demand_event(key, id)
    contacts = [int(one) for one in request.values.getlist("contact_id") if one.isdecimal()]
    group = request.values.get("target_group_id", "")
    page = render_template(
        "event_add.html", here=key, row=row, event=event, home=f"/crm/{key}/{id}", fault=fault, form=request.form,
        labels=labels_of(viewer(), [*contacts, *([int(group)] if group.isdecimal() else [])]), contacts=contacts, group=group,
        numbers=figures.figures_of(viewer(), event),
    )  # fmt: skip
    return make_response(page, status)


@bp.post(f"/{KEY}/<int:id>/add")
def add(key: str, id: int) -> Any:
    """Add chosen contacts, the people of a target group, or known contacts by their addresses (typed, or a file)."""
    event, _row = demand_event(key, id)
    try:
        chosen, unknown = _chosen()
        if not chosen and not unknown:
            raise Refused.because("required", _("Choose contacts, a target group, or write addresses."))
        given = seats.add_many(viewer(), event.id, chosen, Channel.FORM, tells=request.form.get("tells") == "1")
        commit()
    except (Refused, Conflict) as refused:
        db.session.rollback()
        return ask_add(key, id, sentences(refused), 422)
    tell(_summary(given))
    if unknown:
        tell(
            _("Not found: %(addresses)s", addresses=", ".join(unknown[:8]) + (" …" if len(unknown) > 8 else "")), "warn"
        )
    return go(f"/crm/{key}/{id}")


def _chosen() -> tuple[list[int], list[str]]:
    """The contacts that a form means, and addresses of nobody whom the viewer sees."""
    ids = [int(one) for one in request.form.getlist("contact_id") if one.isdecimal()]
    group = request.form.get("target_group_id", "")
    if group.isdecimal():
        for people in select_people(viewer(), Choice(target_group_id=int(group))):
            one = people.subquery()
            ids += db.session.execute(
                select(one.c.contact_id).where(one.c.contact_id.is_not(None)).order_by(one.c.contact_id)
            ).scalars()
    typed = request.form.get("addresses", "")
    file = request.files.get("file")
    if file is not None and file.filename:
        typed += "\n" + file.read(1_000_000).decode("utf-8", "replace")
    addresses = list(dict.fromkeys(re.findall(r"[^\s,;<>\"]+@[^\s,;<>\"]+", typed)))
    if len(addresses) > MOST_TYPED:
        raise Refused.because("out_of_range", _("At most %(most)s addresses at once.", most=MOST_TYPED))
    unknown = []
    for said in addresses:
        known = [person.id for person in people_of(said) if person.module == "contacts"]
        seen = [one for one in known[:1] if search.exists(viewer(), "contacts", one)]
        ids += seen
        if not seen:
            unknown.append(said)
    visible = search.ids(viewer(), "contacts").where(modules["contacts"].table.c.id.in_(ids[:5000]))
    allowed = set(db.session.execute(visible).scalars())
    return [one for one in dict.fromkeys(ids) if one in allowed], unknown


def _summary(given: list[seats.Place]) -> str:
    fresh = [place.status for place in given if place.is_new]
    return _(
        "Seats: %(joined)s. Spare places: %(spare)s. Full: %(full)s. Already there: %(there)s.", joined=fresh.count("joined"),
        spare=fresh.count("spare"), full=fresh.count("full"), there=len(given) - len(fresh),
    )  # fmt: skip


# invited


@bp.get(f"/{KEY}/<int:id>/invited")
def invited(key: str, id: int) -> str:
    """The contacts of the campaign, with what became of the invitation."""
    event, row = demand_event(key, id, "view")
    state = request.args.get("state", "")
    state = state if state in inviting.STATES else ""
    people = inviting.invited(viewer(), event, state, request.args.get("after", 0, type=int))
    return render_template(
        "event_invited.html", here=key, row=row, event=event, home=f"/crm/{key}/{id}", state=state, states=_states(), people=people,
        counts=inviting.counts(viewer(), event), labels=labels_of(viewer(), [one.contact_id for one in people]), at_once=inviting.AT_ONCE,
    )  # fmt: skip


def _states() -> dict[str, str]:
    return {
        "joined": _("Joined"), "spare": _("On a spare place"), "declined": _("Declined"), "opened": _("Opened"),
        "not_opened": _("Not opened"), "not_sent": _("No mail sent"),
    }  # fmt: skip


@bp.post(f"/{KEY}/<int:id>/remind")
def remind(key: str, id: int) -> AnyResponse:
    """A target group of those who have not answered, to be mailed like any other."""
    event, _row = demand_event(key, id, "view")
    try:
        made = inviting.without_answer(viewer(), event, Channel.FORM)
        commit()
    except Refused as refused:
        db.session.rollback()
        tell(sentences(refused), "wrong")
        return go(f"/crm/{key}/{id}/invited")
    tell(_("These people have not answered. Add them to a campaign to remind them."))
    return go(f"/crm/target_groups/{made}")


# check-in


@bp.get(f"/{KEY}/<int:id>/check-in")
def check_in(key: str, id: int) -> Response:
    """Find somebody by name or code and mark that he came. Works without scripts; with them a camera reads the code."""
    event, row = demand_event(key, id)
    typed = " ".join(request.args.get("q", "").split())[:100]
    page = make_response(render_template(
        "event_checkin.html", here=key, row=row, event=event, home=f"/crm/{key}/{id}", typed=typed, people=_found(id, typed) if typed else [],
        numbers=figures.by_state(viewer(), id), states=modules["attendees"].fields["status"],
    ))  # fmt: skip
    page.headers["Permissions-Policy"] = "camera=(self), geolocation=(), microphone=()"
    return page


def _found(event_id: int, typed: str) -> list[Any]:
    by_code = attendance.by_code(event_id, typed)
    where: dict[str, Any] = {"$and": [figures.where_of(event_id), {"$cts": ["name", typed]}]}
    if by_code is not None:
        where = {"$eq": ["id", by_code]}
    columns = ("name", "status", "account_id", "role", "attended_at", "code")
    return search.find(
        viewer(), "attendees", where=where, columns=columns, sort=("name",), limit=FOUND, count="none"
    ).rows


@bp.post(f"/{KEY}/<int:id>/check-in")
def mark(key: str, id: int) -> AnyResponse:
    """Mark one attendee by id or code; or all who did not come."""
    demand_event(key, id)
    status = request.form.get("status", "attended")
    status = status if status in {"attended", "no_show", "joined"} else "attended"
    try:
        if request.form.get("everybody"):
            count = attendance.missing(viewer(), id, Channel.FORM)
            said = ngettext("%(num)s person did not come.", "%(num)s people did not come.", count)
        else:
            attendee = request.form.get("attendee_id", type=int) or attendance.by_code(id, request.form.get("code", ""))
            if attendee is None:
                raise Refused.because("no_such_record", _("This code is of nobody at this event."))
            changed = attendance.mark(viewer(), id, [attendee], status, Channel.FORM)
            name = search.one(viewer(), "attendees", attendee, columns=("name",))["name"]
            said = (
                _("%(name)s is checked in.", name=name)
                if status == "attended"
                else _("%(name)s is changed.", name=name)
            )
            said = said if changed else _("%(name)s was marked before.", name=name)
        commit()
        tell(said)
    except (Refused, Conflict) as refused:
        db.session.rollback()
        tell(sentences(refused), "wrong")
    return go(local_path(request.form.get("next"), f"/crm/{key}/{id}/check-in"))


# one attendee


@bp.post(f"/{KEY}/<int:id>/attendees/<int:attendee_id>")
def change(key: str, id: int, attendee_id: int) -> AnyResponse:
    """Give a seat, move to a spare place, cancel; with or without a mail. Or tell by mail once more how it stands."""
    event, _row = demand_event(key, id)
    attendee = search.one(viewer(), "attendees", attendee_id, columns=("event_id", "name"))
    if attendee["event_id"] != id:
        raise Missing
    tells = request.form.get("tells") == "1"
    try:
        match request.form.get("what"):
            case "seat":
                seats.give_seat(viewer(), attendee_id, Channel.FORM, tells)
            case "spare":
                seats.to_spare(viewer(), attendee_id, Channel.FORM, tells)
            case "cancel":
                seats.cancel(viewer(), attendee_id, Channel.FORM, reason=request.form.get("reason", ""), tells=tells)
            case "again":
                mails.tell_standing(event, attendee_id)
            case _other:
                raise Missing
        commit()
        if request.form.get("what") == "again":
            tell(_("%(name)s gets a mail about the registration; at most one an hour.", name=attendee["name"]))
        else:
            tell(_("%(name)s is changed.", name=attendee["name"]))
    except Conflict as conflict:
        db.session.rollback()
        tell(str(conflict), "wrong")
    return go(f"/crm/attendees/{attendee_id}")


@bp.get(f"/{KEY}/<int:id>/attendees/<int:attendee_id>/code.svg")
def code(key: str, id: int, attendee_id: int) -> Response:
    """The check-in code of an attendee as a picture."""
    demand_event(key, id, "view")
    row = search.one(viewer(), "attendees", attendee_id, columns=("event_id", "code"))
    if row["event_id"] != id or not row["code"]:
        raise Missing
    return Response(codes.as_svg(row["code"]), mimetype="image/svg+xml")
