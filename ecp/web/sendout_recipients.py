"""The recipients of a sendout: by what became of their mail, as a file, as a new campaign; and doubts settled by a person."""

from collections.abc import Callable, Iterator
from typing import Any, Literal, cast

from flask import Response, redirect, render_template, request, stream_with_context
from flask_babel import gettext as _
from sqlalchemy import select
from werkzeug.wrappers import Response as AnyResponse

from crm.db import db, only_reading
from crm.engine import outbox, records, search
from crm.engine.channels import Channel
from crm.engine.conditions import where
from crm.engine.permissions import demand, may
from crm.engine.refusals import Conflict, Missing, Refused
from crm.engine.registry import modules
from crm.mail.sending import runs
from crm.mail.sending.deliveries import Delivery
from crm.modules.campaigns import members
from crm.modules.people import Choice
from crm.ui.face import face
from crm.ui.lists import columns_of
from crm.ui.page import tell
from crm.ui.places import place_of
from crm.ui.session import commit, viewer
from crm.words import ngettext
from ecp import statistics
from ecp.pipeline import actions, again, finish
from ecp.web.sendout_card import rights_of
from ecp.web.sendout_steps import address_of

ROWS = 50
COLUMNS = (
    "person_id",
    "email",
    "state",
    "skip_reason",
    "sent_at",
    "first_read_at",
    "first_click_at",
    "unsubscribed_at",
)
OF_FAILURES = ("person_id", "email", "state", "failed_reason", "reply", "attempts")
OF_BOUNCES = ("person_id", "email", "state", "bounced_at", "bounce_text")
MOST_PEOPLE = 200_000


def kinds() -> dict[str, tuple[str, dict[str, Any] | None]]:
    """What the table can be narrowed to: key → (words, condition)."""
    sent = where("state", "one of", ["sent", "uncertain"])
    return {
        "all": (_("All"), None),
        "sent": (_("Sent"), where("state", "is", "sent")),
        "read": (_("Read"), where("first_read_at", "is not empty")),
        "unread": (_("Not read"), {"$and": [sent, where("first_read_at", "is empty")]}),
        "clicked": (_("Clicked"), where("first_click_at", "is not empty")),
        "unsubscribed": (_("Left"), where("unsubscribed_at", "is not empty")),
        "bounced": (_("Came back"), where("bounced_at", "is not empty")),
        "skipped": (_("Left out"), where("state", "is", "skipped")),
        "failed": (_("Failed"), where("state", "is", "failed")),
        "uncertain": (_("Uncertain"), where("state", "is", "uncertain")),
        "waiting": (_("Waiting"), where("state", "one of", ["waiting", "leased", "retry"])),
        "cancelled": (_("Cancelled"), where("state", "is", "cancelled")),
    }


def _asked(said: Any) -> tuple[str, dict[str, Any] | None]:
    known = kinds()
    key = said.get("show", "all")
    if key not in known:
        key = "all"
    condition, reason = known[key][1], said.get("reason", "")
    if key == "skipped" and reason:
        condition = {"$and": [condition, where("skip_reason", "is", reason)]}
    return key, condition


def show(id: int) -> str:
    """The table, narrowed to one kind."""
    row = search.one(viewer(), "sendouts", id)
    key, condition = _asked(request.args)
    names = {"bounced": OF_BOUNCES, "failed": OF_FAILURES}.get(key, COLUMNS)
    page = statistics.recipients(
        viewer(), id, condition, columns=names, sort=("id",), limit=ROWS, after=request.args.get("after"), text=request.args.get("q") or None
    )  # fmt: skip
    columns = columns_of(viewer(), modules["deliveries"], names, sortable=False)
    return render_template(
        "ecp_recipients.html", row=row, here="sendouts", home=f"{face().prefix}/sendouts", kinds=kinds(), chosen=key, page=page,
        columns=columns, rows=[(one, [column.draw(one) for column in columns]) for one in page.rows], rights=rights_of(row), can_export=may(viewer(), "export", "deliveries"),
        reason=request.args.get("reason", ""), has_campaigns=may_make_campaigns(),
        can_try_again=row["state"] in again.STATES, can_try_all=key == "failed" and again.is_any_to_try(id), audience=row["audience_count"],
    )  # fmt: skip


def may_make_campaigns() -> bool:
    """Whether the viewer can turn recipients into a campaign."""
    return may(viewer(), "create", "campaigns") and may(viewer(), "edit", "campaigns")


