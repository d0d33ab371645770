"""Exports equal the list, under its rights; text that looks like a formula is made harmless; many rows are a job."""

import csv
import io
from datetime import date, datetime
from decimal import Decimal

import pytest
from openpyxl import load_workbook

from crm import clock
from crm.db import db
from crm.engine import exports, outbox, search
from crm.engine.refusals import Forbidden, UnknownName
from crm.identity.viewer import SYSTEM, ModuleRights, Rights, Viewer
from tests.engine.declared import MOMENT, PLACES, THINGS, present, put

COLUMNS = ("name", "place_id", "place.city", "amount", "due_on", "seen_at", "vip", "colours", "stage", "note")


@pytest.fixture
def things(app):
    with present(), clock.standing_at(MOMENT):
        place = put(PLACES, name="@Harbour", city="Åbo")
        put(THINGS, name="=1+1", place_id=place, amount=Decimal("-3.50"), due_on=date(2026, 3, 1), seen_at=MOMENT, vip=True,
            colours=("Red", "Green"), stage="Won", note='two\nlines, "quoted"')  # fmt: skip
        put(THINGS, name="plain")
        yield


def read(pieces) -> list[list[str]]:
    return list(csv.reader(io.StringIO(b"".join(pieces).decode(), newline="")))


def test_a_csv_file_is_the_list_in_plain_words(things):
    assert read(exports.csv_of(SYSTEM, "t_things", COLUMNS, sort=("name",))) == [
        ["Name", "Place", "Place: City", "Amount", "Due date", "Seen at", "VIP", "Colours", "Stage", "Note"],
        ["'=1+1", "'@Harbour", "Åbo", "-3.50", "2026-03-01", "2026-03-15T12:00:00Z", "1", "Red |##| Green", "Won",
         'two\nlines, "quoted"'],
        ["plain", "", "", "", "", "", "0", "", "", ""],
    ]  # fmt: skip


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r"])
def test_text_that_a_spreadsheet_would_run_is_made_text(sign):
    assert exports.plain(f"{sign}cmd|'/C calc'!A0").startswith("'")


def test_a_file_has_the_rows_of_the_list_in_its_order_however_many_chunks(things, monkeypatch):
    monkeypatch.setattr(exports, "AT_ONCE", 7)
    for n in range(30):
        put(THINGS, name=f"n{n:02}", pieces=n % 3)
    where, sort = {"$beg": ["name", "n"]}, ("-pieces", "name")
    listed = [row["name"] for row in search.find(SYSTEM, "t_things", where=where, sort=sort, limit=100)]
    assert [row[0] for row in read(exports.csv_of(SYSTEM, "t_things", ("name",), where=where, sort=sort))[1:]] == listed


def test_an_excel_file_has_typed_cells(things, tmp_path):
    path = tmp_path / "things.xlsx"
    assert exports.to_file(SYSTEM, "t_things", path, COLUMNS, sort=("name",)) == 2
    head, first, second = load_workbook(path).active.iter_rows()
    assert [cell.value for cell in head][:3] == ["Name", "Place", "Place: City"]
    assert [cell.value for cell in first] == [
        "=1+1", "@Harbour", "Åbo", -3.5, datetime(2026, 3, 1), datetime(2026, 3, 15, 14), True, "Red |##| Green", "Won",
        'two\nlines, "quoted"',
    ]  # fmt: skip
    assert first[0].data_type == "s"
    assert second[1].value is None


def test_who_may_not_export_gets_nothing_and_others_only_what_they_may_see(things, tmp_path):
    verbs = frozenset({"view", "create", "edit"})
    charlie = Viewer(kind="staff", id=5, rights=Rights({"t_things": ModuleRights(verbs=verbs)}))
    for attempt in (
        lambda: exports.csv_of(charlie, "t_things"),
        lambda: list(exports.rows_of(charlie, "t_things")),
        lambda: exports.to_file(charlie, "t_things", tmp_path / "a.csv"),
        lambda: exports.start(charlie, "t_things", "csv"),
    ):
        with pytest.raises(Forbidden):
            attempt()
    assert not (tmp_path / "a.csv").exists()
    hidden = Rights({"t_things": ModuleRights(hidden=frozenset({"note"}))})
    bob = Viewer(kind="staff", id=5, rights=hidden, defaults={"t_places": "private"})
    head, *rows = read(exports.csv_of(bob, "t_things", ("name", "note", "place_id"), sort=("name",)))
    assert head == ["Name", "Place"]
    assert rows == [["'=1+1", ""], ["plain", ""]]
    with pytest.raises(UnknownName):
        exports.csv_of(bob, "t_things", ("nmae",))


def test_many_rows_are_written_by_a_job_with_the_rights_of_whoever_asked(things, monkeypatch, tmp_path):
    from crm.identity import viewers
    from tests.engine.test_saved_views import user

    alice = Viewer(kind="staff", id=user("alice"))
    monkeypatch.setattr(viewers, "of_user", lambda id: alice if id == alice.id else None)
    monkeypatch.setattr(exports, "MOST_AT_ONCE", 1)
    monkeypatch.setattr(search, "CAP", 1)
    assert exports.is_large(alice, "t_things")
    job = exports.start(alice, "t_things", "csv", columns=("name",), sort=("name",))
    kept = db.session.get(outbox.Job, job)
    assert (kept.task, kept.total_count, kept.created_by_id) == ("run_export", 2, alice.id)

    class Told:
        job_id, created_by_id = job, alice.id

        def step(self, done, total=None, message=None):
            pass

        def cancelled(self):
            return False

    message = exports.run(Told(), **kept.arguments)
    assert message.startswith("2 records: /crm/files/")
    from crm.engine.attachments import open_file

    stored, path = open_file(alice, int(message.rsplit("/", 1)[1]))
    assert (stored.name, stored.media_type) == ("t_things.csv", "text/csv; charset=utf-8")
    assert [row[0] for row in read([path.read_bytes()])] == ["Name", "'=1+1", "plain"]


def test_the_task_is_known_to_workers():
    assert "run_export" in outbox.TASKS
    assert THINGS.key == "t_things"
