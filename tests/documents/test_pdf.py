"""PDF of filled files by the real LibreOffice: documents and workbooks in one start, read back as text."""

import os
import shutil
import subprocess
import time

import pytest

from crm.documents import converting, filling, making, package
from crm.documents.scopes import Filling
from crm.documents.showing import speaking_of
from crm.engine import attachments, outbox
from crm.identity.viewer import SYSTEM
from tests.documents.samples import WRITERS, Word
from tests.documents.sheets import excel
from tests.documents.test_filling import invoice, invoice_body
from tests.documents.test_sheets import filled as filled_book

has_office = shutil.which("soffice") and shutil.which("pdftotext")
with_office = pytest.mark.skipif(
    not has_office and not os.environ.get("CI"), reason="LibreOffice or pdftotext is missing"
)
ROWS = 60
BOOK = [["Item", "Sum"], ["{$rows.name}", "{$rows.total}"], ["All", "=SUM(B2)"]]


def text_of(pdf, tmp_path):
    path = tmp_path / "x.pdf"
    path.write_bytes(pdf)
    said = subprocess.run(["pdftotext", "-layout", str(path), "-"], capture_output=True, text=True, check=True)
    return said.stdout.replace("\u00a0", " ")


@with_office
def test_the_pdf_has_every_row_and_both_tax_lines_and_no_brace(app, tmp_path):
    files, wanted = [], []
    for writer in WRITERS:
        held = package.read(f"x.{writer.ending}", writer.file(*invoice_body(writer)))
        for language, taxes in (("en", ("65.35", "5.32", "1,364.90")), ("fi", ("65,35", "5,32", "1 364,90"))):
            with speaking_of(language) as words:
                files.append((writer.ending, filling.fill(held, Filling(invoice(ROWS), words))))
            wanted.append(taxes)
        long = package.read(f"x.{writer.ending}", writer.file(writer.p("Ääkköset & <merkit>"), *invoice_body(writer)))
        with speaking_of("fi") as words:
            files.append((writer.ending, filling.fill(long, Filling(invoice(300), words))))
        wanted.append(("Ääkköset & <merkit>", "65,35"))
    made = converting.to_pdf([*files, ("xlsx", filled_book(excel(BOOK), "xlsx"))])
    book = text_of(made.pop(), tmp_path)
    assert "Item 2" in book
    assert "364.95" in book  # LibreOffice has reckoned what the filled rows come to
    for pdf, said, (_ending, _data) in zip(made, wanted, files, strict=True):
        text = text_of(pdf, tmp_path)
        rows = 300 if "Ääkköset & <merkit>" in said else ROWS
        assert [n for n in range(rows) if f"Item {n} " not in text.replace("\n", " ")] == []
        assert [one for one in said if one not in text] == []
        assert "{" not in text
        assert "[" not in text


@with_office
def test_a_start_that_takes_too_long_is_ended_with_all_it_started(app, monkeypatch):
    started = []
    begin = subprocess.Popen

    def noted(*arguments, **settings):
        process = begin(*arguments, **settings)
        if settings.get("start_new_session"):
            started.append(process)
        return process

    monkeypatch.setattr(subprocess, "Popen", noted)
    word = Word()
    with pytest.raises(converting.NoEngine, match="did not finish"):
        converting.to_pdf([("docx", word.file(word.p("x")))], seconds=0.3)
    group = started[0].pid
    for _wait in range(100):
        if not _is_alive(group):
            break
        time.sleep(0.05)
    assert not _is_alive(group)
    assert len(started) == 1


def test_the_engine_sees_no_network_where_the_system_can_take_it_away():
    apart = converting.without_network()
    if not apart:
        pytest.skip("This system does not let a program be parted from the network.")
    said = subprocess.run([*apart, "cat", "/proc/net/dev"], capture_output=True, text=True, check=True).stdout
    assert [line.split(":")[0].strip() for line in said.splitlines()[2:]] == ["lo"]


def _is_alive(group):
    """Whether a process of the group runs (zombies that nobody waited for yet do not)."""
    said = subprocess.run(["ps", "-eo", "pgid=,stat="], capture_output=True, text=True, check=True).stdout
    return any(line.split()[0] == str(group) and not line.split()[1].startswith("Z") for line in said.splitlines())


class Told:
    """What a task is told of its job."""

    def __init__(self, job_id, created_by_id):
        self.job_id, self.created_by_id, self.steps = job_id, created_by_id, []

    def step(self, done, total=None, message=None):
        self.steps.append(done)

    def cancelled(self):
        return False


def run(job):
    """Do a job as a worker would; what it says."""
    from crm.db import db

    kept = db.session.get(outbox.Job, job)
    task, told, said = outbox.TASKS[kept.task], Told(kept.id, kept.created_by_id), dict(kept.arguments)
    assert task.queue == "files"
    db.session.commit()
    message = task.run(told, **said)
    db.session.commit()
    return message


def test_without_the_engine_the_filled_file_is_kept_and_the_message_says_why(make, people, template, monkeypatch):
    monkeypatch.setattr(converting, "PROGRAMS", ())
    word = Word()
    contact = make("contacts", last_name="Virta", owner_id=people.alice)
    id = template(word.file(word.p("{$last_name}")))
    assert "LibreOffice is not installed" in run(making.start(people["alice"], id, contact, keeps=False))
    assert attachments.files_of(SYSTEM, "contacts", contact) == []  # a preview is for one's own eyes
    message = run(making.start(people["alice"], id, contact))
    assert message.startswith("LibreOffice is not installed on this machine")
    kept = attachments.files_of(SYSTEM, "contacts", contact)
    assert [one.name for one in kept] == ["Letter Virta.docx"]
    assert message.endswith(f"/crm/files/{kept[0].id}")


@with_office
def test_a_pdf_becomes_a_file_of_the_record(make, people, template, tmp_path):
    word = Word()
    contact = make("contacts", first_name="Anna", last_name="Virta", owner_id=people.alice)
    body = word.file(word.p("Dear {$first", "_name}"))
    id = template(body, file_name="Offer/{$last_name}", output="pdf_a")
    message = run(making.start(people["alice"], id, contact))
    (kept,) = attachments.files_of(SYSTEM, "contacts", contact)
    assert (kept.name, kept.media_type) == ("Offer-Virta.pdf", "application/pdf")
    assert message == f"The document is ready: /crm/files/{kept.id}"
    assert b"<pdfaid:part>2</pdfaid:part>" in attachments.path_of(kept.sha256).read_bytes()
    assert "Dear Anna" in text_of(attachments.path_of(kept.sha256).read_bytes(), tmp_path)
