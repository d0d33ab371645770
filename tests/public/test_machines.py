"""Machine-like opens and clicks are told apart."""

from datetime import UTC, datetime, timedelta

import pytest

from crm.agents import family, kind_of
from ecp.machines import Visit, why_machine

SENT = datetime(2026, 11, 21, 12, tzinfo=UTC)
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"
GMAIL = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"


def visit(agent=FIREFOX, seconds=60.0, **said):
    return Visit(agent, said.pop("method", "GET"), SENT + timedelta(seconds=seconds), SENT, **said)


def test_a_person_who_reads_after_a_minute_is_a_person():
    assert not why_machine(visit())


def test_nobody_reads_within_ten_seconds_of_sending_through_a_server():
    assert why_machine(visit(seconds=9))
    assert not why_machine(visit(seconds=11))


def test_in_the_local_folder_no_scanner_stands_before_the_reader():
    assert not why_machine(visit(seconds=2, left_for_a_server=False))
    assert why_machine(visit("Mimecast scanner", seconds=2, left_for_a_server=False))


def test_a_head_request_and_the_hidden_link_are_no_persons():
    assert why_machine(visit(method="HEAD"))
    assert why_machine(visit(is_canary=True))


@pytest.mark.parametrize(
    "agent", ["Mimecast-URL-Protect/1.0", "Barracuda Sentinel (EE)", "Googlebot/2.1", "BingPreview/1.0b"]
)
def test_scanners_that_name_themselves_are_machines_at_any_time(agent):
    assert why_machine(visit(agent, seconds=3600))


def test_a_picture_proxy_reads_for_a_person_unless_it_comes_at_once():
    assert why_machine(visit(GMAIL, seconds=5))
    assert not why_machine(visit(GMAIL, seconds=50))


def test_only_the_family_of_an_agent_is_kept():
    assert family(FIREFOX) == "Firefox"
    assert family(GMAIL) == "Gmail"
    assert family("") == "Program"
    assert family("x" * 10_000) == "Other"
    assert kind_of("") == "library"
