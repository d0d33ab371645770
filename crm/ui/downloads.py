"""Files that people brought: given out as downloads that a browser neither opens as a page of ours nor takes for another kind."""

from pathlib import Path
from typing import IO

from flask import Response, send_file

BOX = "default-src 'none'; sandbox"


def as_download(file: Path | IO[bytes], name: str, media_type: str = "application/octet-stream") -> Response:
    """A file, by its place or its open content, to be kept under `name`. Who may have it is the caller's to ask."""
    return boxed(send_file(file, mimetype=media_type, as_attachment=True, download_name=name))


def csv_download(text: str, name: str) -> Response:
    """Lines of a CSV to be kept under `name`; the mark at their beginning has spreadsheets read them as UTF-8."""
    answer = Response("\ufeff" + text, content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def boxed(answer: Response) -> Response:
    """The same answer, in which nothing runs should a browser show it after all: for pictures that are shown."""
    answer.headers["Content-Security-Policy"] = BOX
    answer.headers["X-Content-Type-Options"] = "nosniff"
    return answer
