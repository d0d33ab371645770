"""The thread: public goes out by mail with the right headers, internal never leaves, who is told and who is not."""

import email
import io
from datetime import timedelta

import pytest
from sqlalchemy import update

from crm import clock
from crm.db import db
from crm.engine import attachments, records, relations, search
from crm.engine.channels import Channel
from crm.engine.refusals import Conflict, Missing, Refused
from crm.identity.tables import User
from crm.identity.viewer import SYSTEM
from crm.mail.assemble import build
from crm.mail.letters import Letter
from crm.mail.message import Address
from crm.modules.email_templates import EmailTemplate
from crm.modules.tickets import codes, commenting, mails, statuses, telling, templates
from crm.modules.tickets.comments import TicketMail
from crm.words import _, speaking
from tests.modules.tickets.support import MONDAY


def test_an_agents_public_comment_goes_out_in_the_words_of_the_template_with_the_right_headers(support, people):
    scanner = support.scanner()
    id = support.ticket(scanner_id=scanner, cc="boss@virta.example")
    number = support.row(id)["number"]
    table = search.find(
        SYSTEM, "email_templates", where={"$eq": ["name", templates.CHANGE_COMMENTS]}, columns=("name",)
    )
    records.update(
        SYSTEM,
        "email_templates",
        table.rows[0].id,
        {"text": "Dear {$contact.first_name|customer}: {$comment.text} ({$user.name})"},
        Channel.SYSTEM,
    )
    comment = commenting.say(people["alice"], id, "Pull the plug.", "public")
    support.run_jobs("tickets.answer")
    support.run_jobs("tickets.answer")
    rows = {row.email: row for row in support.sent()}
    assert set(rows) >= {"anna@virta.example", "boss@virta.example"}
    payload = rows["anna@virta.example"].payload
    assert payload["text"] == "Dear Anna: Pull the plug. (Alice Tester)"
    assert payload["subject"] == f"{codes.mark(number, id)} The printer is on fire"
    assert payload["auto_submitted"] == ""
    reply_to = payload["reply_to"][0]
    assert reply_to.startswith("support+")
    assert codes.ticket_of(reply_to, "support@kaisla.example") == id
    kept = db.session.query(TicketMail).filter_by(comment_id=comment).all()
    assert len(kept) == 2
    second = commenting.say(people["alice"], id, "And now?", "public")
    support.run_jobs("tickets.answer")
    last = next(row for row in support.sent("anna@virta.example") if "And now" in row.payload["text"])
    assert set(last.payload["references"]) >= {one.message_id for one in kept}
    assert last.payload["in_reply_to"] in {one.message_id for one in kept}
    assert second != comment


def test_the_mail_that_leaves_carries_the_message_id_that_replies_are_found_by(support, people):
    support.scanner()
    id = support.ticket()
    commenting.say(people["alice"], id, "Pull the plug.", "public")
    support.run_jobs("tickets.answer")
    from crm.identity import keys
    from crm.mail.sending.kinds import KINDS, Claimed
    from crm.mail.sending.singles import register_letters

    register_letters(lambda: keys.of("message_id"))
    row = support.sent("anna@virta.example")[0]
    claimed = Claimed(row.id, 1, "letter", None, row.email, "contacts", support.contact, 0, 0, row.payload)
    kind = KINDS["letter"]
    made = kind.render(claimed, kind.load([claimed]))
    parsed = email.message_from_bytes(bytes(made.data))
    kept = db.session.query(TicketMail).filter_by(ticket_id=id).one()
    assert parsed["Message-ID"] == kept.message_id == made.message_id
    assert parsed["From"].endswith("<support@kaisla.example>") or parsed["From"] == "support@kaisla.example"
    assert "Auto-Submitted" not in parsed
    assert parsed["Subject"].startswith("[#TT")


def test_files_of_a_public_comment_go_along_and_an_executable_is_refused(support, people):
    id = support.ticket()
    kept = attachments.store(people["alice"], "plug.txt", io.BytesIO(b"this one"), "text/plain")
    commenting.say(people["alice"], id, "See the picture.", "public", file_ids=[kept.id])
    support.run_jobs("tickets.answer")
    files = support.sent("anna@virta.example")[0].payload["files"]
    assert files[0][:2] == ["plug.txt", "text/plain"]
    letter = Letter(Address("a@example.com"), "s", "t")
    assert build(letter.message(Address("b@example.com"), clock.now(), "<x@example.com>"))
    with pytest.raises(Refused):
        attachments.store(people["alice"], "plug.txt", io.BytesIO(b"MZ\x90\x00"), "text/plain")


