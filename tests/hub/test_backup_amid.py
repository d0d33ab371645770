"""A backup while a sendout runs, and the sendout that goes on in the house that was restored from it."""

import os
import shutil
import sys
import tarfile
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text

from crm import config
from crm.db import Entity, db
from crm.identity.tables import User
from crm.identity.viewer import SYSTEM
from crm.mail.memory import Memory
from crm.mail.sending.deliveries import Delivery, Run
from crm.mail.sending.office import PostOffice, Rules
from ecp.pipeline import actions
from ecp.pipeline.worker import tick
from hub.backup import archive, making
from tests import databases
from tests.apps import forget_engine, make_app
from tests.hub.test_commands import PASSWORD, said
from tests.pipeline.conftest import build_house
from tests.pipeline.sending_process import Quiet

USERS = select(User.email, User.password_hash)
CARDS = select(Entity.id, Entity.module, Entity.label).order_by(Entity.id)
PEOPLE, BEFORE = 112, 7  # a worker leases a hundred at once


class Gated(Memory):
    """Holds the mail after the first `open_for` in its text until told to go on."""

    def __init__(self, open_for: int) -> None:
        super().__init__()
        self.open_for, self.reached, self.go_on = open_for, threading.Event(), threading.Event()

    def connection(self) -> Any:
        inner = super().connection()
        send = inner.send

        def gated(*given: Any) -> Any:
            if len(self.mails) >= self.open_for:
                self.reached.set()
                assert self.go_on.wait(120)
            return send(*given)

        inner.send = gated  # type: ignore[method-assign]
        return inner


class Sending:
    """The post office of the current app, at work while the block lasts."""

    def __init__(self, app: Any, transport: Memory) -> None:
        rules = Rules(ledger_sync="process", connections=1)
        self.office = PostOffice(db.engine, transport, rules, app.app_context, "test")
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.office.run, args=(self.stop,))

    def __enter__(self) -> None:
        db.session.remove()
        self.thread.start()

    def __exit__(self, *_: Any) -> None:
        db.session.remove()  # what the test has begun must not hold the lock
        self.stop.set()
        self.thread.join(120)


def until_all_are_tried() -> None:
    waiting = select(Delivery.id).where(Delivery.state.in_(("waiting", "leased", "retry"))).limit(1)
    for _ in range(2400):
        with db.engine.connect() as connection:
            if connection.execute(waiting).first() is None:
                return
        threading.Event().wait(0.05)
    raise AssertionError("somebody still waits")


def by_state(sendout: int) -> dict[str, set[str]]:
    rows = db.session.execute(select(Delivery.email, Delivery.state).where(Delivery.sendout_id == sendout)).all()
    db.session.rollback()
    return {state: {row.email for row in rows if row.state == state} for state in {row.state for row in rows}}


def recipients(transport: Memory) -> Counter[str]:
    return Counter(mail.envelope.recipient for mail in transport.mails)


