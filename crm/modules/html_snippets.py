"""HTML snippets: small pieces of mails, such as a block of contact details, and saved rows of the visual editor; both are
inserted by copy."""

from sqlalchemy.orm import Mapped

from crm.engine import fields as f
from crm.engine.conditions import where
from crm.engine.fields import Choice, PicklistSeed
from crm.engine.module import Action, Block, Filter, Module
from crm.engine.record import Record

KINDS = PicklistSeed.of(
    "html_snippet_kind",
    "Kind of snippet",
    Choice("html", "HTML", "blue"),
    Choice("row", "Row of a mail (MJML)", "purple"),
)


class HtmlSnippet(Record):
    """A piece of HTML or MJML that is copied into mails."""

    __tablename__ = "html_snippets"
    name: Mapped[str] = f.text("Name", max=150)
    kind: Mapped[str] = f.picklist(
        "Kind",
        "html_snippet_kind",
        default="html",
        mass_edit=False,
        help="Rows are offered by the visual editor of mails",
    )
    status: Mapped[str] = f.picklist("Status", "content_status", default="active", mass_edit=True)
    html: Mapped[str] = f.source("HTML", in_lists=False)
    description: Mapped[str | None] = f.long_text("Description")


MODULE = Module(
    HtmlSnippet,
    label="HTML snippet",
    plural="HTML snippets",
    menu="Marketing",
    icon="code",
    columns=("name", "kind", "status", "updated_at", "owner_id"),
    facts=("status",),
    form=(Block("Snippet", ("name", "kind", "status", "owner_id", "html", "description")),),
    search=("name",),
    sort=("name",),
    filters=(
        Filter("active", "Active", where("status", "is", "active")),
        Filter("rows", "Rows of mails", where("kind", "is", "row")),
    ),
    actions=(
        Action("activate", "Activate", lambda it: {"status": "active"}, when=where("status", "is", "inactive"), icon="check"),
        Action("deactivate", "Deactivate", lambda it: {"status": "inactive"}, when=where("status", "is", "active"), icon="ban"),
    ),
    picklists=(KINDS,),
    in_ecp=True,
)  # fmt: skip
