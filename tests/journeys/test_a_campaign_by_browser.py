"""Must show 1: a marketer takes a campaign from a spreadsheet to the report in a real Chromium; recipients read, click and leave."""

import csv
import io
import re
from collections import Counter
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.journeys.browsing import choose, chromium, log_in
from tests.journeys.house import ADMIN, PASSWORD, House, wait_for
from tests.journeys.letters import Letter, letters_in
from tests.journeys.spreadsheets import accounts, contacts_file

pytestmark = pytest.mark.journey
MARKETER = "mika@example.com"
READER = {
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/129.0 Safari/537.36"
}
SOURCE = """<mjml><mj-body><mj-section><mj-column>
<mj-text>Hello {$contact.first_name|friend} of {$account.account_name|your house},</mj-text>
<mj-button href="https://example.com/offer?x=1&amp;y=2">See the offer</mj-button>
<mj-text><a href="https://example.com/more">More about it</a></mj-text>
<mj-text><a href="{$links.online}">Read online</a> · <a href="{$links.unsubscribe}">Unsubscribe</a></mj-text>
</mj-column></mj-section></mj-body></mjml>"""


@pytest.mark.timeout(600)
def test_from_a_spreadsheet_to_the_report(sqlite_house, tmp_path: Path):
    house = sqlite_house()
    house.command("user", "add", MARKETER, "--password", PASSWORD, "--ecp")
    with house.running(), chromium(house.base) as open_page:
        made = house.call(
            "POST", "/accounts", {"data": [{"type": "accounts", "attributes": one} for one in accounts()]}
        )
        assert len(made["data"]) == 40
        page = open_page()
        log_in(page, "crm", MARKETER)
        rows = import_contacts(page, tmp_path / "excel.csv", "one.example", "windows-1252")
        rows += import_contacts(page, tmp_path / "excel-utf8.csv", "two.example", "utf-8-sig")
        wanted = {row[2] for row in rows if int(row[3].split()[3]) % 2 == 0 and row[4] in {"Helsinki", "Turku"}}
        assert len(wanted) > 300
        build_target_group(page, len(wanted))
        make_campaign(page, len(wanted))
        log_in(page, "ecp", MARKETER)
        write_template(page)
        write_mail(page, house, rows)
        import_group(page, len(wanted))
        sendout = send(page, house, "Spring letter, first", len(wanted))

        letters = spring_letters(house)
        assert Counter(one.recipient for one in letters) == dict.fromkeys(wanted, 1)  # exactly one for each
        letters.sort(key=lambda one: one.recipient)
        read_click_and_leave(page, house, sendout, letters)
        send_again(page, house, wanted, {letters[2].recipient, letters[3].recipient})


def spring_letters(house: House) -> list[Letter]:
    """The mails of sendouts in the outbox; tests and notices to staff left out."""
    return [
        one
        for one in letters_in(house.data / "outbox")
        if one.subject.endswith(", spring is here") and "[" not in one.subject
    ]


# in the browser


def import_contacts(page: Page, file: Path, domain: str, encoding: str) -> list[list[str]]:
    """The wizard: 1,000 rows of which 20 are wrong. Gives the good rows."""
    bad, good = contacts_file(file, domain, encoding)
    assert (len(bad), len(good)) == (20, 980)
    page.goto("/crm/contacts/import")
    page.get_by_label("File", exact=True).set_input_files(file)
    page.get_by_role("button", name="Go on").click()
    expect(page.locator("#f-encoding")).to_have_value("utf-8" if encoding.startswith("utf") else encoding)
    expect(page.locator("#f-delimiter")).to_have_value(";")
    expect(page.get_by_role("cell", name=good[0][1]).first).to_be_visible()  # umlauts read right
    page.get_by_role("button", name="See what would happen").click()
    expect(page.locator(".numbers")).to_contain_text(re.compile(r"980\s*would be made.*20\s*would be refused", re.S))
    page.get_by_role("button", name=re.compile("Import 1,?000 rows")).click()
    expect(page.get_by_text("Done. 980 made, 0 changed, 20 refused.")).to_be_visible(timeout=90_000)
    said = {
        int(row.locator("td").first.inner_text()): row.locator("td").last.inner_text()
        for row in page.locator(".table-wrap tbody tr").all()
    }
    assert set(said) == set(bad)
    assert all(word in said[line] for line, word in bad.items()), said
    with page.expect_download() as waiting:
        page.get_by_role("link", name="20 refused rows as CSV").click()
    text = Path(waiting.value.path()).read_text("utf-8-sig")
    refused = list(csv.reader(io.StringIO(text), delimiter=";"))
    assert refused[0][:4] == ["Line", "Reason", "First name", "Last name"]
    assert {int(row[0]) for row in refused[1:]} == set(bad)
    return good