def csv(id: int) -> Response:
    """The same recipients as a file, written while it is sent: a sendout may have hundreds of thousands."""
    demand(viewer(), "export", "deliveries")
    search.one(viewer(), "sendouts", id, columns=("name",))
    _key, condition = _asked(request.args)
    pieces = statistics.recipients_csv(viewer(), id, condition)

    def sent() -> Iterator[bytes]:
        yield b"\xef\xbb\xbf"
        for piece in pieces:
            only_reading(True)  # the server may go on in another thread than the one that began the request
            yield piece.encode()

    answer = Response(stream_with_context(sent()), content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = f"attachment; filename=sendout-{id}-recipients.csv"
    return answer


def make_campaign(id: int) -> AnyResponse:
    """A new campaign for e-mail of these recipients, for example of those who have not read."""
    row = search.one(viewer(), "sendouts", id, columns=("name",))
    key, condition = _asked(request.form)
    narrowed: dict[str, Any] = {"$eq": ["sendout_id", id]}
    found = search.ids(viewer(), "deliveries", {"$and": [narrowed, condition]} if condition else narrowed).subquery()
    d = Delivery.__table__.c
    people = db.session.execute(
        select(d.person_module, d.person_id)
        .where(d.id.in_(select(found.c[0])), d.person_id.is_not(None))
        .limit(MOST_PEOPLE)
    ).all()
    if not people:
        raise Refused.because("no_people", _("There is nobody in this list."))
    name = " ".join(request.form.get("name", "").split()) or f"{row['name']}: {kinds()[key][0].lower()}"
    made = records.create(viewer(), "campaigns", {"name": name[:255], "type": "Email", "active": True}, Channel.FORM)
    choice = Choice(
        contact_ids=[one.person_id for one in people if one.person_module == "contacts"],
        lead_ids=[one.person_id for one in people if one.person_module == "leads"],
    )
    outcome = members.change(viewer(), made, choice, Channel.FORM)
    commit()
    tell(
        ngettext(
            "Campaign “%(name)s” has %(num)s person.",
            "Campaign “%(name)s” has %(num)s people.",
            outcome.added,
            name=name,
        )
    )
    return redirect(
        place_of("campaigns", made, viewer()) or f"{face().prefix}/portal_target_groups/new?campaign_id={made}", 303
    )


def settle(id: int, delivery_id: int) -> AnyResponse:
    """A person says what became of an uncertain mail, or lets one that failed be tried again (`retry`)."""
    actions.load(viewer(), id)
    verdict = request.form.get("verdict", "")
    said = {
        "sent": _("Counted as sent."), "failed": _("Counted as failed."), "again": _("It will be sent once more."),
        "retry": _("It is tried again."),
    }  # fmt: skip
    if verdict not in said:
        raise Missing
    _done(id, lambda: _settled(id, delivery_id, verdict), said[verdict])
    return redirect(f"{address_of(id)}/recipients?show={'failed' if verdict == 'retry' else 'uncertain'}", 303)


def retry(id: int) -> AnyResponse:
    """Try every mail again that failed and may still arrive."""
    _done(id, lambda: again.try_failed(viewer(), id, None, Channel.FORM), _("They are tried again."))
    return redirect(f"{address_of(id)}/recipients?show=waiting", 303)


def _done(id: int, act: Callable[[], object], said: str) -> None:
    """Do it, and say so; or say why not."""
    try:
        act()
        outbox.put(db.session, "sendouts.work", sendout_id=id)
        commit()
    except (Conflict, Refused) as why:
        db.session.rollback()
        faults = why.faults.values() if isinstance(why, Refused) else ()
        tell(" ".join(one.message for found in faults for one in found) or str(why), "warn")
        return
    finish.look_after(id)
    tell(said)


def _settled(id: int, delivery_id: int, verdict: str) -> None:
    if verdict == "retry":
        again.try_failed(viewer(), id, delivery_id, Channel.FORM)
        return
    if verdict == "again":
        again.send_uncertain(viewer(), id, delivery_id, Channel.FORM)
        return
    belongs = select(Delivery.id).where(Delivery.id == delivery_id, Delivery.sendout_id == id)
    if db.session.execute(belongs).first() is None:
        raise Missing
    if not runs.resolve(db.session, delivery_id, cast(Literal["sent", "failed"], verdict)):
        raise Conflict(_("This mail has moved on meanwhile; look at it again."), "wrong_state")
