"""What becomes of a mail: rules in order, threads by proof only, strangers, machines, bounces, loops, duplicates."""

import re
from datetime import date

import pytest
from sqlalchemy import func, select

from crm.db import db
from crm.engine import records, search
from crm.engine.channels import Channel
from crm.engine.refusals import Refused
from crm.identity.viewer import SYSTEM
from crm.mail.inbox.parse import read
from crm.modules.organisation import organisation
from crm.modules.portals import matrix
from crm.modules.tickets import codes, settings
from crm.modules.tickets.comments import TicketMail
from crm.modules.tickets.scanning.rule_rows import move_rule, rules_of
from crm.modules.tickets.scanning.tables import ScannedMail
from crm.words import _, speaking
from tests.mail.test_inbox import SHAPES
from tests.modules.tickets.support import mail

OWN = "support@kaisla.example"


@pytest.fixture
def scanner(support):
    id = support.scanner()
    support.rule(id)
    return id


def test_a_mail_becomes_a_ticket_of_the_contact_with_its_text_and_files(support, scanner):
    from email.message import EmailMessage

    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = "Anna Virta <ANNA@virta.example>", OWN, "Tulostin palaa ✓"
    made["Message-ID"], made["Cc"] = "<one@virta.example>", "boss@virta.example, support@kaisla.example"
    made.set_content("Apua.\n\nÄlkää viivytelkö.")
    made.add_attachment(b"%PDF-1.4 fire", maintype="application", subtype="pdf", filename="fire.pdf")
    made.add_attachment(b"MZ\x90\x00", maintype="image", subtype="png", filename="picture.png")
    taken = support.take(scanner, made.as_bytes())
    assert taken.result == "created"
    row = support.stored(taken.ticket_id)
    assert (row["title"], row["contact_id"], row["account_id"], row["source"]) == (
        "Tulostin palaa ✓",
        support.contact,
        support.account,
        "email",
    )
    assert row["cc"] == "boss@virta.example"
    public, internal = support.comments(taken.ticket_id)
    assert "viivytelkö" in public["text"]
    assert (internal["visibility"], internal["flag"]) == ("internal", "dropped")
    assert "picture.png" in internal["text"]
    from crm.modules.tickets.commenting import files_of

    assert [file.name for file in files_of([public["id"]])[public["id"]]] == ["fire.pdf"]


def test_the_first_rule_that_fits_decides(support):
    id = support.scanner()
    first = support.rule(id, subject_operator="contains", subject="SPAM", action="ignore")
    second = support.rule(id, subject_operator="contains", subject="invoice", priority="High")
    assert support.take(id, mail("invoice and spam")).result == "ignored"
    taken = support.take(id, mail("Invoice 7"))
    assert support.stored(taken.ticket_id)["priority"] == "High"
    assert support.take(id, mail("Else")).result == "skipped"
    assert support.take(id, mail("Else")).result == "skipped"  # looked at again, since it was left
    move_rule(id, second, up=True)
    assert [rule.id for rule in rules_of(id)] == [second, first]
    assert support.take(id, mail("invoice and spam again")).result == "created"


@pytest.mark.parametrize(
    ("operator", "said", "fits", "not_"),
    [
        ("contains", "fire", "A FIRE here", "water"),
        ("not_contains", "fire", "water", "A fire here"),
        ("equals", "fire", "Fire", "Fire!"),
        ("not_equals", "fire", "Fire!", "FIRE"),
        ("begins", "re:", "RE: fire", "Fire re:"),
        ("not_begins", "re:", "Fire", "Re: fire"),
        ("regex", r"TT\d+", "about TT12", "about TT"),
    ],
)
def test_each_operator_of_subjects_has_a_mail_that_fits_and_one_that_does_not(support, operator, said, fits, not_):
    id = support.scanner()
    support.rule(id, subject_operator=operator, subject=said)
    assert support.take(id, mail(fits)).result == "created"
    assert support.take(id, mail(not_)).result == "skipped"


