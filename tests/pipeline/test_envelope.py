"""The headers that let a reader's program leave, sort and answer a mail."""

from datetime import UTC, datetime
from email import policy
from email.parser import BytesParser

import pytest

from crm.mail.message import Address
from crm.mail.senders import read_return_path
from ecp.pipeline.envelope import Letterhead, bounce_token, read_bounce_token
from ecp.pipeline.track import Sealer

SEALER = Sealer([bytes(range(64))])
AT = datetime(2026, 11, 21, 12, tzinfo=UTC)
TO = Address("anna@example.org", "Anna Äyräväinen")


def letterhead(**said):
    values = {
        "sender": Address("news@example.com", "Example news"), "secret": b"k" * 32, "mailbox": "bounces@example.com",
        "public_host": "hub.example.com", "list_slug": "news", "list_name": "News",
    }  # fmt: skip
    return Letterhead(**(values | said))


def parsed(head, **said):
    leave = head.envelope(TO, bounce_token(SEALER.octets("bounce", 9, 6))).sender
    said = {"one_click": "https://hub.example.com/u1/" + SEALER.seal("one_click", 9), "leave": leave} | said
    lines = head.lines(TO, said.pop("subject", "Hello"), AT, head.message_id(9), **said)
    return BytesParser(policy=policy.default).parsebytes(b"".join(lines) + b"\r\n")


def test_a_mail_can_be_left_by_https_and_by_mail_and_says_one_click():
    mail = parsed(letterhead())
    uris = [part.strip() for part in mail["List-Unsubscribe"].split(",")]
    assert len([uri for uri in uris if uri.startswith("<https:")]) == 1
    assert uris[1].startswith("<mailto:bounces+")
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_a_list_has_one_id_under_our_own_host_or_else_the_senders_domain():
    assert parsed(letterhead())["List-Id"] == '"News" <news.hub.example.com>'
    assert parsed(letterhead(list_name="Päivät"))["List-Id"] == "<news.hub.example.com>"
    assert parsed(letterhead(public_host="127.0.0.1"))["List-Id"] == '"News" <news.example.com>'
    assert parsed(letterhead(list_slug=None))["List-Id"] is None


def test_the_message_id_is_the_same_on_every_try_and_unlike_everybodys():
    head = letterhead()
    assert head.message_id(9) == letterhead().message_id(9) != head.message_id(10)
    assert parsed(head)["Message-ID"] == head.message_id(9)
    assert "9@" not in head.message_id(9)


def test_only_mail_that_nobody_sent_by_hand_says_so():
    assert parsed(letterhead())["Auto-Submitted"] is None
    assert parsed(letterhead(is_automatic=True))["Auto-Submitted"] == "auto-generated"
    assert parsed(letterhead())["Precedence"] == "bulk"


@pytest.mark.parametrize("name", ["A\r\nBcc: victim@example.net", "A\nB", "A\x00B", "\u202eevil", "👋 hi"])
def test_a_name_in_the_subject_adds_no_header(name):
    mail = parsed(letterhead(), subject=f"Hello {name}")
    assert mail["Bcc"] is None
    assert len(mail.get_all("Subject")) == 1
    assert "\n" not in str(mail["Subject"])


def test_a_bounce_comes_back_to_an_address_that_names_the_delivery_sealed():
    sealed = SEALER.octets("bounce", 9, 6)
    envelope = letterhead().envelope(TO, bounce_token(sealed))
    token = read_return_path(envelope.sender.upper(), "bounces@example.com")
    assert SEALER.open_octets("bounce", read_bounce_token(token)) == 9


def test_a_mailbox_that_cannot_carry_a_token_gets_bounces_without_one():
    long = "a-very-long-name-for-a-mailbox@example.com"
    assert letterhead(mailbox=long).envelope(TO, bounce_token(b"x" * 24)).sender == long


def test_a_test_mail_has_nothing_to_leave_by():
    assert parsed(letterhead(), one_click="")["List-Unsubscribe"] is None
