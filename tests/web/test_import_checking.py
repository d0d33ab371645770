"""The dry run of a large file: a job that looks at every row, in flat memory, and says what the whole file would do."""

import io

import pytest
from lxml import html

from crm.db import db
from crm.engine import records, search
from crm.engine.channels import Channel
from crm.engine.imports import checking, plans, running
from crm.engine.outbox import Job
from crm.identity.viewer import SYSTEM


class Progress:
    """What a worker gives a task; `stops_after` steps it is cancelled."""

    created_by_id = None

    def __init__(self, job_id, stops_after=1_000):
        self.job_id, self.steps, self.stops_after = job_id, [], stops_after

    def step(self, done, total=None, message=None):
        self.steps.append((done, total))

    def cancelled(self):
        return len(self.steps) >= self.stops_after


@pytest.fixture
def small_batches(monkeypatch):
    monkeypatch.setattr(checking, "AT_ONCE", 10)
    monkeypatch.setattr(running, "AT_ONCE", 4)


def plan_of(viewer, module, rows, **how):
    plan = plans.begin(viewer, module, "file.csv", io.BytesIO("\r\n".join(rows).encode()))
    names = rows[0].split(",")
    plans.configure(viewer, plan, mapping=dict(enumerate(names)), **how)
    checking.put(viewer, plan)
    db.session.commit()
    return plan


def test_rows_that_contradict_rows_far_before_them_are_found_and_nothing_is_written(people, small_batches):
    rows = ["name,code", *(f"Product {n},P{n}" for n in range(30)), "Late twin,p3", "Nameless twin,P3", ",P99"]
    plan = plan_of(people["mary"], "products", rows)
    progress = Progress(plan.job_id)
    assert checking.check_import(progress, plan.id)
    db.session.commit()
    found = plans.load(people["mary"], plan.id).checked
    assert {name: found[name] for name in ("rows", "created", "refused")} == {"rows": 33, "created": 30, "refused": 3}
    assert [line for line, is_refusal, _message in found["faults"] if is_refusal] == [32, 33, 34]
    assert progress.steps[-1] == (33, 33)
    assert search.count(SYSTEM, "products") == 0


def test_a_record_that_an_earlier_row_would_make_is_changed_by_a_later_one(people, small_batches):
    records.create(SYSTEM, "contacts", {"last_name": "There", "email": "there@example.com"}, Channel.SYSTEM)
    rows = [
        "last_name,email",
        *(f"New {n},n{n}@example.com" for n in range(9)),
        "Again,N0@example.com",
        "Other,there@example.com",
    ]
    plan = plan_of(people["mary"], "contacts", rows, mode="both", match="email")
    checking.check_import(Progress(plan.job_id), plan.id)
    db.session.commit()
    found = plans.load(people["mary"], plan.id).checked
    assert (found["created"], found["updated"], found["refused"]) == (9, 2, 0)
    done = running.run(people["mary"], plan)
    assert (done.created, done.updated, done.refused) == (9, 2, 0)  # what was promised is what comes


def test_a_check_that_was_given_up_or_overtaken_leaves_nothing(people, small_batches):
    plan = plan_of(people["mary"], "products", ["name,code", *(f"Product {n},P{n}" for n in range(30))])
    first = plan.job_id
    checking.check_import(Progress(first, stops_after=2), plan.id)
    assert plan.checked is None
    checking.put(people["mary"], plan)
    db.session.commit()
    assert db.session.get(Job, first).state == "cancelled"
    assert checking.check_import(Progress(first), plan.id) is None
    assert plan.checked is None


def test_the_wizard_shows_a_bar_and_then_what_the_whole_file_would_do(browse, people, small_batches):
    mary = browse("mary")
    body = "\r\n".join(["name;code", *(f"Product {n};P{n}" for n in range(20)), "Twin;P1"]).encode()
    token = mary.form("/products/import")["csrf"][0]
    sent = {"csrf": token, "file": (io.BytesIO(body), "products.csv")}
    place = mary.post("/products/import", sent).headers["Location"].removeprefix("/crm")
    said = mary.form(place, has="mode") | {"col.0": ["name"], "col.1": ["code"]}
    assert mary.post(f"{place}/columns", said).headers["Location"].endswith("/check")
    assert "import-progress" in mary.get(f"{place}/check").text
    plan = plans.load(SYSTEM, int(place.rsplit("/", 1)[1]))
    assert "HX-Refresh" not in mary.get(f"{place}/progress").headers
    checking.check_import(Progress(plan.job_id), plan.id)
    db.session.commit()
    assert mary.get(f"{place}/progress").headers["HX-Refresh"] == "true"
    numbers = html.fromstring(mary.get(f"{place}/check").text).xpath("//div[@class='big-number']/text()")
    assert numbers == ["20", "0", "0", "1"]
    mary.post(f"{place}/start", {"csrf": token})
    assert plans.load(SYSTEM, plan.id).state == "running"
