"""An event from the customer's phone and the organiser's desk, in a real Chromium (issue 3, must show 1).

The customer has never been here and runs no scripts: registers on the public page, changes an answer and cancels by the
link in the mail; who waits gets the seat. The organiser sees the numbers, checks in by code, asks afterwards, finds who answered.
"""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from icalendar import Calendar
from playwright.sync_api import Page, expect

from crm.db import db
from crm.documents import converting
from tests.apps import forget_engine, make_app
from tests.databases import absent
from tests.documents.samples import Word
from tests.journeys import cameras
from tests.journeys.browsing import DESKTOP, PHONE, chromium, log_in, violations
from tests.journeys.house import ADMIN, House, wait_for
from tests.journeys.letters import Letter, letters_in

pytestmark = pytest.mark.journey
SMALLEST = {"width": 320, "height": 640}
FRAME = """<!doctype html><html lang="en"><title>Our site</title><h1>Our site</h1>
<iframe title="Events" src="{base}/portal/embed/events" width="360" height="200"></iframe><script src="{base}/portal/embed/events.js"></script></html>"""


@pytest.mark.timeout(900)
def test_an_event_from_registration_to_the_survey_afterwards(sqlite_house):
    house, faults = sqlite_house(), list[str]()
    film = house.folder / "camera.y4m"
    with house.running(), chromium(house.base, *cameras.flags(film)) as open_page:
        event, form, feedback = set_up(house)
        staff = open_page()
        log_in(staff, "crm", ADMIN)
        staff.goto(f"/crm/mass_events/{event}/triggers")
        staff.get_by_role("button", name="Add the typical set").click()
        staff.get_by_text("Confirmation", exact=True).wait_for()
        staff.on("dialog", lambda dialog: dialog.accept())

        anna = open_page(java_script_enabled=False, viewport=PHONE)
        look(anna, "/portal/public/events", faults)
        anna.get_by_role("link", name="Open house").click()
        look(anna, anna.url, faults)
        register(anna, "Anna", "Ahonen", diet="")
        expect(anna.get_by_text("Please answer this.").first).to_be_visible()
        look_here(anna, faults)
        register(anna, "Anna", "Ahonen", diet="Fish")
        expect(anna.get_by_role("heading", name="We have received your registration")).to_be_visible()
        expect(anna.get_by_text("You have a seat.")).to_be_visible()
        look_here(anna, faults)
        bert = open_page(java_script_enabled=False, viewport=PHONE)
        anna_went = anna.url
        look(bert, anna_went, faults)
        register(bert, "Bert", "Berg", diet="Meat")
        expect(bert.get_by_text("You are on a spare place")).to_be_visible()
        bert.goto(anna_went)
        register(bert, "Cara", "Cole", diet="Fish")
        expect(bert.get_by_text("You are on a spare place")).to_be_visible()

        mail = letter(house, "anna@example.com", "You are coming")
        (file,) = [part for part in mail.message.iter_attachments() if part.get_content_type() == "text/calendar"]
        entry = Calendar.from_ical(file.get_content()).walk("VEVENT")[0]
        assert str(entry["summary"]) == "Open house"
        own = link_in(mail)
        look(anna, own, faults)
        anna.get_by_label("Vegetables").check()
        anna.get_by_role("button", name="Save my answers").click()
        expect(anna.get_by_role("heading", name="Your answers are saved")).to_be_visible()
        assert answers(house, form) == {"Anna": "veg", "Bert": "meat", "Cara": "fish"}
        anna.goto(own)
        anna.get_by_role("button", name="Cancel my registration").click()
        expect(anna.get_by_role("heading", name="Your registration is cancelled")).to_be_visible()
        look_here(anna, faults)
        letter(house, "anna@example.com", "Cancelled")
        given = letter(house, "bert@example.com", "You are coming")
        look(anna, "/act/" + own.rpartition("/")[2][:-1] + "!", faults, 410)

        house.call("PATCH", f"/mass_events/{event}", {"capacity": 2})  # and the next in the queue has a seat too
        filmed = letter(house, "cara@example.com", "You are coming")
        organise(staff, event)
        check_in(staff, event, given, filmed, film)
        read_answers(staff, event)
        certify(staff, house, event)
        ask(staff, house, event, feedback)
        survey = letter(house, "bert@example.com", "How was it?")
        bert.goto(re.findall(r"https?://\S+/s/[\w.-]+", survey.text)[0])
        bert.get_by_label("9", exact=True).check(force=True)
        bert.get_by_role("button", name="Send").click()
        expect(bert.get_by_role("heading", name="Thank you")).to_be_visible()
        use_answers(staff, house, feedback)
    assert faults == []


