"""Pages of support as agents and administrators use them."""

import io

from lxml import html
from sqlalchemy import select

from crm.db import db
from crm.engine import records, search
from crm.engine.channels import Channel
from crm.engine.outbox import Job
from crm.engine.registry import modules
from crm.identity import keys
from crm.identity.viewer import SYSTEM
from crm.mail.mailbox import MailboxError
from crm.modules.tickets import commenting, settings, statuses
from crm.modules.tickets.scanning import entry, rule_rows, scanners
from crm.modules.tickets.scanning.tables import MailScanner
from tests.self_service_portal.test_requests import FORM, body_of


def csrf(browser):
    return html.fromstring(browser.get("/").text).xpath("//meta[@name='csrf-token']/@content")[0]


def comments(ticket_id):
    table = modules["ticket_comments"].table
    return list(db.session.execute(select(table).where(table.c.ticket_id == ticket_id).order_by(table.c.id)).mappings())


def test_an_agent_answers_and_notes_and_the_two_look_different(browse, make):
    id = make("tickets", title="Fire", description="It burns <b>now</b>")
    alice = browse("alice")
    said = {"csrf": csrf(alice)}
    alice.post(
        f"/tickets/{id}/comments", said | {"text": "We come.", "visibility": "public", "status": "Wait For Response"}
    )
    alice.post(f"/tickets/{id}/comments", said | {"text": "<script>alert(1)</script>", "visibility": "internal"})
    page = html.fromstring(alice.get(f"/tickets/{id}").text)
    words = page.xpath("//ol[@class='talk']/li")
    assert [" ".join(one.get("class").split()) for one in words] == [
        "word of-customer",
        "word of-staff",
        "word of-staff is-internal",
    ]
    assert "It burns <b>now</b>" in words[0].text_content()
    assert "<script>alert(1)</script>" in words[2].text_content()
    assert not page.xpath("//ol[@class='talk']//script")
    assert search.one(SYSTEM, "tickets", id)["state"] == "waiting"
    story = page.xpath("//*[@id='timeline']")[0].text_content()
    assert "Wait For Response" in story
    assert "Clock stands since" not in story  # it only followed, and is told among the changes
    assert "Clock stands since" in alice.get(f"/tickets/{id}/timeline?wanted=change").text
    wrong = alice.post(f"/tickets/{id}/comments", said | {"text": "  ", "visibility": "internal"}, status=422).text
    assert "Write something first." in wrong
    assert html.fromstring(wrong).xpath("//input[@value='internal'][@checked]")


def test_a_file_of_a_comment_is_a_download_that_never_runs_and_a_program_is_refused(browse, make, people):
    id = make("tickets", title="Fire")
    alice = browse("alice")
    said = {"csrf": csrf(alice), "text": "See", "visibility": "internal"}
    wrong = alice.post(f"/tickets/{id}/comments", said | {"file": (io.BytesIO(b"MZ\x90"), "a.txt")}, status=422).text
    assert "is a program" in wrong
    assert html.fromstring(wrong).xpath("//textarea[@name='text']")[0].text == "See"
    film = body_of(said, "film.mp4", b"x" * (26 * 1024 * 1024))
    wrong = alice.client.post(f"/crm/tickets/{id}/comments", data=film, content_type=FORM)
    assert wrong.status_code == 413
    assert "larger than 25 MB" in wrong.text
    assert html.fromstring(wrong.text).xpath("//textarea[@name='text']")[0].text == "See"
    assert comments(id) == []
    alice.post(f"/tickets/{id}/comments", said | {"file": (io.BytesIO(b"<script>alert(1)</script>"), "a.html")})
    file = commenting.files_of([comments(id)[0]["id"]]).popitem()[1][0]
    answer = alice.get(f"/tickets/{id}/attachments/{file.id}")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.mimetype == "application/octet-stream"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    answer.close()
    other = make("tickets", title="Other")
    alice.get(f"/tickets/{other}/attachments/{file.id}", status=404)


