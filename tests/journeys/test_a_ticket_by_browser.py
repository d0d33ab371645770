"""A request from the first mail to the score in a chart, in a real Chromium with a real mailbox: mail, ticket, answer, reply,
closing in the portal on a phone without a script, the survey that follows. The pages on the way are looked at as people see them.
"""

import re
from email.message import EmailMessage

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.browsing import DESKTOP, PHONE, chromium, log_in
from tests.journeys.house import ADMIN, PASSWORD, SENDER, House, wait_for
from tests.journeys.letters import Letter, letters_in
from tests.journeys.test_a_survey_by_browser import fill, look, save, tool
from tests.journeys.test_the_portal_by_browser import let_in, link_of
from tests.mail.imap_server import dovecot

pytestmark = pytest.mark.journey
CUSTOMER = "dora@acme.example"


@pytest.mark.timeout(500)
def test_a_mail_becomes_a_ticket_that_is_answered_threaded_closed_and_judged(sqlite_house):
    house = sqlite_house()
    with dovecot() as imap, house.running(), chromium(house.base) as open_page:
        house.make("portals", name="My Kaisla", code="main")
        contact = house.make("contacts", first_name="Dora", last_name="Customer", email=CUSTOMER)
        survey = house.make("surveys", name="After a request", title="How did we do?")
        staff, faults = open_page(), list[str]()
        log_in(staff, "crm", ADMIN)
        ask_for_a_score(staff, house, survey)
        scanner = set_up_scanner(staff, imap.port)
        imap.put(written("The printer is on fire", "It began this morning.\n", "first@acme.example"))
        ticket = wait_for(lambda: tickets(house, staff, scanner), 60, house.log, every=1)[0]

        staff.goto(f"/crm/tickets/{ticket['id']}")
        expect(staff.get_by_text("It began this morning.").first).to_be_visible()
        assert ticket["attributes"]["contact_id"] == contact
        assert ticket["attributes"]["source"] == "email"
        staff.locator("#f-text").fill("Please pull the plug.")
        staff.locator(".answer-box [name=status]").select_option("Wait For Response")
        staff.get_by_role("button", name="Send").click()
        expect(staff.locator(".word.of-staff", has_text="Please pull the plug.")).to_be_visible()
        answer = wait_for(lambda: letter_to(house, "Please pull the plug."), 60, house.log)
        assert answer.recipient == CUSTOMER
        assert str(answer.message["In-Reply-To"]) == "<first@acme.example>"
        assert "Auto-Submitted" not in answer.message

        imap.put(reply_to(answer, "It smells less now.\n"))
        wait_for(lambda: has_heard(house, staff, scanner, ticket["id"]), 60, house.log, every=1)
        staff.goto(f"/crm/tickets/{ticket['id']}")
        expect(staff.locator(".word.of-customer", has_text="It smells less now.")).to_be_visible()
        assert len(tickets(house)) == 1
        assert house.read("tickets", ticket["id"])["status"] == "In Progress"  # the reply ended the waiting
        for path in (f"/crm/tickets/{ticket['id']}", "/crm/tickets", f"/crm/admin/mail-scanners/{scanner}"):
            look(staff, path, faults, widths=(DESKTOP, PHONE))

        let_in(staff, contact)
        open_requests(staff)
        close_in_the_portal(open_page(viewport=PHONE, java_script_enabled=False), house, ticket)
        looking = open_page()
        portal_log_in(looking)
        for path in ("/portal/tickets?tab=closed", f"/portal/tickets/{ticket['id']}", "/portal/tickets/new"):
            look(looking, path, faults, widths=(DESKTOP, PHONE))

        asking = wait_for(lambda: letter_to(house, "We would like to hear from you"), 60, house.log)
        found = re.search(r"http\S+/s/\S+", asking.text)
        assert found
        look(looking, found[0], faults, widths=(DESKTOP, PHONE))
        judge(open_page(viewport=PHONE, java_script_enabled=False), found[0])
        staff.goto(f"/crm/surveys/{survey}/results")
        expect(staff.locator("figure, .chart, svg[role=img]").filter(has_text="9").first).to_be_visible()
        expect(staff.get_by_text("100").first).to_be_visible()  # one promoter
        look(staff, f"/crm/surveys/{survey}/results", faults, widths=(DESKTOP, PHONE))
        look(staff, "/crm/admin/support", faults, widths=(DESKTOP, PHONE))
    assert faults == []


def ask_for_a_score(page: Page, house: House, survey: int) -> None:
    """A survey of one question, asked of the customers of closed tickets."""
    page.goto(f"/crm/surveys/{survey}/build")
    page.get_by_role("button", name="Add page").click()
    tool(page, "nps").click()
    fill(page, "Would you recommend us?", "score")
    save(page, "score")
    house.call("PATCH", f"/surveys/{survey}", {"data": {"attributes": {"status": "active"}}})
    page.goto("/crm/admin/support")
    page.get_by_label("Survey after a closed ticket").select_option(str(survey))
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_text("Tickets that are made or changed from now on").wait_for()


