"""Logs are lines of JSON without secrets."""

import json
import logging

from hub.logs import Lines


def line(message, *arguments, **extra):
    record = logging.getLogger("crm.tested").makeRecord(
        "crm.tested", logging.INFO, "file", 1, message, arguments, None, extra=extra
    )
    return json.loads(Lines().format(record))


def test_an_event_is_one_line_with_its_values():
    told = line("job %s over", 42, seconds=0.5, task="mail\nnext line")
    assert (told["event"], told["level"], told["logger"], told["seconds"]) == ("job 42 over", "info", "crm.tested", 0.5)
    assert told["at"].endswith("+00:00")
    assert "\n" not in Lines().format(logging.makeLogRecord({"msg": "two\nlines"}))


def test_values_that_sound_secret_are_not_written():
    told = line("log in", password="pw-1", api_key="k-1", session_token="t-1")
    assert "pw-1" not in str(told)
    assert "k-1" not in str(told)
    assert "t-1" not in str(told)


def test_passwords_in_addresses_are_not_written():
    told = line("cannot reach smtp://user:hunter2@mail.example.com and postgresql+psycopg://u:p4ss@db/x")
    assert "hunter2" not in told["event"]
    assert "p4ss" not in told["event"]
    assert "mail.example.com" in told["event"]


def test_an_error_is_told_with_its_place():
    try:
        raise ValueError("smtp://user:hunter2@mail.example.com")
    except ValueError:
        import sys

        record = logging.makeLogRecord({"msg": "failed", "exc_info": sys.exc_info()})
    told = json.loads(Lines().format(record))
    assert "ValueError" in told["error"]
    assert "hunter2" not in told["error"]
