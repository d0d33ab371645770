"""The scanner on a real IMAP server: set-up, read and moved mails, large ones, wrong passwords, crashes, one worker a mailbox."""

import pytest
from sqlalchemy import select, update

from crm import clock
from crm.db import database_seconds, db
from crm.engine.refusals import Refused
from crm.identity import keys
from crm.mail import turns
from crm.mail.mailbox import Account, MailboxError, opened
from crm.modules.tickets.scanning import run, scanners
from crm.modules.tickets.scanning.entry import Secrets
from crm.modules.tickets.scanning.tables import MailScanner, ScannedMail
from tests.mail.imap_server import dovecot
from tests.modules.tickets.support import mail

SECRET = Secrets("secret")


@pytest.fixture(scope="module")
def server():
    with dovecot() as running:
        yield running


@pytest.fixture
def imap(server):
    server.empty()
    return server


class Progress:
    job_id, created_by_id = 0, None

    def __init__(self):
        self.done = 0

    def step(self, done, *_rest):
        self.done = done

    def cancelled(self):
        return False


def values(imap, user, **more):
    return {
        "name": f"Box of {user}", "host": "127.0.0.1", "port": imap.port, "encryption": "none", "username": user, "active": True,
        "scans": "unread", "folders": ["INBOX"], "reply_from": "support@kaisla.example", "has_plus": True,
    } | more  # fmt: skip


def scan(id):
    return run.scan(Progress(), id)


def row(id):
    return db.session.execute(select(MailScanner.__table__).where(MailScanner.id == id)).mappings().one()


def test_a_wrong_password_is_told_at_its_field_and_nothing_is_stored(support, imap):
    with pytest.raises(Refused) as refused:
        scanners.save(values(imap, "wrong"), Secrets("guess"))
    assert "password" in refused.value.faults
    assert scanners.listed() == []
    assert keys.names("scanner:") == []
    with pytest.raises(Refused) as refused:
        scanners.save(values(imap, "wrong", port=1), SECRET)
    assert "host" in refused.value.faults
    with pytest.raises(Refused) as refused:
        scanners.save(values(imap, "wrong", folders=["Nowhere"]), SECRET)
    assert "folders" in refused.value.faults
    assert scanners.listed() == []


def test_a_password_is_not_handed_to_another_server(support, imap):
    id, checked = scanners.save(values(imap, "safe"), SECRET)
    db.session.commit()
    assert "INBOX" in checked.folders
    assert b"secret" not in keys.Key.__table__.select().compile().string.encode()
    kept = db.session.scalar(select(keys.Key.wrapped).where(keys.Key.name == f"scanner:{id}"))
    assert b"secret" not in kept
    with pytest.raises(Refused) as refused:
        scanners.save(values(imap, "safe", host="localhost"), Secrets(), id)
    assert "password" in refused.value.faults
    assert scanners.save(values(imap, "safe", name="Renamed"), Secrets(), id)[0] == id


def test_without_rules_nothing_is_scanned_with_one_it_is_and_scanned_mail_is_read(support, imap):
    imap.put(mail("Help", Message_ID="<imap-1@virta.example>"), "plain")
    id, _checked = scanners.save(values(imap, "plain"), SECRET)
    assert "nothing to do" in scan(id)
    assert not any(name.endswith("S") for name in imap.files("plain"))
    support.rule(id, subject_operator="contains", subject="help")
    imap.put(mail("Something else", Message_ID="<imap-2@virta.example>"), "plain")
    assert scan(id) == "2 mails"
    assert [one["title"] for one in support.tickets()] == ["Help"]
    assert sum(name.endswith("S") for name in imap.files("plain")) == 1  # what no rule fits stays unread
    assert scan(id) == "0 mails"  # and is not fetched again by the same rules
    support.rule(id)
    assert scan(id) == "1 mails"
    assert len(support.tickets()) == 2
    assert row(id)["last_run_at"] is not None


def test_mails_that_were_left_before_do_not_stand_in_the_way_of_new_ones(support, imap, monkeypatch):
    monkeypatch.setattr(run, "MOST_A_RUN", 2)
    monkeypatch.setattr(run, "AT_ONCE", 3)
    for n in range(5):
        imap.put(mail(f"Newsletter {n}", Message_ID=f"<left-{n}@virta.example>"), "crowd")
    id, _checked = scanners.save(values(imap, "crowd"), SECRET)
    support.rule(id, subject_operator="contains", subject="help")
    assert [scan(id) for _turn in range(4)] == ["2 mails", "2 mails", "1 mails", "0 mails"]
    imap.put(mail("Help", Message_ID="<fresh@virta.example>"), "crowd")
    assert scan(id) == "1 mails"
    assert [one["title"] for one in support.tickets()] == ["Help"]


def test_scanned_mails_are_moved_into_a_folder_with_a_name_in_any_script(support, imap):
    imap.put(mail("Help", Message_ID="<imap-3@virta.example>"), "mover")
    id, _checked = scanners.save(values(imap, "mover", move_to="Käsitelty & valmis"), SECRET)
    support.rule(id)
    scan(id)
    assert imap.files("mover") == []
    with opened(Account("127.0.0.1", imap.port, "mover", "secret", "none")) as box:
        assert "Käsitelty & valmis" in box.folders()
        box.select("Käsitelty & valmis")
        assert len(box.waiting(0)) == 1


