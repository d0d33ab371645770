"""“Send an e-mail” on cards (M68, M69, M70): both modes, from a record by its contact, with document and files, each once."""

import io
import re

import pytest
from lxml import html
from sqlalchemy import select, update

from crm import clock
from crm.db import db
from crm.documents import uploads
from crm.engine import attachments, outbox, records, search, timeline
from crm.engine.channels import Channel
from crm.engine.outbox import RunLater
from crm.engine.refusals import Missing, Refused
from crm.identity.viewer import SYSTEM
from crm.mail.sending.deliveries import Delivery
from crm.mail.sending.kinds import KINDS, Claimed
from ecp.personal import sending
from ecp.personal.sending import Along, Order
from ecp.personal.writing import Draft
from surveys import links
from surveys.modules.survey_invitations import SurveyInvitation
from tests.api.calls import caller
from tests.documents.samples import Word
from tests.documents.test_pdf import with_office
from tests.surveys.conftest import make_survey

word = Word()


class Progress:
    job_id, created_by_id = 0, None

    def step(self, *_):
        pass

    def cancelled(self):
        return False


@pytest.fixture
def deal(people, house):
    """A contact of Alice and a potential of that contact: (contact, potential)."""
    contact = house.contact("anna@example.com", first_name="Anna", last_name="Virta", owner_id=people.alice)
    potential = house.make("potentials", name="Roof", contact_id=contact, owner_id=people.alice)
    db.session.commit()
    return contact, potential


def only_mail():
    row = db.session.execute(select(Delivery).where(Delivery.kind.like("personal%"))).scalar_one()
    claimed = Claimed(row.id, 0, row.kind, None, row.email, row.person_module, row.person_id, 0, 0, row.payload)
    kind = KINDS[row.kind]
    made = kind.render(claimed, kind.load([claimed]))
    return row, bytes(made.data if isinstance(made.data, bytes) else made.data.data).decode()


def send(browser, path, said, status=303):
    form = browser.form(path, has="once")
    return browser.post(path, {**form, **said}, status)


def test_from_the_card_of_a_potential_its_contact_is_written_to_with_a_preview_and_once(browse, deal, house):
    contact, potential = deal
    alice = browse("alice", "crm")
    here = f"/potentials/{potential}/send-email"
    assert f"/crm{here}" in alice.get(f"/potentials/{potential}").text
    page = alice.get(f"{here}?template={house.mail_id}").text
    assert html.fromstring(page).xpath("//input[@name='subject']/@value") == ["Hello Anna"]
    form = alice.form(f"{here}?template={house.mail_id}", has="once")
    said = form | {
        "subject": "Your roof",
        "message": "Dear {$contact.first_name},\n\n<b>see below</b>",
        "mode": "manual",
    }
    seen = alice.post(f"{here}/preview", said, 200)
    assert "Dear Anna," in seen.text
    assert "&lt;b&gt;see below" in seen.text
    assert "sandbox" in seen.headers["Content-Security-Policy"]
    for _twice in range(2):
        alice.post(here, said)
    row, source = only_mail()
    assert (row.email, row.person_id, row.subject) == ("anna@example.com", contact, "Your roof")
    for piece in ("From: Example <news@example.com>", "Reply-To: alice@example.com", "Dear Anna,", "Hello Anna, see"):
        assert piece in source
    assert "Auto-Submitted" not in source
    for module, id in (("contacts", contact), ("potentials", potential)):
        told = [entry.sentence for entry in timeline.page(SYSTEM, module, id).entries]
        assert any("Your roof" in sentence for sentence in told), module


def test_a_mail_written_from_a_ticket_stands_on_the_ticket_too(browse, deal, house, people):
    contact, _potential = deal
    ticket = house.make("tickets", title="No air", contact_id=contact, owner_id=people.alice)
    db.session.commit()
    alice = browse("alice", "crm")
    send(alice, f"/tickets/{ticket}/send-email", {"subject": "Your air", "message": "Soon.", "mode": "manual"})
    for module, id in (("contacts", contact), ("tickets", ticket)):
        assert any("Your air" in entry.sentence for entry in timeline.page(SYSTEM, module, id).entries), module
    assert "Your air" in alice.get(f"/tickets/{ticket}").text


