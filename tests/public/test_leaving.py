"""Leaving, coming back and choosing: by POST only, once, and seen at once by the next mail."""

import pytest
from sqlalchemy import select, text

from crm.db import db
from crm.engine import records, search
from crm.engine.channels import Channel
from crm.engine.history import Change
from crm.engine.registry import modules
from crm.identity.viewer import SYSTEM
from crm.mail.sending.deliveries import Delivery
from ecp.pipeline import actions, allow, checks


def refusals():
    table = modules["suppressions"].table
    return {
        (row.scope, row.scope_id): (row.active, row.source)
        for row in db.session.execute(select(table.c.scope, table.c.scope_id, table.c.active, table.c.source))
    }


def why_not(sent):
    rules = checks.audience_of(actions.load(SYSTEM, sent.sendout)).rules
    return db.session.execute(select(allow.refusal(rules)).where(Delivery.id == sent.delivery)).scalar()


def test_opening_the_page_changes_nothing(sent, visitor):
    for path in ("u", "pref"):
        token = sent.token({"u": "leave", "pref": "preferences"}[path])
        for method in ("get", "head"):
            answer = getattr(visitor, method)(f"/{path}/{token}")
            assert answer.status_code == 200
    assert visitor.get(f"/u1/{sent.token('one_click')}").status_code == 302
    assert refusals() == {}
    assert sent.row().unsubscribed_at is None
    assert why_not(sent) is None


def test_leaving_by_the_page_stops_the_next_mail_and_is_done_once(sent, visitor):
    for _ in range(2):
        answer = visitor.post(f"/u/{sent.token('leave')}", data={"action": "unsubscribe"})
        assert answer.status_code == 200
        assert "no longer get" in answer.text
    assert refusals() == {
        ("list_type", sent.house.list_id): (True, "recipient"),
        ("campaign", sent.campaign): (True, "recipient"),
    }
    assert why_not(sent) == "list_unsubscribed"
    assert sent.row().unsubscribed_at is not None
    state = db.session.execute(
        text("SELECT state FROM campaign_members WHERE person_id = :p"), {"p": sent.contact}
    ).scalar()
    assert state == "unsubscribed"


def test_coming_back_by_the_page_ends_the_refusal_and_keeps_its_history(sent, visitor):
    visitor.post(f"/u/{sent.token('leave')}", data={"action": "unsubscribe"})
    answer = visitor.post(f"/u/{sent.token('leave')}", data={"action": "subscribe"})
    assert "End the subscription" in answer.text
    assert {active for active, _ in refusals().values()} == {False}
    assert why_not(sent) is None
    table = modules["suppressions"].table
    id = db.session.execute(select(table.c.id).where(table.c.scope == "list_type")).scalar()
    changes = db.session.execute(select(Change.field, Change.new).where(Change.entity_id == id)).all()
    assert ("active", "0") in [(row.field, row.new) for row in changes] or "active" in {row.field for row in changes}


@pytest.mark.parametrize(
    "encoding",
    [
        {"data": {"List-Unsubscribe": "One-Click"}},
        {"data": {"List-Unsubscribe": "One-Click"}, "content_type": "multipart/form-data"},
    ],
)
def test_one_click_leaves_list_and_campaign_without_cookie_or_redirect(sent, visitor, encoding):
    answer = visitor.post(f"/u1/{sent.token('one_click')}", **encoding)
    assert answer.status_code == 200
    assert "Set-Cookie" not in answer.headers
    assert refusals()["list_type", sent.house.list_id] == (True, "one_click")
    assert refusals()["campaign", sent.campaign] == (True, "one_click")


def test_one_click_leaves_no_other_list(sent, visitor):
    other = sent.house.make("list_types", name="Other", kind="marketing", active=True)
    visitor.post(f"/u1/{sent.token('one_click')}", data={"List-Unsubscribe": "One-Click"})
    assert ("list_type", other) not in refusals()


def test_a_post_that_says_nothing_changes_nothing(sent, visitor):
    assert visitor.post(f"/u1/{sent.token('one_click')}").status_code == 400
    assert visitor.post(f"/u/{sent.token('leave')}", data={"action": "explode"}).status_code == 400
    assert visitor.post(f"/pref/{sent.token('preferences')}").status_code == 400
    assert refusals() == {}


def test_a_token_works_for_its_own_purpose_only(sent, visitor):
    for purpose in ("open", "click", "view", "preferences", "one_click"):
        assert visitor.post(f"/u/{sent.token(purpose)}", data={"action": "unsubscribe"}).status_code == 404
    assert visitor.get(f"/v/{sent.token('open')}").status_code == 404
    assert refusals() == {}


