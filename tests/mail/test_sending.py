"""The ledger: every mail exactly once, every state written before it is true, whatever the server or a process does."""

import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import ColumnElement, Engine, case, insert, null, select, update

from crm import clock
from crm.db import Entity
from crm.mail.letters import Letter
from crm.mail.memory import Memory, MemoryConnection
from crm.mail.message import Address, Envelope, Settled
from crm.mail.outcome import Outcome, refused
from crm.mail.sending import runs, singles, workers
from crm.mail.sending.claim import Claimer
from crm.mail.sending.deliveries import IS_CLAIMABLE, Delivery, MailWorker
from crm.mail.sending.kinds import Claimed, Rendered
from crm.mail.sending.ledger import Beginning, Ending, Ledger
from crm.mail.sending.settle import settle
from crm.mail.sending.throttle import Throttle
from crm.mail.smtp import SmtpServer, Timeouts
from crm.mail.transport import GoAhead
from tests.mail.ledgers import NO_LIMITS, Working, a_kind, a_sendout, an_office, open_engine, render, rows, states
from tests.mail.smtp_server import chosen, running

QUICK = Timeouts(connect=3, banner=2, mail=2, rcpt=2, data=2, block=2, dot=2)


@pytest.fixture
def engine(own_database: str) -> Iterator[Engine]:
    engine = open_engine(own_database)
    a_kind()
    yield engine
    engine.dispose()


