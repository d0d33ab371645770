"""Members of portal target groups: person and address as imported; other values are read when a mail is claimed."""

from sqlalchemy import Index
from sqlalchemy.orm import Mapped

from crm.engine import fields as f
from crm.engine.module import Module, Related
from crm.engine.record import Ledger


class PortalTargetGroupMember(Ledger):
    """One person with the address that mails of this group go to (decisions.md 22)."""

    __tablename__ = "portal_target_group_members"
    __table_args__ = (
        Index("uq_portal_target_group_members_person", "portal_target_group_id", "person_id", unique=True),
        Index("ix_portal_target_group_members_key", "portal_target_group_id", "email_key"),
    )
    portal_target_group_id: Mapped[int] = f.link("Target group", to="portal_target_groups", on_delete="CASCADE")
    person_module: Mapped[str] = f.picklist("Kind of person", "person_module")
    person_id: Mapped[int] = f.link("Person", to=("contacts", "leads"), on_delete="CASCADE")
    contact_id: Mapped[int | None] = f.link("Contact", to="contacts", on_delete="CASCADE")
    email: Mapped[str] = f.email("Address")
    email_key: Mapped[str] = f.text("Address as it is compared", max=320, in_lists=False)


MODULE = Module(
    PortalTargetGroupMember,
    label="Portal target group member",
    plural="Portal target group members",
    icon="users",
    title="email",
    parent="portal_target_group_id",
    about="person_id",
    columns=("person_id", "person_module", "email"),
    sort=("email",),
    shows_on={
        "portal_target_groups": Related(
            by="portal_target_group_id", label="People", columns=("person_id", "person_module", "email")
        ),
    },
    importable=False,
    in_crm=False,
    in_ecp=True,
)
