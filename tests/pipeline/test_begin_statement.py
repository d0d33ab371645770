"""The statement that begins a text is run for every mail: it finds all it asks by indexes, whatever ANALYZE has seen."""

from sqlalchemy import text

from crm.db import db
from crm.engine import statistics
from crm.identity.viewer import SYSTEM
from crm.mail.sending.kinds import Claimed
from crm.mail.sending.ledger import Ledger
from ecp.pipeline import actions, prepare, sending
from tests.pipeline.conftest import build_house


def test_one_mail_is_judged_without_reading_all_people_also_after_analyze(own_app):
    sending.register()
    house = build_house()
    sendout = house.sendout(house.campaign(house.contacts(1_000)))  # none of them has a second address
    db.session.commit()
    actions.start(SYSTEM, sendout)
    db.session.commit()
    assert prepare.prepare(sendout)
    db.session.remove()
    with db.engine.connect() as connection:
        connection.execute(text("ANALYZE"))
        connection.commit()
    db.engine.dispose()  # SQLite reads what ANALYZE found when a connection is opened

    ledger = Ledger(db.engine, 1, "process", own_app.app_context)
    row = Claimed(1, 1, "sendout", sendout, "n1@example.com", "contacts", 1, 0, 0, None)
    sql = ledger._statements(row)[0].alone.sql
    with db.engine.connect() as connection:
        if db.engine.dialect.name == "sqlite":
            found = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", (None,) * sql.count("?"))
            plan = [line[3] for line in found]
        else:
            raw = connection.connection.dbapi_connection
            raw.execute("SET plan_cache_mode = force_generic_plan")
            raw.execute(f"PREPARE beginning AS {sql}")
            plan = [line[0] for line in raw.execute("EXPLAIN EXECUTE beginning (NULL, NULL, NULL, NULL, NULL)")]
    whole = [
        line for line in plan if "SCAN" in line or ("Seq Scan" in line and ("contacts" in line or "deliveries" in line))
    ]
    assert len(plan) > 10
    assert whole == []


def test_what_a_large_audience_is_asked_of_is_counted_when_it_is_prepared(own_app):
    """Else PostgreSQL would take the tables for empty for a minute, and walk through all rows of a sendout for each claim."""
    sending.register()
    house = build_house()
    sendout = house.sendout(house.campaign(house.contacts(statistics.MANY)))
    db.session.commit()
    actions.start(SYSTEM, sendout)
    db.session.commit()
    assert prepare.prepare(sendout)
    if db.engine.dialect.name == "postgresql":
        counted = text(
            "SELECT count(DISTINCT tablename) FROM pg_stats WHERE tablename IN ('deliveries', 'campaign_members')"
        )
        assert db.session.execute(counted).scalar() == 2