@pytest.mark.timeout(600)
def test_a_form_in_a_frame_of_another_site_registers_with_cookies_blocked(sqlite_house):
    house = sqlite_house()
    with (
        house.running(),
        another_site(house) as site,
        another_site(house) as stranger,
        chromium(house.base) as open_page,
    ):
        event, _form, _feedback = set_up(house, embed_sites=site)
        house.make("mass_events", name="Secret", event_type="invitation_only", **period())
        page = open_page(viewport=PHONE)
        page.goto(site)
        frame = page.frame_locator("iframe")
        frame.get_by_role("link", name="Open house").wait_for()
        assert frame.get_by_text("Secret").count() == 0
        low = page.locator("iframe").evaluate("one => one.offsetHeight")
        frame.get_by_role("link", name="Open house").click()
        frame.get_by_label("First name").fill("Frida")
        page.wait_for_function("low => document.querySelector('iframe').offsetHeight > low + 200", arg=low)
        frame.get_by_label("Last name").fill("Frame")
        frame.get_by_label("E-mail").fill("frida@example.com")
        frame.get_by_label("Fish").check()
        page.wait_for_timeout(2_100)
        frame.get_by_role("button", name="Register").click()
        frame.get_by_role("heading", name="We have received your registration").wait_for()
        assert page.context.cookies() == []
        assert [row["attributes"]["status"] for row in found(house, "attendees", event_id=event)] == ["joined"]
        with chromium_of_strangers(page) as (other, refused):
            other.goto(stranger)
            wait_for(lambda: other.wait_for_timeout(200) or any("frame-ancestors" in one for one in refused), 20)


