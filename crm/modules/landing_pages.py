"""Landing pages: web pages of our own that mails and surveys lead to, at /p/<slug>."""

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy.orm import Mapped

from crm.engine import fields as f
from crm.engine.conditions import where
from crm.engine.module import Action, Block, Filter, Module
from crm.engine.record import Record
from crm.engine.refusals import Fault
from crm.words import _


class LandingPage(Record):
    """A page. Inactive or past its last day it says that it is gone."""

    __tablename__ = "landing_pages"
    name: Mapped[str] = f.text("Name", max=150)
    slug: Mapped[str | None] = f.text("Address after /p/", max=80, unique=True, help="Made from the name when empty")
    title: Mapped[str | None] = f.text("Title", max=200)
    language: Mapped[str | None] = f.picklist("Language", "language")
    status: Mapped[str] = f.picklist("Status", "content_status", default="inactive", mass_edit=True)
    valid_until_on: Mapped[date | None] = f.day("Valid until", aliases=("valid_until",))
    html: Mapped[str | None] = f.source("HTML", in_lists=False)
    description: Mapped[str | None] = f.long_text("Description")


def slug_of(name: str) -> str:
    """An address made of a name: lower case, letters, digits and hyphens, at most 60 characters."""
    folded = name.lower().translate(str.maketrans("äöåüéèáàßøæ", "aoaueeaasoa"))
    return re.sub(r"[^a-z0-9]+", "-", folded).strip("-")[:60].strip("-") or "page"


def make_slug(values: Mapping[str, Any], old: Mapping[str, Any] | None) -> dict[str, Any]:
    """A page without an address gets one from its name, with a number when that is taken."""
    if values.get("slug") or ((old or {}).get("slug") and "slug" not in values):
        return {}
    from crm.engine.duplicates import holders

    base = slug_of(str(values.get("name") or (old or {}).get("name") or ""))
    tries = [base, *(f"{base}-{n}" for n in range(2, 200))]
    taken = holders(MODULE, "slug", tries)
    return {"slug": next(one for one in tries if taken.get(one, (old or {}).get("id")) == (old or {}).get("id"))}


def has_plain_slug(values: Mapping[str, Any], old: Mapping[str, Any] | None) -> dict[str, Fault]:
    slug = values.get("slug")
    if slug and not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", slug):
        return {"slug": Fault("bad_slug", _("An address takes small letters a to z, digits and single hyphens."))}
    return {}


MODULE = Module(
    LandingPage,
    label="Landing page",
    plural="Landing pages",
    menu="Marketing",
    icon="browser",
    columns=("name", "slug", "title", "status", "valid_until_on", "owner_id"),
    facts=("slug", "status", "valid_until_on", "language"),
    form=(
        Block("Page", ("name", "slug", "title", "language", "status", "valid_until_on", "owner_id")),
        Block("Content", ("html", "description")),
    ),
    search=("name", "slug", "title"),
    sort=("name",),
    filters=(Filter("active", "Active", where("status", "is", "active")),),
    actions=(
        Action("activate", "Activate", lambda it: {"status": "active"}, when=where("status", "is", "inactive"), icon="check"),
        Action("deactivate", "Deactivate", lambda it: {"status": "inactive"}, when=where("status", "is", "active"), icon="ban"),
    ),
    derives=(make_slug,),
    checks=(has_plain_slug,),
    in_ecp=True,
)  # fmt: skip
