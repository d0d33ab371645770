"""Staff pages that read what came of a survey: results, responses, files; and the files for spreadsheets."""

import csv as writer
import io
from collections.abc import Iterator
from datetime import date
from typing import Any

from flask import Response, render_template, request
from flask_babel import format_date
from flask_babel import gettext as _
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from sqlalchemy import select

from crm.db import db
from crm.engine import attachments, exports, picklists
from crm.engine.attachments import StoredFile
from crm.engine.permissions import demand, may
from crm.engine.refusals import Missing
from crm.engine.registry import modules
from crm.engine.rows import labels_of
from crm.ui.charts import Chart, Point
from crm.ui.downloads import as_download
from crm.ui.i18n import LANGUAGES
from crm.ui.session import viewer
from surveys import answering, cuts, reach, response_rows, results
from surveys.cuts import Cut
from surveys.design import Design
from surveys.results import Summary
from surveys.web.building import home, opened

NUMBERS = ("sendout_id", "campaign_id", "subject_id", "account_id", "edition")
AT_ONCE = 50


def cut_of_request() -> Cut:
    """What the address narrows the results to."""

    def day(name: str) -> date | None:
        try:
            return date.fromisoformat(request.args.get(name, ""))
        except ValueError:
            return None

    numbers: dict[str, Any] = {}
    for name in NUMBERS:
        number = request.args.get(name, type=int)
        numbers[name] = number if number is not None and 0 <= number < 2**62 else None
    words: dict[str, Any] = {name: request.args.get(name) or None for name in ("language", "source")}
    return Cut(first=day("first"), last=day("last"), **words, **numbers)


def filters_of(design: Design, cut: Cut) -> list[tuple[str, str, list[tuple[str, str]], str]]:
    """The choices of the filter bar: (name, label, [(value, words)], what is chosen); those with one value are left out."""
    found = cuts.found_in(design)
    ids = [id for name in ("campaign_id", "sendout_id", "subject_id", "account_id") for id in found.get(name, [])]
    labels = labels_of(viewer(), ids)
    said: list[tuple[str, str, list[tuple[str, str]], str]] = []
    for name, label in (("campaign_id", _("Campaign")), ("sendout_id", _("Mail")), ("subject_id", _("About")),
                        ("account_id", _("Account"))):  # fmt: skip
        said.append((name, label, [(str(id), labels[id]) for id in found.get(name, []) if id in labels], ""))
    said.append(("language", _("Language"), [(one, LANGUAGES.get(one, one)) for one in found["language"]], ""))
    said.append(("source", _("Way"), [(one, _(picklists.label("survey_way", one))) for one in found["source"]], ""))
    said.append(("edition", _("Edition"), [(str(one), str(one)) for one in found["edition"]], ""))
    kept = []
    for name, label, options, _chosen in said:
        chosen = getattr(cut, name)
        if len(options) > 1 or chosen is not None:
            kept.append((name, label, options, "" if chosen is None else str(chosen)))
    return kept


def page_values(id: int) -> dict[str, Any]:
    """What all pages of results know."""
    row, design = opened(id)
    cut = cut_of_request()
    query = request.query_string.decode("ascii", "replace")
    return {
        "row": row, "design": design, "home": home(id), "here": "surveys", "cut": cut, "filters": filters_of(design, cut),
        "query": f"?{query}" if query else "", "may_export": may(viewer(), "export", modules["surveys"]),
    }  # fmt: skip


def show(id: int) -> str:
    """The results of every question."""
    said = page_values(id)
    design, cut = said["design"], said["cut"]
    days = reach.by_day(design, cut)
    points = [Point(format_date(day, "short"), count) for day, count in days]
    course = Chart(_("Answers by day"), points, "line", label_heading=_("Day"), value_heading=_("Answers"), is_low=True)
    is_shown = cuts.may_be_cut(design, cut)
    summaries = results.summaries(design, cut)
    return render_template(
        "surveys/results.html", **said, rates=reach.rates(design, cut), summaries=summaries,
        count=cuts.response_count(design, cut) if is_shown else None,
        course=course if len(days) > 1 else None, charts={one.question.id: _charts(design, one, cut) for one in summaries},
    )  # fmt: skip


