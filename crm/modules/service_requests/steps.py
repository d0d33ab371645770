"""Responses and resolutions of a request, each attempt a row; the newest of a kind is the one that holds."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, select
from sqlalchemy.orm import Mapped

from crm.db import db
from crm.engine import fields as f
from crm.engine.fields import Choice, PicklistSeed
from crm.engine.module import Module, PortalExposure, Related, Timeline
from crm.engine.record import Ledger

KINDS = PicklistSeed.of(
    "sr_step", "Step of a service request",
    Choice("response", "Response"), Choice("temporary", "Temporary resolution"), Choice("final", "Final resolution"),
)  # fmt: skip
ACCEPTED_BY = PicklistSeed.of(
    "sr_accepted_how", "How it was accepted",
    Choice("staff", "Told to staff"), Choice("link", "Link in a mail"), Choice("portal", "Portal"), Choice("time", "By time"),
)  # fmt: skip


class SrStep(Ledger):
    """One response or resolution. `needs_acceptance` as the category said when it was written.

    `at` is what was typed, `asked_at` when it was written or corrected: from then on the customer can answer.
    `edition` counts its corrections: a link in a mail speaks of the edition that the mail held.
    """

    __tablename__ = "sr_steps"
    __table_args__ = (Index("ix_sr_steps_of", "request_id", "step", "id"),)
    request_id: Mapped[int] = f.link("Request", to="service_requests", on_delete="CASCADE")
    step: Mapped[str] = f.picklist("Step", "sr_step", default="response")
    category_id: Mapped[int | None] = f.link("Category", to="sr_categories")
    category_path: Mapped[str | None] = f.text("Category as it was", max=500)
    at: Mapped[datetime] = f.moment("When")
    by_id: Mapped[int | None] = f.user("By")
    asked_at: Mapped[datetime | None] = f.moment("Written down at", in_lists=False)
    text: Mapped[str | None] = f.long_text("Text", in_lists=False)
    needs_acceptance: Mapped[bool] = f.checkbox("Needs acceptance")
    accepted_at: Mapped[datetime | None] = f.moment("Accepted at")
    accepted_by_id: Mapped[int | None] = f.link("Accepted by", to="contacts")
    accepted_how: Mapped[str | None] = f.picklist("Accepted how", "sr_accepted_how")
    rejected_at: Mapped[datetime | None] = f.moment("Refused at")
    rejection: Mapped[str | None] = f.long_text("Why it was refused", in_lists=False)
    edition: Mapped[int | None] = f.whole("Edition", default=1, in_lists=False)
    correction: Mapped[str | None] = f.text("Why it was corrected", max=300, in_lists=False)


TABLE = SrStep.__table__


def of_request(request_id: int) -> list[Any]:
    """All steps of a request, oldest first."""
    said = select(TABLE).where(TABLE.c.request_id == request_id).order_by(TABLE.c.id)
    return list(db.session.execute(said).mappings())


def newest(request_id: int, step: str = "") -> Any:
    """The step of this kind (without: of any kind) that holds; None when there is none."""
    said = select(TABLE).where(TABLE.c.request_id == request_id)
    if step:
        said = said.where(TABLE.c.step == step)
    return db.session.execute(said.order_by(TABLE.c.id.desc()).limit(1)).mappings().first()


def is_settled(step: Any) -> bool:
    """Whether nothing is left to accept in a step (None: there is no such step)."""
    return step is None or not step["needs_acceptance"] or step["accepted_at"] is not None


MODULE = Module(
    SrStep,
    label="Step of a service request",
    plural="Steps of service requests",
    icon="stairs-up",
    title="category_path",
    parent="request_id",
    columns=("request_id", "step", "category_path", "at", "by_id", "accepted_at", "rejected_at"),
    sort=("-at",),
    shows_on={
        "service_requests": Related(
            by="request_id", tab=False,
            timeline=Timeline("at", "{step}: {category_path}", icon="stairs-up", category="comment", columns=("step", "category_path")),
        ),
    },
    picklists=(KINDS, ACCEPTED_BY),
    portal=PortalExposure(
        through="request_id", through_module="service_requests",
        fields=("request_id", "step", "category_path", "at", "text", "needs_acceptance", "accepted_at", "rejected_at", "rejection", "edition"),
    ),
    importable=False,
)  # fmt: skip
