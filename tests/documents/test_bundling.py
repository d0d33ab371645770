"""Several templates of one record as one PDF; fonts that a template names and the machine lacks are told."""

import io
import zipfile

import pytest

from crm.documents import bundling, converting, fonts, layouts, package
from crm.engine import attachments, records
from crm.engine.channels import Channel
from crm.engine.refusals import Missing, Refused
from crm.identity.viewer import SYSTEM
from tests.documents.samples import ODF, W, Word, Writer
from tests.documents.sheets import excel
from tests.documents.test_document_pages import send
from tests.documents.test_pdf import run, text_of, with_office

word, writer = Word(), Writer()


@pytest.fixture
def two(make, template, people):
    """A contact, and a letter and a form for it, of which the form comes first in the alphabet."""
    contact = make("contacts", last_name="Virta", owner_id=people.alice)
    letter = template(word.file(word.p("Letter to {$last_name}")), name="Letter")
    form = records.create(people["ada"], "document_templates", {"name": "Form", "module": "contacts"}, Channel.FORM)
    layouts.keep(people["ada"], form, layouts.Layout("pdf", "Form of {$last_name}", ("last_name", "phone")))
    records.update(people["ada"], "document_templates", form, {"active": True}, Channel.FORM)
    hidden = template(writer.file(writer.p("x")), "odt", name="Hidden", shown_if="!$last_name")
    return contact, letter, form, hidden


@with_office
def test_several_templates_become_one_pdf_in_the_order_that_was_chosen(two, people, browse, tmp_path):
    contact, letter, form, _hidden = two
    alice = browse("alice")
    assert "Several as one PDF" in alice.get(f"/contacts/{contact}/documents").text
    answer = send(alice, f"/contacts/{contact}/documents/joined", {"template": [letter, form], "language": "fi"})
    message = run(int(answer.headers["Location"].rsplit("=", 1)[1]))
    (kept,) = attachments.files_of(SYSTEM, "contacts", contact)
    assert message == f"The document is ready: /crm/files/{kept.id}"
    pages = text_of(attachments.path_of(kept.sha256).read_bytes(), tmp_path).split("\f")
    assert [page.strip().partition("\n")[0] for page in pages] == ["Letter to Virta", "Form of Virta", ""]
    assert ("Sukunimi" in pages[1], "1/1" in pages[1]) == (True, True)


def test_what_cannot_be_made_is_refused_and_without_the_engine_the_filled_files_are_kept(
    two, people, browse, monkeypatch
):
    contact, letter, form, hidden = two
    alice = people["alice"]
    for ids, refusal in (([], Refused), ([letter] * 21, Refused), ([letter, hidden], Missing), ([form, 1], Missing)):
        with pytest.raises(refusal):
            bundling.start(alice, "contacts", contact, ids)
    send(browse("alice"), f"/contacts/{contact}/documents/joined", {}, 422)
    with pytest.raises(Missing):
        bundling.start(alice, "contacts", 1, [letter])
    monkeypatch.setattr(converting, "PROGRAMS", ())
    message = run(bundling.start(alice, "contacts", contact, [form, letter]))
    assert message.startswith("LibreOffice is not installed")
    (kept,) = attachments.files_of(SYSTEM, "contacts", contact)
    names = zipfile.ZipFile(io.BytesIO(attachments.path_of(kept.sha256).read_bytes())).namelist()
    assert names == ["1 Form Virta.odt", "2 Letter Virta.docx"]


def faced(name):
    """A Writer file whose text is in a font, and which declares another one for other alphabets."""
    styles = (
        f'<?xml version="1.0"?><office:document-styles {ODF} xmlns:style="urn:oasis:names:tc:opendocument:xmlns:style:1.0" '
        'xmlns:svg="urn:oasis:names:tc:opendocument:xmlns:svg-compatible:1.0"><office:font-face-decls>'
        f'<style:font-face style:name="a" svg:font-family="&apos;{name}&apos;"/><style:font-face style:name="b" svg:font-family="Far Eastern"/>'
        '</office:font-face-decls><office:styles><style:default-style style:family="paragraph">'
        '<style:text-properties style:font-name="a" style:font-name-asian="b"/></style:default-style></office:styles></office:document-styles>'
    )
    return writer.file(writer.p("x"), more={"styles.xml": styles})


NAMED = {
    "docx": (word.file(f'<w:p xmlns:w="{W}"><w:r><w:rPr><w:rFonts w:ascii="Nice Sans" w:hAnsi="Nice Sans" w:cs="Other"/></w:rPr><w:t>x</w:t></w:r></w:p>'), ["Nice Sans"]),
    "odt": (faced("Nice Sans"), ["Nice Sans"]),
    "xlsx": (excel([["x"]]), ["Calibri"]),
    "rtf": (rb"{\rtf1\deff0{\fonttbl{\f0\fswiss\fcharset0 Nice Sans;}{\f1\fnil Unused;}{\f2\fnil\fcharset0{\*\falt Arial}Used;}}\f2 x\par}", ["Nice Sans", "Used"]),
}  # fmt: skip


@pytest.mark.parametrize("ending", NAMED)
def test_the_fonts_of_a_template_are_known(app, ending):
    data, names = NAMED[ending]
    assert fonts.named(package.read(f"x.{ending}", data)) == names


def test_missing_fonts_are_told_when_a_file_is_uploaded_and_on_the_card(template, browse, monkeypatch):
    monkeypatch.setattr(fonts, "_families", lambda minute: frozenset({"Liberation Serif", "nice sans"}))
    ada = browse("ada")
    there, lacks = (
        template(faced("Nice Sans"), "odt", name="Letter"),
        template(faced("Odd Serif"), "odt", name="Odd one"),
    )
    assert "lacks fonts" not in ada.get(f"/document_templates/{there}").text
    assert "lacks fonts of the file, so a PDF looks otherwise: Odd Serif" in " ".join(
        ada.get(f"/document_templates/{lacks}").text.split()
    )
    page = ada.get("/document_templates/fonts").text
    assert ("Odd one" in page, "Letter" in page, "Liberation Serif" in page) == (True, False, True)
    send(ada, f"/document_templates/{there}/file", {"file": (io.BytesIO(faced("Odd Serif")), "a.odt")})
    assert "Odd Serif" in ada.get(f"/document_templates/{there}").text
    two, _names = NAMED["rtf"]  # two fonts, of which the machine has one
    send(ada, f"/document_templates/{there}/file", {"file": (io.BytesIO(two), "a.rtf")})
    assert "so a PDF looks otherwise: Used." in " ".join(ada.get(f"/document_templates/{there}").text.split())
    monkeypatch.setattr(fonts, "_families", lambda minute: frozenset())
    assert fonts.missing(["Odd Serif"]) == []  # a machine that does not tell is not blamed
