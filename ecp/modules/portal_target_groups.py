"""Portal target groups: a campaign's people as they were when it was imported, bound to one list type."""

from datetime import datetime

from sqlalchemy.orm import Mapped

from crm.engine import fields as f
from crm.engine.conditions import where
from crm.engine.module import Block, Module, Related
from crm.engine.record import Record


class PortalTargetGroup(Record):
    """A snapshot of a campaign's members with an address. Refreshing it takes in who came later."""

    __tablename__ = "portal_target_groups"
    name: Mapped[str] = f.text("Name", max=150)
    campaign_id: Mapped[int] = f.link("Campaign", to="campaigns", on_delete="CASCADE", only=where("active", "is", True))
    list_type_id: Mapped[int] = f.link(
        "List type", to="list_types", on_delete="CASCADE", only=where("active", "is", True)
    )
    imported_at: Mapped[datetime | None] = f.moment("Imported at", read_only=True)
    imported_by_id: Mapped[int | None] = f.user("Imported by", read_only=True)
    refreshed_at: Mapped[datetime | None] = f.moment("Refreshed at", read_only=True)
    contact_count: Mapped[int | None] = f.whole("People", read_only=True)
    skipped_no_email_count: Mapped[int | None] = f.whole("Without address", read_only=True)
    invalid_count: Mapped[int | None] = f.whole("With an unusable address", read_only=True)
    duplicate_count: Mapped[int | None] = f.whole("Same address twice", read_only=True)
    unsubscribed_count: Mapped[int | None] = f.whole("Have left the list", read_only=True)
    description: Mapped[str | None] = f.long_text("Description")


MODULE = Module(
    PortalTargetGroup,
    label="Portal target group",
    plural="Portal target groups",
    icon="address-book",
    columns=("name", "campaign_id", "list_type_id", "contact_count", "imported_at", "refreshed_at"),
    facts=("campaign_id", "list_type_id", "contact_count", "imported_at"),
    form=(
        Block("Target group", ("name", "campaign_id", "list_type_id", "owner_id", "description")),
        Block("Import", (
            "imported_at", "imported_by_id", "refreshed_at", "contact_count", "skipped_no_email_count", "invalid_count",
            "duplicate_count", "unsubscribed_count",
        )),
    ),
    search=("name",),
    sort=("-created_at",),
    shows_on={"campaigns": Related(by="campaign_id", columns=("name", "list_type_id", "contact_count", "imported_at"))},
    keeps={"list_types": "list_type_id"},
    importable=False,
    in_crm=False,
    in_ecp=True,
)  # fmt: skip
