"""The parts of an Excel file around its sheets: which sheets there are, styles of numbers, what else points at rows."""

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy

from lxml import etree

from crm.documents.cell_values import KIND
from crm.documents.flavours import Element
from crm.documents.moving import EXCEL, Moves, moved_formula
from crm.documents.package import Package, parse, written

S = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
R_ID = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
DRAWING = "{http://schemas.openxmlformats.org/drawingml/2006/spreadsheetDrawing}"
CHART = "{http://schemas.openxmlformats.org/drawingml/2006/chart}"
BOOK = "xl/workbook.xml"
GENERAL = "0"
FORMAT_OF = {"date": "14", "moment": "22", "money": "4"}  # formats that every Excel knows, in the reader's language
_CELL = re.compile(r"\$?([A-Z]{1,3})\$?(\d+)")


def split_cell(said: str) -> tuple[str, int] | None:
    """`$B$12` → ("B", 12)."""
    found = _CELL.fullmatch(said)
    return (found[1], int(found[2])) if found else None


def column_number(letters: str) -> int:
    """`A` → 1, `AB` → 28."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number


def related(package: Package, part: str) -> dict[str, tuple[str, str]]:
    """The parts that a part names: id → (kind, name of the part)."""
    folder, name = posixpath.split(part)
    held = package.parts.get(f"{folder}/_rels/{name}.rels")
    if held is None:
        return {}
    found = {}
    for one in parse(held):
        target = one.get("Target") or ""
        where = target.lstrip("/") if target.startswith("/") else posixpath.normpath(posixpath.join(folder, target))
        found[one.get("Id") or ""] = ((one.get("Type") or "").rpartition("/")[2], where)
    return found


def sheets_of(package: Package) -> Iterator[tuple[str, str]]:
    """(name, part) of each sheet of cells, in order."""
    known = related(package, BOOK)
    for one in parse(package.parts[BOOK]).iter(f"{S}sheet"):
        kind, part = known.get(one.get(R_ID) or "", ("", ""))
        if kind == "worksheet" and part in package.parts:
            yield one.get("name") or "", part


def computed_order(package: Package) -> frozenset[str]:
    """The part that keeps in which order cells were computed: it would name cells that are no formulas any more."""
    return frozenset(part for kind, part in related(package, BOOK).values() if kind == "calcChain")


def follow_book(package: Package, moves: Mapping[str, Moves], sheets: Sequence[str]) -> dict[str, bytes]:
    """The book itself: named ranges follow, it computes when it is opened; charts follow."""
    root = parse(package.parts[BOOK])
    for one in root.iter(f"{S}definedName"):
        place = one.get("localSheetId") or ""
        sheet = sheets[int(place)] if place.isdecimal() and int(place) < len(sheets) else ""
        one.text = moved_formula(one.text or "", EXCEL, moves, sheet, gone="#REF!")
    computes = root.find(f"{S}calcPr")
    if computes is None:
        computes = etree.Element(f"{S}calcPr")
        after = [one for one in root if etree.QName(one).localname in {"definedNames", "sheets", "externalReferences"}]
        after[-1].addnext(computes)
    computes.set("fullCalcOnLoad", "1")
    changed = {BOOK: written(root)}
    gone = computed_order(package)
    if gone:
        for name in ("[Content_Types].xml", "xl/_rels/workbook.xml.rels"):
            listed = parse(package.parts[name])
            for one in list(listed):
                if any(
                    (one.get("PartName") or one.get("Target") or "").endswith(part.rpartition("/")[2]) for part in gone
                ):
                    listed.remove(one)
            changed[name] = written(listed)
    for name, data in package.parts.items():
        if re.fullmatch(r"xl/charts/chart\d+\.xml", name):
            chart = parse(data)
            for one in chart.iter(f"{CHART}f"):
                one.text = moved_formula(one.text or "", EXCEL, moves, "")
            changed[name] = written(chart)
    return changed


def follow_beside(package: Package, part: str, moves: Mapping[str, Moves], sheet: str) -> dict[str, bytes]:
    """What belongs to a sheet in parts of its own: pictures stay beside their rows, tables and notes follow."""
    its, changed = moves[sheet], {}
    if its.is_still:
        return {}
    for kind, name in related(package, part).values():
        if name not in package.parts:
            continue
        if kind == "drawing":
            root = parse(package.parts[name])
            for one in root.iter(f"{DRAWING}row"):
                to = its.of(int(one.text or "0") + 1)
                one.text = str((to[0] if to else 1) - 1)
            changed[name] = written(root)
        elif kind in {"table", "comments"}:
            root = parse(package.parts[name])
            for one in root.iter(f"{S}table", f"{S}autoFilter", f"{S}comment"):
                one.set("ref", moved_formula(one.get("ref") or "", EXCEL, moves, sheet, gone="A1"))
            changed[name] = written(root)
    return changed


class Styles:
    """Formats of numbers: a date in a cell without a format gets one, so that nobody reads 46000 there."""

    PART = "xl/styles.xml"

    def __init__(self, package: Package) -> None:
        self._root = parse(package.parts[self.PART]) if self.PART in package.parts else None
        self._made: dict[tuple[str, str], str] = {}
        self._general = {GENERAL}  # others than Excel give the plain format a number of its own
        for one in self._root.iter(f"{S}numFmt") if self._root is not None else ():
            if (one.get("formatCode") or "").casefold() == "general":
                self._general.add(one.get("numFmtId") or GENERAL)

    def settle(self, sheet: Element) -> None:
        """Give a format to the cells of a sheet whose values were put there."""
        for cell in sheet.iter(f"{S}c"):
            kind = cell.attrib.pop(KIND, None)
            if kind in FORMAT_OF and self._root is not None:
                cell.set("s", self._with_format(cell.get("s") or "0", FORMAT_OF[kind]))

    def _with_format(self, style: str, wanted: str) -> str:
        known = self._root.find(f"{S}cellXfs") if self._root is not None else None
        if known is None or not style.isdecimal() or int(style) >= len(known):
            return style
        if (known[int(style)].get("numFmtId") or GENERAL) not in self._general:
            return style
        if (style, wanted) not in self._made:
            made = deepcopy(known[int(style)])
            made.set("numFmtId", wanted)
            made.set("applyNumberFormat", "1")
            known.append(made)
            known.set("count", str(len(known)))
            self._made[style, wanted] = str(len(known) - 1)
        return self._made[style, wanted]

    def part(self) -> dict[str, bytes]:
        return {self.PART: written(self._root)} if self._root is not None and self._made else {}