def test_a_sendout_goes_on_from_a_backup_that_was_made_amid_it_and_repeats_nobody_who_is_known_to_have_it(
    run: Any, house_environment: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database_kind: str
) -> None:
    url = config.load().url_of_database
    living = make_app(url, data_dir=str(house_environment))
    said(run("user", "add", "bob@example.com", "--password", PASSWORD))
    (house_environment / "files").mkdir()
    (house_environment / "files" / "letter.txt").write_text("Dear Bob")
    first, file, log = Gated(BEFORE), tmp_path / "amid.tar", tmp_path / "mail.log"
    with living.app_context():
        house = build_house()
        people = {f"n{n}@example.com" for n in range(PEOPLE)}
        sendout = house.sendout(house.campaign(house.contacts(PEOPLE)))
        scheduled = house.sendout(house.campaign(house.contacts(1, "later.example")), name="Later")
        actions.start(SYSTEM, sendout)
        db.session.execute(text("UPDATE sendouts SET state = 'scheduled' WHERE id = :id"), {"id": scheduled})
        db.session.commit()
        tick(Quiet())  # type: ignore[arg-type]
        with Sending(living, first):
            assert first.reached.wait(120)
            told = said(run("backup", file))
            assert "found right" in told
            assert file.stat().st_mode & 0o077 == 0  # it holds all keys
            said(run("backup", tmp_path / "small.tar.gz"))
            plain, small = archive.checked(file), archive.checked(tmp_path / "small.tar.gz")
            assert (small["tables"], small["revision"]) == (plain["tables"], plain["revision"])
            assert "files/files/letter.txt" in small["members"]
            first.go_on.set()  # the living house goes on and writes to everybody
            until_all_are_tried()
        assert recipients(first) == Counter(people)
        highest = db.session.scalar(text("SELECT max(id) FROM deliveries"))
        users, cards = db.session.execute(USERS).all(), db.session.execute(CARDS).all()
    assert "not empty" in said(run("restore", file), 1)
    forget_engine(living)
    # The log of the mail server has the first of those that came after the backup, and more that is no concern of ours.
    known = [bytes(mail.data).partition(b"Message-ID: ")[2].partition(b"\r\n")[0] for mail in first.mails]
    log.write_bytes(b"".join(b"postfix/cleanup[9]: 4F1: message-id=%s\n" % one for one in [*known[:107], b"<a@b>"]))

    new = tmp_path / "restored"
    monkeypatch.setenv("CUSTOMERHUB_DATA_DIR", str(new))
    monkeypatch.setenv(
        "CUSTOMERHUB_DATABASE_URL", "" if database_kind == "sqlite" else databases.create_empty(database_kind)
    )
    check_that_damage_is_found(run, file, tmp_path)
    assert not new.exists() or not list(new.iterdir())
    told = said(run("restore", file, "--sent", log))
    assert "100 mails were sent after this backup" in told
    assert "2 sendouts are paused" in told

    app = make_app(config.load().url_of_database, data_dir=str(new))
    with app.app_context():
        assert db.session.execute(USERS).all() == users
        assert db.session.execute(CARDS).all() == cards
        assert (new / "files" / "letter.txt").read_text() == "Dear Bob"
        after = by_state(sendout)
        mailed = [mail.envelope.recipient for mail in first.mails]
        assert after["sent"] == set(mailed[:107])  # 7 by the ledger, 100 by the log
        assert len(after["waiting"] | after.get("uncertain", set())) == PEOPLE - 107
        assert "leased" not in after
        assert set(db.session.scalars(select(Run.state))) == {"paused"}
        notes = db.session.execute(text("SELECT state, state_note FROM sendouts ORDER BY id")).all()
        assert [row.state for row in notes] == ["paused", "paused"]
        assert "noted as sent, as far as the log" in notes[0].state_note
        second = Memory()
        with Sending(app, second):
            tick(Quiet())  # type: ignore[arg-type]
        assert second.mails == []  # nothing goes out by itself
        actions.resume(SYSTEM, sendout)
        db.session.commit()
        with Sending(app, second):
            until_all_are_tried()
        assert recipients(second) == Counter(after["waiting"])
        assert not set(recipients(second)) & (after["sent"] | after.get("uncertain", set()))
        tick(Quiet())  # type: ignore[arg-type]
        assert db.session.scalar(text("SELECT state FROM sendouts WHERE id = :id"), {"id": sendout}) == "sent"
        # A number of a link that is on its way is nobody else's.
        db.session.add(card := Entity(module="tested", label="next"))
        db.session.add(
            row := Delivery(email="next@example.com", created_at=db.session.scalar(select(Delivery.created_at)))
        )
        db.session.commit()
        assert row.id > highest + 1_000_000
        assert card.id > max(one.id for one in cards) + 1_000_000
    forget_engine(app)


