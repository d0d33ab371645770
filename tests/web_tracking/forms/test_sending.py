"""A visitor sends a form: it is kept raw, becomes a record, and nothing of it is lost whatever the CRM says."""

import io
import json
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, text, update

from crm import clock
from crm.db import db
from crm.engine import custom_fields, overlay, records
from crm.engine.channels import Channel
from crm.engine.registry import modules
from crm.identity.viewer import SYSTEM
from tests.people import make_people
from tests.web_tracking.forms.conftest import MARI, jobs, rows
from web_tracking.forms import counting, designing, keeping, making
from web_tracking.forms.web import public

EVIL = "<script>alert(1)</script>"


@pytest.fixture
def person_of_house(session: Any) -> int:
    return make_people().alice


def lead(email: str = "mari@example.com") -> Any:
    return rows("leads", email=email)


def test_a_form_in_a_page_becomes_a_lead_with_what_the_form_gives(form, person_of_house) -> None:
    campaign = records.create(SYSTEM, "campaigns", {"name": "Autumn", "active": True, "type": "Email"}, Channel.SYSTEM)
    made = form(new_owner_id=person_of_house, campaign_id=campaign, thanks="We call you tomorrow.")
    answer = made.send(
        form_page="https://shop.example/contact?utm_source=news&utm_campaign=autumn&token=abcdef0123456789abcdef"
    )
    assert answer.status_code == 200
    assert "We call you tomorrow." in answer.text
    (kept,) = made.kept()
    assert (kept["outcome"], kept["said"]) == ("waiting", MARI)  # raw, before anything was made of it
    assert not lead()
    assert [job.arguments for job in jobs("forms.make")] == [{"submission_id": kept["id"]}]
    (done,) = made.work()
    (found,) = lead()
    assert (done["outcome"], done["person_id"], done["troubles"]) == ("made", found["id"], [])
    assert (found["last_name"], found["company"], found["description"]) == ("Mäkinen", "Mäkinen Oy", "Call me")
    assert (found["owner_id"], found["lead_source"], found["campaign_id"]) == (person_of_house, "Web Site", campaign)
    assert [row["person_id"] for row in rows("campaign_members", campaign_id=campaign)] == [found["id"]]
    assert (done["source"], done["campaign"], done["page"]) == ("news", "autumn", "shop.example/contact")


def test_the_same_form_sent_five_times_counts_once(form) -> None:
    made = form()
    hidden = made.opened()
    with clock.standing_at(clock.now() + timedelta(seconds=30)):
        for _time in range(5):
            assert made.client.post(made.path, data=hidden | MARI).status_code == 200
    plain = {**MARI, "email": "plain@example.com"}  # without a token: known by its words
    for _time in range(5):
        assert made.client.post(made.path, data=plain).status_code == 200
    done = made.work()
    made.work()  # a job that is run again
    assert [row["outcome"] for row in done] == ["made", "made"]
    assert len(lead()) == len(lead("plain@example.com")) == 1


def test_who_is_known_is_filled_where_empty_and_never_overwritten(form) -> None:
    values = {"first_name": "Maria", "last_name": "Makinen", "email": "mari@example.com"}
    known = records.create(SYSTEM, "contacts", values, Channel.SYSTEM)
    db.session.commit()
    made = form("first_name", "last_name", "email", "phone", "company", "description")
    made.send(MARI | {"phone": "+358 40 1234567"})
    (done,) = made.work()
    assert (done["outcome"], done["person_id"]) == ("known", known)
    (row,) = rows("contacts", id=known)
    assert (row["first_name"], row["last_name"], row["phone"]) == ("Maria", "Makinen", "+358 40 1234567")
    assert not lead()
    noted = [one["new"] for one in rows("change_log", entity_id=known) if one["field"] == ""]
    assert "website form" in noted


def test_a_company_is_known_by_its_address(form) -> None:
    made = form(entity="accounts")
    said = {"name": "Mäkinen Oy", "email": "office@example.com", "phone": "+358 9 123456"}
    made.send(said)
    made.send(said | {"name": "Makinen", "website": "https://makinen.example"})
    first, second = made.work()
    assert [first["outcome"], second["outcome"]] == ["made", "known"]
    assert first["account_id"] == second["account_id"]
    (row,) = rows("accounts", id=first["account_id"])
    assert (row["name"], row["website"]) == ("Mäkinen Oy", "https://makinen.example")


