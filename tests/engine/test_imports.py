"""Imports: a spreadsheet's file in, bad rows reported with line and reason, undone again."""

import io

import pytest

from crm.engine import records, relations, search
from crm.engine.channels import Channel
from crm.engine.imports import plans, running
from crm.engine.imports.plans import Import
from crm.engine.refusals import Refused
from crm.identity.viewer import SYSTEM, Viewer

ALL = Viewer(kind="staff", name="All", is_admin=True)


def begun(content: bytes, module: str = "contacts") -> Import:
    return plans.begin(ALL, module, "people.csv", io.BytesIO(content))


def ready(content: str, module: str = "contacts", **more) -> Import:
    plan = begun(content.encode(), module)
    plans.configure(ALL, plan, **more)
    return plan


def test_columns_find_their_fields_by_label_name_and_alias(app):
    plan = begun(b"Last name;firstname;E-mail;mailing_city;Shoe size\nX;Y;z@example.com;Oulu;43\n")
    assert plan.mapping == {"0": "last_name", "1": "first_name", "2": "email", "3": "mailing_city"}


def test_good_rows_go_in_and_bad_ones_are_reported_with_line_and_reason(app):
    plan = ready(
        "Last name,E-mail,Birthdate\nAalto,a@example.com,1980-02-29\n,b@example.com,\nCallio,nobody,1980-02-30\nDahl,,\n"
    )
    report = running.run(ALL, plan)
    assert (report.created, report.refused) == (2, 2)
    assert [(fault.line, fault.message.split(":")[0]) for fault in running.faults_of(plan)] == [
        (3, "Last name"), (4, "E-mail"),
    ]  # fmt: skip
    rows = list(running.refused_rows(plan))
    assert rows[0] == ["Line", "Reason", "Last name", "E-mail", "Birthdate"]
    assert rows[2][0] == "4"
    assert "Birthdate" in rows[2][1]


def test_a_dry_run_tells_the_same_and_leaves_nothing_behind(app):
    plan = ready("Last name,E-mail\nAalto,a@example.com\nBerg,nobody\n")
    report = running.check(ALL, plan)
    assert (report.created, report.refused, len(report.faults)) == (1, 1, 1)
    assert search.count(ALL, "contacts") == 0


def test_a_row_with_too_few_or_too_many_cells_is_refused_with_its_line(app):
    plan = ready("Last name,E-mail\nAalto\nBerg,b@example.com,too much\nDahl,d@example.com\n")
    report = running.run(ALL, plan)
    assert (report.created, report.refused) == (1, 2)
    assert "cells" in running.faults_of(plan)[0].message


def test_too_long_a_cell_is_cut_and_reported_without_refusing_the_row(app):
    plan = ready(f"Last name,Title\nAalto,{'x' * 2_000_000}\n")
    report = running.run(ALL, plan)
    assert (report.created, report.refused) == (1, 0)
    fault = running.faults_of(plan)[0]
    assert (fault.is_refusal, "cut to 80" in fault.message) == (False, True)


def test_rows_update_what_they_match_and_create_the_rest(app):
    old = records.create(SYSTEM, "contacts", {"last_name": "Aalto", "email": "a@example.com"}, Channel.SYSTEM)
    plan = ready(
        "Last name,E-mail,Title\nAalto,A@EXAMPLE.COM,CEO\nBerg,b@example.com,CFO\nBerg,b@example.com,CTO\n",
        mode="both",
        match="email",
    )
    report = running.run(ALL, plan)
    assert (report.created, report.updated, report.refused) == (1, 2, 0)
    assert search.one(ALL, "contacts", old)["title"] == "CEO"
    found = search.find(ALL, "contacts", where={"email": "b@example.com"}, columns=("title",)).rows
    assert [row["title"] for row in found] == ["CTO"]


def test_links_are_found_by_number_and_by_name(app):
    account = records.create(SYSTEM, "accounts", {"name": "Kaarna Oy"}, Channel.SYSTEM)
    number = search.one(ALL, "accounts", account).number
    plan = ready(f"Last name,Account\nAalto,kaarna oy\nBerg,{number}\nDahl,Nobody Ltd\n")
    report = running.run(ALL, plan)
    assert (report.created, report.refused) == (2, 1)
    found = search.find(ALL, "contacts", columns=("account_id",)).rows
    assert {row["account_id"] for row in found} == {account}
    assert "Nobody Ltd" in running.faults_of(plan)[0].message


def test_several_values_and_checkboxes_are_read_as_the_guides_write_them(app):
    plan = ready("Last name,Reference,E-mail opt-out\nAalto,1,0\nBerg,yes,no\nDahl,maybe,0\n")
    report = running.run(ALL, plan)
    assert (report.created, report.refused) == (2, 1)