def test_internal_words_never_leave_the_house(support, people):
    id = support.ticket(cc="boss@virta.example")
    secret = attachments.store(people["alice"], "note.txt", io.BytesIO(b"margin 60 %"), "text/plain")
    comment = commenting.say(people["alice"], id, "XYZZY he pays late", "internal", file_ids=[secret.id])
    commenting.say(people["alice"], id, "We look into it.", "public")
    support.update(id, status="Closed")
    support.run_jobs()
    outside = [row for row in support.sent() if row.email.endswith("virta.example")]
    assert outside
    assert not any("XYZZY" in str(row.payload) or "note.txt" in str(row.payload) for row in outside)
    assert search.find(SYSTEM, "tickets", text="XYZZY", columns=("title",)).rows == []
    dora = customer(support)
    assert [row["text"] for row in search.find(dora, "ticket_comments", columns=("text",))] == ["We look into it."]
    with pytest.raises(Missing):
        commenting.of_id(dora, comment)
    with pytest.raises(Missing):
        commenting.file_of(dora, id, secret.id)
    with pytest.raises(Missing):
        attachments.open_file(dora, secret.id)


def customer(support, **more):
    """Anna, as her portal shows her tickets with their threads."""
    from crm.identity.customer import Customer, Shown
    from crm.identity.viewer import Viewer

    shown = Shown(
        scope="own", can_comment=True, visible=frozenset({"title", "status", "number", "description"}), names=("title", "status"),
    )  # fmt: skip
    who = Customer(1, 1, support.contact, support.account, modules={"tickets": shown} | more)
    return Viewer(kind="customer", name="Anna Virta", customer=who)


def test_a_customer_comments_on_the_own_ticket_in_public_only_and_on_no_other(support, people):
    id = support.ticket(status="Wait For Response", owner_id=people.alice)
    dora = customer(support)
    comment = commenting.say(dora, id, "It smells.", "internal", Channel.PORTAL)
    row = support.comments(id)[-1]
    assert (row["id"], row["visibility"], row["author"], row["contact_id"]) == (
        comment,
        "public",
        "customer",
        support.contact,
    )
    assert support.row(id)["status"] == "In Progress"
    other = support.make("contacts", last_name="Other")
    strange = support.ticket(contact_id=other, title="Not hers")
    with pytest.raises(Missing):
        commenting.say(dora, strange, "Hello", "public", Channel.PORTAL)


def test_an_internal_comment_is_mended_for_a_quarter_of_an_hour_and_a_removed_one_leaves_a_mark(support, people):
    id = support.ticket()
    with clock.standing_at(MONDAY):
        comment = commenting.say(people["alice"], id, "He pays late", "internal")
        commenting.change_text(people["alice"], comment, "He pays in time")
        with pytest.raises(Missing):
            commenting.change_text(people["bob"], comment, "No")
    with clock.standing_at(MONDAY + timedelta(minutes=16)), pytest.raises(Conflict):
        commenting.change_text(people["alice"], comment, "Too late")
    commenting.remove(people["alice"], comment)
    row = support.comments(id)[-1]
    assert (row["text"], row["removed_at"] is not None) == (None, True)


@pytest.mark.parametrize("text", ["", "  \n ", "x" * 60_001])
def test_an_empty_or_endless_comment_is_refused(support, people, text):
    with pytest.raises(Refused):
        commenting.say(people["alice"], support.ticket(), text, "public")
    assert support.sent() == []


def test_who_is_told_of_new_tickets_assignments_replies_and_states(support, people):
    id = support.ticket(owner_id=people.team)
    relations.link(SYSTEM, "tickets", id, "watchers", [people.ada, people.charlie], Channel.SYSTEM)
    support.run_jobs()
    assert {row.email for row in support.sent()} == {"alice@example.com", "bob@example.com"}
    records.update(people["bob"], "tickets", id, {"owner_id": people.bob}, Channel.FORM)
    support.run_jobs()
    assert len(support.sent("bob@example.com")) == 1  # nobody is told of what he did himself
    support.keep_private("tickets")
    before = len(support.sent())
    commenting.say(customer(support), id, "Any news?", "public", Channel.PORTAL)
    support.run_jobs()
    told = support.sent()[before:]
    assert {row.email for row in told} == {"bob@example.com", "ada@example.com"}  # Charlie may not read tickets
    assert all(row.payload["auto_submitted"] == "auto-generated" for row in told)
    before = len(support.sent())
    records.update(people["bob"], "tickets", id, {"status": "Closed"}, Channel.FORM)
    support.run_jobs()
    told = support.sent()[before:]
    assert [row.email for row in told] == ["anna@virta.example"]
    assert told[0].payload["auto_submitted"] == "auto-generated"
    records.update(people["bob"], "tickets", id, {"status": "In Progress"}, Channel.FORM)
    support.run_jobs()
    assert len(support.sent()) == before + 1
    assert not statuses.tells_customer("In Progress")


def told_of(support, viewer, id, text, visibility="internal"):
    """Who gets a letter of a comment."""
    support.run_jobs()
    before = len(support.sent())
    commenting.say(viewer, id, text, visibility)
    support.run_jobs("tickets.tell_comment")
    return {row.email for row in support.sent()[before:]}