@pytest.mark.parametrize(
    ("operator", "fits", "not_"),
    [
        ("contains", "my fire here", "water"), ("not_contains", "water", "my fire"), ("equals", "FIRE", "fire now"),
        ("not_equals", "fire now", "fire"), ("begins", "fire now", "no fire"), ("not_begins", "no fire", "fire now"),
    ],
)  # fmt: skip
def test_each_operator_of_bodies_has_a_mail_that_fits_and_one_that_does_not(support, operator, fits, not_):
    id = support.scanner()
    support.rule(id, body_operator=operator, body="fire")
    assert support.take(id, mail("One", fits)).result == "created"
    assert support.take(id, mail("Two", not_)).result == "skipped"


def test_conditions_hold_all_or_any_and_sender_recipient_and_folder_count(support):
    id = support.scanner()
    support.rule(id, sender="virta", subject_operator="contains", subject="fire", match="all", category="Big Problem")
    support.rule(id, sender="other.example", recipient="sales@", match="any", category="Small Problem")
    support.rule(id, folders=["Complaints"], category="Other Problem")

    def category(data, folder="INBOX"):
        taken = support.take(id, data, folder)
        return support.stored(taken.ticket_id)["category"] if taken.ticket_id else taken.result

    assert category(mail("Fire")) == "Big Problem"
    assert category(mail("Water")) == "skipped"
    assert category(mail("A", sender="x@other.example")) == "Small Problem"
    assert category(mail("B", To="sales@kaisla.example")) == "Small Problem"
    assert category(mail("Water again"), "Complaints") == "Other Problem"


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"subject_operator": "regex", "subject": "(open"}, "subject"),
        ({"subject_operator": "regex", "subject": r"(a)\1"}, "subject"),
        ({"subject_operator": "sounds_like", "subject": "x"}, "subject_operator"),
        ({"body_operator": "regex", "body": "x"}, "body_operator"),
        ({"subject_operator": "contains"}, "subject"),
        ({"action": "format the disk"}, "action"),
        ({"match": "some"}, "match"),
        ({"owner_id": 999_999}, "owner_id"),
    ],
)
def test_rules_that_make_no_sense_are_refused_at_the_field(support, values, field):
    with pytest.raises(Refused) as refused:
        support.rule(support.scanner(), **values)
    assert field in refused.value.faults


def answered(support, **values):
    """A ticket with one mail that we sent about it; gives its id and the payload of the mail."""
    id = support.ticket(scanner_id=None, **values)
    from crm.mail.message import Address
    from crm.modules.tickets.mails import Content, send

    assert send(support.stored(id), Address("anna@virta.example"), Content("Fire", "We come."), dedupe_key=f"test:{id}")
    return id, support.sent("anna@virta.example")[-1].payload


def test_a_reply_lands_in_its_ticket_by_header_by_plus_address_and_by_signed_code(support, scanner):
    id, payload = answered(support)
    identity = db.session.scalar(select(TicketMail.message_id).where(TicketMail.ticket_id == id))
    ways = [
        mail("Thanks", "by In-Reply-To", In_Reply_To=identity),
        mail("Thanks", "by References", References=f"<else@virta.example> {identity}"),
        mail("Thanks", "by plus-address", To=payload["reply_to"][0]),
        mail("Thanks", "by delivered-to", To="somebody@kaisla.example", Delivered_To=payload["reply_to"][0].upper()),
        mail(f"VS: {payload['subject'].lower()}", "by code"),
    ]
    for data in ways:
        taken = support.take(scanner, data)
        assert (taken.result, taken.ticket_id) == ("commented", id), data
    texts = [one["text"] for one in support.comments(id)]
    assert texts == ["by In-Reply-To", "by References", "by plus-address", "by delivered-to", "by code"]
    assert all(one["visibility"] == "public" and one["author"] == "customer" for one in support.comments(id))
    chained = mail(
        "Thanks", "an answer to her own mail", In_Reply_To=re.search(rb"Message-ID: (\S+)", ways[0])[1].decode()
    )
    assert support.take(scanner, chained).ticket_id == id


