"""The import wizard: a file as a spreadsheet program saves it, with bad rows, through all its steps."""

import io
from pathlib import Path

from lxml import html

from crm.db import db
from crm.engine import search
from crm.engine.imports import plans, running
from crm.identity.viewer import SYSTEM


def test_a_file_goes_through_all_steps(browse, people):
    mary = browse("mary")
    rows = ["Last name;First name;E-mail;City", *(f"Hämäläinen {n};Äiti;a{n}@example.com;Jyväskylä" for n in range(20))]
    rows[4] = "Bad;Row;nonsense;Turku"
    rows[9] = "Too;short"
    body = "\r\n".join(rows).encode("cp1252")
    token = mary.form("/contacts/import")["csrf"][0]
    answer = mary.client.post(
        "/crm/contacts/import", data={"csrf": token, "file": (io.BytesIO(body), "../../people.csv")}, content_type="multipart/form-data"
    )  # fmt: skip
    assert answer.status_code == 303
    place = answer.headers["Location"].removeprefix("/crm")
    page = mary.get(place).text
    assert "Hämäläinen 0" in page
    assert "windows-1252" in html.fromstring(page).xpath("//select[@name='encoding']/option[@selected]/text()")
    sent = mary.form(place, has="mode")
    assert sent["col.2"] == ["email"]
    check = mary.post(f"{place}/columns", sent, status=200).text
    numbers = html.fromstring(check).xpath("//div[@class='big-number']/text()")
    assert numbers == ["18", "0", "0", "2"]
    assert search.count(SYSTEM, "contacts") == 0  # a look writes nothing
    mary.post(f"{place}/start", {"csrf": token})
    plan = plans.load(SYSTEM, int(place.rsplit("/", 1)[1]))
    assert Path(plan.path).parent.name == "imports"
    running.run(people["mary"], plan)
    report = mary.get(place).text
    assert "18 made" in report
    refused = mary.get(f"{place}/refused.csv").text
    assert "nonsense" in refused
    assert "Too" in refused
    mary.post(f"{place}/undo", {"csrf": token})
    assert search.count(SYSTEM, "contacts") == 0
    assert browse("alice").client.get(f"/crm{place}").status_code == 404  # an import belongs to its maker
    db.session.rollback()


def test_no_file_and_an_empty_file_are_told(browse, people):
    mary = browse("mary")
    token = mary.form("/contacts/import")["csrf"][0]
    for file in (None, (io.BytesIO(b""), "empty.csv")):
        data = {"csrf": token} | ({"file": file} if file else {})
        answer = mary.client.post("/crm/contacts/import", data=data, content_type="multipart/form-data")
        assert answer.status_code == 422
        assert html.fromstring(answer.text).xpath("//div[@role='alert']")


def test_columns_named_in_another_language_find_their_fields(browse, people):
    mary = browse("mary")
    token = mary.form("/contacts/import")["csrf"][0]
    body = "Etunimi;Sukunimi;Sähköposti;Yritys;Postitoimipaikka;Kengännumero\r\nÄiti;Hämäläinen;a@example.com;Kaisla Oy;Oulu;42"
    answer = mary.client.post(
        "/crm/contacts/import", data={"csrf": token, "file": (io.BytesIO(body.encode()), "asiakkaat.csv")}, content_type="multipart/form-data"
    )  # fmt: skip
    plan = plans.load(SYSTEM, int(answer.headers["Location"].rsplit("/", 1)[1]))
    assert plan.mapping == {"0": "first_name", "1": "last_name", "2": "email", "3": "account_id", "4": "mailing_city"}
