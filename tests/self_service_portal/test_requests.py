"""Requests of customers in the portal: basic users and administrators, comments, files, closing (P18, P63, P65, P66)."""

import io
import re
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from crm import clock
from crm.db import db
from crm.engine import records, search
from crm.engine.channels import Channel
from crm.engine.outbox import TASKS, Job
from crm.engine.refusals import Refused
from crm.engine.registry import modules
from crm.identity.viewer import SYSTEM
from crm.modules.portals import matrix
from crm.modules.tickets import commenting
from tests.self_service_portal.conftest import csrf, mails

SHOWN = ("number", "title", "status", "priority", "category", "product_id", "description", "updated_at")
OPEN = ("title", "description", "priority", "category", "product_id")


@pytest.fixture
def desk(shop):
    """The profile opens requests; one of Dora, one of Dan, one of Bea; a sender for mails."""
    fields = {name: {"visible": True, "editable": name in OPEN} for name in SHOWN}
    said = {"can_create": True, "can_edit": True, "can_comment": True, "can_attach": True, "fields": fields}
    shop.show(tickets=said, faqs={"fields": {"question": {"visible": True}, "answer": {"visible": True}}})
    shop.make("sender_addresses", address="support@kaisla.example", state="confirmed", is_default=True)
    shop.tickets = {
        name: shop.make("tickets", title=f"Trouble of {name}", contact_id=shop.ids[name], description="It squeaks.")
        for name in ("dora", "dan", "bea")
    }
    db.session.commit()
    return shop


def ticket(id):
    table = modules["tickets"].table
    return db.session.execute(select(table).where(table.c.id == id)).mappings().one()


def run(*tasks):
    """Do the jobs of these tasks that wait."""
    db.session.commit()
    for job in db.session.scalars(select(Job).where(Job.state == "waiting", Job.task.in_(tasks))).all():
        TASKS[job.task].run(type("P", (), {"job_id": job.id})(), **job.arguments)
        job.state = "done"
    db.session.commit()


def test_a_status_is_looked_for_among_all_requests_not_only_those_of_the_tab(desk):
    """P18: whoever chooses “Closed” on the tab of the open ones sees the closed ones."""
    records.update(SYSTEM, "tickets", desk.tickets["dora"], {"status": "Closed"}, Channel.SYSTEM)
    db.session.commit()
    dora = desk.browse("dora")
    assert "Trouble of dora" not in dora.get("/tickets?tab=open").text
    closed = dora.get("/tickets?tab=open&status=Closed").text
    assert "Trouble of dora" in closed
    assert "Trouble of dan" not in closed
    assert 'tab=all" aria-current="page"' in closed


def test_a_basic_user_sees_own_requests_and_an_administrator_the_companys(desk):
    """P65, P18: the type of the user decides, then the scope of the profile."""
    dan, dora, bea = (desk.browse(name) for name in ("dan", "dora", "bea"))
    assert "Trouble of dan" in dan.get("/tickets").text
    assert "Trouble of dora" not in dan.get("/tickets?whose=all").text
    assert 'name="whose"' not in dan.get("/tickets").text
    dan.get(f"/tickets/{desk.tickets['dora']}", 404)
    everything = dora.get("/tickets").text
    assert "Trouble of dan" in everything
    assert "Trouble of dora" in everything
    assert "Trouble of bea" not in everything
    assert "Trouble of dan" not in dora.get("/tickets?whose=mine").text
    dora.get(f"/tickets/{desk.tickets['dan']}")
    bea.get(f"/tickets/{desk.tickets['dora']}", 404)
    for name, browser in (("dan", dan), ("dora", dora)):  # both comment and attach to what they see
        form = {
            "csrf": csrf(browser.get("/tickets").text),
            "text": f"More from {name}",
            "file": (io.BytesIO(b"pixels"), "screen.png"),
        }
        browser.post(f"/tickets/{desk.tickets['dan']}/comments", form, 303)
    assert [one["contact_id"] for one in comments(desk.tickets["dan"])] == [desk.ids["dan"], desk.ids["dora"]]
    desk.show(tickets={"scope": "account"})
    assert "Trouble of dora" in dan.get("/tickets").text
    assert "Trouble of dora" not in dan.get("/tickets?whose=mine").text


def comments(id):
    table = modules["ticket_comments"].table
    return list(db.session.execute(select(table).where(table.c.ticket_id == id).order_by(table.c.id)).mappings())


