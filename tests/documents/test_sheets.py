"""Templates of Excel and Calc: rows repeat, numbers stay numbers, formulas below follow."""

import io
import re
import zipfile
from datetime import datetime

import pytest
from openpyxl import load_workbook
from openpyxl.chart import BarChart, Reference
from openpyxl.formatting.rule import FormulaRule
from openpyxl.styles import Font
from openpyxl.workbook.defined_name import DefinedName

from crm.documents import filling, making, names, package, templates
from crm.documents.scopes import Filling
from crm.documents.showing import speaking_of
from crm.engine.refusals import Refused
from crm.engine.registry import modules
from tests.documents.samples import zipped
from tests.documents.sheets import calc, excel, read_calc, read_excel
from tests.documents.test_filling import invoice


def _with(data, name, more):
    out = io.BytesIO(data)
    with zipfile.ZipFile(out, "a") as book:
        book.writestr(name, more)
    return out.getvalue()


def filled(data, ending, count=3):
    held = package.read(f"x.{ending}", data)
    with speaking_of("en") as words:
        return filling.fill(held, Filling(invoice(count), words))


ROWS = [
    ["Due {$doc.due_on}", "{$doc.due_on}", "=B7"],
    ["Item", "Sum", "Twice"],
    ["{$rows.no}. {$rows.name}", "{$rows.total}", "=B3*2"],
    ["{if $rows|rows_count > 1}", None, None],
    ["Many", None, None],
    ["{/if}", None, None],
    ["All", "=SUM(B3)+SUM(B3:B3)", "=SUM($C$2:C3)"],
    ["{$taxes.rate}", "{$taxes.amount}", "=ROUND(B8,0)"],
]


def decorated(book, sheet):
    sheet.merge_cells("D3:E3")
    sheet.merge_cells("D7:D8")
    sheet["A7"].font = Font(bold=True)
    sheet.print_title_rows = "2:2"
    book.defined_names["everything"] = DefinedName("everything", attr_text="'My sheet'!$A$3:$B$7")
    other = book.create_sheet("Other")
    other.append(["='My sheet'!B7", "Of {$doc.total}", "=SUM('My sheet'!B3)&\"B3\""])
    chart = BarChart()
    chart.add_data(Reference(sheet, min_col=2, min_row=3, max_row=3))
    sheet.add_chart(chart, "G10")
    sheet.conditional_formatting.add("B3:B3", FormulaRule(formula=["B8>1"]))
    sheet.oddFooter.center.text = "{$rows.nothing|default:'a'} {$doc.total|default:'R&D'} &P"
    sheet.oddFooter.center.text = "Page &P {if 1}R{'&'}D{/if}"


FILLED = [
    ["Due Dec 1, 2026", datetime(2026, 12, 1), "=B7"],
    ["Item", "Sum", "Twice"],
    ["1. Item 0", 121.65, "=B3*2"],
    ["2. Item 1", 121.65, "=B4*2"],
    ["3. Item 2", 121.65, "=B5*2"],
    ["Many", None, None],
    ["All", "=SUM(B3:B5)+SUM(B3:B5)", "=SUM($C$2:C5)"],
    [25.5, 65.35, "=ROUND(B8,0)"],
    [14, 5.32, "=ROUND(B9,0)"],
]


def test_rows_of_an_excel_file_repeat_and_what_points_at_them_follows(app):
    data = filled(excel(ROWS, decorated), "xlsx")
    found = read_excel(data)
    assert [row[:3] for row in found] == FILLED
    book = load_workbook(io.BytesIO(data))
    sheet = book["My sheet"]
    assert sorted(map(str, sheet.merged_cells.ranges)) == ["D3:E3", "D4:E4", "D5:E5", "D7:D9"]
    assert (sheet["A7"].font.bold, sheet["A6"].font.bold, sheet.print_title_rows) == (True, False, "$2:$2")
    assert (sheet["B1"].is_date, sheet["B3"].number_format) == (True, "#,##0.00")
    assert book.defined_names["everything"].attr_text == "'My sheet'!$A$3:$B$7"
    assert [cell.value for cell in book["Other"][1]] == [
        "='My sheet'!B7",
        "Of 1,364.90",
        "=SUM('My sheet'!B3:B5)&\"B3\"",
    ]
    rules = sheet.conditional_formatting
    assert [(str(one.sqref), one.rules[0].formula) for one in rules] == [("B3:B5", ["B8>1"])]
    assert sheet.oddFooter.center.text == "Page &P R&&D"
    parts = zipfile.ZipFile(io.BytesIO(data))
    assert b"'My sheet'!$B$3:$B$5" in parts.read("xl/charts/chart1.xml")
    assert b'fullCalcOnLoad="1"' in parts.read("xl/workbook.xml")
    assert b"<v/>" not in parts.read("xl/worksheets/sheet1.xml")
    # Without rows the row is gone, and so is what pointed at it.
    none = read_excel(filled(excel(ROWS), "xlsx", 0))
    assert none[2:4] == [["All", "=SUM(0)+SUM(0)", "=SUM($C$2:C2)"], [25.5, 65.35, "=ROUND(B4,0)"]]
    many = read_excel(filled(excel(ROWS), "xlsx", 300))
    assert (many[0][2], many[303][1]) == ("=B304", "=SUM(B3:B302)+SUM(B3:B302)")