def check_that_damage_is_found(run: Any, file: Path, tmp_path: Path) -> None:
    """Cut off, with one octet changed, or with a name that leads elsewhere: told, and nothing stays."""
    raw = file.read_bytes()
    cut, changed = tmp_path / "cut.tar", tmp_path / "changed.tar"
    cut.write_bytes(raw[: len(raw) // 2])
    with tarfile.open(file) as tar:
        place = max(tar.getmembers(), key=lambda one: one.size)
    shutil.copy(file, changed)
    with changed.open("r+b") as edited:
        edited.seek(place.offset_data + place.size // 2)
        was = edited.read(1)
        edited.seek(-1, 1)
        edited.write(bytes([was[0] ^ 1]))
    outside = tmp_path / "outside.tar"
    manifest = {"kind": "sqlite" if config.load().is_sqlite else "postgresql", "tables": {}, "at": "", "revision": ""}
    with outside.open("wb") as out, archive.writing(out, False, manifest, lambda _octets: None) as made:
        made.add_text("files/within", "within")
        made.add_text("files/../../elsewhere", "elsewhere")
    assert "outside of the data folder" in said(run("restore", outside), 1)
    assert not (tmp_path / "elsewhere").exists()
    assert "cut off" in said(run("restore", cut), 1)
    assert "is damaged" in said(run("restore", changed), 1)


ROWS = int(os.environ.get("TEST_ROWS", "1000000"))


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_a_large_backup_is_of_one_moment(
    run: Any, house_environment: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database_kind: str
) -> None:
    url = config.load().url_of_database
    living = make_app(url, data_dir=str(house_environment))
    stop, pairs = threading.Event(), []

    def write_pairs() -> None:
        insert = "INSERT INTO deliveries (kind, email, email_key, state, attempts, drops, fence, created_at, read_count, click_count) VALUES ('letter', 'pair', :n, 'sent', 0, 0, 0, :now, 0, 0)"
        while not stop.is_set():
            with db.engine.begin() as connection:
                for _ in range(2):
                    connection.execute(text(insert), {"n": str(len(pairs)), "now": "2026-01-01 00:00:00"})
            pairs.append(1)
            stop.wait(0.002)

    with living.app_context():
        fill(database_kind)
        writer = threading.Thread(target=copy_context(write_pairs, living))
        writer.start()
        begun, worked = time.monotonic(), time.process_time()
        try:
            made = making.write(config.load(), tmp_path / "large.tar")
        finally:
            stop.set()
            writer.join()
        seconds, busy = time.monotonic() - begun, time.process_time() - worked
    forget_engine(living)
    sys.stderr.write(
        f"{database_kind}: {made.size / 1e9:.2f} GB in {seconds:.1f} s ({seconds / made.size * 5e9:.0f} s for 5 GB; {busy:.1f} s of processor with the writer's), {len(pairs)} commits meanwhile\n"
    )
    monkeypatch.setenv("CUSTOMERHUB_DATA_DIR", str(tmp_path / "restored"))
    monkeypatch.setenv(
        "CUSTOMERHUB_DATABASE_URL", "" if database_kind == "sqlite" else databases.create_empty(database_kind)
    )
    begun = time.monotonic()
    said(run("restore", tmp_path / "large.tar"))
    sys.stderr.write(f"{database_kind}: restored in {time.monotonic() - begun:.1f} s\n")
    app = make_app(config.load().url_of_database)
    with app.app_context():
        query = (
            "SELECT email_key, count(*) FROM deliveries WHERE email = 'pair' GROUP BY email_key HAVING count(*) <> 2"
        )
        assert db.session.execute(text(query)).all() == []  # each commit is in it wholly or not at all
        assert db.session.scalar(text("SELECT count(*) FROM deliveries WHERE email <> 'pair'")) == ROWS
    forget_engine(app)


def copy_context(work: Any, app: Any) -> Any:
    def within() -> None:
        with app.app_context():
            work()

    return within


def fill(kind: str) -> None:
    """A million rows of half a kilobyte."""
    numbers = (
        f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {ROWS})"
        if kind == "sqlite"
        else f"WITH n(i) AS (SELECT generate_series(1, {ROWS}))"
    )
    with db.engine.begin() as connection:
        connection.execute(
            text(
                f"{numbers} INSERT INTO deliveries (kind, email, email_key, state, reply, attempts, drops, fence, created_at, read_count, click_count) "
                "SELECT 'letter', 'p' || i || '@example.com', 'p' || i || '@example.com', 'sent', '250 ' || i || :words, 1, 0, 1, '2026-01-01 00:00:00', 0, 0 FROM n"
            ),
            {"words": "queued as 4F1 " * 30},
        )
