"""Calc files (ODF) with tags: cells filled, rows repeated, and whatever points at rows moved along."""

from collections.abc import Iterator, Sequence
from copy import deepcopy

from lxml import etree

from crm.documents.cell_values import KIND
from crm.documents.flavours import FLAVOURS, Element
from crm.documents.merging import Merger, Scope
from crm.documents.moving import ADDRESS, CALC, Moves, moved_formula
from crm.documents.namespaces import CALC_EXTENSION, OFFICE, TABLE, TEXT
from crm.documents.package import Package, parse, written

OLD = "was"  # a mark that only lives while the file is filled: the row's number in the template
ROW = f"{TABLE}table-row"
REPEATED = f"{TABLE}number-rows-repeated"
FORMULA = f"{TABLE}formula"
STYLE = "{urn:oasis:names:tc:opendocument:xmlns:style:1.0}"
NUMBER = "{urn:oasis:names:tc:opendocument:xmlns:datastyle:1.0}"
STYLE_OF_CELL = f"{TABLE}style-name"
MOST_ROWS = 1_048_576
_ADDRESSES = ("address", "addresses", "print-ranges")  # how the names of attributes end that hold addresses


def fill(package: Package, scope: Scope) -> bytes:
    """The filled file; it is computed when it is opened. Raises BadTag."""
    changed: dict[str, bytes] = {}
    root = parse(package.parts["content.xml"])
    tables = [one for one in root.iter(f"{TABLE}table") if one.getparent() is not None and _is_sheet(one)]
    moves = {table.get(f"{TABLE}name") or "": _stamp(table) for table in tables}
    merger = Merger(FLAVOURS["ods"])
    merger.fill(root, scope)
    _Formats(root).settle(tables)
    for table in tables:
        _note(table, moves[table.get(f"{TABLE}name") or ""])
    for table in tables:
        _follow(table, moves, table.get(f"{TABLE}name") or "")
    _follow_addresses(root, moves)
    changed["content.xml"] = written(root)
    if "styles.xml" in package.parts:  # headers and footers of pages
        styles = parse(package.parts["styles.xml"])
        Merger(FLAVOURS["odt"]).fill(styles, scope)
        changed["styles.xml"] = written(styles)
    for name, data in package.parts.items():
        if name.endswith("/content.xml"):  # a chart
            chart = parse(data)
            _follow_addresses(chart, moves)
            changed[name] = written(chart)
    return package.with_parts(changed)


def _is_sheet(table: Element) -> bool:
    parent = table.getparent()
    return parent is not None and parent.tag == f"{OFFICE}spreadsheet"


def _rows(table: Element) -> Iterator[Element]:
    """The rows of a sheet, those of sheets inside of it (charts keep such) left out."""
    for child in table:
        if child.tag == ROW:
            yield child
        elif child.tag in {f"{TABLE}{name}" for name in ("table-rows", "table-header-rows", "table-row-group")}:
            yield from _rows(child)


def _stamp(table: Element) -> Moves:
    """Mark each row with its number; what is told later where they went."""
    moves, number = Moves(), 1
    for row in _rows(table):
        row.set(OLD, str(number))
        moves.went[number], moves.spans[number] = [], _count(row)
        number += _count(row)
        for cell in row.iter(f"{TABLE}table-cell"):
            if cell.get(FORMULA):
                _forget_result(cell)
    return moves


def _count(row: Element) -> int:
    said = row.get(REPEATED) or "1"
    return int(said) if said.isdecimal() else 1


def _forget_result(cell: Element) -> None:
    """What a formula gave in the template is not what it gives now."""
    for name in list(cell.attrib):
        if name in {
            f"{OFFICE}value",
            f"{OFFICE}string-value",
            f"{OFFICE}date-value",
            f"{OFFICE}time-value",
            f"{OFFICE}boolean-value",
        }:
            del cell.attrib[name]
    for name in (f"{OFFICE}value-type", f"{CALC_EXTENSION}value-type"):
        cell.attrib.pop(name, None)
    for child in cell.findall(f"{TEXT}p"):
        cell.remove(child)


