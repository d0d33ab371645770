"""Export of what a list shows: CSV and XLSX, streamed in chunks through the reading door; many rows as a job."""

import csv
import io
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, BinaryIO
from zoneinfo import ZoneInfo

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Font
from sqlalchemy import select

from crm.db import db
from crm.engine import attachments, outbox, search
from crm.engine.fields import Field
from crm.engine.module import Module
from crm.engine.outbox import GiveUp, Progress, Standing, task
from crm.engine.permissions import demand
from crm.engine.query import Query
from crm.engine.refusals import Forbidden, Refused
from crm.engine.registry import modules
from crm.engine.rows import Row
from crm.identity import viewers
from crm.identity.viewer import Viewer
from crm.words import _, speaking

AT_ONCE = 1_000
MOST_AT_ONCE = 10_000  # more rows are written by a job
MOST_ROWS_OF_SHEET = 1_048_575
MOST_BYTES = 500 * attachments.MEGABYTE
LONGEST_CELL = 32_767
FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")
MEDIA_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


@dataclass(frozen=True)
class Heading:
    """One column of a file."""

    name: str
    label: str
    field: Field


def headings(viewer: Viewer, module: Module | str, columns: Sequence[str] | None = None) -> list[Heading]:
    """The columns of a file, without those that the viewer may not read. Raises UnknownName."""
    module = modules[module] if isinstance(module, str) else module
    query, made = Query(viewer, module), []
    for name in columns or module.columns:
        found = query.resolve(name)
        if found is not None:
            field = found[0]
            label = _(field.label)
            if "." in name:
                label = f"{_(module.relations[name.partition('.')[0]].label)}: {label}"
            made.append(Heading(name, label, field))
    return made


def rows_of(
    viewer: Viewer,
    module: Module | str,
    where: Any = None,
    columns: Sequence[str] | None = None,
    sort: Sequence[str] = (),
    text: str | None = None,
    within: Sequence[int] | None = None,
) -> Iterator[Row]:
    """The rows of a list one after the other, read in chunks by keyset. Raises Forbidden without the right to export."""
    demand(viewer, "export", module)
    after = None
    while True:
        page = search.find(
            viewer, module, where=where, columns=columns, sort=sort, text=text, within=within, limit=AT_ONCE, after=after,
            count="none",
        )  # fmt: skip
        yield from page.rows
        after = page.next
        if after is None:
            return


