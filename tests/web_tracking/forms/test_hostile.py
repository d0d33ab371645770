"""What strangers may try at a form: robots, foreign sites, closed keys, hostile values, and anything at all."""

import io
import json
import random
from typing import Any

import pytest

from crm.db import db
from crm.engine import records
from crm.engine.channels import Channel
from crm.engine.refusals import Refused
from crm.identity.viewer import SYSTEM
from tests.web_tracking.forms.conftest import MARI, jobs, rows
from web_tracking.forms import designing, making, tickets
from web_tracking.forms.reading import MOST_NAMES

JSON = {"Accept": "application/json"}
SHOP, OTHER = "https://shop.example", "https://other.example"


def test_robots_see_success_and_make_no_lead_until_a_person_lets_them(form) -> None:
    made = form(takes_files=True)
    trapped = made.send(fax_number="123")
    hurried = made.send(
        MARI | {"email": "fast@example.com"}, after=0.5, form_files=(io.BytesIO(b"%PDF-1.4"), "plan.pdf")
    )
    honest = made.send(MARI | {"email": "honest@example.com"})
    assert {trapped.status_code, hurried.status_code} == {200}
    assert made.send(MARI | {"email": ""}, after=0.5).status_code == 422  # who was only fast sees what is missing
    assert trapped.text == hurried.text == honest.text
    first, second, _third = made.work()
    assert (first["outcome"], second["outcome"]) == ("suspected", "suspected")
    assert first["reason"] != second["reason"]
    assert [row["email"] for row in rows("leads")] == ["honest@example.com"]
    assert len(jobs("forms.make")) == 1
    assert making.again(second["id"])
    db.session.commit()
    _first, let, _third = made.work()
    assert {row["email"] for row in rows("leads")} == {"honest@example.com", "fast@example.com"}
    assert len(rows("entity_files", entity_id=let["person_id"])) == 1  # nothing of it was lost


def test_a_small_sum_is_asked_and_a_plain_form_is_led_to_it(form) -> None:
    made = form(asks_sum=True)
    answer = made.client.post(made.path, data=MARI)  # plain HTML holds no sum
    assert answer.status_code == 422
    assert 'value="mari@example.com"' in answer.text
    assert made.send(form_sum="99").status_code == 422
    assert made.kept() == []
    hidden = made.opened()
    one, other = tickets.numbers_of(hidden["form_token"])
    from datetime import timedelta

    from crm import clock

    with clock.standing_at(clock.now() + timedelta(seconds=9)):
        assert made.client.post(made.path, data=hidden | MARI | {"form_sum": str(one + other)}).status_code == 200
    assert [row["outcome"] for row in made.work()] == ["made"]


def test_a_form_that_takes_no_plain_html_shows_it_again_filled_in(form) -> None:
    made = form(accepts_plain=False)
    answer = made.client.post(made.path, data=MARI)
    assert answer.status_code == 422
    assert 'name="form_token"' in answer.text
    assert made.kept() == []


def test_an_old_changed_or_foreign_token_is_no_token_and_what_was_typed_stays(form) -> None:
    made, other = form(), form()
    hidden = made.opened()
    for token in ("made up", hidden["form_token"][::-1], other.opened()["form_token"]):
        answer = made.client.post(made.path, data=MARI | {"form_token": token})
        assert answer.status_code == 422
        assert 'value="mari@example.com"' in answer.text
    late = made.send(after=tickets.HOLDS_SECONDS + 60)
    assert late.status_code == 422
    assert "open too long" in late.text
    assert made.kept() == []


