"""Every page that a customer or a stranger can reach: in Finnish and in the dark, on a phone and a desk, for axe; and without a script.

A rule of the URL maps that draws a page and has no path here fails, so that a new page is looked at before it is shown.
"""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from crm import config
from hub.public import create_public_app
from self_service_portal import create_app
from tests.journeys.browsing import DESKTOP, PHONE, chromium, violations
from tests.journeys.house import House
from tests.journeys.portal_world import World, fill
from tests.people import PASSWORD

pytestmark = pytest.mark.journey
PUBLIC = {
    "surveys_public", "personal", "public_faqs", "public_requests", "public_events", "public_registration", "acting", "public_certificates",
}  # fmt: skip
NO_PAGES = {
    "/portal/static/<path:name>": "a file", "/portal/look.css": "a style sheet", "/portal/embed/events.js": "a script",
    "/portal/api/<key>": "JSON", "/portal/api/<key>/<int:id>": "JSON", "/portal/public/events.json": "JSON",
    "/portal/events/<int:id>/calendar.ics": "a calendar", "/portal/public/events.ics": "a calendar", "/portal/public/events/<slug>.ics": "a calendar",
    "/portal/events/<int:id>/certificate": "a download", "/portal/my-data/export/<int:id>": "a download",
    "/portal/my-data/documents/<int:id>": "a download", "/portal/my-data/files/<int:id>": "a download", "/portal/tickets/<int:id>/files/<int:file_id>": "a download",
    "/portal/service_requests/<int:id>/files/<int:file_id>": "a download", "/me/<token>/documents/<int:id>": "a download",
    "/portal/tickets/hints": "a piece of a page", "/portal/attendees": "leads on", "/portal/attendees/<int:_id>": "leads on",
    "/portal/login/code": "reached by a log-in", "/s/confirm/<token>": "the same template as /me/address",
}  # fmt: skip

GATE = {"/portal/login", "/portal/forgot", "/portal/register", "/portal/password/<token>", "/portal/confirm/<token>",
        "/portal/address/<token>", "/portal/register/<token>"}  # fmt: skip
MORE = {
    "/portal/nothing": 404, "/portal/password/made-up": 410, "/s/made-up": 404, "/act/made-up": 410, "/certificates/AAAA-BBBB-CCCC-DDDD": 404,
}  # fmt: skip
"""Pages that say no, and the status with which they do."""


@pytest.mark.timeout(600)
def test_every_page_is_whole_in_finnish_and_in_the_dark(sqlite_house):
    house = sqlite_house()
    with house.running(with_worker=False), chromium(house.base) as open_page:
        world = fill(house)
        assert rules() - set(NO_PAGES) - set(world.paths) == set(), "new pages: give them a path in portal_world.py"
        page = open_page(locale="fi-FI", color_scheme="dark", viewport=PHONE)
        faults: list[str] = []
        at_the_gate = {rule: path for rule, path in world.paths.items() if rule in GATE}
        for path in at_the_gate.values():
            visit(page, path, faults)
        let_in(page, house, world)
        for rule, path in world.paths.items():
            if rule not in at_the_gate:
                visit(page, path, faults)
        for path, status in MORE.items():
            visit(page, path, faults, status)
        for step in (wrong_log_in, empty_ticket, empty_registration, empty_survey, code_asked_for, second_step):
            step(page, world)
            look(page, faults)
    assert faults == []


def visit(page: Page, path: str, faults: list[str], status: int = 200) -> None:
    """Open a page and look at it."""
    answer = page.goto(path)
    assert answer is not None
    if answer.status != status:
        faults.append(f"{path}: {answer.status}")
    look(page, faults)


def rules() -> set[str]:
    """The rules that a GET may open, of the portal and of the public pages that belong to it."""
    public = create_public_app(config.load({})).url_map.iter_rules()
    all_of = [
        *create_app(config.load({})).url_map.iter_rules(),
        *(one for one in public if one.endpoint.split(".")[0] in PUBLIC),
    ]
    return {one.rule for one in all_of if "GET" in (one.methods or set())}


def let_in(page: Page, house: House, world: World) -> None:
    page.context.add_cookies([{"name": "ch_portal", "value": world.cookie, "url": f"{house.base}/portal/"}])