def set_up_scanner(page: Page, port: int) -> int:
    """A mailbox by its page: tried, its inbox chosen, one rule."""
    page.goto("/crm/admin/mail-scanners/new")
    for label, value in (("Name", "Support"), ("Server (IMAP)", "127.0.0.1"), ("Port", str(port)), ("User name", "support"),
                         ("Answers come from", SENDER)):  # fmt: skip
        page.get_by_label(label).first.fill(value)
    page.locator("#f-encryption").select_option("none")
    page.locator("#f-password").fill("secret")
    page.get_by_role("button", name="Try the connection and save").click()
    page.get_by_text("The connection works.", exact=False).wait_for()
    page.locator("input[name=folders][value=INBOX]").check()
    page.get_by_role("button", name="Try the connection and save").click()
    page.get_by_text("nothing is scanned before that", exact=False).wait_for()
    page.get_by_role("button", name="Add the rule").click()
    page.get_by_text("The rule is saved.").wait_for()
    return int(re.findall(r"\d+", page.url.rpartition("/")[2])[0])


def scan_now(page: Page, scanner: int) -> None:
    page.goto(f"/crm/admin/mail-scanners/{scanner}")
    page.get_by_role("button", name="Look now").click()
    page.get_by_text("The mailbox is being looked through.").wait_for()


def tickets(house: House, page: Page | None = None, scanner: int = 0) -> list[dict]:
    """The tickets there are; with a page, the mailbox is looked through once more while there are none."""
    found = house.call("GET", "/tickets")["data"]
    if not found and page is not None:
        scan_now(page, scanner)
    return found


def has_heard(house: House, page: Page, scanner: int, id: str) -> bool:
    """Whether the reply stands on the ticket; else the mailbox is looked through once more."""
    if house.read("tickets", int(id))["status"] == "In Progress":
        return True
    scan_now(page, scanner)
    return False


def written(subject: str, text: str, identity: str) -> bytes:
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = f"Dora Customer <{CUSTOMER}>", SENDER, subject
    made["Message-ID"] = f"<{identity}>"
    made.set_content(text)
    return made.as_bytes()


def reply_to(letter: Letter, text: str) -> bytes:
    """As a mail program replies: to Reply-To, with the headers of what it answers, and the text quoted."""
    was, made = letter.message, EmailMessage()
    made["From"], made["To"] = f"Dora Customer <{CUSTOMER}>", str(was["Reply-To"] or was["From"])
    made["Subject"] = "Re: a subject of her own"
    made["Message-ID"], made["In-Reply-To"] = "<second@acme.example>", str(was["Message-ID"])
    made["References"] = f"{was['References']} {was['Message-ID']}"
    made.set_content(text + "\nOn Monday Kaisla wrote:\n" + "".join(f"> {line}\n" for line in letter.text.splitlines()))
    return made.as_bytes()


def letter_to(house: House, words: str) -> Letter | None:
    return next(
        (one for one in letters_in(house.data / "outbox") if words in one.text and one.recipient == CUSTOMER), None
    )


def open_requests(page: Page) -> None:
    """Customers see their requests, write new ones, and say and send something on them."""
    page.goto("/crm/admin/portals")
    page.get_by_role("link", name="Customers", exact=True).first.click()
    for tick in ("enabled", "can_create", "can_comment", "can_attach"):
        page.locator(f"[name='tickets.{tick}']").check()
    page.locator("details", has=page.locator("[name='tickets.title.visible']")).locator("summary").click()
    for name in ("number", "title", "status", "updated_at", "description"):
        page.locator(f"[name='tickets.{name}.visible']").check()
    for name in ("title", "description"):
        page.locator(f"[name='tickets.{name}.editable']").check()
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_text("saved", exact=False).first.wait_for()


def portal_log_in(page: Page) -> None:
    page.goto("/portal/login")
    page.get_by_label("E-mail address").fill(CUSTOMER)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Welcome, Dora Customer")).to_be_visible()


def close_in_the_portal(page: Page, house: House, ticket: dict) -> None:
    """First a password by the link of the welcome mail, then the request: read, and closed."""
    page.goto(wait_for(lambda: link_of(house, CUSTOMER), 60, house.log))
    page.get_by_label("New password", exact=False).first.fill(PASSWORD)
    page.get_by_label("New password again").fill(PASSWORD)
    page.get_by_role("button", name="Set the password").click()
    portal_log_in(page)
    page.goto("/portal/tickets")
    page.get_by_role("link", name="The printer is on fire").click()
    expect(page.get_by_text("Please pull the plug.")).to_be_visible()
    page.get_by_role("button", name="Close the request: it is solved").click()
    expect(page.get_by_text("The request is closed. Thank you.")).to_be_visible()
    closed = house.read("tickets", int(ticket["id"]))
    assert closed["state"] == "closed"
    assert closed["closed_by_customer"] is True


def judge(page: Page, address: str) -> None:
    page.goto(address)
    page.get_by_label("9", exact=True).check()
    page.wait_for_timeout(2200)  # nobody is quicker
    page.get_by_role("button", name="Send").last.click()
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
