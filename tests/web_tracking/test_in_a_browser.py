"""The script in a real Chromium on a small site of another origin: one-page navigation, consent, Do-Not-Track, person, events."""

import http.server
import socketserver
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page

from crm.identity.sealing import sealer
from tests.journeys.browsing import chromium
from tests.ports import free_port
from tests.web_tracking.conftest import FIREFOX, Tracked
from web_tracking import recognising, sites

pytestmark = pytest.mark.journey
PAGE = """<!doctype html><title>Shop</title><h1>Shop</h1><a id="file" href="/brochure.pdf" download>Brochure</a>
<script>window.crmTrack = window.crmTrack || function () {{ (crmTrack.q = crmTrack.q || []).push(arguments); }};</script>
<script async src="http://localhost:{port}/t/{key}.js"></script>"""


class Site(socketserver.ThreadingMixIn, http.server.HTTPServer):
    """A small site of ours at 127.0.0.1, and the public end of web tracking at localhost: another origin."""

    daemon_threads = True

    def __init__(self, port: int, answer: Callable[[http.server.BaseHTTPRequestHandler], None]) -> None:
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                answer(self)

            def do_POST(self) -> None:
                answer(self)

            def log_message(self, *_said: Any) -> None:
                pass

        super().__init__(("127.0.0.1", port), Handler)


