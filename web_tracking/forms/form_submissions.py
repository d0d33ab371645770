"""Submissions of website forms: kept as they came, and what was made of each."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from crm.db import BigId, Json
from crm.engine import fields as f
from crm.engine.conditions import where
from crm.engine.fields import Choice, PicklistSeed
from crm.engine.module import Filter, Module, Related, Timeline
from crm.engine.record import Ledger

OUTCOMES = PicklistSeed.of(
    "form_outcome", "What came of a submission",
    Choice("waiting", "Waiting", "azure"), Choice("made", "New record", "green"), Choice("known", "Known before", "blue"),
    Choice("suspected", "Suspected", "orange"), Choice("failed", "Failed", "red"),
)  # fmt: skip


class FormSubmission(Ledger):
    """One submission. `said`: every value as it was sent. `troubles`: [{"field", "reason"}], what did not go into the record."""

    __tablename__ = "form_submissions"
    __table_args__ = (
        Index("uq_form_submissions_once", "once", unique=True),
        Index("ix_form_submissions_form_at", "form_id", "received_at"),
        Index("ix_form_submissions_person_at", "person_id", "received_at"),
        Index("ix_form_submissions_email", "email_key"),
    )
    form_id: Mapped[int] = mapped_column(
        BigId, ForeignKey("website_forms.id", ondelete="CASCADE"),
        info={"field": f.make("link", "Form", to=("website_forms",))},
    )  # fmt: skip
    received_at: Mapped[datetime] = f.moment("Received at")
    outcome: Mapped[str] = f.picklist("Outcome", "form_outcome", default="waiting")
    reason: Mapped[str | None] = f.text("Why", max=500)
    person_id: Mapped[int | None] = mapped_column(
        BigId, ForeignKey("entities.id", ondelete="SET NULL"),
        info={"field": f.make("link", "Person", to=("contacts", "leads"), aliases=("contact_id",))},
    )  # fmt: skip
    account_id: Mapped[int | None] = f.link("Account", to="accounts")
    email_key: Mapped[str | None] = f.text("Address as it is compared", max=320, in_lists=False)
    said: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    troubles: Mapped[list[dict[str, str]]] = mapped_column(Json, default=list)
    once: Mapped[str] = mapped_column(String(64))
    language: Mapped[str | None] = f.picklist("Language", "language")
    variant: Mapped[str | None] = f.text("Variant", max=2)
    consent: Mapped[bool] = f.checkbox("Agreed")
    consent_wording: Mapped[str | None] = f.long_text("What was agreed to", max=2000)
    page: Mapped[str | None] = f.text("Page", max=500)
    referrer: Mapped[str | None] = f.text("Came from", max=200)
    source: Mapped[str | None] = f.text("Source", max=100)
    medium: Mapped[str | None] = f.text("Medium", max=100)
    campaign: Mapped[str | None] = f.text("Campaign in the address", max=100)
    first_touch: Mapped[dict[str, str] | None] = mapped_column(Json)
    cookie: Mapped[str | None] = f.text("Cookie of the visitor", max=22, in_lists=False)
    ip: Mapped[str | None] = f.text("Address, shortened", max=45, in_lists=False)
    agent_family: Mapped[str | None] = f.text("Browser", max=60)
    tried_count: Mapped[int] = f.whole("Times tried", default=0)
    settled_at: Mapped[datetime | None] = f.moment("Settled at")


_of_person = Related(
    by="person_id",
    label="Website forms",
    columns=("received_at", "form_id", "outcome", "page", "source", "campaign"),
    timeline=Timeline(
        "received_at", "Sent the form “{form_id}”", icon="forms", category="visit", columns=("form_id",)
    ),
)  # fmt: skip

MODULE = Module(
    FormSubmission,
    label="Form submission",
    plural="Form submissions",
    icon="inbox",
    title="page",
    parent="form_id",
    about="person_id",
    columns=("received_at", "form_id", "outcome", "person_id", "account_id", "page", "source", "campaign", "reason"),
    sort=("-received_at",),
    filters=(
        Filter("failed", "Failed", where("outcome", "is", "failed")),
        Filter("suspected", "Suspected", where("outcome", "is", "suspected")),
    ),
    shows_on={
        "contacts": _of_person,
        "leads": _of_person,
        "accounts": Related(
            by="account_id", label="Website forms", columns=("received_at", "form_id", "outcome", "page")
        ),
    },
    picklists=(OUTCOMES,),
    creatable=False,
    editable=False,
    deletable=False,
    importable=False,
    in_ecp=True,
)
