"""Numbers and dates in cells of workbooks: held as such, shown in the format of the cell."""

from datetime import date
from decimal import Decimal
from typing import TypeAlias

from lxml import etree
from openpyxl.utils.datetime import to_excel

from crm.documents.namespaces import CALC_EXTENSION, OFFICE, TABLE, S

Element: TypeAlias = etree._Element
KIND = "kind-of-value"  # a mark on cells that only lives while a workbook is filled


def _note_kind(cell: Element, value: Decimal | int | date) -> None:
    kind = {"datetime": "moment", "date": "date", "Decimal": "money"}.get(type(value).__name__)
    if kind:
        cell.set(KIND, kind)


def put_in_excel(cell: Element, value: Decimal | int | date, said: str) -> bool:
    for child in list(cell):
        cell.remove(child)
    cell.attrib.pop("t", None)
    _note_kind(cell, value)
    number = to_excel(value) if isinstance(value, date) else value
    etree.SubElement(cell, f"{S}v").text = f"{number:f}" if isinstance(number, Decimal) else str(number)
    return True


def put_in_calc(paragraph: Element, value: Decimal | int | date, said: str) -> bool:
    cell = paragraph.getparent()
    if cell is None or cell.tag != f"{TABLE}table-cell" or len(cell) > 1:
        return False
    for name in ("value-type", "string-value"):
        cell.attrib.pop(f"{OFFICE}{name}", None)
    cell.attrib.pop(f"{CALC_EXTENSION}value-type", None)
    _note_kind(cell, value)
    is_date = isinstance(value, date)
    cell.set(f"{OFFICE}value-type", "date" if is_date else "float")
    cell.set(
        f"{OFFICE}date-value" if is_date else f"{OFFICE}value",
        value.isoformat() if isinstance(value, date) else f"{value:f}" if isinstance(value, Decimal) else str(value),
    )
    for child in list(paragraph):
        paragraph.remove(child)
    paragraph.text = said
    return True