def test_a_note_is_told_those_who_wrote_and_those_it_names_when_they_may_read_it(support, people):
    id = support.ticket(owner_id=people.team)
    assert told_of(support, people["ada"], id, "Looks like the fuse.") == {"alice@example.com", "bob@example.com"}
    text = "@Charlie Tester, and @mary: who has fuses? Not rita@example.com."
    named = {"ada@example.com", "bob@example.com", "charlie@example.com", "mary@example.com"}
    assert told_of(support, people["alice"], id, text) == named
    assert told_of(support, people["alice"], id, "@charlie said it is the fuse", "public") == set()
    support.keep_private("tickets")
    assert told_of(support, people["alice"], id, text) == {"ada@example.com", "bob@example.com"}
    assert telling.mentioned("@bob: look") == {people.bob}
    assert telling.mentioned("x@bob, @bobby, @bob@elsewhere.example, @bob.smith, @") == set()


def test_staff_and_customers_are_told_in_their_language(support, people):
    db.session.execute(update(User).where(User.id == people.bob).values(locale="fi"))
    records.update(SYSTEM, "contacts", support.contact, {"language": "fi"}, Channel.SYSTEM)
    id = support.ticket(owner_id=people.bob)
    support.run_jobs()
    number = support.row(id)["number"]
    with speaking("fi"):
        wanted = _("New ticket %(number)s: %(title)s", number=number, title="The printer is on fire")
        closed = _(
            "Your request “%(title)s” has the status: %(status)s.", title="The printer is on fire", status=_("Closed")
        )
    assert [row.payload["subject"] for row in support.sent("bob@example.com")] == [wanted]
    assert "New ticket" not in wanted
    records.update(people["alice"], "tickets", id, {"status": "Closed"}, Channel.FORM)
    support.run_jobs()
    assert closed in support.sent("anna@virta.example")[-1].payload["text"]
    finnish = support.make(
        "email_templates", name=templates.CHANGE_COMMENTS, kind="template", folder="System", language="fi", text="Hei",
    )  # fmt: skip
    assert templates.row_of(templates.CHANGE_COMMENTS, "fi")["id"] == finnish
    assert templates.row_of(templates.CHANGE_COMMENTS, "en")["id"] != finnish


def test_a_mass_assignment_is_one_letter_to_each(support, people):
    ids = [support.ticket(title=f"Ticket {n}") for n in range(25)]
    support.run_jobs()
    before = len(support.sent())
    records.update_many(people["alice"], "tickets", {id: {"owner_id": people.bob} for id in ids}, Channel.MASS_EDIT)
    support.run_jobs()
    told = support.sent()[before:]
    assert [row.email for row in told] == ["bob@example.com"]
    assert "25 tickets" in told[0].payload["subject"]


def test_without_template_contact_or_sender_the_action_succeeds_and_says_what_is_missing(support, people):
    nobody = support.make("contacts", last_name="Silent")
    id = support.ticket(contact_id=nobody)
    commenting.say(people["alice"], id, "Hello", "public")
    support.run_jobs("tickets.answer")
    assert support.comments(id)[-1]["flag"] == "unsent"
    written = EmailTemplate.__table__  # it is permanent: only a house from before has it no more
    gone = update(written).where(written.c.name == templates.CHANGE_COMMENTS).values(deleted_at=clock.now())
    db.session.execute(gone)
    assert templates.row_of(templates.CHANGE_COMMENTS) is None
    other = support.ticket()
    commenting.say(people["alice"], other, "Still there", "public")
    support.run_jobs("tickets.answer")
    assert "Still there" in support.sent("anna@virta.example")[-1].payload["text"]


def test_a_template_that_is_broken_does_not_stop_an_answer(support, people):
    row = {"subject": "{$ticket.title", "text": "{if", "html": None}
    made = templates.fill(row, {"ticket.title": "Fire", "comment.text": "<b>Pull</b>"})
    assert "Fire" in made.subject
    assert "&lt;b&gt;Pull" in made.html


def test_ready_answers_are_filled_for_the_ticket(support, people):
    made = support.make(
        "email_templates",
        name="Restart",
        kind="template",
        folder="Tickets",
        text="Dear {$contact.first_name}, restart {$ticket.number}. {$user.name}",
    )
    ticket = support.stored(support.ticket())
    assert (made, "Restart") in templates.canned()
    assert templates.canned_text(made, ticket, "Alice") == f"Dear Anna, restart {ticket['number']}. Alice"


def test_codes_and_reply_addresses_belong_to_one_ticket_and_cannot_be_made(support):
    first, second = support.ticket(), support.ticket()
    assert codes.is_code(first, codes.code_of(first).lower())
    assert not codes.is_code(second, codes.code_of(first))
    address = codes.reply_address("support@kaisla.example", first)
    assert codes.ticket_of(address.upper(), "support@kaisla.example") == first
    local, _at, domain = address.partition("@")
    for place in range(len("support+"), len(local)):
        changed = local[:place] + ("a" if local[place] != "a" else "b") + local[place + 1 :]
        assert codes.ticket_of(f"{changed}@{domain}", "support@kaisla.example") != second
        assert codes.ticket_of(f"{changed}@{domain}", "support@kaisla.example") in (None, first)
    assert (
        codes.reply_address("a-very-long-name-of-a-mailbox@kaisla.example", first)
        == "a-very-long-name-of-a-mailbox@kaisla.example"
    )
    assert mails.may_answer_automatically("anna@virta.example", first)
