"""A real Chromium: pages that fail the test when a script fails or the server breaks; fields of the house filled as people do."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import ConsoleMessage, Locator, Page, Response, sync_playwright

from tests.databases import absent
from tests.journeys.house import PASSWORD

DESKTOP, PHONE = {"width": 1360, "height": 900}, {"width": 375, "height": 812}


@contextmanager
def chromium(base: str) -> Iterator[Callable[..., Page]]:
    """`open_page(**context)`: a page in a fresh context. At the end no page may have seen a fault."""
    place = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if place is None:
        absent("Chromium")
    with sync_playwright() as engine:
        browser = engine.chromium.launch(executable_path=place, args=["--disable-dev-shm-usage"])
        faults: list[str] = []

        def open_page(**context: Any) -> Page:
            page = browser.new_context(base_url=base, **({"viewport": DESKTOP} | context)).new_page()
            page.set_default_timeout(30_000)
            note_faults(page, faults)
            return page

        try:
            yield open_page
            assert not faults, "\n".join(faults)
        finally:
            browser.close()


def note_faults(page: Page, faults: list[str]) -> None:
    """Write down what no page may have: script errors, refused resources, answers of 500 and above."""

    def on_console(message: ConsoleMessage) -> None:
        # An answer of 4xx that a test asked for is also written to the console.
        if message.type == "error" and "status of 4" not in message.text:
            faults.append(f"{page.url}: {message.text}")

    def on_response(answer: Response) -> None:
        if answer.status >= 500:
            faults.append(f"{answer.request.method} {answer.url}: {answer.status}")

    page.on("console", on_console)
    page.on("pageerror", lambda error: faults.append(f"{page.url}: {error}"))
    page.on("response", on_response)


def log_in(page: Page, app: str, email: str, password: str = PASSWORD) -> None:
    """Log in to "crm" or "ecp"."""
    page.goto(f"/{app}/login")
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(f"**/{app}/")


def choose(select: Locator, value: str = "", text: str = "") -> None:
    """Choose in a select, also where a search box has taken its place: by value, or by typing `text`."""
    select.wait_for(state="attached")
    if not select.evaluate("one => Boolean(one.tomselect)"):
        select.select_option(value) if value else select.select_option(label=text)
        return
    box = select.locator("xpath=following-sibling::div[contains(@class, 'ts-wrapper')]")
    box.locator(".ts-control").click()
    if text:
        box.page.keyboard.type(text)
        found = box.locator(".ts-dropdown .option", has_text=text).first
    else:
        found = box.locator(f".ts-dropdown .option[data-value='{value}']")
    found.scroll_into_view_if_needed()
    found.click()
