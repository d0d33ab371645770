"""Mails that answer ours about service requests (P76)."""

from sqlalchemy import update

from crm.db import db
from crm.engine.outbox import TASKS
from crm.mail.inbox.parse import read
from crm.mail.sending.deliveries import Delivery
from crm.modules.service_requests import note_files, notes, replies
from crm.modules.tickets.scanning import rule_rows, scanners
from crm.modules.tickets.scanning.take_in import take_in
from tests.modules.service_requests.test_service_requests import Job, letters
from tests.modules.tickets.support import Support, mail


def test_an_answer_by_mail_stands_in_its_request_and_one_of_a_stranger_does_not(desk):
    id, box = desk.request(), Support.scanner(None, reply_from="support@kaisla.example")
    step = desk.step(id, "response", "Proposal")
    TASKS["service_requests.mail_step"].run(Job(), step_id=step)
    (sent,) = letters(f"sr:step:{step}")
    identity = "<ab12@kaisla.example>"
    db.session.execute(update(Delivery).where(Delivery.id == sent.id).values(message_id=identity))

    def take(*said, **headers):
        return take_in(scanners.one(box), rule_rows.rules_of(box), read(mail(*said, **headers)), "INBOX")

    stranger = take("Re", "Mine too", sender="else@virta.example", In_Reply_To=identity)
    assert stranger.result == "skipped"  # no rule takes it
    guessed = take("Re", "Guessed", sender="anna@virta.example", In_Reply_To="<cd34@kaisla.example>")
    assert guessed.result == "skipped"
    taken = take("Re", "On the third floor", sender="anna@virta.example", In_Reply_To=identity)
    assert (taken.result, taken.ticket_id) == ("commented", None)
    (note,) = notes.of_request(id)
    assert (note["text"], note["contact_id"], note["is_internal"]) == ("On the third floor", desk.contact, False)
    TASKS["service_requests.mail_note"].run(Job(), note_id=note["id"])
    assert [one.email for one in letters("sr:note:")] == ["alice@example.com"]
    assert note_files.files_of([note["id"]]) == {}
    db.session.execute(update(db.metadata.tables["service_requests"]).values(state="completed"))
    assert replies.answered(read(mail("Re", "Late", sender="anna@virta.example", In_Reply_To=identity))) is None
