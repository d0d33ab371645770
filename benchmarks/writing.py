"""From a key in the writing page to the mail in the preview beside it, in a real Chromium: the median of many keys.

Measured in the page itself, from the `input` event to the moment at which the freshly loaded frame is shown; the 60 ms that
the page waits for another key are in it.
"""

import statistics
import tempfile
from pathlib import Path

from playwright.sync_api import Page

from benchmarks import newsletter
from benchmarks.world import Figure
from tests import databases
from tests.apps import build_template
from tests.journeys.browsing import chromium, log_in
from tests.journeys.house import ADMIN, House
from tests.journeys.letters import MAIL

WATCH = """() => {
  window.keys = []; let began = 0;
  document.getElementById("write").addEventListener("input", () => { began = performance.now(); });
  const seen = new MutationObserver(() => { if (began) { window.keys.push(performance.now() - began); began = 0; } });
  document.querySelectorAll(".mail-stage iframe").forEach((one) => seen.observe(one, { attributes: true, attributeFilter: ["hidden"] }));
}"""


def measure(kind: str, keys: int = 15) -> list[Figure]:
    if kind != "sqlite":
        return []
    url = databases.create("sqlite", build_template)
    try:
        with tempfile.TemporaryDirectory() as folder:
            house = House(url, Path(folder))
            house.set_up()
            with house.running(), chromium(house.base) as open_page:
                page = open_page()
                log_in(page, "ecp", ADMIN)
                return [
                    _figure(page, house, name, source, keys)
                    for name, source in (("a short mail", MAIL), ("the 60 kB newsletter", newsletter.mjml()))
                ]
    finally:
        databases.drop(url)


def _figure(page: Page, house: House, name: str, source: str, keys: int) -> Figure:
    mail = house.make("email_templates", name=name, kind="email", subject="Hello", mjml=source)
    page.goto(f"/ecp/email_templates/{mail}/write")
    editor = page.locator(".cm-content").first
    editor.click()
    page.keyboard.press("Control+End")
    page.wait_for_timeout(1_500)  # the preview of what was stored is there
    page.evaluate(WATCH)
    for count in range(1, keys + 1):
        page.keyboard.type(" ")
        page.wait_for_function("count => window.keys.length >= count", arg=count)
        page.wait_for_timeout(300)  # the facts below the preview have come too
    found = sorted(page.evaluate("window.keys"))
    note = f"{keys} keys; slowest {found[-1]:.0f} ms; of it 60 ms are the wait for another key"
    page.evaluate("() => window.addEventListener('beforeunload', (event) => event.stopImmediatePropagation(), true)")
    return Figure(f"typing to preview: {name}", "sqlite", statistics.median(found), "ms", "< 300", note)
