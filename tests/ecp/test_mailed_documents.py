"""Mail merge by mail (M110): a draft whose people each get the document of their own record, through the engine like any other."""

import io
import zipfile
from email import message_from_bytes
from email.policy import default

import pytest
from sqlalchemy import func, select

from crm.db import db
from crm.engine import outbox, search
from crm.engine.outbox import GiveUp
from crm.identity.viewer import SYSTEM
from crm.mail.sending import kinds
from crm.mail.sending.deliveries import Delivery
from crm.mail.sending.kinds import Claimed
from ecp import merged
from ecp.modules.sendout_documents import DOCUMENTS
from ecp.pipeline import prepare
from tests.api.calls import caller
from tests.documents.conftest import template
from tests.documents.samples import Word
from tests.documents.test_mail_merge import Progress

__all__ = ["template"]
word = Word()


@pytest.fixture
def letter(template):
    return template(word.file(word.p("Dear {$first_name|default:'friend'} {$last_name}")))


@pytest.fixture
def chosen(house):
    """Two who may be mailed, one who opted out, one without an address."""
    ids = [house.contact(f"{name.lower()}@example.com", first_name=name) for name in ("Aino", "Pekka")]
    out = house.contact("out@example.com", first_name="Out", email_opt_out=True)
    nowhere = house.contact(None, first_name="Nowhere")
    db.session.commit()
    return [*ids, out, nowhere]


def run(job, progress=None):
    return merged.run(progress or Progress(), **outbox.standing(db.session, job).arguments)


def mail_of(sendout, person):
    """The finished mail of one person, as the post office makes it."""
    said = select(Delivery).where(Delivery.sendout_id == sendout, Delivery.person_id == person)
    row = db.session.execute(said).scalar_one()
    claimed = Claimed(row.id, 0, row.kind, sendout, row.email, row.person_module, row.person_id, 0, 0, None)
    kind = kinds.KINDS[row.kind]
    data = kind.render(claimed, kind.load([claimed])).data
    return message_from_bytes(bytes(data), policy=default)


def words_of(part):
    with zipfile.ZipFile(io.BytesIO(part.get_payload(decode=True))) as held:
        return held.read("word/document.xml").decode()


def test_each_person_gets_the_own_document_and_who_may_not_be_mailed_none(browse, house, chosen, letter):
    ada = browse("ada", "crm")
    token = ada.form("/contacts/new")["csrf"]
    said = {"csrf": token, "id": [str(id) for id in chosen], "template": str(letter)}
    page = ada.post("/contacts/merge-documents", said | {"output": "mail"}).location.removeprefix("/crm")
    assert "E-mails with documents for 4 records" in ada.get(page).text
    sent = said | {"of": "contacts", "as": "same"}
    assert "Choose an active e-mail." in ada.post("/document-mails", sent, 422).text
    started = ada.post("/document-mails", sent | {"email_template_id": str(house.mail_id)}).location
    job = int(started.rsplit("=", 1)[1])
    assert "0 of 4" in ada.get(started.removeprefix("/crm")).text
    message = run(job)
    db.session.commit()
    assert "A draft for 3 people, each with a document." in message
    assert "has no e-mail address" in message
    id = int(message.split("/sendouts/")[1].split("/")[0])
    shown = ada.get(f"/sendouts/{id}/steps/send").text
    assert "3 people, each with an own document" in shown
    ada.post(f"/sendouts/{id}/start", ada.form(f"/sendouts/{id}/steps/send", "people") | {"tested": "1"})
    prepare.prepare(id)
    rows = db.session.execute(select(Delivery.person_id, Delivery.state).where(Delivery.sendout_id == id))
    states = {row.person_id: row.state for row in rows}
    assert states == {chosen[0]: "waiting", chosen[1]: "waiting", chosen[2]: "skipped"}
    for person, name in zip(chosen, ("Aino", "Pekka"), strict=False):
        (file,) = mail_of(id, person).iter_attachments()
        assert f"Dear {name} " in words_of(file)
        assert mail_of(id, person)["List-Unsubscribe"]


def test_nobody_to_mail_no_right_or_a_stop_leave_nothing_behind(app, browse, house, people, chosen, letter):
    ask = caller(app, people.ada)
    said = {"ids": chosen[3:], "document_template_id": letter, "email_template_id": house.mail_id, "as_pdf": False}
    answer = ask("POST", "/contacts/document_mails", said)
    assert answer.status_code == 202, answer.text
    job = int(answer.json["data"]["id"])
    assert ask("GET", f"/contacts/document_merges/{job}").status_code == 200
    with pytest.raises(GiveUp, match="has no e-mail address"):
        run(job)
    db.session.rollback()
    stopped = int(ask("POST", "/contacts/document_mails", said | {"ids": chosen}).json["data"]["id"])
    assert run(stopped, Progress(stops_at=1)) is None
    assert ask("POST", "/products/document_mails", said).status_code == 403
    assert caller(app, people.rita)("POST", "/contacts/document_mails", said).status_code == 403
    browse("rita", "crm").get("/document-mails?of=contacts", 403)
    assert search.count(SYSTEM, "sendouts") == 0
    assert db.session.execute(select(func.count()).select_from(DOCUMENTS)).scalar() == 0
