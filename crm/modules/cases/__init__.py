"""Cases: a matter that users organise together with a group of customers; open to all, or to chosen users only."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Mapped

from crm.clock import now
from crm.engine import fields as f
from crm.engine.conditions import where
from crm.engine.module import Action, Block, Filter, ManyLink, Module, Related, Timeline
from crm.engine.record import Record
from crm.modules.rules import after


class Case(Record):
    """A case. `restricted`: only its creator, owner, administrators and the chosen users see it, wherever they look."""

    __tablename__ = "cases"
    title: Mapped[str] = f.text("Title", max=255)
    description: Mapped[str | None] = f.long_text("Description")
    tags: Mapped[str | None] = f.text("Tags", max=500, help="Words with commas")
    restricted: Mapped[bool] = f.checkbox("Restrict access to chosen users", audited=True)
    notify: Mapped[bool] = f.checkbox("Tell the chosen users by mail", default=True)
    closed: Mapped[bool] = f.checkbox("Closed", audited=True, indexed=True)
    closed_at: Mapped[datetime | None] = f.moment("Closed at", read_only=True)
    event_id: Mapped[int | None] = f.link("Event", to="invitation_events")


def what_follows(values: Mapping[str, Any], old: Mapping[str, Any] | None) -> dict[str, Any]:
    """When it was closed."""
    then, was = after(values, old), bool((old or {}).get("closed"))
    if bool(then.get("closed")) == was:
        return {}
    return {"closed_at": now() if then.get("closed") else None}


def _shown(through: str) -> Related:
    return Related(
        through=through, columns=("number", "title", "closed", "owner_id"),
        timeline=Timeline("created_at", "Case: {title}", icon="briefcase", category="task", columns=("title",)),
    )  # fmt: skip


OPEN = where("closed", "is", False)
MODULE = Module(
    Case,
    label="Case",
    plural="Cases",
    menu="Service",
    prefix="CASE",
    icon="briefcase",
    title="title",
    columns=("number", "title", "tags", "restricted", "closed", "owner_id", "created_at"),
    facts=("closed", "restricted", "tags", "event_id"),
    form=(
        Block("Case", ("title", "tags", "description", "owner_id", "event_id")),
        Block("Who sees it", ("restricted", "notify")),
    ),
    search=("title", "number", "description", "tags"),
    sort=("-created_at",),
    filters=(Filter("open", "Open", OPEN), Filter("closed", "Closed", where("closed", "is", True))),
    actions=(
        Action("close", "Close", lambda case: {"closed": True}, when=OPEN, confirm="Close this case? Its open tasks stay open.", icon="check"),
        Action("reopen", "Reopen", lambda case: {"closed": False}, when=where("closed", "is", True), icon="rotate"),
    ),
    links=(
        ManyLink("allowed", "users", "restricted_cases", "Chosen users", "Restricted cases"),
        ManyLink("participants", "contacts", "cases", "Participants", "Cases"),
        ManyLink("companies", "accounts", "cases", "Companies", "Cases"),
        ManyLink("activities", "activities", "cases", "Tasks and events", "Cases"),
        ManyLink("tickets", "tickets", "cases", "Tickets", "Cases"),
    ),
    shows_on={"contacts": _shown("participants"), "accounts": _shown("companies"), "tickets": _shown("tickets")},
    derives=(what_follows,),
    restricted_by="restricted",
    allowed="allowed",
)  # fmt: skip
