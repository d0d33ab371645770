"""The script of web tracking in a browser: what it weighs, how long it holds the page up, whether it moves anything on it.

    python -m benchmarks.beacon

A small page with the script, and the same without it, in a Chromium slowed down four times: read, agreed to, turned over as one-page sites
do, an event told, left. What the script took is read from the browser's own trace: CPU of the longest task that ran a line of it.
`python -m benchmarks.beacon` needs the built browser files (`make setup`) and Chromium.
"""

import http.server
import json
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, sync_playwright

from web_tracking.script import Script
from web_tracking.sites import Site

SLOWED, RUNS = 4, 3
MOST_BYTES, MOST_MS = 5_000, 10
RAN = frozenset({"EvaluateScript", "v8.compile", "FunctionCall", "TimerFire", "EventDispatch", "FireIdleCallback"})
PAGE = """<!doctype html><title>Shop</title><script>
window.shifted = 0; window.long = [];
new PerformanceObserver((list) => list.getEntries().forEach((one) => { window.shifted += one.value; })).observe({type: "layout-shift", buffered: true});
new PerformanceObserver((list) => list.getEntries().forEach((one) => window.long.push(one.duration))).observe({type: "longtask", buffered: true});
window.crmTrack = window.crmTrack || function () { (crmTrack.q = crmTrack.q || []).push(arguments); };
</script>%s<h1>Shop</h1><p>Words of the shop</p><a href="#" id="more">More</a>"""
TAG = '<script async src="/t/key.js"></script>'


class _Shop(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path.startswith("/t/"):
            headers, body = _script()
        else:
            headers, body = [("Content-Type", "text/html")], (PAGE % (TAG if self.path == "/with" else "")).encode()
        self.send_response(200)
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_said: Any) -> None:
        pass


def _script() -> tuple[list[tuple[str, str]], bytes]:
    site = Site(1, "0" * 20, frozenset(), needs_consent=True, counts_all=True, kept=frozenset(), networks=())
    return Script().of(site, "gzip")


@contextmanager
def _served() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Shop)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def visit(browser: Browser, url: str, folder: str, slowed: int = SLOWED) -> dict[str, float]:
    """One visit of a page: layout shift, long tasks of the page (over 50 ms slowed), hits, ms of CPU of the script's longest task and of all."""
    context = browser.new_context()
    page = context.new_page()
    context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": slowed})
    hits: list[str] = []
    page.on("request", lambda request: hits.append(request.url) if request.method == "POST" else None)
    trace = Path(folder) / "trace.json"
    browser.start_tracing(page=page, path=str(trace), categories=["devtools.timeline", "v8"])
    page.goto(url, wait_until="load")
    page.evaluate("crmTrack('consent', true)")
    for step in range(3):
        page.evaluate("step => history.pushState({}, '', `/page/${step}`)", step)
        page.wait_for_timeout(100)
    page.evaluate("crmTrack('event', 'Ordered')")
    page.click("#more")
    page.wait_for_timeout(200)
    found = {"shift": page.evaluate("shifted"), "long": page.evaluate("long.length"), "hits": len(hits)}
    browser.stop_tracing()
    context.close()
    return found | _took(json.loads(trace.read_text())["traceEvents"])


def _took(events: list[dict[str, Any]]) -> dict[str, float]:
    ours = [one for one in events if one.get("name") in RAN and "/t/" in _place(one)]
    took = [one.get("tdur", one.get("dur", 0)) / 1000 for one in ours]
    return {"longest": max(took, default=0.0), "all": sum(took)}


def _place(one: dict[str, Any]) -> str:
    data = one.get("args", {}).get("data") or {}
    return str(data.get("url") or one.get("args", {}).get("fileName") or "")


def main() -> int:
    """Print the figures; 1 when one is beyond its limit."""
    weighs = len(_script()[1])
    with _served() as base, sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        try:
            without = [visit(browser, f"{base}/without", folder) for _ in range(RUNS)]
            found = [visit(browser, f"{base}/with", folder) for _ in range(RUNS)]
            quick = min(visit(browser, f"{base}/with", folder, slowed=1)["longest"] for _ in range(RUNS))
        finally:
            browser.close()
    longest = min(one["longest"] for one in found)  # the machine adds to it, never takes away
    shift = max(one["shift"] for one in found)
    is_told = all(one["hits"] >= 4 for one in found) and longest > 0 and not any(one["hits"] for one in without)
    each = ", ".join(f"{one['longest']:.1f}" for one in found)
    print(f"script {weighs:,} bytes compressed; layout shift {shift}")
    print(
        f"longest task that ran a line of it, a page slowed {SLOWED} times: {longest:.1f} ms of CPU, {quick:.1f} unslowed "
        f"(of {RUNS} visits: {each}); all of a visit {min(one['all'] for one in found):.1f} ms"
    )
    print(
        f"tasks over 50 ms in the page: {[one['long'] for one in found]}, without the script {[one['long'] for one in without]}; "
        f"hits {[one['hits'] for one in found]}"
    )
    return int(not is_told or weighs > MOST_BYTES or shift > 0 or longest > MOST_MS)


if __name__ == "__main__":
    sys.exit(main())
