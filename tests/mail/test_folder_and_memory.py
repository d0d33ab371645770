"""The local mail folder shows every mail as it would have been sent; the memory of tests behaves like a server."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from crm.mail.assemble import build
from crm.mail.folder import Folder
from crm.mail.letters import Letter
from crm.mail.memory import Memory
from crm.mail.message import Address, Attachment, Envelope
from crm.mail.outcome import Outcome
from crm.mail.smtp import SmtpServer
from crm.mail.transport import choose

TO_ANNA = Envelope("bounces+token123@example.com", "anna@example.org")
LOGO = Attachment("logo.png", "image/png", b"\x89PNG", "logo@example.com")


def a_mail(subject: str = "Tervetuloa 🎉", auto: bool = True) -> bytes:
    letter = Letter(
        Address("anna@example.org", "Änna"), subject, "Hei\n", "<p>Hei</p>", attachments=(Attachment("ä.txt", "text/plain", b"1"),),
        inline=(LOGO,), auto_submitted="auto-generated" if auto else "", in_reply_to="<0@example.com>", references=("<0@example.com>",),
    )  # fmt: skip
    return build(letter.message(Address("news@example.com"), datetime(2026, 1, 1, tzinfo=UTC), "<1@example.com>"))


def test_a_stored_mail_is_listed_and_taken_apart(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "outbox")
    assert (folder.newest(), folder.count()) == ([], 0)
    connection = folder.connection()
    outcomes = [connection.send(TO_ANNA, a_mail(f"Mail {n} 🎉")) for n in range(5)]
    assert [outcome.kind for outcome in outcomes] == ["accepted"] * 5
    assert [head.subject for head in folder.newest(2)] == ["Mail 4 🎉", "Mail 3 🎉"]
    older = folder.newest(2, before=folder.newest(2)[-1].id)
    assert [head.subject for head in older] == ["Mail 2 🎉", "Mail 1 🎉"]
    mail = folder.read(older[0].id)
    assert mail is not None
    assert (mail.head.recipient, mail.return_path) == (TO_ANNA.recipient, TO_ANNA.sender)
    assert (mail.text, mail.html) == ("Hei\n", "<p>Hei</p>")
    assert [(file.name, file.data, file.content_id) for file in mail.files] == [
        ("logo.png", b"\x89PNG", "logo@example.com"), ("ä.txt", b"1", "")]  # fmt: skip
    assert dict(mail.headers)["Auto-Submitted"] == "auto-generated"
    assert mail.source.endswith(a_mail("Mail 2 🎉").split(b"Message-ID")[1])
    folder.delete(older[0].id)
    assert folder.count() == 4
    assert not list((tmp_path / "outbox").glob("*.part"))


@pytest.mark.parametrize(
    "mail_id", ["../../etc/passwd", "", "1", "0000000000000000000-000000000000", "x" * 500, "\x00"]
)
def test_an_id_that_is_not_ours_reads_nothing(tmp_path: Path, mail_id: str) -> None:
    (tmp_path / "secret.eml").write_text("Subject: secret\n\n")
    folder = Folder(tmp_path / "outbox")
    assert folder.read(mail_id) is None
    folder.delete(mail_id)
    assert (tmp_path / "secret.eml").exists()


def test_a_mail_taken_back_before_its_text_leaves_nothing(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    assert folder.connection().send(TO_ANNA, a_mail(), lambda: False).kind == "not_sent"
    assert folder.count() == 0


def test_a_folder_that_cannot_be_written_blames_nobody(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    outcome = Folder(blocked).connection().send(TO_ANNA, a_mail())
    assert (outcome.kind, outcome.stage) == ("unreachable", "connect")


def test_memory_gives_planned_outcomes_and_keeps_the_rest() -> None:
    memory = Memory()
    memory.planned.append(Outcome("refused", "rcpt", 550, "no"))
    connection = memory.connection()
    assert [connection.send(TO_ANNA, a_mail()).kind for _ in range(2)] == ["refused", "accepted"]
    assert memory.parsed()["Subject"] == "Tervetuloa 🎉"


def test_a_letter_by_a_person_is_not_marked_as_automatic() -> None:
    assert b"Auto-Submitted" not in a_mail(auto=False)
    assert b"In-Reply-To: <0@example.com>" in a_mail(auto=False)


def test_the_settings_choose_the_transport(tmp_path: Path) -> None:
    assert isinstance(choose(None, tmp_path), Folder)
    server = choose("smtp://anna:p%40ss@mx.example.com:587", tmp_path)
    assert isinstance(server, SmtpServer)
    assert (server.user, server.password, server.starttls, server.port) == ("anna", "p@ss", "required", 587)
    assert "p@ss" not in server.name
    assert choose("smtps://mx.example.com", tmp_path).name == "smtps://mx.example.com:465"
    for bad in ("http://x", "smtp://", "smtp://x?starttls=perhaps", "smtp://x?tsl=1", "smtp://x:port"):
        with pytest.raises(ValueError):
            choose(bad, tmp_path)
