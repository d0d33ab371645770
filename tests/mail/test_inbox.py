"""Hostile mails become plain values: forty shapes made by ourselves, absurd ones, and noise; nothing raises, nothing takes long."""

import base64
import random
import time
from email.message import EmailMessage

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm.mail.inbox.parse import MOST_HTML, MOST_PARTS, Incoming, read, text_of
from crm.mail.inbox.quoting import folded
from crm.mail.inbox.words import addresses, header_text, message_ids

HEAD = b"From: Anna Virta <anna@virta.example>\r\nTo: support@kaisla.example\r\nSubject: Help\r\nMessage-ID: <one@virta.example>\r\nMIME-Version: 1.0\r\n"


def shape(head: bytes, body: bytes = b"Hello") -> bytes:
    return HEAD + head + b"\r\n\r\n" + body


def plain(charset: str, text: str, encoding: bytes = b"8bit") -> bytes:
    return shape(
        b"Content-Type: text/plain; charset=" + charset.encode() + b"\r\nContent-Transfer-Encoding: " + encoding,
        text.encode(charset),
    )


def parts(*bodies: bytes, kind: bytes = b"mixed") -> bytes:
    return shape(
        b"Content-Type: multipart/" + kind + b'; boundary="b"',
        b"".join(b"--b\r\n" + one + b"\r\n" for one in bodies) + b"--b--\r\n",
    )


TEXT = b"Content-Type: text/plain\r\n\r\nHello"
PAGE = b"Content-Type: text/html\r\n\r\n<p>Hello <b>you</b></p>"
FILE = (
    b'Content-Type: application/pdf\r\nContent-Disposition: attachment; filename="a.pdf"\r\nContent-Transfer-Encoding: base64\r\n\r\n'
    + base64.b64encode(b"%PDF")
)

