"""Templates without a file: chosen fields and related rows, laid out by the system as a page or a sheet."""

import io

import pytest
from lxml import html
from openpyxl import load_workbook

from crm.db import db
from crm.documents import converting, layouts, making, templates
from crm.documents.layouts import Layout, Listed
from crm.documents.package import MEDIA_TYPES
from crm.engine import attachments, records, search
from crm.engine.channels import Channel
from crm.engine.refusals import Forbidden, Missing, Refused
from crm.identity.viewer import SYSTEM
from tests.documents.samples import Word
from tests.documents.test_document_pages import send
from tests.documents.test_filling import lines

LAYOUT = Layout(
    "pdf", "About {$first_name}", ("last_name", "account_id", "phone"), (Listed("tickets", ("number", "title")),)
)


@pytest.fixture
def virta(make, people):
    account = make("accounts", name="=Acme {x}", owner_id=people.alice)
    contact = make("contacts", first_name="Anna", last_name="Virta <&>", account_id=account, owner_id=people.alice)
    make("tickets", title="Fire", contact_id=contact, owner_id=people.alice)
    return contact


def new(people, **values):
    said = {"name": "Card", "module": "contacts"} | values
    return records.create(people["ada"], templates.KEY, said, Channel.FORM)


def test_a_page_has_the_labels_of_its_language_and_the_values_of_the_record(people, virta):
    id = new(people)
    layouts.keep(people["ada"], id, LAYOUT)
    records.update(people["ada"], templates.KEY, id, {"active": True}, Channel.FORM)
    template = making.template_of(id)
    assert (template["format"], template["output"]) == ("odt", "pdf")
    made = making.filled(people["alice"], template, virta, "en")
    foot, *said = lines(made.data, "odt")
    assert "20" in foot
    assert said[:8] == ["About Anna", "Last name", "Virta <&>", "Account", "=Acme {x}", "Phone", "", "Tickets"]
    assert (said[8:10], said[11]) == (["Number", "Title"], "Fire")
    assert "Sukunimi" in lines(making.filled(people["alice"], template, virta, "fi").data, "odt")


def test_a_sheet_is_one_of_excel_and_its_texts_are_never_formulas(people, virta):
    id = new(people, name="Sheet: {one}")
    layouts.keep(people["ada"], id, Layout("xlsx", "", ("account_id", "created_at"), LAYOUT.lists))
    template = making.template_of(id, is_active=False)
    assert (template["format"], template["output"]) == ("xlsx", "same")
    sheet = load_workbook(io.BytesIO(making.filled(people["alice"], template, virta, "en").data)).active
    rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
    assert (rows[0][0], rows[1], rows[2][1].year > 2000) == ("Sheet: (one)", ["Account", "=Acme {x}"], True)
    assert [cell.data_type for cell in sheet[2]] == ["s", "s"]
    assert (rows[4][0], rows[5], rows[6][1]) == ("Tickets", ["Number", "Title"], "Fire")


WRONG = {
    "an unknown field": (Layout(fields=("nothing",)), "fields"),
    "nothing": (Layout(), "fields"),
    "an unknown list": (Layout(fields=("last_name",), lists=(Listed("nothing", ("a",)),)), "lists"),
    "an unknown column": (Layout(fields=("last_name",), lists=(Listed("tickets", ("a",)),)), "lists"),
    "a wrong tag": (Layout(title="{$nothing}", fields=("last_name",)), "title"),
    "a wrong kind": (Layout("exe", fields=("last_name",)), "kind"),
}


def test_a_wrong_layout_is_refused_at_its_place(people):
    id = new(people)
    for name, (layout, place) in WRONG.items():
        with pytest.raises(Refused) as refused:
            layouts.keep(people["ada"], id, layout)
        assert set(refused.value.faults) == {place}, name
    with pytest.raises(Forbidden):
        layouts.keep(people["alice"], id, LAYOUT)
    assert search.one(SYSTEM, templates.KEY, id)["layout"] is None


def test_an_administrator_chooses_fields_and_lists_and_a_file_takes_their_place(browse, people, virta):
    id = new(people)
    db.session.commit()
    ada, path = browse("ada"), f"/document_templates/{id}/layout"
    page = html.fromstring(ada.get(path).text)
    assert "last_name" in page.xpath("//input[@name='field' and @checked]/@value")
    sent = {"kind": "pdf", "title": "", "field": ["last_name", "phone"]}
    page = html.fromstring(send(ada, path, {**sent, "do": "add", "add": "tickets"}, 200).text)
    assert page.xpath("//input[@name='list']/@value") == ["tickets"]
    assert "title" in page.xpath("//input[@name='of-tickets' and @checked]/@value")
    page = html.fromstring(send(ada, path, {**sent, "up": ":phone"}, 200).text)
    assert page.xpath("//input[@name='field' and @checked]/@value") == ["phone", "last_name"]
    assert "There is no tag" in send(ada, path, {**sent, "title": "{$nothing}", "do": "keep"}, 422).text
    send(ada, path, {**sent, "list": ["tickets", "emails"], "of-tickets": ["title"], "do": "keep"})
    kept = layouts.read(search.one(SYSTEM, templates.KEY, id)["layout"])
    assert (kept.fields, kept.lists) == (("last_name", "phone"), (Listed("tickets", ("title",)),))
    card = ada.get(f"/document_templates/{id}").text
    assert "laid out by the system" in card
    assert "&#34;fields&#34;" not in card  # how it is kept is nobody's reading
    assert send(ada, f"/document_templates/{id}/preview", {"record": virta, "format": "same"}).status_code == 303
    word = Word()
    send(ada, f"/document_templates/{id}/file", {"file": (io.BytesIO(word.file(word.p("x"))), "a.docx")})
    then = search.one(SYSTEM, templates.KEY, id)
    assert (then["layout"], then["format"]) == (None, "docx")
    send(ada, path, {**sent, "do": "keep"})
    assert search.one(SYSTEM, templates.KEY, id)["file_id"] is None
    browse("alice").get(path, status=403)


def test_a_document_for_a_mail_is_a_file_of_its_maker_and_hangs_on_nothing(people, virta, monkeypatch):
    monkeypatch.setattr(converting, "PROGRAMS", ())
    id = new(people)
    layouts.keep(people["ada"], id, LAYOUT)
    records.update(people["ada"], templates.KEY, id, {"active": True, "shown_if": "$last_name"}, Channel.FORM)
    file, problem = making.file_for(people["alice"], id, virta)
    stored = db.session.get(attachments.StoredFile, file)
    assert (stored.media_type, stored.creator_id) == (MEDIA_TYPES["odt"], people["alice"].id)
    assert problem.startswith("LibreOffice is not installed")
    assert attachments.files_of(SYSTEM, "contacts", virta) == []
    records.update(people["ada"], templates.KEY, id, {"shown_if": "!$last_name"}, Channel.FORM)
    with pytest.raises(Missing):
        making.file_for(people["alice"], id, virta)