def test_a_young_note_is_changed_by_its_writer_and_an_answer_is_not(browse, make, people):
    id = make("tickets", title="Fire")
    alice = browse("alice")
    said = {"csrf": csrf(alice)}
    alice.post(f"/tickets/{id}/comments", said | {"text": "He pays late", "visibility": "internal"})
    note = comments(id)[0]["id"]
    assert f"/comments/{note}/edit" in alice.get(f"/tickets/{id}").text
    assert "He pays late" in alice.get(f"/tickets/{id}/comments/{note}/edit").text
    wrong = alice.post(f"/tickets/{id}/comments/{note}/edit", said | {"text": " "}, status=422).text
    assert "Write something first." in wrong
    alice.post(f"/tickets/{id}/comments/{note}/edit", said | {"text": "He pays in time"})
    assert comments(id)[0]["text"] == "He pays in time"
    browse("bob").get(f"/tickets/{id}/comments/{note}/edit", status=404)
    alice.post(f"/tickets/{id}/comments", said | {"text": "We come.", "visibility": "public"})
    answer = comments(id)[1]["id"]
    page = alice.get(f"/tickets/{id}").text
    assert f"/comments/{answer}/edit" not in page
    alice.post(f"/tickets/{id}/comments/{answer}/edit", said | {"text": "We do not."}, status=409)


def test_the_formatted_text_of_a_mail_is_shown_where_it_can_do_nothing(browse, make):
    id = make("tickets", title="Fire")
    made = commenting.put(
        id, commenting.Author("customer", "Anna"), {"html": "<p>Hi</p><script>x</script>", "text": "Hi"}
    )
    db.session.commit()
    answer = browse("alice").get(f"/tickets/{id}/comments/{made}/formatted")
    assert "<p>Hi</p>" in answer.text
    assert "script" not in answer.text
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'; sandbox")


def test_times_in_the_history_are_told_as_people_write_them(browse, make, people):
    id = make("tickets", title="Fire")
    records.update(people["alice"], "tickets", id, {"due_at": "2027-01-04T12:30:00Z"}, Channel.FORM)
    db.session.commit()
    page = html.fromstring(browse("alice").get(f"/tickets/{id}").text)
    told = " ".join(page.xpath("//*[contains(text(), '→')]//text()"))
    assert "Due" in told
    assert "2:30" in told  # in Helsinki
    assert "2027-01-04T" not in told


def test_a_faq_is_made_only_after_personal_data_was_looked_at(browse, make):
    id = make("tickets", title="Fire", solution="Call 040 555 1234.")
    alice = browse("alice")
    page = alice.get(f"/tickets/{id}/faq").text
    assert "<mark>040 555 1234</mark>" in page
    said = {"csrf": csrf(alice), "question": "Fire?", "answer": "Call 040 555 1234."}
    wrong = alice.post(f"/tickets/{id}/faq", said, status=422).text
    assert "Look at the names" in wrong
    (led_to,) = html.fromstring(wrong).xpath("//div[@role='alert']//a/@href")
    assert html.fromstring(wrong).xpath(f"//input[@type='checkbox'][@id='{led_to[1:]}']")
    alice.post(f"/tickets/{id}/faq", said | {"answer": "Call us."})
    row = search.find(SYSTEM, "faqs", columns=("question", "status", "source_ticket_id")).rows[0]
    assert (row["question"], row["status"], row["source_ticket_id"]) == ("Fire?", "Draft", id)