def test_quoted_text_is_folded_away(support, scanner):
    _id, payload = answered(support)
    text = "It works now.\n\nOn Mon, 2 Mar 2026 at 10:00, Support <support@kaisla.example> wrote:\n> We come.\n> Soon."
    taken = support.take(scanner, mail("Thanks", text, To=payload["reply_to"][0]))
    row = support.comments(taken.ticket_id)[-1]
    assert row["text"] == "It works now."
    assert "We come." in row["quoted"]


@pytest.mark.parametrize(
    "subject",
    ["[#{number}-AAAAAAAA] hello", "Re: #{number}", "about {number}", "[#{number}] x", "[#{number}-{other}] x"],
)
def test_a_number_with_a_wrong_code_never_touches_the_old_ticket(support, scanner, subject):
    id, _payload = answered(support)
    before = dict(support.stored(id))
    said = subject.format(number=before["number"], other=codes.code_of(id + 1))
    taken = support.take(scanner, mail(said, "I am Anna, honestly"))
    assert taken.result == "created"
    assert taken.ticket_id != id
    assert dict(support.stored(id)) == before
    assert support.comments(id) == []
    if "#" in said:
        note = support.comments(taken.ticket_id)[-1]
        assert (note["visibility"], note["flag"]) == ("internal", "refers")
        assert f"#{before['number']}" in note["text"]


def test_forged_message_ids_and_tokens_find_nothing(support, scanner):
    id, payload = answered(support)
    local, _at, domain = payload["reply_to"][0].partition("@")
    # Every other last letter, also those that are spellings of the same octets.
    others = [f"{local[:-1]}{letter}@{domain}" for letter in "abcdefghijklmnopqrstuvwxyz234567" if letter != local[-1]]
    assert [codes.ticket_of(one, f"{local.partition('+')[0]}@{domain}") for one in others] == [None] * 31
    forged = others[0]
    data = mail("Hello", "forged", To=forged, In_Reply_To="<aaaaaaaaaaaaaaaa@kaisla.example>", References="<x@y> <z@w>")
    taken = support.take(scanner, data)
    assert taken.result == "created"
    assert taken.ticket_id != id


def test_a_stranger_in_the_thread_becomes_an_internal_note_and_gets_no_answer(support, scanner, people):
    id, payload = answered(support, owner_id=people.alice)
    before = len(support.sent())
    taken = support.take(scanner, mail("Thanks", "Let me in", sender="mallory@evil.example", To=payload["reply_to"][0]))
    support.run_jobs()
    assert taken.result == "noted"
    row = support.comments(id)[-1]
    assert (row["visibility"], row["flag"]) == ("internal", "unverified")
    assert {one.email for one in support.sent()[before:]} == {"alice@example.com"}


def test_copies_and_administrators_of_the_company_may_write_too_and_colleagues_may_not(support, scanner):
    id, payload = answered(support, cc="boss@virta.example")
    to = payload["reply_to"][0]
    assert support.take(scanner, mail("A", "copied", sender="boss@virta.example", To=to)).result == "commented"
    colleague = support.make("contacts", last_name="Salo", email="salo@virta.example", account_id=support.account)
    assert support.take(scanner, mail("B", "colleague", sender="salo@virta.example", To=to)).result == "noted"
    portal = support.make("portals", name="Ours", code="ours")
    profile = support.make("portal_profiles", name="All", portal_id=portal)
    user = support.make("portal_users", contact_id=colleague, portal_id=portal, profile_id=profile, is_admin=True)

    def heard(text, **said):
        shown = {"enabled": True, "scope": "own", "can_comment": True, "fields": {"title": {"visible": True}}, **said}
        matrix.change(SYSTEM, profile, Channel.SYSTEM, modules={"tickets": shown})
        return support.take(scanner, mail("C", text, sender="salo@virta.example", To=to)).result

    assert heard("tickets are not shown at all", enabled=False) == "noted"
    assert heard("seen only", can_comment=False) == "noted"
    assert heard("administrator") == "commented"
    assert support.comments(id)[-1]["contact_id"] == colleague
    records.update(SYSTEM, "portal_users", user, {"is_admin": False}, Channel.SYSTEM)
    assert heard("basic user") == "noted"
    assert heard("of a profile that opens the company's", scope="account") == "commented"
    records.update(SYSTEM, "portal_users", user, {"valid_to": date(2020, 1, 1)}, Channel.SYSTEM)
    assert heard("whose time is over", scope="account") == "noted"


