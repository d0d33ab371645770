"""Surveys: the page of one with 60 questions and logic, drawn and sent, and the results of 100,000 answers.

Times are of processor (client side of the database) and of the clock; the pages go through the whole public face and through
the CRM as a browser would.
"""

import re
import time
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import event, insert

from benchmarks.world import Figure, p50, world
from crm import clock
from crm.db import db
from crm.identity import sessions
from surveys import links
from surveys.answering import ANSWERS, RESPONSES
from surveys.design import load
from tests.people import make_people
from tests.surveys.conftest import Asked, make_survey

RESPONSES_OF, ASKED = 10_000, 10  # 100,000 answers
OPTIONS = [{"value": str(number), "label": f"Choice {number}"} for number in range(1, 6)]
RUNS, WARM = 30, 5


def measure(kind: str, responses: int = RESPONSES_OF) -> list[Figure]:
    with world(kind) as app:
        folk = make_people()
        long = make_survey([_question(number) for number in range(60)], name="Sixty", public=True)
        short = make_survey([_counted(number) for number in range(ASKED)], name="Counted")
        fill(short, responses)
        browser = app.test_client()
        browser.set_cookie("ch_crm", sessions.start("crm", user_id=folk.ada)[0], path="/crm")
        db.session.commit()
        return [*_answering(kind, app, long), *_results(kind, browser, short, responses)]


def _question(number: int) -> dict[str, Any]:
    """Every kind in turn; two of three are shown by what an earlier one says."""
    kind = ("radio", "text", "checkboxes", "rating", "select", "nps")[number % 6]
    said: dict[str, Any] = {"name": f"q{number}", "kind": kind, "title": f"Question {number}: what do you think of it?"}
    if kind in {"radio", "checkboxes", "select"}:
        said["options"] = OPTIONS
    if number % 6:
        said["visible_if"] = {
            "$or": [{"$eq": [f"q{number - number % 6}", "1"]}, {"$is.null": f"q{number - number % 6}"}]
        }
    return said


def _counted(number: int) -> dict[str, Any]:
    kind = ("radio", "nps", "rating", "select", "text")[number % 5]
    return {"name": f"q{number}", "kind": kind, "title": f"Question {number}"} | (
        {"options": OPTIONS} if kind in {"radio", "select"} else {}
    )


def fill(asked: Asked, responses: int) -> None:
    """So many complete responses to every question of the survey, over a year. Commits."""
    first, now = date(2026, 1, 1), clock.now()
    rows: list[dict[str, Any]] = [
        {"survey_id": asked.id, "edition": 1, "status": "complete", "completed_at": now, "completed_on": first + timedelta(days=n % 365),
         "language": ("en", "fi")[n % 2], "source": ("mail", "public")[n % 3 == 0], "troubles": []}
        for n in range(responses)
    ]  # fmt: skip
    ids = list(db.session.execute(insert(RESPONSES).returning(RESPONSES.c.id), rows).scalars())
    questions = [one for one in load(asked.id).questions if one.kind.has_answer]
    for start in range(0, len(ids), 2_000):
        part = [
            {"survey_id": asked.id, "response_id": id, "question_id": one.id, "name": one.name, "part": "", **_said(one.kind.name, id + place)}
            for id in ids[start : start + 2_000] for place, one in enumerate(questions)
        ]  # fmt: skip
        db.session.execute(insert(ANSWERS), part)
    db.session.commit()


def _said(kind: str, number: int) -> dict[str, Any]:
    if kind == "text":
        return {"choice": None, "text": f"It was good, number {number}", "score": None}
    if kind in {"nps", "rating"}:
        step = number * 7 % 11 if kind == "nps" else number % 5 + 1
        return {"choice": str(step), "text": None, "score": Decimal(step)}
    return {"choice": str(number % 5 + 1), "text": None, "score": None}


def _answering(kind: str, app: Any, asked: Asked) -> list[Figure]:
    from hub.public import create_public_app

    visitor = create_public_app(app.config["CUSTOMERHUB"]).test_client(use_cookies=False)
    address = links.invite(asked.id, _somebody())
    db.session.commit()
    path = address[address.index("/s/") :]
    drawn = _measure(visitor, lambda: visitor.get(path), 200)
    typed = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', visitor.get(path).text))
    typed |= {f"q.q{number}": "1" for number in range(0, 60, 6)} | {"q.q3": "99"}  # a wrong one: it is drawn again
    sent = _measure(visitor, lambda: visitor.post(path, data=typed), 422)
    return [
        _figure(kind, "page of 60 questions with logic", drawn, "< 50 ms"),
        _figure(kind, "the same sent with a fault, drawn again", sent, "< 50 ms"),
    ]


def _somebody() -> int:
    from benchmarks.world import people

    return people(1)[0]


def _results(kind: str, browser: Any, asked: Asked, responses: int) -> list[Figure]:
    page = f"/crm/surveys/{asked.id}/results"
    crossed = f"{page}/crossing?rows=q0&columns=q3"
    count = f"{responses * ASKED:,} answers"
    return [
        _figure(kind, f"results page, {count}", _measure(browser, lambda: browser.get(page), 200), "< 500 ms"),
        _figure(kind, f"the same for one language, {count}", _measure(browser, lambda: browser.get(f"{page}?language=fi"), 200), "< 500 ms"),
        _figure(kind, f"cross-table, {count}", _measure(browser, lambda: browser.get(crossed), 200), "< 500 ms"),
    ]  # fmt: skip


def _measure(client: Any, ask: Callable[[], Any], status: int) -> tuple[list[float], list[float], int, int]:
    """Seconds of the clock and of the processor of each run, bytes of a page, statements of one."""
    counted = [0]

    def count(*_said: Any) -> None:
        counted[0] += 1

    answer = ask()
    if answer.status_code != status:
        raise RuntimeError(f"{answer.request.path}: {answer.status}")
    event.listen(db.engine, "before_cursor_execute", count)
    ask()
    event.remove(db.engine, "before_cursor_execute", count)
    walls, cpus = [], []
    for _run in range(RUNS + WARM):
        began, spent = time.perf_counter(), time.process_time()
        ask()
        walls.append(time.perf_counter() - began)
        cpus.append(time.process_time() - spent)
    return walls[WARM:], cpus[WARM:], len(answer.data), counted[0]


def _figure(kind: str, name: str, took: tuple[list[float], list[float], int, int], target: str) -> Figure:
    walls, cpus, size, statements = took
    note = f"processor {1000 * p50(cpus):.1f} ms, {statements} statements, {size:,} bytes whole"
    return Figure(name, kind, 1000 * p50(walls), "ms", target, note)