def test_tickets_are_merged_split_and_watched(browse, make, people):
    keep, other = make("tickets", title="Fire"), make("tickets", title="Fire too")
    comment = commenting.put(
        other, commenting.Author("customer", "Anna"), {"text": "And smoke", "visibility": "public"}
    )
    db.session.commit()
    alice = browse("alice")
    said = {"csrf": csrf(alice)}
    assert "Choose 1 to" in alice.post(f"/tickets/{keep}/merge", said, status=422).text
    gone = make("tickets", title="Merged before", merged_into_id=keep)
    wrong = alice.post(f"/tickets/{keep}/merge", said | {"other": [str(other), str(gone)]}, status=422).text
    chosen = html.fromstring(wrong).xpath("//select[@name='other']/option[@selected]/@value")
    assert set(chosen) == {str(other), str(gone)}  # what was chosen is kept
    number = search.one(SYSTEM, "tickets", other).number
    assert f">{number}: Fire too</option>" in wrong
    offered = alice.get(f"/choose/tickets?numbers=1&q={number}").json
    assert offered == [{"value": other, "text": f"{number}: Fire too"}]  # found by what tells tickets apart
    alice.post(f"/tickets/{keep}/merge", said | {"other": str(other)})
    assert [one["text"] for one in comments(keep)] == ["And smoke"]
    alice.post(f"/tickets/{keep}/split/{comment}", said | {"title": ""}, status=422)
    alice.post(f"/tickets/{keep}/split/{comment}", said | {"title": "Smoke"})
    assert (
        search.find(SYSTEM, "tickets", where={"$eq": ["title", "Smoke"]}, columns=("parent_id",)).rows[0]["parent_id"]
        == keep
    )
    alice.post(f"/tickets/{keep}/watch", said)
    assert (
        'aria-pressed="true"'
        in html.tostring(html.fromstring(alice.get(f"/tickets/{keep}").text).get_element_by_id("thread")).decode()
    )


SCANNER = {
    "name": "Support", "host": "127.0.0.1", "port": "993", "encryption": "ssl", "username": "support", "password": "hush now",
    "scans": "unread", "active": "1", "validates_certificate": "1", "reply_from": "support@kaisla.example",
}  # fmt: skip


def test_a_scanner_is_stored_only_when_its_connection_works_and_its_password_is_never_shown(
    browse, people, monkeypatch
):
    ada = browse("ada")
    said = {"csrf": csrf(ada)} | SCANNER

    def refused(account):
        raise MailboxError("login", "The mail server does not take this user name and password.")

    monkeypatch.setattr(scanners.save, "__defaults__", (None, refused))
    page = ada.post("/admin/mail-scanners/new", said, status=422).text
    assert "does not take this user name and password" in page
    assert "hush now" not in page
    assert db.session.query(MailScanner).count() == 0
    assert keys.names("scanner:") == []
    monkeypatch.setattr(scanners.save, "__defaults__", (None, lambda account: scanners.Checked(("INBOX", "Done"))))
    ada.post("/admin/mail-scanners/new", said)
    row = db.session.query(MailScanner).one()
    assert entry.kept(row.id).password == "hush now"
    assert "hush now" not in ada.get(f"/admin/mail-scanners/{row.id}").text
    wrong = ada.post(
        f"/admin/mail-scanners/{row.id}", said | {"password": "", "host": "elsewhere.example"}, status=422
    ).text
    assert "Type the password" in wrong
    unknown = ada.post(f"/admin/mail-scanners/{row.id}", said | {"folders": "Nowhere"}, status=422).text
    assert "There is no folder" in unknown
    ada.post(f"/admin/mail-scanners/{row.id}", said | {"password": "", "folders": "INBOX"})
    rule = {
        "csrf": said["csrf"],
        "action": "create",
        "match": "all",
        "subject_operator": "regex",
        "subject": "(",
        "rule_active": "1",
    }
    assert "This pattern cannot be read" in ada.post(f"/admin/mail-scanners/{row.id}/rules", rule, status=422).text
    ada.post(f"/admin/mail-scanners/{row.id}/rules", rule | {"subject": "help"})
    ada.post(f"/admin/mail-scanners/{row.id}/rules", {"csrf": said["csrf"], "action": "ignore", "rule_active": "1"})
    first, second = rule_rows.rules_of(row.id)
    assert (first.subject, second.action) == ("help", "ignore")
    ada.post(f"/admin/mail-scanners/{row.id}/rules/{second.id}/up", {"csrf": said["csrf"]})
    assert rule_rows.rules_of(row.id)[0].id == second.id
    opened = f"/admin/mail-scanners/{row.id}?rule={first.id}"
    assert 'value="help"' in ada.get(opened).text
    changed = rule | {"subject": "urgent", "rule_owner_id": people.bob, "priority": "High", "rule_active": ""}
    ada.post(f"/admin/mail-scanners/{row.id}/rules/{first.id}", changed)
    assert [one.id for one in rule_rows.rules_of(row.id)] == [second.id]
    now = rule_rows.one(row.id, first.id)
    assert (now["subject"], now["owner_id"], now["priority"], now["place"]) == ("urgent", people.bob, "High", 1)
    wrong = ada.post(f"/admin/mail-scanners/{row.id}/rules/{first.id}", rule | {"subject": "("}, status=422).text
    assert "This pattern cannot be read" in wrong
    assert f'/rules/{first.id}"' in wrong  # what was typed is kept, and it is still this rule that is changed
    ada.get(f"/admin/mail-scanners/{row.id}?rule=999999", status=404)
    ada.post(f"/admin/mail-scanners/{row.id}/run", {"csrf": said["csrf"]})
    assert db.session.query(Job).filter_by(task="tickets.scan").count() == 1
    ada.post(f"/admin/mail-scanners/{row.id}/delete", {"csrf": said["csrf"]})
    assert keys.names("scanner:") == []


