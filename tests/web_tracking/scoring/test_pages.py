"""Pages of scoring: the model is previewed without being saved, faults keep what was typed, cards say why, reports name sources."""

from typing import Any

from crm.db import db
from crm.engine import search
from crm.engine.outbox import Job
from crm.identity.viewer import SYSTEM
from tests.every_module.browsing import browser
from tests.web_tracking.scoring.conftest import click, make, rule
from tests.web_tracking.scoring.test_sources import touch
from web_tracking.scoring import counting, model

EVIL = "<script>alert(1)</script>"


def test_the_model_is_previewed_then_saved_and_faults_keep_what_was_typed(app: Any, people: Any) -> None:
    anna, one = make("contacts"), rule(name=EVIL, half_life_days=3650)
    click(anna)
    db.session.commit()
    ada = browser(app, "ada@example.com")
    typed = ada.form("/scoring")
    assert typed[f"r{one}.points"] == ["10"]
    said = typed | {f"r{one}.points": "70", "do": "preview", "at_least": "50"}
    page = ada.post("/scoring", said, 200).text
    assert EVIL not in page
    assert "not saved yet" in page
    assert '<span class="big-number">1</span><span class="quiet small">people with 50 or more</span>' in page
    assert search.one(SYSTEM, "score_rules", one)["points"] == 10
    for name, value in (
        (f"r{one}.points", "999999"),
        (f"r{one}.half_life_days", "0"),
        ("warm_at", "x"),
        ("hot_at", "3"),
    ):
        page = ada.post("/scoring", typed | {name: value, "do": "save"}, 422).text
        assert f'value="{value}"' in page
    assert search.one(SYSTEM, "score_rules", one)["points"] == 10
    ada.post("/scoring", typed | {f"r{one}.points": "70", "hot_at": "65", "do": "save"})
    db.session.expire_all()
    assert search.one(SYSTEM, "score_rules", one)["points"] == 70
    assert model.load().hot_at == 65
    jobs = db.session.query(Job).filter(Job.task == "scores.everything")
    assert jobs.count() == 1
    ada.post("/scoring", typed | {f"r{one}.points": "75", "hot_at": "65", "do": "save"})
    assert jobs.count() == 1  # it waits already
    jobs.update({"state": "done"})
    db.session.commit()
    ada.post("/scoring", typed | {f"r{one}.points": "80", "hot_at": "65", "do": "save"})
    assert jobs.filter(Job.state == "waiting").count() == 1


def test_who_may_not_change_rules_sees_them_only(app: Any, people: Any) -> None:
    rule()
    db.session.commit()
    alice = browser(app, "alice@example.com")
    page = alice.get("/scoring").text
    assert "Save and count anew" not in page
    alice.post("/scoring", {"csrf": alice.form("/search" if False else "/scoring")["csrf"]}, 403)


def test_cards_say_why_and_how_they_came_and_the_report_what_brings_customers(app: Any, people: Any) -> None:
    anna, one = make("contacts"), rule(name=f"Clicks {EVIL}", half_life_days=3650)
    click(anna)
    touch(anna, 3, f"google{EVIL}", "spring")
    deal = make("potentials", contact_id=anna, stage="Closed Won", amount=500)
    counting.recount_all()
    db.session.commit()
    ada = browser(app, "ada@example.com")
    card = ada.get(f"/contacts/{anna}").text
    assert EVIL not in card
    assert f"/crm/score_rules/{one}" in card
    assert "1 time" in card
    for page in (card, ada.get(f"/potentials/{deal}").text):
        assert "How they came" in page
        assert "google&lt;script" in page
    report = ada.get("/sources?share=even&by=label&days=0").text
    assert EVIL not in report
    assert "google" in report
    assert "€500" in ada.get("/sources?share=odd&by=%27&days=99999999").text
    file = ada.get("/sources.csv?days=0").text
    assert file.startswith("\ufeffSource,")
    assert "google" in file