@contextmanager
def another_site(house: House) -> Iterator[str]:
    """A page of somebody else that holds the events in a frame: its address."""

    class Site(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(FRAME.format(base=house.base).encode())

        def log_message(self, *_words: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://localhost:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def chromium_of_strangers(page: Page) -> Iterator[tuple[Page, list[str]]]:
    """A page whose console is read instead of forbidden: the browser must refuse the frame there."""
    other, refused = page.context.browser.new_page(), list[str]()  # type: ignore[union-attr]
    other.on("console", lambda said: refused.append(said.text))
    try:
        yield other, refused
    finally:
        other.close()


# the parts


def set_up(house: House, **portal: Any) -> tuple[int, int, int]:
    """A portal, an event of one seat that begins in an hour, its form, and a survey for afterwards; ids of the last three."""
    house.make("portals", name="My Kaisla", code="main", colour="#7a1f3d", events_listing_enabled=True, **portal)
    app = make_app(house.environment["CUSTOMERHUB_DATABASE_URL"])
    with app.app_context():
        from tests.surveys.conftest import make_survey

        diet = [
            {"value": key, "label": label} for key, label in (("fish", "Fish"), ("meat", "Meat"), ("veg", "Vegetables"))
        ]
        form = make_survey(
            [{"name": "diet", "kind": "radio", "title": "What do you eat?", "required": True, "options": diet}],
            name="Form",
        ).id
        feedback = make_survey(
            [{"name": "score", "kind": "nps", "title": "Would you come again?", "required": True}], name="Feedback"
        ).id
        db.session.remove()
    forget_engine(app)
    event = house.make(
        "mass_events", name="Open house", capacity=1, spare_capacity=2, public_form=True, survey_id=form, promotion_cutoff_hours=0,
        location="Rantakatu 1, Helsinki", description="<p>See the rooms of next year.</p>", **period(),
    )  # fmt: skip
    return event, form, feedback


def period() -> dict[str, Any]:
    """An event that is ahead and on this very day: in a zone where it is noon now."""
    now = datetime.now(UTC)
    start = now + timedelta(hours=1)
    return {
        "status": "published", "starts_at": start.isoformat(), "ends_at": (start + timedelta(hours=2)).isoformat(),
        "time_zone": f"Etc/GMT{now.hour - 12:+d}",
    }  # fmt: skip


def register(page: Page, first: str, last: str, diet: str) -> None:
    page.get_by_label("First name").fill(first)
    page.get_by_label("Last name").fill(last)
    page.get_by_label("E-mail").fill(f"{first.lower()}@example.com")
    if diet:
        page.get_by_label(diet).check()
    page.wait_for_timeout(2_100)  # nobody fills in a form faster
    page.get_by_role("button", name="Register").click()


def letter(house: House, to: str, subject: str) -> Letter:
    """The mail with this subject, as soon as it is there."""

    def find() -> Letter | None:
        return next(
            (
                one
                for one in letters_in(house.data / "outbox")
                if one.recipient == to and one.subject.startswith(subject)
            ),
            None,
        )

    mail: Letter = wait_for(find, 90, house.log, every=0.5)
    return mail


def link_in(mail: Letter) -> str:
    return re.findall(r"https?://\S+?(/act/[\w.-]+)", mail.text)[0]


def found(house: House, module: str, **wanted: Any) -> list[dict[str, Any]]:
    """The records of a module with these values, by REST."""
    rows: list[dict[str, Any]] = house.call("GET", f"/{module}", params={"filter": json.dumps(wanted)})["data"]
    return rows


def answers(house: House, survey: int) -> dict[str, str]:
    """First name → answer to the only question."""
    rows = found(house, "survey_answers", survey_id=survey)
    said_by = {}
    for row in rows:
        said = row["attributes"]
        said_by[house.read("contacts", said["person_id"])["first_name"]] = said["choice"]
    return said_by


def organise(page: Page, event: int) -> None:
    """The numbers."""
    page.goto(f"/crm/mass_events/{event}/kpi")
    text = page.locator("main").inner_text()
    for label, number in (
        ("Capacity", "2"),
        ("Joined", "2"),
        ("On spare places", "0"),
        ("Cancelled", "1"),
        ("Free seats", "0"),
    ):
        assert re.search(rf"{number}\s+{label}|{label}\s+{number}", text), (label, text)


def check_in(page: Page, event: int, typed: Letter, filmed: Letter, film: Path) -> None:
    """The door: one code is typed, the other is held before the camera."""
    page.goto(f"/crm/mass_events/{event}/check-in")
    page.get_by_label("Check-in code").fill(code_in(typed).lower())
    page.get_by_role("button", name="Check in", exact=True).click()
    expect(page.get_by_text("Bert Berg is checked in.")).to_be_visible()
    cameras.show(film, code_in(filmed))
    page.get_by_role("button", name="Read codes with the camera").click()
    expect(page.get_by_text("Cara Cole is checked in.")).to_be_visible()
    expect(page.locator(".figure", has_text="are here")).to_contain_text("2")


def code_in(mail: Letter) -> str:
    return re.findall(r"Check-in code: (\w+)", mail.text)[0]


def read_answers(page: Page, event: int) -> None:
    """What people answered stands on a tab of the event."""
    page.goto(f"/crm/mass_events/{event}?tab=answers")
    row = page.locator("#related tr", has_text="Bert Berg")
    expect(row).to_contain_text("Meat")


def certify(page: Page, house: House, event: int) -> None:
    """Those who came get a mail with their certificate, and nobody else."""
    if converting.engine() is None:
        absent("LibreOffice")
    said = {"name": "Certificate", "module": "attendees", "purpose": "certificate", "output": "pdf"}
    template = int(house.call("POST", "/document_templates", {"data": {"attributes": said}}, 201)["data"]["id"])
    page.goto(f"/crm/document_templates/{template}")
    word = Word().file(Word().p("{$contact.first_name} {$contact.last_name} was at {$event.name}, {$certificate.code}"))
    box = page.locator("form[action$='/file']")
    file = {"name": "certificate.docx", "mimeType": "application/octet-stream", "buffer": word}
    box.locator("input[type=file]").set_input_files(file)
    box.locator("button").click()
    expect(page.get_by_text("every tag is known")).to_be_visible()
    house.call("PATCH", f"/document_templates/{template}", {"active": True})
    page.goto(f"/crm/mass_events/{event}/certificates")
    page.get_by_role("button", name="Send the certificates").click()
    for name in ("Bert", "Cara"):
        mail = letter(house, f"{name.lower()}@example.com", "Your certificate")
        (pdf,) = [part for part in mail.message.iter_attachments() if part.get_content_type() == "application/pdf"]
        assert pdf.get_content().startswith(b"%PDF-"), name
    assert not [
        one
        for one in letters_in(house.data / "outbox")
        if one.recipient == "anna@example.com" and "certificate" in one.subject
    ]


def ask(page: Page, house: House, event: int, survey: int) -> None:
    """A mail with the survey to those who came, sent by hand."""
    sender = int(house.call("GET", "/sender_addresses")["data"][0]["id"])
    mail = house.make(
        "email_templates", name="How was it", kind="email", status="active", folder="Event", subject="How was it?", sender_name="Kaisla",
        sender_address_id=sender, text=f"Hello {{$contact.first_name}}, tell us: {{$links.survey:{survey}}}",
    )  # fmt: skip
    house.make(
        "event_triggers", name="Survey", event_id=event, action="scheduled", base="event_end", offset=1, unit="days",
        template_id=mail, statuses=["attended"],
    )  # fmt: skip
    page.goto(f"/crm/mass_events/{event}/triggers")
    line = page.locator("tr", has=page.get_by_role("link", name="Survey", exact=True))
    line.get_by_role("button", name="Send now").click()
    page.wait_for_load_state()


def use_answers(page: Page, house: House, survey: int) -> None:
    """The answer is on the card, and found by a target group."""
    contact = next(int(one["id"]) for one in found(house, "contacts", email="bert@example.com"))
    page.goto(f"/crm/contacts/{contact}")
    page.get_by_text("Feedback").first.wait_for()
    where = {"$has": ["survey_answers", {"$and": [{"$eq": ["survey_id", survey]}, {"$gte": ["score", 9]}]}]}
    group = house.make("target_groups", name="Promoters", source="contacts", conditions=where)
    house.call("POST", f"/target_groups/{group}/refreshes", {})
    members = wait_for(lambda: found(house, "target_group_members", target_group_id=group), 30)
    assert len(members) == 1


def look(page: Page, path: str, faults: list[str], status: int = 200) -> None:
    """Open a page and note what is wrong with it: size, scripts needed, width, axe."""
    octets: list[int] = []
    note = lambda answer: octets.append(len(answer.body()) if answer.ok else 0)  # noqa: E731
    page.on("response", note)
    answer = page.goto(path)
    page.remove_listener("response", note)
    assert answer is not None
    assert answer.status == status, path
    if sum(octets) > 100_000:
        faults.append(f"{path}: {sum(octets)} bytes")
    look_here(page, faults)


def look_here(page: Page, faults: list[str]) -> None:
    """The same of the page that is open."""
    for size in (DESKTOP, SMALLEST, PHONE):
        page.set_viewport_size(size)
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        if wide > 0:
            faults.append(f"{page.url}: {wide} px too wide at {size['width']}")
    judge = page.context.browser.new_page(viewport=PHONE)  # type: ignore[union-attr] # axe needs scripts, which the page must not
    judge.set_content(page.content())
    for one in violations(judge):
        places = "; ".join(" ".join(node["target"][0].split())[:120] for node in one["nodes"][:3])
        faults.append(f"{page.url}: {one['id']}: {places}")
    judge.close()
