"""Who reads what in the outbox: administrators all of it, who may send the mails of sendouts they may see and their own tests."""

import pytest
from sqlalchemy import insert, text

from crm import clock, config
from crm.db import db
from crm.identity import sharing
from crm.mail.folder import Folder
from crm.mail.message import Envelope
from crm.mail.sending.deliveries import Delivery
from ecp.pipeline import actions, prepare, testing


@pytest.fixture
def mails(people, house):
    """Ids in the folder: a mail of a sendout, tests of Mary and of Ada, a letter that logs somebody in."""
    sendout = house.sendout(house.campaign([house.contact("anna@example.com")]))
    db.session.commit()
    actions.start(people["ada"], sendout)
    db.session.commit()
    prepare.prepare(sendout)
    for name in ("mary", "ada"):
        testing.send_tests_of_mail(people[name], house.mail_id, [f"{name}@example.com"])
    letter = {"kind": "letter", "email": "ada@example.com", "email_key": "ada@example.com", "created_at": clock.now()}
    db.session.execute(insert(Delivery).values(dedupe_key="password:1", **letter))
    db.session.execute(text("UPDATE deliveries SET message_id = '<' || id || '@example.com>'"))
    db.session.commit()
    folder, made = Folder(config.current().data_path / "outbox"), {}
    connection = folder.connection()
    connection.open()
    rows = db.session.execute(text("SELECT id, kind, email FROM deliveries ORDER BY id")).all()
    for id, kind, email in rows:
        source = b"Message-ID: <%d@example.com>\r\nSubject: %s\r\n\r\nHello\r\n" % (id, f"{kind} to {email}".encode())
        connection.send(Envelope("news@example.com", email), source)
        made[f"{kind} to {email}"] = folder.newest(1)[0].id
    yield made
    for one in made.values():
        folder.delete(one)


def readable(browser, mails, query=""):
    page = browser.get(f"/outbox{query}").text
    listed = {name for name, id in mails.items() if f'/outbox/{id}"' in page}
    for name, id in mails.items():
        for path in ("", "/seen", "/source"):
            browser.get(f"/outbox/{id}{path}", 200 if name in listed or query else 404)
    return listed


def test_who_may_send_reads_the_mails_of_sendouts_and_own_tests_and_no_link_that_opens_a_door(browse, mails):
    assert readable(browse("ada"), mails) == set(mails)
    hers = {"sendout to anna@example.com", "sendout_test to mary@example.com"}
    assert readable(browse("mary"), mails) == hers
    assert "Outbox" in browse("mary").get("/").text
    assert mails["sendout to anna@example.com"] in browse("mary").get("/outbox?q=anna").text
    assert mails["sendout_test to ada@example.com"] not in browse("mary").get("/outbox?q=ada").text


def test_with_a_mail_server_links_are_in_use_outside_and_only_administrators_look(browse, mails, monkeypatch):
    monkeypatch.setattr(config.Config, "smtp_url", property(lambda self: "smtp://mail.example:25"), raising=False)
    mary = browse("mary")
    mary.get("/outbox", 403)
    mary.get(f"/outbox/{mails['sendout to anna@example.com']}", 403)
    assert "/ecp/outbox" not in mary.get("/").text
    browse("ada").get("/outbox")


def test_a_sendout_that_one_may_not_see_has_no_mails_in_the_outbox(browse, mails, people):
    sharing.set_level("sendouts", "private")
    db.session.commit()
    assert readable(browse("mary"), mails) == {"sendout_test to mary@example.com"}
