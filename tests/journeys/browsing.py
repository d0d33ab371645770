"""A real Chromium: pages that fail the test when a script fails or the server breaks; fields of the house filled as people do."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import ConsoleMessage, Locator, Page, Response, expect, sync_playwright

from tests.databases import absent
from tests.journeys.house import PASSWORD

# A page after a click may take its time while other tests share the machine.
expect.set_options(timeout=20_000)
DESKTOP, PHONE = {"width": 1360, "height": 900}, {"width": 375, "height": 812}


@contextmanager
def chromium(base: str, *flags: str) -> Iterator[Callable[..., Page]]:
    """`open_page(**context)`: a page in a fresh context. At the end no page may have seen a fault. `flags`: of Chromium."""
    place = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if place is None:
        absent("Chromium")
    with sync_playwright() as engine:
        browser = engine.chromium.launch(executable_path=place, args=["--disable-dev-shm-usage", *flags])
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


REPEATED = (".side", "tbody tr:nth-child(n+4)")
"""What looks the same on page after page and row after row: a walk through many pages looks at it on the first."""


LOOK = """([without, options, mild]) => {
  const there = without.filter((one) => document.querySelector(one));
  if (!mild) {
    const never_serious = axe._audit.rules.filter((one) => ["minor", "moderate"].includes(one.impact));
    options.rules = Object.fromEntries(never_serious.map((one) => [one.id, { enabled: false }]));
  }
  return axe.run(there.length ? { exclude: there.map((one) => [one]) } : document, options).then((found) => found.violations);
}"""


def violations(
    page: Page, tags: tuple[str, ...] = (), without: tuple[str, ...] = (), *, mild: bool = True
) -> list[dict[str, Any]]:
    """What axe finds wrong with the open page (`tags`: only by rules with one of these), not looking at the elements `without`.

    What it finds right is not gathered. `mild=False`, for who asks for what is serious or critical only: rules whose
    finds are never that (axe gives each find the impact of its rule) are not asked."""
    options: dict[str, Any] = {"resultTypes": ["violations"]} | ({"runOnly": list(tags)} if tags else {})
    if not page.evaluate("typeof axe === 'object'"):
        page.evaluate(AXE_SCRIPT)
    return list(page.evaluate(LOOK, [list(without), options, mild]))


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
    found.click()