@pytest.mark.parametrize(
    ("verdict", "result"),
    [
        ("mx.kaisla.example; dkim=pass header.d=example.com", "commented"),
        ("mx.kaisla.example; spf=pass smtp.mailfrom=alice@example.com", "commented"),
        ("mx.kaisla.example; dkim=fail header.d=example.com", "noted"),
        ("mx.kaisla.example; dkim=pass header.d=evil.example; x=example.com", "noted"),
        ("mx.evil.example; dkim=pass header.d=example.com", "noted"),
        ("", "noted"),
    ],
)
def test_an_agent_who_answers_from_the_mail_program_is_believed_when_our_own_server_vouches(
    support, scanner, people, verdict, result
):
    settings.change(trusted_server="mx.kaisla.example")
    id, payload = answered(support)
    headers = {"Authentication_Results": verdict} if verdict else {}
    data = mail("Re", "We are there.", sender="Alice <alice@example.com>", To=payload["reply_to"][0], **headers)
    assert support.take(scanner, data).result == result
    row = support.comments(id)[-1]
    assert (row["visibility"], row["user_id"]) == (
        ("public", people.alice) if result == "commented" else ("internal", None)
    )
    before = len(support.sent("anna@virta.example"))
    support.run_jobs("tickets.answer")
    assert len(support.sent("anna@virta.example")) - before == (result == "commented")


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto_Submitted": "auto-replied"}, {"Auto_Submitted": "auto-generated (vacation)"}, {"Precedence": "bulk"},
        {"Precedence": "junk"}, {"Precedence": "auto_reply"}, {"Return_Path": "<>"}, {"List_Id": "<news.example.com>"},
        {"X_Autoreply": "yes"}, {"From": "MAILER-DAEMON@virta.example"},
    ],
)  # fmt: skip
def test_what_a_machine_wrote_gets_no_answer_and_makes_no_ticket(support, people, headers):
    id = support.scanner()
    support.rule(id, answer_template_id=greeting(support))
    headers = dict(headers)  # the other database gets the same ones
    sender = headers.pop("From", "Anna Virta <anna@virta.example>")
    assert support.take(id, mail("Out of office", sender=sender, **headers)).result == "skipped"
    ticket, payload = answered(support)
    before = len(support.sent())
    taken = support.take(
        id, mail("Out of office", "back on Monday", sender=sender, To=payload["reply_to"][0], **headers)
    )
    support.run_jobs()
    assert (taken.result, taken.ticket_id) == ("noted", ticket)
    assert support.comments(ticket)[-1]["visibility"] == "internal"
    assert not [row for row in support.sent()[before:] if "virta" in row.email]


def greeting(support):
    return support.make(
        "email_templates",
        name="We have it",
        kind="template",
        folder="System",
        subject="We have {$ticket.number}",
        text="Thank you.",
    )


def test_our_own_addresses_are_never_taken_for_customers(support, scanner):
    for sender in (OWN, "support+abcdefgh@kaisla.example", "Support@Kaisla.Example"):
        assert support.take(scanner, mail("Loop", sender, sender=sender)).result == "skipped"
    assert support.tickets() == []


