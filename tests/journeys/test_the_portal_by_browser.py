"""A customer's way in a real Chromium: let in on the contact's card, a password by the link of the mail, every page of the portal.

Each page at 1360, 375 and 320 px: not too wide, nothing for axe on phones, under 100 kB, without a script.
"""

import re
from collections import deque
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.browsing import DESKTOP, PHONE, chromium, log_in, violations
from tests.journeys.house import ADMIN, PASSWORD, House, wait_for
from tests.journeys.letters import letters_in

pytestmark = pytest.mark.journey
SMALLEST = {"width": 320, "height": 640}


@pytest.mark.timeout(600)
def test_a_customer_is_let_in_and_every_page_is_whole(sqlite_house):
    house = sqlite_house()
    with house.running(), chromium(house.base) as open_page:
        portal = house.make("portals", name="My Kaisla", code="main", self_registration="request", colour="#7a1f3d")
        company = house.make("accounts", name="Acme Oy")
        contact = house.make(
            "contacts", first_name="Dora", last_name="Customer", email="dora@acme.example", account_id=company
        )
        house.make("contacts", first_name="Dan", last_name="Colleague", email="dan@acme.example", account_id=company)
        staff = open_page()
        log_in(staff, "crm", ADMIN)
        let_in(staff, contact)
        link = wait_for(lambda: link_of(house, "dora@acme.example"), 60, house.log)
        faults: list[str] = []
        gate = open_page()
        for path in ("/portal/login", "/portal/forgot", "/portal/register", link):
            look(gate, path, faults)
        page = open_page(java_script_enabled=False)
        page.goto(link)
        page.get_by_label("New password", exact=False).first.fill(PASSWORD)
        page.get_by_label("New password again").fill(PASSWORD)
        page.get_by_role("button", name="Set the password").click()
        page.get_by_label("E-mail address").fill("dora@acme.example")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
        expect(page.get_by_role("heading", name="Welcome, Dora Customer")).to_be_visible()
        change_phone(page)
        seen = walk(open_page(storage_state=page.context.storage_state()), faults)
        assert house.read("contacts", contact)["phone"] == "+358 40 555 1234"
    assert portal
    assert len(seen) >= 8, sorted(seen)
    assert faults == []


def let_in(page: Page, contact: int) -> None:
    """Access as administrator of the company, with the profile that the portal got by itself."""
    page.goto("/crm/admin/portals")
    wait_for(lambda: page.reload() and page.get_by_role("link", name="Customers").count(), 60, every=0.5)
    page.goto(f"/crm/contacts/{contact}")
    page.locator("summary", has_text="Give access").click()
    page.get_by_label("Administrator of the company").check()
    page.get_by_role("button", name="Give access").click()
    page.get_by_text("Portal access is saved.").wait_for()


def link_of(house: House, email: str) -> str:
    """The link of the newest mail to this address, as a path."""
    for letter in letters_in(house.data / "outbox"):
        found = re.search(r"(/portal/password/[\w-]+)", letter.text)
        if letter.recipient == email and found:
            return found[1]
    return ""


def change_phone(page: Page) -> None:
    page.get_by_role("link", name="My data", exact=True).click()
    page.get_by_role("link", name="Change").click()
    page.get_by_label("Phone", exact=True).fill("+358 40 555 1234")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Your changes are saved.")).to_be_visible()


def walk(page: Page, faults: list[str]) -> set[str]:
    """Follow every link of the portal, each kind of address once."""
    waiting, seen = deque(["/portal/", "/portal/settings", "/portal/search?q=acme", "/portal/nothing"]), set()
    while waiting:
        path = waiting.popleft()
        kind = re.sub(r"\d+", "#", urlsplit(path).path)
        if kind in seen:
            continue
        seen.add(kind)
        look(page, path, faults)
        for href in page.locator("a[href^='/portal/']").evaluate_all("all => all.map(one => one.getAttribute('href'))"):
            waiting.append(href)
    return seen


def look(page: Page, path: str, faults: list[str]) -> None:
    """What is wrong with a page."""
    octets: list[int] = []
    note = lambda answer: octets.append(len(answer.body()) if answer.ok else 0)  # noqa: E731
    page.on("response", note)
    page.goto(path)
    page.remove_listener("response", note)
    if sum(octets) > 100_000:
        faults.append(f"{path}: {sum(octets)} bytes")
    if page.locator("script:not([src*='asking'])").count():  # that one looks for answers while a request is typed
        faults.append(f"{path}: has a script")
    for size in (DESKTOP, PHONE, SMALLEST):
        page.set_viewport_size(size)
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        if wide > 0:
            faults.append(f"{path}: {wide} px too wide at {size['width']}")
        if size is DESKTOP:
            continue  # the same page with more room
        for one in violations(page):
            places = "; ".join(" ".join(node["target"][0].split())[:120] for node in one["nodes"][:3])
            faults.append(f"{path} at {size['width']} px: {one['id']}: {places}")