def test_a_closed_form_a_revoked_key_and_a_deleted_form_answer_410_and_one_that_never_was_404(form) -> None:
    made = form()
    hidden, path = made.opened(), made.path
    key = designing.renew_key(SYSTEM, made.id)
    db.session.commit()
    for verb in (made.client.get, made.client.post):
        assert verb(path).status_code == 410
    assert made.client.post(path, data=hidden | MARI, headers=JSON).status_code == 410
    assert made.client.get(f"{path}.js").status_code == made.client.get(f"{path}.json").status_code == 410
    assert made.client.get(f"/form/{key}").status_code == 200
    made.set(state="closed")
    assert made.client.get(made.path).status_code == 410
    made.set(state="open")
    records.delete(SYSTEM, "website_forms", made.id, Channel.SYSTEM)
    db.session.commit()
    assert made.client.get(f"/form/{key}").status_code == 410
    for path in ("/form/0123456789abcdef", "/form/x.js", "/form/x.json"):
        assert made.client.get(path).status_code == 404
    assert made.client.post("/form/x", data=MARI).status_code == 404
    assert made.kept() == []


def test_only_named_sites_may_show_and_send_a_form(form) -> None:
    made = form(allowed_origins="shop.example\nhttps://blog.example:8443")
    assert rows("website_forms", id=made.id)[0]["allowed_origins"] == f"{SHOP}\nhttps://blog.example:8443"
    for origin in (OTHER, "null", "https://shop.example.evil.example"):
        said = JSON | {"Origin": origin}
        assert made.client.get(f"{made.path}.json", headers=said).status_code == 403
        assert made.client.post(made.path, data=MARI, headers=said).status_code == 403
    assert made.kept() == []
    mine = JSON | {"Origin": SHOP}
    drawn = made.client.get(f"{made.path}.json", headers=mine)
    assert drawn.headers["Access-Control-Allow-Origin"] == SHOP
    assert "crm-form" in drawn.json["html"]
    assert made.client.post(made.path, data=MARI, headers=mine).status_code == 200
    assert made.send(headers={"Origin": "null"}).status_code == 200  # our own page tells no origin
    assert (
        f"frame-ancestors 'self' {SHOP} https://blog.example:8443;"
        in made.client.get(made.path).headers["Content-Security-Policy"]
    )


@pytest.mark.parametrize(
    "said",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "//evil.example",
        "https://a@evil.example",
        "https://x\r\nSet-Cookie: a=b",
    ],
)
def test_a_form_redirects_to_web_addresses_only(form, said: str) -> None:
    with pytest.raises(Refused) as refused:
        form(redirect_url=said)
    assert set(refused.value.faults) == {"redirect_url"}


def test_after_a_form_comes_the_page_that_it_names(form) -> None:
    made = form(redirect_url="https://shop.example/thanks")
    assert "form-action 'self' https://shop.example;" in made.client.get(made.path).headers["Content-Security-Policy"]
    answer = made.send()
    assert (answer.status_code, answer.headers["Location"]) == (303, "https://shop.example/thanks")
    assert made.client.post(made.path, data=MARI, headers=JSON).json == {"redirect": "https://shop.example/thanks"}
    db.session.execute(db.metadata.tables["website_forms"].update().values(redirect_url="javascript:alert(1)"))
    db.session.commit()
    assert made.send(MARI | {"email": "x@example.com"}).status_code == 200  # even if it stood in the database


@pytest.mark.parametrize("takes_files", [False, True])
def test_large_fields_and_bodies_are_refused_and_nothing_is_kept(form, takes_files: bool) -> None:
    made = form(takes_files=takes_files)
    assert made.send(MARI | {"description": "x" * 70_000}).status_code == 422
    assert made.send(MARI | {"last_name": "x" * 300}).status_code == 422
    assert made.send(MARI | {"description": "x" * 1024 * 1024}).status_code == 413
    assert made.send({f"name{n}": "x" for n in range(2_000)}).status_code in {413, 422}
    assert made.kept() == []