def test_a_file_that_another_program_wrote_is_filled_alike(app):
    """Shared formulas, rows and cells without addresses, and the plain format under another number."""
    written = (
        '<sheetData><row r="1"><c r="A1" s="1" t="inlineStr"><is><r><t>{$doc</t></r><r><t>.due_on}</t></r></is></c></row>'
        '<row><c t="inlineStr"><is><t>{$rows.total}</t></is></c><c><f t="shared" ref="B2:B4" si="0">A2*2</f><v>9</v></c></row>'
        '<row r="4"><c r="A4"><v>5</v></c><c r="B4"><f t="shared" si="0"/><v>9</v></c></row>'
        '<row r="5000"><c r="A5000"><f>A4+SUM(A2:A4)</f><v>1</v></c></row></sheetData>'
    )
    parts = dict(package.read("x.xlsx", excel([["x"]])).parts)
    sheet = "xl/worksheets/sheet1.xml"
    parts[sheet] = re.sub(rb"<sheetData>.*</sheetData>", written.encode(), parts[sheet])
    styles = parts["xl/styles.xml"].decode()
    styles = re.sub(r"<numFmts[^>]*/>", "", styles)
    styles = re.sub(
        r"(<styleSheet[^>]*>)", r'\1<numFmts count="1"><numFmt numFmtId="164" formatCode="General"/></numFmts>', styles
    )
    parts["xl/styles.xml"] = re.sub(
        r"</cellXfs>", '<xf numFmtId="164" fontId="0" fillId="0" borderId="0"/></cellXfs>', styles
    ).encode()
    found = load_workbook(io.BytesIO(filled(zipped(parts), "xlsx")))["My sheet"]
    assert (found["A1"].value, found["A1"].is_date) == (datetime(2026, 12, 1), True)
    assert [found[f"B{row}"].value for row in (2, 3, 4, 6)] == ["=A2*2", "=A3*2", "=A4*2", "=A6*2"]
    assert found["A5002"].value == "=A6+SUM(A2:A6)"


def test_rows_of_a_calc_file_repeat_and_what_points_at_them_follows(app):
    rows = [[_calc(cell) for cell in row] for row in ROWS]
    data = filled(calc(rows), "ods")
    found, text = read_calc(data)
    assert b"B3:.B5" in zipfile.ZipFile(io.BytesIO(data)).read("Object 1/content.xml")
    wanted = [[_calc(cell) for cell in row] for row in FILLED]
    wanted[0][1] = "2026-12-01"
    assert found == wanted
    assert "$'My sheet'.$A$1:.$B$5" in text
    assert "<text:p>121.65</text:p>" in text
    assert 'number-rows-repeated="1048567"' in text
    none, _text = read_calc(filled(calc(rows), "ods", 0))
    assert none[2] == ["All", "=SUM(0)+SUM(0)", "=SUM([.$C$2:.C2])"]


def _calc(cell):
    """A formula as Calc writes it."""
    if not isinstance(cell, str) or not cell.startswith("="):
        return cell
    return re.sub(
        r"(\$?[A-Z]+\$?\d+)(:?)(\$?[A-Z]+\$?\d+)?", lambda m: f"[.{m[1]}{':.' + m[3] if m[3] else ''}]", cell
    ).replace(",", ";")


def test_texts_are_never_formulas_and_a_link_is_written_by_its_name(make, template, people):
    account = make("accounts", name="=1+1", owner_id=people.alice)
    contact = make("contacts", last_name="V", description="@Vir\nta & <x>", account_id=account, owner_id=people.alice)
    data = excel([["{$description}", "{$account_id}", "{$account.name}", "{$created_at}"], ["{$tickets.title}"]])
    made = making.filled(people["alice"], making.template_of(template(data, "xlsx")), contact)
    sheet = load_workbook(io.BytesIO(made.data))["My sheet"]
    assert [cell.value for cell in sheet[1]][:3] == ["@Vir\nta & <x>", "=1+1", "=1+1"]
    assert [cell.data_type for cell in sheet[1]] == ["s", "s", "s", "d"]
    assert made.format == "xlsx"


REFUSED = {
    "an unknown tag": (excel([["{$nothing_such}"]]), "There is no tag"),
    "a call": (excel([['=WEBSERVICE("http://x")']]), "reads another file: WEBSERVICE"),
    "an unbalanced if": (excel([["x", "{if $last_name} y"]]), "has no {/if}. It stands in row 1"),
    "an older file": (b"\xd0\xcf\x11\xe0" + b"x" * 100, "Excel"),
    "data from elsewhere": (_with(excel([["x"]]), "xl/connections.xml", b"<a/>"), "reads data that is not in it"),
    "macros": (_with(excel([["x"]]), "xl/vbaProject.bin", b"x"), "macros"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_workbook_that_reaches_out_or_is_wrong_is_refused(app, name):
    data, reason = REFUSED[name]
    with pytest.raises(Refused, match=reason):
        names.check(package.read("x.xlsx", data), templates.shape_for(modules["contacts"]))