def test_a_template_goes_as_it_is_and_what_became_of_it_stands_on_the_card(browse, deal, house):
    contact, _potential = deal
    alice = browse("alice", "crm")
    here = f"/contacts/{contact}/send-email"
    send(alice, f"{here}?template={house.mail_id}", {"mode": "automatic", "subject": "", "message": ""})
    row, _source = only_mail()
    assert row.subject == "Hello Anna"
    (email,) = search.find(SYSTEM, "emails", columns=("state",)).rows
    with pytest.raises(RunLater):
        sending.follow(Progress(), email_id=email.id, delivery_id=row.id)
    assert search.one(SYSTEM, "emails", email.id)["state"] == "sending"
    for state, values in (
        ("failed", {"reply": "550 5.1.1 unknown"}), ("uncertain", {"reply": "lost"}), ("sent", {"sent_at": clock.now()}),
    ):  # fmt: skip
        db.session.execute(update(Delivery).where(Delivery.id == row.id).values(state=state, **values))
        try:
            sending.follow(Progress(), email_id=email.id, delivery_id=row.id)
        except RunLater:
            assert state == "uncertain"
        found = search.one(SYSTEM, "emails", email.id)
        assert (found["state"], found["failed_reason"]) == (state, values.get("reply"))


def test_the_links_at_the_foot_of_a_template_lead_somewhere_in_a_mail_to_one_person(browse, deal, house):
    contact, _potential = deal
    foot = '<a href="{$links.online}">In the browser</a> · <a href="{$links.preferences}">Choices</a> · <a href="{$links.unsubscribe}">Leave</a>'
    records.update(
        SYSTEM, "email_templates", house.mail_id, {"html": f"<p>Hello</p><p>{foot}</p>", "text": ""}, Channel.SYSTEM
    )
    db.session.commit()
    alice = browse("alice", "crm")
    send(
        alice,
        f"/contacts/{contact}/send-email?template={house.mail_id}",
        {"mode": "automatic", "subject": "", "message": ""},
    )
    _row, source = only_mail()
    whole = source.replace("=\r\n", "").replace("=\n", "").replace("=3D", "=")
    assert "In the browser" not in whole  # nothing is kept to be read there
    assert 'href=""' not in whole
    assert "<>" not in whole
    assert re.findall(r'href="https?://[^/]+(/[a-z]+/)[^"]+"', whole) == ["/pref/", "/u/"]


def test_bad_words_are_refused_at_their_field_and_nothing_is_written(browse, deal):
    contact, _potential = deal
    alice = browse("alice", "crm")
    here = f"/contacts/{contact}/send-email"
    for said, wanted in (
        ({"subject": "", "message": "Hi"}, "Write a subject, or choose a template."),
        ({"subject": "S", "message": "Hi {$contact.frist_name}"}, "Unknown tag {$contact.frist_name}"),
        ({"subject": "x" * 201, "message": "Hi"}, "201 characters, at most 200 are taken."),
        ({"subject": "S", "message": "{$campaign.name}"}, "Unknown tag {$campaign.name}"),
    ):
        page = send(alice, here, said, 422).text
        assert wanted in page
        assert said["subject"] in page
    assert not db.session.execute(select(Delivery)).first()
    browse("rita", "crm").get(here, 404)


def test_one_person_is_asked_a_survey_from_the_card_by_a_link_of_her_own(browse, deal):
    contact, _potential = deal
    asked = make_survey([{"name": "name", "kind": "text"}])
    alice = browse("alice", "crm")
    here = f"/contacts/{contact}/send-email"
    tag = f"{{$links.survey:{asked.id}}}"
    assert tag in alice.get(here).text
    said = {"subject": "Tell us", "message": f"Please answer: {tag} & see {{$links.me}}"}
    seen = alice.post(f"{here}/preview", alice.form(here, has="once") | said, 200).text
    shown = links.open_token(re.search(r"/s/([\w-]+)", seen)[1])
    assert shown == links.Opened("preview", asked.id)
    send(alice, here, said)
    row, _source = only_mail()
    token = re.search(r'<a href="[^"]*/s/([\w-]+)">', row.payload["html"])[1]
    assert links.open_token(token) == links.Opened("delivery", asked.id, row.id)
    assert "/me/" in row.payload["text"]
    table = SurveyInvitation.__table__
    (invited,) = db.session.execute(select(table).where(table.c.survey_id == asked.id)).all()
    assert (invited.person_id, invited.delivery_id, invited.is_answered) == (contact, row.id, False)
    assert "Unknown tag" in send(alice, here, said | {"subject": tag}, 422).text
    asked.set(status="closed")
    assert "is not active, so its link" in send(alice, here, said, 422).text


