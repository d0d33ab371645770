"""What a contact says about a completed request: 0 to 10, once, with a comment."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Index, select
from sqlalchemy.orm import Mapped

from crm import clock
from crm.db import db
from crm.engine import fields as f
from crm.engine import records
from crm.engine.channels import Channel
from crm.engine.module import Module, Related, Timeline
from crm.engine.picklists import is_key
from crm.engine.record import Ledger
from crm.engine.refusals import Conflict, Fault, Refused
from crm.engine.registry import modules
from crm.identity.viewer import SYSTEM
from crm.modules.service_requests import moving
from crm.modules.service_requests.lists import PRAISE
from crm.words import _


class SrFeedback(Ledger):
    """One word about one request."""

    __tablename__ = "sr_feedback"
    __table_args__ = (Index("uq_sr_feedback_request", "request_id", "contact_id", unique=True),)
    request_id: Mapped[int] = f.link("Request", to="service_requests", on_delete="CASCADE")
    contact_id: Mapped[int | None] = f.link("Contact", to="contacts")
    at: Mapped[datetime] = f.moment("When")
    rate: Mapped[int] = f.whole("Rate", least=0, most=10)
    classification: Mapped[str] = f.picklist("Kind", "sr_feedback_class", default="Other")
    comment: Mapped[str | None] = f.long_text("Comment", max=5000)


TABLE = SrFeedback.__table__


def of_request(request_id: int) -> Any:
    """The feedback of a request; None without any."""
    return db.session.execute(select(TABLE).where(TABLE.c.request_id == request_id)).mappings().first()


def give(request_id: int, contact_id: int | None, said: Mapping[str, Any]) -> int:
    """Keep `rate`, `classification`, `comment`; gives the id. Raises Refused, Conflict. The right is the caller's affair; he commits."""
    values, faults = _read(said)
    table = modules["service_requests"].table
    locked = select(table).where(table.c.id == request_id, table.c.deleted_at.is_(None)).with_for_update()
    request = dict(db.session.execute(locked).mappings().one())
    if contact_id is None:
        faults["contact_id"] = [Fault("required", _("Say whose feedback it is."))]
    elif not moving.is_related(request, contact_id):
        faults["contact_id"] = [
            Fault("unrelated", _("Only the customer or somebody of the same company can give feedback."))
        ]
    if faults:
        raise Refused(faults)
    if request["state"] != "completed":
        raise Conflict(_("Feedback can be given when the request is completed."), "not_completed")
    if of_request(request_id) is not None:
        raise Conflict(_("Feedback was given already. Thank you."), "answered")
    row = {"request_id": request_id, "contact_id": contact_id, "at": clock.now()} | values
    made = records.create(SYSTEM, "sr_feedback", row, Channel.SYSTEM)
    records.update(SYSTEM, "service_requests", request_id, {"rating": values["rate"]}, Channel.SYSTEM)
    return made


def _read(said: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, list[Fault]]]:
    faults: dict[str, list[Fault]] = {}
    raw, kind, comment = (
        str(said.get("rate", "")).strip(),
        str(said.get("classification") or ""),
        str(said.get("comment") or "").strip(),
    )
    rate = int(raw) if raw.isascii() and raw.isdecimal() and len(raw) < 4 else -1
    if not 0 <= rate <= 10:
        faults["rate"] = [Fault("out_of_range", _("Choose a number from 0 to 10."))]
    if not is_key("sr_feedback_class", kind):
        faults["classification"] = [Fault("required", _("Choose what kind of feedback this is."))]
    if len(comment) > 5000:
        faults["comment"] = [
            Fault(
                "too_long",
                _("This takes at most %(limit)s characters; there are %(count)s.", limit=5000, count=len(comment)),
            )
        ]
    return {"rate": rate, "classification": kind, "comment": comment or None}, faults


MODULE = Module(
    SrFeedback,
    label="Feedback on a service request",
    plural="Feedback on service requests",
    icon="star",
    title="classification",
    parent="request_id",
    columns=("request_id", "contact_id", "at", "rate", "classification", "comment"),
    sort=("-at",),
    shows_on={
        "service_requests": Related(
            by="request_id", tab=False,
            timeline=Timeline("at", "Feedback: {rate} of 10", icon="star", category="comment", columns=("rate",)),
        ),
    },
    picklists=(PRAISE,),
    importable=False,
)  # fmt: skip
