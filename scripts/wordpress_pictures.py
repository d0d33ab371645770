"""Pictures of the plugin's pages in WordPress for docs/pictures: `python -m scripts.wordpress_pictures [FOLDER]`.

Starts a house on a fresh demo database and the WordPress of the tests, connects them as an administrator does, and photographs
the pages. Needs what `scripts/test-services` installs.
"""

import subprocess
import sys
from pathlib import Path

from playwright.sync_api import Page

from scripts.screenshots import COMMAND, TOP, browser, demo_house
from tests import databases
from tests.wordpress.conftest import FORM
from tests.wordpress.site import Site

MAP = {"your-name": "last_name", "your-email": "email", "company": "company", "rating": "rating"}
PEOPLE = (("Virtanen", "Virta Oy", "Hot"), ("Korhonen", "Kaisla Oy", "Warm"), ("Laine", "Laine Tmi", "Cold"))


def main() -> int:
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else TOP / "docs/pictures"
    databases.open_run_folder()
    site = Site()
    try:
        with demo_house() as (base, _logins, settings), browser() as chromium:
            line = [COMMAND, "apikey", "add", "Website", "--user", "mika@demo.example"]
            key = subprocess.run(line, env=settings, cwd=TOP, check=True, capture_output=True, text=True).stdout.split()
            page = chromium.new_context(viewport={"width": 1360, "height": 900}).new_page()
            _log_in(page, site)
            form = _connected(page, site, base, next(one for one in key if one.startswith("ch_")))
            _photograph(page, site, target, "settings", "admin.php?page=customerhub-settings")
            page.goto(f"{site.base}/wp-admin/admin.php?page=customerhub")
            _photograph(page, site, target, "mapping", page.locator(".row-title").get_attribute("href") or "")
            _send(site, form)
            site.cron()
            site.ask("CustomerHub\\Sending\\Reconciliation::run(); return 1;")
        _send(site, form, "Nieminen")  # the house is away
        site.cron()
        with browser() as chromium:
            page = chromium.new_context(viewport={"width": 1360, "height": 900}).new_page()
            _log_in(page, site)
            _photograph(page, site, target, "submissions", "admin.php?page=customerhub-outbox")
            page.set_viewport_size({"width": 1360, "height": 1280})
            page.goto(f"{site.base}/wp-admin/site-health.php")
            page.wait_for_load_state("networkidle")
            for one in ("customerhub cannot be reached", "customerhub: submissions are being re-sent"):
                page.locator(".health-check-accordion-trigger", has_text=one).click()
            page.evaluate("scrollTo(0, 0)")
            page.screenshot(path=target / "wordpress-health.png")
    finally:
        site.close()
        databases.close_run_folder()
    return 0


def _log_in(page: Page, site: Site) -> None:
    page.goto(f"{site.base}/wp-login.php")
    page.fill("#user_login", "admin")
    page.fill("#user_pass", "green teapot stairs")
    page.click("#wp-submit")
    page.wait_for_url("**/wp-admin/**")


def _connected(page: Page, site: Site, base: str, key: str) -> int:
    """The number of a form whose fields go to leads."""
    form = int(
        site.ask(
            "wp_set_current_user(1);"
            f"return wpcf7_save_contact_form(['id' => -1, 'title' => 'Contact us', 'form' => {FORM!r}])->id();"
        )
    )
    page.goto(f"{site.base}/wp-admin/admin.php?page=customerhub-settings")
    page.fill("#ch-base_url", base)
    page.fill("#ch-api_key", key)
    page.select_option("[name=form_plugin]", "contact_form_7")
    page.get_by_role("button", name="Save").first.click()
    page.goto(f"{site.base}/wp-admin/admin.php?page=customerhub&edit=new&form=contact_form_7:{form}&module=leads")
    for name, field in MAP.items():
        row = page.locator(".customerhub-map tr", has=page.locator(f"input[value={name}]"))
        row.locator("select").select_option(field)
    page.select_option("#ch-fixed-0", "lead_source")
    page.fill("[name='fixed_value[0]']", "Web Site")
    page.select_option("#ch-consent_field", "news")
    page.fill("#ch-consent_wording", "Yes, send me news.")
    page.get_by_role("button", name="Save").last.click()
    page.wait_for_load_state("networkidle")
    return form


def _send(site: Site, form: int, *names: str) -> None:
    for name, company, rating in PEOPLE if not names else ((one, f"{one} Oy", "Hot") for one in names):
        email = f"{name.lower()}@{company.split()[0].lower()}.example"
        site.send_form(form, {"your-name": name, "your-email": email, "company": company, "rating": rating})


def _photograph(page: Page, site: Site, target: Path, name: str, address: str) -> None:
    page.goto(address if address.startswith("http") else f"{site.base}/wp-admin/{address}")
    page.wait_for_load_state("networkidle")
    page.screenshot(path=target / f"wordpress-{name}.png")


if __name__ == "__main__":
    sys.exit(main())
