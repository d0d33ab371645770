"""Staff pages of followed sites: report, who is here now, snippet, widgets; and who may do what."""

from typing import Any

from crm.db import db
from crm.engine import records
from crm.engine.channels import Channel
from crm.identity.viewer import SYSTEM
from crm.ui import widgets
from tests.every_module.browsing import browser
from tests.people import make_people
from tests.web_tracking.conftest import BEN, Tracked
from web_tracking import counting
from web_tracking.counting import Period

EVIL = "<script>alert(1)</script>"


def test_the_report_the_live_view_and_the_widgets_say_the_same_and_run_nothing_of_strangers(
    app: Any, site: Tracked, anna: int, monkeypatch: Any
) -> None:
    make_people()
    page = {"label": "Price list", "site_id": site.id, "pattern": "/prices*"}
    records.create(SYSTEM, "tracked_pages", page, Channel.SYSTEM)
    db.session.commit()
    site.hit(path="/prices/2026", p=site.token(anna), t=EVIL)
    site.hit(path=f"/{EVIL}?utm_source=%3Cscript%3Ealert(1)%3C/script%3E", v=BEN)
    site.hit(k="event", e=EVIL, v=BEN)
    site.roll_up()
    alice = browser(app, "alice@example.com")
    for place in ("report", "report?days=7", "live", "live/visits", "snippet", "snippet/state"):
        text = alice.get(f"/tracked_sites/{site.id}/{place}").text
        assert EVIL not in text
    report = alice.get(f"/tracked_sites/{site.id}/report").text
    assert "Anna Aalto" in report
    assert "/prices/2026" in report
    assert "Anna Aalto" in alice.get(f"/tracked_sites/{site.id}/live").text
    totals = counting.totals([site.id], Period.of(30))
    assert totals == {"views": 2, "bots": 0, "visits": 2, "new": 2, "returning": 0, "visitors": 2}
    drawn = {key: alice.get(f"/home/{key}.csv").text for key in ("web_visits", "web_sites", "web_pages")}
    assert (
        sum(int(line.rsplit(",", 1)[-1]) for line in drawn["web_visits"].strip().splitlines()[1:]) == totals["visits"]
    )
    behind = alice.get(f"/tracked_sites/{site.id}/report/pages.csv?days=7")
    assert f"/tracked_sites/{site.id}/report/pages.csv?days=30" in report
    assert (behind.mimetype, "/prices/2026,1" in behind.text) == ("text/csv", True)
    alice.get(f"/tracked_sites/{site.id}/report/made-up.csv", status=404)
    assert "Shop,2" in drawn["web_sites"]
    assert "Price list,1" in drawn["web_pages"]
    assert {"web_visits", "web_sites", "web_pages"} <= {one.key for one in widgets.offered(SYSTEM)}


def test_the_snippet_page_says_when_a_check_came_through(app: Any, site: Tracked) -> None:
    make_people()
    alice = browser(app, "alice@example.com")
    assert f"/t/{site.key}.js" in alice.get(f"/tracked_sites/{site.id}/snippet").text
    assert "Nothing has been heard" in alice.get(f"/tracked_sites/{site.id}/snippet/state").text
    site.hit(k="try", v="", c=0)
    site.roll_up()
    assert "The snippet works" in alice.get(f"/tracked_sites/{site.id}/snippet/state").text
    assert site.rows("visitors") == []


def test_bad_domains_networks_and_pages_get_a_sentence_at_their_field(app: Any, session: Any) -> None:
    from crm.engine.refusals import Refused

    def faults(module: str = "tracked_sites", **values: Any) -> set[str]:
        try:
            records.create(SYSTEM, module, values, Channel.FORM)
        except Refused as refused:
            return set(refused.faults)
        return set()

    assert faults(name="A", domain="no domain") == {"domain"}
    assert faults(name="A", domain="https://Shop.Example/path") == set()
    assert faults(name="B", domain="shop.example") == {"domain"}  # there already
    assert faults(name="C", domain="c.example", more_hosts="ok.example\n-bad") == {"more_hosts"}
    assert faults(name="C", domain="c.example", excluded_networks="300.1.1.1") == {"excluded_networks"}
    assert faults(name="C", domain="c.example", kept_parameters="a b=") == {"kept_parameters"}
    assert faults(name="C", domain="c.example", kept_months=14) == {"kept_months"}
    site = records.create(SYSTEM, "tracked_sites", {"name": "D", "domain": "d.example"}, Channel.FORM)
    assert faults("tracked_pages", label="P", site_id=site, pattern="prices") == {"pattern"}


def test_only_administrators_of_the_portal_change_sites(app: Any, site: Tracked) -> None:
    from crm.engine.permissions import may

    people = make_people()
    assert may(people["alice"], "view", "tracked_sites")
    assert not may(people["alice"], "edit", "tracked_sites")
    assert not may(people["alice"], "create", "tracked_pages")