def plain(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(FORMULA_SIGNS) else text


def cell_text(row: Row, heading: Heading) -> str:
    """A cell of a CSV file: links by label, ISO dates, keys of lists, numbers with a point."""
    value, kind = row[heading.name], heading.field.kind
    if heading.field.is_link:
        return plain(row.label_of(heading.name) or "")
    if value is None:
        return ""
    said = kind.text(value)
    return said if isinstance(value, int | float | Decimal | date) else plain(said)


def csv_of(viewer: Viewer, module: Module | str, columns: Sequence[str] | None = None, **said: Any) -> Iterator[bytes]:
    """A CSV file in pieces: UTF-8, comma, everything quoted, a header of labels. `said`: as for rows_of."""
    demand(viewer, "export", module)
    shown = headings(viewer, module, columns)
    names = [heading.name for heading in shown]

    def pieces() -> Iterator[bytes]:
        held = io.StringIO()
        writer = csv.writer(held, quoting=csv.QUOTE_ALL)
        writer.writerow([plain(heading.label) for heading in shown])
        for count, row in enumerate(rows_of(viewer, module, columns=names, **said), 1):
            writer.writerow([cell_text(row, heading) for heading in shown])
            if count % AT_ONCE == 0:
                yield held.getvalue().encode()
                held.seek(0)
                held.truncate()
        yield held.getvalue().encode()

    return pieces()


def write_csv(out: BinaryIO, rows: Iterator[Row], shown: Sequence[Heading]) -> int:
    """Write a CSV file; gives the number of rows."""
    held = io.TextIOWrapper(out, encoding="utf-8", newline="")
    writer = csv.writer(held, quoting=csv.QUOTE_ALL)
    writer.writerow([plain(heading.label) for heading in shown])
    count = 0
    for row in rows:
        writer.writerow([cell_text(row, heading) for heading in shown])
        count += 1
    held.flush()
    held.detach()
    return count


def write_xlsx(out: BinaryIO, rows: Iterator[Row], shown: Sequence[Heading], zone: str) -> int:
    """Write an XLSX file with typed cells; moments are those of `zone`. Gives the number of rows. Raises Refused."""
    book = Workbook(write_only=True)
    count = fill_sheet(book.create_sheet(), rows, shown, zone)
    book.save(out)
    return count


def fill_sheet(sheet: Any, rows: Iterator[Row], shown: Sequence[Heading], zone: str) -> int:
    """Write a heading and rows with typed cells to an empty sheet of a write-only book; the number of rows. Raises Refused."""
    sheet.freeze_panes = "A2"
    heads = []
    for heading in shown:
        cell = WriteOnlyCell(sheet, value=_safe(heading.label))
        cell.data_type, cell.font = "s", Font(bold=True)
        heads.append(cell)
    sheet.append(heads)
    count, here = 0, ZoneInfo(zone)
    for row in rows:
        count += 1
        if count > MOST_ROWS_OF_SHEET:
            raise Refused.because(
                "too_many", _("An Excel sheet holds at most 1,048,575 rows. Export as CSV, or narrow the list.")
            )
        sheet.append([_cell(sheet, row, heading, here) for heading in shown])
    return count


def append_pair(sheet: Any, label: str, row: Row, heading: Heading, zone: str) -> None:
    """Write one line to a sheet: the name of a field and its value."""
    head = WriteOnlyCell(sheet, value=_safe(label))
    head.data_type, head.font = "s", Font(bold=True)
    sheet.append([head, _cell(sheet, row, heading, ZoneInfo(zone))])


def _cell(sheet: Any, row: Row, heading: Heading, zone: ZoneInfo) -> WriteOnlyCell:
    cell = WriteOnlyCell(sheet, value=_typed(row, heading, zone))
    if isinstance(cell.value, str):
        cell.data_type = "s"  # also what begins like a formula
    return cell


def _typed(row: Row, heading: Heading, zone: ZoneInfo) -> Any:
    value = row[heading.name]
    if heading.field.is_link:
        return _safe(row.label_of(heading.name) or "") or None
    if value is None or isinstance(value, bool | int | Decimal):
        return value
    if isinstance(value, datetime):
        return value.astimezone(zone).replace(tzinfo=None, microsecond=0)
    if isinstance(value, date):
        return value
    return _safe(heading.field.kind.text(value)) or None


def xlsx_of_texts(rows: Iterable[Sequence[str]]) -> bytes:
    """An XLSX file of one sheet, the first row in bold. Every cell is text, so nothing in it runs."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    for place, row in enumerate(rows):
        cells = [WriteOnlyCell(sheet, value=_safe(text) or None) for text in row]
        for cell in cells:
            if cell.value is not None:
                cell.data_type = "s"  # also what begins like a formula
            if not place:
                cell.font = Font(bold=True)
        sheet.append(cells)
    held = io.BytesIO()
    book.save(held)
    return held.getvalue()


def csv_of_texts(rows: Iterable[Sequence[str]]) -> bytes:
    """A CSV file: UTF-8 with its mark, comma, everything quoted; no cell is taken for a formula."""
    held = io.StringIO()
    writer = csv.writer(held, quoting=csv.QUOTE_ALL)
    writer.writerows([plain(text) for text in row] for row in rows)
    return b"\xef\xbb\xbf" + held.getvalue().encode()


def _safe(text: str) -> str:
    return str(ILLEGAL_CHARACTERS_RE.sub("", text))[:LONGEST_CELL]


def to_file(
    viewer: Viewer,
    module: Module | str,
    file: Path,
    columns: Sequence[str] | None = None,
    on_row: Callable[[int], None] | None = None,
    **said: Any,
) -> int:
    """Write a file, XLSX by its ending, else CSV; gives the number of rows. `said`: as for rows_of. Raises Forbidden."""
    demand(viewer, "export", module)
    shown = headings(viewer, module, columns)

    def counted() -> Iterator[Row]:
        for count, row in enumerate(rows_of(viewer, module, columns=[one.name for one in shown], **said), 1):
            if on_row and count % AT_ONCE == 0:
                on_row(count)
            yield row

    with file.open("wb") as out:
        if file.suffix.lower() == ".xlsx":
            return write_xlsx(out, counted(), shown, viewer.timezone)
        return write_csv(out, counted(), shown)


def xlsx_of(viewer: Viewer, module: Module | str, columns: Sequence[str] | None = None, **said: Any) -> bytes:
    """An XLSX file of a list of at most MOST_AT_ONCE rows, as bytes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "export.xlsx"
        to_file(viewer, module, path, columns, **said)
        return path.read_bytes()


# many rows: a job


def is_large(viewer: Viewer, module: Module | str, where: Any = None, text: str | None = None) -> bool:
    """Whether the list has more rows than are written while somebody waits."""
    return search.count(viewer, module, where, text, exact=False) > MOST_AT_ONCE


def start(
    viewer: Viewer,
    module: Module | str,
    format: str,
    *,
    where: Any = None,
    columns: Sequence[str] | None = None,
    sort: Sequence[str] = (),
    text: str | None = None,
) -> int:
    """Put an export into the outbox; gives the job. Its message names the file when it is done. Raises Forbidden, Refused."""
    demand(viewer, "export", module)
    if format not in MEDIA_TYPES:
        raise Refused.because("not_in_list", _("A file is one of: %(known)s.", known=", ".join(MEDIA_TYPES)), "format")
    if viewer.id is None:
        raise Forbidden(_("An export in the background is started by a person."))
    module = modules[module] if isinstance(module, str) else module
    total = search.count(viewer, module, where, text)
    return outbox.put(
        db.session, "run_export", created_by_id=viewer.id, total=total, viewer_id=viewer.id, module=module.key, format=format,
        where=where, columns=list(columns) if columns else None, sort=list(sort), text=text,
    )  # fmt: skip


@task("run_export", queue="files", max_attempts=2)
def run(
    progress: Progress,
    *,
    viewer_id: int,
    module: str,
    format: str,
    where: Any,
    columns: list[str] | None,
    sort: list[str],
    text: str | None,
) -> str | None:
    """Write the file with the rights that the person has now, and keep it as a file of that person."""
    viewer = viewers.of_user(viewer_id)
    if viewer is None:
        raise GiveUp(_("Whoever started this export may not sign in any more."))

    class Stopped(Exception):
        pass

    def on_row(count: int) -> None:
        progress.step(count)
        if progress.cancelled():
            raise Stopped

    name = f"{module}.{format}"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        try:
            count = to_file(viewer, module, path, columns, on_row, where=where, sort=sort, text=text)
        except Stopped:
            return None
        except (Refused, Forbidden) as refusal:
            raise GiveUp(str(refusal)) from None
        with path.open("rb") as stream:
            kept = attachments.store(viewer, name, stream, MEDIA_TYPES[format], most=MOST_BYTES)
    with speaking(viewer.locale):
        return _("%(count)s records: /crm/files/%(file)s", count=count, file=kept.id)


def files(before: datetime, limit: int | None = None) -> list[int]:
    """Files that exports left before a moment. Their jobs, which name them, may be gone by now: they are known by their names,
    and that nothing holds them."""
    c = attachments.StoredFile.__table__.c
    names = [f"{module.key}.{format}" for module in modules for format in MEDIA_TYPES]
    mine = (c.name.in_(names), c.media_type.in_(MEDIA_TYPES.values()), c.created_at < before, *attachments.unheld())
    return list(db.session.execute(select(c.id).where(*mine).order_by(c.id).limit(limit)).scalars())


def finished(viewer: Viewer, limit: int = 10) -> list[Standing]:
    """The viewer's exports that are done or failed, newest first."""
    job = outbox.Job.__table__
    said = select(job.c.id).where(
        job.c.created_by_id == viewer.id, job.c.task == "run_export", job.c.state.in_(("done", "failed"))
    )
    ids = db.session.execute(said.order_by(job.c.id.desc()).limit(limit)).scalars().all()
    return [found for id in ids if (found := outbox.standing(db.session, id)) is not None]
