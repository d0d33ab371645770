"""Our signatures are verified by somebody else's verifier (dkimpy), and a changed mail is not."""

from datetime import UTC, datetime

import dkim as dkimpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm.mail.assemble import build
from crm.mail.dkim import Signer, canonicalize_body, make_key, sign
from crm.mail.message import Address, BadAddress, Message

RSA = Signer("example.com", "s2026", make_key("rsa"))
ED = Signer("example.com", "e2026", make_key("ed25519"))


def records(name: bytes, timeout: int = 5) -> bytes:
    known = {f"{signer.record_name}.": signer.record for signer in (RSA, ED)}
    return known[name.decode()].encode()


def is_good(mail: bytes, index: int = 0) -> bool:
    try:
        return bool(dkimpy.DKIM(mail).verify(idx=index, dnsfunc=records))
    except dkimpy.ValidationError:
        return False


def a_mail(signers: list[Signer], text: str = "Hello\n", subject: str = "Hello") -> bytes:
    headers = (
        ("List-Unsubscribe", f"<https://hub.example/u1/{'t' * 80}>,  <mailto:leave@example.com>"),
        ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
        ("X-Unsigned", "may change"),
    )
    message = Message(
        Address("news@example.com", "Exämple Oy"), Address("anna@example.org", "Anna, \"A\" Ö" * 5), subject,
        datetime(2026, 11, 21, tzinfo=UTC), "<1@example.com>", text, "<p>Hello</p>", headers=headers,
    )  # fmt: skip
    return build(message, signers)


@pytest.mark.parametrize("signer", [RSA, ED])
def test_a_verifier_of_another_make_accepts_our_signature(signer: Signer) -> None:
    assert is_good(a_mail([signer]))


def test_two_keys_sign_one_mail() -> None:
    mail = a_mail([RSA, ED])
    assert mail.count(b"DKIM-Signature:") == 2
    assert is_good(mail, 0)
    assert is_good(mail, 1)


@settings(max_examples=40, deadline=None)
@given(st.text(alphabet=st.characters(exclude_categories=("Cs",)), min_size=1, max_size=300), st.text(max_size=120))
def test_any_text_and_subject_can_be_signed(text: str, subject: str) -> None:
    from crm.mail.message import one_line

    assert is_good(a_mail([ED], text, one_line(subject)))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"Subject: Hello", b"Subject: Hallo"),
        (b"<p>Hello", b"<p>Hallo"),
        (b"From: ", b"From: x@example.net\r\nFrom: "),
        (b"Subject: ", b"Subject: Other\r\nSubject: "),
        (b"hub.example", b"hub.invalid"),
        (b"List-Unsubscribe=One-Click", b"List-Unsubscribe=Two-Clicks"),
        (b"anna@example.org", b"bert@example.org"),
    ],
)
def test_a_changed_or_added_header_or_body_breaks_the_signature(old: bytes, new: bytes) -> None:
    mail = a_mail([RSA])
    changed = mail.replace(old, new, 1)
    assert changed != mail
    assert not is_good(changed)


def test_what_may_change_on_the_way_does_not_break_it() -> None:
    mail = a_mail([RSA])
    assert is_good(b"Received: from a by b\r\n" + mail.replace(b"X-Unsigned: may", b"X-Unsigned: did"))
    assert is_good(mail + b"\r\n\r\n")
    assert is_good(mail.replace(b"Subject: Hello", b"subject:   Hello  "))


def test_both_unsubscribe_headers_are_covered_and_from_is_oversigned() -> None:
    signature = a_mail([RSA]).split(b"\r\nFrom:")[0].replace(b"\r\n ", b" ")
    names = signature.partition(b" h=")[2].partition(b";")[0].replace(b" ", b"").split(b":")
    assert names.count(b"from") == 2
    assert {b"list-unsubscribe", b"list-unsubscribe-post", b"message-id", b"mime-version"} <= set(names)
    assert b"x-unsigned" not in names
    assert b" l=" not in signature


def test_repeated_headers_are_signed_from_the_last_to_the_first() -> None:
    lines = [b"From: a@example.com\r\n", b"References: <1@x>\r\n", b"References: <2@x>\r\n", b"To: b@example.com\r\n"]
    body = b"x\r\n"
    mail = b"".join([*sign([RSA], lines, body, 1_700_000_000), *lines, b"\r\n", body])
    assert is_good(mail)


@pytest.mark.parametrize(
    ("body", "canonical"),
    [(b"", b"\r\n"), (b"x", b"x\r\n"), (b"x\r\n\r\n\r\n", b"x\r\n"), (b"\r\n\r\n", b"\r\n"), (b"x\r\n", b"x\r\n")],
)
def test_simple_body_form_is_that_of_the_standard(body: bytes, canonical: bytes) -> None:
    assert canonicalize_body(body) == canonical


def test_the_record_for_the_name_server_is_cut_into_legal_strings() -> None:
    assert RSA.record_name == "s2026._domainkey.example.com"
    assert len(RSA.record) > 255
    assert all(len(piece) <= 255 for piece in RSA.zone_line.split('"')[1::2])
    assert "".join(RSA.zone_line.split('"')[1::2]) == RSA.record
    assert ED.record.startswith("v=DKIM1; k=ed25519; p=")


def test_bad_keys_and_names_are_refused_and_keys_stay_out_of_logs() -> None:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    curve = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    with pytest.raises(ValueError, match="RSA or Ed25519"):
        Signer("example.com", "s", curve)
    with pytest.raises(BadAddress):
        Signer("example.com", "s;\r\nx", ED.key_pem)
    assert "PRIVATE" not in repr(RSA)