def test_an_unknown_picklist_value_is_kept_aside_and_the_cell_stays_empty(app):
    plan = ready("Last name,Source\nAalto,The Moon\n")
    assert running.run(ALL, plan).created == 1
    assert search.find(ALL, "contacts", columns=("lead_source",)).rows[0]["lead_source"] is None


def test_formulas_in_cells_stay_text(app):
    plan = ready('Last name,Title\n"=HYPERLINK(""http://evil.example"")",+1\n')
    running.run(ALL, plan)
    assert search.find(ALL, "contacts", columns=("last_name",)).rows[0]["last_name"].startswith("=HYPERLINK")


def test_undo_takes_back_what_was_created_and_nobody_touched(app):
    plan = ready("Last name\nAalto\nBerg\n")
    running.run(ALL, plan)
    first = search.find(ALL, "contacts", sort=("last_name",)).rows[0]
    records.update(ALL, "contacts", first.id, {"title": "Touched"}, Channel.FORM)
    assert running.undo(ALL, plan) == 1
    assert [row.label for row in search.find(ALL, "contacts").rows] == ["Aalto"]
    with pytest.raises(Refused):
        running.undo(ALL, plan)


def test_undo_leaves_what_others_made_meanwhile(app, monkeypatch):
    monkeypatch.setattr(running, "AT_ONCE", 2)
    plan = ready("Last name\nAalto\nBerg\nDahl\nEk\nFors\n")

    def make_another(done, total):
        records.create(ALL, "contacts", {"last_name": f"Not of the file {done}"}, Channel.FORM)

    running.run(ALL, plan, step=make_another)
    assert running.undo(ALL, plan) == 5
    left = [row.label for row in search.find(ALL, "contacts", sort=("last_name",)).rows]
    assert left == ["Not of the file 2", "Not of the file 4", "Not of the file 5"]


def test_ids_with_gaps_are_runs():
    assert running._runs([]) == []
    assert running._runs([5, 4, 7, 9, 10, 11]) == [(4, 5), (7, 7), (9, 11)]


def test_a_mapping_that_cannot_work_is_refused_before_any_row(app):
    plan = begun(b"A,B\n1,2\n")
    with pytest.raises(Refused, match="at least one column"):
        plans.configure(ALL, plan, mapping={})
    with pytest.raises(Refused, match="Two columns"):
        plans.configure(ALL, plan, mapping={0: "last_name", 1: "last_name"})
    with pytest.raises(Refused, match="No column goes to: Last name"):
        plans.configure(ALL, plan, mapping={0: "email"})
    with pytest.raises(Refused, match="match"):
        plans.configure(ALL, plan, mapping={0: "last_name"}, mode="update", match="email")


def test_a_stopped_import_goes_on_after_its_last_committed_row(app, monkeypatch):
    monkeypatch.setattr(running, "AT_ONCE", 1_000)
    plan = ready("Last name\n" + "".join(f"Person {n}\n" for n in range(2_500)))

    def stop(done, total):
        if done >= 1_000:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        running.run(ALL, plan, step=stop)
    assert running.run(ALL, plan).created == 1_500
    assert search.count(ALL, "contacts") == 2_500


def test_an_activity_linked_to_two_accounts_and_a_contact_is_read_from_all_three(app):
    accounts = [records.create(SYSTEM, "accounts", {"name": name}, Channel.SYSTEM) for name in ("A", "B")]
    person = records.create(SYSTEM, "contacts", {"last_name": "Aalto"}, Channel.SYSTEM)
    call = records.create(SYSTEM, "activities", {"subject": "Call", "starts_at": "2026-11-30T10:00Z"}, Channel.SYSTEM)
    relations.link(ALL, "activities", call, "accounts", accounts, Channel.API)
    relations.link(ALL, "contacts", person, "activities", [call], Channel.API)
    for module, id in (("accounts", accounts[0]), ("accounts", accounts[1]), ("contacts", person)):
        found = search.find(ALL, "activities", within=relations.linked(module, id, "activities")).rows
        assert [row.id for row in found] == [call]


def test_what_an_export_quoted_against_formulas_comes_back_as_it_was(app):
    plan = ready("Last name,Mobile\n'=Aalto,'+358 40 123 4567\n")
    running.run(ALL, plan)
    row = search.find(ALL, "contacts", columns=("last_name", "mobile")).rows[0]
    assert (row["last_name"], row["mobile"]) == ("=Aalto", "+358 40 123 4567")


def test_a_picklist_may_be_written_as_people_read_it_and_an_empty_cell_takes_the_default(app):
    plan = ready("Last name,Opens may be measured,E-mail status\nAalto,Yes,OK\nBerg,,\n")
    assert running.run(ALL, plan).created == 2
    found = search.find(
        ALL, "contacts", columns=("last_name", "may_measure_opens", "email_status"), sort=("last_name",)
    )
    said = [(row["may_measure_opens"], row["email_status"]) for row in found.rows]
    assert said == [("yes", "ok"), ("unknown", "ok")]
