"""Tokens of few uses, and keys that are kept wrapped by the secret key."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from crm import clock
from crm.identity import keys, tokens

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


def test_a_token_is_used_once(session):
    token = tokens.issue("password", 7, timedelta(hours=1), {"email": "alice@example.com"})
    for _ in range(2):  # looking does not use it up
        found = tokens.peek("password", token)
        assert (found.subject_id, found.data) == (7, {"email": "alice@example.com"})
    assert tokens.use("password", token).subject_id == 7
    assert tokens.use("password", token) is None
    assert tokens.peek("password", token) is None


def test_a_token_is_for_one_purpose_and_lives_its_time(session):
    with clock.standing_at(NOON):
        token = tokens.issue("password", 7, timedelta(hours=1))
        assert tokens.peek("confirm", token) is None
        assert tokens.use("confirm", token) is None
    with clock.standing_at(NOON + timedelta(hours=1)):
        assert tokens.use("password", token) is None


def test_tokens_can_be_revoked_and_are_swept(session):
    with clock.standing_at(NOON):
        gone, kept = tokens.issue("password", 7), tokens.issue("password", 8, timedelta(hours=1))
        tokens.revoke("password", 7)
        assert tokens.peek("password", gone) is None
        assert tokens.peek("password", kept)
    with clock.standing_at(NOON + timedelta(days=40)):
        assert tokens.sweep() == 1


def test_only_a_hash_of_a_token_is_kept(session):
    token = tokens.issue("password", 7)
    kept = session.execute(select(tokens.Token.__table__)).one()
    assert token not in str(tuple(kept))
    assert len({tokens.fresh() for _ in range(1000)}) == 1000


@pytest.mark.parametrize("strange", ["", "\x00", "\ud800", "x" * 100_000, "ä"])
def test_strange_tokens_are_simply_unknown(session, strange):
    assert tokens.use("password", strange) is None


def test_a_key_is_made_once_and_stays(session):
    assert keys.find("tested") is None
    made = keys.of("tested", 64)
    assert len(made) == 64
    assert keys.of("tested", 64) == made
    assert keys.of("erase") != made[:32]
    kept = session.execute(select(keys.Key.__table__).where(keys.Key.name == "tested")).one()
    assert made not in kept.wrapped


def test_a_key_can_be_replaced_and_listed(session):
    keys.keep("dkim:example.com:s1", b"first")
    keys.keep("dkim:example.com:s1", b"second")
    keys.keep("dkim:example.org:s1", b"other")
    assert keys.find("dkim:example.com:s1") == b"second"
    assert sorted(keys.names("dkim:example.")) == ["dkim:example.com:s1", "dkim:example.org:s1"]
    assert keys.names("dkim:example.com") == ["dkim:example.com:s1"]


def test_rotating_the_secret_key_loses_no_key(app, session):
    settled = app.config["CUSTOMERHUB"]
    made = keys.of("links")
    old = settled.secret_key
    try:
        app.config["CUSTOMERHUB"] = settled.with_(secret_key="a new one," + old)
        assert keys.of("links") == made
        assert keys.rewrap() == len(keys.names())
        assert keys.rewrap() == 0
        app.config["CUSTOMERHUB"] = settled.with_(secret_key="a new one")
        assert keys.of("links") == made
        app.config["CUSTOMERHUB"] = settled
        with pytest.raises(keys.UnreadableKey, match="CUSTOMERHUB_SECRET_KEY"):
            keys.of("links")
    finally:
        app.config["CUSTOMERHUB"] = settled


def test_a_wrapped_key_opens_under_its_own_name_only(session):
    from sqlalchemy import update

    keys.keep("one", b"first")
    keys.keep("two", b"second")
    wrapped = session.scalar(select(keys.Key.wrapped).where(keys.Key.name == "one"))
    session.execute(update(keys.Key).where(keys.Key.name == "two").values(wrapped=wrapped))
    with pytest.raises(keys.UnreadableKey):
        keys.find("two")


def test_a_fingerprint_tells_keys_apart_without_telling_them(app):
    assert keys.fingerprint("a") != keys.fingerprint("b")
    assert keys.fingerprint() == keys.fingerprint(app.config["CUSTOMERHUB"].secret_keys[0])
    assert len(keys.fingerprint()) == 16
