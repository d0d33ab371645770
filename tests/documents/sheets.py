"""Small workbooks of Excel and Calc with tags, and what is read back of them."""

import io
import zipfile

from lxml import etree
from openpyxl import Workbook, load_workbook

from tests.documents.samples import zipped

OASIS = "urn:oasis:names:tc:opendocument:xmlns:"
NAMES = " ".join(f'xmlns:{short}="{OASIS}{name}:1.0"' for short, name in (("office", "office"), ("text", "text"), ("table", "table")))  # fmt: skip
NAMES += f' xmlns:of="{OASIS}of:1.2"'


CHART = (
    f'<?xml version="1.0"?><office:document-content {NAMES} xmlns:chart="{OASIS}chart:1.0" xmlns:xlink="http://www.w3.org/1999/xlink"><office:body><office:chart>'
    '<chart:chart xlink:href=".."><chart:series chart:values-cell-range-address="&apos;My sheet&apos;.B3"/></chart:chart></office:chart></office:body></office:document-content>'
)


def excel(rows, change=None):
    """`rows`: lists of cells, "=…" a formula. `change(book, sheet)` does the rest."""
    book = Workbook()
    sheet = book.active
    sheet.title = "My sheet"
    for row in rows:
        sheet.append(row)
    if change:
        change(book, sheet)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def read_excel(data):
    return [[cell.value for cell in row] for row in load_workbook(io.BytesIO(data))["My sheet"].iter_rows()]


def calc(rows):
    """The same as ods; an empty row at the end stands for the rest of the sheet, as Calc writes it."""
    made = ""
    for row in rows:
        made += "<table:table-row>"
        for cell in row:
            if isinstance(cell, str) and cell.startswith("="):
                made += f'<table:table-cell table:formula="of:{cell.replace("<", "&lt;")}" office:value-type="float" office:value="7"><text:p>7</text:p></table:table-cell>'
            elif cell is None:
                made += "<table:table-cell/>"
            else:
                made += f'<table:table-cell office:value-type="string"><text:p>{cell}</text:p></table:table-cell>'
        made += "</table:table-row>"
    rest = (
        f'<table:table-row table:number-rows-repeated="{1_048_576 - len(rows)}"><table:table-cell/></table:table-row>'
    )
    content = f'<?xml version="1.0"?><office:document-content {NAMES} office:version="1.2"><office:body><office:spreadsheet><table:table table:name="My sheet">{made}{rest}</table:table><table:named-expressions><table:named-range table:name="all" table:base-cell-address="$&apos;My sheet&apos;.$A$1" table:cell-range-address="$&apos;My sheet&apos;.$A$1:.$B$4"/></table:named-expressions></office:spreadsheet></office:body></office:document-content>'
    manifest = f'<?xml version="1.0"?><manifest:manifest xmlns:manifest="{OASIS}manifest:1.0" manifest:version="1.2"><manifest:file-entry manifest:full-path="/" manifest:media-type="application/vnd.oasis.opendocument.spreadsheet"/><manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/></manifest:manifest>'
    return zipped(
        {
            "mimetype": "application/vnd.oasis.opendocument.spreadsheet",
            "META-INF/manifest.xml": manifest,
            "content.xml": content,
            "Object 1/content.xml": CHART,
        }
    )


def read_calc(data):
    """Cells as openpyxl would give them, the empty rest left out; and the whole text of the file."""
    content = zipfile.ZipFile(io.BytesIO(data)).read("content.xml")
    root = etree.fromstring(content)
    found = []
    for row in root.iter(f"{{{OASIS}table:1.0}}table-row"):
        if row.get(f"{{{OASIS}table:1.0}}number-rows-repeated"):
            continue
        found.append([_cell(cell) for cell in row])
    return found, content.decode()


def _cell(cell):
    formula = cell.get(f"{{{OASIS}table:1.0}}formula")
    if formula:
        return formula.removeprefix("of:")
    number = cell.get(f"{{{OASIS}office:1.0}}value")
    return float(number) if number else cell.get(f"{{{OASIS}office:1.0}}date-value") or "".join(cell.itertext()) or None
