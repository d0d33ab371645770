"""Pages of documents as staff use them, and the public page of certificates."""

import io
import re

import pytest
from lxml import html
from openpyxl import load_workbook

from crm.db import db
from crm.documents import certifying, converting
from crm.engine import attachments, search
from crm.engine.outbox import Job
from crm.identity.viewer import SYSTEM
from hub.public import create_public_app
from tests.documents.samples import Word
from tests.documents.test_certificates import certificate_template, course, quick
from tests.documents.test_pdf import run

word = Word()
__all__ = ["certificate_template", "course", "quick"]


def send(browser, path, said=None, status=303):
    token = html.fromstring(browser.get("/").text).xpath("//meta[@name='csrf-token']/@content")[0]
    return browser.post(path, {"csrf": token, **(said or {})}, status)


def test_an_administrator_makes_a_template_uploads_its_file_and_sees_it_with_a_record(browse, make, people):
    ada = browse("ada")
    contact = make("contacts", first_name="Anna", last_name="Virta")
    db.session.commit()
    answer = send(
        ada, "/document_templates/new", {"name": "Letter", "module": "contacts", "purpose": "document", "output": "pdf"}
    )
    id = int(answer.headers["Location"].rsplit("/", 1)[1])
    assert "There is no file yet" in ada.get(f"/document_templates/{id}").text
    wrong = send(
        ada, f"/document_templates/{id}/file", {"file": (io.BytesIO(word.file(word.p("{$frist_name}"))), "a.docx")}, 422
    ).text
    assert "There is no tag {$frist_name}. Did you mean {$first_name}?" in wrong
    send(ada, f"/document_templates/{id}/file", {"file": (io.BytesIO(word.file(word.p("Hi {$first_name}"))), "a.docx")})
    card = ada.get(f"/document_templates/{id}").text
    assert "a.docx" in card
    assert "nobody is offered it" in card
    send(ada, f"/document_templates/{id}/active")
    assert "nobody is offered it" not in ada.get(f"/document_templates/{id}").text
    assert "Letter" in ada.get(f"/contacts/{contact}/documents").text
    tags = ada.get(f"/document_templates/{id}/tags").text
    for tag in ("{$first_name}", "{$account.name}", "{$tickets.title}", "{$organisation.name}"):
        assert tag in tags
    made = send(ada, f"/document_templates/{id}/preview", {"record": contact, "format": "same"})
    page = ada.get(made.headers["Location"].removeprefix("/crm")).text
    assert "Letter Anna Virta.docx" in page
    assert attachments.files_of(SYSTEM, "contacts", contact) == []
    send(ada, f"/document_templates/{id}/preview", {"record": "0", "format": "same"}, 422)
    browse("alice").get(f"/document_templates/{id}/preview", status=403)


def test_a_seller_makes_documents_on_the_card(browse, make, template, people, monkeypatch):
    contact = make("contacts", last_name="Virta", owner_id=people.alice)
    id = template(word.file(word.p("{$last_name}")), output="pdf", shown_if="$last_name")
    alice = browse("alice")
    assert f"/crm/contacts/{contact}/documents" in alice.get(f"/contacts/{contact}").text
    send(alice, f"/contacts/{contact}/documents", {"template": "1", "format": "same"}, 404)
    made = send(alice, f"/contacts/{contact}/documents", {"template": id, "format": "same", "language": "fi"})
    assert "Letter Virta.docx" in alice.get(made.headers["Location"].removeprefix("/crm")).text
    assert [one.name for one in attachments.files_of(SYSTEM, "contacts", contact)] == ["Letter Virta.docx"]
    started = send(alice, f"/contacts/{contact}/documents", {"template": id, "format": "pdf"}).headers["Location"]
    job = int(started.rsplit("=", 1)[1])
    assert "This is being made" in alice.get(started.removeprefix("/crm")).text
    monkeypatch.setattr(converting, "PROGRAMS", ())
    message = run(job)
    kept = db.session.get(Job, job)
    kept.state, kept.message = "done", message
    db.session.commit()
    part = alice.get(f"/documents/jobs/{job}").text
    assert "LibreOffice is not installed" in part
    assert re.search(r'href="/crm/files/\d+"', part)
    browse("bob").get(f"/documents/jobs/{job}", status=404)


def test_a_record_without_templates_offers_no_documents(browse, make, people):
    contact = make("contacts", last_name="Virta", owner_id=people.alice)
    db.session.commit()
    alice = browse("alice")
    assert f"/crm/contacts/{contact}/documents" not in alice.get(f"/contacts/{contact}").text
    assert "No document template is offered" in alice.get(f"/contacts/{contact}/documents").text


def test_the_workbook_of_a_person_has_a_sheet_for_each_chosen_module(browse, make, people):
    contact = make("contacts", last_name="Virta", email="anna@example.com", description="=1+1", owner_id=people.alice)
    make("tickets", title="Fire", contact_id=contact, owner_id=people.alice)
    db.session.commit()
    alice = browse("alice")
    assert "Tickets" in alice.get(f"/contacts/{contact}/personal-data").text
    answer = send(alice, f"/contacts/{contact}/personal-data", {"module": ["tickets", "nonsense"]}, 200)
    book = load_workbook(io.BytesIO(answer.data))
    assert book.sheetnames == ["Person", "Tickets"]
    person = {row[0]: row[1] for row in book["Person"].iter_rows(values_only=True)}
    assert (person["Last name"], person["E-mail"], person["Description"]) == ("Virta", "anna@example.com", "=1+1")
    assert book["Person"].cell(row=1, column=1).font.bold
    assert all(cell.data_type != "f" for row in book["Person"].iter_rows() for cell in row)
    heads = [cell.value for cell in book["Tickets"][1]]
    assert book["Tickets"].cell(row=2, column=heads.index("Title") + 1).value == "Fire"


@pytest.fixture
def visitor(app):
    made = create_public_app(app.config["CUSTOMERHUB"])
    made.testing = True
    return made.test_client()


def test_an_organiser_sends_certificates_and_anybody_checks_one(
    browse, course, certificate_template, people, quick, visitor
):
    event, _contacts = course
    alice = browse("alice")
    assert "/certificates" not in alice.get(f"/invitation_events/{event}").text
    template = certificate_template()
    assert f"/crm/invitation_events/{event}/certificates" in alice.get(f"/invitation_events/{event}").text
    path = f"/invitation_events/{event}/certificates"
    assert "Anna Virta" in alice.get(path).text
    send(alice, path, {"template": "1"}, 422)
    job = int(send(alice, path, {"template": template}).headers["Location"].rsplit("=", 1)[1])
    run(job)
    page = alice.get(path).text
    known = certifying.of_event(event)
    row = next(iter(known.values()))
    assert row["number"] in page
    assert row["verify_code"] not in page
    answer = visitor.get(f"/certificates/{row['verify_code']}")
    assert (answer.status_code, answer.headers.get("Set-Cookie")) == (200, None)
    assert "This certificate is valid" in answer.text
    assert "A. V." in answer.text
    assert "Virta" not in answer.text
    assert (
        visitor.get("/certificates", query_string={"code": row["verify_code"].lower()})
        .headers["Location"]
        .endswith(row["verify_code"])
    )
    send(alice, f"{path}/{row['id']}/take-back")
    assert "Taken back" in alice.get(path).text
    for code in (row["verify_code"], "nothing", "A" * 16):
        wrong = visitor.get(f"/certificates/{code}")
        assert wrong.status_code == 404
        assert "This certificate is not valid" in wrong.text
    assert search.count(SYSTEM, "certificates") == 3
