"""How values look: by language, zone and the person's own formats; nothing is taken for markup."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from crm.engine.fields import make
from crm.ui.formats import Formats, present, words
from crm.ui.page import initials, local_path
from crm.words import in_sentence

FI, EN = Formats("fi", "Europe/Helsinki"), Formats("en", "Europe/Helsinki")


def test_money_and_numbers_follow_the_language_or_the_person():
    assert EN.money(Decimal("1234.50")) == "€1,234.50"
    assert FI.money(Decimal("1234.50")).replace("\xa0", " ") == "1 234,50 €"
    assert Formats("en", number_format="comma").number(Decimal("1234.5"), 2).replace("\xa0", " ") == "1 234,50"
    assert EN.money(Decimal("-1000")) == "-€1,000"


def test_moments_are_told_in_the_zone_of_the_person():
    midnight = datetime(2026, 1, 1, 22, 30, tzinfo=UTC)
    assert Formats("en", "Europe/Helsinki", "iso").moment(midnight) == "2026-01-02 00:30"
    assert Formats("en", "America/New_York", "iso").moment(midnight) == "2026-01-01 17:30"
    assert FI.date(date(2026, 3, 9)) == "9.3.2026"


def test_markup_in_a_value_stays_text(app):
    with app.test_request_context("/crm/"):
        for kind, value in (
            ("text", "<b>x</b>"),
            ("email", '"<x>"@example.com'),
            ("website", "https://a.example/<x>"),
            ("phone", "<x>"),
        ):
            assert "<x>" not in present(make(kind, "Label").named("f", False), value)
            assert "<b>" not in present(make(kind, "Label").named("f", False), value)
        assert present(make("text", "Label").named("f", False), None) == ""


def test_percent_and_whole_numbers(app):
    with app.test_request_context("/crm/"):
        assert words(make("percent", "P").named("p", False), Decimal("12.50"), EN) == "12.5 %"
        assert words(make("percent", "P").named("p", False), Decimal("30"), EN) == "30 %"
        assert words(make("whole", "W").named("w", False), 12345, EN) == "12,345"


@pytest.mark.parametrize("said", ["//x.example", "https://x.example", "/\\x", "x", "", None, "/a\nb", "\\\\x", "/\tx"])
def test_only_paths_of_this_site_are_followed(said):
    assert local_path(said, "/crm/") == "/crm/"


def test_a_local_path_is_kept():
    assert local_path("/crm/contacts?q=a%20b", "/crm/") == "/crm/contacts?q=a%20b"


def test_initials_of_people_and_things():
    assert initials("Alice Virtanen") == "AV"
    assert initials("Acme") == "AC"
    assert initials("") == "?"
    assert initials("(x) öä") == "ÖÄ"


@pytest.mark.parametrize(
    ("name", "said"),
    [("Accounts", "accounts"), ("HTML snippets", "HTML snippets"), ("FAQs", "FAQs"), ("E-mail", "e-mail")],
)
def test_names_within_sentences_keep_their_capitals_where_they_have_several(name, said):
    assert in_sentence(name) == said
