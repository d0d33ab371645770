"""Every page for staff in a real Chromium: no fault of a script, no 5xx, nothing serious for axe, no page that scrolls sideways."""

import re
from collections import deque
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page

from tests.journeys.browsing import DESKTOP, PHONE, REPEATED, chromium, log_in, violations
from tests.journeys.house import ADMIN, House
from tests.journeys.letters import MAIL

pytestmark = pytest.mark.journey
NO_PAGES = re.compile(
    r"\.csv|\.json|\.xlsx|/export|/source|/parts/|/seen|/content|/files/|/go/|/static/|/me/|/logout|/site\.css|\.gif|\.svg|/api/"
)
MOST = 220


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("app", ["crm", "ecp"])
def test_every_page_is_whole(sqlite_house, app: str):
    house = sqlite_house(measure="all")
    with house.running(), chromium(house.base) as open_page:
        first = FIRST[app] + [path for path in fill(house) if path.startswith(f"/{app}/")]
        page = open_page()
        log_in(page, app, ADMIN)
        faults: list[str] = []
        seen = walk(page, app, house, first, faults)
    assert len(seen) > (90 if app == "crm" else 35), sorted(seen)
    assert faults == []


@pytest.mark.timeout(600)
def test_a_page_of_each_kind_is_whole_in_the_dark_and_in_finnish(sqlite_house):
    """Both at once: the dark costs contrast, and Finnish words are longer."""
    house = sqlite_house(measure="all")
    with house.running(), chromium(house.base) as open_page:
        sent, recipients, *_steps, last_step = fill(house)
        contact, mail, campaign = (
            int(house.call("GET", f"/{module}")["data"][0]["id"])
            for module in ("contacts", "email_templates", "campaigns")
        )
        page, faults = open_page(color_scheme="dark"), list[str]()
        for app, paths in (
            ("crm", ["/crm/", "/crm/contacts", f"/crm/contacts/{contact}", "/crm/contacts/new", "/crm/contacts/import",
                     f"/crm/campaigns/{campaign}", "/crm/potentials", "/crm/admin/users", "/crm/admin/sharing"]),
            ("ecp", ["/ecp/", sent, recipients, last_step, f"/ecp/email_templates/{mail}/write", "/ecp/outbox", "/ecp/plan"]),
        ):  # fmt: skip
            log_in(page, app, ADMIN)
            if app == "crm":
                page.goto("/crm/preferences")
                page.locator("select[name=locale]").select_option("fi")
                page.locator("form:has(select[name=locale]) button.btn-primary").click()
                page.wait_for_load_state()
            for path in paths:
                page.set_viewport_size(DESKTOP)
                answer = page.goto(path)
                assert answer is not None
                assert answer.status == 200, path
                assert page.evaluate("document.documentElement.lang") == "fi", path
                assert page.evaluate("document.documentElement.dataset.bsTheme") == "dark", path
                look(page, path, faults)
    assert faults == []


def walk(page: Page, app: str, house: House, first: list[str], faults: list[str]) -> set[str]:
    """Follow every link of the app, each kind of address once; look at each page as a desktop and as a phone."""
    waiting, seen = deque([f"/{app}/", *first]), set()
    while waiting and len(seen) < MOST:
        path = waiting.popleft()
        kind = re.sub(r"\d[-\da-f]*", "#", urlsplit(path).path)
        if kind in seen:
            continue
        seen.add(kind)
        page.set_viewport_size(DESKTOP)
        answer = page.goto(path)
        assert answer
        if answer.status >= 400:
            faults.append(f"{path}: {answer.status}")
            continue
        without = REPEATED if len(seen) > 2 else ()
        look(page, path, faults, axe_at=("desktop", "phone")[len(seen) % 2], without=without)
        for href in page.eval_on_selector_all("a[href]", "all => all.map(one => one.href)"):
            said = urlsplit(href)
            if href.startswith(house.base) and said.path.startswith(f"/{app}/") and not NO_PAGES.search(said.path):
                waiting.append(said.path + (f"?{said.query}" if said.query else ""))
    return seen


def look(page: Page, path: str, faults: list[str], axe_at: str = "", without: tuple[str, ...] = ()) -> None:
    """What is wrong with the open page; axe looks at it at both sizes, or at one: many pages of a kind take turns."""
    for name, size in (("desktop", DESKTOP), ("phone", PHONE)):
        page.set_viewport_size(size)
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        if wide > 0:
            faults.append(f"{path}: {wide} px too wide as {name}")
        if axe_at not in ("", name):
            continue
        for one in violations(page, without=without, mild=False):
            if one["impact"] in {"serious", "critical"}:
                places = "; ".join(" ".join(node["target"][0].split())[:120] for node in one["nodes"][:3])
                faults.append(f"{path} ({name}): {one['id']}: {places}")


