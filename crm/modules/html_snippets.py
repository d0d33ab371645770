"""HTML snippets: small pieces of mails, such as a block of contact details; inserted by copy."""

from sqlalchemy.orm import Mapped

from crm.engine import fields as f
from crm.engine.conditions import where
from crm.engine.module import Action, Block, Filter, Module
from crm.engine.record import Record


class HtmlSnippet(Record):
    """A piece of HTML or MJML that is copied into mails."""

    __tablename__ = "html_snippets"
    name: Mapped[str] = f.text("Name", max=150)
    status: Mapped[str] = f.picklist("Status", "content_status", default="active", mass_edit=True)
    html: Mapped[str] = f.source("HTML", in_lists=False)
    description: Mapped[str | None] = f.long_text("Description")


MODULE = Module(
    HtmlSnippet,
    label="HTML snippet",
    plural="HTML snippets",
    menu="Marketing",
    icon="code",
    columns=("name", "status", "updated_at", "owner_id"),
    facts=("status",),
    form=(Block("Snippet", ("name", "status", "owner_id", "html", "description")),),
    search=("name",),
    sort=("name",),
    filters=(Filter("active", "Active", where("status", "is", "active")),),
    actions=(
        Action("activate", "Activate", lambda it: {"status": "active"}, when=where("status", "is", "inactive"), icon="check"),
        Action("deactivate", "Deactivate", lambda it: {"status": "inactive"}, when=where("status", "is", "active"), icon="ban"),
    ),
    in_ecp=True,
)  # fmt: skip
