"""Templates without a file: a title, chosen fields and chosen related rows, laid out by the system as a page or a sheet.

A layout becomes a Writer or Excel file with tags in the language of the document, which is then filled like an uploaded one.
"""

import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, cast
from xml.sax.saxutils import escape

from openpyxl import Workbook
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

from crm.documents import package, uploads
from crm.documents.laid_out import MANIFEST, PAGE, STYLES
from crm.documents.merging import fill_text
from crm.documents.names import Checking, Rows, Shape
from crm.documents.package import MEDIA_TYPES, Format, Package
from crm.documents.templates import KEY, shape_for
from crm.documents.tokens import BadTag
from crm.engine import attachments, records, search
from crm.engine.channels import Channel
from crm.engine.permissions import demand
from crm.engine.refusals import Fault, Refused
from crm.engine.registry import modules
from crm.identity.viewer import Viewer
from crm.words import _

MOST_FIELDS, MOST_LISTS, MOST_COLUMNS, MOST_TITLE = 100, 10, 12, 150
WIDE = 5  # columns; with more the page lies on its side
KINDS: Mapping[str, Format] = {"pdf": "odt", "xlsx": "xlsx"}


@dataclass(frozen=True)
class Listed:
    """Related rows: the name of the list, and its columns."""

    name: str
    fields: tuple[str, ...]


@dataclass(frozen=True)
class Layout:
    """What is shown, in order. `kind`: pdf (a page) or xlsx (a sheet); `title` may hold tags."""

    kind: str = "pdf"
    title: str = ""
    fields: tuple[str, ...] = ()
    lists: tuple[Listed, ...] = ()


def read(text: str | None) -> Layout | None:
    """The layout that a template keeps; None when it keeps none."""
    if not text:
        return None
    said = json.loads(text)
    lists = tuple(Listed(one["name"], tuple(one["fields"])) for one in said["lists"])
    return Layout(said["kind"], said["title"], tuple(said["fields"]), lists)


def fields_of(shape: Shape) -> dict[str, str]:
    """What can be chosen of a record or row: name → label."""
    found = {name: _(said.label) for name, said in shape.fields.items()}
    for module in shape.modules:
        found |= {
            name: _(said.label)
            for name, said in module.fields.items()
            if said.kind.name not in {"file", "conditions", "source"}
        }
    return found


def lists_of(module: str) -> dict[str, tuple[str, Shape]]:
    """The lists that can be shown: name → (label, what their rows know)."""
    shape, found = shape_for(modules[module]), {}
    for name in shape.names():
        rows = shape.step(name)
        if isinstance(rows, Rows):
            own = rows.item.modules
            found[name] = (_(own[0].plural) if own else name.capitalize(), rows.item)
    return dict(sorted(found.items(), key=lambda one: one[1][0].casefold()))


def usual_columns(shape: Shape) -> tuple[str, ...]:
    """The columns that a list begins with."""
    own = shape.modules[0].columns if shape.modules else tuple(shape.fields)
    return tuple(name for name in own if name in fields_of(shape))[:MOST_COLUMNS]


def keep(viewer: Viewer, template_id: int, layout: Layout) -> None:
    """Make a layout what a template is made of, in place of a file. The caller commits.

    Raises Refused at title, fields, lists; Missing, Forbidden.
    """
    demand(viewer, "edit", KEY)
    template = search.one(viewer, KEY, template_id)
    faults = dict(_faults(layout, template["module"]))
    if faults:
        raise Refused({name: [fault] for name, fault in faults.items()})
    changes: dict[str, Any] = {
        "layout": json.dumps(asdict(layout), ensure_ascii=False),
        "format": KINDS[layout.kind],
        "fonts": None,
        "file_id": None,
    }
    if layout.kind == "xlsx":
        changes["output"] = "same"
    elif template["output"] == "same":
        changes["output"] = "pdf"
    records.update(viewer, KEY, template_id, changes, Channel.SYSTEM)
    if template["file_id"] is not None:
        attachments.detach(viewer, KEY, template_id, template["file_id"], Channel.FORM)


def _faults(layout: Layout, module: str) -> Iterator[tuple[str, Fault]]:
    if layout.kind not in KINDS:
        yield "kind", Fault("not_in_list", _("Choose a page or a sheet."))
    if len(layout.title) > MOST_TITLE:
        yield "title", Fault("too_long", _("At most %(most)s characters.", most=MOST_TITLE))
    problems: list[str] = []
    try:
        fill_text(layout.title, Checking(shape_for(modules[module]), problems))
    except BadTag as wrong:
        problems.append(str(wrong))
    if problems:
        yield "title", Fault("unknown", problems[0])
    known, lists = fields_of(Shape((modules[module],))), lists_of(module)
    if not layout.fields and not layout.lists:
        yield "fields", Fault("required", _("Choose at least one field."))
    elif len(layout.fields) > MOST_FIELDS or not set(layout.fields) <= set(known):
        yield "fields", Fault("not_in_list", _("Choose at most %(most)s of the fields.", most=MOST_FIELDS))
    if len(layout.lists) > MOST_LISTS or any(one.name not in lists for one in layout.lists):
        yield "lists", Fault("not_in_list", _("Choose at most %(most)s of the lists.", most=MOST_LISTS))
    elif any(
        len(one.fields) > MOST_COLUMNS or not set(one.fields) <= set(fields_of(lists[one.name][1]))
        for one in layout.lists
    ):
        yield "lists", Fault("not_in_list", _("A list shows at most %(most)s columns.", most=MOST_COLUMNS))