SHAPES: list[tuple[str, bytes, dict]] = [  # name, mail, what is read of it
    ("plain", shape(b"Content-Type: text/plain"), {"text": "Hello", "subject": "Help", "key": "<one@virta.example>"}),
    ("no content type", HEAD + b"\r\nHello", {"text": "Hello"}),
    ("latin-1", plain("iso-8859-1", "Hyvää päivää"), {"text": "Hyvää päivää"}),
    ("utf-8", plain("utf-8", "Grüße ✓"), {"text": "Grüße ✓"}),
    ("utf-16", plain("utf-16", "Wide"), {"text": "Wide"}),
    ("japanese", plain("iso-2022-jp", "こんにちは"), {"text": "こんにちは"}),
    ("wrong charset", shape(b"Content-Type: text/plain; charset=us-ascii", "Hyvää".encode()), {"text": "Hyvää"}),
    ("unknown charset", shape(b"Content-Type: text/plain; charset=klingon", b"Hello"), {"text": "Hello"}),
    ("charset that is no text", shape(b"Content-Type: text/plain; charset=base64", b"Hello"), {"text": "Hello"}),
    ("windows bytes called utf-8", shape(b"Content-Type: text/plain; charset=utf-8", b"Caf\xe9 \x93x\x94"), {"text": "Café “x”"}),
    ("quoted-printable", shape(b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable", b"H=C3=A4=\r\n n"), {"text": "Hä n"}),
    ("broken quoted-printable", shape(b"Content-Transfer-Encoding: quoted-printable", b"a=ZZb="), {}),
    ("base64", shape(b"Content-Transfer-Encoding: base64", base64.b64encode(b"Hello")), {"text": "Hello"}),
    ("broken base64", shape(b"Content-Transfer-Encoding: base64", b"SGVsbG8*"), {}),
    ("unknown encoding", shape(b"Content-Transfer-Encoding: rot13", b"Hello"), {"text": "Hello"}),
    ("alternative", parts(TEXT, PAGE, kind=b"alternative"), {"text": "Hello"}),
    ("html only", shape(b"Content-Type: text/html", b"<p>One</p><p>Two<br>Three</p>"), {"text": "One\nTwo\nThree"}),
    ("mixed with file", parts(TEXT, FILE), {"text": "Hello", "files": [("a.pdf", b"%PDF")]}),
    ("file without a name", parts(TEXT, b"Content-Type: image/png\r\n\r\npng"), {"files": [("file", b"png")]}),
    ("encoded file name", parts(TEXT, FILE.replace(b'"a.pdf"', b'"=?utf-8?B?w6QucGRm?="')), {"files": [("ä.pdf", b"%PDF")]}),
    ("RFC 2231 file name", parts(TEXT, FILE.replace(b'filename="a.pdf"', b"filename*=utf-8''%C3%A4.pdf")), {"files": [("ä.pdf", b"%PDF")]}),
    ("file name with folders", parts(TEXT, FILE.replace(b"a.pdf", b"../../etc/passwd")), {"files": [("../../etc/passwd", b"%PDF")]}),
    ("mail in the mail", parts(TEXT, b"Content-Type: message/rfc822\r\n\r\n" + HEAD + b"\r\nInner"), {"text": "Hello", "names": ["message.eml"]}),
    ("boundary missing", shape(b"Content-Type: multipart/mixed", b"Hello"), {}),
    ("boundary never closed", shape(b'Content-Type: multipart/mixed; boundary="b"', b"--b\r\n" + TEXT), {"text": "Hello"}),
    ("boundary of another", shape(b'Content-Type: multipart/mixed; boundary="b"', b"--c\r\n" + TEXT), {}),
    ("lines of LF", HEAD.replace(b"\r\n", b"\n") + b"\nHello", {"text": "Hello", "subject": "Help"}),
    ("lines of CR", HEAD.replace(b"\r\n", b"\r") + b"\r\rHello", {}),
    ("encoded subject", shape(b"Subject: =?utf-8?Q?H=C3=A4t=C3=A4?=").replace(b"Subject: Help\r\n", b""), {"subject": "Hätä"}),
    ("broken encoded subject", shape(b"Subject: =?utf-8?B?!!?=").replace(b"Subject: Help\r\n", b""), {}),
    ("raw bytes in the subject", shape("Subject: Hätä".encode()).replace(b"Subject: Help\r\n", b""), {}),
    ("folded subject", shape(b"Subject: a\r\n b\r\n\tc").replace(b"Subject: Help\r\n", b""), {"subject": "a b c"}),
    ("two senders", shape(b"X: y").replace(b"anna@virta.example>", b"anna@virta.example>, mallory@evil.example"), {"sender": "anna@virta.example"}),
    ("name that looks like an address", shape(b"X: y").replace(b"Anna Virta", b'"boss@bank.example"'), {"sender": "anna@virta.example"}),
    ("no sender", HEAD.split(b"\r\n", 1)[1] + b"\r\nHello", {"sender": None}),
    ("control characters in the sender", shape(b"X: y").replace(b"Anna Virta", b"An\x00na\x07"), {}),
    ("no id", HEAD.replace(b"Message-ID: <one@virta.example>\r\n", b"") + b"\r\nHello", {"message_id": ""}),
    ("id with spaces", shape(b"X: y").replace(b"<one@virta.example>", b"<one two> <ok@x>"), {"message_id": "<ok@x>"}),
    ("auto-reply", shape(b"Auto-Submitted: auto-replied"), {"automatic_by": "Auto-Submitted"}),
    ("not automatic", shape(b"Auto-Submitted: no"), {"automatic_by": ""}),
    ("list", shape(b"List-Id: <x.example>"), {"automatic_by": "List-Id"}),
    ("empty", b"", {"sender": None, "text": ""}),
    ("only zeros", b"\x00" * 1000, {"sender": None}),
    ("headers without end", HEAD, {"subject": "Help", "text": ""}),
]  # fmt: skip


@pytest.mark.parametrize(("data", "wanted"), [one[1:] for one in SHAPES], ids=[one[0] for one in SHAPES])
def test_a_mail_of_each_shape_is_read(data: bytes, wanted: dict) -> None:
    found = read(data)
    said = {
        "sender": found.sender.addr if found.sender else None, "files": [(one.name, one.data) for one in found.files],
        "names": [one.name for one in found.files],
    }  # fmt: skip
    for name, value in wanted.items():
        assert said.get(name, getattr(found, name, None)) == value, name
    assert_clean(found)


def assert_clean(found: Incoming) -> None:
    for text in (found.subject, found.message_id, *(one.addr + one.name for one in (*found.to, *found.cc))):
        assert "\n" not in text
        assert "\r" not in text
    for text in (found.text, found.quoted, found.subject):
        text.encode("utf-8")
        assert "\x00" not in text
    assert "<script" not in found.html.lower()
    assert len(found.files) <= MOST_PARTS
    assert found.key


def test_there_are_forty_shapes_at_least():
    assert len(SHAPES) >= 40


def quickly(data: bytes, seconds: float = 1.0) -> Incoming:
    began = time.process_time()
    found = read(data)
    assert time.process_time() - began < seconds
    assert_clean(found)
    return found


def test_ten_thousand_headers_are_cut_and_the_mail_is_read():
    found = quickly(HEAD + b"".join(b"X-%d: y\r\n" % n for n in range(10_000)) + b"\r\nHello")
    assert (found.subject, found.text) == ("Help", "Hello")
    assert "too many headers" in found.faults


def test_too_many_parts_drop_the_files():
    found = quickly(parts(TEXT, *[FILE] * 30))
    assert found.files == []
    assert "too many parts" in found.faults


def test_parts_nested_a_thousand_deep_are_survived():
    body = b"Hello"
    opening = b"".join(b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (n, n) for n in range(2000))
    quickly(HEAD + opening + body, 3)


@pytest.mark.parametrize(
    "page",
    [
        b"<div>" * 100_000,
        b"<div>" * 3_000,
        b"<b><i>" * 1_400 + b"</b>" * 1_000,
        b"<" * 500_000,
        b"<a href='" * 50_000,
        b"<p>" + b"x" * (MOST_HTML * 2),
        b"&" * 200_000,
        b"<!--" * 100_000,
    ],
    ids=["deep", "less deep", "crossed", "open", "quotes", "long", "marks", "comments"],
)
def test_html_that_is_meant_to_hurt_takes_no_long(page: bytes) -> None:
    quickly(shape(b"Content-Type: text/html", page), 4)


@pytest.mark.parametrize(
    "text",
    [
        ">" * 300_000,
        "> \n" * 100_000 + "x",
        "On " * 100_000,
        ("On Monday\n" * 30_000),
        "From: x\n" * 30_000,
        "-" * 300_000,
        "=?" * 100_000,
    ],
)
def test_texts_that_are_meant_to_hurt_take_no_long(text: str) -> None:
    quickly(shape(b"Content-Type: text/plain", text.encode()))
    quickly(HEAD.replace(b"Help", text[:50_000].replace("\n", " ").encode()) + b"\r\nx")


def test_many_addresses_and_references_are_limited():
    found = quickly(
        b"From: a@x.example\r\nTo: " + b", ".join(b"p%d@x.example" % n for n in range(20_000)) + b"\r\nReferences: "
        + b" ".join(b"<r%d@x>" % n for n in range(20_000)) + b"\r\n\r\nx"
    )  # fmt: skip
    assert len(found.to) <= 50
    assert len(found.references) <= 50


def test_what_quotes_begins_where_mail_programs_say_so():
    for sign in (
        "On Mon, 2 Mar 2026, Support wrote:", "Ma 2. maalisk. 2026 Tuki kirjoitti:", "-----Original Message-----",
        "From: Support\nSent: Monday", "Am 2. März schrieb Support:", "On Monday, 2 March 2026 at 10:00,\nSupport <a@b> wrote:",
    ):  # fmt: skip
        assert folded(f"Mine\n\n{sign}\n> old")[0] == "Mine", sign
    assert folded("Mine\n> a quotation I answer\nMine too") == ("Mine\n> a quotation I answer\nMine too", "")
    assert folded("> only quoted")[0] == "> only quoted"
    assert folded("On the whole I am content.\nAnna")[1] == ""


def test_words_of_headers_never_carry_a_second_line():
    assert header_text("=?utf-8?Q?a=0D=0AB?=") == "a B"
    assert [one.addr for one in addresses(["a@x.example\r\nBcc: b@x.example, c@x.example"])][-1] == "c@x.example"
    assert message_ids("<a@b> junk <c d> <e@f>") == ("<a@b>", "<e@f>")
    assert text_of("<p>a</p><ul><li>b<li>c</ul>").split() == ["a", "b", "c"]


def test_what_our_own_assembler_makes_is_read_back():
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = "Anna <a@x.example>", "b@x.example", "Ä" * 100
    made.set_content("ä" * 5000)
    made.add_alternative("<p>ä</p>", subtype="html")
    made.add_attachment(bytes(range(256)), maintype="application", subtype="octet-stream", filename="ä.bin")
    found = read(made.as_bytes())
    assert (found.subject, found.text, found.files[0].data) == ("Ä" * 100, "ä" * 5000, bytes(range(256)))


def bitten(data: bytes, dice: random.Random) -> bytes:
    """A copy with some bytes changed, gone or put in."""
    broken = bytearray(data)
    for _bite in range(dice.randint(1, 8) if broken else 0):
        at = dice.randrange(len(broken) or 1)
        piece = bytes(dice.choices(b'\r\n\0:;=?"<>-@', k=dice.randint(0, 6)))
        broken[at : at + dice.randint(0, 30)] = piece
    return bytes(broken)


def test_broken_copies_of_every_shape_are_survived():
    dice = random.Random(7)
    for _name, data, _wanted in SHAPES:
        for _copy in range(25):
            assert_clean(read(bitten(data, dice)))


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=3000), st.lists(st.sampled_from([b"\r\n", b"\n", b"--b", b"Content-Type: multipart/mixed; boundary=b", b"From: a@b.example", b"=?utf-8?B?", b'"', b"message/rfc822", b"\x00", b"Content-Transfer-Encoding: base64"]), max_size=30))  # fmt: skip
def test_noise_is_survived(noise: bytes, pieces: list[bytes]) -> None:
    assert_clean(read(b"\r\n".join(pieces) + noise))
    assert_clean(read(HEAD + b"\r\n".join(pieces) + b"\r\n\r\n" + noise))
