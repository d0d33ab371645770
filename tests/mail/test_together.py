"""What several connections do at once: commits that they share, and mails that are made ahead for all of them."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import nullcontext

import pytest
from sqlalchemy import Engine

from crm import clock
from crm.mail.outcome import Outcome
from crm.mail.sending import workers
from crm.mail.sending.batch import Batch
from crm.mail.sending.claim import Claimer
from crm.mail.sending.ledger import Beginning, Ending, Ledger
from crm.mail.sending.pace import _Known
from crm.mail.sending.quick import Entry
from crm.mail.sending.settle import settle
from crm.mail.sending.throttle import Throttle
from crm.mail.sending.together import Together
from tests import databases
from tests.apps import build_template
from tests.mail.ledgers import a_kind, a_sendout, open_engine, render, rows


@pytest.fixture
def engine(own_database: str) -> Iterator[Engine]:
    engine = open_engine(own_database)
    a_kind()
    yield engine
    engine.dispose()


def test_who_comes_during_a_commit_shares_the_next_and_gets_an_answer_of_his_own() -> None:
    sizes: list[int] = []
    is_under_way, may_end = threading.Event(), threading.Event()

    def commit(entries: Sequence[Entry]) -> None:
        sizes.append(len(entries))
        if len(sizes) == 1:
            is_under_way.set()
            may_end.wait(60)
        if len(entries) == 1 and len(sizes) > 1:
            raise OSError("the disk is gone")
        for entry in entries:
            entry.may_begin = entry.is_sent

    together = Together(threading.Lock(), commit)
    answers: dict[int, bool] = {}

    def come(number: int) -> None:
        answers[number] = together.run(Entry({}, number != 2, None))

    threads = [threading.Thread(target=come, args=(number,)) for number in range(4)]
    threads[0].start()
    assert is_under_way.wait(60)
    for thread in threads[1:]:
        thread.start()
    while len(together._waiting) < 3:
        time.sleep(0.01)
    assert answers == {}  # nobody goes on before what he brought is committed
    may_end.set()
    for thread in threads:
        thread.join()
    assert sizes == [1, 3]
    assert answers == {0: True, 1: True, 2: False, 3: True}
    with pytest.raises(OSError, match="disk"):
        together.run(Entry({}, True, None))


@pytest.fixture
def on_sqlite() -> Iterator[Engine]:
    """SQLite alone: each connection to PostgreSQL commits for itself."""
    url = databases.create("sqlite", build_template)
    made = open_engine(url)
    a_kind()
    yield made
    made.dispose()
    databases.drop(url)


def test_what_is_wrong_with_one_entry_keeps_no_other_from_being_committed(on_sqlite: Engine) -> None:
    engine = on_sqlite
    a_sendout(engine, 4)
    worker = workers.enlist(engine, "w")
    held = Claimer(engine).claim(worker)
    ledger = Ledger(engine, worker, "power")
    begun = [Beginning(row, render(row, None), clock.now()) for row in held]
    for one in begun[:3]:
        assert ledger.record(None, one)
    replies = ["taken", "a lone surrogate, which no database takes: \ud800", "taken too"]
    ends = [Outcome("accepted", "dot", 250, reply, is_open=True) for reply in replies]
    entries = [
        ledger._entry(Ending(row, end, settle(row, end, clock.now(), 300)), None)
        for row, end in zip(held, ends, strict=False)
    ]
    entries.append(ledger._entry(None, begun[3]))
    ledger._commit(entries)
    assert [type(one.problem) for one in entries] == [type(None), UnicodeEncodeError, type(None), type(None)]
    assert [row.state for row in rows(engine)] == ["sent", "leased", "sent", "leased"]
    assert entries[3].may_begin
    assert rows(engine)[3].text_begun_at is not None
    ledger.close()


def test_mails_made_ahead_wait_again_when_a_provider_asks_for_care(engine: Engine) -> None:
    a_sendout(engine, 20)
    worker = workers.enlist(engine, "w")
    batch = Batch(engine, worker, Throttle(engine, 0, 0), nullcontext)
    first, second = batch.next_mail(), batch.next_mail()
    assert isinstance(first, Beginning)
    assert isinstance(second, Beginning)
    assert len(batch._made) == 6
    slow = batch._made[0].row
    batch.pacer._known = {slow.domain: _Known(0.0, 0.5, time.monotonic() + 600)}
    third = batch.next_mail()
    assert isinstance(third, Beginning)
    assert third.row.id not in (first.row.id, second.row.id, slow.id)
    assert slow.id not in [made.row.id for made in batch._made], "its mail waits, those of others are made and go on"
    assert len({row.id for row in batch.empty()} | {first.row.id, second.row.id, third.row.id}) == 20
