"""That another has the same form open is said calmly; nobody is held back, and what is over is forgotten."""

from datetime import timedelta

from sqlalchemy import func, select

from crm import clock
from crm.db import db
from crm.engine import presence, records
from crm.engine.channels import Channel
from crm.identity.viewer import SYSTEM
from tests.web.test_tickets import csrf


def test_who_has_the_same_form_open_is_said_until_it_is_saved_or_closed_for_minutes(browse, people):
    id = records.create(SYSTEM, "tickets", {"title": "Help"}, Channel.SYSTEM)
    db.session.commit()
    alice, bob = browse("alice"), browse("bob")
    assert f'hx-post="/crm/tickets/{id}/editing"' in alice.get(f"/tickets/{id}/edit").text
    marks = select(func.count()).select_from(presence.EditingMark)
    assert db.session.scalar(marks) == 0  # a page that is only fetched notes nothing
    hers, his = {"csrf": csrf(alice)}, {"csrf": csrf(bob)}
    assert "open for writing" not in alice.post(f"/tickets/{id}/editing", hers, status=200).text
    assert "Alice" in bob.post(f"/tickets/{id}/editing", his, status=200).text
    assert "Bob" in alice.post(f"/tickets/{id}/editing", hers, status=200).text
    assert db.session.scalar(marks) == 2
    assert "Bob" in alice.get(f"/tickets/{id}").text  # also where answers are written
    later = clock.now() + presence.LASTS + timedelta(seconds=1)
    with clock.standing_at(later):
        assert "open for writing" not in alice.post(f"/tickets/{id}/editing", hers, status=200).text
    assert db.session.scalar(marks) == 1
    assert alice.post("/tickets/999999/editing", hers, status=200).text == ""
    form = alice.form(f"/tickets/{id}/edit")
    alice.post(f"/tickets/{id}/edit", form | {"title": ["Help us"]})
    assert db.session.scalar(marks) == 0
