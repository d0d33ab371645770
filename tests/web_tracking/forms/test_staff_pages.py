"""Staff pages of website forms: building, texts, embedding, submissions, report; and who may do what."""

from datetime import timedelta
from typing import Any

import pytest

from crm import clock
from crm.db import db
from crm.engine import search
from tests.every_module.browsing import browser
from tests.people import make_people
from tests.web_tracking.forms.conftest import MARI, Form, rows
from web_tracking.forms import counting, keeping
from web_tracking.forms.counting import Numbers
from web_tracking.forms.design import load, offered

EVIL = "<script>alert(1)</script>"


@pytest.fixture
def alice(app: Any, session: Any) -> Any:
    make_people()
    return browser(app, "mary@example.com")


def names(form: Form) -> list[str]:
    db.session.expire_all()
    return [one.name for one in load(form.id).asked]


def test_a_form_is_built_put_into_order_and_shown_in_the_preview(form, alice) -> None:
    made = form("last_name", "email")
    home = f"/website_forms/{made.id}"
    csrf = alice.form(f"{home}/build")["csrf"]
    alice.post(f"{home}/fields", {"csrf": csrf, "name": "phone"})
    first, second, third = (one.id for one in load(made.id).asked)
    alice.post(f"{home}/fields/{third}/move", {"csrf": csrf, "way": "up"})
    assert names(made) == ["last_name", "phone", "email"]
    part = alice.client.post(
        f"/crm{home}/order",
        data={"csrf": csrf, "field": [str(second), str(first), str(third)]},
        headers={"HX-Request": "true"},
    )
    assert (part.status_code, names(made)) == (200, ["email", "last_name", "phone"])
    assert part.text.lstrip().startswith('<div id="form-fields">')
    alice.post(f"{home}/fields/{third}", {"csrf": csrf, "label": "Mobile <b>", "help": "Day time", "required": "1"})
    frame = alice.get(f"{home}/frame")
    assert "Mobile &lt;b&gt;" in frame.text
    assert frame.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert "sandbox" in frame.headers["Content-Security-Policy"]
    alice.post(f"{home}/fields/{first}/remove", {"csrf": csrf})
    assert names(made) == ["email", "phone"]
    wrong = alice.post(f"{home}/fields", {"csrf": csrf, "name": "email_opt_in"}, 422)
    assert "Choose a field of the list." in wrong.text
    offers = {one.name for one in offered("leads")}
    assert {"first_name", "description", "city"} <= offers
    assert not {"owner_id", "lead_status", "email_opt_in", "email_key", "campaign_id", "converted_at"} & offers


def test_texts_of_the_other_language_are_written_beside_those_of_the_form(form, alice) -> None:
    made = form("last_name", "email")
    said = alice.form(f"/website_forms/{made.id}/texts/fi", has="title")
    first = load(made.id).asked[0].id
    alice.post(f"/website_forms/{made.id}/texts/fi", said | {"title": "Kirjoita", f"label-{first}": "Nimesi"})
    page = made.client.get(f"{made.path}?lang=fi").text
    assert "Kirjoita" in page
    assert "Nimesi" in page
    long = alice.post(f"/website_forms/{made.id}/texts/fi", said | {"title": "x" * 201, "thanks": "Kiitos"}, 422)
    assert "at most 200 characters" in long.text
    assert "Kiitos" in long.text
    alice.get(f"/website_forms/{made.id}/texts/sv", 404)


def test_embedding_gives_the_line_the_address_and_html_that_can_be_sent(form, alice) -> None:
    made = form(consent_text="May we write?")
    page = alice.get(f"/website_forms/{made.id}/embed").text
    assert f"/form/{made.key}.js&#34;&gt;&lt;/script&gt;" in page
    assert "form_token" not in page
    assert "name=&#34;email&#34;" in page
    old, csrf = made.key, alice.form(f"/website_forms/{made.id}/embed")["csrf"]
    alice.post(f"/website_forms/{made.id}/key", {"csrf": csrf})
    assert made.key != old
    assert made.client.get(f"/form/{old}").status_code == 410


def test_every_line_of_the_list_says_what_was_sent(form, alice) -> None:
    made = form()
    for place in range(5):
        made.send(MARI | {"email": f"mari{place}@example.com", "company": "x" * 80})
    made.client.post(made.path, data=MARI)  # plain HTML: it counts, but comes from no view
    report = alice.get(f"/website_forms/{made.id}/report").text
    assert all(f'<span class="big-number">{said}</span>' in report for said in ("5", "6", "100 %"))
    page = alice.get(f"/website_forms/{made.id}/submissions").text
    assert all(f"mari{place}@example.com" in page for place in range(5))
    assert "x" * 60 not in page


def test_submissions_are_listed_looked_at_let_through_and_deleted(form, alice) -> None:
    made = form()
    made.send(MARI | {"last_name": EVIL}, form_page=f"https://shop.example/{EVIL}?utm_source={EVIL}")
    made.send(MARI | {"email": "robot@example.com"}, fax_number="x")
    made.work()
    home = f"/website_forms/{made.id}/submissions"
    good, robot = (row["id"] for row in made.kept())
    for path in (
        home,
        f"{home}?outcome=suspected",
        f"{home}/{good}",
        f"{home}/{robot}",
        f"/website_forms/{made.id}/report",
    ):
        assert EVIL not in alice.get(path).text
    assert "Filled in the field that people do not see" in alice.get(f"{home}?outcome=suspected").text
    csrf = alice.form(f"{home}/{robot}")["csrf"]
    alice.post(f"{home}/{robot}/genuine", {"csrf": csrf})
    made.work()
    assert rows("leads", email="robot@example.com")
    alice.post(home, {"csrf": csrf, "deed": "remove", "id": [str(good), "x", "9" * 30]})
    assert [row["id"] for row in made.kept()] == [robot]
    other = form()
    alice.get(f"/website_forms/{other.id}/submissions/{robot}", 404)


