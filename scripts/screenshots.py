"""Pictures of the screens for docs/pictures, made from demo data: `python scripts/screenshots.py [FOLDER]`.

Starts the house on a fresh demo database in a temporary folder, logs in, and photographs each screen at desktop and phone width.
Needs Chromium (CHROMIUM names it, default /usr/bin/chromium).
"""

import os
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

TOP = Path(__file__).parent.parent
COMMAND = str(TOP / ".venv/bin/customerhub")
SIZES = {"": (1360, 900), "-phone": (375, 800)}
SCREENS = (  # name, address, whether it stands in docs
    ("home", "/crm/", True),
    ("contacts", "/crm/contacts", True),
    ("contact", "card:contacts", True),
    ("contact-form", "/crm/contacts/new", False),
    ("accounts", "/crm/accounts", False),
    ("potentials", "/crm/potentials", False),
    ("target-groups", "/crm/target_groups", False),
    ("target-group", "card:target_groups", False),
    ("campaign", "card:campaigns", False),
    ("mass-mailings", "/crm/sendouts", False),
    ("import", "/crm/contacts/import", True),
    ("bin", "/crm/bin", False),
    ("ecp", "/ecp/", True),
    ("sendouts", "/ecp/sendouts", False),
    ("report", "ecp:sendouts", True),
    ("begin", "/ecp/email_templates/write", False),
    ("write", "ecp-write:email_templates", True),
    ("lists", "/ecp/list_types", False),
    ("senders", "/ecp/sender_addresses", False),
    ("outbox", "/ecp/outbox", False),
)


def main() -> int:
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    with demo_house() as (base, logins, _settings):
        _photograph(base, logins, target)
    return 0


@contextmanager
def demo_house() -> Iterator[tuple[str, dict[str, str], dict[str, str]]]:
    """A house on a fresh demo database: its address, its log-ins, and the environment of its commands."""
    with tempfile.TemporaryDirectory() as folder:
        port = _free_port()
        base = f"http://127.0.0.1:{port}"
        settings = {**os.environ, "CUSTOMERHUB_DATA_DIR": folder, "CUSTOMERHUB_BASE_URL": base}
        said = subprocess.run(
            [COMMAND, "init", "--demo"], env=settings, cwd=TOP, check=True, capture_output=True, text=True
        )
        logins = dict(re.findall(r"(\S+@demo\.example)\s+(\S+)", said.stdout))
        server = subprocess.Popen([COMMAND, "serve", "--port", str(port)], env=settings, cwd=TOP)
        try:
            _wait(f"{base}/readyz")
            yield base, logins, settings
        finally:
            server.terminate()
            server.wait(15)


@contextmanager
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"),
            args=["--disable-dev-shm-usage", "--no-sandbox"],
        )


def _photograph(base: str, logins: dict[str, str], target: Path | None) -> None:
    folder = target or TOP / "docs/pictures"
    folder.mkdir(parents=True, exist_ok=True)
    with browser() as chromium:
        for ending, (width, height) in SIZES.items():
            page = chromium.new_context(viewport={"width": width, "height": height}).new_page()
            for app in ("crm", "ecp"):
                _log_in(page, base, app, logins)
            for name, address, is_shown in SCREENS:
                if target is None and (not is_shown or ending):
                    continue
                page.goto(base + _address(page, base, address))
                page.wait_for_load_state("networkidle")
                page.wait_for_timeout(1_200)  # charts draw themselves in
                page.screenshot(path=folder / f"{name}{ending}.png")


def _log_in(page: Page, base: str, app: str, logins: dict[str, str]) -> None:
    page.goto(f"{base}/{app}/login")
    page.fill("[name=email]", "mika@demo.example")
    page.fill("[name=password]", logins["mika@demo.example"])
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(rf"/{app}/(?!login)"))
    page.wait_for_load_state("networkidle")


def _address(page: Page, base: str, said: str) -> str:
    """An address as it stands, or that of the first card of a module's list."""
    if said.startswith("/"):
        return said
    kind, _, module = said.partition(":")
    app = "crm" if kind == "card" else "ecp"
    page.goto(f"{base}/{app}/{module}")
    found = page.locator(f"main a[href^='/{app}/{module}/']").evaluate_all(
        "links => links.map(a => a.getAttribute('href'))"
    )
    cards = [href for href in found if re.fullmatch(rf"/{app}/{module}/\d+(/write)?", href)]
    if not cards:
        raise SystemExit(f"There is no card in the list of {module}.")
    cards = [re.sub(r"/write$", "", href) for href in cards]
    return _first_designed(page, base, cards) if kind == "ecp-write" else cards[0]


def _first_designed(page: Page, base: str, cards: list[str]) -> str:
    """The writing page of the first mail with a visual design; a mail in plain text shows none of the editor."""
    for address in dict.fromkeys(f"{card}/write" for card in cards):
        page.goto(base + address)
        if page.locator("#f-mjml").count() and page.input_value("#f-mjml").strip():
            return address
    raise SystemExit("No mail of the list has a visual design.")


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _wait(address: str) -> None:
    until = time.monotonic() + 90
    while time.monotonic() < until:
        try:
            with urllib.request.urlopen(address, timeout=2):  # noqa: S310 — our own server on this machine
                return
        except OSError:
            time.sleep(0.3)
    raise SystemExit("The server did not come up.")


if __name__ == "__main__":
    sys.exit(main())