def test_who_opted_out_is_written_to_only_when_the_sender_confirms_and_a_later_no_still_counts(browse, deal, people):
    contact, _potential = deal
    alice = browse("alice", "crm")
    here = f"/contacts/{contact}/send-email"
    send(alice, here, {"subject": "A", "message": "Hi"})
    row, _source = only_mail()
    assert row.kind == "personal"
    refusal = KINDS["personal"].refusal(None)
    asked = select(refusal).select_from(Delivery).where(Delivery.id == row.id)
    assert db.session.execute(asked).scalar() is None
    records.update(people["alice"], "contacts", contact, {"email_opt_out": True}, Channel.FORM)
    db.session.commit()
    assert db.session.execute(asked).scalar() == "opt_out"
    page = send(alice, here, {"subject": "B", "message": "Hi"}, 422).text
    assert "Has opted out of mail" in page
    send(alice, here, {"subject": "B", "message": "Hi", "overrules": "1"})
    kinds = db.session.execute(select(Delivery.kind).order_by(Delivery.id)).scalars().all()
    assert kinds == ["personal", "personal_overruled"]
    assert KINDS["personal_overruled"].refusal(None) is None


def template(people, module):
    id = records.create(
        people["ada"], "document_templates", {"name": "Offer", "module": module, "output": "pdf"}, Channel.FORM
    )
    uploads.keep(people["ada"], id, "offer.docx", io.BytesIO(word.file(word.p("Offer: {$name}"))))
    records.update(people["ada"], "document_templates", id, {"active": True}, Channel.FORM)
    db.session.commit()
    return id


def test_a_filled_document_and_files_go_along_up_to_five_megabytes(browse, deal, people):
    contact, potential = deal
    offer = template(people, "potentials")
    plan = attachments.store(people["alice"], "plan.txt", io.BytesIO(b"the plan"), "text/plain").id
    attachments.attach(people["alice"], "contacts", contact, plan, Channel.FORM)
    db.session.commit()
    alice = browse("alice", "crm")
    here = f"/potentials/{potential}/send-email"
    assert "plan.txt" in alice.get(here).text
    large = attachments.store(people["alice"], "large.bin", io.BytesIO(b"x" * (5 * 1024 * 1024 - 7)), "text/plain").id
    db.session.commit()
    page = send(alice, here, {"subject": "S", "message": "M", "file_id": [str(plan), str(large)]}, 413).text
    assert "may have 5 MB together; these have more: “large.bin”, “plan.txt”" in page
    own = {"file_id": [str(plan)], "file": (io.BytesIO(b"of mine"), "mine.txt")}
    send(alice, here, {"subject": "S", "message": "M", "document": f"{offer}:same", **own})
    _row, source = only_mail()
    assert re.findall(r'filename="([^"]+)"', source) == ["plan.txt", "mine.txt", "Offer Roof.docx"]
    (email,) = search.find(SYSTEM, "emails").rows
    assert {one.name for one in attachments.files_of(SYSTEM, "emails", email.id)} == {
        "plan.txt",
        "mine.txt",
        "Offer Roof.docx",
    }


@with_office
def test_by_rest_a_document_becomes_a_pdf_first_and_a_stranger_sends_nothing(app, deal, people):
    _contact, potential = deal
    said = {"subject": "S", "message": "M", "document_template_id": template(people, "potentials")}
    answer = caller(app, people.alice)("POST", f"/potentials/{potential}/mails", said)
    assert answer.status_code == 202, answer.text
    job = outbox.standing(db.session, answer.json["meta"]["job_id"])
    for said_then in ("Offer Roof.pdf", "is on its way."):  # a worker that was killed after its commit does it again
        assert said_then in sending.make(Progress(), **job.arguments)
        db.session.commit()
    _row, source = only_mail()
    assert 'filename="Offer Roof.pdf"' in source
    assert caller(app, people.rita)("POST", f"/potentials/{potential}/mails", said).status_code == 403
    order = Order("potentials", potential, Draft(None, "S", "M"), Along([10**9]), "x")
    with pytest.raises(Missing):
        sending.send(people["alice"], order)
    records.update(SYSTEM, "potentials", potential, {"contact_id": None}, Channel.SYSTEM)
    with pytest.raises(Refused, match="no contact"):
        sending.send(people["alice"], order)