def until(is_true: Callable[[], object], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def is_over(engine: Engine, sendout_id: int) -> bool:
    with engine.connect() as connection:
        return not runs.has_open_rows(connection, sendout_id)


def beginning(row: Claimed) -> Beginning:
    return Beginning(row, render(row, None), clock.now())


ACCEPTED = Outcome("accepted", "dot", 250, "taken", is_open=True)


def ending(row: Claimed, outcome: Outcome = ACCEPTED) -> Ending:
    return Ending(row, outcome, settle(row, outcome, clock.now(), 300))


def test_a_sendout_goes_out_once_to_everybody(engine: Engine) -> None:
    memory, sendout = Memory(), a_sendout(engine, 250)
    with Working(an_office(engine, memory)):
        until(lambda: is_over(engine, sendout))
    assert states(engine, sendout) == {"sent": 250}
    assert len({mail.envelope.recipient for mail in memory.mails}) == len(memory.mails) == 250
    row = rows(engine, sendout)[0]
    assert (row.message_id, row.attempts, row.reply) == (f"<{row.id}@example.com>", 1, "250 kept (at DOT)")
    assert row.sent_at is not None
    with engine.connect() as connection:
        assert connection.scalar(select(MailWorker.id)) is None  # it took leave


def test_two_offices_share_a_sendout_and_never_a_row(engine: Engine) -> None:
    memory, sendout = Memory(), a_sendout(engine, 400)
    with Working(an_office(engine, memory)), Working(an_office(engine, memory, name="other")):
        until(lambda: is_over(engine, sendout))
    assert len({mail.envelope.recipient for mail in memory.mails}) == len(memory.mails) == 400


def test_a_person_cannot_be_in_a_sendout_twice(engine: Engine) -> None:
    from sqlalchemy.exc import IntegrityError

    with pytest.raises(IntegrityError):
        a_sendout(engine, ["a@example.org", "a@example.org"])
    sendout = a_sendout(engine, ["a@example.org"])
    with engine.begin() as connection:
        same = {
            "sendout_id": sendout,
            "email": "a@example.org",
            "email_key": "a@example.org",
            "created_at": clock.now(),
        }
        connection.execute(insert(Delivery).values(**same, state="skipped", skip_reason="duplicate_address"))


def test_paused_and_unopened_runs_are_left_alone(engine: Engine) -> None:
    memory = Memory()
    unopened, paused = a_sendout(engine, 3, is_open=False), a_sendout(engine, ["a@example.org"])
    with engine.begin() as connection:
        runs.pause_run(connection, paused)
    with Working(an_office(engine, memory)):
        time.sleep(1.2)
        assert not memory.mails
        with engine.begin() as connection:
            runs.open_run(connection, paused)
        until(lambda: is_over(engine, paused))
    assert states(engine, unopened) == {"waiting": 3}
    assert states(engine, paused) == {"sent": 1}


def test_a_pause_holds_from_its_commit_on_also_for_rows_already_held(engine: Engine) -> None:
    memory, sendout = Memory(), a_sendout(engine, 300)
    sent_at_pause: list[int] = []

    def slow(row: Claimed, loaded: Any) -> Rendered:
        time.sleep(0.005)
        return render(row, loaded)

    a_kind(render=slow)
    with Working(an_office(engine, memory)):
        until(lambda: len(memory.mails) > 20)
        with engine.begin() as connection:
            runs.pause_run(connection, sendout)
        sent_at_pause.append(len(memory.mails))
        time.sleep(1)
        assert len(memory.mails) <= sent_at_pause[0] + NO_LIMITS.connections
        assert states(engine, sendout)["skipped"] == 0
        with engine.begin() as connection:
            runs.open_run(connection, sendout)
        until(lambda: is_over(engine, sendout))
    assert states(engine, sendout) == {"sent": 300}
    assert len(memory.mails) == 300


def test_a_cancelled_run_begins_nothing_more(engine: Engine) -> None:
    memory, sendout = Memory(), a_sendout(engine, 200)
    a_kind(render=lambda row, loaded: (time.sleep(0.005), render(row, loaded))[1])
    with Working(an_office(engine, memory)):
        until(lambda: len(memory.mails) > 20)
        with engine.begin() as connection:
            runs.cancel_run(connection, sendout)
        time.sleep(0.5)
    counted = states(engine, sendout)
    assert counted["sent"] == len(memory.mails)
    assert counted["sent"] + counted["cancelled"] == 200
    assert counted["cancelled"] > 100


def test_who_leaves_during_the_sending_gets_nothing_any_more(engine: Engine) -> None:
    left = select(case((Entity.number.is_(None), "opt_out"), else_=null())).where(
        Entity.module == "left", Entity.label == Delivery.email
    )
    a_kind(
        refusal=lambda sendout_id: left.limit(1).scalar_subquery(),
        render=lambda row, _: (time.sleep(0.004), render(row, _))[1],
    )
    memory, sendout = Memory(), a_sendout(engine, 150)
    gone = rows(engine, sendout)[-1].email, rows(engine, sendout)[100].email
    with Working(an_office(engine, memory)):
        until(lambda: len(memory.mails) > 5)
        with engine.begin() as connection:
            for email in gone:
                connection.execute(insert(Entity).values(module="left", label=email))
        until(lambda: is_over(engine, sendout))
    assert states(engine, sendout) == {"sent": 148, "skipped": 2}
    assert {row.email for row in rows(engine, sendout) if row.skip_reason == "opt_out"} == set(gone)
    assert not {mail.envelope.recipient for mail in memory.mails} & set(gone)


def test_a_mail_that_cannot_be_made_fails_alone(engine: Engine) -> None:
    heard: list[tuple[int, str]] = []
    a_kind(settled=lambda connection, row, state, outcome: heard.append((row.id, state)))
    memory, sendout = Memory(), a_sendout(engine, ["a@example.org", "poison@example.org", "b@example.org"])
    with Working(an_office(engine, memory)):
        until(lambda: is_over(engine, sendout))
    assert states(engine, sendout) == {"sent": 2, "failed": 1}
    (failed,) = [row for row in rows(engine, sendout) if row.state == "failed"]
    assert (failed.failed_reason, failed.attempts) == ("render", 0)
    assert "no such tag" in failed.reply
    assert heard == [(failed.id, "failed")]


# What a row becomes -------------------------------------------------------------------------------------------------


def a_row(**values: Any) -> Claimed:
    base = Claimed(1, 1, "sendout", 1, "a@example.org", None, None, 0, 0, None)
    return replace(base, **values)


NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(("attempts", "factor"), [(0, 1), (1, 6), (2, 24), (3, 96)])
def test_soft_failures_are_tried_again_later_and_later(attempts: int, factor: int) -> None:
    outcome = refused("rcpt", 451, "4.3.0 later", is_open=True)
    pauses = []
    for _ in range(200):
        settled = settle(a_row(attempts=attempts), outcome, NOW, 300)
        assert (settled.state, settled.values["attempts"]) == ("retry", attempts + 1)
        pauses.append((settled.values["due_at"] - NOW) / timedelta(seconds=300 * factor))
    assert 0.8 <= min(pauses) < 0.9 < 1.1 < max(pauses) <= 1.2


def test_after_the_last_retry_it_is_a_soft_bounce() -> None:
    settled = settle(a_row(attempts=4), refused("dot", 451, "4.3.0 later", is_open=True), NOW, 300)
    assert (settled.state, settled.values["failed_reason"]) == ("failed", "soft_bounce")


def test_a_drop_before_the_text_is_not_counted_three_times() -> None:
    drop = Outcome("not_sent", "rcpt", text="gone")
    for drops in (0, 1):
        settled = settle(a_row(drops=drops), drop, NOW, 300)
        assert (settled.state, settled.values["drops"], "attempts" in settled.values) == ("waiting", drops + 1, False)
    settled = settle(a_row(drops=2), drop, NOW, 300)
    assert (settled.state, settled.values["attempts"], settled.values["drops"]) == ("retry", 1, 0)


@pytest.mark.parametrize(
    ("outcome", "state", "reason"),
    [
        (refused("rcpt", 550, "5.1.1 nobody", is_open=True), "failed", "hard_bounce"),
        (refused("rcpt", 550, "5.2.1 disabled", is_open=True), "failed", "refused_recipient"),
        (refused("dot", 554, "5.7.1 spam", is_open=True), "failed", "refused_sender"),
        (Outcome("in_doubt", "dot", text="gone"), "uncertain", None),
        (Outcome("unreachable", "connect", text="refused"), "waiting", None),
        (Outcome("not_sent", "mail", 421, "busy"), "waiting", None),
        (ACCEPTED, "sent", None),
    ],
)
def test_each_outcome_has_its_state(outcome: Outcome, state: str, reason: str | None) -> None:
    settled = settle(a_row(), outcome, NOW, 300)
    assert (settled.state, settled.values.get("failed_reason")) == (state, reason)
    counts = state in ("failed", "uncertain", "sent")
    assert ("attempts" in settled.values) is counts


# The ledger and its leases ------------------------------------------------------------------------------------------


def test_who_lost_the_lease_begins_nothing_and_its_late_answer_changes_nothing_but_to_sent(engine: Engine) -> None:
    sendout = a_sendout(engine, 3)
    slow, quick = workers.enlist(engine, "slow"), workers.enlist(engine, "quick")
    held = Claimer(engine).claim(slow)
    ledger = Ledger(engine, slow, "process")
    assert ledger.record(None, beginning(held[0]))
    assert ledger.may_still(beginning(held[0])) is False  # another moment than the one begun at
    assert workers.bury_named(engine, "slow") == 1
    assert states(engine, sendout) == {"uncertain": 1, "waiting": 2}
    assert not ledger.record(None, beginning(held[1]))
    assert ledger.why_not(held[1]) is None
    again = Claimer(engine).claim(quick)
    assert [row.id for row in again] == [held[1].id, held[2].id]
    assert not ledger.record(None, beginning(held[1]))
    ledger.record(ending(held[1]), None)  # not begun by us: nothing
    assert states(engine, sendout) == {"uncertain": 1, "leased": 2}
    late = refused("dot", 451, "4.3.0 later", is_open=True)
    ledger.record(ending(held[0], late), None)
    assert states(engine, sendout)["uncertain"] == 1
    ledger.record(ending(held[0]), None)
    assert states(engine, sendout) == {"sent": 1, "leased": 2}
    ledger.close()


def test_a_commit_whose_answer_was_lost_can_be_repeated(engine: Engine) -> None:
    a_sendout(engine, 2)
    worker = workers.enlist(engine, "w")
    first, second = Claimer(engine).claim(worker)
    ledger = Ledger(engine, worker, "power")
    begun, following = beginning(first), beginning(second)
    assert ledger.record(None, begun)
    assert ledger.record(None, begun)
    assert ledger.record(ending(first), following)
    assert ledger.record(ending(first), following)
    assert ledger.may_still(following)
    assert [row.attempts for row in rows(engine)] == [1, 0]
    ledger.close()


def test_a_silent_worker_is_buried_and_a_living_one_is_not(engine: Engine) -> None:
    sendout = a_sendout(engine, 4)
    silent, living = workers.enlist(engine, "silent"), workers.enlist(engine, "living")
    Claimer(engine).claim(silent, 2)
    Claimer(engine).claim(living, 2)
    with engine.begin() as connection:
        connection.execute(update(MailWorker).where(MailWorker.id == silent).values(seen_at=MailWorker.seen_at - 61))
    assert workers.bury_silent(engine, 60) == 0
    assert states(engine, sendout) == {"waiting": 2, "leased": 2}
    assert not workers.beat(engine, silent)
    assert workers.beat(engine, living)


@pytest.mark.parametrize("ends", [True, False], ids=["it ends", "another looks"])
def test_what_a_worker_claims_that_was_buried_unawares_is_given_back(engine: Engine, ends: bool) -> None:
    sendout = a_sendout(engine, 3)
    cut_off, other = workers.enlist(engine, "cut off"), workers.enlist(engine, "other")
    assert workers.bury_named(engine, "cut off") == 0
    held = Claimer(engine).claim(cut_off, 2)
    Claimer(engine).claim(other)
    ledger = Ledger(engine, cut_off, "process")
    assert ledger.record(None, beginning(held[0]))
    workers.retire(engine, cut_off) if ends else workers.bury_silent(engine, 60)
    assert states(engine, sendout) == {"uncertain": 1, "waiting": 1, "leased": 1}
    ledger.record(ending(held[0]), None)
    assert states(engine, sendout) == {"sent": 1, "waiting": 1, "leased": 1}
    ledger.close()


def test_a_worker_that_was_buried_by_mistake_begins_anew(engine: Engine) -> None:
    memory, sendout = Memory(), a_sendout(engine, 0)
    rules = replace(NO_LIMITS, lease_seconds=1)
    with Working(an_office(engine, memory, rules)):
        until(lambda: _workers(engine))
        workers.bury_named(engine, "test")
        with engine.begin() as connection:
            row = {"sendout_id": sendout, "email": "a@example.org", "email_key": "a", "created_at": clock.now()}
            connection.execute(insert(Delivery).values(**row))
        until(lambda: is_over(engine, sendout))
    assert states(engine, sendout) == {"sent": 1}


def _workers(engine: Engine) -> list[int]:
    with engine.connect() as connection:
        return list(connection.scalars(select(MailWorker.id)))


@pytest.mark.parametrize("is_due", [Delivery.due_at.is_(None), Delivery.due_at <= clock.now()])
def test_claiming_uses_its_index(engine: Engine, is_due: ColumnElement[bool]) -> None:
    """Also the look for rows whose moment has come, which must not walk through all that wait."""
    a_sendout(engine, 2000)
    query = select(Delivery.id).where(Delivery.sendout_id == 1, IS_CLAIMABLE, is_due).limit(100)
    with engine.connect() as connection:
        sql = str(query.compile(engine, compile_kwargs={"literal_binds": True}))
        if engine.dialect.name == "sqlite":
            plan = " ".join(row[3] for row in connection.exec_driver_sql("EXPLAIN QUERY PLAN " + sql))
        else:
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")  # it would rather read a table that small
            plan = " ".join(row[0] for row in connection.exec_driver_sql("EXPLAIN " + sql))
    assert re.search(
        r"INDEX ix_deliveries_sendout_id\S* \(.*due_at[=<]|_deliveries_sendout_id.* Index Cond: .*due_at", plan
    ), plan


def test_uncertain_mails_are_resolved_by_a_person_or_evidence_only(engine: Engine) -> None:
    sendout = a_sendout(engine, 4, state="uncertain")
    ids = [row.id for row in rows(engine, sendout)]
    memory = Memory()
    with Working(an_office(engine, memory)):
        time.sleep(0.8)
        assert not memory.mails
        with engine.begin() as connection:
            assert runs.resolve(connection, ids[0], "sent")
            assert runs.resolve(connection, ids[1], "failed")
            assert runs.resolve(connection, ids[2], "again")
            assert not runs.resolve(connection, ids[0], "again")
        until(lambda: len(memory.mails) == 1)
        until(lambda: states(engine, sendout)["sent"] == 2)
    assert states(engine, sendout) == {"sent": 2, "failed": 1, "uncertain": 1}


# Single mails -------------------------------------------------------------------------------------------------------


def test_a_letter_is_written_once_a_key_and_leaves_with_the_commit(engine: Engine) -> None:
    singles.register_letters(lambda: b"key")
    letter = Letter(Address("anna@example.org", "Änna"), "New password 🔑", "https://hub.example/act/secret\n")
    sender = Address("hub@example.com", "Hub")
    with engine.begin() as connection:
        first = singles.put_letter(connection, letter, sender, dedupe_key="password:1")
        assert singles.put_letter(connection, letter, sender, dedupe_key="password:1") is None
        assert singles.find_mail(connection, "password:1") == first
    with engine.connect() as connection:
        singles.put_letter(connection, letter, sender, dedupe_key="password:2")
        connection.rollback()
    memory = Memory()
    with Working(an_office(engine, memory)):
        until(lambda: memory.mails and rows(engine)[0].state == "sent")
    assert len(memory.mails) == 1
    assert memory.mails[0].envelope == Envelope("hub@example.com", "anna@example.org")
    assert memory.parsed()["Subject"] == "New password 🔑"
    assert memory.parsed()["Auto-Submitted"] == "auto-generated"
    assert rows(engine)[0].payload is None  # the link in it must not stay in the database


class Slow(Memory):
    """A server that takes its time, so that a mass sending lasts longer than any machine needs to notice a single mail."""

    def connection(self) -> MemoryConnection:
        return SlowConnection(self)


class SlowConnection(MemoryConnection):
    def send(self, envelope: Envelope, data: bytes | Settled, go_ahead: GoAhead | None = None) -> Outcome:
        time.sleep(0.005)
        return super().send(envelope, data, go_ahead)


def test_single_mails_do_not_wait_for_a_mass_sending(engine: Engine) -> None:
    singles.register_letters(lambda: b"key")
    memory = Slow()
    a_sendout(engine, 3000)
    with Working(an_office(engine, memory)):
        until(lambda: len(memory.mails) > 50)
        with engine.begin() as connection:
            letter = Letter(Address("anna@example.org"), "Quick", "x\n")
            singles.put_letter(connection, letter, Address("hub@example.com"), dedupe_key="k")
        until(lambda: any(mail.envelope.recipient == "anna@example.org" for mail in memory.mails))
    at = next(n for n, mail in enumerate(memory.mails) if mail.envelope.recipient == "anna@example.org")
    assert at < 2500  # of 3,000: it overtook those who were still waiting


# Throttle -----------------------------------------------------------------------------------------------------------


def test_workers_keep_one_rate_together(engine: Engine) -> None:
    throttles = [Throttle(engine, 40, 0) for _ in range(3)]
    gone: list[float] = []
    begun = time.monotonic()
    while time.monotonic() - begun < 3:
        for throttle in throttles:
            if not throttle.wait("example.org"):
                gone.append(time.monotonic() - begun)
        time.sleep(0.001)
    assert 80 <= len(gone) <= 40 * 4 + 3  # 40 a second, and at most one leased second ahead
    longest_second = max(sum(1 for at in gone if start <= at < start + 1) for start in gone)
    assert longest_second <= 40 * 2


def test_a_slow_domain_does_not_hold_up_the_others(engine: Engine) -> None:
    emails = [f"p{n}@slow.example" for n in range(150)] + [f"p{n}@d{n}.example" for n in range(100)]
    memory, sendout = Memory(), a_sendout(engine, emails)
    memory.is_throttled = True
    rules = replace(NO_LIMITS, domain_rate=5.0)
    with Working(an_office(engine, memory, rules)):
        until(lambda: sum(not mail.envelope.recipient.endswith("slow.example") for mail in memory.mails) == 100, 12)
        slow = sum(mail.envelope.recipient.endswith("slow.example") for mail in memory.mails)
        assert slow < 75
    assert states(engine, sendout)["leased"] == 0


def test_a_clock_that_jumped_does_not_freeze_the_throttle(engine: Engine) -> None:
    from crm.mail.sending.deliveries import Portion

    with engine.begin() as connection:
        connection.execute(insert(Portion).values(key="*", free_at=time.time() + 3600))
    assert Throttle(engine, 10, 0).wait("example.org") == 0


def test_a_rate_below_one_a_second_is_kept(engine: Engine) -> None:
    throttle = Throttle(engine, 0, 0.5)
    assert throttle.wait("a.example") == 0
    assert 0 < throttle.wait("a.example") <= 2
    assert throttle.wait("b.example") == 0


# With a server ------------------------------------------------------------------------------------------------------


def test_a_server_with_every_fault_at_once_loses_and_doubles_nobody(engine: Engine) -> None:
    sendout = a_sendout(engine, 400)
    modes = (
        "refuse:rcpt:550 5.1.1 no such user:3%", "refuse-once:rcpt:451 4.7.1 greylisted:10%", "refuse-once:dot:452 4.3.1 full:#7",
        "close:data:#31", "close:dot:#41", "reply-then-close:dot:#23", "limit:25",
    )  # fmt: skip
    with (
        running(*modes) as server,
        Working(an_office(engine, SmtpServer(f"smtp://127.0.0.1:{server.port}", timeouts=QUICK))),
    ):
        until(lambda: is_over(engine, sendout), 60)
    found = rows(engine, sendout)
    taken = server.taken
    assert len(taken) == len(set(taken))
    accepted = {str(entry["recipient"]) for entry in server.log if str(entry["reply"]).startswith("250")}
    unanswered = {str(entry["recipient"]) for entry in server.log if not entry["reply"]}
    by_state = {state: {row.email for row in found if row.state == state} for state in ("sent", "failed", "uncertain")}
    assert by_state["sent"] == accepted
    assert by_state["uncertain"] == unanswered
    assert by_state["failed"] == {row.email for row in found if chosen(row.email, "3%")}
    assert sum(map(len, by_state.values())) == 400
    assert {row.failed_reason for row in found if row.state == "failed"} == {"hard_bounce"}
    assert {row.attempts for row in found if row.state == "failed"} == {1}


def test_a_server_that_is_not_there_costs_nobody_an_attempt(engine: Engine) -> None:
    sendout = a_sendout(engine, 20)
    with running() as server:
        port = server.port
    with Working(an_office(engine, SmtpServer(f"smtp://127.0.0.1:{port}", timeouts=QUICK))):
        time.sleep(1.5)
        assert {(row.attempts, row.text_begun_at) for row in rows(engine, sendout)} == {(0, None)}
    assert states(engine, sendout) == {"waiting": 20}


def test_a_run_that_is_refused_for_policy_pauses_itself(engine: Engine) -> None:
    told: list[tuple[int | None, str, str]] = []
    a_kind(trouble=lambda *words: told.append(words))
    sendout = a_sendout(engine, 100)
    with (
        running("refuse:dot:550 5.7.1 we do not like you") as server,
        Working(an_office(engine, SmtpServer(f"smtp://127.0.0.1:{server.port}", timeouts=QUICK))),
    ):
        until(lambda: told)
        time.sleep(0.5)
    counted = states(engine, sendout)
    assert 20 <= counted["failed"] <= 20 + NO_LIMITS.connections
    assert counted["waiting"] == 100 - counted["failed"]
    assert [(words[0], words[1]) for words in told] == [(sendout, "policy")]
    assert "5.7.1" in told[0][2]


def test_a_beginning_that_had_to_wait_is_asked_for_again(engine: Engine) -> None:
    """The server is slow to say 354; meanwhile the run is paused: no text."""
    sendout = a_sendout(engine, ["a@example.org"])
    with running("delay:data:1.5") as server:
        rules = replace(NO_LIMITS, connections=1)
        with Working(an_office(engine, SmtpServer(f"smtp://127.0.0.1:{server.port}", timeouts=QUICK), rules)):
            until(lambda: rows(engine, sendout)[0].text_begun_at)
            with engine.begin() as connection:
                runs.pause_run(connection, sendout)
            until(lambda: rows(engine, sendout)[0].state == "waiting")
        assert not server.log
    (row,) = rows(engine, sendout)
    assert (row.attempts, row.text_begun_at) == (0, None)


def test_nothing_begins_while_the_ledger_cannot_be_written(engine: Engine) -> None:
    memory, sendout = Memory(), a_sendout(engine, 300)
    a_kind(render=lambda row, loaded: (time.sleep(0.003), render(row, loaded))[1])
    with Working(an_office(engine, memory)):
        until(lambda: len(memory.mails) > 10)
        with engine.connect() as connection:
            connection.begin()  # on SQLite this takes the write lock
            if engine.dialect.name == "postgresql":
                connection.exec_driver_sql("LOCK TABLE deliveries IN EXCLUSIVE MODE")
            time.sleep(0.2)
            before = len(memory.mails)
            time.sleep(1.5)
            assert len(memory.mails) <= before + NO_LIMITS.connections
            connection.rollback()
        until(lambda: is_over(engine, sendout))
    assert states(engine, sendout) == {"sent": 300}
    assert len(memory.mails) == 300


def test_a_fault_of_ours_in_the_middle_is_a_doubt_and_the_others_go_on(engine: Engine) -> None:
    class Faulty(Memory):
        def connection(self) -> Any:
            kept = super().connection()
            send = kept.send

            def fall(envelope: Envelope, data: bytes, go_ahead: Any = None) -> Outcome:
                if envelope.recipient.startswith("person7@"):
                    raise RuntimeError("a bug")
                return send(envelope, data, go_ahead)

            kept.send = fall  # type: ignore[method-assign]
            return kept

    memory, sendout = Faulty(), a_sendout(engine, 30)
    with Working(an_office(engine, memory)):
        until(lambda: is_over(engine, sendout))
    assert states(engine, sendout) == {"sent": 29, "uncertain": 1}


def test_an_office_that_is_told_to_stop_leaves_nothing_leased(engine: Engine) -> None:
    memory, sendout = Memory(), a_sendout(engine, 3000)
    with Working(an_office(engine, memory)):
        until(lambda: len(memory.mails) > 30)
    counted = states(engine, sendout)
    assert counted["sent"] == len(memory.mails)
    assert set(counted) == {"sent", "waiting"}
    assert threading.active_count() < 20
