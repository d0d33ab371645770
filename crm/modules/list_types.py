"""List types: kinds of mail that a person may refuse apart from each other, each with its subscription page."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Mapped

from crm.db import db
from crm.engine import fields as f
from crm.engine.conditions import where
from crm.engine.duplicates import holders
from crm.engine.fields import Choice, PicklistSeed
from crm.engine.module import Action, Block, Filter, Module
from crm.engine.record import Record
from crm.engine.refusals import Fault
from crm.modules.landing_pages import slug_of
from crm.words import N_, _

KINDS = PicklistSeed.of(
    "list_type_kind", "Kind of list",
    Choice("marketing", "Marketing", "blue"), Choice("informational", "Informational", "green"),
    Choice("essential", "Essential", "orange"),
)  # fmt: skip
SEEDS = (  # what every installation begins with; a sendout that names no list belongs to the first
    (N_("Marketing"), "marketing"),
    (N_("Information"), "informational"),
)
PLACES = ("{$button.unsubscribe}", "{$button.subscribe}")
DEFAULT_PAGE = """<h1>{$list.name}</h1>
<p>{$list.state}</p>
<p>{$button.unsubscribe} {$button.subscribe}</p>
<p>{$button.all_mail}</p>
"""


class ListType(Record):
    """A list that a mail belongs to. `slug` is part of the List-Id of its mails, so it never changes."""

    __tablename__ = "list_types"
    name: Mapped[str] = f.text("Name", max=120, unique=True)
    slug: Mapped[str | None] = f.text("Name in List-Id", max=80, unique=True, read_only=True)
    kind: Mapped[str] = f.picklist("Kind", "list_type_kind", default="marketing", mass_edit=False)
    active: Mapped[bool] = f.checkbox("Active", default=True)
    text_subscribed: Mapped[str | None] = f.long_text(
        "Text for subscribers", max=2000, default=N_("You receive these mails.")
    )
    text_unsubscribed: Mapped[str | None] = f.long_text(
        "Text for those who left", max=2000, default=N_("You no longer receive these mails.")
    )
    page_html: Mapped[str | None] = f.source("Subscription page", default=DEFAULT_PAGE, in_lists=False)
    language: Mapped[str | None] = f.picklist("Language", "language")
    description: Mapped[str | None] = f.long_text("Description")


def make_slug(values: Mapping[str, Any], old: Mapping[str, Any] | None) -> dict[str, Any]:
    """The name in List-Id, made once; an emptied page is the default page again."""
    made: dict[str, Any] = {}
    if old is None:
        base = slug_of(str(values.get("name") or ""))
        tries = [base, *(f"{base}-{n}" for n in range(2, 200))]
        taken = holders(MODULE, "slug", tries)
        made["slug"] = next(one for one in tries if one not in taken)
    if "page_html" in values and not values["page_html"]:
        made["page_html"] = DEFAULT_PAGE
    return made


def page_has_both_buttons(values: Mapping[str, Any], old: Mapping[str, Any] | None) -> dict[str, Fault]:
    """From the page one can leave and come back."""
    missing = [place for place in PLACES if values.get("page_html") and place not in values["page_html"]]
    if missing:
        return {
            "page_html": Fault("missing_button", _("The page must hold %(places)s.", places=_(" and ").join(missing)))
        }
    return {}


MODULE = Module(
    ListType,
    label="List type",
    plural="List types",
    menu="Marketing",
    icon="list-check",
    columns=("name", "kind", "active", "updated_at"),
    facts=("kind", "active", "slug"),
    form=(
        Block("List type", ("name", "kind", "active", "language", "owner_id")),
        Block("Subscription page", ("text_subscribed", "text_unsubscribed", "page_html")),
        Block("More", ("slug", "description")),
    ),
    search=("name",),
    sort=("name",),
    filters=(Filter("active", "Active", where("active", "is", True)),),
    actions=(
        Action("activate", "Activate", lambda it: {"active": True}, when=where("active", "is", False), icon="check"),
        Action("deactivate", "Deactivate", lambda it: {"active": False}, when=where("active", "is", True), icon="ban"),
    ),
    picklists=(KINDS,),
    derives=(make_slug,),
    checks=(page_has_both_buttons,),
    areas={"create": "ecp_admin", "edit": "ecp_admin", "delete": "ecp_admin"},
    in_ecp=True,
)  # fmt: skip


def seed() -> None:
    """Make the first list types, where there has never been one. The caller commits."""
    from crm.engine import records
    from crm.engine.channels import Channel
    from crm.identity.viewer import SYSTEM

    if db.session.execute(select(ListType.id).limit(1)).first() is None:
        rows = [{"name": _(name), "kind": kind} for name, kind in SEEDS]
        records.create_many(SYSTEM, MODULE, rows, Channel.SYSTEM)
