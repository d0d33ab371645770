"""The SMTP transaction against a server that misbehaves: every end is told apart, nothing is sent that was not offered."""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from crm.mail.message import Envelope
from crm.mail.outcome import Outcome
from crm.mail.smtp import SmtpConnection, SmtpServer, Timeouts, wire
from tests.mail.smtp_server import SmtpSink, chosen, running

ANNA = Envelope("bounces+1@example.com", "anna@example.org")
MAIL = b"From: a@example.com\r\nTo: anna@example.org\r\nSubject: x\r\n\r\nHello\r\n"
QUICK = Timeouts(connect=3, banner=1, mail=1, rcpt=1, data=1, block=1, dot=1)
BOTH_WAYS = pytest.mark.parametrize("extra", [(), ("no-pipelining",)], ids=["pipelining", "one by one"])


def to(
    sink: SmtpSink, options: str = "", timeouts: Timeouts = QUICK, login: str = "", scheme: str = "smtp"
) -> SmtpConnection:
    return SmtpServer(f"{scheme}://{login}localhost:{sink.port}{options}", timeouts=timeouts).connection()


@pytest.fixture
def sink() -> Iterator[SmtpSink]:
    with running("strict", "keep") as sink:
        yield sink


def send(connection: SmtpConnection, data: bytes = MAIL, envelope: Envelope = ANNA) -> Outcome:
    outcome = connection.send(envelope, data)
    connection.close()
    return outcome


@BOTH_WAYS
def test_a_mail_is_taken_and_the_next_one_uses_the_same_connection(extra: tuple[str, ...]) -> None:
    with running("strict", "keep", *extra) as sink:
        connection = to(sink)
        for _ in range(3):
            outcome = connection.send(ANNA, MAIL)
            assert (outcome.kind, outcome.stage, outcome.code, outcome.is_open) == ("accepted", "dot", 250, True)
        connection.close()
        assert sink.connections == 1
        assert [entry["text"] for entry in sink.log] == [MAIL.decode()] * 3
        assert sink.log[0]["sender"] == ANNA.sender


@BOTH_WAYS
@pytest.mark.parametrize("stage", ["mail", "rcpt", "data", "dot"])
@pytest.mark.parametrize(("reply", "permanent"), [("451 4.3.0 later", False), ("550 5.7.1 never", True)])
def test_a_refusal_names_its_stage_and_the_connection_goes_on(
    extra: tuple[str, ...], stage: str, reply: str, permanent: bool
) -> None:
    with running(f"refuse-once:{stage}:{reply}", *extra) as sink:
        connection = to(sink)
        first = connection.send(ANNA, MAIL)
        assert (first.kind, first.stage, first.code) == ("refused", stage, int(reply[:3]))
        assert (first.is_permanent, first.enhanced, first.is_open) == (permanent, reply[4:9], True)
        assert connection.send(ANNA, MAIL).kind == "accepted"
        connection.close()
        assert sink.connections == 1
        assert sink.taken == [ANNA.recipient]


@BOTH_WAYS
@pytest.mark.parametrize(
    ("stage", "kind", "where"),
    [
        ("banner", "unreachable", "banner"),
        ("ehlo", "unreachable", "ehlo"),
        ("mail", "not_sent", "mail"),
        ("rcpt", "not_sent", "rcpt"),
        ("data", "not_sent", "data"),
        ("dot", "in_doubt", "dot"),
    ],
)
def test_a_connection_that_ends_is_told_by_its_moment(
    extra: tuple[str, ...], stage: str, kind: str, where: str
) -> None:
    with running(f"close:{stage}", *extra) as sink:
        connection = to(sink)
        outcome = connection.send(ANNA, MAIL)
        assert (outcome.kind, outcome.stage, outcome.is_open) == (kind, where, False)
        assert not connection.is_open
        assert outcome.text


@pytest.mark.parametrize("stage", ["mail", "rcpt", "data", "dot"])
def test_no_reply_in_time_is_the_same_as_none(stage: str) -> None:
    with running(f"delay:{stage}:5") as sink:
        times = Timeouts(connect=2, banner=2, mail=0.3, rcpt=0.3, data=0.3, block=1, dot=0.3)
        outcome = send(to(sink, timeouts=times))
        assert (outcome.kind, outcome.stage) == ("in_doubt" if stage == "dot" else "not_sent", stage)
        assert "0.3 s" in outcome.text


@pytest.mark.parametrize("stage", ["mail", "rcpt", "data", "dot", "banner"])
def test_a_reply_that_is_none_ends_the_session(stage: str) -> None:
    with running(f"garbage:{stage}") as sink:
        outcome = send(to(sink))
        assert outcome.kind == {"dot": "in_doubt", "banner": "unreachable"}.get(stage, "not_sent")
        assert "does not speak SMTP" in outcome.text


def test_a_slow_answer_after_the_dot_is_waited_for() -> None:
    with running("delay:dot:0.5") as sink:
        assert send(to(sink, timeouts=Timeouts())).kind == "accepted"


def test_the_time_outs_are_not_shorter_than_the_standard_asks() -> None:
    times = Timeouts()
    assert (times.banner, times.mail, times.rcpt, times.data, times.block, times.dot) == (300, 300, 300, 120, 180, 600)


