"""The sign-in sheet and the answers of an event: who is coming and what they answered, on pages and in files; who may see it."""

import csv
import io
from datetime import timedelta

import pytest
from lxml import html
from openpyxl import load_workbook

from crm.db import db
from crm.engine import attachments, records
from crm.engine.channels import Channel
from crm.identity.viewer import SYSTEM
from crm.modules.events import seats
from surveys import answering
from surveys.design import load
from surveys.forms import Answers
from tests.documents.test_pdf import run, text_of, with_office
from tests.surveys.conftest import make_survey
from tests.web.test_events import START, fair, guests, send  # noqa: F401


@pytest.fixture
def asked(make, fair, guests):  # noqa: F811
    """(event, attendees): two with a seat, one on a spare place; the first has answered."""
    options = [{"value": "fish", "label": "Fish"}, {"value": "veg", "label": "Vegetables"}]
    survey = make_survey([
        {"name": "diet", "kind": "radio", "title": "What do you eat?", "required": True, "options": options},
        {"name": "wish", "kind": "text", "title": "Wishes"},
    ])  # fmt: skip
    records.update(SYSTEM, "mass_events", fair, {"survey_id": survey.id}, Channel.SYSTEM)
    given = [place.attendee_id for place in seats.add_many(SYSTEM, fair, guests[:3], Channel.FORM)]
    answers = Answers(load(survey.id), values={"diet": {"choice": "veg"}, "wish": "=HYPERLINK(1)"})
    made = answering.store(SYSTEM, survey.id, answers, guests[0], "event", fair)
    records.update(SYSTEM, "attendees", given[0], {"answers_response_id": made}, Channel.SYSTEM)
    db.session.commit()
    return fair, given


def test_answers_are_columns_of_the_list_and_of_its_files_and_lead_to_the_response(browse, asked):
    event, _given = asked
    alice = browse("alice")
    tabs = alice.get(f"/mass_events/{event}/tabs").text
    assert f'hx-get="/crm/mass_events/{event}/answers"' in tabs
    page = alice.get(f"/mass_events/{event}/answers")
    rows = html.fromstring(page.text).xpath("//table/tbody/tr")
    said = [[" ".join(cell.text_content().split()) for cell in row.xpath("td")] for row in rows]
    assert said == [
        ["Guest 0", "Joined", "Vegetables", "=HYPERLINK(1)", "Response"], ["Guest 1", "Joined", "", "", ""],
        ["Guest 2", "On a spare place", "", "", ""],
    ]  # fmt: skip
    for href in html.fromstring(page.text).xpath("//main//a/@href"):
        alice.get(href.removeprefix("/crm")).close()
    part = alice.client.get(f"/crm/mass_events/{event}/answers", headers={"HX-Request": "true"})
    assert "<html" not in part.text
    assert "Vegetables" in part.text
    lines = list(csv.reader(io.StringIO(alice.get(f"/mass_events/{event}/answers.csv").data.decode("utf-8-sig"))))
    assert (lines[0][0], lines[0][-2:]) == ("Name", ["diet", "wish"])
    assert (lines[1][0], lines[1][1], lines[1][-2:]) == (
        "Guest 0",
        "guest.0@example.com",
        ["Vegetables", "'=HYPERLINK(1)"],
    )
    sheet = load_workbook(io.BytesIO(alice.get(f"/mass_events/{event}/answers.xlsx").data)).active
    assert [cell.value for cell in sheet[2]][-2:] == ["Vegetables", "=HYPERLINK(1)"]
    assert sheet[2][-1].data_type == "s"
    assert "With answers" in alice.get(f"/mass_events/{event}/kpi").text


def test_the_sheet_lists_who_has_a_seat_and_is_printed_or_taken_along(browse, asked):
    event, _given = asked
    alice = browse("alice")
    page = html.fromstring(alice.get(f"/mass_events/{event}/sign-in").text)
    assert [row.xpath("string(td)") for row in page.xpath("//table/tbody/tr")] == ["Guest 0", "Guest 1"]
    sheet = load_workbook(io.BytesIO(alice.get(f"/mass_events/{event}/sign-in.xlsx").data)).active
    assert [row[0].value for row in sheet.rows] == ["Name", "Guest 0", "Guest 1"]
    assert f"/crm/mass_events/{event}/sign-in" in alice.get(f"/mass_events/{event}").text


@with_office
def test_the_pdf_of_the_sheet_is_made_by_a_worker_and_kept_for_who_asked(browse, asked, people, tmp_path):
    event, _given = asked
    alice = browse("alice")
    answer = send(alice, f"/mass_events/{event}/sign-in")
    job = int(answer.headers["Location"].rpartition("=")[2])
    said = run(job)
    file = int(said.rpartition("/")[2])
    stored, path = attachments.open_file(people["alice"], file)
    assert stored.name == "Sign-in sheet Fair.pdf"
    words = text_of(path.read_bytes(), tmp_path)
    assert all(word in words for word in ("Fair", "Guest 0", "Guest 1", "Signature"))
    assert "Guest 2" not in words
    assert "document-job" in alice.get(f"/mass_events/{event}/sign-in?job={job}").text


def test_an_event_without_questions_and_without_people_says_so(browse, make):
    plain = make("mass_events", name="Plain", starts_at=START, ends_at=START + timedelta(hours=1))
    alice = browse("alice")
    assert "asks no questions" in alice.get(f"/mass_events/{plain}/answers").text
    assert "/answers" not in alice.get(f"/mass_events/{plain}/tabs").text
    alice.get(f"/mass_events/{plain}/answers.csv", status=404)
    assert "Nobody has a seat yet." in alice.get(f"/mass_events/{plain}/sign-in").text