def look(page: Page, faults: list[str]) -> None:
    """What is wrong with the open page; axe looks at it as on a phone."""
    if (said := page.evaluate("document.documentElement.lang")) != "fi":
        faults.append(f"{page.url}: speaks {said}")
    if page.evaluate(
        "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).slice(0, 3).some((one) => one > 90)"
    ):
        faults.append(f"{page.url}: is not dark")
    for size in (DESKTOP, PHONE):
        page.set_viewport_size(size)
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        if wide > 0:
            faults.append(f"{page.url}: {wide} px too wide at {size['width']}")
    for one in violations(page):
        places = "; ".join(" ".join(node["target"][0].split())[:120] for node in one["nodes"][:3])
        faults.append(f"{page.url}: {one['id']}: {places}")


# pages that only a form leads to


def wrong_log_in(page: Page, world: World) -> None:
    page.context.clear_cookies(name="ch_portal")
    page.goto("/portal/login")
    page.locator("[name=email]").fill("dora@acme.example")
    page.locator("[name=password]").fill("not this one")
    page.locator("main form button").click()
    page.locator("[role=alert]").first.wait_for()
    page.context.add_cookies([{"name": "ch_portal", "value": world.cookie, "domain": "127.0.0.1", "path": "/portal"}])


def empty_ticket(page: Page, world: World) -> None:
    page.goto("/portal/tickets/new")
    page.locator(".deeds button").click()
    page.locator("[aria-invalid=true]").first.wait_for()


def empty_registration(page: Page, world: World) -> None:
    page.goto(world.paths["/portal/public/events/<slug>"])
    page.wait_for_timeout(2_100)  # nobody fills in a form faster
    page.locator("main form button").last.click()
    page.locator("[aria-invalid=true]").first.wait_for()


def empty_survey(page: Page, world: World) -> None:
    page.goto(world.paths["/s/<code>"])
    page.locator(".buttons button[value=next]").click()
    page.locator("ul.faults").wait_for()


def code_asked_for(page: Page, world: World) -> None:
    page.goto(world.paths["/me/<token>"])
    page.locator("button[value=request]").click()
    page.locator("[name=code]").fill("0")
    page.locator("form[action$='/request'] button").click()
    page.locator("[aria-invalid=true]").first.wait_for()


def second_step(page: Page, world: World) -> None:
    page.goto("/portal/settings")
    page.locator("[name=second_step]").check()
    page.locator("form[action$='second-step'] button").click()
    page.context.clear_cookies(name="ch_portal")
    page.goto("/portal/login")
    page.locator("[name=email]").fill("dora@acme.example")
    page.locator("[name=password]").fill(PASSWORD)
    page.locator("main form button").click()
    page.locator("[name=code]").wait_for()


# the same without a script: each thing that can be done is done


@pytest.mark.timeout(600)
def test_everything_is_done_without_a_script(sqlite_house):
    house = sqlite_house()
    with house.running(with_worker=False), chromium(house.base) as open_page:
        world = fill(house)
        page = open_page(java_script_enabled=False, viewport=PHONE, locale="en-GB")
        let_in(page, house, world)
        page.set_default_timeout(10_000)
        for deed in DEEDS:
            deed(page, world)
        tickets = [one["attributes"] for one in house.call("GET", "/tickets")["data"]]
        assert {one["title"] for one in tickets} >= {
            "It squeaks",
            "It hums",
            "Data request: Restrict the use of my data",
        }
        assert house.read("contacts", world.ids["contacts"])["phone"] == "+358 40 555 1234"
        answered = [one["attributes"]["survey_id"] for one in house.call("GET", "/survey_responses")["data"]]
        assert answered.count(world.ids["survey"]) == 1


def told(page: Page) -> None:
    """What was done is said."""
    expect(page.locator(".notice[role=status]").first).to_be_visible()
    assert page.locator(".notice.wrong").count() == 0


def speaks_english(page: Page, world: World) -> None:
    page.goto("/portal/")
    page.locator("#language").select_option("en")
    page.locator(".bottom button").click()
    expect(page.get_by_role("heading", name="Welcome, Dora Customer")).to_be_visible()


def changes_the_phone(page: Page, world: World) -> None:
    page.get_by_role("link", name="My data", exact=True).click()
    page.get_by_role("link", name="Change").click()
    page.get_by_label("Phone", exact=True).fill("+358 40 555 1234")
    page.get_by_role("button", name="Save").click()
    told(page)


def adds_a_colleague(page: Page, world: World) -> None:
    page.goto("/portal/contacts/new")
    page.get_by_label("Last name", exact=False).fill("Newcomer")
    page.get_by_label("Email", exact=False).or_(page.get_by_label("E-mail", exact=False)).first.fill("new@acme.example")
    page.get_by_role("button", name="Save").click()
    told(page)
    page.locator("form[action$='/access'] button").first.click()
    told(page)