def test_a_server_that_hangs_up_in_the_text_cannot_have_the_mail_when_its_end_was_never_written() -> None:
    with running("close:text") as sink:
        outcome = send(to(sink), MAIL + b"x" * 70 + b"\r\n" * 4_000_000)
        assert (outcome.kind, outcome.stage) == ("not_sent", "text")
        assert not sink.log


def test_a_small_text_that_was_written_whole_is_in_doubt() -> None:
    with running("close:text") as sink:
        outcome = send(to(sink))
        assert (outcome.kind, outcome.stage) == ("in_doubt", "dot")


def test_over_tls_only_the_last_record_leaves_a_doubt() -> None:
    with running("tls", "close:text") as sink:
        connection = to(sink, f"?ca={sink.certificate}", scheme="smtps")
        assert send(connection, MAIL + b"\r\n" * 4_000_000).kind == "not_sent"


def test_250_and_then_the_end_is_accepted() -> None:
    with running("reply-then-close:dot") as sink:
        connection = to(sink)
        assert connection.send(ANNA, MAIL).kind == "accepted"
        time.sleep(0.05)
        assert connection.send(ANNA, MAIL).kind == "accepted"
        connection.close()
        assert sink.connections == 2
        assert len(sink.taken) == 2


@BOTH_WAYS
def test_a_limit_of_mails_is_met_with_a_new_connection_and_learned(extra: tuple[str, ...]) -> None:
    with running("limit:10", *extra) as sink:
        connection = to(sink)
        for _ in range(60):
            assert connection.send(ANNA, MAIL).kind == "accepted"
        assert connection.server.mails_per_connection == 10
        connection.close()
        assert sink.connections == 6
        assert len(sink.taken) == 60
        # Two 421 taught the limit; after that none was asked for.
        assert sum(command.startswith("MAIL") for command in sink.commands) == 62


def test_421_on_a_new_connection_blames_the_server_not_the_person() -> None:
    with running("refuse:mail:421 4.3.2 shutting down") as sink:
        outcome = send(to(sink))
        assert (outcome.kind, outcome.is_closing, outcome.blame) == ("not_sent", True, "server")


def test_421_after_the_dot_is_a_refusal_and_closes() -> None:
    with running("refuse:dot:421 4.3.2 busy") as sink:
        outcome = send(to(sink))
        assert (outcome.kind, outcome.is_permanent, outcome.is_open) == ("refused", False, False)


def test_nobody_there_is_unreachable() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    outcome = SmtpServer(f"smtp://127.0.0.1:{port}", timeouts=QUICK).connection().send(ANNA, MAIL)
    assert (outcome.kind, outcome.stage) == ("unreachable", "connect")


def test_a_mail_taken_back_after_354_is_not_sent_and_leaves_no_text() -> None:
    with running() as sink:
        connection = to(sink)
        asked = []
        outcome = connection.send(ANNA, MAIL, lambda: bool(asked.append(1)))
        assert (outcome.kind, outcome.stage, asked) == ("not_sent", "text", [1])
        assert connection.send(ANNA, MAIL, lambda: True).kind == "accepted"
        connection.close()
        assert len(sink.log) == 1


@pytest.mark.parametrize(
    ("reply", "stage", "blame", "hard"),
    [
        ("550 5.1.1 no such user", "rcpt", "recipient", True),
        ("550 no such user", "rcpt", "recipient", False),
        ("552 5.2.2 mailbox full", "rcpt", "recipient", False),
        ("550 5.7.1 blocked", "rcpt", "sender", False),
        ("553 5.1.8 bad sender", "mail", "sender", False),
        ("451 4.3.2 busy", "rcpt", "server", False),
        ("554 5.6.0 bad content", "dot", "sender", False),
        ("450 4.2.0 greylisted", "rcpt", "recipient", False),
    ],
)
def test_a_refusal_says_whose_fault_it_is(reply: str, stage: str, blame: str, hard: bool) -> None:
    with running(f"refuse:{stage}:{reply}") as sink:
        outcome = send(to(sink))
        assert (outcome.stage, outcome.blame, outcome.is_hard_bounce) == (stage, blame, hard)
        assert reply[4:] in outcome.sentence


def test_dots_and_bare_line_ends_cannot_end_the_text_or_smuggle_a_mail(sink: SmtpSink) -> None:
    hostile = (
        MAIL
        + b".\r\n..\r\n\n.\nMAIL FROM:<evil@example.net>\r.\rRCPT TO:<x@example.net>\n.\r\nDATA\r\n\r.\r\nSubject: y\r\n.\r\n"
    )
    connection = to(sink)
    assert connection.send(ANNA, hostile).kind == "accepted"
    assert connection.send(ANNA, b".").kind == "accepted"
    connection.close()
    assert [entry["recipient"] for entry in sink.log] == [ANNA.recipient] * 2
    expected = hostile.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\n", b"\r\n")
    assert sink.log[0]["text"] == expected.decode()