FIRST = {  # pages to which no link leads from the home page's neighbourhood
    "crm": ["/crm/contacts?q=nobody+at+all", "/crm/search?q=Virta", "/crm/contacts/new", "/crm/contacts/import"],
    "ecp": ["/ecp/email_templates/write", "/ecp/portal_target_groups/new", "/ecp/sendouts/new", "/ecp/outbox"],
}


def fill(house: House) -> list[str]:
    """Some fifty records of the usual kinds, a mail that was sent, and one that is a draft. Gives addresses of these."""

    def many(module: str, rows: list[dict[str, object]]) -> list[int]:
        said = house.call("POST", f"/{module}", {"data": [{"type": module, "attributes": row} for row in rows]}, 201)
        return [int(one["id"]) for one in said["data"]]

    companies = many("accounts", [{"account_name": f"Kaski {n} Oy", "billing_city": "Turku"} for n in range(8)])
    people = many("contacts", [
        {"first_name": f"Aino {n}", "last_name": "Virta", "email": f"a{n}@one.example", "account_id": companies[n % 8],
         "mailing_city": "Turku", "may_measure_opens": "yes"}
        for n in range(25)
    ])  # fmt: skip
    many("leads", [{"last_name": f"Lead {n}", "company": "New Oy", "email": f"l{n}@two.example"} for n in range(5)])
    many("products", [{"name": f"Product {n}"} for n in range(3)])
    many("potentials", [
        {"name": f"Deal {n}", "account_id": companies[n], "amount": "1200.50", "closes_on": "2027-03-31", "stage": "Prospecting"}
        for n in range(5)
    ])  # fmt: skip
    many(
        "activities",
        [{"subject": f"Call {n}", "starts_at": "2026-11-30T10:00:00Z", "contact_ids": [people[n]]} for n in range(5)],
    )
    many("html_snippets", [{"name": "Footer", "html": "<p>Kind regards</p>"}])
    many("landing_pages", [{"name": "Thank you", "html": "<p>Thank you</p>"}])
    many("suppressions", [{"email": "gone@one.example", "scope": "global"}])
    invited = house.make("invitation_events", name="Evening", seats=2, spare_places=1)
    fair = house.make(
        "mass_events", name="Fair", status="published", starts_at="2027-01-20T09:00:00Z", ends_at="2027-01-20T17:00:00Z",
        capacity=2, spare_capacity=1, public_form=True,
    )  # fmt: skip
    many("attendees", [{"event_id": id, "contact_id": people[n]} for id in (invited, fair) for n in range(3)])
    house.make("event_personnel", event_id=fair, contact_id=people[9], role="Speaker")
    group = house.make("target_groups", name="In Turku", source="contacts", conditions={"mailing_city": "Turku"})
    house.call("POST", f"/target_groups/{group}/refreshes")
    campaign = house.make("campaigns", name="Spring", type="Email")
    house.call("POST", f"/campaigns/{campaign}/members", {"target_group_id": group})
    sender = int(house.call("GET", "/sender_addresses")["data"][0]["id"])
    for kind in ("template", "email"):
        mail = house.make(
            "email_templates", name=f"Spring {kind}", kind=kind, status="active", subject="Hello", sender_name="Kaisla",
            sender_address_id=sender, mjml=MAIL,
        )  # fmt: skip
    lists = {one["attributes"]["kind"]: int(one["id"]) for one in house.call("GET", "/list_types")["data"]}
    said = {"campaign_id": campaign, "list_type_id": lists["marketing"], "name": "Spring people"}
    portal = int(house.call("POST", "/portal_target_groups/imports", said, 201)["data"]["id"])
    sent = [
        house.make("sendouts", name=name, email_template_id=mail, portal_target_group_ids=[portal])
        for name in ("Sent", "Draft")
    ]
    house.call("POST", f"/sendouts/{sent[0]}/starts")
    house.wait_until(sent[0], "sent")
    steps = [f"/ecp/sendouts/{sent[1]}/steps/{step}" for step in ("mail", "people", "sender", "time", "send")]
    return [f"/ecp/sendouts/{sent[0]}", f"/ecp/sendouts/{sent[0]}/recipients", *steps]
