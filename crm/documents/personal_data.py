"""What the house knows of a person as a workbook: a sheet with the person's fields, and one for each related module."""

import io
from collections.abc import Sequence
from typing import Any

from openpyxl import Workbook

from crm.engine import exports, relations, search
from crm.engine.module import Module
from crm.engine.permissions import demand, may, readable
from crm.engine.refusals import Refused
from crm.engine.registry import modules
from crm.engine.rows import Row
from crm.identity.viewer import Viewer
from crm.words import _, in_sentence

MOST_ROWS = 10_000  # of one sheet
NOT_PERSONAL = {
    "contacts",
    "target_group_members",
    "portal_target_group_members",
}  # other people, and how we group them


def related_to(viewer: Viewer) -> list[Module]:
    """The modules whose rows about a person may be reported: what the viewer may see and export."""
    found = {relation.target for relation in modules.relations("contacts").values() if relation.kind != "one"}
    wanted = [modules[key] for key in sorted(found - NOT_PERSONAL)]
    return [module for module in wanted if may(viewer, "view", module) and may(viewer, "export", module)]


def workbook(viewer: Viewer, contact_id: int, wanted: Sequence[str]) -> bytes:
    """An Excel file: the person's own fields, and the rows of the modules `wanted`, as far as the viewer may read them.

    Raises Forbidden without the right to export, Missing, Refused when there is too much of something.
    """
    demand(viewer, "export", "contacts")
    row = search.one(viewer, "contacts", contact_id)
    book = Workbook(write_only=True)
    _write_person(book.create_sheet(_("Person")), viewer, row)
    for module in related_to(viewer):
        if module.key in wanted:
            seen = readable(viewer, module)
            columns = [name for name, said in module.fields.items() if name in seen and said.kind.name != "file"]
            shown = exports.headings(viewer, module, columns)
            rows = _rows(viewer, contact_id, module, columns)
            exports.fill_sheet(book.create_sheet(_title(book, module)), iter(rows), shown, viewer.timezone)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _write_person(sheet: Any, viewer: Viewer, row: Row) -> None:
    shown = exports.headings(
        viewer,
        "contacts",
        [name for name, said in modules["contacts"].fields.items() if name in row and said.kind.name != "file"],
    )
    for heading in shown:
        exports.append_pair(sheet, heading.label, row, heading, viewer.timezone)


def _rows(viewer: Viewer, contact_id: int, module: Module, columns: Sequence[str]) -> Sequence[Row]:
    """The rows of a module that belong to the person, whichever of its links says so."""
    ways = [one for one in modules.relations("contacts").values() if one.target == module.key and one.kind != "one"]
    links = [{"$eq": [one.field, contact_id]} for one in ways if one.kind == "children"]
    wanted: dict[str, Any] = {"where": {"$or": links}}
    if not links:
        wanted = {"within": relations.linked("contacts", contact_id, ways[0].name)}
    page = search.find(viewer, module, columns=columns, limit=MOST_ROWS, count="none", **wanted)
    if page.next:
        raise Refused.because(
            "too_many",
            _("There are more than %(most)s %(plural)s.", most=MOST_ROWS, plural=in_sentence(_(module.plural))),
        )
    return page.rows


def _title(book: Workbook, module: Module) -> str:
    """A name that Excel takes: 31 characters, each once."""
    plain = "".join(letter for letter in _(module.plural) if letter not in "[]:*?/\\")[:28]
    taken = {name.lower() for name in book.sheetnames}
    return plain if plain.lower() not in taken else f"{plain} {len(taken)}"
