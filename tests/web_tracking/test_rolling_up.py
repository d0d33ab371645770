"""What hits come to: visitors, visits, page views, numbers; each hit once, whoever sends it again."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from crm import clock
from crm.db import db
from crm.engine import conditions, records, search, timeline
from crm.engine.channels import Channel
from crm.engine.outbox import Job
from crm.identity.viewer import SYSTEM
from tests.web_tracking.conftest import ANNA, BEN, Tracked, make_contact
from web_tracking import recognising
from web_tracking.keeping import drop_old
from web_tracking.privacy import erase
from web_tracking.rolling_up import roll_up_all


def later(**delta: float) -> Any:
    return clock.standing_at(clock.now() + timedelta(**delta))


def test_pages_without_a_long_pause_are_one_visit_and_a_second_one_is_returning(site: Tracked) -> None:
    site.hit(path="/prices?utm_source=news&utm_medium=mail&utm_campaign=spring", r="https://search.example/?q=x")
    with later(minutes=20):
        site.hit(path="/about")
        site.roll_up()
    with later(minutes=45):
        site.hit(path="/contact")
        site.roll_up()
    with later(hours=5):
        site.hit(path="/prices")
        site.hit(path="/new")
        site.roll_up()
    first, second = site.rows("visits")
    assert (first["page_count"], first["entry"], first["exit"]) == (3, "/prices", "/contact")
    assert (first["source"], first["medium"], first["campaign"]) == ("news", "mail", "spring")
    assert (first["referrer"], first["is_returning"], second["is_returning"]) == ("search.example", False, True)
    assert [(row["path"], row["is_returned"]) for row in site.rows("page_views")] == [
        ("/prices", False), ("/about", False), ("/contact", False), ("/prices", True), ("/new", False),
    ]  # fmt: skip
    assert site.row("visitors")["visit_count"] == 2
    counted = {what: site.counts(what) for what in ("views", "visits", "new", "returning", "page")}
    assert counted == {
        "views": {"": 5}, "visits": {"": 2}, "new": {"": 1}, "returning": {"": 1},
        "page": {"/prices": 2, "/about": 1, "/contact": 1, "/new": 1},
    }  # fmt: skip


def test_a_visitor_counts_once_a_day_whatever_the_number_of_visits_and_batches(site: Tracked) -> None:
    for hour in (6, 7, 12, 30, 31):  # three visits on one day, two on the next
        with clock.standing_at(datetime(2026, 11, 20, tzinfo=UTC) + timedelta(hours=hour)):
            site.hit()
            if hour == 7:
                site.roll_up()
    with clock.standing_at(datetime(2026, 11, 20, 12, 5, tzinfo=UTC)):
        site.hit(v=BEN)
    site.roll_up()
    days = {row["day"].day: row["count"] for row in site.rows("site_counts") if row["what"] == "visitors"}
    assert days == {20: 2, 21: 1}
    assert site.counts("visits") == {"": 6}


def test_the_same_hit_again_counts_once_at_once_and_later(site: Tracked) -> None:
    said = site.body()
    for _again in range(3):
        site.post(said)
    site.roll_up()
    with later(hours=2):
        site.post(said)
        site.roll_up()
    assert site.row("visits")["page_count"] == 1
    assert len(site.rows("page_views")) == 1
    assert site.counts("views") == {"": 1}


def test_a_batch_that_fails_comes_again_and_one_whose_hits_stayed_in_the_file_does_not(
    site: Tracked, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.hit()
    site.hit()
    waiting = site.store.take(10)
    assert len(waiting) == 2
    db.session.rollback()
    monkeypatch.setattr(site.store, "done", lambda: None)  # as if the process died after the commit
    assert roll_up_all(site.store) == 2
    assert len(site.waiting()) == 2
    assert roll_up_all(site.store) == 0
    assert len(site.rows("page_views")) == 2


def test_a_number_in_the_file_is_never_given_twice_so_that_no_hit_is_taken_for_one_that_was_read(site: Tracked) -> None:
    for _round in range(3):  # rolled up, emptied, forgotten: the next hit still counts
        site.hit()
        site.hit(v=BEN)
        site.store.forget([BEN])
        site.roll_up()
    site.store.forget([ANNA])
    site.roll_up()
    site.hit()
    site.roll_up()
    assert len(site.rows("page_views")) == 4
    rows = site.store._connection().execute("SELECT visitor, kind, said FROM hits").fetchall()
    assert rows == [(None, "gone", "{}")]


def test_time_in_view_is_the_largest_that_was_told_in_one_batch_or_several(site: Tracked) -> None:
    view = site.body()
    site.post(view)
    site.hit(k="leave", n=view["n"], x=20)
    site.hit(k="leave", n=view["n"], x=12)
    site.roll_up()
    site.hit(k="leave", n=view["n"], x=65)
    site.hit(k="leave", n=999_999, x=65)
    site.roll_up()
    assert [row["seconds"] for row in site.rows("page_views")] == [65]


def test_our_clock_is_the_one_that_counts_also_when_it_is_set_back(site: Tracked) -> None:
    site.hit()
    with later(minutes=-10):
        site.hit()
    site.roll_up()
    visit = site.row("visits")
    assert visit["started_at"] <= visit["ended_at"] <= clock.now()
    assert visit["page_count"] == 2


def test_downloads_and_events_are_told_beside_pages(site: Tracked) -> None:
    site.hit()
    site.hit(k="download", e="https://shop.example/files/brochure.pdf?key=secret")
    site.hit(k="event", e="Ordered <b>it</b>")
    site.roll_up()
    assert site.counts("download") == {"/files/brochure.pdf": 1}
    assert site.counts("event") == {"Ordered <b>it</b>": 1}
    assert site.row("visits")["page_count"] == 1


def test_a_person_who_comes_by_a_personal_link_has_all_visits_of_that_browser_on_the_card(
    site: Tracked, anna: int
) -> None:
    site.hit(path="/before")
    site.roll_up()
    site.hit(path="/prices", p=site.token(anna, "form"))
    site.hit(path="/after")
    site.roll_up()
    assert {row["person_id"] for row in site.rows("page_views")} == {anna}
    assert [row["bound_via"] for row in site.rows("visitors")] == ["form"]
    said = [entry.sentence for entry in timeline.page(SYSTEM, "contacts", anna, wanted=["visit"]).entries]
    assert said == ["Visited Shop from /before, pages: 3"]


def test_a_visitor_nobody_recognises_is_no_person(site: Tracked) -> None:
    site.hit()
    site.roll_up()
    assert [row["person_id"] for table in ("visitors", "visits", "page_views") for row in site.rows(table)] == [
        None
    ] * 3


def test_a_link_makes_one_browser_known_for_seven_days_and_no_other(site: Tracked, anna: int) -> None:
    token = site.token(anna, "survey")
    site.hit(p=token)
    site.hit(v=BEN, p=token)  # forwarded
    site.roll_up()
    site.hit(v="C" * 22, p=token)
    site.roll_up()
    assert [row["person_id"] for row in site.rows("visitors")] == [anna, None, None]
    late = site.token(anna, "survey")
    with later(days=8):
        site.hit(v="D" * 22, p=late)
        site.roll_up()
    assert site.row("visitors")["person_id"] is None


def test_a_known_browser_changes_hands_by_a_log_in_only(site: Tracked, anna: int) -> None:
    ben = make_contact(first_name="Ben", email="ben@example.com")
    site.hit(p=site.token(anna, "form"))
    site.hit(p=site.token(ben, "form"))
    site.roll_up()
    assert [row["person_id"] for row in site.rows("visits")] == [anna]
    site.hit(p=site.token(ben, "portal"))
    site.roll_up()
    assert [row["person_id"] for row in site.rows("visits")] == [anna, ben]
    assert site.row("visitors")["person_id"] == ben


def test_who_refused_to_be_measured_or_is_gone_is_not_recognised(site: Tracked) -> None:
    refused = make_contact(may_measure_opens="no")
    gone = make_contact(email="gone@example.com")
    tokens = [site.token(refused), site.token(gone), site.token(987_654)]
    records.delete(SYSTEM, "contacts", gone, Channel.SYSTEM)
    for cookie, token in zip("ABC", tokens, strict=True):
        site.hit(v=cookie * 22, p=token)
    site.roll_up()
    assert [row["person_id"] for row in site.rows("visitors")] == [None] * 3


def test_where_consent_is_not_needed_only_those_who_come_by_a_link_are_known(track: Any, anna: int) -> None:
    site = track(consent_mode="legitimate")
    site.hit(v=BEN, c=0)
    site.hit(c=0, p=site.token(anna))
    site.hit(c=0)
    site.roll_up()
    assert [row["person_id"] for row in site.rows("visits")] == [anna]
    assert site.row("visits")["page_count"] == 2
    assert site.counts("views") == {"": 3}


@pytest.mark.parametrize("is_rolled_up_between", [True, False])
def test_forget_takes_everything_of_the_browser_away(site: Tracked, anna: int, is_rolled_up_between: bool) -> None:
    site.hit(p=site.token(anna))
    site.hit(v=BEN)
    if is_rolled_up_between:
        site.roll_up()
    site.hit(k="forget", c=0)
    site.roll_up()
    assert [row["cookie"] for row in site.rows("visitors")] == [BEN]
    assert len(site.rows("visits")) == len(site.rows("page_views")) == 1
    assert site.rows("visitor_links") == []


def test_erasure_takes_visits_away_those_that_wait_too(
    site: Tracked, anna: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.hit(p=site.token(anna))
    site.hit(v=BEN)
    site.roll_up()
    site.hit(path="/again")
    site.hit(v=BEN)
    monkeypatch.setattr("web_tracking.privacy.store_of", lambda _config: site.store)
    assert erase([anna]) == {"visitors": 1}
    db.session.commit()
    assert [row[3] for row in site.waiting()] == [BEN]
    assert ANNA.encode() not in site.store.path.read_bytes()
    assert [row["cookie"] for row in site.rows("visitors")] == [BEN]
    assert len(site.rows("page_views")) == 1


@pytest.mark.parametrize("how", ["deleted", "refused"])
def test_who_is_deleted_or_refuses_to_be_measured_has_no_visits_any_more(
    site: Tracked, anna: int, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    from web_tracking.letting_go import let_go

    site.hit(p=site.token(anna))
    site.hit(v=BEN)
    site.roll_up()
    monkeypatch.setattr("web_tracking.privacy.store_of", lambda _config: site.store)
    if how == "deleted":
        records.delete(SYSTEM, "contacts", anna, Channel.SYSTEM)
    else:
        records.update(SYSTEM, "contacts", anna, {"phone": "+358 40 1234567"}, Channel.SYSTEM)
        records.update(SYSTEM, "contacts", anna, {"may_measure_opens": "no"}, Channel.SYSTEM)
    asked = db.session.execute(select(Job.arguments).where(Job.task == "web.let_go")).scalars().all()
    assert len(asked) == 1
    let_go(None, **asked[0])
    assert [row["cookie"] for row in site.rows("visitors")] == [BEN]
    assert len(site.rows("visits")) == len(site.rows("page_views")) == 1


def test_being_recognised_is_no_event_of_the_site(site: Tracked, anna: int) -> None:
    site.hit()
    site.hit(k="event", e="recognised", p=site.token(anna))
    site.roll_up()
    assert [(row["kind"], row["person_id"]) for row in site.rows("page_views")] == [("view", anna)]
    assert site.counts("event") == {}


def test_visits_are_dropped_when_the_site_keeps_them_no_longer(track: Any) -> None:
    site = track(kept_months=2)
    site.hit()
    site.roll_up()
    with later(days=59):
        site.hit(v=BEN)
        site.roll_up()
        assert drop_old() == 0
    with later(days=70):
        assert drop_old() == 1
    assert [row["cookie"] for row in site.rows("visitors")] == [BEN]
    assert sum(site.counts("visits").values()) == 1


def test_a_target_group_asks_who_visited_a_page_in_the_last_days(site: Tracked, anna: int) -> None:
    make_contact(first_name="Ben", email="ben@example.com")
    site.hit(path="/prices", p=site.token(anna))
    site.roll_up()
    where = {"$has": ["page_views", {"$and": [{"$beg": ["path", "/prices"]}, {"$window": ["at", "last_7_days"]}]}]}
    conditions.check(where, "contacts", SYSTEM)
    assert [row.id for row in search.find(SYSTEM, "contacts", where=where)] == [anna]
    with later(days=9):
        assert search.count(SYSTEM, "contacts", where) == 0


def test_a_lead_that_becomes_a_contact_takes_its_visits_along(site: Tracked) -> None:
    from crm.modules.leads import convert

    lead = records.create(SYSTEM, "leads", {"last_name": "Virta", "company": "Virta Oy"}, Channel.SYSTEM)
    site.hit(p=site.token(lead))
    site.roll_up()
    site.roll_up()
    done = convert.convert(SYSTEM, lead, convert.Wanted(), Channel.SYSTEM)
    db.session.commit()
    assert site.row("visits")["person_id"] == site.row("page_views")["person_id"] == done.contact_id


def test_a_parameter_goes_only_onto_addresses_of_followed_sites(site: Tracked, anna: int) -> None:
    from crm.identity.sealing import sealer

    found = recognising.onto("https://www.shop.example/a?x=1#top", sealer(), "portal", anna)
    assert found.startswith("https://www.shop.example/a?x=1&ch_visit=")
    assert found.endswith("#top")
    for other in ("https://other.example/", "mailto:anna@example.com", "/relative"):
        assert recognising.onto(other, sealer(), "portal", anna) == other
