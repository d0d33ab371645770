"""The rules that tell openings and clicks of people from those of machines, and what headers say; no database."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm import limits
from crm.agents import family, is_loading_ahead, kind_of
from ecp.machines import Event, judge, read_signs, write_signs
from ecp.measuring import delay_of

SENT = datetime(2026, 11, 21, 12, tzinfo=UTC)
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"
GMAIL = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"
AHEAD_OF_GOOGLE = "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/42.0.2311.135 Safari/537.36 Edge/12.246 Mozilla/5.0"
OFFICE, GATEWAY = ("192.0.2.0", "Firefox"), ("198.51.100.0", "Chrome")
PERSON = "human: like_person"


def mail(*events, links=5, source=OFFICE):
    """Verdicts on the events of one mail: ("open" or the number of a link, seconds after sending, signs, source)."""
    made = []
    for place, (what, seconds, *more) in enumerate(events):
        signs = more[0] if more else ""
        link = None if what == "open" else what
        delay = int(seconds // 1) if "undated" not in signs else None
        made.append(
            Event(
                ("e", place),
                SENT + timedelta(seconds=seconds),
                link,
                delay,
                read_signs(signs),
                more[1] if len(more) > 1 else source,
            )
        )
    said = judge(made, links)
    return [f"{said[one.key].made_by}: {said[one.key].why}" for one in made]


ONE = [
    (("open", 60), PERSON),
    (("open", 11), PERSON),
    (("open", 9), "machine: at_once"),
    (("open", -3), "machine: at_once"),  # the gateway asks before the end of the sending is noted
    (("open", -4000), PERSON),  # clocks that differ by an hour say nothing about haste
    (("open", 2, "undated"), PERSON),
    (("open", 2, "local"), PERSON),  # in the local folder nothing stands before the reader
    (("open", 2, "local scanner"), "machine: agent"),
    (("open", 3600, "scanner"), "machine: agent"),
    (("open", 3600, "net_scanner"), "machine: network"),
    (("open", 3600, "head"), "machine: head"),
    ((3, 3600, "ahead"), "machine: ahead"),
    ((3, 3600, "crowd"), "machine: crowd"),
    ((0, 3600), "machine: hidden_link"),
    ((0, 3600, "gesture local"), "machine: hidden_link"),
    (("open", 5, "proxy"), "unknown: proxy"),
    (("open", 50, "proxy"), PERSON),  # it fetches when the mail is opened
    (("open", 50, "loads_all"), "unknown: proxy"),  # it fetches everybody's
    (("open", 50, "net_proxy crowd"), "unknown: proxy"),
    (("open", 60, "library"), "unknown: one_sign"),
    (("open", 60, "no_accept"), "unknown: one_sign"),
    (("open", 60, "library no_accept"), "machine: several_signs"),
    (("open", 60, "library no_accept local"), PERSON),
    ((2, 20), "unknown: one_sign"),  # so soon, and no picture was shown
    ((2, 20, "no_accept"), "machine: several_signs"),
    ((2, 40), PERSON),
    ((2, 5, "gesture"), "human: gesture"),
    (("open", 60, "library no_accept gesture"), "human: gesture"),
]


@pytest.mark.parametrize(("event", "verdict"), ONE, ids=[str(one[0]) for one in ONE])
def test_one_event_by_itself(event, verdict):
    assert mail(event) == [verdict]


MANY = {
    "a person reads and follows two links": ([("open", 60), (2, 70), (1, 100)], [PERSON] * 3),
    "a person after a picture may click soon": ([("open", 12), (2, 20)], [PERSON] * 2),
    "a machine's picture shows nothing to anybody": ([("open", 12, "scanner", GATEWAY), (2, 20)], ["machine: agent", "unknown: one_sign"]),
    "three links within a second": ([(1, 60), (2, 60.4), (4, 60.9)], ["machine: several_links"] * 3),
    "two of them are a quick person": ([("open", 50), (1, 60), (2, 60.4)], [PERSON] * 3),
    "the same link three times": ([(1, 60), (1, 60.2), (1, 60.4)], [PERSON] * 3),
    "all five in their order": ([(n, 60 + 4 * n) for n in range(1, 6)], ["machine: in_order"] * 5),
    "all five in another order": ([(n, 60 + 4 * place) for place, n in enumerate((2, 1, 4, 3, 5))], [PERSON] * 5),
    "four of five in their order": ([(n, 60 + 4 * n) for n in range(1, 5)], [PERSON] * 4),
    "in their order with time to read": ([(n, 60 + 40 * n) for n in range(1, 6)], [PERSON] * 5),
    "its picture from the source of a burst": (
        [("open", 61, "", GATEWAY), (1, 62, "", GATEWAY), (2, 62.3, "", GATEWAY), (3, 62.6, "", GATEWAY), ("open", 63)],
        ["machine: beside", *["machine: several_links"] * 3, PERSON],
    ),
    "the hidden link tells on what its source did": (
        [(1, 60, "", GATEWAY), (0, 65, "", GATEWAY), (2, 80, "", GATEWAY), ("open", 100), (2, 300, "", GATEWAY)],
        [*["machine: hidden_link"] * 3, PERSON, PERSON],
    ),
    "and on whatever came at its moment": ([(0, 60, "", GATEWAY), (1, 62)], ["machine: hidden_link"] * 2),
    "a gesture proves no burst away": ([(1, 60, "gesture"), (2, 60.4), (4, 60.9)], ["machine: several_links"] * 3),
    "a person after the gateway": (
        [(n, 2, "", GATEWAY) for n in range(6)] + [("open", 600), (2, 630)], ["machine: hidden_link"] * 6 + [PERSON] * 2
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MANY)
def test_events_of_one_mail_together(name):
    events, verdicts = MANY[name]
    assert mail(*events) == verdicts


def test_in_a_mail_with_few_links_fewer_make_a_burst():
    assert mail((1, 60), (2, 60.5), links=2) == ["machine: several_links"] * 2
    assert mail((1, 60), links=1) == [PERSON]


def test_a_flood_of_events_costs_no_more_than_its_size():
    many = [(n % 7, 60 + n / 50) for n in range(20_000)]
    assert set(mail(*many)) == {"machine: hidden_link"}


@settings(max_examples=80)
@given(
    st.lists(
        st.tuples(
            st.one_of(st.just("open"), st.integers(0, 9)), st.floats(-9e6, 9e6),
            st.sampled_from(["", "local", "crowd proxy", "library", "gesture", "net_proxy", "undated"]), st.sampled_from([OFFICE, GATEWAY]),
        ), max_size=12,
    ), st.integers(0, 9),
)  # fmt: skip
def test_every_event_gets_one_verdict_whatever_the_order_they_come_in(events, links):
    said = mail(*events, links=links)
    assert len(said) == len(events)
    for (what, *_more), verdict in zip(events, said, strict=True):
        assert what != 0 or verdict == "machine: hidden_link"


@pytest.mark.parametrize(
    ("agent", "kind"),
    [
        (FIREFOX, "reader"), ("", "library"), ("   ", "library"), ("python-requests/2.32", "library"), (GMAIL, "proxy"),
        ("Mozilla/5.0", "ahead"), (AHEAD_OF_GOOGLE, "ahead"), ("Mimecast-URL-Protect/1.0", "scanner"),
        ("Barracuda Sentinel (EE)", "scanner"), ("Googlebot/2.1", "scanner"), ("BingPreview/1.0b", "scanner"),
        (FIREFOX.replace("Firefox", "HeadlessChrome"), "scanner"), ("x" * 10_000, "reader"), ("\x00\ud800é" * 4_000, "reader"),
    ],
)  # fmt: skip
def test_what_the_name_of_a_program_says(agent, kind):
    assert kind_of(agent) == kind


def test_only_the_family_of_an_agent_is_kept():
    assert family(FIREFOX) == "Firefox"
    assert family(GMAIL) == "Gmail"
    assert family("") == "Program"
    assert family("x" * 10_000) == "Other"
    assert family("Mozilla/5.0") == "Apple Mail"


@pytest.mark.parametrize(
    ("headers", "is_ahead"),
    [
        ({}, False), ({"Sec-Purpose": "prefetch;prerender"}, True), ({"Purpose": "Prefetch"}, True), ({"X-Moz": "prefetch"}, True),
        ({"X-Purpose": "preview"}, True), ({"Purpose": "x" * 10_000 + "prefetch"}, False), ({"Accept": "prefetch"}, False),
    ],
)  # fmt: skip
def test_browsers_that_load_ahead_say_so(headers, is_ahead):
    assert is_loading_ahead(headers) is is_ahead


@pytest.mark.parametrize(
    ("address", "is_within", "covered"),
    [
        ("198.51.100.7", True, "whole"), ("::ffff:198.51.100.7", True, "whole"), ("203.0.113.9", False, "part"),
        ("203.0.113.200", True, "part"), ("2001:db8:1::7", True, "whole"), ("2001:db8:2::7", False, "none"),
        ("192.0.2.1", False, "none"), ("", False, "none"), ("nonsense", False, "none"), ("x" * 10_000, False, "none"),
    ],
)  # fmt: skip
def test_addresses_are_held_against_networks(address, is_within, covered):
    named = "198.51.100.0/24, 203.0.113.128/25, 2001:db8:1::/48"
    assert limits.is_within(address, named) is is_within
    assert limits.covers(named, limits.shortened(address)) == covered
    assert limits.covers("", address) == "none"


def test_signs_and_delays_are_kept_in_short():
    assert write_signs(()) is None
    assert read_signs(write_signs({"head", "crowd"})) == {"head", "crowd"}
    assert delay_of(SENT, None) is None
    assert delay_of(SENT, SENT + timedelta(milliseconds=1)) == -1
    assert delay_of(SENT.replace(year=9000), SENT) is None