def opened(template: search.Row) -> Package:
    """The file that a template is filled from: the uploaded one, or its layout in the language that is spoken. Raises Missing, Refused."""
    layout = read(template["layout"])
    if layout is None:
        return uploads.opened(template)
    return _page(layout, template) if layout.kind == "pdf" else _sheet(layout, template)


def _shown(layout: Layout, module: str) -> tuple[list[tuple[str, str]], list[tuple[str, list[tuple[str, str]]]]]:
    """(label, tag) of the fields; (label, the same of its columns) of the lists. What is not there any more is left out."""
    known, lists = fields_of(Shape((modules[module],))), lists_of(module)
    fields = [(_plain(known[name]), f"{{${name}}}") for name in layout.fields if name in known]
    shown = []
    for one in layout.lists:
        if one.name in lists:
            label, shape = lists[one.name]
            names = fields_of(shape)
            shown.append(
                (
                    _plain(label),
                    [(_plain(names[name]), f"{{${one.name}.{name}}}") for name in one.fields if name in names],
                )
            )
    return fields, [(label, columns) for label, columns in shown if columns]


def _plain(label: str) -> str:
    """A label in which nothing is a tag."""
    return label.replace("{", "(").replace("}", ")").replace("[", "(").replace("]", ")")


def _page(layout: Layout, template: search.Row) -> Package:
    fields, lists = _shown(layout, template["module"])
    body = [
        f'<text:h text:style-name="Title" text:outline-level="1">{escape(layout.title or _plain(template["name"]))}</text:h>'
    ]
    if fields:
        body.append(_table([[(label, "Label"), (tag, "Value")] for label, tag in fields], ("narrow", "broad")))
    for label, columns in lists:
        head, row = [(said, "Label") for said, _tag in columns], [(tag, "Value") for _said, tag in columns]
        body += [
            f'<text:h text:style-name="Heading" text:outline-level="2">{escape(label)}</text:h>',
            _table([head, row], ("even",) * len(columns), has_head=True),
        ]
    is_wide = any(len(columns) > WIDE for _label, columns in lists)
    styles = STYLES.replace("WIDTH", "29.7cm" if is_wide else "21cm").replace("HEIGHT", "21cm" if is_wide else "29.7cm")
    parts = {
        "mimetype": MEDIA_TYPES["odt"],
        "META-INF/manifest.xml": MANIFEST,
        "styles.xml": styles,
        "content.xml": PAGE.replace("BODY", "".join(body)),
    }
    return Package("odt", {name: data.encode() for name, data in parts.items()})


def _table(rows: Sequence[Sequence[tuple[str, str]]], widths: Sequence[str], has_head: bool = False) -> str:
    columns = "".join(f'<table:table-column table:style-name="{width}"/>' for width in widths)
    made = ["<table:table-row>" + "".join(f'<table:table-cell office:value-type="string"><text:p text:style-name="{style}">{escape(said)}</text:p></table:table-cell>' for said, style in row) + "</table:table-row>" for row in rows]  # fmt: skip
    if has_head:
        made[0] = f"<table:table-header-rows>{made[0]}</table:table-header-rows>"
    return f'<table:table table:style-name="whole">{columns}{"".join(made)}</table:table>'


def _sheet(layout: Layout, template: search.Row) -> Package:
    fields, lists = _shown(layout, template["module"])
    book = Workbook()
    sheet = cast(Any, book.active)
    bold = Font(bold=True)
    sheet.title = "".join(letter for letter in template["name"] if letter not in "[]:*?/\\{}")[:31] or "1"
    sheet.append([layout.title or _plain(template["name"])])
    sheet["A1"].font = Font(bold=True, size=14)
    for label, tag in fields:
        sheet.append([label, tag])
        sheet.cell(sheet.max_row, 1).font = bold
    for label, columns in lists:
        sheet.append([])
        sheet.append([label])
        sheet.cell(sheet.max_row, 1).font = bold
        sheet.append([said for said, _tag in columns])
        for cell in sheet[sheet.max_row]:
            cell.font = bold
        sheet.append([tag for _said, tag in columns])
    for place in range(1, 1 + max([2, *(len(columns) for _label, columns in lists)])):
        sheet.column_dimensions[get_column_letter(place)].width = 24
    for row in sheet.iter_rows():
        for cell in row:
            cell.data_type = "s" if cell.value is not None else "n"  # a title that begins with = is a text
    out = io.BytesIO()
    book.save(out)
    return package.read("x.xlsx", out.getvalue())