def test_only_what_the_form_asks_for_reaches_the_record(form) -> None:
    made = form("last_name", "email", "company")
    made.send(
        MARI | {"lead_status": "Hot", "owner_id": "1", "email_opt_in": "double", "phone": "+358 1 234", "id": "7"}
    )
    (done,) = made.work()
    (lead,) = rows("leads")
    assert (lead["lead_status"], lead["email_opt_in"], lead["phone"], lead["description"]) == (
        "Not Contacted",
        "none",
        None,
        None,
    )
    assert done["said"]["lead_status"] == "Hot"  # kept as it came all the same
    with pytest.raises(Refused):
        designing.add_field(SYSTEM, made.id, "email_opt_in")
    with pytest.raises(Refused):
        designing.add_field(SYSTEM, made.id, "owner_id")


def test_no_page_of_a_form_sets_a_cookie_or_runs_what_was_sent(form) -> None:
    made = form(title="<img src=x onerror=alert(1)>", intro="<b>bold</b>", thanks="<script>alert(2)</script>")
    for answer in (
        made.client.get(made.path),
        made.client.get(f"{made.path}.js"),
        made.client.get(f"{made.path}.json"),
        made.send(),
    ):
        assert "Set-Cookie" not in answer.headers
        text = answer.json["html"] if answer.is_json else answer.text
        assert "<img src=x" not in text
        assert "<script>alert" not in text
    assert "script-src" not in made.client.get(made.path).headers["Content-Security-Policy"]


def test_whatever_is_sent_gets_an_answer_and_is_kept_whole_or_not_at_all(form, monkeypatch: Any) -> None:
    from web_tracking.forms.web import public

    for limiter in (public.POSTS, public.PLAIN_POSTS, public.OF_EMAIL):
        monkeypatch.setattr(limiter, "take", lambda _key: 0.0)
    made = form(
        "last_name",
        "email",
        "company",
        "industry",
        "annual_revenue",
        "employees",
        consent_text="Yes?",
        takes_files=True,
    )
    dice = random.Random(29)
    pieces = [
        "",
        "a",
        "\x00",
        "\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16"),
        "'; DROP TABLE leads; --",
        "<b>",
        "%00",
        "9" * 400,
        "ä" * 300,
        "\r\nBcc: x@example.com",
        "{{7*7}}",
        "{$contact.email}",
        "1e999",
        "NaN",
        "-1",
        "mari@example.com",
        "=cmd",
        "\u202eevil",
        "[]",
        "null",
    ]
    names = [
        "last_name",
        "email",
        "company",
        "industry",
        "annual_revenue",
        "employees",
        "form_token",
        "form_consent",
        "form_sum",
        "form_page",
        "form_from",
        "form_visitor",
        "form_language",
        "form_files",
        "fax_number",
        "__proto__",
        "",
        "x" * 200,
    ]
    statuses = set()
    for _round in range(120):
        said: dict[str, Any] = {
            dice.choice(names): [dice.choice(pieces) for _n in range(dice.choice((1, 1, 3)))]
            for _n in range(dice.randrange(9))
        }
        if dice.random() < 0.4:
            said |= {"last_name": dice.choice(pieces[3:]), "email": f"m{_round}@example.com"}
        headers = {
            "Accept": dice.choice(["text/html", "application/json", "\u00e4".encode().decode("latin-1")]),
            "Origin": dice.choice(["null", SHOP, "javascript:1"]),
        }
        more = (
            {
                "content_type": dice.choice(["application/json", "multipart/form-data", "text/plain"]),
                "data": b"\x00\xff--x\r\n",
            }
            if dice.random() < 0.2
            else {"data": said}
        )
        answer = made.client.post(made.path + dice.choice(["", "", "?lang=xx", "?lang=%00"]), headers=headers, **more)
        statuses.add(answer.status_code)
        assert answer.status_code in {200, 400, 413, 415, 422}, (said, answer.status_code)
    assert {200, 422} <= statuses
    kept = made.work()
    assert kept
    assert {row["outcome"] for row in kept} <= {"made", "known", "failed", "suspected"}
    assert all(len(row["said"]) <= MOST_NAMES and json.dumps(row["said"]) for row in kept)
