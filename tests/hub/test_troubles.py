"""What is down is said at /readyz and on the pages of those whom it concerns, and no more when it is back."""

import threading
import time
from datetime import timedelta
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.exc import OperationalError

from crm import clock, disk, troubles
from crm import config as settings
from crm.db import db
from crm.identity import logins, sessions
from crm.mail.memory import Memory
from crm.mail.outcome import Outcome
from crm.mail.sending import office, workers
from crm.mail.sending.send import Way
from hub import figures, watching
from hub.commands import running
from hub.public import create_public_app
from self_service_portal import create_app as create_portal_app
from tests.people import PASSWORD, make_people


class Unreachable(Memory):
    """A mail server that lets nobody in while `is_down`; counts who tried."""

    def __init__(self) -> None:
        super().__init__()
        self.is_down, self.tried = True, 0

    def connection(self) -> Any:
        inner = super().connection()

        def open_it() -> Outcome | None:
            self.tried += 1
            return Outcome("unreachable", "connect", text="refused") if self.is_down else None

        inner.open = open_it  # type: ignore[method-assign]
        return inner


def down() -> list[troubles.Down]:
    found = troubles.current()
    db.session.rollback()  # what was read must not hold the lock
    return found


def test_a_mail_server_that_is_away_is_told_from_what_senders_met_until_it_is_back(own_app: Any) -> None:
    public = create_public_app(own_app.config["CUSTOMERHUB"])
    server = Unreachable()
    post = office.PostOffice(db.engine, server, office.Rules(), own_app.app_context, "tested")
    mine, way = workers.enlist(db.engine, "tested"), Way()

    def looked() -> Any:
        way.try_at = 0.0  # its pause is over
        post._look_at_server(way, mine)
        tried = server.tried
        answer = public.test_client().get("/readyz")
        assert server.tried == tried  # asking opens no connection
        return answer.status_code, answer.json["troubles"]

    assert looked() == (200, {})
    assert server.tried == 0
    way.failed("refused")
    assert looked() == (503, {"mail": "the mail server does not answer"})
    since = down()[0].since
    assert looked()[0] == 503
    assert [(one.subject, one.since) for one in down()] == [("mail", since)]  # the same as before
    server.is_down = False
    assert looked() == (200, {})
    assert down() == []
    way.failed("refused")
    way.failed("refused")
    way.pause = office.AWAY_PAUSE_SECONDS
    post._watch.note(True)
    db.session.execute(db.update(troubles.Trouble).values(seen_at=troubles.Trouble.seen_at - troubles.KEPT_SECONDS))
    db.session.commit()
    assert down() == []  # whoever said it has gone silent


def test_a_worker_notes_since_when_broker_and_disk_are_away(own_app: Any, monkeypatch: Any) -> None:
    found = watching.Watching(own_app, own_app.config["CUSTOMERHUB"], "tested")
    found.look()
    assert down() == []
    monkeypatch.setattr(disk, "LEAST_FREE_BYTES", 10**18)
    monkeypatch.setattr(figures, "trouble_of_broker", lambda _config: "refused")
    found.look()
    assert {one.subject for one in down()} == {"queue", "disk"}
    monkeypatch.undo()
    found.look()
    assert down() == []


def test_without_its_database_a_page_says_so_and_tries_again_by_itself(app: Any) -> None:
    def away(*_: Any) -> None:
        raise OperationalError("SELECT", {}, Exception("could not connect"))

    client = app.test_client()
    client.set_cookie("ch_crm", "something", path="/crm")
    event.listen(Engine, "before_cursor_execute", away)
    try:
        answer = client.get("/crm/contacts")
        program = client.get("/api/v1/contacts", headers={"Authorization": f"Bearer ch_12345678_{43 * 'a'}"})
    finally:
        event.remove(Engine, "before_cursor_execute", away)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "15")
    assert (program.status_code, program.headers["Retry-After"]) == (503, "15")
    assert program.json["errors"][0]["code"] == "database_away"
    assert "The database does not answer" in answer.text
    assert 'http-equiv="refresh"' in answer.text
    assert client.get("/crm/contacts").status_code == 303


def test_without_its_database_strangers_and_customers_get_a_page_that_tries_again_too(own_app: Any) -> None:
    def away(*_: Any) -> None:
        raise OperationalError("SELECT", {}, Exception("could not connect"))

    config = own_app.config["CUSTOMERHUB"]
    public, portal = create_public_app(config).test_client(), create_portal_app(config).test_client()
    portal.set_cookie("ch_portal", "something", path="/portal")
    event.listen(Engine, "before_cursor_execute", away)
    try:
        shown = [public.get(path) for path in ("/", "/pref/abc", "/c/abc/1", "/p/none")]
        shown += [portal.get("/portal/"), portal.get("/portal/login")]
        program = portal.get("/portal/api/pages/home")
        left = public.post("/u1/abc", data={"List-Unsubscribe": "One-Click"})
    finally:
        event.remove(Engine, "before_cursor_execute", away)
    for answer in shown:
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "15"), answer.request.path
        assert "This cannot be shown just now" in answer.text
        assert "location.reload()" in answer.text
    assert (program.status_code, program.json) == (503, {"error": "database_away"})
    assert left.status_code == 503  # whoever tells us of one who leaves tells us again
    assert "This cannot be taken just now" in left.text
    assert public.get("/").status_code == 200
    assert "This cannot be shown just now" not in portal.get("/portal/login").text


def test_a_disk_that_takes_no_mark_of_use_takes_no_page_away(own_app: Any) -> None:
    make_people()
    token = logins.sign_in("crm", "alice@example.com", PASSWORD).token
    db.session.commit()

    def full(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("UPDATE sessions"):
            raise OperationalError(statement, {}, Exception("database or disk is full"))

    with clock.standing_at(clock.now() + timedelta(minutes=2)):
        row = sessions.find("crm", token)
        event.listen(Engine, "before_cursor_execute", full)
        try:
            sessions.touch(row)
        finally:
            event.remove(Engine, "before_cursor_execute", full)
        assert sessions.find("crm", token).seen_at == row.seen_at


def test_a_clock_by_itself_looks_after_broker_and_disk(own_app: Any, monkeypatch: Any) -> None:
    stop = threading.Event()
    monkeypatch.setattr(disk, "LEAST_FREE_BYTES", 10**18)
    monkeypatch.setattr(watching, "EVERY_SECONDS", 0.05)
    monkeypatch.setattr(running, "_until_signal", lambda: stop)
    monkeypatch.setattr("crm.create_worker_app", lambda _config: own_app)
    monkeypatch.setattr(settings, "load", lambda: own_app.config["CUSTOMERHUB"])
    begun = threading.Thread(target=running.clock.callback)
    begun.start()
    try:
        end = time.monotonic() + 30
        while not down() and time.monotonic() < end:
            time.sleep(0.05)
        assert [one.subject for one in down()] == ["disk"]
    finally:
        stop.set()
        begun.join()
