"""A template's file is checked when it comes: what is no document, holds macros, fetches something or names unknown tags is refused."""

import io
import zipfile

import pytest

from crm.documents import names, package, templates, uploads
from crm.engine import records, search
from crm.engine.channels import Channel
from crm.engine.refusals import Forbidden, Refused
from crm.engine.registry import modules
from crm.identity.viewer import SYSTEM
from tests.documents.samples import ODF, WRITERS, R, Word, Writer, zipped

word, writer = Word(), Writer()
RELATION = f'<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r9" Type="{R}/%s" Target="%s" TargetMode="External"/></Relationships>'


def bomb():
    return word.file(word.p("x"), more={f"word/media/{n}.png": b"\0" * 30_000_000 for n in range(7)})


def with_flag(flag):
    """A zip that says of its entries that they are packed with a password."""
    data = bytearray(word.file(word.p("x")))
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.find(mark)
        while at >= 0:
            data[at + place] |= flag
            at = data.find(mark, at + 4)
    return bytes(data)


def content(inside):
    return f'<?xml version="1.0"?><office:document-content {ODF} xmlns:xlink="http://www.w3.org/1999/xlink"><office:body><office:text>{inside}</office:text></office:body></office:document-content>'


HOSTILE = {
    "old Word": ("a.doc", b"\xd0\xcf\x11\xe0" + b"x" * 100, "Word 97 to 2003"),
    "old Word named docx": ("a.docx", b"\xd0\xcf\x11\xe0" + b"x" * 100, "Word 97 to 2003"),
    "text named docx": ("a.docx", b"hello", "Word file"),
    "pdf": ("a.pdf", b"%PDF-1.4", "Word file"),
    "a zip of anything": ("a.docx", zipped({"a.txt": "x"}), "Word file"),
    "docx named odt": ("a.odt", word.file(word.p("x")), "not what its name says"),
    "cut off": ("a.docx", word.file(word.p("x"))[:-80], "damaged"),
    "broken XML": ("a.odt", writer.file(writer.p("x"), more={"content.xml": "<a><b></a>"}), "damaged"),
    "entities": ("a.odt", writer.file(more={"content.xml": '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>'}), "damaged"),
    "path out of it": ("a.docx", word.file(word.p("x"), more={"../../x.xml": "<a/>"}), "damaged"),
    "password": ("a.docx", with_flag(1), "password"),
    "zip bomb": ("a.docx", bomb(), "unpacks to more than 200 MB"),
    "thousands of parts": ("a.docx", word.file(more={f"x/{n}.txt": "" for n in range(2100)}), "unpacks"),
    "macros of Word": ("a.docx", word.file(word.p("x"), more={"word/vbaProject.bin": b"x"}), "macros"),
    "macros of Writer": ("a.odt", writer.file(writer.p("x"), more={"Basic/Standard/Module1.xml": "<a/>"}), "macros"),
    "event of Writer": ("a.odt", writer.file(more={"content.xml": content('<script:event-listener script:event-name="dom:load"/>')}), "macros"),
    "picture from elsewhere": ("a.docx", word.file(word.p("x"), more={"word/_rels/document.xml.rels": RELATION % ("image", "http://10.0.0.1/x.png")}), "not in it: http://10.0.0.1/x.png"),
    "picture of Writer from elsewhere": ("a.odt", writer.file(more={"content.xml": content('<draw:image xlink:href="file:///etc/passwd"/>')}), "not in it"),
    "field that reads a file": ("a.docx", word.file("<w:p><w:r><w:instrText>INCLUDE</w:instrText></w:r><w:r><w:instrText>TEXT \"/etc/passwd\"</w:instrText></w:r></w:p>"), "reads another file: INCLUDETEXT"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_or_broken_file_is_refused_with_the_reason(app, name):
    file, data, reason = HOSTILE[name]
    with pytest.raises(Refused, match=reason) as refused:
        package.read(file, data)
    assert refused.value.faults["file"][0].code == "bad_template"


def test_the_trace_of_the_authors_office_template_is_taken_out_and_links_stay(app):
    settings = f'<?xml version="1.0"?><w:settings xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" xmlns:r="{R}"><w:attachedTemplate r:id="r9"/><w:zoom/></w:settings>'
    more = {
        "word/settings.xml": settings, "word/_rels/settings.xml.rels": RELATION % ("attachedTemplate", "file:///C:/Users/anna/x.dotx"),
        "word/_rels/document.xml.rels": RELATION % ("hyperlink", "https://www.example.com"),
    }  # fmt: skip
    made = package.read("a.docx", word.file(word.p("HYPERLINK"), more=more))
    again = zipfile.ZipFile(io.BytesIO(made.with_parts({})))
    assert b"anna" not in again.read("word/_rels/settings.xml.rels")
    assert b"attachedTemplate" not in again.read("word/settings.xml")
    assert b"https://www.example.com" in again.read("word/_rels/document.xml.rels")


WRONG = {
    "{$fist_name}": "There is no tag {$fist_name}. Did you mean {$first_name}?",
    "{$account.nmae}": "There is no tag {$account.nmae}. Did you mean {$account.name}?",
    "[Contacts.nonsense]": "There is no tag {$contact.nonsense}.",
    "{$first_name|shout}": "{$first_name|shout}: there is no |shout.",
    "{if $first_name}x": "{if $first_name} has no {/if}. It stands in “{if $first_name}x”.",
    "[rows;block=table-row]": "[rows;block=table-row] must stand in a table row.",
    "[Accounts.accountname;link=nothing]": "There is no tag {$nothing.name}",
    "x{/if}": "{/if} closes nothing that was opened before it.",
    "{foreach $last_name as $x}{$x.y}{/foreach}": "{foreach $last_name} needs a list.",
    "{$tickets|rows_sum:'nothing'}": "{$tickets|rows_sum:'nothing'}: rows have no “nothing”.",
    "{$tickets.title} {$attendees.name}": "One row shows rows of several lists: tickets, attendees. Give each its own row.",
    "Dear {$first_name,": "{$first_name, is not closed.",
    "{foo bar}": "{foo bar} cannot be read",
}  # fmt: skip


@pytest.mark.parametrize("file", WRITERS, ids=["docx", "odt"])
def test_an_unknown_tag_is_refused_by_its_name(app, file):
    shape = templates.shape_for(modules["contacts"])
    for said, reason in WRONG.items():
        held = package.read(f"x.{file.ending}", file.file(file.p(said[:5], said[5:])))
        with pytest.raises(Refused) as refused:
            names.check(held, shape)
        assert reason in refused.value.faults["file"][0].message, said


@pytest.mark.parametrize("file", WRITERS, ids=["docx", "odt"])
def test_a_block_that_is_not_closed_is_refused_with_its_place(app, file):
    shape = templates.shape_for(modules["contacts"])
    for body, place in (
        ((file.p("Dear all"), file.p("{if $phone}"), file.p("x")), "{if $phone} has no {/if}. It stands after “Dear all”."),
        ((file.p("{/foreach}"),), "It stands at the beginning."),
        ((file.table([["Title", "Nr"], ["{if $phone}", "x"]]),), "It stands in “{if $phone} x”."),
    ):  # fmt: skip
        with pytest.raises(Refused) as refused:
            names.check(package.read(f"x.{file.ending}", file.file(*body)), shape)
        assert place in refused.value.faults["file"][0].message


def test_a_new_file_takes_the_place_of_the_old_one_and_a_bad_one_changes_nothing(people, template):
    id = template(word.file(word.p("{$last_name}")))
    before = search.one(SYSTEM, templates.KEY, id)
    assert (before["format"], before["file_version"], before["active"]) == ("docx", 1, True)
    with pytest.raises(Refused, match="no tag"):
        uploads.keep(people["ada"], id, "b.odt", io.BytesIO(writer.file(writer.p("{$nothing_of_this}"))))
    with pytest.raises(Refused, match="25 MB"):
        uploads.keep(people["ada"], id, "b.odt", io.BytesIO(b"PK\x03\x04" + b"x" * 26_300_000))
    with pytest.raises(Forbidden):
        uploads.keep(people["alice"], id, "b.odt", io.BytesIO(writer.file(writer.p("x"))))
    assert search.one(SYSTEM, templates.KEY, id)["file_id"] == before["file_id"]
    uploads.keep(people["ada"], id, "b.odt", io.BytesIO(writer.file(writer.p("x"))))
    then = search.one(SYSTEM, templates.KEY, id)
    assert (then["format"], then["file_version"]) == ("odt", 2)
    assert then["file_id"] != before["file_id"]


def test_conditions_decide_where_a_template_is_offered(make, people, template):
    account = make("accounts", name="Acme")
    with_account = search.one(SYSTEM, "contacts", make("contacts", last_name="A", account_id=account))
    without = search.one(SYSTEM, "contacts", make("contacts", last_name="B"))
    file = word.file(word.p("x"))
    needs, hidden = (
        template(file, name="Needs", shown_if="$account_id"),
        template(file, name="Without", shown_if="!$account_id"),
    )
    off = template(file, name="Off")
    records.update(people["ada"], templates.KEY, off, {"active": False}, Channel.FORM)
    assert [one.id for one in templates.offered(with_account)] == [needs]
    assert [one.id for one in templates.offered(without)] == [hidden]
    for changes, field in (
        ({"shown_if": "$nothing"}, "shown_if"),
        ({"file_name": "{$nothing}"}, "file_name"),
        ({"module": "leads", "shown_if": ""}, "module"),
    ):
        with pytest.raises(Refused) as refused:
            records.update(people["ada"], templates.KEY, needs, changes, Channel.FORM)
        assert set(refused.value.faults) == {field}
    with pytest.raises(Refused) as refused:
        records.create(
            people["ada"], templates.KEY, {"name": "New", "module": "contacts", "active": True}, Channel.FORM
        )
    assert set(refused.value.faults) == {"active"}