def asks_with_a_look_at_the_answers(page: Page, world: World) -> None:
    page.goto("/portal/tickets/new")
    page.locator("[name=title]").fill("felt cleaned")
    page.get_by_role("button", name="Look in the knowledge base first").click()
    expect(page.get_by_role("link", name="How is the felt cleaned?")).to_be_visible()
    page.locator("[name=title]").fill("It hums")
    page.locator("[name=description]").fill("At night")
    page.locator("[name=file]").set_input_files({"name": "hum.txt", "mimeType": "text/plain", "buffer": b"hmm"})
    page.locator(".deeds button").click()
    told(page)
    page.locator("form[action$='/comments'] textarea").fill("And in the morning")
    page.locator("form[action$='/comments'] button").click()
    told(page)
    page.locator("form[action$='/close'] button").click()
    told(page)
    page.locator("form[action$='/reopen'] button").click()
    told(page)


def asks_for_a_service(page: Page, world: World) -> None:
    page.goto("/portal/service_requests/new")
    page.locator("[name=title]").fill("A light")
    page.locator("[name=description]").fill("It is dark")
    page.locator(".deeds button").click()
    told(page)
    page.locator("form[action$='/notes'] textarea").fill("Still dark")
    page.locator("form[action$='/notes'] button").click()
    told(page)


def judges_an_answer(page: Page, world: World) -> None:
    page.goto(world.paths["/portal/faqs/<int:id>"])
    page.locator("form[action$='/helpful'] button").first.click()
    told(page)


def comes_to_an_event(page: Page, world: World) -> None:
    place = world.paths["/portal/events/<int:id>"]
    page.goto(place)
    page.locator(f"form[action='{place}/cancel'] button").first.click()
    told(page)
    page.get_by_label("Banana").check()
    page.locator(f"form[action='{place}/register'] button").click()
    told(page)
    page.get_by_label("Apple").check()
    page.locator(f"form[action='{place}/answers'] button").click()
    told(page)


def asks_about_the_own_data(page: Page, world: World) -> None:
    page.goto("/portal/my-data")
    page.locator("#f-kind").select_option("restriction")
    page.locator("form[action$='/request'] button").click()
    told(page)
    page.locator("form[action$='/subscriptions'] button").click()
    told(page)


def registers_as_a_stranger(page: Page, world: World) -> None:
    page.goto(world.paths["/portal/public/events/<slug>"])
    for name, said in (("first_name", "Guest"), ("last_name", "Somebody"), ("email", "guest@example.com")):
        page.locator(f"[name={name}]").fill(said)
    page.get_by_label("Banana").check()
    page.wait_for_timeout(2_100)  # nobody fills in a form faster
    page.locator("main form button").last.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("received")


def answers_a_survey_with_a_draft(page: Page, world: World) -> None:
    page.goto(world.paths["/s/<code>"] + "?language=en")
    page.locator("[name='q.a_nps'][value='9']").check(force=True)
    page.locator(".buttons button[value=save]").click()
    expect(page.get_by_role("heading", name="Saved for later")).to_be_visible()
    page.goto(world.paths["/s/<code>"] + "?language=en")
    assert page.locator("[name='q.a_nps'][value='9']").is_checked()
    page.locator(".buttons button[value=next]").click()
    page.locator("[name='q.a_email']").fill("dora@acme.example")
    page.locator("[name='q.a_file']").set_input_files({"name": "a.txt", "mimeType": "text/plain", "buffer": b"a"})
    page.locator("[name='q.a_panel.0.name']").fill("Dora")
    page.locator("[name='q.a_dynamic_panel.0.name']").fill("Dora")
    page.locator(".buttons button[value=send]").click()
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()


def changes_the_password(page: Page, world: World) -> None:
    page.goto("/portal/settings")
    page.locator("[name=old]").fill(PASSWORD)
    for name in ("new", "again"):
        page.locator(f"[name={name}]").fill("a lantern by the quiet sea")
    page.locator("form[action$='/password'] button").click()
    told(page)
    page.get_by_role("button", name="Log out").click()
    expect(page.locator("[name=password]")).to_be_visible()


DEEDS: tuple[Callable[[Page, World], None], ...] = (
    speaks_english, changes_the_phone, adds_a_colleague, asks_with_a_look_at_the_answers, asks_for_a_service, judges_an_answer,
    comes_to_an_event, asks_about_the_own_data, registers_as_a_stranger, answers_a_survey_with_a_draft, changes_the_password,
)  # fmt: skip
