"""What people write stays text in every page, list, file and answer, whatever it looks like."""

import base64
import csv
import hashlib
import io
import json

import pytest
from lxml import html

from crm.db import db
from crm.engine import records, text_index
from crm.engine.channels import Channel
from crm.identity.viewer import SYSTEM
from tests.api.calls import caller
from tests.audit.hostile import LONG, NAME, Crawl, dangers, furnish


@pytest.fixture
def hostile(people, sent):
    """Ids by module of a house full of hostile names; the person of `sent` is one of them."""
    made = furnish(people["ada"])
    records.update(SYSTEM, "contacts", sent.contact, {"first_name": NAME, "last_name": NAME}, Channel.SYSTEM)
    records.update(SYSTEM, "campaigns", sent.campaign, {"name": NAME}, Channel.SYSTEM)
    db.session.commit()
    made["contacts"] = sent.contact
    return made


@pytest.mark.parametrize("face", ["crm", "ecp"])
def test_no_page_that_can_be_reached_runs_a_name_or_leads_nowhere(browse, hostile, sent, visitor, face):
    visitor.get(f"/c/{sent.token('click')}/1")
    visitor.get(f"/o/{sent.token('open')}.gif")
    ada = browse("ada", face)
    cards = [
        f"/{face}/{key}/{id}" for key, id in hostile.items() if ada.client.get(f"/{face}/{key}").status_code == 200
    ]
    crawl = Crawl(ada).run(f"/{face}/", f"/{face}/sendouts/{sent.sendout}", *cards, f"/{face}/search?q=alert")
    assert crawl.faults == []
    assert len(crawl.pages) > 60


@pytest.mark.parametrize(("name", "face"), [("alice", "crm"), ("rita", "crm"), ("eve", "ecp")])
def test_nobody_is_offered_a_link_or_button_that_leads_nowhere(browse, sent, name, face):
    crawl = Crawl(browse(name, face), most=150, each=1).run(f"/{face}/", f"/{face}/sendouts/{sent.sendout}")
    assert crawl.faults == []
    assert len(crawl.pages) > 60


def test_a_hostile_name_is_shown_as_it_was_written(browse, hostile):
    ada = browse("ada", "crm")
    for path in ("/contacts", f"/contacts/{hostile['contacts']}", "/search?q=alert", "/search/suggest?q=alert"):
        assert NAME in html.fromstring(ada.get(path).text).text_content(), path
    assert text_index.search(SYSTEM, "alert")


def test_public_pages_show_no_name_as_markup_and_fill_no_tag_twice(hostile, sent, visitor):
    for path in (
        f"/u/{sent.token('unsubscribe')}", f"/u1/{sent.token('one_click')}", f"/pref/{sent.token('preferences')}",
        f"/v/{sent.token('online')}", "/u/" + NAME, "/confirm/" + NAME, "/p/" + NAME,
    ):  # fmt: skip
        answer = visitor.get(path)
        assert answer.status_code in {200, 302, 404}, path
        assert "onerror" not in answer.headers.get("Location", ""), path
        assert NAME not in answer.text, path
        policy = answer.headers.get("Content-Security-Policy", "")  # which names the one script of ours by its hash
        assert dangers(html.fromstring(answer.text), policy=policy) == [], path
    shown = visitor.get(f"/v/{sent.token('online')}")
    if shown.status_code == 200:
        text = html.fromstring(shown.text).text_content()
        assert NAME in text
        assert "anna@example.com" not in text


def test_json_gives_names_as_they_are_and_is_no_page(app, people, hostile):
    ask = caller(app, people.ada)
    answer = ask("GET", f"/contacts/{hostile['contacts']}")
    assert answer.json["data"]["attributes"]["first_name"] == NAME
    assert answer.mimetype == "application/vnd.api+json"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    for path in (f"/contacts/{NAME}", f"/contacts?sort={NAME}", "/contacts?filter=" + json.dumps({"$eq": [NAME, 1]})):
        wrong = ask("GET", path)
        assert wrong.status_code in {400, 404}
        assert "json" in wrong.mimetype, path


def test_files_for_spreadsheets_hold_no_formula(browse, hostile):
    records.update(
        SYSTEM,
        "contacts",
        hostile["contacts"],
        {"title": "=cmd|' /C calc'!A0", "department": "@SUM(1)"},
        Channel.SYSTEM,
    )
    db.session.commit()
    ada = browse("ada", "crm")
    answer = ada.get("/contacts/export.csv?columns=first_name,last_name,title,department,account_id")
    rows = list(
        csv.reader(io.StringIO(answer.data.decode("utf-8-sig")), delimiter=";" if ";" in answer.text[:60] else ",")
    )
    cells = [cell for row in rows for cell in row]
    assert any("alert(1)" in cell for cell in cells)
    assert [cell for cell in cells if cell[:1] in {"=", "@", "\t", "\r"} or cell.startswith(("+c", "-c"))] == []


def test_the_long_name_is_hostile_in_each_context():
    tree = html.fromstring(f"<p>{LONG}</p><p title='{LONG}'>x</p>")
    assert {fault.split(" ")[0] for fault in dangers(tree)} == {"a", "the", "onerror", "onload", "onfocus"}


def test_only_the_script_that_the_policy_names_by_its_hash_may_stand_in_a_page():
    ours, changed = (html.fromstring(f"<div><script>{one}</script></div>") for one in ("show()", "show(1)"))
    policy = f"default-src 'none'; script-src 'sha256-{base64.b64encode(hashlib.sha256(b'show()').digest()).decode()}'"
    assert dangers(ours, policy=policy) == []
    assert (
        dangers(changed, policy=policy)
        == dangers(ours, policy="script-src 'unsafe-inline'")
        == ["a script in the page"]
    )
