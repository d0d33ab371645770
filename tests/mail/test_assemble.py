"""What we assemble, the standard library reads back exactly; no line breaks a rule of the mail standards."""

import re
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import parseaddr, parsedate_to_datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from crm.mail.assemble import assemble, build, compile_parts, extra_header
from crm.mail.headers import address_header, raw_header, text_header
from crm.mail.message import Address, Attachment, BadHeader, Message, Settled
from crm.mail.quoted_printable import encode_piece, join_pieces

WHEN = datetime(2026, 11, 21, 12, 30, tzinfo=UTC)
# Everything a header may hold: emoji, right-to-left letters and marks, combining signs; controls are refused elsewhere.
header_text = st.text(
    alphabet=st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")), max_size=200
)  # fmt: skip
body_text = st.text(alphabet=st.characters(exclude_categories=("Cs",)), max_size=400)


def read(data: bytes) -> EmailMessage:
    return message_from_bytes(data, policy=policy.default)  # type: ignore[return-value]


def lines_are_legal(data: bytes) -> None:
    assert b"\n" not in data.replace(b"\r\n", b"")
    assert b"\r" not in data.replace(b"\r\n", b"")
    assert b"\r\n." not in data
    assert max(map(len, data.split(b"\r\n"))) <= 998


def a_message(**changes: object) -> Message:
    values: dict[str, object] = {
        "sender": Address("news@example.com", "Example Oy"),
        "to": Address("anna@example.org", "Anna"),
        "subject": "Hello",
        "date": WHEN,
        "message_id": "<1@example.com>",
        "text": "Hello\n",
        "html": "<p>Hello</p>\n",
    }
    return Message(**(values | changes))  # type: ignore[arg-type]


def unix(text: str) -> str:
    return re.sub(r"\r\n|\r", "\n", text)


@given(text=body_text, html=body_text)
@example(text=".\n..\n.\r\n\r\nFrom me\n", html="x " * 500)
@example(text="a=\n=", html=" \n\t\n" + "ä" * 200)
@example(text="x" * 72 + " \n", html="x" * 74 + "=\u05d0")
def test_texts_come_back_exactly(text: str, html: str) -> None:
    data = build(a_message(text=text or "-", html=html or "-"))
    lines_are_legal(data)
    assert max(map(len, data.split(b"\r\n"))) <= 76
    plain, rich = read(data).iter_parts()
    assert unix(plain.get_payload(decode=True).decode()) == unix(text or "-")
    assert unix(rich.get_payload(decode=True).decode()) == unix(html or "-")


@given(st.lists(body_text, min_size=1, max_size=12))
@example([" ", "\n", ".", "", "\t"])
def test_any_pieces_joined_are_the_pieces_text(pieces: list[str]) -> None:
    parts = compile_parts(has_text=True, has_html=True)
    data = bytes(assemble([b"Subject: x\r\n"], parts, list(map(encode_piece, pieces)), [encode_piece("<p>")]))
    lines_are_legal(data)
    plain = next(read(data).iter_parts())
    assert unix(plain.get_payload(decode=True).decode()) == "".join(map(unix, pieces))


@given(header_text)
@example("=?utf-8?q?not_coded?=")
@example("a" * 2000)
@example("ä" * 300)
@example("👩‍👩‍👧‍👦" * 30 + " שלום עולם \u202eabc\u202c")
@example(" leading and  double  ")
@example("word " * 60)
@example("a=?b " + "x" * 100)
def test_subjects_come_back_exactly(subject: str) -> None:
    data = text_header("Subject", subject) + b"\r\nbody"
    lines_are_legal(data)
    assert all(len(line) <= 76 for line in data.split(b"\r\n"))
    assert data.isascii()
    assert read(data)["Subject"] == subject


@given(header_text)
@example('a "quoted" \\ name, with (signs) <x@example.com>')
@example("Ä" * 120)
@example("=?utf-8?q?x?=")
@example("a" * 70)
@example("a  b")
def test_names_come_back_exactly(name: str) -> None:
    data = address_header("To", Address("anna@example.org", name)) + b"\r\nbody"
    lines_are_legal(data)
    assert data.isascii()
    (address,) = read(data)["To"].addresses
    assert address.addr_spec == "anna@example.org"
    # The newer parser of Python 3.11 puts a space between two encoded words of a name (RFC 2047 6.2 says none); the older
    # one reads them right.
    phrase, addr = parseaddr(str(message_from_bytes(data)["To"]))
    assert (str(make_header(decode_header(phrase))), addr) == (name, "anna@example.org")


def test_several_addresses_are_folded() -> None:
    people = [Address(f"person{n}@example.org", f"Person, Nö {n}") for n in range(12)]
    data = address_header("Reply-To", *people) + b"\r\nbody"
    lines_are_legal(data)
    assert [a.addr_spec for a in read(data)["Reply-To"].addresses] == [person.addr for person in people]


def test_idn_domains_and_quoted_local_parts_are_written_so_that_they_can_be_read() -> None:
    data = build(a_message(to=Address('"anna maria"@jörgensen.example', "Anna")))
    (address,) = read(data)["To"].addresses
    assert (address.username, address.domain) == ("anna maria", "xn--jrgensen-n4a.example")
    assert data.isascii()