def test_what_goes_over_the_line_is_settled() -> None:
    assert wire(b"a\n.b") == b"a\r\n..b\r\n"
    assert wire(b".\r\n") == b"..\r\n"
    assert wire(b"a\r\n") == b"a\r\n"


def test_pipelining_is_not_used_when_it_is_not_offered() -> None:
    """With a server that answers late, commands that came before their time would be seen in one packet."""
    with running("no-pipelining", "no-size", "no-8bitmime", "no-smtputf8") as sink:
        assert send(to(sink)).kind == "accepted"
        assert f"MAIL FROM:<{ANNA.sender}>" in sink.commands


def test_size_is_told_and_a_mail_that_is_too_big_is_not_tried() -> None:
    with running("size:1000") as sink:
        connection = to(sink)
        outcome = connection.send(ANNA, MAIL + b"x" * 2000)
        assert (outcome.code, outcome.is_permanent, outcome.blame) == (552, True, "sender")
        assert connection.send(ANNA, MAIL).kind == "accepted"
        connection.close()
        assert [command for command in sink.commands if command.startswith("MAIL")] == [
            f"MAIL FROM:<{ANNA.sender}> SIZE={len(MAIL)}"
        ]


def test_an_address_that_is_not_ascii_needs_a_server_that_offers_it() -> None:
    jyri = Envelope(ANNA.sender, "jüri@example.org")
    with running("no-smtputf8") as sink:
        outcome = send(to(sink), envelope=jyri)
        assert (outcome.kind, outcome.is_permanent, outcome.blame) == ("refused", True, "recipient")
        assert not any(command.startswith("MAIL") for command in sink.commands)
    with running() as sink:
        assert send(to(sink), "Subject: ü\r\n\r\nx\r\n".encode(), jyri).kind == "accepted"
        assert sink.taken == ["jüri@example.org"]
        assert any(command.endswith("BODY=8BITMIME SMTPUTF8") for command in sink.commands)


def test_tls_is_started_when_offered_and_ehlo_is_said_again() -> None:
    with running("starttls") as sink:
        assert send(to(sink)).kind == "accepted"
        assert [command.split()[0].upper() for command in sink.commands[:3]] == ["EHLO", "STARTTLS", "EHLO"]


def test_demanded_tls_must_be_there_and_be_the_right_server() -> None:
    with running() as sink:
        outcome = send(to(sink, "?starttls=required"))
        assert (outcome.kind, outcome.stage) == ("unreachable", "tls")
        assert "STARTTLS" in outcome.text
    with running("starttls") as sink:
        outcome = send(to(sink, "?starttls=required"))
        assert (outcome.kind, outcome.stage) == ("unreachable", "tls")
        assert "CERTIFICATE_VERIFY_FAILED" in outcome.text
        assert send(to(sink, f"?starttls=required&ca={sink.certificate}")).kind == "accepted"
        assert send(to(sink, "?starttls=required&verify=no")).kind == "accepted"


def test_words_sent_before_the_handshake_are_not_believed_after_it() -> None:
    with running("starttls", "inject") as sink:
        outcome = send(to(sink))
        assert (outcome.kind, outcome.stage) == ("unreachable", "tls")


def test_tls_from_the_first_byte_works_with_log_in() -> None:
    with running("tls", "login:anna:s3cret") as sink:
        good = to(sink, f"?ca={sink.certificate}", login="anna:s3cret@", scheme="smtps")
        assert send(good).kind == "accepted"
        bad = send(to(sink, f"?ca={sink.certificate}", login="anna:wrong@", scheme="smtps"))
        assert (bad.kind, bad.stage, bad.code) == ("unreachable", "auth", 535)
        assert "wrong@" not in bad.text


def test_a_password_leaves_this_machine_only_under_tls() -> None:
    server = SmtpServer("smtp://anna:secret@mail.example.com")
    assert server.starttls == "required"
    assert server.context.check_hostname


def test_the_server_runs_as_a_process_of_its_own_and_writes_down_what_it_took(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "tests.mail.smtp_server",
        "--log",
        str(tmp_path / "log"),
        "--mode",
        "close:dot:50%",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            port = int(process.stdout.readline())
            connection = SmtpServer(f"smtp://127.0.0.1:{port}", timeouts=QUICK).connection()
            kinds = [connection.send(Envelope("", f"p{n}@example.org"), MAIL).kind for n in range(40)]
            connection.close()
        finally:
            process.kill()
    entries = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert len(entries) == 40
    assert kinds.count("accepted") == sum(entry["reply"].startswith("250") for entry in entries)
    assert kinds.count("in_doubt") == sum(chosen(f"p{n}@example.org", "50%") for n in range(40)) > 0


def test_a_fast_client_and_a_fast_server_take_thousands_in_a_second() -> None:
    """A floor for benchmarks: far below what a quiet machine does, high enough to notice a lost TCP_NODELAY (40 ms a mail)."""
    data = MAIL + b"x" * 70 + b"\r\n"
    with running() as sink:
        connection = to(sink)
        begun = time.perf_counter()
        for _ in range(500):
            assert connection.send(ANNA, data).kind == "accepted"
        assert time.perf_counter() - begun < 5
        connection.close()
