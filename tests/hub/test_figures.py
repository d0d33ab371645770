"""What /metrics counts of mails: those of what is being sent, quickly however many there were before."""

import pytest
from sqlalchemy import text, update

from crm.db import db
from crm.mail.sending.deliveries import Run
from hub import figures
from hub.public import create_public_app
from tests.mail.ledgers import a_sendout


@pytest.fixture
def told(own_app, monkeypatch):
    """`told()`: the lines of /metrics about mails, counted anew."""
    client = create_public_app(own_app.config["CUSTOMERHUB"]).test_client()

    def lines() -> list[str]:
        figures._counted.clear()
        db.session.rollback()
        return [line for line in client.get("/metrics").text.splitlines() if line.startswith("customerhub_deliveries")]

    return lines


def test_mails_of_open_sendouts_are_counted_by_state_and_all_by_the_last_id(told, own_app):
    first, second = a_sendout(db.engine, 5), a_sendout(db.engine, 3)
    assert told() == ['customerhub_deliveries{state="waiting"} 8.0', "customerhub_deliveries_put_total 8.0"]
    db.session.execute(text("UPDATE deliveries SET state = 'sent' WHERE sendout_id = :id"), {"id": first})
    db.session.commit()
    assert told()[:2] == ['customerhub_deliveries{state="sent"} 5.0', 'customerhub_deliveries{state="waiting"} 3.0']
    db.session.execute(update(Run).where(Run.sendout_id.in_([first, second])).values(state="closed"))
    db.session.commit()
    assert told() == ["customerhub_deliveries_put_total 8.0"]


def test_mails_are_counted_once_in_a_while_and_by_an_index(told, own_app, database_kind):
    a_sendout(db.engine, 5)
    before = told()
    a_sendout(db.engine, 5)
    client = create_public_app(own_app.config["CUSTOMERHUB"]).test_client()
    assert all(line in client.get("/metrics").text for line in before if "put" not in line)
    assert told() != before
    if database_kind == "sqlite":
        plan = [row[-1] for row in db.session.execute(text("EXPLAIN QUERY PLAN " + figures.MAILS_UNDER_WAY))]
        assert all("USING" in step and "INDEX" in step for step in plan if "deliveries" in step), plan


def test_the_counter_never_goes_back_though_another_process_counted_earlier(told, own_app):
    a_sendout(db.engine, 5)
    told()  # this process keeps its counts for a while
    a_sendout(db.engine, 5)  # whoever counts anew tells of these
    client = create_public_app(own_app.config["CUSTOMERHUB"]).test_client()
    assert "customerhub_deliveries_put_total 10.0" in client.get("/metrics").text
