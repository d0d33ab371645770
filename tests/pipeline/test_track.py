"""Sealed tokens: opaque, for one purpose, the same on every retry; and who is measured."""

from hypothesis import given
from hypothesis import strategies as st

from ecp.pipeline.track import PATHS, LinkMaker, Sealer, tracking

KEY, OTHER = bytes(range(64)), bytes(reversed(range(64)))
SEALER = Sealer([KEY])
PURPOSES = sorted(PATHS)


@given(st.sampled_from(PURPOSES), st.integers(min_value=0, max_value=2**63 - 1))
def test_what_was_sealed_opens_for_its_purpose_only(purpose, number):
    token = SEALER.seal(purpose, number)
    assert token == SEALER.seal(purpose, number)
    assert SEALER.open(purpose, token) == number
    for other in PURPOSES:
        if other != purpose:
            assert SEALER.open(other, token) is None


@given(st.text(max_size=80))
def test_no_text_that_somebody_thinks_of_opens(text):
    assert all(SEALER.open(purpose, text) is None for purpose in PURPOSES)


@given(st.integers(0, 2**63 - 1), st.integers(0, 31), st.characters())
def test_a_changed_token_does_not_open(number, place, character):
    token = SEALER.seal("leave", number)
    changed = token[:place] + character + token[place + 1 :]
    assert changed == token or SEALER.open("leave", changed) is None


def test_neighbouring_deliveries_have_nothing_in_common():
    first, second = SEALER.seal("open", 1), SEALER.seal("open", 2)
    assert sum(a == b for a, b in zip(first, second, strict=True)) < 8


def test_an_old_key_still_opens_but_no_longer_seals():
    token = SEALER.seal("leave", 7)
    rotated = Sealer([OTHER, KEY])
    assert rotated.open("leave", token) == 7
    assert rotated.seal("leave", 7) != token
    assert Sealer([OTHER]).open("leave", token) is None


def test_without_consent_there_is_no_pixel_and_no_personal_link():
    how = tracking("with_consent", "unknown")
    assert (how.pixel, how.links) == (False, "total")
    links = LinkMaker(SEALER, "https://mail.example/", 3)
    assert links.pixel(9, how) == ""
    assert links.click_base(9, how) == links.click_base(10, how)


def test_with_consent_pixel_and_links_are_personal():
    how = tracking("with_consent", "yes")
    links = LinkMaker(SEALER, "https://mail.example", 3)
    assert links.pixel(9, how) == f"https://mail.example/o/{SEALER.seal('open', 9)}.gif"
    assert links.click_base(9, how) != links.click_base(10, how)


def test_measuring_nothing_leaves_links_alone_and_totals_name_nobody():
    links = LinkMaker(SEALER, "https://mail.example", 3)
    assert links.click_base(9, tracking("none", "yes")) == ""
    assert links.pixel(9, tracking("none", "yes")) == ""
    totals = tracking("totals", "yes")
    assert links.pixel(9, totals) == links.pixel(10, totals) != ""
    assert tracking("all", "unknown").links == "personal"


def test_a_no_holds_also_where_the_site_measures_everybody():
    for measure in ("all", "with_consent"):
        assert tracking(measure, "no").pixel is False
        assert tracking(measure, "no").links == "total"
