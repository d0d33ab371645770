"""Addresses and header texts are checked when they are made, so that nothing later can be tricked."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.mail.message import Address, Attachment, BadAddress, BadHeader, Envelope, Message, email_key, one_line


@pytest.mark.parametrize(
    ("given_addr", "clean"),
    [
        ("anna@example.com", "anna@example.com"),
        (" Anna.Maria@EXAMPLE.Com ", "Anna.Maria@example.com"),
        ("anna@jörgensen.example", "anna@xn--jrgensen-n4a.example"),
        ("anna@ΠΑΡΆΔΕΙΓΜΑ.test", "anna@xn--hxajbheg2az3al.test"),
        ('"anna"@example.com', "anna@example.com"),
        ('"anna maria"@example.com', '"anna maria"@example.com'),
        ('"a\\"b@c"@example.com', '"a\\"b@c"@example.com'),
        ("o'neil+tag/x=y@example.co.uk", "o'neil+tag/x=y@example.co.uk"),
        ("jüri@example.com", "jüri@example.com"),
        ("root@localhost", "root@localhost"),
        ("a" * 64 + "@example.com", "a" * 64 + "@example.com"),
    ],
)
def test_good_addresses_get_one_canonical_spelling(given_addr: str, clean: str) -> None:
    assert Address(given_addr).addr == clean


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        ("", "form"),
        ("anna", "form"),
        ("@example.com", "form"),
        ("anna@", "form"),
        ("a" * 65 + "@example.com", "local_length"),
        ("ä" * 33 + "@example.com", "local_length"),
        ("anna..maria@example.com", "local"),
        (".anna@example.com", "local"),
        ("anna maria@example.com", "local"),
        ("anna@exa mple.com", "domain"),
        ("anna@-example.com", "domain"),
        ("anna@example", "domain"),
        ("anna@example.123", "domain"),
        ("anna@[127.0.0.1]", "domain"),
        ("anna@" + "a" * 64 + ".example", "domain"),
        ("anna@" + ".".join(["a" * 60] * 5), "domain"),
        ("anna@example.com\r\nRCPT TO:<b@example.com>", "control"),
        ("anna\n@example.com", "control"),
        ("anna\x00@example.com", "control"),
        ('"anna\r\n"@example.com', "control"),
        ("anna\u2028@example.com", "control"),
        ("<anna@example.com>", "local"),
        ("a@b@example.com", "local"),
    ],
)
def test_bad_addresses_are_refused_with_a_reason(bad: str, code: str) -> None:
    with pytest.raises(BadAddress) as refusal:
        Address(bad)
    assert refusal.value.code == code
    assert str(refusal.value).endswith(".")


def test_two_spellings_of_one_address_have_one_key() -> None:
    assert email_key(" Anna@Jörgensen.EXAMPLE") == email_key("anna@xn--jrgensen-n4a.example")
    assert email_key("anna+x@example.com") != email_key("anna@example.com")


@pytest.mark.parametrize("bad", ["a\rb", "a\nb", "a\x00b", "a\r\nBcc: x@example.com", "\x85", "\u2029", "\ud800"])
def test_control_characters_are_refused_in_names_subjects_and_file_names(bad: str) -> None:
    with pytest.raises(BadHeader):
        Address("anna@example.com", bad)
    with pytest.raises(BadHeader):
        Attachment(bad, "text/plain", b"")
    with pytest.raises(BadHeader):
        Message(Address("a@example.com"), Address("b@example.com"), bad, datetime.now(UTC), "<1@example.com>", text="x")


@given(st.text(alphabet=st.characters(), max_size=60))
def test_one_line_makes_any_text_fit_for_a_header(text: str) -> None:
    assert Address("anna@example.com", one_line(text)).name == one_line(text)
    assert one_line("a\r\nBcc: x") == "a Bcc: x"


@pytest.mark.parametrize(
    "path", ["a b@example.com", "a@example.com>", "a\r\n@example.com", "nobody", "", '"a\n"@example.com']
)
def test_an_envelope_takes_no_address_that_could_be_a_command(path: str) -> None:
    with pytest.raises(BadAddress):
        Envelope("sender@example.com", path)


def test_an_envelope_takes_an_empty_sender_and_quoted_local_parts() -> None:
    assert Envelope("", '"anna maria"@example.com').recipient == '"anna maria"@example.com'
    assert Envelope("jüri@example.com", "a@example.com").needs_smtputf8


def test_an_attachment_needs_a_simple_media_type() -> None:
    for bad in ("text", "text/plain; name=x", "multipart/mixed", "message/rfc822", "text/plain\r\n"):
        with pytest.raises(BadHeader):
            Attachment("a.txt", bad, b"")


def test_a_message_needs_a_body_and_a_zone() -> None:
    anna = Address("a@example.com")
    with pytest.raises(BadHeader, match="text or an HTML"):
        Message(anna, anna, "s", datetime.now(UTC), "<1@example.com>")
    with pytest.raises(BadHeader, match="time zone"):
        Message(anna, anna, "s", datetime(2026, 1, 1), "<1@example.com>", text="x")
