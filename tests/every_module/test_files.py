"""Export and import of every module: what is written out comes in again as the same."""

import csv
import io

import pytest

from crm.engine import exports, records, search
from crm.engine.channels import Channel
from crm.engine.imports import plans, running
from crm.engine.permissions import may
from crm.engine.refusals import Forbidden
from crm.engine.registry import modules
from crm.identity import sharing
from crm.identity.viewer import SYSTEM, Viewer
from tests.every_module import values

ADMIN = Viewer(kind="staff", name="Admin", is_admin=True, flags=frozenset({"crm_admin", "ecp_admin"}))


def exported(key, viewer=ADMIN, **said):
    pieces = b"".join(exports.csv_of(viewer, key, **said))
    return list(csv.DictReader(io.StringIO(pieces.decode())))


def test_an_export_has_a_row_for_each_record_and_a_cell_for_each_field(app, key):
    module = modules[key]
    names = [said.name for said in module.fields.values() if said.in_lists and said.kind.name != "conditions"]
    id = records.create(SYSTEM, key, values.complete(key, 2), Channel.SYSTEM)
    rows = exported(key, columns=names, where={"id": id})
    assert len(rows) == 1
    row = search.one(SYSTEM, key, id)
    for name in names:
        said = module.fields[name]
        if not said.is_link and row[name] is not None:
            assert rows[0][said.label].removeprefix("'") == said.kind.text(row[name]), name
    book = exports.xlsx_of(ADMIN, key, columns=names, where={"id": id})
    assert book.startswith(b"PK")


def test_charlie_exports_only_what_he_sees(app, people, key):
    sharing.set_levels(values.RECORDS, "private")
    id = values.make(key, 2, owner_id=people.alice)
    if may(people["charlie"], "export", key):
        assert exported(key, people["charlie"], where={"id": id}) == []
    else:
        with pytest.raises(Forbidden):
            exported(key, people["charlie"])


def test_a_file_makes_records_and_reports_bad_rows(app, importable):
    module = modules[importable]
    good = [texts(module, values.complete(importable, n)) for n in (2, 3)]
    header = list(good[0])
    needed = next(said.label for said in module.fields.values() if said.required and said.default is None)
    bad = texts(module, values.complete(importable, 4)) | {needed: ""}
    before = search.count(SYSTEM, importable)
    plan = begun(importable, header, [good[0], bad, good[1]])
    plans.configure(ADMIN, plan)
    report = running.run(ADMIN, plan)
    assert (report.created, report.refused) == (2, 1), [one.message for one in running.faults_of(plan)]
    (fault,) = [one for one in running.faults_of(plan) if one.is_refusal]
    assert needed in fault.message
    assert fault.line > 2  # a cell may hold several lines of the file
    assert search.count(SYSTEM, importable) == before + 2
    made = search.find(SYSTEM, importable, sort=("-id",), limit=2, columns=list(module.fields)).rows
    wanted = {name: value for name, value in values.complete(importable, 3).items() if not module.fields[name].is_link}
    newest = max(made, key=lambda row: row.id)
    for name, value in wanted.items():
        if not module.fields[name].unique:
            assert newest[name] == value, name
    if module.deletable:
        assert running.undo(ADMIN, plan) == 2
        assert search.count(SYSTEM, importable) == before


def test_a_file_changes_records_found_by_a_field(app, importable):
    module = modules[importable]
    title = module.titles[-1]
    if module.fields[title].read_only or importable in {"sender_addresses", "suppressions"}:
        title = "id"
    id = records.create(SYSTEM, importable, values.minimal(importable, 5), Channel.SYSTEM)
    row = search.one(SYSTEM, importable, id)
    name = values.note_of(module)
    if title in {"id", name}:
        return
    given = {module.fields[title].label: str(row[title]), module.fields[name].label: "From the file"}
    plan = begun(importable, list(given), [given])
    plans.configure(ADMIN, plan, mode="update", match=title)
    report = running.run(ADMIN, plan)
    assert (report.updated, report.refused) == (1, 0), [one.message for one in running.faults_of(plan)]
    assert search.one(SYSTEM, importable, id)[name] == "From the file"


def begun(key, header, rows):
    held = io.StringIO()
    writer = csv.DictWriter(held, header)
    writer.writeheader()
    writer.writerows(rows)
    return plans.begin(ADMIN, key, "file.csv", io.BytesIO(held.getvalue().encode()))


def texts(module, said):
    return {module.fields[name].label: module.fields[name].kind.text(value) for name, value in said.items()}
