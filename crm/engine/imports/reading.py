"""Reading CSV files as spreadsheet programs save them: encoding, delimiter and header are guessed and may be chosen."""

import codecs
import csv
import io
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

from crm.engine.refusals import Refused
from crm.words import _

ENCODINGS = ("utf-8", "utf-16", "windows-1252", "iso-8859-15", "windows-1250", "windows-1251", "mac-roman")
DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar", ":": "colon", " ": "space"}
MOST_COLUMNS = 500
LONGEST_CELL = 16 * 1024 * 1024  # characters; above that the file is not a table
SAMPLE = 64 * 1024

csv.field_size_limit(LONGEST_CELL)


@dataclass(frozen=True)
class Dialect:
    """How the file is written."""

    encoding: str = "utf-8"
    delimiter: str = ","
    quote: str = '"'
    has_header: bool = True

    def stored(self) -> dict[str, Any]:
        return asdict(self)


class Line(NamedTuple):
    """One row of the file: the number of its first line (from 1) and its cells."""

    number: int
    cells: list[str]


def guess(path: Path) -> Dialect:
    """What the file's first bytes say of it."""
    with open(path, "rb") as file:
        head = file.read(SAMPLE)
    encoding = _encoding_of(path, head)
    text = head.decode("utf-8-sig" if encoding == "utf-8" else encoding, errors="ignore")
    return Dialect(encoding=encoding, delimiter=_delimiter_of(text))


def _encoding_of(path: Path, head: bytes) -> str:
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    decoder = codecs.getincrementaldecoder("utf-8")()
    with open(path, "rb") as file:
        try:
            while piece := file.read(1 << 20):
                decoder.decode(piece)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return "windows-1252"
    return "utf-8"


def _delimiter_of(text: str) -> str:
    """The delimiter that splits the first rows into the most equal columns."""
    best, most = ",", 0
    for delimiter in (";", ",", "\t", "|"):
        rows = [row for row in csv.reader(io.StringIO(text[:20_000], newline=""), delimiter=delimiter) if row][:30]
        widths = [len(row) for row in rows[:-1] or rows]
        if not widths:
            continue
        usual = max(set(widths), key=widths.count)
        score = widths.count(usual) * (usual - 1)
        if score > most:
            best, most = delimiter, score
    return best


def lines(path: Path, dialect: Dialect) -> Iterator[Line]:
    """The rows of the file, header and empty ones left out. Raises Refused naming the wrong byte or line."""
    encoding = "utf-8-sig" if dialect.encoding == "utf-8" else dialect.encoding
    with open(path, encoding=encoding, newline="") as file:
        reader = csv.reader(file, delimiter=dialect.delimiter, quotechar=dialect.quote or None, strict=False)
        before, is_first = 0, True
        while True:
            try:
                cells = next(reader)
            except StopIteration:
                return
            except UnicodeDecodeError as bad:
                raise Refused.because(
                    "bad_encoding", _encoding_message(path, dialect.encoding, bad), "encoding"
                ) from None
            except csv.Error as bad:
                raise Refused.because(
                    "bad_file", _("Line %(line)s cannot be read as CSV: %(bad)s.", line=before + 1, bad=bad), "file"
                ) from None
            number, before = before + 1, reader.line_num
            if is_first and dialect.has_header:
                is_first = False
                continue
            is_first = False
            if any(map(str.strip, cells)):
                yield Line(number, cells)


def _encoding_message(path: Path, encoding: str, bad: UnicodeDecodeError) -> str:
    offset = first_wrong_byte(path, encoding)
    byte = f"0x{bad.object[bad.start]:02x}" if bad.start < len(bad.object) else "the end"
    return _(
        "The file is not %(encoding)s: byte %(offset)s (%(byte)s) does not belong to it. Choose another encoding.",
        encoding=encoding,
        offset=offset,
        byte=byte,
    )


def first_wrong_byte(path: Path, encoding: str) -> int:
    """The offset (from 0) of the first byte that `encoding` cannot read; -1 when it can read all."""
    decoder, done = codecs.getincrementaldecoder(encoding)(), 0
    with open(path, "rb") as file:
        while piece := file.read(1 << 16):
            held = len(decoder.getstate()[0])
            try:
                decoder.decode(piece)
            except UnicodeDecodeError as bad:
                return done - held + bad.start
            done += len(piece)
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return done
    return -1


def header(path: Path, dialect: Dialect) -> list[str]:
    """The names of the columns: the header's cells, or "Column 1" … Raises Refused (empty file, too many columns)."""
    try:
        first = next(lines(path, Dialect(dialect.encoding, dialect.delimiter, dialect.quote, has_header=False)))
    except StopIteration:
        raise Refused.because("empty", _("The file is empty."), "file") from None
    if len(first.cells) > MOST_COLUMNS:
        raise Refused.because(
            "out_of_range",
            _("The file has %(count)s columns; the limit is %(most)s.", count=len(first.cells), most=MOST_COLUMNS),
            "file",
        )
    if dialect.has_header:
        return [cell.strip() for cell in first.cells]
    return [f"Column {place}" for place in range(1, len(first.cells) + 1)]


def preview(path: Path, dialect: Dialect, count: int = 10) -> list[Line]:
    """The first rows, cells cut to what a screen shows."""
    found = []
    for line in lines(path, dialect):
        found.append(Line(line.number, [cell[:80] for cell in line.cells]))
        if len(found) == count:
            break
    return found
