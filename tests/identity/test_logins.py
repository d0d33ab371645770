"""Signing in and out: who comes in, what is counted, when an address is shut out, what the history tells."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select, update

from crm import clock
from crm.db import db
from crm.identity import logins, passwords, roles, sessions, stamp
from crm.identity.tables import User
from crm.identity.viewer import SYSTEM
from crm.modules.users.writing import archive_user, set_password
from tests.people import PASSWORD

HERE = "192.0.2.7"
NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


def sign_in(email="alice@example.com", password=PASSWORD, app="crm", address=HERE):
    return logins.sign_in(app, email, password, address, "A browser")


def outcomes():
    return [row.outcome for row in logins.history()]


def test_alice_signs_in_with_her_address_in_any_case(people):
    said = sign_in(" ALICE@Example.com ")
    assert said
    assert said.user_id == people.alice
    assert not said.must_change_password
    assert sessions.find("crm", said.token).user_id == people.alice


def test_the_token_is_for_one_app_and_only_its_hash_is_kept(people, session):
    token = sign_in().token
    assert sessions.find("ecp", token) is None
    assert sessions.find("crm", token + "x") is None
    kept = session.execute(select(sessions.UserSession.__table__)).first()
    assert token not in str(tuple(kept))
    assert len(token) >= 22


@pytest.mark.parametrize(
    ("email", "password", "where", "outcome"),
    [
        ("alice@example.com", "wrong password here", "crm", "wrong_password"),
        ("nobody@example.com", PASSWORD, "crm", "unknown"),
        ("alice@example.com", PASSWORD, "ecp", "no_access"),
        ("eve@example.com", PASSWORD, "crm", "no_access"),
        ("", "", "crm", "unknown"),
        ("x" * 5000, "y" * 100_000, "crm", "unknown"),
        ("' OR 1=1 --", "' OR 1=1 --", "crm", "unknown"),
        ("alice@example.com\ud800", "\ud800", "crm", "unknown"),
    ],
)
def test_others_stay_out_and_all_get_the_same_answer(people, email, password, where, outcome):
    assert sign_in(email, password, where) == logins.SignIn()
    assert outcomes() == [outcome]


def test_an_archived_user_stays_out(people):
    archive_user(SYSTEM, people.alice)
    assert not sign_in()
    assert outcomes() == ["archived"]


def test_a_new_user_must_change_the_first_password(people):
    set_password(SYSTEM, people.bob, "seven rusty bicycles")
    said = sign_in("bob@example.com", "seven rusty bicycles")
    assert said
    assert said.must_change_password
    assert not sign_in("bob@example.com", PASSWORD)


def test_five_failures_shut_an_address_out_for_a_quarter_of_an_hour(people):
    with clock.standing_at(NOON):
        for _ in range(4):
            assert sign_in(password="wrong password here").wait == 0
        assert sign_in(password="wrong password here").wait == 900
        assert sign_in() == logins.SignIn(wait=900), "the right password does not help"
        assert [row.source for row in logins.bans()] == [HERE]
        assert sign_in(address="192.0.2.8"), "another address is not shut out"
    with clock.standing_at(NOON + timedelta(minutes=14, seconds=59)):
        assert sign_in().wait == 1
    with clock.standing_at(NOON + timedelta(minutes=15)):
        assert sign_in()


def test_failures_far_apart_are_not_added_up(people):
    for number in range(8):
        with clock.standing_at(NOON + timedelta(minutes=16 * number)):
            assert sign_in(password="wrong password here").wait == 0


def test_a_success_forgets_the_failures_before(people):
    for _ in range(3):
        for _ in range(4):
            sign_in(password="wrong password here")
        assert sign_in()


def test_a_whole_ipv6_network_counts_as_one(people):
    for number in range(5):
        said = sign_in(password="wrong password here", address=f"2001:db8:1:2::{number}")
    assert said.wait > 0
    assert sign_in(address="2001:db8:1:2:ffff::1").wait > 0
    assert sign_in(address="2001:db8:1:3::1")


def test_a_ban_can_be_lifted(people):
    for _ in range(5):
        sign_in(password="wrong password here")
    logins.unban(HERE)
    assert sign_in()
    assert logins.bans() == []


def test_a_session_ends_after_idling_and_lives_while_used(people):
    with clock.standing_at(NOON):
        token = sign_in().token
        db.session.commit()
    with clock.standing_at(NOON + timedelta(minutes=59)):
        row = sessions.find("crm", token)
        sessions.touch(row)
    with clock.standing_at(NOON + timedelta(minutes=118)):
        assert sessions.find("crm", token)
    with clock.standing_at(NOON + timedelta(minutes=120)):
        assert sessions.find("crm", token) is None
        assert sessions.sweep() == 1


def test_a_session_is_written_at_most_once_a_minute(people):
    with clock.standing_at(NOON):
        token = sign_in().token
        db.session.commit()
    with clock.standing_at(NOON + timedelta(seconds=59)):
        sessions.touch(sessions.find("crm", token))
        assert sessions.find("crm", token).seen_at == NOON
    with clock.standing_at(NOON + timedelta(seconds=60)):
        sessions.touch(sessions.find("crm", token))
        assert sessions.find("crm", token).seen_at == NOON + timedelta(seconds=60)


def test_no_session_outlives_a_week(people):
    with clock.standing_at(NOON):
        token = sign_in().token
        db.session.commit()
    moment = NOON
    while moment < NOON + timedelta(days=7):
        with clock.standing_at(moment):
            row = sessions.find("crm", token)
            assert row is not None
            sessions.touch(row)
        moment += timedelta(minutes=50)
    with clock.standing_at(NOON + timedelta(days=7)):
        assert sessions.find("crm", token) is None


def test_a_role_may_have_a_time_of_its_own(people):
    roles.change_role(roles.role_by_key("sales"), idle_minutes=5)
    with clock.standing_at(NOON):
        token = sign_in().token
    with clock.standing_at(NOON + timedelta(minutes=5)):
        assert sessions.find("crm", token) is None


def test_the_history_tells_who_is_in_and_how_others_left(people):
    with clock.standing_at(NOON):
        first, second = sign_in().token, sign_in().token
        sign_in("bob@example.com")
        logins.sign_out("crm", first)
        mine = logins.history(people.alice)
        assert [(row.is_active, row.ended_by) for row in mine] == [(True, None), (False, "signed_out")]
        assert mine[1].ended_at == NOON
        assert (mine[0].address, mine[0].agent) == (HERE, "A browser")
        assert sessions.find("crm", first) is None
        assert logins.end_sessions(people.alice) == 1
        assert sessions.find("crm", second) is None
        assert logins.history(people.alice)[0].ended_by == "administrator"
        assert [row.is_active for row in logins.history()] == [True, False, False]
    with clock.standing_at(NOON + timedelta(hours=2)):
        assert not any(row.is_active for row in logins.history())


def test_one_session_can_be_ended_from_elsewhere(people):
    token = sign_in().token
    logins.end_session(sessions.of(people.alice)[0].id)
    assert sessions.find("crm", token) is None
    assert sessions.of(people.alice) == []


def test_signing_out_with_a_token_of_nobody_does_nothing(people):
    logins.sign_out("crm", "no such token")
    assert logins.history() == []


def test_an_old_hash_is_made_anew_at_sign_in(people, session, real_hashes):
    from argon2 import PasswordHasher

    weak = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    session.execute(update(User).where(User.id == people.alice).values(password_hash=weak))
    stamp.renew()
    assert sign_in()
    kept = session.scalar(select(User.password_hash).where(User.id == people.alice))
    assert kept != weak
    assert passwords.is_right(PASSWORD, kept)


def test_failures_that_no_longer_count_are_swept(people):
    with clock.standing_at(NOON):
        sign_in(password="wrong password here")
    with clock.standing_at(NOON + timedelta(days=366)):
        sign_in()
        logins.sweep_failures()
        assert logins.bans() == []
        assert db.session.scalar(select(func.count()).select_from(logins.LoginFailures)) == 0