def _note(table: Element, moves: Moves) -> None:
    """Tell where the rows went, and keep the sheet within its size."""
    number = 1
    rows = list(_rows(table))
    if not rows:
        etree.SubElement(etree.SubElement(table, ROW), f"{TABLE}table-cell")  # a sheet must have one
        return
    for row in rows:
        old, count = int(row.get(OLD, "0")), _count(row)
        moves.went[old].append(number)
        number += count
    over = number - 1 - MOST_ROWS
    if over > 0 and rows and _count(rows[-1]) > over:  # the empty rest of the sheet
        rows[-1].set(REPEATED, str(_count(rows[-1]) - over))


def _follow(table: Element, moves: dict[str, Moves], sheet: str) -> None:
    seen: dict[int, int] = {}
    for row in _rows(table):
        old = int(row.attrib.pop(OLD, "0"))
        own = (old, seen.get(old, 0))
        seen[old] = own[1] + 1
        for cell in row.iter(f"{TABLE}table-cell"):
            formula = cell.get(FORMULA)
            if formula:
                cell.set(FORMULA, moved_formula(formula, CALC, moves, sheet, own if old else None))


def _follow_addresses(root: Element, moves: dict[str, Moves]) -> None:
    """Named ranges, filters, charts, coloured ranges: attributes that hold addresses."""
    if all(one.is_still for one in moves.values()):
        return
    for element in root.iter(etree.Element):
        for name, said in element.attrib.items():
            if str(name).endswith(_ADDRESSES) and "." in str(said):
                element.set(name, moved_formula(str(said), ADDRESS, moves, "", gone=""))


class _Formats:
    """A date or an amount in a cell without a format gets one, so that nobody reads 46000 there."""

    def __init__(self, root: Element) -> None:
        self._root = root
        self._made: dict[tuple[str, str], str] = {}

    def settle(self, tables: Sequence[Element]) -> None:
        for table in tables:
            for cell in table.iter(f"{TABLE}table-cell"):
                kind = cell.attrib.pop(KIND, None)
                if kind:
                    cell.set(STYLE_OF_CELL, self._with_format(cell.get(STYLE_OF_CELL) or "", kind))

    def _with_format(self, name: str, kind: str) -> str:
        if (name, kind) in self._made:
            return self._made[name, kind]
        styles = self._root.find(f"{OFFICE}automatic-styles")
        if styles is None:
            styles = etree.Element(f"{OFFICE}automatic-styles")
            body = self._root.find(f"{OFFICE}body")
            if body is None:
                return name
            body.addprevious(styles)
        known = next((one for one in styles if one.get(f"{STYLE}name") == name), None)
        if known is not None and known.get(f"{STYLE}data-style-name"):
            self._made[name, kind] = name
            return name
        made = self._made[name, kind] = f"filled-{name or 'plain'}-{kind}"
        own = deepcopy(known) if known is not None else etree.Element(f"{STYLE}style")
        own.set(f"{STYLE}family", "table-cell")
        if known is None and name:
            own.set(f"{STYLE}parent-style-name", name)
        own.set(f"{STYLE}name", made)
        own.set(f"{STYLE}data-style-name", f"format-of-{made}")
        styles.insert(0, _format(kind, f"format-of-{made}"))
        styles.append(own)
        return made


def _format(kind: str, name: str) -> Element:
    if kind == "money":
        made = etree.Element(f"{NUMBER}number-style", {f"{STYLE}name": name})
        etree.SubElement(
            made,
            f"{NUMBER}number",
            {f"{NUMBER}decimal-places": "2", f"{NUMBER}min-integer-digits": "1", f"{NUMBER}grouping": "true"},
        )
        return made
    made = etree.Element(f"{NUMBER}date-style", {f"{STYLE}name": name, f"{NUMBER}automatic-order": "true"})
    parts = ["day", ".", "month", ".", "year"] + ([" ", "hours", ":", "minutes"] if kind == "moment" else [])
    for part in parts:
        one = etree.SubElement(made, f"{NUMBER}{part if part.isalpha() else 'text'}")
        if not part.isalpha():
            one.text = part
        elif part == "year":
            one.set(f"{NUMBER}style", "long")
    return made
