"""Without consent nothing personal is stored: shown by every row of every table that web tracking has (issue 5, must show 3).

Real hits of a browser whose person was not asked, refuses, or asks by its settings not to be followed, in all modes of a site; with
everything in them that could betray somebody. Then every row is read, before and after the roll-up, and looked through."""

import json
from typing import Any

import pytest
from sqlalchemy import select

from crm.db import db
from tests.web_tracking.conftest import ANNA, FIREFOX, Tracked
from web_tracking.tables import Hit

TABLES = ("visitors", "visits", "page_views", "visitor_links")
PLANTED = (ANNA, "198.51.100", "Firefox", "anna", "geheim", "search.example", "Planted title", "news")
HIT = {
    "path": "/prices?email=anna@example.com&token=geheim&utm_source=news", "t": "Planted title for anna@example.com",
    "r": "https://search.example/?q=anna",
}  # fmt: skip


def rows_of_all(site: Tracked) -> str:
    """Every row of web tracking as text: what waits, and what came of it."""
    found: list[Any] = [*site.waiting(), *db.session.execute(select(Hit.__table__)).all()]
    for table in (*TABLES, "site_counts", "site_signs"):
        found += [tuple(row.values()) for row in site.rows(table)]
    return "\n".join(repr(row) for row in found)


def browse(site: Tracked) -> None:
    """All that a script or somebody in its place could send without consent."""
    for changed in ({"c": 0}, {"v": "", "c": 0}, {"v": "", "c": 1}):
        site.hit(**HIT | changed)
        site.hit(**HIT | changed | {"k": "event", "e": "anna@example.com"})
        site.hit(**HIT | changed | {"k": "download", "e": "https://shop.example/anna.pdf"})
    site.hit(k="leave", c=0, x=20)
    site.hit(k="try", v="", c=0)
    for header in ("HTTP_DNT", "HTTP_SEC_GPC"):  # whatever the script says
        site.post(site.body(**HIT), **{header: "1"})


@pytest.mark.parametrize("mode", ["required", "legitimate"])
@pytest.mark.parametrize("counts_all", [False, True])
def test_without_consent_no_row_says_anything_of_a_person(track: Any, mode: str, counts_all: bool) -> None:
    site = track(consent_mode=mode, counts_all=counts_all)
    browse(site)
    if mode == "required":
        before = rows_of_all(site)
        assert [said for said in PLANTED if said in before] == []
    site.roll_up()
    after = rows_of_all(site)
    assert [said for said in PLANTED if said in after] == []
    assert {table: site.rows(table) for table in TABLES} == {table: [] for table in TABLES}
    assert site.waiting() == []
    counted = {(row["what"], row["name"]) for row in site.rows("site_counts")}
    assert counted <= {("views", ""), ("page", "/prices")}
    assert site.row("site_signs")["tried_at"] is not None


def test_the_same_hits_with_consent_do_leave_rows_so_that_the_test_above_can_fail(site: Tracked) -> None:
    site.hit(**HIT | {"c": 1})
    assert json.loads(site.waiting()[0][-1])["a"] in FIREFOX
    site.roll_up()
    said = rows_of_all(site)
    assert all(one in said for one in (ANNA, "198.51.100", "Firefox", "search.example", "news"))
    assert not any(one in said for one in ("anna@", "geheim"))