@pytest.fixture
def shop(track: Any) -> Iterator[tuple[Tracked, str]]:
    port = free_port()
    made: Tracked = track(domain=f"127.0.0.1:{port}", kept_parameters="product", counts_all=True)
    made.framed = ""

    def answer(request: http.server.BaseHTTPRequestHandler) -> None:
        if not request.path.startswith("/t/"):
            frame = f"<script>parent.postMessage({{crmVisit: '{made.framed}'}}, '*')</script>"
            body = (frame if request.path == "/frame" else PAGE.format(port=port, key=made.key)).encode()
            request.send_response(200)
            request.send_header("Content-Type", "text/html")
            request.end_headers()
            request.wfile.write(body)
            return
        headers = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in request.headers.items()}
        environ = {
            "PATH_INFO": request.path, "REQUEST_METHOD": request.command, "REMOTE_ADDR": "127.0.0.1", "wsgi.input": request.rfile,
            "CONTENT_LENGTH": request.headers.get("Content-Length", ""),
        } | headers  # fmt: skip

        def start_response(status: str, said: list[tuple[str, str]]) -> None:
            request.send_response(int(status[:3]))
            for name, value in said:
                request.send_header(name, value)
            request.end_headers()

        for part in made.beacon(environ, start_response):
            request.wfile.write(part)

    server = Site(port, answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield made, f"http://127.0.0.1:{port}"
    server.shutdown()
    server.server_close()


def open_site(open_page: Any, **context: Any) -> Page:
    page: Page = open_page(user_agent=FIREFOX, **context)
    return page


def settle(page: Page) -> None:
    page.wait_for_timeout(250)


def test_the_script_does_what_its_visitor_agreed_to(shop: tuple[Tracked, str], anna: int) -> None:
    made, base = shop
    token = recognising.token(sealer(), "form", anna)
    made.known = sites.load()
    with chromium(base) as open_page:
        page = open_site(open_page)
        page.goto(f"/start?utm_source=news&ch_visit={token}&secret=geheim")
        page.wait_for_function("() => !location.search.includes('ch_visit')")
        assert "secret=geheim" in page.url  # only what is ours is taken out of the address
        settle(page)
        assert [(hit[3], hit[5]) for hit in made.waiting()] == [(None, "count")]
        assert page.context.cookies() == []
        page.evaluate("crmTrack('consent', true)")
        settle(page)
        cookie = page.context.cookies()[0]
        assert (cookie["name"], len(cookie["value"]), cookie["sameSite"]) == ("crm_visitor", 22, "Lax")
        page.evaluate("history.pushState({}, '', '/second'); document.title = 'Second'")
        settle(page)
        page.evaluate("history.replaceState({}, '', '/second?tab=2')")  # the same page
        page.evaluate("crmTrack('event', 'Ordered')")
        page.evaluate(
            "document.addEventListener('click', (event) => event.preventDefault()); document.getElementById('file').click()"
        )
        page.evaluate("location.hash = '#/third'")
        settle(page)
        page.goto("/fourth")
        settle(page)
        made.roll_up()
        views = [(row["kind"], row["path"], row["title"]) for row in made.rows("page_views")]
        assert sorted(views) == sorted([
            ("view", "/start", "Shop"), ("view", "/second", "Second"), ("event", "/second", "Second"), ("download", "/second", "Second"),
            ("view", "/second#/third", "Second"), ("view", "/fourth", "Shop"),
        ])  # fmt: skip
        visit = made.row("visits")
        assert (visit["person_id"], visit["source"], visit["page_count"]) == (anna, "news", 4)
        assert made.counts("views") == {"": 4}  # the first one once, although it was told before and after the consent
        page.evaluate("crmTrack('forget')")
        settle(page)
        assert page.context.cookies() == []
        made.roll_up()
        assert made.rows("visitors") == made.rows("visits") == made.rows("page_views") == []
        for one in (True, False, True):  # who thinks again is seen on the page where he does
            page.evaluate("(agreed) => crmTrack('consent', agreed)", one)
        page.evaluate("history.pushState({}, '', '/fourth?product=7&tab=2')")  # a parameter that tells pages apart
        settle(page)
        made.roll_up()
        assert [row["path"] for row in made.rows("page_views")] == ["/fourth", "/fourth", "/fourth?product=7"]
        page.evaluate("crmTrack('consent', false); crmTrack('forget')")
        settle(page)
        made.roll_up()
        assert [row["path"] for row in made.rows("page_views")] == [
            "/fourth"
        ]  # of the id before, taken away with the cookie


def test_do_not_track_and_privacy_control_win_over_a_consent(shop: tuple[Tracked, str]) -> None:
    made, base = shop
    with chromium(base) as open_page:
        for said in (
            "Object.defineProperty(navigator, 'doNotTrack', {value: '1'})",
            "navigator.globalPrivacyControl = true",
        ):
            page = open_site(open_page)
            page.add_init_script(said)
            page.goto("/")
            page.wait_for_function("() => !window.crmTrack.q")
            page.evaluate("crmTrack('consent', true); crmTrack('event', 'Ordered')")
            settle(page)
            assert page.context.cookies() == []
    assert made.waiting() == []


def test_the_time_in_view_is_told_when_the_page_is_left_and_a_check_needs_no_consent(shop: tuple[Tracked, str]) -> None:
    made, base = shop
    with chromium(base) as open_page:
        page = open_site(open_page)
        page.goto("/?ch_try=1")
        page.wait_for_function("() => !location.search.includes('ch_try')")
        page.evaluate("crmTrack('consent', true)")
        page.wait_for_timeout(1200)
        page.goto("/next")
        page.wait_for_function("() => !window.crmTrack.q")
        for _moment in range(50):  # what a page sends when it is left arrives when it arrives
            if len(made.waiting()) == 5:
                break
            page.wait_for_timeout(100)
    made.roll_up()
    assert [row["seconds"] for row in made.rows("page_views") if row["path"] == "/"] == [1]
    assert made.row("site_signs")["tried_at"] is not None


def test_a_form_of_ours_in_a_frame_says_who_it_is_and_no_other_frame_does(shop: tuple[Tracked, str], anna: int) -> None:
    made, base = shop
    made.framed = recognising.token(sealer(), "form", anna)
    made.known = sites.load()
    frame = "(host) => { const one = document.createElement('iframe'); one.src = host + '/frame'; document.body.append(one); }"
    with chromium(base) as open_page:
        page = open_site(open_page)
        page.goto("/")
        page.wait_for_function("() => !window.crmTrack.q")
        page.evaluate("crmTrack('consent', true)")
        for host, known in ((base, None), (base.replace("127.0.0.1", "localhost"), anna)):
            page.evaluate(frame, host)
            settle(page)
            made.roll_up()
            assert made.row("visitors")["person_id"] == known, host