def test_tabs_status_and_words_narrow_the_list(desk):
    records.update(SYSTEM, "tickets", desk.tickets["dan"], {"status": "Closed"}, Channel.SYSTEM)
    db.session.commit()
    dora = desk.browse("dora")
    assert "Trouble of dan" not in dora.get("/tickets").text
    assert "Trouble of dan" in dora.get("/tickets?tab=closed").text
    assert "Trouble of dora" not in dora.get("/tickets?tab=closed").text
    assert "Trouble of dan" in dora.get("/tickets?tab=all&status=Closed").text
    assert "Trouble of dora" in dora.get("/tickets?q=dora").text
    assert "Trouble of dora" not in dora.get("/tickets?q=elephant").text
    assert "at least two letters" in dora.get("/tickets?q=x").text
    assert "Trouble of dora" in dora.get("/").text or "tickets" not in matrix.read(desk.profile)["boxes"]


def test_a_new_request_is_made_with_files_told_by_mail_and_given_to_whom_the_portal_says(desk):
    desk.set(default_assignee_id=desk.people.bob)
    dan = desk.browse("dan")
    form = dan.form("/tickets/new")
    assert "status" not in form
    wrong = dan.post("/tickets/new", form | {"title": ["Lamp"], "description": [""], "priority": [""]}, 422).text
    assert 'value="Lamp"' in wrong
    assert wrong.count("This must be filled in.") >= 2
    sent = {name: value[0] for name, value in form.items()} | {
        "title": "The lamp is dark", "description": "Since Monday.", "priority": "High", "status": "Closed", "owner_id": "1",
        "contact_id": str(desk.ids["bea"]), "file": [(io.BytesIO(b"<script>alert(1)</script>"), "page.html")],
    }  # fmt: skip
    answer = dan.post("/tickets/new", sent, 303)
    id = int(answer.headers["Location"].rsplit("/", 1)[1])
    row = ticket(id)
    assert (row["title"], row["priority"], row["status"], row["source"]) == (
        "The lamp is dark",
        "High",
        "Open",
        "portal",
    )
    assert (row["contact_id"], row["account_id"], row["owner_id"]) == (
        desk.ids["dan"],
        desk.ids["acme"],
        desk.people.bob,
    )
    run("tickets.receipt")
    letter = mails(f"tickets:receipt:{id}")[0]
    assert row["number"] in letter.payload["text"]
    assert "Since Monday." in letter.payload["text"]
    assert letter.email == "dan@acme.example"
    page = dan.get(f"/tickets/{id}").text
    assert page.count("Since Monday.") == 1 + page.count('<dd class="long">Since Monday.')
    href = re.search(r'href="/portal(/tickets/\d+/files/\d+)"', page)[1]
    file = dan.get(href)
    assert file.data == b"<script>alert(1)</script>"
    file.close()
    assert file.headers["Content-Disposition"].startswith("attachment")
    assert file.headers["Content-Type"] == "application/octet-stream"
    assert "sandbox" in file.headers["Content-Security-Policy"]
    desk.browse("bea").get(href, 404)


FORM = "multipart/form-data; boundary=border"


def body_of(form, name, data):
    """A form with one file, put together by hand: the client would keep a large one in a file of its own."""
    parts = [
        f'--border\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'.encode()
        for key, value in form.items()
    ]
    head = f'--border\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\nContent-Type: video/mp4\r\n\r\n'.encode()
    return b"".join([*parts, head, data, b"\r\n--border--\r\n"])


def test_programs_and_files_of_26_megabytes_are_refused_and_nothing_is_written(desk):
    dan, id = desk.browse("dan"), desk.tickets["dan"]
    form = {"csrf": csrf(dan.get("/tickets").text), "text": "Look"}
    page = dan.post(f"/tickets/{id}/comments", form | {"file": (io.BytesIO(b"MZ\x90"), "photo.png")}, 422).text
    assert "is a program" in page
    assert "Look" in page
    answer = dan.client.post(
        f"/portal/tickets/{id}/comments", data=body_of(form, "film.mp4", b"x" * (26 * 1024 * 1024)), content_type=FORM
    )
    assert answer.status_code == 413
    assert "larger than 25 MB" in answer.text
    length = {"CONTENT_LENGTH": str(62 * 1024 * 1024)}  # said, not sent
    path = f"/portal/tickets/{id}/comments"
    answer = dan.client.post(path, data=form, content_type=FORM, environ_overrides=length)
    assert answer.status_code == 413
    assert "At most 60 MB" in answer.text
    made = dan.form("/tickets/new") | {"title": ["New"], "description": ["d"], "priority": ["Low"]}
    sent = {name: value[0] for name, value in made.items()} | {"file": (io.BytesIO(b"\x7fELF"), "tool.txt")}
    assert "is a program" in dan.post("/tickets/new", sent, 422).text
    assert comments(id) == []
    assert not [one for one in search.find(SYSTEM, "tickets").rows if one["title"] == "New"]


