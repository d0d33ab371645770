"""Pages that are followed by name: a label for a path, or for all that begin alike."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Mapped

from crm.engine import fields as f
from crm.engine.module import Block, Module, Related
from crm.engine.record import Record
from crm.engine.refusals import Fault
from crm.words import _


class TrackedPage(Record):
    """One followed page. `pattern`: a path of the site; a star at its end stands for anything."""

    __tablename__ = "tracked_pages"
    label: Mapped[str] = f.text("Name", max=120)
    site_id: Mapped[int] = f.link("Site", to="tracked_sites", on_delete="CASCADE")
    pattern: Mapped[str] = f.text("Path", max=300, help="/prices, or /products/* for all below")


def _is_a_path(values: Mapping[str, Any], old: Mapping[str, Any] | None) -> dict[str, Fault]:
    said = values.get("pattern")
    if said and (not said.startswith("/") or "*" in said[:-1] or any(letter in said for letter in " ?#")):
        return {"pattern": Fault("bad_path", _("Write a path that begins with /, with a star at its end at most."))}
    return {}


MODULE = Module(
    TrackedPage,
    label="Followed page",
    plural="Followed pages",
    icon="file-search",
    title="label",
    columns=("label", "site_id", "pattern"),
    facts=("site_id", "pattern"),
    form=(Block("Page", ("label", "site_id", "pattern", "owner_id")),),
    in_search=False,
    search=("label", "pattern"),
    sort=("label",),
    shows_on={"tracked_sites": Related(by="site_id", label="Followed pages", columns=("label", "pattern"))},
    checks=(_is_a_path,),
    follows="site_id",
    areas={"create": "ecp_admin", "edit": "ecp_admin", "delete": "ecp_admin"},
    importable=False,
    in_ecp=True,
)