@given(st.text(min_size=1, max_size=40))
def test_no_text_adds_a_header(attempt: str) -> None:
    hostile = f"{attempt}\r\nBcc: victim@example.net\r\n\r\nbody"
    for make in (text_header, raw_header, extra_header):
        with pytest.raises(BadHeader):
            make("X-Test", hostile)
    with pytest.raises(BadHeader):
        text_header(f"X\r\n{attempt}", "x")


@pytest.mark.parametrize("name", ["From", "to", "SUBJECT", "Content-Type", "DKIM-Signature", "Message-ID"])
def test_headers_that_the_post_office_writes_cannot_be_added(name: str) -> None:
    with pytest.raises(BadHeader, match="post office"):
        extra_header(name, "x")


def test_all_headers_of_a_single_mail_are_there_once() -> None:
    more = (
        ("List-Unsubscribe", f"<https://hub.example/u1/{'t' * 60}>, <mailto:leave+{'t' * 40}@example.com>"),
        ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
        ("List-Id", "Märkäset".encode("ascii", "ignore").decode() + " <news.example.com>"),
        ("X-Campaign", "Syysjuhlat ja hää"),
    )
    data = build(a_message(headers=more, reply_to=Address("hello@example.com")))
    lines_are_legal(data)
    mail = read(data)
    for name in ("From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type", "Reply-To"):
        assert len(mail.get_all(name)) == 1
    assert parsedate_to_datetime(str(mail["Date"])) == WHEN
    for name, value in more:
        assert re.sub(r"\s+", " ", str(mail[name])) == value


def test_files_and_inline_pictures_find_their_place() -> None:
    files = (
        Attachment('ohje äö "1".pdf', "application/pdf", bytes(range(256)) * 40),
        Attachment("x" * 150 + "é.txt", "text/plain", b"line\n.\nFrom x\n"),
        Attachment("empty.bin", "application/octet-stream", b""),
    )
    picture = Attachment("logo.png", "image/png", b"\x89PNG" + b"." * 500, content_id="logo@example.com")
    data = build(a_message(attachments=files, inline=(picture,)))
    lines_are_legal(data)
    mail = read(data)
    assert mail.get_content_type() == "multipart/mixed"
    assert mail.get_body(("plain",)).get_content().splitlines() == ["Hello"]  # type: ignore[union-attr]
    assert mail.get_body(("html",)).get_content().splitlines() == ["<p>Hello</p>"]  # type: ignore[union-attr]
    found = list(mail.iter_attachments())
    assert [part.get_filename() for part in found] == [file.name for file in files]
    assert [part.get_payload(decode=True) for part in found] == [file.data for file in files]
    (related,) = [part for part in mail.walk() if part.get_content_type() == "multipart/related"]
    image = list(related.iter_parts())[1]
    assert (image["Content-ID"], image.get_payload(decode=True)) == ("<logo@example.com>", picture.data)
    assert image.get_content_disposition() == "inline"


@pytest.mark.parametrize("only", ["text", "html"])
def test_a_mail_of_one_part_is_not_multipart(only: str) -> None:
    data = build(a_message(**{"text": "", "html": "", only: "Näin\n"}))
    mail = read(data)
    assert mail.get_content_type() == {"text": "text/plain", "html": "text/html"}[only]
    assert mail.get_content().splitlines() == ["Näin"]
    assert data.endswith(b"\r\n")


def test_boundaries_are_stable_for_a_version_and_cannot_occur_in_a_text() -> None:
    first, again = (compile_parts(has_text=True, has_html=True, version="v1") for _ in range(2))
    other = compile_parts(has_text=True, has_html=True, version="v2")
    assert first == again != other
    boundary = first.before_html.splitlines()[1].removeprefix(b"--")
    assert boundary.startswith(b"=_")
    assert boundary not in encode_piece(boundary.decode())


def test_the_fast_path_and_the_single_mail_give_the_same_bytes() -> None:
    message = a_message(text="Hei Änna!\n", html="<p>Hei Änna!</p>")
    from crm.mail.assemble import message_headers

    parts = compile_parts(has_text=True, has_html=True, version=message.message_id)
    fast = assemble(message_headers(message), parts, [encode_piece("Hei Änna!\n")], [encode_piece("<p>Hei Änna!</p>")])
    assert isinstance(fast, Settled)
    assert bytes(fast) == build(message)
    assert len(fast) == len(build(message))
    assert fast.isascii()
    assert fast.body.isascii()


def test_a_lone_surrogate_fails_this_mail_only_and_at_once() -> None:
    with pytest.raises(UnicodeEncodeError):
        encode_piece("\ud800")


def test_the_last_soft_break_never_ends_a_part() -> None:
    assert join_pieces([encode_piece("a "), encode_piece("b ")]) == b"a =\r\nb=20"
    assert join_pieces([]) == b""
    assert join_pieces([encode_piece("")]) == b""


def test_a_word_that_fits_no_line_is_refused_where_it_cannot_be_encoded() -> None:
    with pytest.raises(BadHeader, match="longer than a line"):
        raw_header("List-Unsubscribe", "<https://example.com/" + "a" * 1000 + ">")
    with pytest.raises(BadHeader, match="ASCII"):
        raw_header("List-Id", "<ä.example.com>")
