"""The outbox of single mails: what waits, what failed and why in plain words, and what a person may do about it.

Administrators of the portal look after all of them; everybody after those that they wrote from a card. Mails of sendouts are
looked after with their sendout, which is named here while some of its mails failed.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, and_, func, or_, select

from crm.db import db
from crm.engine import picklists, search
from crm.engine.conditions import where
from crm.engine.permissions import may
from crm.engine.refusals import Conflict, Missing
from crm.engine.rows import Row
from crm.identity.viewer import Viewer
from crm.mail.sending import decisions, runs
from crm.mail.sending.deliveries import Delivery
from crm.words import N_, _
from ecp.personal import sending

ROWS = 50
STATES: dict[str, tuple[str, ...]] = {
    "waiting": ("waiting", "leased", "retry"), "failed": ("failed",), "uncertain": ("uncertain",), "stopped": ("cancelled", "skipped"),
}  # fmt: skip
KINDS = {
    "letter": N_("Letter of this site"), "written": N_("Mail of an event"), "personal": N_("Written from a card"),
    "personal_overruled": N_("Written from a card"), "sendout_test": N_("Test mail"),
}  # fmt: skip
Deed = Literal["again", "stop", "sent", "failed"]
_D = Delivery.__table__.c


@dataclass(frozen=True)
class Outgoing:
    """One mail of the outbox. `why`: in plain words; `reply`: the server's own; `deeds`: what may be done now."""

    id: int
    subject: str
    email: str
    kind: str
    state: str
    why: str
    reply: str
    attempts: int
    due_at: datetime | None
    created_at: datetime
    deeds: tuple[Deed, ...]


def say_failure(state: str, failed_reason: str | None, skip_reason: str | None = None) -> str:
    """Why a mail is where it is, in plain words; "" when there is nothing to say."""
    if state == "skipped":
        return _(picklists.label("skip_reason", skip_reason or ""))
    if state == "failed":
        return _(picklists.label("failed_reason", failed_reason)) if failed_reason else ""
    if state == "uncertain":
        return _("The connection broke while it was handed over: it may have arrived.")
    return _("The receiver asked to come back later.") if state == "retry" else ""


def deeds_of(state: str, has_content: bool, has_begun: bool) -> tuple[Deed, ...]:
    """What is safe in a state: nothing that could send a mail twice unasked."""
    if state == "uncertain":
        return ("sent", "failed", "again") if has_content else ("sent", "failed")
    if state in ("waiting", "retry") or (state == "leased" and not has_begun):
        return ("again", "stop") if state == "retry" else ("stop",)
    return ("again",) if state in ("failed", "cancelled") and has_content else ()


def _mine(viewer: Viewer) -> ColumnElement[bool]:
    """The single mails that the viewer looks after."""
    single = _D.sendout_id.is_(None)
    if "ecp_admin" in viewer.flags:
        return single
    key = f"personal:{viewer.id or 0}:"
    return and_(single, _D.kind.like("personal%"), _D.dedupe_key.startswith(key, autoescape=True))


def listed(viewer: Viewer, tab: str, before: int | None = None, text: str = "") -> tuple[list[Outgoing], int | None]:
    """The newest mails of a tab, and the id to go on before."""
    said = [_mine(viewer), _D.state.in_(STATES[tab])]
    if before is not None:
        said.append(_D.id < before)
    if text:
        said.append(
            or_(
                _D.email_key.contains(text.lower(), autoescape=True),
                func.lower(_D.subject).contains(text.lower(), autoescape=True),
            )
        )
    rows = db.session.execute(select(*_COLUMNS).where(*said).order_by(_D.id.desc()).limit(ROWS + 1)).all()
    found = [_outgoing(row) for row in rows[:ROWS]]
    return found, found[-1].id if len(rows) > ROWS else None


def counts(viewer: Viewer) -> dict[str, int]:
    """How many mails each tab has."""
    said = select(_D.state, func.count()).where(_mine(viewer)).where(_D.state != "sent").group_by(_D.state)
    by_state = {row[0]: row[1] for row in db.session.execute(said)}
    return {tab: sum(by_state.get(state, 0) for state in states) for tab, states in STATES.items()}


def sendouts_with_trouble(viewer: Viewer) -> list[Row]:
    """The latest sendouts of which mails failed or are uncertain."""
    if not may(viewer, "view", "sendouts"):
        return []
    said = {"$or": [where("failed_count", "more than", 0), where("uncertain_count", "more than", 0)]}
    columns = ("name", "state", "failed_count", "uncertain_count", "started_at")
    found = search.find(viewer, "sendouts", where=said, columns=columns, sort=("-started_at",), limit=10, count="none")
    return list(found.rows)


def decide(viewer: Viewer, delivery_id: int, deed: Deed) -> None:
    """Do what a person decided about a single mail. The caller commits.

    Raises Missing, Conflict when the mail has moved on meanwhile."""
    row = db.session.execute(select(*_COLUMNS, _D.payload).where(_mine(viewer), _D.id == delivery_id)).first()
    if row is None:
        raise Missing
    if deed not in _outgoing(row).deeds or not _do(row.state, delivery_id, deed):
        raise Conflict(_("This mail has moved on meanwhile; look at it again."), "wrong_state")
    sending.follow_again(delivery_id, row.payload)


def _do(state: str, delivery_id: int, deed: Deed) -> bool:
    if state == "uncertain":
        return deed != "stop" and runs.resolve(db.session, delivery_id, deed)
    if deed == "stop":
        return decisions.stop(db.session, delivery_id)
    return deed == "again" and decisions.try_again(db.session, delivery_id)


_COLUMNS = (
    _D.id, _D.subject, _D.email, _D.kind, _D.state, _D.failed_reason, _D.skip_reason, _D.reply, _D.attempts, _D.due_at,
    _D.created_at, _D.payload.is_not(None).label("has_content"), _D.text_begun_at.is_not(None).label("has_begun"),
)  # fmt: skip


def _outgoing(row: Any) -> Outgoing:
    return Outgoing(
        row.id, row.subject or "", row.email, _(KINDS.get(row.kind, KINDS["letter"])), row.state,
        say_failure(row.state, row.failed_reason, row.skip_reason), row.reply or "", row.attempts, row.due_at, row.created_at,
        deeds_of(row.state, row.has_content, row.has_begun),
    )  # fmt: skip
