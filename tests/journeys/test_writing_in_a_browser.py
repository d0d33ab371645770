"""The writing page in a real Chromium: the preview follows what is typed, and leaving with unsaved changes asks first (M6)."""

import pytest
from playwright.sync_api import Dialog, Page, expect

from tests.journeys.browsing import chromium, log_in
from tests.journeys.house import ADMIN

pytestmark = pytest.mark.journey
MAIL = """<mjml><mj-body><mj-section><mj-column><mj-text>
Good morning
</mj-text></mj-column></mj-section></mj-body></mjml>"""


@pytest.mark.timeout(300)
def test_the_preview_follows_and_leaving_with_unsaved_changes_asks(sqlite_house):
    house = sqlite_house()
    with house.running(), chromium(house.base) as open_page:
        mail = house.make("email_templates", name="Spring", kind="email", subject="Hello", mjml=MAIL)
        page = open_page()
        log_in(page, "ecp", ADMIN)
        here = f"{house.base}/ecp/email_templates/{mail}/write"
        page.goto(here)
        assert leave(page, "dismiss") == []  # nothing was typed, so nothing is asked
        page.goto(here)
        type_in(page, "Fresh words")
        expect(
            page.locator(".mail-stage iframe:not([hidden])").content_frame.get_by_text("Fresh words")
        ).to_be_visible()
        assert leave(page, "dismiss") == ["beforeunload"]
        assert page.url.startswith(here)
        expect(
            page.locator(".mail-stage iframe:not([hidden])").content_frame.get_by_text("Fresh words")
        ).to_be_visible()
        assert leave(page, "accept") == ["beforeunload"]
        assert not page.url.startswith(here)
        assert "Fresh words" not in house.call("GET", f"/email_templates/{mail}")["data"]["attributes"]["mjml"]
        page.goto(here)
        page.locator("[data-take-draft]").click()  # not saved, and yet not lost
        page.get_by_role("button", name="Save", exact=True).click()
        page.wait_for_load_state()
        assert leave(page, "dismiss") == []
        assert "Fresh words" in house.call("GET", f"/email_templates/{mail}")["data"]["attributes"]["mjml"]


def type_in(page: Page, text: str) -> None:
    """Type at the end of the mail's only line of text."""
    page.locator(".cm-content .cm-line", has_text="Good morning").first.click()
    page.keyboard.press("End")
    page.keyboard.type(f" {text}", delay=5)


def leave(page: Page, answer: str) -> list[str]:
    """Follow a link of the menu; what the browser asked, and was answered."""
    asked: list[str] = []

    def on_dialog(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss() if answer == "dismiss" else dialog.accept()

    page.on("dialog", on_dialog)
    page.locator(".crumbs a").first.click(no_wait_after=True)
    page.wait_for_timeout(1_000)
    page.remove_listener("dialog", on_dialog)
    return asked
