"""Marks of use are written beside the request's own transaction, with real commits."""

import time
from datetime import timedelta

from sqlalchemy import select

from crm import clock
from crm.db import db, reading
from crm.identity import api_keys, logins, sessions
from crm.identity.tables import User
from tests.people import PASSWORD, make_people


def test_a_page_that_only_reads_can_note_that_its_session_is_used(own_app):
    make_people()
    token = logins.sign_in("crm", "alice@example.com", PASSWORD).token
    _, key = api_keys.add("Shop", db.session.scalar(select(User.id).where(User.email == "alice@example.com")))
    db.session.commit()
    later = clock.now() + timedelta(minutes=2)
    with clock.standing_at(later), reading():
        row, found = sessions.find("crm", token), api_keys.find(key)  # begins the transaction of the page
        begun = time.monotonic()
        sessions.touch(row)
        api_keys.touch(found)
        assert time.monotonic() - begun < 5, "it waited for a lock"
        db.session.rollback()
        assert sessions.find("crm", token).seen_at == later
        assert api_keys.find(key).last_used_at == later
