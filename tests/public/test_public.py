"""Public addresses: measured only with consent, no open redirect, one neutral answer, no cookie, small pages, limits."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text

from crm import clock
from crm.db import db
from crm.engine import records
from crm.engine.channels import Channel
from crm.engine.registry import modules
from crm.identity import tokens
from crm.identity.viewer import SYSTEM
from crm.limits import Limiter, Rate
from crm.ui import public_face
from ecp import senders, statistics
from ecp.web import public
from tests.public.conftest import FIREFOX

MIMECAST = "Mimecast-URL-Protect/1.0"


def events(key):
    table = modules[key].table
    return db.session.execute(select(table).order_by(table.c.id)).mappings().all()


def test_the_picture_marks_the_mail_as_read_for_who_agreed(sent, visitor):
    answer = visitor.get(f"/o/{sent.token('open')}.gif")
    assert answer.mimetype == "image/gif"
    assert "no-store" in answer.headers["Cache-Control"]
    visitor.get(f"/o/{sent.token('open')}.gif")
    assert sent.row().read_count == 2
    assert sent.row().first_read_at is not None
    assert statistics.report(SYSTEM, sent.sendout)["read"] == 1
    (one, _) = events("opens")
    assert (one["person_id"], one["agent_family"], one["ip"]) == (sent.contact, "Firefox", "127.0.0.0")


def test_an_unknown_picture_is_the_same_picture_and_stores_nothing(sent, visitor):
    known = visitor.get(f"/o/{sent.token('open')}.gif")
    unknown = visitor.get("/o/" + "A" * 32 + ".gif")
    assert (known.data, known.status_code) == (unknown.data, unknown.status_code)
    assert len(events("opens")) == 1


def test_a_withdrawn_consent_holds_for_mails_already_sent(sent, visitor):
    records.update(SYSTEM, "contacts", sent.contact, {"may_measure_opens": "no"}, Channel.SYSTEM)
    assert visitor.get(f"/o/{sent.token('open')}.gif").status_code == 200
    assert visitor.get(f"/c/{sent.token('click')}/2").status_code == 302
    assert events("opens") == []
    assert [row["person_id"] for row in events("clicks")] == [None]
    assert sent.row().first_read_at is None
    assert sent.row().first_click_at is None


def test_a_click_goes_to_the_stored_target_and_counts_as_reading(sent, visitor):
    answer = visitor.get(f"/c/{sent.token('click')}/1?url=https://evil.example&next=//evil.example")
    assert answer.status_code == 302
    assert answer.headers["Location"] == "https://example.com/offer?x=1&y=2"
    assert (sent.row().click_count, sent.row().read_count) == (1, 1)
    report = statistics.report(SYSTEM, sent.sendout)
    assert (report["clicked"], report["read"]) == (1, 1)
    assert statistics.links(SYSTEM, sent.sendout)[0]["people"] == 1


def test_a_link_that_the_mail_did_not_have_leads_nowhere(sent, visitor):
    for number in ("99", "-1", "1e3", "9999999999999999999999"):
        assert visitor.get(f"/c/{sent.token('click')}/{number}").status_code == 404
    assert visitor.get("/c/" + "A" * 32 + "/1").status_code == 404


def test_a_click_without_a_person_counts_for_the_sendout_alone(sent, visitor):
    assert visitor.get(f"/c/{sent.total('total_click')}/1").status_code == 302
    (row,) = events("clicks")
    assert (row["delivery_id"], row["person_id"], row["ip"]) == (None, None, None)
    assert statistics.report(SYSTEM, sent.sendout)["clicked"] == 0


def test_a_scanner_is_kept_apart_and_changes_no_rate(sent, visitor):
    visitor.get(f"/o/{sent.token('open')}.gif", headers={"User-Agent": MIMECAST})
    visitor.head(f"/c/{sent.token('click')}/1")
    report = statistics.report(SYSTEM, sent.sendout)
    assert (report["read"], report["clicked"]) == (0, 0)
    assert (report["machine_read"], report["machine_clicked"]) == (1, 1)
    assert [row["why"] for row in events("opens")] == ["agent"]
    assert [row["why"] for row in events("clicks")] == ["head"]


def test_all_links_within_a_second_are_a_machine_also_the_first_one(sent, visitor):
    with clock.standing_at(datetime.now(UTC)):
        visitor.get(f"/c/{sent.token('click')}/1")
        assert sent.row().click_count == 1
        visitor.get(f"/c/{sent.token('click')}/2")
    assert {row["why"] for row in events("clicks")} == {"several_links"}
    assert (sent.row().click_count, sent.row().first_click_at, sent.row().first_read_at) == (0, None, None)


def test_two_links_a_minute_apart_are_a_person(sent, visitor):
    now = datetime.now(UTC)
    for number, at in ((1, now), (2, now + timedelta(minutes=1))):
        with clock.standing_at(at):
            visitor.get(f"/c/{sent.token('click')}/{number}")
    assert sent.row().click_count == 2


def test_who_follows_the_hidden_link_is_a_machine_before_and_after(sent, visitor):
    now = datetime.now(UTC)
    for number, seconds in ((1, 0), (0, 5), (2, 20)):
        with clock.standing_at(now + timedelta(seconds=seconds)):
            answer = visitor.get(f"/c/{sent.token('click')}/{number}")
            assert answer.status_code == (204 if number == 0 else 302)
    assert {row["why"] for row in events("clicks")} == {"hidden_link"}
    assert statistics.report(SYSTEM, sent.sendout)["clicked"] == 0


def test_an_open_or_click_settles_what_was_uncertain(sent, visitor):
    db.session.execute(text("UPDATE deliveries SET state = 'uncertain', sent_at = NULL"))
    db.session.commit()
    visitor.get(f"/c/{sent.token('click')}/1")
    assert sent.row().state == "sent"


@pytest.mark.parametrize("measure", ["none", "totals"])
def test_a_site_that_measures_no_persons_stores_none(sent, visitor, measure):
    visitor.application.config["CUSTOMERHUB"] = visitor.application.config["CUSTOMERHUB"].with_(measure=measure)
    visitor.get(f"/o/{sent.token('open')}.gif")
    visitor.get(f"/c/{sent.token('click')}/1")
    assert [row["person_id"] for row in [*events("opens"), *events("clicks")] if row["person_id"]] == []
    assert len(events("clicks")) == (0 if measure == "none" else 1)


def test_the_online_version_is_the_mail_of_that_person_and_can_do_nothing(sent, visitor):
    answer = visitor.get(f"/v/{sent.token('view')}")
    assert answer.status_code == 200
    assert "Hello Anna" in answer.text
    assert "{$" not in answer.text
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert "script-src" not in answer.headers["Content-Security-Policy"]
    assert sent.row().read_count == 1


def test_the_online_version_of_something_without_content_is_closed(sent, visitor):
    db.session.execute(text("DELETE FROM sendout_contents"))
    assert visitor.get(f"/v/{sent.token('view')}").status_code == 410


def test_a_landing_page_is_filled_for_who_comes_from_a_mail_and_with_fallbacks_for_others(sent, visitor):
    page = sent.house.make(
        "landing_pages", name="Thanks", slug="thanks", status="active", html="<p>Hi {$contact.first_name|there}</p><script>x</script>"
    )  # fmt: skip
    assert "Hi there" in visitor.get("/p/thanks").text
    assert "Hi Anna" in visitor.get(f"/p/thanks?d={sent.token('page')}").text
    assert "Hi there" in visitor.get(f"/p/thanks?d={sent.token('leave')}").text
    assert "<script" not in visitor.get("/p/thanks").text
    records.update(SYSTEM, "landing_pages", page, {"status": "inactive"}, Channel.SYSTEM)
    assert visitor.get("/p/thanks").status_code == 410
    assert visitor.get("/p/nothing").status_code == 404
    assert visitor.get("/p/..%2f..%2fetc").status_code == 404


def test_a_sender_address_is_confirmed_by_a_press_not_by_opening_the_link(visitor, session):
    id = records.create(SYSTEM, "sender_addresses", {"address": "new@example.com"}, Channel.SYSTEM)
    token = tokens.issue(senders.PURPOSE, id, timedelta(hours=48))
    db.session.commit()
    state = "SELECT state FROM sender_addresses WHERE id = :i"
    assert "new@example.com" in visitor.get(f"/confirm/{token}").text
    assert db.session.execute(text(state), {"i": id}).scalar() == "pending"
    assert visitor.post(f"/confirm/{token}").status_code == 200
    assert db.session.execute(text(state), {"i": id}).scalar() == "confirmed"
    assert visitor.post(f"/confirm/{token}").status_code == 404
    assert visitor.get("/confirm/whatever").status_code == 404


PATHS = ("/u/{}", "/u1/{}", "/pref/{}", "/v/{}", "/c/{}/1", "/p/{}", "/confirm/{}", "/i/{}", "/i/{}.png")


def test_every_wrong_token_gets_the_same_neutral_page(sent, visitor):
    answers = {visitor.get(path.format("A" * 32)).text for path in PATHS}
    answers |= {visitor.post(path.format("A" * 32)).text for path in ("/u/{}", "/u1/{}", "/pref/{}", "/confirm/{}")}
    assert len(answers) == 1
    assert "anna" not in answers.pop().lower()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(PATHS), st.text(min_size=1, max_size=60), st.sampled_from(["GET", "POST", "HEAD", "PUT", "OPTIONS"]),
    st.dictionaries(st.text(max_size=10), st.text(max_size=30), max_size=3),
)  # fmt: skip
def test_no_path_method_or_form_makes_a_public_address_fail(sent, visitor, path, token, method, form):
    for limiter in (public.READS, public.READS_OF_TOKEN, public.WRITES, public.WRITES_OF_TOKEN, public.MISSES):
        limiter.forget()
    from urllib.parse import quote

    answer = visitor.open(path.format(quote(token, safe="")), method=method, data=form if method != "HEAD" else None)
    assert answer.status_code in {200, 204, 308, 400, 404, 405}
    assert "Set-Cookie" not in answer.headers
    assert sent.row().unsubscribed_at is None


def test_pages_need_no_cookie_no_script_and_nothing_from_elsewhere(sent, visitor):
    records.update(SYSTEM, "contacts", sent.contact, {"may_measure_opens": "unknown"}, Channel.SYSTEM)
    db.session.commit()
    for path in (f"/u/{sent.token('leave')}", f"/pref/{sent.token('preferences')}", "/u/" + "A" * 32):
        answer = visitor.get(path)
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "Set-Cookie" not in answer.headers
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert "<script" not in answer.text
        assert len(answer.data) < 100_000
        assert "http://" not in answer.text.replace("http://www.w3.org", "")


def test_pages_speak_the_language_of_the_person_else_of_the_browser(sent, visitor):
    path = f"/u/{sent.token('leave')}"
    assert visitor.get(path, headers={"Accept-Language": "fi"}).headers["Content-Language"] == "fi"
    records.update(SYSTEM, "contacts", sent.contact, {"language": "en"}, Channel.SYSTEM)
    db.session.commit()
    assert visitor.get(path, headers={"Accept-Language": "fi"}).headers["Content-Language"] == "en"


def test_a_flood_is_slowed_down_by_source_and_by_token(sent, visitor, monkeypatch):
    monkeypatch.setattr(public_face, "WRITES_OF_TOKEN", Limiter(Rate(2, 60)))
    codes = [visitor.post(f"/u/{sent.token('leave')}", data={"action": "unsubscribe"}).status_code for _ in range(3)]
    assert codes == [200, 200, 429]
    monkeypatch.setattr(public_face, "MISSES", Limiter(Rate(2, 60)))
    answers = [visitor.get("/u/" + "B" * 32) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [404, 404, 429]
    assert int(answers[-1].headers["Retry-After"]) > 0


def test_a_form_that_is_too_large_is_refused(sent, visitor):
    answer = visitor.post(f"/u/{sent.token('leave')}", data={"action": "x" * 50_000})
    assert answer.status_code == 413


def test_the_agent_of_the_visitor_stays_text(sent, visitor):
    visitor.get(
        f"/o/{sent.token('open')}.gif", headers={"User-Agent": FIREFOX + "<script>alert(1)</script>" + "x" * 5000}
    )
    assert [row["agent_family"] for row in events("opens")] == ["Firefox"]
