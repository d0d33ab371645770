"""The customer accepts a response or resolution, or says that it does not help: by a link in a mail, in the portal, told to staff."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select, update

from crm import clock
from crm.db import db
from crm.engine import history, outbox, records
from crm.engine.channels import Channel
from crm.engine.refusals import Conflict, Refused
from crm.engine.registry import modules
from crm.identity import tokens
from crm.identity.sealing import public_base
from crm.identity.viewer import SYSTEM, Viewer
from crm.modules.service_requests import moving, settings, steps
from crm.modules.service_requests.lists import ENDED
from crm.words import _

ACCEPT, FEEDBACK = "sr_accept", "sr_feedback"
LIFETIME = timedelta(days=180)
MOST_REASON = 5_000


@dataclass(frozen=True)
class Asked:
    """What a link stands for: `purpose`, the request, the step it speaks of as it was then, whether that one still waits."""

    purpose: str
    request: Any
    contact_id: int | None
    step: Any = None
    edition: int = 1

    @property
    def is_newest(self) -> bool:
        newest = steps.newest(self.request["id"])
        return newest is not None and is_the_newest(newest, self.step["id"], self.edition)

    @property
    def is_open(self) -> bool:
        return (
            self.is_newest
            and not self.step["accepted_at"]
            and not self.step["rejected_at"]
            and self.request["state"] not in ENDED
        )


def is_the_newest(newest: Any, step_id: int, edition: int) -> bool:
    """Whether the newest step of a request is this one, in the edition that the customer saw."""
    return bool(newest["id"] == step_id and (newest["edition"] or 1) == edition)


def accept_link(step_id: int, contact_id: int, edition: int = 1) -> str:
    """A link of few uses to the page where a step is accepted. The caller commits."""
    return _link(ACCEPT, step_id, contact_id, edition)


def feedback_link(request_id: int, contact_id: int) -> str:
    """A link to the page where feedback is given. The caller commits."""
    return _link(FEEDBACK, request_id, contact_id)


def _link(purpose: str, subject_id: int, contact_id: int, edition: int = 1) -> str:
    token = tokens.issue(purpose, subject_id, LIFETIME, {"contact_id": contact_id, "edition": edition})
    return f"{public_base()}/portal/public/requests/{token}"


def read(token: str) -> Asked | None:
    """What a link stands for, without doing anything; None for any that does not hold."""
    for purpose in (ACCEPT, FEEDBACK):
        found = tokens.peek(purpose, token)
        if found is None:
            continue
        step = None
        if purpose == ACCEPT:
            step = (
                db.session.execute(select(steps.TABLE).where(steps.TABLE.c.id == found.subject_id)).mappings().first()
            )
            if step is None:
                return None
        request = _request(step["request_id"] if step else found.subject_id)
        said = (found.data.get("contact_id"), step, found.data.get("edition", 1))
        return Asked(purpose, request, *said) if request is not None else None
    return None


def _request(id: int | None) -> Any:
    table = modules["service_requests"].table
    said = select(table).where(table.c.id == id, table.c.deleted_at.is_(None))
    return db.session.execute(said).mappings().first()


def decide(step_id: int, edition: int, contact_id: int | None, how: str, said: Mapping[str, str]) -> bool:
    """What a customer answers on a page: `answer` "accept" or "refuse", which needs a `reason`; gives whether it was accepted.

    Raises as accept and refuse; of an edition that is not the newest: Conflict. The caller commits.
    """
    answer = said.get("answer")
    if answer == "accept":
        accept(step_id, contact_id, how, edition)
    elif answer == "refuse":
        refuse(step_id, said.get("reason", ""), edition, contact_id)
    else:
        raise Refused.because("required", _("Say whether it helped."), "answer")
    return answer == "accept"


def accept(
    step_id: int, contact_id: int | None, how: str, edition: int | None = None, *, viewer: Viewer = SYSTEM,
    channel: Channel = Channel.PORTAL,
) -> None:  # fmt: skip
    """The step is accepted; `viewer`: who of the staff was told so. Raises Missing, Conflict (a newer answer exists, decided already), Refused.

    The caller commits.
    """
    request, step = _held(step_id, edition)
    if contact_id is not None and not moving.is_related(request, contact_id):
        raise Refused.because(
            "unrelated", _("Only the customer or somebody of the same company can accept it."), "accepted_by_id"
        )
    said = {"accepted_at": clock.now(), "accepted_by_id": contact_id, "accepted_how": how, "rejected_at": None}
    db.session.execute(update(steps.TABLE).where(steps.TABLE.c.id == step["id"]).values(**said))
    records.update(SYSTEM, "service_requests", request["id"], {"waits_for": False, "rejected": False}, Channel.SYSTEM)
    event = "accepted by time" if how == "time" else "accepted"
    _note(request["id"], event, viewer, channel, None if viewer.id else contact_id)


def refuse(
    step_id: int, reason: str, edition: int | None = None, contact_id: int | None = None, *, viewer: Viewer = SYSTEM,
    channel: Channel = Channel.PORTAL,
) -> None:  # fmt: skip
    """It did not help: the request stays where it is, flagged, and who holds it is told. Raises as accept, and Refused without words."""
    reason = reason.replace("\x00", "").strip()
    if not reason or len(reason) > MOST_REASON:
        raise Refused.because("required", _("Tell us in a few words what is still wrong."), "reason")
    request, step = _held(step_id, edition)
    said = {"rejected_at": clock.now(), "rejection": reason}
    db.session.execute(update(steps.TABLE).where(steps.TABLE.c.id == step["id"]).values(**said))
    records.update(SYSTEM, "service_requests", request["id"], {"waits_for": False, "rejected": True}, Channel.SYSTEM)
    _note(request["id"], "not solved", viewer, channel, contact_id)
    outbox.put(db.session, "service_requests.tell_refused", dedupe_key=f"sr:refused:{step['id']}", step_id=step["id"])


def _note(request_id: int, event: str, viewer: Viewer, channel: Channel, contact_id: int | None) -> None:
    history.note_events(
        viewer, modules["service_requests"], [request_id], event, channel, clock.now(), contact_id=contact_id
    )


def _held(step_id: int, edition: int | None) -> tuple[Any, Any]:
    """The request and the step, both held; the step is the newest and nobody has decided about it."""
    from crm.engine.refusals import Missing

    found = db.session.execute(select(steps.TABLE.c.request_id).where(steps.TABLE.c.id == step_id)).scalar()
    table = modules["service_requests"].table
    said = select(table).where(table.c.id == found, table.c.deleted_at.is_(None)).with_for_update()
    request = db.session.execute(said).mappings().first()
    if request is None:
        raise Missing
    step = db.session.execute(select(steps.TABLE).where(steps.TABLE.c.id == step_id)).mappings().one()
    newest = steps.newest(request["id"])
    if not is_the_newest(newest, step_id, edition or step["edition"] or 1):
        raise Conflict(_("There is a newer answer. Please look at that one."), "newer_answer")
    if request["state"] in ENDED or step["accepted_at"] or step["rejected_at"]:
        raise Conflict(_("This was decided already."), "decided")
    return request, step


def accept_for(viewer: Viewer, id: int, contact_id: int, channel: Channel) -> None:
    """Staff note that the customer told them. Raises Missing, Forbidden, Conflict, Refused."""
    moving.locked(viewer, id)
    step = steps.newest(id)
    if step is None:
        raise Conflict(_("There is nothing to accept yet."), "nothing")
    accept(step["id"], contact_id, "staff", viewer=viewer, channel=channel)


def refuse_for(viewer: Viewer, id: int, reason: str, channel: Channel) -> None:
    """Staff note that the customer told them it did not help. Raises Missing, Forbidden, Conflict, Refused (at `reason`)."""
    moving.locked(viewer, id)
    step = steps.newest(id)
    if step is None:
        raise Conflict(_("There is nothing to accept yet."), "nothing")
    refuse(step["id"], reason, viewer=viewer, channel=channel)


def accept_by_time() -> int:
    """Accept what waited for longer than the settings allow; gives how many. The caller commits."""
    days = settings.current().auto_accept_after_days
    if not days:
        return 0
    requests = modules["service_requests"].table
    said = (
        select(steps.TABLE.c.id)
        .join(requests, requests.c.id == steps.TABLE.c.request_id)
        .where(requests.c.waits_for, requests.c.deleted_at.is_(None), requests.c.state.not_in(ENDED))
        .where(steps.TABLE.c.needs_acceptance, steps.TABLE.c.accepted_at.is_(None), steps.TABLE.c.rejected_at.is_(None))
        .where(func.coalesce(steps.TABLE.c.asked_at, steps.TABLE.c.at) < clock.now() - timedelta(days=days))
    )
    count = 0
    for id in db.session.scalars(said.limit(500)).all():
        try:
            accept(id, None, "time", channel=Channel.SYSTEM)
            count += 1
        except Conflict:
            continue  # a newer one waits
    return count