def test_the_greeting_goes_once_is_automatic_and_answers_the_mail(support):
    id = support.scanner()
    support.rule(id, answer_template_id=greeting(support))
    data = mail("Help", Message_ID="<first@virta.example>")
    taken = support.take(id, data)
    payload = support.sent("anna@virta.example")[-1].payload
    assert payload["auto_submitted"] == "auto-replied"
    assert payload["in_reply_to"] == "<first@virta.example>"
    assert f"We have {support.stored(taken.ticket_id)['number']}" in payload["subject"]
    assert support.take(id, data).result == "seen"
    assert len(support.sent("anna@virta.example")) == 1


def test_two_systems_that_answer_each_other_fall_silent(support):
    """The other one is as bad as can be: no sign of a machine, a new subject and a new Message-ID each time."""
    id = support.scanner()
    support.rule(id, answer_template_id=greeting(support))
    support.take(id, mail("Help 0", sender="robot@loop.example"))
    answered_count = 0
    for turn in range(1, 30):
        ours = support.sent("robot@loop.example")
        if len(ours) == answered_count:
            break
        answered_count = len(ours)
        support.take(id, mail(f"Your request {turn} was received", f"turn {turn}", sender="robot@loop.example"))
    assert answered_count == 3
    assert turn == 4


def test_automatic_mails_about_one_ticket_are_ten_a_day_at_most(support):
    from crm.mail.message import Address
    from crm.modules.tickets.mails import Content, send

    ticket = support.stored(support.ticket())
    done = [
        send(ticket, Address(f"p{n}@virta.example"), Content("x", "y"), dedupe_key=f"a:{n}", automatic="auto-generated")
        for n in range(12)
    ]
    assert done == [True] * 10 + [False] * 2
    assert send(ticket, Address("p1@virta.example"), Content("x", "y"), dedupe_key="by a person")


def bounce(identity, status="5.1.1"):
    return (
        "From: MAILER-DAEMON@mx.virta.example\r\nTo: support@kaisla.example\r\nSubject: Undelivered\r\nReturn-Path: <>\r\n"
        f"Message-ID: <b{status}@mx.virta.example>\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nNo such user.\r\n"
        f"--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.virta.example\r\n\r\nFinal-Recipient: rfc822; anna@virta.example\r\nAction: failed\r\nStatus: {status}\r\n\r\n"
        f"--b\r\nContent-Type: text/rfc822-headers\r\n\r\nSubject: Fire\r\nMessage-ID: {identity}\r\n\r\n--b--\r\n"
    ).encode()


def test_a_report_of_a_mail_that_did_not_arrive_is_noted_and_the_address_marked(support, scanner):
    id, _payload = answered(support)
    identity = db.session.scalar(select(TicketMail.message_id).where(TicketMail.ticket_id == id))
    taken = support.take(scanner, bounce(identity))
    assert (taken.result, taken.ticket_id) == ("noted", id)
    row = support.comments(id)[-1]
    assert (row["visibility"], row["flag"]) == ("internal", "bounce")
    assert search.one(SYSTEM, "contacts", support.contact)["email_status"] == "hard_bounced"
    assert support.take(scanner, bounce("<nobody@knows.example>", "5.1.0")).result == "skipped"


def test_a_report_marks_the_address_that_it_is_about_and_believes_no_message_id_of_others(support, scanner):
    from crm.mail.message import Address
    from crm.modules.tickets.mails import Content, send

    boss = support.make("contacts", last_name="Boss", email="boss@virta.example")
    id = support.ticket(cc="boss@virta.example")
    assert send(support.stored(id), Address("boss@virta.example"), Content("Fire", "We come."), dedupe_key="copy")
    identity = db.session.scalar(select(TicketMail.message_id).where(TicketMail.ticket_id == id))
    support.take(scanner, bounce(identity))
    status = [search.one(SYSTEM, "contacts", one)["email_status"] for one in (boss, support.contact)]
    assert status == ["hard_bounced", "ok"]
    note = support.comments(id)[-1]
    assert "boss@virta.example" in note["note"]
    assert note["author_name"] == (organisation().name or "The house")  # the timeline says who wrote
    support.take(scanner, mail("Help", Message_ID="<mine@virta.example>"))  # who knows his own id reports it as bounced
    assert support.take(scanner, bounce("<mine@virta.example>", "5.0.0")).result == "skipped"
    assert search.one(SYSTEM, "contacts", support.contact)["email_status"] == "ok"