def test_internal_comments_and_their_files_are_nowhere_in_the_portal(desk):
    """P63."""
    id = desk.tickets["dan"]
    commenting.say(desk.people["alice"], id, "The customer is a secretelephant", "internal")
    commenting.say(desk.people["alice"], id, "We come tomorrow.", "public")
    db.session.commit()
    dan = desk.browse("dan")
    page = dan.get(f"/tickets/{id}").text
    assert "We come tomorrow." in page
    assert "Alice" in page
    for path in (f"/tickets/{id}", "/tickets?q=secretelephant", "/search?q=secretelephant", f"/api/tickets/{id}"):
        assert "is a secretelephant" not in dan.get(path).text


def test_the_customer_closes_reopens_and_replies(desk):
    """P66: closing by POST only; a reply in 14 days reopens; a later one makes a new request."""
    dan, id = desk.browse("dan"), desk.tickets["dan"]
    form = {"csrf": csrf(dan.get("/tickets").text)}
    dan.get(f"/tickets/{id}/close", 405)
    dan.post(f"/tickets/{id}/close", form, 303)
    assert ticket(id)["state"] == "closed"
    assert ticket(id)["closed_by_customer"]
    dan.post(f"/tickets/{id}/close", form, 409)
    dan.get(f"/tickets/{id}/edit", 404)  # closed ones are not changed
    with pytest.raises(Exception):  # noqa: B017 - Missing or Forbidden, by the door itself
        records.update(desk.viewer("dan"), "tickets", id, {"title": "x"}, Channel.PORTAL)
    dan.post(f"/tickets/{id}/reopen", form, 303)
    assert ticket(id)["status"] == "Open"
    dan.post(f"/tickets/{id}/close", form, 303)
    dan.post(f"/tickets/{id}/comments", form | {"text": "It squeaks again"}, 303)
    assert ticket(id)["status"] == "In Progress"
    dan.post(f"/tickets/{id}/close", form, 303)
    table = modules["tickets"].table
    db.session.execute(update(table).where(table.c.id == id).values(closed_at=clock.now() - timedelta(days=15)))
    db.session.commit()
    dan.post(f"/tickets/{id}/reopen", form, 409)
    answer = dan.post(f"/tickets/{id}/comments", form | {"text": "And again"}, 303)
    new = int(answer.headers["Location"].rsplit("/", 1)[1])
    assert ticket(new)["parent_id"] == id
    assert ticket(id)["state"] == "closed"


def test_only_opened_fields_are_changed_and_never_the_status(desk):
    dan, id = desk.browse("dan"), desk.tickets["dan"]
    form = dan.form(f"/tickets/{id}/edit")
    assert "title" in form
    assert not {"status", "owner_id", "contact_id"} & set(form)
    dan.post(f"/tickets/{id}/edit", form | {"title": ["Louder trouble"], "status": ["Closed"]}, 303)
    assert (ticket(id)["title"], ticket(id)["status"]) == ("Louder trouble", "Open")
    with pytest.raises(Refused):
        matrix.change(
            SYSTEM,
            desk.profile,
            Channel.SYSTEM,
            modules={"tickets": {"enabled": True, "fields": {"status": {"visible": True, "editable": True}}}},
        )
    sent = dan.client.patch(
        f"/portal/api/tickets/{id}", json={"status": "Closed"}, headers={"X-CSRF-Token": form["csrf"][0]}
    )
    assert sent.status_code == 422


def test_a_profile_without_comments_or_files_refuses_them(desk):
    desk.show(tickets={"can_comment": False, "can_attach": False, "can_edit": False, "can_create": False})
    dan, id = desk.browse("dan"), desk.tickets["dan"]
    form = {"csrf": csrf(dan.get("/tickets").text)}
    for path in ("comments", "close"):
        dan.post(f"/tickets/{id}/{path}", form | {"text": "hello"}, 404)
    dan.get("/tickets/new", 404)
    page = dan.get(f"/tickets/{id}").text
    assert "Your message" not in page
    held = matrix.read(desk.profile)["modules"]
    held["tickets"]["enabled"] = False
    matrix.change(SYSTEM, desk.profile, Channel.SYSTEM, modules=held)
    db.session.commit()
    for path in ("/tickets", f"/tickets/{id}", "/tickets/new", f"/tickets/{id}/files/1"):
        dan.get(path, 404)
