"""Members of target groups: the people of the last refresh, and those who were taken out by hand."""

from datetime import datetime

from sqlalchemy import Index
from sqlalchemy.orm import Mapped

from crm.engine import fields as f
from crm.engine.module import Module, Related
from crm.engine.record import Ledger


class TargetGroupMember(Ledger):
    """One person of one group. An excluded row survives refreshes and counts as nobody."""

    __tablename__ = "target_group_members"
    __table_args__ = (
        Index("uq_target_group_members_person", "target_group_id", "person_id", unique=True),
        Index("ix_target_group_members_added", "person_id", "added_at"),
    )
    target_group_id: Mapped[int] = f.link("Target group", to="target_groups", on_delete="CASCADE")
    person_module: Mapped[str] = f.picklist("Kind of person", "person_module")
    person_id: Mapped[int] = f.link("Person", to=("contacts", "leads"), on_delete="CASCADE")
    contact_id: Mapped[int | None] = f.link("Contact", to="contacts", on_delete="CASCADE")
    added_at: Mapped[datetime] = f.moment("Since")
    excluded: Mapped[bool] = f.checkbox("Taken out by hand")
    excluded_by_id: Mapped[int | None] = f.user("Taken out by")


MODULE = Module(
    TargetGroupMember,
    label="Target group member",
    plural="Target group members",
    icon="users",
    title="person_id",
    parent="target_group_id",
    about="person_id",
    columns=("person_id", "person_module", "added_at", "excluded"),
    sort=("-added_at",),
    shows_on={
        "target_groups": Related(
            by="target_group_id", label="People", columns=("person_id", "person_module", "added_at", "excluded")
        ),
        "contacts": Related(by="person_id", label="Target groups", columns=("target_group_id", "added_at")),
        "leads": Related(by="person_id", label="Target groups", columns=("target_group_id", "added_at")),
    },
    importable=False,
)