def test_what_is_missing_or_wrong_is_said_at_the_field_and_what_was_typed_stays(form) -> None:
    made = form(consent_text="You may write to me.", consent_required=True)
    answer = made.send(MARI | {"last_name": "", "email": "mari at home", "description": EVIL})
    assert answer.status_code == 422
    assert "Please fill this in." in answer.text
    assert 'id="crm-wrong-email"' in answer.text
    assert 'id="crm-wrong-form_consent"' in answer.text
    assert "&lt;script&gt;alert(1)" in answer.text
    assert EVIL not in answer.text
    assert made.kept() == []
    assert made.send(form_consent="1").status_code == 200
    (kept,) = made.kept()
    assert (kept["consent"], kept["consent_wording"]) == (True, "You may write to me.")
    made.work()
    (row,) = lead()
    assert (row["email_opt_in"], row["email_opt_in_source"]) == ("single_webform", "Website form “Contact us”")


def test_a_refusal_is_not_ended_by_a_form_and_a_confirmed_consent_is_asked_for_by_mail(form, sender) -> None:
    values = {"last_name": "Mäkinen", "email": "mari@example.com", "email_opt_in": "out_contact"}
    known = records.create(SYSTEM, "contacts", values, Channel.SYSTEM)
    db.session.commit()
    made = form(consent_text="You may write to me.")
    made.send(form_consent="1")
    made.work()
    assert rows("contacts", id=known)[0]["email_opt_in"] == "out_contact"
    made.set(double_opt_in=True)
    made.send(MARI | {"email": "new@example.com"}, form_consent="1")
    made.work()
    (asked,) = rows("opt_ins", email="new@example.com")
    assert (asked["wording"], asked["confirmed_at"]) == ("You may write to me.", None)
    assert lead("new@example.com")[0]["email_opt_in"] == "none"


def test_the_consent_of_a_submission_that_failed_at_first_is_still_to_be_confirmed(form, sender) -> None:
    made = form(consent_text="You may write to me.", double_opt_in=True)
    records.update(SYSTEM, "website_forms", made.id, {"entity": "accounts"}, Channel.SYSTEM)
    made.send({"email": "new@example.com", "last_name": "Mäkinen"}, form_consent="1")
    assert made.work()[0]["outcome"] == "failed"  # accounts need a name
    made.set(entity="leads")
    for _time in range(2):
        making.again(made.kept()[0]["id"])
        assert made.work()[0]["outcome"] in {"made", "known"}
    assert len(rows("opt_ins", email="new@example.com")) == 1


def test_reading_is_over_before_a_form_writes(form, monkeypatch) -> None:
    """SQLite refuses at once to let a transaction write whose reading is older than another one's writing."""
    began: list[bool] = []

    def watched(do: Any) -> Any:
        return lambda *said, **named: (began.append(db.session().in_transaction()), do(*said, **named))[1]

    monkeypatch.setattr(counting, "add", watched(counting.add))
    monkeypatch.setattr(keeping, "keep", watched(keeping.keep))
    form().send()
    assert began == [False, False, True]  # the view; the submission, and its count in the same transaction


def test_markup_in_names_is_text_in_the_record_and_on_every_page(form) -> None:
    made = form()
    made.send(MARI | {"last_name": EVIL, "company": "=1+1"})
    made.work()
    assert lead()[0]["last_name"] == EVIL


def test_values_the_crm_does_not_take_are_listed_and_the_rest_is_written(form) -> None:
    made = form("last_name", "email", "industry", "description")
    made.send(MARI | {"industry": "No such industry"})
    (done,) = made.work()
    assert done["outcome"] == "made"
    assert [one["field"] for one in done["troubles"]] == ["industry"]
    assert "No such industry" in done["troubles"][0]["reason"]
    assert done["said"]["industry"] == "No such industry"
    assert lead()[0]["description"] == "Call me"


