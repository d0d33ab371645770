"""Tags of templates become values of a record, in Word and in Writer files alike."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from crm.documents import filling, making, package
from crm.documents.flavours import FLAVOURS
from crm.documents.reading import SeenValues
from crm.documents.scopes import Filling
from crm.documents.showing import speaking_of
from crm.engine import records
from crm.engine.channels import Channel
from crm.engine.fields import make as field
from crm.identity.viewer import ModuleRights
from crm.modules.tickets import commenting
from tests.documents.samples import WRITERS

both = pytest.mark.parametrize("writer", WRITERS, ids=["docx", "odt"])


def lines(data, ending):
    """The text of a file, one line a paragraph."""
    flavour = FLAVOURS[ending]
    held = package.read(f"x.{ending}", data)
    return [flavour.text_of(one) for _name, root in held.filled_parts() for one in root.iter(*flavour.paragraphs)]


def filled(writer, values, *body, language="en"):
    held = package.read(f"x.{writer.ending}", writer.file(*body))
    with speaking_of(language) as words:
        return lines(filling.fill(held, Filling(values, words)), writer.ending)


@both
def test_every_way_to_write_a_tag_is_filled(writer, make, template, people):
    account = make("accounts", name="Ääni & Co <Oy>", owner_id=people.alice)
    contact = make(
        "contacts", first_name="Anna", last_name="Virta", account_id=account, born_on="1990-03-05", description="One\nTwo  {$x}",
        language="en", owner_id=people.alice,
    )  # fmt: skip
    body = [
        writer.p("Dear {$", "first", "_name} {$contact.last_name}!"), writer.p("{$account.name}"), writer.p("{$description}"),
        writer.p("{if $account.name == 'x'}no{elseif $first_name}yes{else}never{/if} {$fax|default:“none”}{$mobile}"),
        writer.p("[Contacts.firstname] [Accounts.accountname;link=account_id] {{onshow.data.Contacts.lastname}} [sic] { kept }"),
        writer.p("{$born_on} {$born_on|date_format:'%d.%m.%Y'} {$owner.label} {$user.email}"),
        writer.p("{if $account_id}"), writer.p("with account"), writer.p("{else}"), writer.p("without"), writer.p("{/if}"),
        writer.p("{assign var='n' value=$first_name|upper}{$n}{$organisation.name}"),
    ]  # fmt: skip
    said = making.template_of(template(writer.file(*body), writer.ending, file_name="Letter to {$last_name}"))
    made = making.filled(people["alice"], said, contact)
    assert lines(made.data, writer.ending) == [
        "Dear Anna Virta!", "Ääni & Co <Oy>", "One\nTwo  {$x}", "yes none", "Anna Ääni & Co <Oy> Virta [sic] { kept }",
        "Mar 5, 1990 05.03.1990 Alice Tester alice@example.com", "with account", "ANNA",
    ]  # fmt: skip
    assert made.name == "Letter to Virta"
    assert made.empty == ("{$mobile}", "{$organisation.name}")
    assert lines(making.filled(people["alice"], said, contact, "fi").data, writer.ending)[5].startswith("5.3.1990")


@both
@pytest.mark.parametrize("count", [0, 1, 300])
def test_a_row_repeats_once_for_each_ticket(writer, count, make, template, people):
    contact = make("contacts", last_name="Virta", owner_id=people.alice)
    rows = [
        {"title": f"Ticket {n}", "contact_id": contact, "status": "Open", "owner_id": people.alice}
        for n in range(count)
    ]
    records.create_many(people["ada"], "tickets", rows, Channel.SYSTEM)
    table = writer.table(
        [["No", "Title", "Of"], ["{$tickets.no}", "{$tick‖ets.title}", "{$tickets.contact.last_name}"]]
    )
    alone = writer.table([["{$tickets.title}"]])
    body = [
        table,
        alone,
        writer.p("{foreach $tickets as $one}{$one.title};{/foreach}"),
        writer.p("{$tickets|rows_count} tickets"),
    ]
    made = making.filled(people["alice"], making.template_of(template(writer.file(*body), writer.ending)), contact)
    found = lines(made.data, writer.ending)
    titles = sorted(f"Ticket {n}" for n in range(count))
    assert found[:3] == ["No", "Title", "Of"]
    cells = found[3 : 3 + 3 * count]
    assert cells[0::3] == [f"{n:,}" for n in range(1, count + 1)]
    assert sorted(cells[1::3]) == titles
    assert set(cells[2::3]) <= {"Virta"}
    assert sorted(found[3 + 3 * count : 3 + 4 * count]) == titles
    assert sorted(found[-2].split(";")[:-1]) == titles
    assert found[-1] == f"{count} tickets"
    assert len(found) == 3 + 4 * count + 2  # a table whose only row is gone is gone too


@both
def test_a_ticket_prints_what_was_said_and_no_note_among_staff(writer, make, template, people):
    ticket = make("tickets", title="Fire", owner_id=people.alice)
    for text, visibility in (("It burns\nhard", "public"), ("They lie", "internal"), ("Pull the plug", "public")):
        commenting.say(people["alice"], ticket, text, visibility)
    table = writer.table([["[comments.creator]", "{$comments.text}"]])
    body = [table, writer.p("{foreach $comments as $one}{$one.text};{/foreach}")]
    said = making.template_of(template(writer.file(*body), writer.ending, module="tickets"))
    made = making.filled(people["alice"], said, ticket)
    assert lines(made.data, writer.ending) == [
        "Alice Tester", "It burns\nhard", "Alice Tester", "Pull the plug", "It burns\nhard;Pull the plug;",
    ]  # fmt: skip


ROW = {"name": field("text", "Name"), "qty": field("number", "Quantity"), "total": field("money", "Total")}
TAX = {"rate": field("percent", "Rate"), "amount": field("money", "Amount")}


def invoice(count=3):
    """An invoice as a room of trade would give it."""
    rows = [
        SeenValues(ROW, {"name": f"Item {n}", "qty": Decimal("1.50"), "total": Decimal("121.65")}) for n in range(count)
    ]
    taxes = [
        SeenValues(TAX, {"rate": Decimal("25.5"), "amount": Decimal("65.35")}),
        SeenValues(TAX, {"rate": Decimal("14"), "amount": Decimal("5.32")}),
    ]
    doc = SeenValues({"total": field("money", "Total"), "due_on": field("day", "Due")}, {"total": Decimal("1364.90"), "due_on": date(2026, 12, 1)})  # fmt: skip
    return SeenValues({}, {"rows": rows, "taxes": taxes, "doc": doc})


def invoice_body(writer):
    return [
        writer.p("Due {$doc.due_on}, total {$doc.total}, [doc.total;frm=0]"),
        writer.table([["Item", "Qty", "Sum"], ["[rows.name][rows;block=table-row]", "{$rows.qty}", "{$rows.total}"], ["All", "", "{$rows|rows_sum:'total'}"]]),
        writer.table([["Tax {$taxes.rate}", "{$taxes.amount}"]]),
        writer.p("{if $rows|rows_count > 2}Many{/if}"),
    ]  # fmt: skip


@both
@pytest.mark.parametrize(
    ("language", "said"),
    [
        (
            "en",
            [
                "Due Dec 1, 2026, total 1,364.90, 1,365",
                "Item 0|1.50|121.65",
                "All||364.95",
                "Tax 25.5 %|65.35",
                "Tax 14 %|5.32",
            ],
        ),
        (
            "fi",
            [
                "Due 1.12.2026, total 1 364,90, 1 365",
                "Item 0|1,50|121,65",
                "All||364,95",
                "Tax 25,5 %|65,35",
                "Tax 14 %|5,32",
            ],
        ),
    ],
)
def test_totals_and_both_tax_lines_are_written_as_the_language_does(app, writer, language, said):
    found = "|".join(
        one.replace("\u00a0", " ") for one in filled(writer, invoice(), *invoice_body(writer), language=language)
    )
    for one in said:
        assert one in found
    assert found.endswith("Many")


@both
def test_blocks_of_rows_repeat_and_lists_stand_in_lists(app, writer):
    inner = [SeenValues({}, {"text": f"c{n}"}) for n in range(2)]
    values = SeenValues(
        {}, {"orders": [SeenValues({}, {"name": "A", "notes": inner}), SeenValues({}, {"name": "B", "notes": []})]}
    )
    body = [
        writer.p("{foreach $orders as $order}"), writer.p("{$order.name}"), writer.table([["{$order.notes.text}"]]), writer.p("{/foreach}"),
        writer.table([["{foreach $orders as $o}{$o.name}", "{$o.notes|rows_count}{/foreach}"], ["{if $nothing}"], ["gone"], ["{/if}"]]),
    ]  # fmt: skip
    assert filled(writer, values, *body) == ["A", "c0", "c1", "B", "A", "2", "B", "0"]


@both
def test_what_the_viewer_may_not_see_is_blank(writer, make, template, people):
    account = make("accounts", name="Acme", owner_id=people.alice)
    contact = make("contacts", last_name="Virta", phone="+358 40 1", account_id=account, owner_id=people.alice)
    make("tickets", title="Fire", contact_id=contact, owner_id=people.alice)
    body = [
        writer.p("{$last_name}/{$phone}/{$account.name}/{$account_id}/{$tickets|rows_count}"),
        writer.table([["x {$tickets.title}"]]),
    ]
    said = making.template_of(template(writer.file(*body), writer.ending))
    alice = people["alice"]
    assert lines(making.filled(alice, said, contact).data, writer.ending) == ["Virta/+358 40 1/Acme/Acme/1", "x Fire"]
    nothing = ModuleRights(verbs=frozenset())
    narrow = {"contacts": ModuleRights(hidden=frozenset({"phone"})), "accounts": nothing, "tickets": nothing}
    less = replace(alice, rights=replace(alice.rights, modules={**alice.rights.modules, **narrow}))
    assert lines(making.filled(less, said, contact).data, writer.ending) == ["Virta////0"]


def test_a_head_that_repeats_over_pages_stays_one(app):
    word, writer = WRITERS
    head = word.table([["Item"], ["{$rows.name}"]]).replace("<w:tr>", "<w:tr><w:trPr><w:tblHeader/></w:trPr>", 1)
    said = filled_bytes(word, invoice(300), head)
    assert (said.count(b"<w:tblHeader/>"), said.count(b"<w:tr>")) == (1, 301)
    table = writer.table([["Item"], ["{$rows.name}"]])
    head = table.replace("<table:table-row>", "<table:table-header-rows><table:table-row>", 1).replace(
        "</table:table-row>", "</table:table-row></table:table-header-rows>", 1
    )
    said = filled_bytes(writer, invoice(300), head)
    assert (said.count(b"<table:table-header-rows>"), said.count(b"<table:table-row>")) == (1, 301)


def filled_bytes(writer, values, *body):
    held = package.read(f"x.{writer.ending}", writer.file(*body))
    with speaking_of("en") as words:
        made = package.read(f"x.{writer.ending}", filling.fill(held, Filling(values, words)))
    return made.parts["word/document.xml" if writer.ending == "docx" else "content.xml"]
