"""Structured logs: one JSON object a line on the error stream. Values whose names sound secret are not written."""

import json
import logging
import re
import sys
from datetime import UTC, datetime
from typing import Any

PLAIN = set(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}
SECRET = re.compile(r"pass(word)?|secret|token|api_?key|authorization|cookie|session|pin$|_pw$", re.IGNORECASE)
# A password in a URL, such as that of the database or the mail server, that an error message repeats.
IN_URL = re.compile(r"(\w+://[^\s:/@]*):[^\s@/]+@")


class Lines(logging.Formatter):
    """A record as one line of JSON: at, level, logger, event, then what the call gave as `extra`."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": clean(record.getMessage()),
        }
        for name, value in vars(record).items():
            if name not in PLAIN and not name.startswith("_"):
                line[name] = "…" if SECRET.search(name) else value
        if record.exc_info:
            line["error"] = clean(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False, default=lambda value: clean(str(value)))


def clean(text: str) -> str:
    """`text` without passwords in URLs."""
    return IN_URL.sub(r"\1:…@", text)


def begin(level: str) -> None:
    """Let everything in this process log that way, from `level` ("debug", "info", …) on."""
    there = logging.StreamHandler(sys.stderr)
    there.setFormatter(Lines())
    root = logging.getLogger()
    root.handlers[:] = [there]
    root.setLevel(level.upper())
    for chatty in ("fontTools", "cssutils", "CSSUTILS", "PIL", "alembic.runtime.plugins"):
        logging.getLogger(chatty).setLevel(logging.ERROR)
    logging.captureWarnings(True)
