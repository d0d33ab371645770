"""Pictures of records print as pictures in Word and Writer documents, and as nothing elsewhere."""

import io
import struct
import zipfile
import zlib

import pytest

from crm.documents import converting, making, package, pictures
from crm.engine import pictures as own
from crm.engine.channels import Channel
from tests.documents.samples import WRITERS
from tests.documents.sheets import excel, read_excel
from tests.documents.test_filling import lines
from tests.documents.test_pdf import has_office


def png(width=30, height=20):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\x00" + b"\x20\x60\xa0" * width for _row in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


JPEG = b"\xff\xd8\xff\xe0\x00\x04ab\xff\xc0\x00\x11\x08\x00\x14\x00\x1e" + b"\0" * 12
SIZES = {"png": (png(), (30, 20)), "jpeg": (JPEG, (30, 20)), "webp": (b"RIFF1234WEBP" + b"\0" * 30, None), "cut": (JPEG[:9], None), "text": (b"x", None)}  # fmt: skip


@pytest.mark.parametrize("kind", SIZES)
def test_the_size_of_a_picture_is_read_from_its_octets(kind):
    data, size = SIZES[kind]
    assert pictures.size_of(data) == size


@pytest.mark.parametrize("writer", WRITERS, ids=["docx", "odt"])
def test_a_picture_stands_where_its_tag_stood(writer, make, template, people):
    contact = make("contacts", last_name="Virta \ue000x:0\ue001", owner_id=people.alice)
    own.give(people["alice"], "contacts", contact, "face.png", io.BytesIO(png()), Channel.FORM)
    file = writer.file(
        writer.p("{$picture_id}"), writer.p("a {$picture_id} b", "{$last_name}"), writer.p("{if $picture_id}c{/if}")
    )
    id = template(file, writer.ending, file_name="{$last_name}{$picture_id}", module="contacts")
    made = making.filled(people["alice"], making.template_of(id), contact)
    held = package.read(f"x.{writer.ending}", made.data)  # what is made may be a template again: nothing in it fetches
    folder = "word/media" if writer.ending == "docx" else "Pictures"
    assert [name for name in held.parts if name.startswith(folder)] == [
        f"{folder}/filled0.png",
        f"{folder}/filled1.png",
    ]
    assert held.parts[f"{folder}/filled1.png"] == png()
    body = held.parts["word/document.xml" if writer.ending == "docx" else "content.xml"]
    assert body.count(b"<wp:inline" if writer.ending == "docx" else b"<draw:frame") == 2
    assert b'cx="1440000" cy="960000"' in body or b':width="4.00cm"' in body
    text = lines(made.data, writer.ending)
    assert (text[0], text[-1]) == ("", "c")
    assert text[1].startswith("a  bVirta")
    assert "filled" not in made.name
    if has_office and writer.ending == "docx":
        assert b"/Image" in converting.to_pdf([(made.format, made.data)])[0]


def test_elsewhere_and_without_a_picture_nothing_is_printed(make, template, people):
    contact = make("contacts", last_name="Virta", owner_id=people.alice)
    sheet = making.template_of(template(excel([["x{$picture_id}", "{$picture_id}"]]), "xlsx"))
    assert read_excel(making.filled(people["alice"], sheet, contact).data) == [["x", ""]]
    own.give(people["alice"], "contacts", contact, "face.png", io.BytesIO(png()), Channel.FORM)
    assert read_excel(making.filled(people["alice"], sheet, contact).data) == [["x", ""]]
    word = WRITERS[0]
    letter = making.template_of(template(word.file(word.p("{$picture_id}x"))))
    narrow = make("contacts", last_name="Other", owner_id=people.alice)
    made = making.filled(people["alice"], letter, narrow)
    assert not [name for name in zipfile.ZipFile(io.BytesIO(made.data)).namelist() if "media" in name]
    assert made.empty == ("{$picture_id}",)
