"""Mail merge from lists (M110): each document has the data of its record; one PDF or a ZIP; cancelled, refused, within rights."""

import io
import zipfile

import pytest
from lxml import html

from crm.db import db
from crm.documents import mail_merge
from crm.engine import attachments, outbox
from crm.engine.outbox import GiveUp
from crm.engine.refusals import Refused
from crm.identity import sharing
from tests.api.calls import caller
from tests.documents.samples import Word
from tests.documents.test_pdf import text_of, with_office

word = Word()


class Progress:
    """What a worker gives a task; `stops_at`: cancelled once so many are done."""

    job_id, created_by_id = 0, None

    def __init__(self, stops_at=10**9):
        self.done, self.stops_at = [], stops_at

    def step(self, done, total=None, message=None):
        self.done.append((done, total))

    def cancelled(self):
        return self.done[-1][0] >= self.stops_at


@pytest.fixture
def letter(template):
    return template(word.file(word.p("Dear {$first_name|default:'friend'} {$last_name},"), word.p("{$phone}")))


def run(job, progress=None):
    said = outbox.standing(db.session, job)
    return mail_merge.run(progress or Progress(), **said.arguments)


def opened(message, people):
    _file, path = attachments.open_file(people["alice"], int(message.rsplit("/", 1)[1]))
    return path.read_bytes()


def words_of(data):
    with zipfile.ZipFile(io.BytesIO(data)) as held:
        return "".join(held.read("word/document.xml").decode().split("<w:t")[1:])


@pytest.mark.parametrize("module", ["contacts", "leads", "tickets"])
def test_merged_documents_have_the_data_of_their_records(module, make, template, people):
    field = "title" if module == "tickets" else "last_name"
    id = template(word.file(word.p("{$" + field + "}")), module=module)
    names = ["Virta", "Salo", "Virta", "Ääkkönen & <co>"]
    more = {"company": "Co"} if module == "leads" else {}
    ids = [make(module, **{field: name, "owner_id": people.alice}, **more) for name in names]
    db.session.commit()
    message = run(mail_merge.start(people["alice"], module, [*ids, ids[0]], id, "same"))
    with zipfile.ZipFile(io.BytesIO(opened(message, people))) as packed:
        made = {name: words_of(packed.read(name)) for name in packed.namelist()}
    assert len(made) == len(names)
    assert len({name.casefold() for name in made}) == len(names)
    for name, found in zip(("Virta", "Salo", "Virta", "Ääkkönen &amp; &lt;co&gt;"), made.values(), strict=True):
        assert name in found
    assert "4 documents." in message


@with_office
def test_one_pdf_has_the_pages_of_all_in_their_order(make, letter, people, tmp_path):
    ids = [make("contacts", first_name=f"N{n}", last_name="Salo", owner_id=people.alice) for n in range(3)]
    db.session.commit()
    message = run(mail_merge.start(people["alice"], "contacts", ids[::-1], letter, "one_pdf"))
    assert "Empty in some: {$phone}." in message
    text = text_of(opened(message, people), tmp_path)
    assert [text.index(f"Dear N{n} Salo") for n in (2, 1, 0)] == sorted(text.index(f"Dear N{n} Salo") for n in range(3))
    assert text.count("\f") == 3


def test_a_merge_is_started_from_the_list_shows_its_bar_and_can_be_stopped(browse, make, letter, people):
    ids = [make("contacts", last_name=f"N{n}", owner_id=people.alice) for n in range(25)]
    db.session.commit()
    alice = browse("alice")
    token = html.fromstring(alice.get("/").text).xpath("//meta[@name='csrf-token']/@content")[0]
    assert 'value="documents"' in alice.get("/contacts").text
    chosen = alice.post("/contacts/mass", {"csrf": token, "do": "documents", "id": [str(id) for id in ids]})
    page = chosen.headers["Location"].removeprefix("/crm")
    assert "Make documents for 25 records" in alice.get(page).text
    sent = {"csrf": token, "id": [str(id) for id in ids], "template": str(letter), "output": "same"}
    assert "Choose a template." in alice.post("/contacts/merge-documents", sent | {"template": "1"}, 422).text
    started = alice.post("/contacts/merge-documents", sent).headers["Location"]
    job = int(started.rsplit("=", 1)[1])
    assert "0 of 25" in alice.get(started.removeprefix("/crm")).text
    stopped = Progress(stops_at=20)
    assert run(job, stopped) is None
    assert stopped.done == [(20, 25)]
    bob = browse("bob")
    bob.get(f"/document-merges/{job}", 404)
    alice.post(f"/document-merges/{job}/cancel", {"csrf": token}, 200)
    assert "It was cancelled." in alice.get(f"/document-merges/{job}").text


def test_what_may_not_be_seen_is_left_out_and_too_many_are_refused(app, make, template, letter, people):
    hers = make("contacts", last_name="Hers", owner_id=people.alice)
    hidden = make("contacts", last_name="Hidden", owner_id=people.charlie)
    sharing.set_level("contacts", "private")
    only = template(word.file(word.p("{$last_name}")), shown_if="$account_id")
    db.session.commit()
    message = run(mail_merge.start(people["alice"], "contacts", [hers, hidden], letter, "same"))
    assert "1 document. Left out 1: a record that is gone or may not be seen." in message
    with pytest.raises(GiveUp, match="the template is not offered for it"):
        run(mail_merge.start(people["alice"], "contacts", [hers], only, "same"))
    for ids, field in (([], "ids"), (list(range(1, 502)), "ids")):
        with pytest.raises(Refused) as refused:
            mail_merge.start(people["alice"], "contacts", ids, letter, "same")
        assert field in refused.value.faults
    ask = caller(app, people.alice)
    said = {"ids": [hers], "document_template_id": letter, "output": "same"}
    answer = ask("POST", "/contacts/document_merges", said)
    assert answer.status_code == 202, answer.text
    here = f"/contacts/document_merges/{answer.json['data']['id']}"
    assert ask("GET", here).json["data"]["attributes"]["state"] == "waiting"
    assert caller(app, people.bob)("GET", here).status_code == 404
    assert ask("POST", "/leads/document_merges", said).status_code == 422