def test_a_field_that_was_deleted_from_the_crm_loses_no_submission(form) -> None:
    name = custom_fields.add(modules["leads"], "text", "Size of shoes")
    db.session.commit()
    made = form("last_name", "email", name)
    hidden = made.opened()
    db.session.execute(delete(db.metadata.tables["custom_fields"]).where(text("name = :name")), {"name": name})
    overlay.touch()
    db.session.commit()
    with clock.standing_at(clock.now() + timedelta(seconds=30)):
        assert made.client.post(made.path, data=hidden | MARI | {name: "43"}).status_code == 200
    (done,) = made.work()
    assert (done["outcome"], done["said"][name]) == ("made", "43")
    assert [one["field"] for one in done["troubles"]] == [name]
    assert f'name="{name}"' not in made.client.get(made.path).text  # it is not asked for any more


def test_what_fails_says_why_and_is_tried_again(form, sender, person_of_house) -> None:
    made = form("first_name", "description", entity="leads", notified_id=person_of_house)
    made.send({"first_name": "Mari", "description": "No company, no address"})
    (failed,) = made.work()
    assert failed["outcome"] == "failed"
    assert "Company" in failed["reason"]
    assert [row["subject"] for row in rows("deliveries") if "could not be written" in (row["subject"] or "")]
    db.session.execute(
        update(db.metadata.tables["website_forms"]).values(entity="contacts")
    )  # what was wrong is mended
    assert making.again(failed["id"])
    db.session.commit()
    (done,) = made.work()
    assert (done["outcome"], done["reason"], done["tried_count"]) == ("made", None, 2)
    assert rows("contacts", id=done["person_id"])[0]["last_name"] == "Mari"


def test_files_are_taken_where_the_form_says_and_hang_on_the_record(form, monkeypatch) -> None:
    made = form(takes_files=True, file_types="pdf")
    answer = made.send(form_files=(io.BytesIO(b"%PDF-1.4 plan"), "plan.pdf"))
    assert answer.status_code == 200
    (done,) = made.work()
    (held,) = rows("entity_files", entity_id=done["person_id"])
    assert rows("files", id=held["file_id"])[0]["name"] == "plan.pdf"
    wrong = made.send(form_files=(io.BytesIO(b"MZ"), "plan.exe"))
    assert (wrong.status_code, len(made.kept())) == (422, 1)
    assert "is not taken here" in wrong.text
    monkeypatch.setattr(keeping, "MEGABYTE", 1024)  # five of them are enough
    large = made.send(form_files=(io.BytesIO(b"%PDF" + b"x" * 5 * 1024), "large.pdf"))
    assert (large.status_code, len(made.kept())) == (413, 1)
    closed = form()
    closed.send(form_files=(io.BytesIO(b"%PDF-1.4"), "plan.pdf"))
    assert len(closed.kept()) == 1
    assert len(rows("form_files")) == 1


def test_a_form_is_answered_in_the_language_of_its_visitor(form) -> None:
    made = form()
    designing.translate(SYSTEM, made.id, "fi", {"title": "Kirjoita meille"}, {})
    db.session.commit()
    page = made.client.get(made.path, headers={"Accept-Language": "fi"}).text
    assert "Kirjoita meille" in page
    assert '<html lang="fi">' in page
    assert "Write to us" in made.client.get(f"{made.path}?lang=en", headers={"Accept-Language": "fi"}).text


def test_who_is_told_gets_one_mail(form, sender, person_of_house) -> None:
    made = form(notified_id=person_of_house, notifies_owner=True, new_owner_id=person_of_house, takes_files=True)
    made.send(form_files=(io.BytesIO(b"%PDF-1.4 plan"), "plan.pdf"))
    (done,) = made.work()
    making.again(done["id"])
    made.work()
    assert "Files: plan.pdf" in json.dumps(rows("deliveries")[-1]["payload"])
    mails = [row for row in rows("deliveries") if row["dedupe_key"].startswith(f"form:{done['id']}:made")]
    assert len(mails) == 1
    assert f"/crm/website_forms/{made.id}/submissions/{done['id']}" in json.dumps(mails[0]["payload"])


def test_rates_hold_and_say_when_to_come_again(form) -> None:
    made = form()
    for _time in range(int(public.PLAIN_POSTS.rate.count)):
        made.client.post(made.path, data=MARI)
    answer = made.client.post(made.path, data=MARI)
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0