def test_the_same_mail_twice_is_one_ticket(support, scanner):
    data = mail("Help", Message_ID="<same@virta.example>")
    assert [support.take(scanner, data).result for _again in range(3)] == ["created", "seen", "seen"]
    assert len(support.tickets()) == 1
    without = re.sub(rb"Message-ID: .*\n", b"", mail("Without an id"))
    assert [support.take(scanner, without).result for _again in range(2)] == ["created", "seen"]
    assert db.session.scalar(select(func.count()).select_from(ScannedMail)) == 2


def test_a_known_person_is_never_overwritten_an_unknown_one_is_made_only_when_the_scanner_says_so(support):
    id = support.scanner()
    support.rule(id)
    taken = support.take(id, mail("New", sender="Matti Uusi <matti@new.example>"))
    assert support.stored(taken.ticket_id)["contact_id"] is None
    assert "matti@new.example" in support.comments(taken.ticket_id)[-1]["text"]
    makes = support.scanner(name="Makes", username="b", makes_contacts=True)
    support.rule(makes)
    taken = support.take(makes, mail("New again", sender="Matti Uusi <matti@new.example>"))
    made = search.one(SYSTEM, "contacts", support.stored(taken.ticket_id)["contact_id"])
    assert (made["first_name"], made["last_name"], made["email"]) == ("Matti", "Uusi", "matti@new.example")
    support.take(makes, mail("Again", sender='"Mallory Evil" <anna@virta.example>'))
    assert search.one(SYSTEM, "contacts", support.contact)["last_name"] == "Virta"
    support.make("contacts", last_name="Twin", email="anna@virta.example")
    taken = support.take(makes, mail("Twins"))
    assert "2 contacts" in support.comments(taken.ticket_id)[-1]["text"]


def test_a_mail_is_attached_to_the_card_of_contact_or_account(support):
    id = support.scanner()
    support.rule(id, subject_operator="begins", subject="card", action="attach_contact")
    support.rule(id, action="attach_account")
    assert support.take(id, mail("card one")).result == "attached"
    assert support.take(id, mail("company")).result == "attached"
    from crm.engine.relations import linked

    for module, record, subject in (
        ("contacts", support.contact, "card one"),
        ("accounts", support.account, "company"),
    ):
        rows = search.find(SYSTEM, "emails", columns=("subject", "direction"), within=linked(module, record, "emails"))
        assert [(row["subject"], row["direction"]) for row in rows] == [(subject, "received")]
    assert support.take(id, mail("who", sender="nobody@nowhere.example")).result == "skipped"


def test_an_update_rule_without_proof_makes_a_new_ticket(support):
    id = support.scanner()
    support.rule(id, subject_operator="regex", subject=r"TT\d+", action="update")
    old, payload = answered(support)
    taken = support.take(id, mail(f"About {support.stored(old)['number']}"))
    assert taken.result == "created"
    assert taken.ticket_id != old
    assert support.take(id, mail(payload["subject"], "proof")).ticket_id == old


