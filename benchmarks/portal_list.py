"""The portal's list of requests for a customer with 1,000 own tickets: server time and octets of the page."""

import time

from sqlalchemy import event

from benchmarks.world import Figure, p50, p99, people, pin, times, unpin, world
from crm import config
from crm.db import db
from crm.engine import records
from crm.engine.channels import Channel
from crm.identity import sessions
from crm.identity.viewer import SYSTEM
from crm.modules.portals import matrix, usual
from self_service_portal import create_app

ADDRESS = "/portal/tickets?tab=all"


def measure(kind: str, count: int = 1_000, others: int = 9_000) -> list[Figure]:
    with world(kind) as app:
        ids = people(100)
        portal = records.create(SYSTEM, "portals", {"name": "Portal", "code": "main"}, Channel.SYSTEM)
        profile = records.create(SYSTEM, "portal_profiles", {"name": "Customers", "portal_id": portal}, Channel.SYSTEM)
        matrix.change(SYSTEM, profile, Channel.SYSTEM, modules=usual.matrix_of("contacts", "accounts", "tickets"))
        said = {"contact_id": ids[0], "portal_id": portal, "profile_id": profile}
        user = records.create(SYSTEM, "portal_users", said, Channel.SYSTEM)
        for start in range(0, count + others, 1_000):
            rows = [
                {
                    "title": f"Request {number} about printers",
                    "contact_id": ids[0 if number < count else 1 + number % 99],
                }
                for number in range(start, min(start + 1_000, count + others))
            ]
            records.create_many(SYSTEM, "tickets", rows, Channel.SYSTEM)
            db.session.commit()
        token = sessions.start("portal", portal_user_id=user, address="127.0.0.1")[0]
        db.session.commit()
        settled = config.current().with_(database_url=app.config["SQLALCHEMY_DATABASE_URI"])
        browser = create_app(settled).test_client()
        browser.set_cookie("ch_portal", token, path="/portal")
        return _figures(browser, kind, count)


def _figures(browser, kind: str, count: int) -> list[Figure]:  # type: ignore[no-untyped-def]
    queries = [0]

    def counted(*_said: object) -> None:
        queries[0] += 1

    def ask() -> int:
        answer = browser.get(ADDRESS)
        if answer.status_code != 200 or "about printers" not in answer.text:
            raise RuntimeError(f"{ADDRESS}: {answer.status}")
        return len(answer.data)

    place, octets = pin(), [ask() for _one in range(10)][-1]
    event.listen(db.engine, "before_cursor_execute", counted)
    ask()
    event.remove(db.engine, "before_cursor_execute", counted)
    used = time.process_time()
    took = times(ask, 200, warm=0)
    used = (time.process_time() - used) / len(took)
    unpin()
    note = f"{count} own of {count * 10}; {octets / 1000:.0f} kB; p99 {p99(took) * 1000:.1f} ms; {queries[0]} statements; {used * 1000:.1f} ms CPU; {place}"
    return [Figure("portal: list of own requests, p50", kind, p50(took) * 1000, "ms", "< 30, < 100 kB", note)]