def test_all_since_last_remembers_its_place_in_each_folder(support, imap):
    for n in range(3):
        imap.put(mail(f"Help {n}", Message_ID=f"<since-{n}@virta.example>"), "since")
    id, _checked = scanners.save(values(imap, "since", scans="all_since_last"), SECRET)
    support.rule(id)
    assert scan(id) == "3 mails"
    assert row(id)["seen"]["INBOX"][1] == 3
    imap.put(mail("Help 3", Message_ID="<since-3@virta.example>"), "since")
    assert scan(id) == "1 mails"
    assert len(support.tickets()) == 4


def test_a_mail_of_forty_megabytes_is_a_ticket_with_a_note_and_was_never_fetched_whole(support, imap, monkeypatch):
    body = b"x" * 70 + b"\r\n"
    huge = (
        b"From: anna@virta.example\r\nTo: support@kaisla.example\r\nSubject: Huge\r\nMessage-ID: <huge@virta.example>\r\nMIME-Version: 1.0\r\n"
        b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nSee the film.\r\n'
        b'--b\r\nContent-Type: video/mp4\r\nContent-Disposition: attachment; filename="film.mp4"\r\n\r\n'
        + body * (40 * 1024 * 1024 // len(body))
        + b"--b--\r\n"
    )
    imap.put(huge, "huge")
    id, _checked = scanners.save(values(imap, "huge"), SECRET)
    support.rule(id)
    fetched = []
    whole = run.Mailbox.fetch
    monkeypatch.setattr(
        run.Mailbox, "fetch", lambda box, uid, most: fetched.append(len(data := whole(box, uid, most))) or data
    )
    scan(id)
    assert fetched == [run.BEGINNING]
    ticket = support.tickets()[-1]
    assert (ticket["title"], ticket["description"].startswith("See the film.")) == ("Huge", True)
    assert support.comments(ticket["id"])[-1]["flag"] == "dropped"
    assert any(name.endswith("S") for name in imap.files("huge"))


def test_a_crash_between_storing_and_marking_makes_no_second_ticket(support, imap, monkeypatch):
    imap.put(mail("Help", Message_ID="<crash@virta.example>"), "crash")
    id, _checked = scanners.save(values(imap, "crash"), SECRET)
    support.rule(id)

    def dies(box, uid):
        raise MailboxError("answer", "gone")

    with monkeypatch.context() as broken:
        broken.setattr(run.Mailbox, "mark_read", dies)
        assert scan(id).startswith("failed")
    assert len(support.tickets()) == 1
    assert not any(name.endswith("S") for name in imap.files("crash"))
    assert scan(id) == "1 mails"
    assert len(support.tickets()) == 1
    assert any(name.endswith("S") for name in imap.files("crash"))


def test_a_mail_that_breaks_us_costs_no_other_mail(support, imap, monkeypatch):
    for n in range(3):
        imap.put(mail(f"Help {n}", Message_ID=f"<poison-{n}@virta.example>"), "poison")
    id, _checked = scanners.save(values(imap, "poison"), SECRET)
    support.rule(id)
    from crm.modules.tickets.scanning import beginnings

    real = beginnings.created

    def sometimes(scanner, rule, mail, own):
        if mail.subject == "Help 1":
            raise ZeroDivisionError
        return real(scanner, rule, mail, own)

    monkeypatch.setattr(beginnings, "created", sometimes)
    assert scan(id) == "3 mails"
    assert [one["title"] for one in support.tickets()] == ["Help 0", "Help 2"]
    left = db.session.execute(select(ScannedMail.result, ScannedMail.note).where(ScannedMail.subject == "Help 1")).one()
    assert tuple(left) == ("skipped", "ZeroDivisionError")


def test_failures_wait_longer_each_time_and_are_told_administrators_after_three(support, imap, people):
    id, _checked = scanners.save(values(imap, "fails"), SECRET)
    support.rule(id)
    db.session.execute(update(MailScanner).where(MailScanner.id == id).values(port=1))
    pauses = []
    for _turn in range(4):
        assert scan(id).startswith("failed")
        pauses.append(round((row(id)["next_run_at"] - clock.now()).total_seconds() / 60))
    assert pauses == [1, 2, 4, 8]
    assert row(id)["failures"] == 4
    assert "secret" not in row(id)["last_error"]
    told = [one for one in support.sent("ada@example.com") if "scanner" in one.payload["subject"]]
    assert len(told) == 1
    assert not turns.is_due(row(id))
    db.session.execute(update(MailScanner).where(MailScanner.id == id).values(port=imap.port))
    assert scan(id) == "0 mails"
    assert (row(id)["failures"], row(id)["last_error"]) == (0, None)


def test_one_mailbox_has_one_worker_until_its_lease_is_over(support, imap):
    id, _checked = scanners.save(values(imap, "busy"), SECRET)
    support.rule(id)
    db.session.execute(update(MailScanner).where(MailScanner.id == id).values(busy_until=database_seconds() + 60))
    assert scan(id) == "another worker has this mailbox"
    db.session.execute(update(MailScanner).where(MailScanner.id == id).values(busy_until=database_seconds() - 1))
    assert scan(id) == "0 mails"


def test_a_certificate_that_does_not_hold_is_named(imap):
    with pytest.raises(MailboxError) as problem, opened(Account("127.0.0.1", imap.port, "u", "secret", "ssl"), 3):
        pass
    assert problem.value.code in {"connect", "certificate"}
    assert "secret" not in repr(Account("h", 1, "u", "secret"))