def test_no_mail_at_all_is_the_opt_out_of_the_person(sent, visitor):
    visitor.post(f"/u/{sent.token('leave')}", data={"action": "no_mail"})
    contact = search.one(SYSTEM, "contacts", sent.contact)
    assert contact["email_opt_out"] is True
    assert contact["email_opt_in"] == "out_contact"
    assert contact["email_opt_out_at"] is not None
    assert why_not(sent) == "opt_out"
    visitor.post(f"/u/{sent.token('leave')}", data={"action": "subscribe"})
    assert search.one(SYSTEM, "contacts", sent.contact)["email_opt_out"] is False
    assert why_not(sent) is None


def test_no_mail_at_all_is_kept_for_an_address_whose_person_is_gone(sent, visitor):
    records.delete(SYSTEM, "contacts", sent.contact, Channel.SYSTEM)
    visitor.post(f"/u/{sent.token('leave')}", data={"action": "no_mail"})
    assert refusals()["global", None] == (True, "recipient")


def test_the_preference_page_saves_all_choices_at_once(sent, visitor):
    other = sent.house.make("list_types", name="Other", kind="informational", active=True)
    said = {"action": "save", "list": [str(other)], "language": "fi"}
    answer = visitor.post(f"/pref/{sent.token('preferences')}", data=said)
    assert answer.status_code == 200
    assert answer.headers["Content-Language"] == "fi"
    contact = search.one(SYSTEM, "contacts", sent.contact)
    assert contact["language"] == "fi"
    assert contact["may_measure_opens"] == "no"
    assert contact["may_measure_opens_wording"]
    assert refusals()["list_type", sent.house.list_id][0] is True
    assert ("list_type", other) not in refusals()
    everything = {"action": "save", "list": [str(other), str(sent.house.list_id)], "may_measure": "1"}
    visitor.post(f"/pref/{sent.token('preferences')}", data=everything)
    assert refusals()["list_type", sent.house.list_id][0] is False
    assert search.one(SYSTEM, "contacts", sent.contact)["may_measure_opens"] == "yes"


def test_leaving_works_when_the_sendout_was_cancelled_and_the_list_switched_off(sent, visitor):
    db.session.execute(text("UPDATE sendouts SET state = 'cancelled', deleted_at = '2026-01-01 00:00:00'"))
    records.update(SYSTEM, "list_types", sent.house.list_id, {"active": False}, Channel.SYSTEM)
    assert visitor.post(f"/u/{sent.token('leave')}", data={"action": "unsubscribe"}).status_code == 200
    assert refusals()["list_type", sent.house.list_id][0] is True


def test_pages_show_neither_the_whole_address_nor_the_name(sent, visitor):
    for path in (f"/u/{sent.token('leave')}", f"/pref/{sent.token('preferences')}"):
        page = visitor.get(path).text
        assert "anna@" not in page
        assert "Äyräväinen" not in page


def test_the_own_page_of_a_list_keeps_its_words_and_gets_the_right_button(sent, visitor):
    html = "<h1>{$list.name}</h1><script>alert(1)</script>{$button.unsubscribe} {$button.subscribe}"
    records.update(SYSTEM, "list_types", sent.house.list_id, {"page_html": html, "name": "A & B"}, Channel.SYSTEM)
    page = visitor.get(f"/u/{sent.token('leave')}").text
    assert "<h1>A &amp; B</h1>" in page
    assert "alert" not in page
    assert page.count("<script") == 1  # ours, which tells of a gesture
    assert 'value="unsubscribe"' in page
    assert 'value="subscribe"' not in page


def test_the_links_of_a_test_mail_change_nothing(visitor, session):
    for path in ("/u/test", "/v/test", "/pref/test"):
        assert "test mail" in visitor.get(path).text
    assert visitor.post("/u/test", data={"action": "unsubscribe"}).status_code == 404


def test_who_came_by_a_target_group_leaves_the_campaign_that_it_was_imported_from(sent, visitor):
    from crm.engine import relations

    group = sent.house.make(
        "portal_target_groups", name="Group", campaign_id=sent.campaign, list_type_id=sent.house.list_id
    )
    member = {"g": group, "p": sent.contact, "e": "anna@example.com"}
    db.session.execute(
        text(
            "INSERT INTO portal_target_group_members (portal_target_group_id, person_module, person_id, contact_id, email,"
            " email_key) VALUES (:g, 'contacts', :p, :p, :e, :e)"
        ),
        member,
    )
    relations.link(SYSTEM, "sendouts", sent.sendout, "portal_target_groups", [group], Channel.SYSTEM)
    db.session.execute(text("UPDATE sendouts SET campaign_id = NULL"))
    visitor.post(f"/u1/{sent.token('one_click')}", data={"List-Unsubscribe": "One-Click"})
    assert refusals()["campaign", sent.campaign] == (True, "one_click")
    assert why_not(sent) == "list_unsubscribed"


def test_leaving_settles_a_mail_whose_end_nobody_saw(sent, visitor):
    db.session.execute(text("UPDATE deliveries SET state = 'uncertain'"))
    visitor.post(f"/u/{sent.token('leave')}", data={"action": "unsubscribe"})
    assert sent.row().state == "sent"
