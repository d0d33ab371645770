"""Written mails: templates to build on (kind template) and mails that can be sent (kind email)."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Mapped

from crm.engine import fields as f
from crm.engine.conditions import where
from crm.engine.fields import Choice, PicklistSeed
from crm.engine.module import Action, Block, Filter, Module
from crm.engine.record import Record
from crm.engine.refusals import Fault
from crm.modules.rules import after
from crm.modules.shared_lists import CONTENT_STATUS
from crm.words import N_, _

KINDS = PicklistSeed.of(
    "email_template_kind", "Kind of mail", Choice("template", "Template", "purple"), Choice("email", "E-mail", "blue")
)
FOLDERS = PicklistSeed.of(
    "email_template_folder",
    "Folder",
    "Public",
    "Personal",
    "Campaign",
    "Discussion",
    "Event",
    "Tickets",
    Choice("System", colour="secondary"),
)


class EmailTemplate(Record):
    """What is written: as MJML or HTML, and as plain text. The limit of 65,000 counts what is written (decisions.md 24)."""

    __tablename__ = "email_templates"
    name: Mapped[str] = f.text("Name", max=150)
    kind: Mapped[str] = f.picklist("Kind", "email_template_kind", default="email", mass_edit=False)
    status: Mapped[str] = f.picklist("Status", "content_status", default="inactive", mass_edit=False, indexed=True)
    folder: Mapped[str | None] = f.picklist("Folder", "email_template_folder", default="Public")
    subject: Mapped[str | None] = f.text("Subject", max=200)
    preheader: Mapped[str | None] = f.text("Preheader", max=150)
    sender_name: Mapped[str | None] = f.text("Sender name", max=100)
    sender_address_id: Mapped[int | None] = f.link(
        "Sender address", to="sender_addresses", only=where("state", "one of", ["confirmed", "domain_verified"])
    )
    reply_to: Mapped[str | None] = f.email("Reply to")
    list_type_hint_id: Mapped[int | None] = f.link("Usual list type", to="list_types", only=where("active", "is", True))
    language: Mapped[str | None] = f.picklist("Language", "language")
    mjml: Mapped[str | None] = f.source("MJML", in_lists=False)
    html: Mapped[str | None] = f.source("HTML", in_lists=False)
    text: Mapped[str | None] = f.source("Plain text", in_lists=False)
    template_id: Mapped[int | None] = f.link("Built from", to="email_templates", read_only=True)
    description: Mapped[str | None] = f.long_text("Description")


def is_whole_when_active(values: Mapping[str, Any], old: Mapping[str, Any] | None) -> dict[str, Fault]:
    """A mail without subject, sender or text cannot be active; templates need a text only."""
    then = after(values, old)
    if then.get("status") != "active":
        return {}
    faults = {}
    if not (then.get("mjml") or then.get("html") or then.get("text")):
        faults["html"] = Fault("required", _("An active mail needs a text: MJML, HTML or plain."))
    if then.get("kind") == "email":
        for name, label in (
            ("subject", N_("subject")),
            ("sender_name", N_("sender name")),
            ("sender_address_id", N_("sender address")),
        ):
            if not then.get(name):
                faults[name] = Fault("required", _("An active mail needs a %(what)s.", what=_(label)))
    return faults


MODULE = Module(
    EmailTemplate,
    label="E-mail template",
    plural="E-mail templates",
    menu="Marketing",
    prefix="ET",
    icon="mail-star",
    columns=("name", "kind", "status", "subject", "folder", "updated_at", "owner_id"),
    facts=("kind", "status", "subject", "sender_name", "sender_address_id"),
    form=(
        Block("Info", (
            "name", "kind", "status", "folder", "subject", "preheader", "sender_name", "sender_address_id", "reply_to",
            "list_type_hint_id", "language", "owner_id",
        )),
        Block("Content", ("mjml", "html", "text")),
        Block("More", ("description",)),
    ),
    search=("name", "number", "subject"),
    sort=("-updated_at",),
    filters=(
        Filter("templates", "Templates", where("kind", "is", "template")),
        Filter("emails", "E-mails", where("kind", "is", "email")),
        Filter("active", "Active", where("status", "is", "active")),
    ),
    actions=(
        Action("activate", "Activate", lambda mail: {"status": "active"}, when=where("status", "is", "inactive"), icon="check"),
        Action("deactivate", "Deactivate", lambda mail: {"status": "inactive"}, when=where("status", "is", "active"), icon="ban"),
    ),
    keeps={"sender_addresses": "sender_address_id"},
    picklists=(KINDS, FOLDERS, CONTENT_STATUS),
    checks=(is_whole_when_active,),
    in_ecp=True,
)  # fmt: skip