def build_target_group(page: Page, count: int) -> None:
    """Contacts in two cities whose account is a customer, with the condition builder."""
    page.goto("/crm/target_groups/new")
    page.get_by_label("Name", exact=False).first.fill("Customers in two cities")
    box = page.locator("#conditions-box")
    condition(page, box, 0, "account.account_type", "$eq", "Customer")
    box.get_by_role("button", name="Condition", exact=True).last.click()
    condition(page, box, 1, "mailing_city", "$in", "Helsinki, Turku")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("h1")).to_have_text("Customers in two cities")
    page.get_by_role("button", name="Collect the people now").click()
    expect(page.locator("#main .big-number").first).to_have_text(str(count), timeout=30_000)


def condition(page: Page, box, place: int, field: str, operator: str, value: str) -> None:
    """Fill one row of the condition builder."""
    row = box.locator(".builder-row").nth(place)
    choose(row.locator("select[name$='.field']"), field)
    expect(row.locator("select[name$='.op']")).to_be_visible()
    if row.locator("select[name$='.op']").input_value() != operator:
        with page.expect_response(lambda answer: "/builder/row" in answer.url):
            row.locator("select[name$='.op']").select_option(operator)
    field_of = row.locator("[name$='.value']").first
    if field_of.evaluate("one => one.tagName") == "SELECT":
        choose(field_of, value)
    else:
        field_of.fill(value)


def make_campaign(page: Page, count: int) -> None:
    """A campaign for e-mail, and the target group in it."""
    page.goto("/crm/campaigns/new?type=Email")
    page.get_by_label("Campaign name").fill("Spring")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("h1")).to_have_text("Spring")
    page.get_by_role("link", name="Add people").click()
    choose(page.locator("#f-target_group_id"), text="Customers in two cities")
    page.get_by_role("button", name="See what would happen").click()
    expect(page.get_by_text(f"{count} people would be added.")).to_be_visible()
    page.get_by_role("button", name=f"Add {count} people").click()
    expect(page.locator("#main .big-number").first).to_have_text(str(count))


def type_source(page: Page, text: str) -> None:
    """Replace what stands in the code editor, as a person who pastes; a mail that was just begun shows itself as a picture first."""
    page.frame_locator(".gjs-frame").locator("[data-gjs-type=mj-body]").wait_for()
    page.get_by_role("button", name="Code", exact=True).click()
    page.locator("#pane-content .cm-content:visible").click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(text)


def write_template(page: Page) -> None:
    """A template of one's own, set active."""
    page.goto("/ecp/email_templates/write")
    page.get_by_role("button", name="Blank template").click()
    page.get_by_role("tab", name="HTML").click()
    type_source(page, SOURCE)
    page.get_by_role("tab", name="Info").click()
    page.get_by_label("Name", exact=False).first.fill("Our layout")
    choose(page.locator("#pane-info [name='status']"), "active")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".page-head .pill")).to_have_text("Active")


def write_mail(page: Page, house: House, rows: list[list[str]]) -> None:
    """A mail from the template: seen as one contact at phone width, tested, set active."""
    page.goto("/ecp/email_templates/write")
    page.get_by_role("button", name=re.compile("^Our layout")).click()
    page.get_by_role("tab", name="Info").click()
    page.get_by_label("Name", exact=False).first.fill("Spring letter")
    page.locator("#pane-info [name='subject']").fill("{$contact.first_name|Friend}, spring is here")
    page.locator("#pane-info [name='sender_name']").fill("Kaisla")
    choose(page.locator("#pane-info [name='sender_address_id']"), text="letters@kaisla.example")
    choose(page.locator("#pane-info [name='status']"), "active")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".page-head .pill")).to_have_text("Active")

    row = rows[1]
    choose(page.locator("#as-person"), text=f"{row[0]} {row[1]}")
    page.get_by_role("button", name="Phone").click()
    frame = page.frame_locator(".mail-stage iframe:not([hidden])")
    expect(frame.get_by_text(f"Hello {row[0]} of {row[3]},")).to_be_visible(timeout=15_000)
    expect(page.locator(".mail-stage iframe:not([hidden])")).to_have_css("width", "375px")

    page.get_by_role("tab", name="Test").click()
    page.get_by_label("To (one to five addresses)").fill("me@tests.example")
    page.get_by_role("button", name="Send the test").click()
    tests = wait_for(
        lambda: [one for one in letters_in(house.data / "outbox") if one.recipient == "me@tests.example"], 60, house.log
    )
    assert tests[0].subject == f"[TEST] {row[0]}, spring is here"
    assert f"Hello {row[0]} of {row[3]}," in tests[0].text


def import_group(page: Page, count: int) -> None:
    """The campaign becomes a target group of the portal, bound to a list."""
    page.goto("/ecp/portal_target_groups/new")
    page.get_by_role("radio", name="Spring").check()
    page.get_by_label("Name of the group").fill("Spring people")
    page.get_by_label("List type").select_option(label="Marketing")
    page.get_by_role("button", name="Import the campaign").click()
    expect(page.locator("h1")).to_have_text("Spring people")
    expect(page.locator("#main")).to_contain_text(str(count))