def test_who_may_only_read_changes_nothing_and_others_submissions_stay_closed(app, form) -> None:
    make_people()
    made = form()
    made.send()
    made.work()
    (row,) = made.kept()
    rita = browser(app, "rita@example.com")
    page = rita.get(f"/website_forms/{made.id}/build").text
    assert "add-field" not in page
    csrf = rita.form("/preferences")["csrf"]
    for path in (
        "fields",
        "order",
        "key",
        "usual",
        "variants",
        f"submissions/{row['id']}/remove",
        f"submissions/{row['id']}/again",
    ):
        answer = rita.client.post(f"/crm/website_forms/{made.id}/{path}", data={"csrf": csrf, "name": "phone"})
        assert answer.status_code in {403, 404}, path
    assert len(made.kept()) == 1


def test_variants_fall_to_visitors_always_alike_and_the_report_says_what_they_are_worth(form, alice) -> None:
    made = form()
    home = f"/website_forms/{made.id}"
    csrf = alice.form(f"{home}/build")["csrf"]
    assert "Say what is different" in alice.post(f"{home}/variants", {"csrf": csrf}, 422).text
    alice.post(f"{home}/variants", {"csrf": csrf, "title": "Call us", "left_out": ["phone", "email"]})
    seen = {}
    for n in range(12):
        agent = {"User-Agent": f"Mozilla/5.0 Firefox/{n}.0", "Accept-Language": "en"}
        first, again = (made.client.get(made.path, headers=agent).text for _time in range(2))
        letter = "B" if "Call us" in first else "A"
        assert ("Call us" in again) == ("Call us" in first)
        assert ('name="phone"' in first) == (letter == "A")
        assert 'name="email"' in first  # what must be filled in is left out of no variant
        seen[letter] = agent
    assert set(seen) == {"A", "B"}
    assert "Call us" not in made.client.get(made.path, headers=seen["B"] | {"Accept-Language": "fi"}).text
    made.client.get(made.path, headers={"User-Agent": "Googlebot/2.1"})  # is not counted
    assert sum(one.views for one in counting.by_variant(made.id) if one.letter in "AB") == 24
    hidden = made.client.get(made.path, headers=seen["B"]).text
    token = hidden.partition('name="form_token" value="')[2].partition('"')[0]
    with clock.standing_at(clock.now() + timedelta(seconds=30)):
        assert made.client.post(made.path, data=MARI | {"form_token": token}).status_code == 200
    assert [row["variant"] for row in made.kept()] == ["B"]
    assert {one.letter: one.sent for one in counting.by_variant(made.id)} == {"-": 0, "A": 0, "B": 1}
    assert "too early to say" in alice.get(f"{home}/report").text
    alice.post(f"{home}/variants/B", {"csrf": csrf, "active": "0"})
    assert "Call us" not in made.client.get(made.path, headers=seen["B"]).text
    assert alice.get(f"{home}/report.csv?days=7").text.count("\n") == 8


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        ([Numbers("A", 1000, 50), Numbers("B", 1000, 100)], "Variant B is sent most often; 99 % sure"),
        ([Numbers("A", 1000, 50), Numbers("B", 1000, 56)], "may be chance (45 % sure)"),
        ([Numbers("A", 99, 9), Numbers("B", 1000, 100)], "too early"),
        ([Numbers("A", 1000, 50)], ""),
        ([Numbers("A", 1000, 0), Numbers("B", 1000, 0)], "too early"),
        # one of four looks better by chance more easily: 97 % for a pair is not enough
        (
            [Numbers("A", 1000, 50), Numbers("B", 1000, 51), Numbers("C", 1000, 50), Numbers("D", 1000, 74)],
            "may be chance",
        ),
    ],
)
def test_the_sentence_about_variants_says_no_more_than_the_numbers(app, numbers, said) -> None:
    assert said in counting.sentence(numbers)
    assert bool(counting.sentence(numbers)) == bool(said)


def test_submissions_go_after_the_months_of_their_form_and_their_counts_stay(form) -> None:
    made = form(kept_months=2)
    made.send()
    made.work()
    sent = counting.by_variant(made.id)
    with clock.standing_at(clock.now() + timedelta(days=58)):
        keeping.drop_old(None)
    assert len(made.kept()) == 1
    with clock.standing_at(clock.now() + timedelta(days=63)):
        keeping.drop_old(None)
    assert made.kept() == []
    assert counting.by_variant(made.id) == sent
    assert len(rows("leads")) == 1


def test_fields_and_submissions_are_read_through_the_searching_door(form) -> None:
    made = form("last_name", "email")
    people = make_people()
    found = search.find(people["mary"], "website_form_fields", where={"$eq": ["form_id", made.id]}).rows
    assert [row["name"] for row in found] == ["last_name", "email"]