def _charts(design: Design, one: Summary, cut: Cut) -> list[Chart]:
    """The charts of one question: bars of choices, columns of steps, a histogram of numbers; tables are drawn otherwise."""
    title = one.question.title or one.question.name
    if one.is_withheld or not one.answered:
        return []
    heads: dict[str, Any] = {"label_heading": _("Answer"), "value_heading": _("Answers")}
    if one.question.kind.name in {"number"}:
        bars = results.histogram(design, one.question, cut)
        points = [
            Point(_short(first) if first == last else f"{_short(first)}–{_short(last)}", count)
            for first, last, count in bars
        ]
        return [Chart(title, points, "columns", **heads)]
    if one.counts and not one.counts[0].part:
        steps = one.question.kind.counts in {"scores", "nps"}
        points = [
            Point(f"{count.label} ({count.share:g} %)" if not steps else count.label, count.count)
            for count in one.counts
        ]
        return [Chart(title, points, "columns" if steps else "bars", is_low=len(points) < 5, **heads)]
    return []


def _short(number: Any) -> str:
    return f"{float(number):.6g}"


def csv(id: int) -> Response:
    """All responses as a file for spreadsheets."""
    design = _exported(id)
    rows = list(response_rows.table(design, cut_of_request(), viewer()))

    def lines() -> Iterator[str]:
        yield "\ufeff"
        for cells in rows:
            line = io.StringIO()
            writer.writer(line, delimiter=";").writerow(cells)
            yield line.getvalue()

    answer = Response(lines(), mimetype="text/csv")
    answer.headers["Content-Disposition"] = f'attachment; filename="survey-{id}.csv"'
    return answer


def xlsx(id: int) -> Response:
    """The same as an Excel book: every cell is text, so nothing in it runs."""
    design = _exported(id)
    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    for cells in response_rows.table(design, cut_of_request(), viewer(), is_quoted=False):
        line = []
        for text in cells:
            cell = WriteOnlyCell(sheet, value=ILLEGAL_CHARACTERS_RE.sub("", text)[: exports.LONGEST_CELL] or None)
            if cell.value is not None:
                cell.data_type = "s"  # also what begins like a formula
            line.append(cell)
        sheet.append(line)
    held = io.BytesIO()
    book.save(held)
    answer = Response(held.getvalue(), mimetype=exports.MEDIA_TYPES["xlsx"])
    answer.headers["Content-Disposition"] = f'attachment; filename="survey-{id}.xlsx"'
    return answer


def _exported(id: int) -> Design:
    _row, design = opened(id)
    demand(viewer(), "export", modules["surveys"])
    return design


def responses(id: int) -> str:
    """The responses one by one, the newest first; not of anonymous surveys."""
    said = page_values(id)
    design, cut = said["design"], said["cut"]
    if design.row["anonymous"]:
        raise Missing
    found = response_rows.page_of(design, cut, request.args.get("before", type=int), AT_ONCE + 1)
    shown = found[:AT_ONCE]
    people = labels_of(viewer(), [one["person_id"] for one in shown if one["person_id"] is not None])
    seen = [one for one in shown if one["person_id"] is None or one["person_id"] in people]
    heads = [one for one in design.questions if one.kind.has_answer][:4]
    values = answering.values_of_many(design, [one["id"] for one in seen])
    return render_template(
        "surveys/responses.html", **said, responses=seen, people=people, heads=heads, left_out=len(shown) - len(seen),
        answers={key: {one.name: one.kind.words(one, held[one.name]) for one in heads if one.name in held} for key, held in values.items()},
        before=shown[-1]["id"] if len(found) > AT_ONCE else None, ways={choice.key: _(choice.label) for choice in picklists.choices("survey_way")},
    )  # fmt: skip


def response(id: int, response_id: int) -> str:
    """One response with its answers; not of anonymous surveys."""
    row, design = opened(id)
    table = answering.RESPONSES
    said = select(table).where(table.c.id == response_id, table.c.survey_id == id, table.c.status != "draft")
    found = db.session.execute(said).mappings().first()
    if found is None or design.row["anonymous"]:
        raise Missing
    if found["person_id"] is not None and not labels_of(viewer(), [found["person_id"]]):
        raise Missing
    values = answering.values_of(design, response_id)
    answers = [
        (one, one.kind.words(one, values[one.name]), values[one.name]) for one in design.questions if one.name in values
    ]
    return render_template(
        "surveys/response.html", row=row, response=found, answers=answers, home=home(id), here="surveys",
        person=labels_of(viewer(), [found["person_id"]]).get(found["person_id"]) if found["person_id"] else None,
    )  # fmt: skip


def file(id: int, file_id: int) -> Response:
    """A file that came with an answer; it is downloaded, never shown."""
    opened(id)
    table = answering.ANSWERS
    said = select(StoredFile).join(table, table.c.file_id == StoredFile.id)
    found = db.session.execute(said.where(table.c.survey_id == id, StoredFile.id == file_id)).scalars().first()
    if found is None:
        raise Missing
    return as_download(attachments.path_of(found.sha256), found.name)