def begin_sendout(page: Page, name: str, *, again: bool = False) -> None:
    """The steps of a sendout up to the last page."""
    page.goto("/ecp/sendouts/new")
    page.get_by_label("Name", exact=False).first.fill(name)
    page.get_by_role("radio", name=re.compile("Spring letter")).check()
    page.get_by_role("button", name="Go on").click()
    page.get_by_role("checkbox", name=re.compile("Spring people")).check()
    if again:
        page.get_by_label("Leave out people who already got this e-mail").uncheck()
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_text("Who is it from?")).to_be_visible()
    page.get_by_role("link", name="Go on").click()
    page.get_by_role("button", name="Go on").click()


def send(page: Page, house: House, name: str, count: int, *, again: bool = False) -> int:
    """Send now, and wait until everybody has got it. Gives the sendout's id."""
    begin_sendout(page, name, again=again)
    expect(page.locator(".lead-sentence")).to_contain_text(f"to {count} people now")
    page.get_by_label(re.compile("I have tested it")).check()
    page.get_by_role("button", name=f"Send to {count} people").click()
    page.locator("#sure").get_by_role("button", name=f"Send to {count} people").click()
    expect(page.locator("h1")).to_have_text(name)
    sendout = int(re.findall(r"/sendouts/(\d+)", page.url)[0])
    expect(page.locator(".record-head, .card-head, #main").get_by_text("Sent", exact=True).first).to_be_visible(
        timeout=120_000
    )
    assert house.wait_until(sendout, "sent") == "sent"
    # The page loads itself once more when all is sent: to go elsewhere meanwhile would be broken off by that.
    page.locator("#main:not(:has(#progress)) .report-figures").wait_for(timeout=60_000)
    return sendout


# as the recipients


def read_click_and_leave(page: Page, house: House, sendout: int, letters: list[Letter]) -> None:
    """One opens, one opens and clicks, one leaves on the page, one by one click; the report and the cards say so."""
    reader, clicker, leaver, one_click = letters[0], letters[1], letters[2], letters[3]
    with httpx.Client(headers=READER, follow_redirects=False) as mail_program:
        for letter in (reader, clicker):
            assert mail_program.get(letter.links("/o/")[0]).headers["content-type"].startswith("image/")
        followed = mail_program.get(next(link for link in clicker.links("/c/")))
        assert followed.headers["location"] == "https://example.com/offer?x=1&y=2"

        address = leaver.links("/u/")[0]
        for _ in range(2):
            assert mail_program.get(address).status_code == 200
        assert house.report(sendout)["unsubscribed"] == 0  # looking changes nothing
        assert mail_program.post(address, data={"action": "unsubscribe"}).status_code == 200
        assert mail_program.get(one_click.one_click()).status_code == 302
        assert house.report(sendout)["unsubscribed"] == 1
        assert one_click.message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        for _ in range(2):  # mail programs may say it twice
            answer = mail_program.post(one_click.one_click(), data={"List-Unsubscribe": "One-Click"})
            assert answer.status_code == 200

    report = house.report(sendout)
    assert {name: report[name] for name in ("audience", "sent", "read", "clicked", "unsubscribed", "failed")} == {
        "audience": len(letters), "sent": len(letters), "read": 2, "clicked": 1, "unsubscribed": 2, "failed": 0,
    }  # fmt: skip
    page.goto(f"/ecp/sendouts/{sendout}")
    figures = page.locator(".report-figures .big-number")
    expect(figures).to_have_text([str(len(letters)), "2", "1", "2"])
    look_at_cards(page, house, {"read": reader, "clicked": clicker, "left": leaver})


def send_again(page: Page, house: House, wanted: set[str], left: set[str]) -> None:
    """A second sendout leaves out who has left, and says why."""
    sendout = send(page, house, "Spring letter, second", len(wanted) - 2, again=True)
    had = Counter(one.recipient for one in spring_letters(house))
    assert had == {address: 1 if address in left else 2 for address in wanted}
    skipped = {row["email"]: row["skip_reason"] for row in house.deliveries(sendout) if row["state"] == "skipped"}
    assert skipped == dict.fromkeys(left, "list_unsubscribed")
    page.goto(f"/ecp/sendouts/{sendout}/recipients?show=skipped")
    for address in left:
        expect(page.locator("tr", has_text=address)).to_contain_text("Has left this list")


def look_at_cards(page: Page, house: House, people: dict[str, Letter]) -> None:
    """What the contacts' cards tell of the mail."""
    for deed, letter in people.items():
        found = house.call("GET", "/contacts", params={"filter": f'{{"email": "{letter.recipient}"}}'})["data"]
        page.goto(f"/crm/contacts/{found[0]['id']}")
        timeline = page.locator("#main")
        expect(timeline).to_contain_text("Spring letter")
        words = {"read": "Read", "clicked": "example.com/offer", "left": "Left"}[deed]
        expect(timeline).to_contain_text(re.compile(words, re.I))


def test_nobody_comes_in_without_the_right_password(sqlite_house):
    house = sqlite_house()
    with house.running(with_worker=False), chromium(house.base) as open_page:
        page = open_page()
        page.goto("/crm/")
        page.get_by_label("E-mail address").fill(ADMIN)
        page.get_by_label("Password").fill("wrong password entirely")
        page.get_by_role("button", name="Log in").click()
        expect(page.get_by_role("alert")).to_be_visible()
        assert "/login" in page.url