def test_settings_of_support_are_checked_and_kept(browse, people):
    ada = browse("ada")
    sent = ada.form("/admin/support")
    bad = {
        "reopens_for_days": ["soon"],
        "solve_minutes.Normal": ["never"],
        "mon.from": ["17:00"],
        "holidays": ["yesterday"],
        "assigning": ["round_robin"],
    }
    page = ada.post("/admin/support", sent | bad, status=422).text
    for sentence in (
        "whole number",
        "such as 4 or 1.5",
        "begin before they end",
        "“yesterday” is no date",
        "Choose who gets",
    ):
        assert sentence in page
    assert settings.current().reopens_for_days == 14
    good = {
        "solve_minutes.Normal": ["1,5"],
        "holidays": ["2027-01-06"],
        "assigning": ["round_robin"],
        "group_id": [str(people.team)],
        "exports_notes": ["1"],
    }
    ada.post("/admin/support", sent | good)
    settings.forget()
    said = settings.current()
    assert said.exports_notes
    assert (said.solve_minutes["Normal"], said.holidays, said.group_id) == (90, ["2027-01-06"], people.team)
    table = {f"state.{one}": statuses.state_of(one) for one in ("Open", "In Progress", "Wait For Response", "Closed")}
    ada.post(
        "/admin/support/statuses",
        table | {"csrf": csrf(ada), "new_name": "Parked", "new_state": "waiting", "new_tells": "1"},
    )
    db.session().info.pop("picklists", None)  # another session wrote them
    assert (statuses.state_of("Parked"), statuses.tells_customer("Parked"), statuses.tells_customer("Closed")) == (
        "waiting",
        True,
        False,
    )
    browse("alice").get("/admin/support", status=403)
    browse("alice").get("/admin/mail-scanners", status=403)


def test_a_ready_answer_is_put_below_what_was_typed(browse, make):
    template = make(
        "email_templates", "ada", name="Restart", kind="template", folder="Tickets", text="Restart {$ticket.number}."
    )
    id = make("tickets", title="Fire")
    alice = browse("alice")
    box = alice.post(
        f"/tickets/{id}/canned", {"csrf": csrf(alice), "canned": str(template), "text": "Hello"}, status=200
    ).text
    assert html.fromstring(box).text.split() == ["Hello", "Restart", f"{search.one(SYSTEM, 'tickets', id).number}."]
