"""Files as nobody should save them, through the whole import: what can be taken is taken, the rest is told by line."""

import io
from contextlib import suppress

import pytest

from crm.engine import search
from crm.engine.imports import plans, running
from crm.engine.refusals import Refused
from crm.identity.viewer import SYSTEM, Viewer

ALL = Viewer(kind="staff", name="All", is_admin=True)


def imported(content: bytes, **said):
    plan = plans.begin(ALL, "contacts", "people.csv", io.BytesIO(content))
    plans.configure(ALL, plan, **said)
    return plan, running.run(ALL, plan)


def contacts():
    return search.find(
        SYSTEM, "contacts", columns=("last_name", "first_name", "description", "email", "title"), sort=("id",)
    ).rows


def test_two_columns_of_one_name_do_not_overwrite_each_other_in_silence(app):
    content = b"Last name,Title,Title\nAalto,Boss,Chief\n"
    plan = plans.begin(ALL, "contacts", "people.csv", io.BytesIO(content))
    assert sorted(plan.mapping.values()).count("title") == 1
    with pytest.raises(Refused):
        plans.configure(ALL, plan, mapping={"0": "last_name", "1": "title", "2": "title"})
    plans.configure(ALL, plan, mapping={"0": "last_name", "2": "title"})
    running.run(ALL, plan)
    assert [row["title"] for row in contacts()] == ["Chief"]


def test_a_cell_of_two_megabytes_is_cut_and_reported_and_the_row_goes_in(app):
    plan, report = imported(b"Last name,Description\nAalto," + b"x" * 2_000_000 + b"\nBerg,short\n")
    assert (report.created, report.refused) == (2, 0)
    assert [len(row["description"]) < 2_000_000 for row in contacts()] == [True, True]
    assert [fault.line for fault in running.faults_of(plan)] == [2]


def test_two_hundred_columns_of_which_two_are_known(app):
    head = ",".join(["Last name", "E-mail", *(f"Column {n}" for n in range(198))])
    row = ",".join(["Aalto", "a@example.com", *("x" for _ in range(198))])
    _plan, report = imported(f"{head}\n{row}\n".encode())
    assert report.created == 1
    assert contacts()[0]["email"] == "a@example.com"


def test_names_with_markup_formulas_and_line_breaks_come_in_as_text(app):
    names = ["<b>x</b>", "=cmd|' /C calc'!A0", "{$contact.email}", "Ää 👩‍👩‍👧", "שלום"]
    lines = "".join(f'"{name}"\n' for name in names)
    _plan, report = imported(f'Last name\n{lines}"A\r\nBcc: x@example.net"\n'.encode())
    assert report.created == len(names) + 1
    said = [row["last_name"] for row in contacts()]
    assert said[:-1] == names
    assert not set(said[-1]) & {"\r", "\n"}


def test_addresses_that_nobody_can_write_to_are_told_by_line(app):
    bad = ["a" * 65 + "@example.com", "a@@example.com", "nobody", "a b@example.com"]
    good = ["anna@äyräväinen.example", "'\"quoted part\"@example.com'".strip("'")]
    cells = "".join('Aalto,"' + address.replace('"', '""') + '"\n' for address in [*bad, *good])
    plan, report = imported(f"Last name,E-mail\n{cells}".encode())
    assert (report.created, report.refused) == (2, 4)
    assert [fault.line for fault in running.faults_of(plan)] == [2, 3, 4, 5]


def test_a_file_that_is_no_table_is_refused_or_told_but_breaks_nothing(app):
    for content in (b"\x00" * 1000, b"\xff\xd8\xff\xe0" + bytes(range(256)) * 20, b"PK\x03\x04" + b"\x00" * 500, b'"never closed\n' * 50,
                    b"\r\r\r", b",,,,\n,,,,\n", b"Last name\n" + b"\xff\xfe\xfd\n"):  # fmt: skip
        with suppress(Refused):
            _plan, report = imported(content)
            assert report.created + report.refused < 60


def test_the_wizard_tells_of_a_wrong_byte_in_the_encoding_that_was_chosen(browse, people):
    mary = browse("mary", "crm")
    token = mary.form("/contacts/import")["csrf"][0]
    body = "Last name;City\nMäkinen;Åbo\n".encode("windows-1252")
    answer = mary.client.post(
        "/crm/contacts/import", data={"csrf": token, "file": (io.BytesIO(body), "people.csv")}, content_type="multipart/form-data"
    )  # fmt: skip
    place = answer.headers["Location"].removeprefix("/crm")
    answer = mary.client.post(f"/crm{place}/file", data={"csrf": token, "encoding": "utf-8", "delimiter": ";"})
    assert answer.status_code in {200, 303, 422}
    page = answer.text if answer.status_code != 303 else mary.client.get(answer.headers["Location"]).text
    assert "byte" in page
