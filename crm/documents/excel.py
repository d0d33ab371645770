"""Excel files with tags: cells filled, rows repeated, and whatever points at rows moved along."""

import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any

from lxml import etree
from openpyxl.formula.translate import Translator
from openpyxl.utils import get_column_letter

from crm.documents import excel_parts
from crm.documents.excel_parts import S, Styles
from crm.documents.flavours import FLAVOURS, Element
from crm.documents.merging import Merger, Scope, fill_text
from crm.documents.moving import EXCEL, Moves, moved_formula
from crm.documents.package import Package, parse, written
from crm.engine.tags.tree import Assign, Math, Show

MOST_GAP = 1_000  # empty rows between two that are written out, so that blocks may hold them
OLD = "was"  # a mark that only lives while the file is filled: the row's number in the template
_LETTERS = re.compile(r"[A-Z]+")
_HEADERS = tuple(f"{S}{when}{what}" for when in ("odd", "even", "first") for what in ("Header", "Footer"))


class _InHeader:
    """A scope for headers and footers, where an ampersand begins a code."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def show(self, node: Show | Assign | Math, source: str) -> str:
        return self._scope.show(node, source).replace("&", "&&")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._scope, name)


def fill(package: Package, scope: Scope) -> bytes:
    """The filled workbook; it is computed anew when it is opened. Raises BadTag."""
    texts = list(parse(package.parts["xl/sharedStrings.xml"])) if "xl/sharedStrings.xml" in package.parts else []
    styles = Styles(package)
    sheets = dict(excel_parts.sheets_of(package))
    roots: dict[str, Element] = {}
    moves: dict[str, Moves] = {}
    for name, part in sheets.items():
        root = roots[part] = parse(package.parts[part])
        moves[name] = _fill_sheet(root, texts, scope)
        styles.settle(root)
    changed: dict[str, bytes] = {}
    for name, part in sheets.items():
        _follow(roots[part], moves, name)
        changed |= excel_parts.follow_beside(package, part, moves, name)
        changed[part] = written(roots[part])
    changed |= excel_parts.follow_book(package, moves, list(sheets))
    return package.with_parts(changed | styles.part(), without=excel_parts.computed_order(package))


def _fill_sheet(root: Element, texts: list[Element], scope: Scope) -> Moves:
    data = root.find(f"{S}sheetData")
    if data is None:
        return Moves()
    _number(data)
    _own_texts(data, texts)
    _own_formulas(data)
    gaps = _write_gaps(data)
    moves = Moves({int(row.get(OLD, "0")): [] for row in data.iter(f"{S}row")})
    Merger(FLAVOURS["xlsx"]).fill(data, scope)
    for one in root.iter(*_HEADERS):
        one.text = fill_text(one.text or "", _InHeader(scope))
    _renumber(data, gaps, moves)
    return moves


def _number(data: Element) -> None:
    """Rows and cells say where they are; a file may leave that out."""
    row_number = 0
    for row in data.iter(f"{S}row"):
        row_number = int(row.get("r") or row_number + 1)
        row.set("r", str(row_number))
        row.set(OLD, str(row_number))
        row.attrib.pop("spans", None)
        column = 0
        for cell in row.iter(f"{S}c"):
            said = _LETTERS.match(cell.get("r") or "")
            column = excel_parts.column_number(said[0]) if said else column + 1
            cell.set("r", f"{get_column_letter(column)}{row_number}")


def _own_texts(data: Element, texts: list[Element]) -> None:
    """Cells with tags get a text of their own in place of the number of a text that many share."""
    for cell in data.iter(f"{S}c"):
        value = cell.find(f"{S}v")
        if cell.get("t") != "s" or value is None or not (value.text or "").isdecimal():
            continue
        place = int(value.text or "0")
        if place >= len(texts) or not any(mark in "".join(texts[place].itertext()) for mark in "{["):
            continue
        cell.set("t", "inlineStr")
        cell.remove(value)
        own = etree.SubElement(cell, f"{S}is")
        for child in texts[place]:
            if child.tag in {f"{S}t", f"{S}r"}:
                own.append(deepcopy(child))


def _own_formulas(data: Element) -> None:
    """Formulas that were written once for many cells are written in each, and forget what they gave."""
    first: dict[str, tuple[str, str]] = {}
    for cell in data.iter(f"{S}c"):
        formula = cell.find(f"{S}f")
        if formula is None:
            continue
        for value in cell.findall(f"{S}v"):
            cell.remove(value)
        cell.attrib.pop("t", None)
        if formula.get("t") != "shared":
            continue
        here, group = cell.get("r") or "", formula.get("si") or ""
        if formula.text:
            first[group] = (formula.text, here)
        elif group in first:
            said, origin = first[group]
            formula.text = Translator(f"={said}", origin).translate_formula(here)[1:]
        for name in ("t", "si", "ref"):
            formula.attrib.pop(name, None)


def _write_gaps(data: Element) -> dict[int, int]:
    """Rows that the file leaves out are written; where too many are missing: number of the next row → how many."""
    before, gaps = 0, {}
    for row in list(data.iter(f"{S}row")):
        number = int(row.get("r") or "0")
        if number - before - 1 > MOST_GAP:
            gaps[number] = number - before - 1
        else:
            for missing in range(before + 1, number):
                row.addprevious(etree.Element(f"{S}row", {"r": str(missing), OLD: str(missing)}))
        before = number
    return gaps


def _renumber(data: Element, gaps: Mapping[int, int], moves: Moves) -> None:
    """Rows and cells get their numbers; `moves` is told where each row of the template went."""
    number = 0
    rows = list(data.iter(f"{S}row"))
    for row in rows:
        old = int(row.get(OLD, "0"))
        number += 1 + (0 if moves.went[old] else gaps.get(old, 0))
        moves.went[old].append(number)
        row.set("r", str(number))
        for cell in row.iter(f"{S}c"):
            letters = _LETTERS.match(cell.get("r") or "")
            cell.set("r", f"{letters[0] if letters else 'A'}{number}")


def _follow(root: Element, moves: dict[str, Moves], sheet: str) -> None:
    """Whatever a sheet says of its rows: formulas, merged cells, coloured ranges, links, filters, page breaks."""
    its = moves[sheet]
    for row in list(root.iter(f"{S}row")):
        old = int(row.attrib.pop(OLD, "0"))
        number = int(row.get("r") or "0")
        own = (old, its.of(old).index(number)) if old in its.went else None
        for formula in row.iter(f"{S}f"):
            formula.text = moved_formula(formula.text or "", EXCEL, moves, sheet, own)
            if formula.get("ref"):
                formula.set("ref", moved_formula(formula.get("ref", ""), EXCEL, moves, sheet, own))
        if len(row) == 0 and set(row.attrib) <= {"r"} and (parent := row.getparent()) is not None:
            parent.remove(row)
    for one in root.findall(f"{S}dimension"):
        root.remove(one)
    if its.is_still and all(each.is_still for each in moves.values()):
        return
    _follow_merged(root, its)
    for one in root.iter(f"{S}formula", f"{S}formula1", f"{S}formula2"):
        one.text = moved_formula(one.text or "", EXCEL, moves, sheet)
    for one in root.iter(
        f"{S}conditionalFormatting", f"{S}dataValidation", f"{S}hyperlink", f"{S}autoFilter", f"{S}sortState"
    ):
        for name in ("sqref", "ref"):
            if one.get(name):
                kept = [to for said in one.get(name, "").split() if (to := _whole(said, its))]
                one.set(name, " ".join(kept) or "A1048576")
    for one in root.iter(f"{S}brk"):
        parent = one.getparent()
        if parent is not None and parent.tag == f"{S}rowBreaks" and (one.get("id") or "").isdecimal():
            after = its.of(int(one.get("id", "1")))
            one.set("id", str(after[-1] if after else 1))


def _whole(said: str, its: Moves) -> str:
    """A range that grows with its rows; "" when all of it vanished."""
    begin, _colon, end = said.partition(":")
    first, last = excel_parts.split_cell(begin), excel_parts.split_cell(end or begin)
    if first is None or last is None:
        return said
    span = its.span(first[1], last[1])
    return f"{first[0]}{span[0]}:{last[0]}{span[1]}" if span else ""


def _follow_merged(root: Element, its: Moves) -> None:
    for holder in list(root.iter(f"{S}mergeCells")):
        for one in list(holder):
            for said in _merged(one.get("ref") or "", its):
                etree.SubElement(holder, f"{S}mergeCell").set("ref", said)
            holder.remove(one)
        holder.set("count", str(len(holder)))
        if len(holder) == 0 and (parent := holder.getparent()) is not None:
            parent.remove(holder)


def _merged(said: str, its: Moves) -> Iterator[str]:
    begin, _colon, end = said.partition(":")
    first, last = excel_parts.split_cell(begin), excel_parts.split_cell(end)
    if first and last:
        for top, bottom in its.copies(first[1], last[1]):
            yield f"{first[0]}{top}:{last[0]}{bottom}"