def test_html_only_mails_are_sanitised_and_have_a_text(support, scanner):
    data = (
        b"From: anna@virta.example\r\nTo: support@kaisla.example\r\nSubject: x\r\nMessage-ID: <h@v>\r\nMIME-Version: 1.0\r\n"
        b"Content-Type: text/html; charset=utf-8\r\n\r\n<p>Hello <b>there</b></p><script>alert(1)</script>"
        b'<img src="https://evil.example/p.gif"><a href="javascript:alert(1)" onclick="x()">click</a><p>Second</p>'
    )
    taken = support.take(scanner, data)
    row = support.comments(taken.ticket_id)[0]
    assert row["text"].split("\n")[0] == "Hello there"
    assert "Second" in row["text"]
    assert "<b>there</b>" in row["html"]
    for bad in ("script", "evil.example", "javascript:", "onclick"):
        assert bad not in row["html"]


def test_a_mail_without_a_sender_is_left_alone(support, scanner):
    assert support.take(scanner, b"Subject: x\r\n\r\nhello").result == "skipped"
    assert support.take(scanner, b"From: not an address\r\n\r\nhello").result == "skipped"


def test_a_closed_ticket_reopens_by_mail_and_an_old_one_is_followed_on(support, scanner):
    id, payload = answered(support)
    records.update(SYSTEM, "tickets", id, {"status": "Closed"}, Channel.SYSTEM)
    assert support.take(scanner, mail("again", "1", To=payload["reply_to"][0])).ticket_id == id
    assert support.stored(id)["state"] == "open"
    settings.change(reopens_for_days=0)
    records.update(SYSTEM, "tickets", id, {"status": "Closed"}, Channel.SYSTEM)
    taken = support.take(scanner, mail("again", "2", To=payload["reply_to"][0]))
    assert taken.ticket_id != id
    assert support.stored(taken.ticket_id)["parent_id"] == id


ABSURD = [
    ("a zero in the id", mail().replace(b"Message-ID: <", b"Message-ID: <a\x00b")),
    ("a surrogate in the id", mail().replace(b"Message-ID: <", b"Message-ID: <a\xed\xa0\x80b")),
    ("ids of a thread", mail(In_Reply_To="<x@y>", References="<a@b>").replace(b"<x@y>", b"<x\x00\xff@y>")),
    ("ten thousand headers", mail().replace(b"\n\n", b"\n" + b"X-Y: z\n" * 10_000 + b"\n", 1)),
    ("a long id", mail(Message_ID=f"<{'x' * 290}@y>")),
    ("a zero in the name", mail().replace(b"Anna Virta", b"An\x00na\xff")),
]


@pytest.mark.parametrize(
    ("name", "data"),
    [pytest.param(name, data, id=name) for name, data in [*((one[0], one[1]) for one in SHAPES), *ABSURD]],
)
def test_a_mail_of_any_shape_is_stored_as_it_was_read(support, scanner, name, data):
    """Broken MIME, wrong charsets, absurd headers: what has a sender is a ticket on both databases, the rest is left."""
    was = read(data)
    taken = support.take(scanner, data)
    db.session.flush()
    if was.sender is None or was.automatic_by:
        assert taken.result == "skipped"
        return
    assert taken.result == "created"
    kept = support.stored(taken.ticket_id)
    assert kept["title"] == (was.subject or "(no subject)")
    assert (support.comments(taken.ticket_id)[0]["text"] or "") in (was.text, "(The mail has no text.)")
    assert support.take(scanner, data).result == "seen"


def test_automatic_answers_speak_the_language_of_the_contact_else_of_the_mailbox(support):
    id = support.scanner(default_language="fi")
    empty = support.make("email_templates", name="Bare", kind="template", folder="System", subject="", text="")
    support.rule(id, answer_template_id=empty)
    support.take(id, mail("Apua", sender="who@knows.example"))
    records.update(SYSTEM, "contacts", support.contact, {"language": "en"}, Channel.SYSTEM)
    support.take(id, mail("Help"))
    said = {row.email: row.payload["text"].strip() for row in support.sent()}
    assert said["anna@virta.example"] == "We have your message."
    with speaking("fi"):
        assert said["who@knows.example"] == _("We have your message.")
    assert said["who@knows.example"] != said["anna@virta.example"]
