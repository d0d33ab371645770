"""Lists as people use them: filters, views, columns, paging, several records at once."""

import json

import pytest
from lxml import html
from sqlalchemy import event

from crm.db import db
from crm.engine import records, saved_views, search
from crm.engine.channels import Channel
from crm.identity import sharing
from crm.identity.viewer import SYSTEM


def names(page):
    return [cell.text_content().strip() for cell in html.fromstring(page).xpath("//tbody//td[contains(@class,'main')]")]


def many(people, count, **more):
    rows = [
        {"last_name": f"Person {n:03}", "email": f"p{n}@example.com", "owner_id": people.alice} | more
        for n in range(count)
    ]
    made = records.create_many(SYSTEM, "contacts", rows, Channel.SYSTEM).ids
    db.session.commit()
    return made


def queries(call):
    seen = []

    def note(_connection, _cursor, statement, *_rest):
        seen.append(statement)

    from sqlalchemy import Engine

    event.listen(Engine, "before_cursor_execute", note)
    try:
        call()
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    return [one for one in seen if not one.startswith(("SAVEPOINT", "RELEASE", "ROLLBACK"))]


def test_the_number_of_queries_does_not_grow_with_the_rows(browse, people):
    account = records.create(SYSTEM, "accounts", {"name": "Acme"}, Channel.SYSTEM)
    many(people, 2, account_id=account)
    alice = browse("alice")
    alice.get("/contacts")
    few = len(queries(lambda: alice.get("/contacts")))
    many(people, 45, account_id=account)
    assert len(queries(lambda: alice.get("/contacts"))) <= few
    assert few < 20


def test_a_card_asks_no_more_when_more_has_happened(browse, people, make):
    id = make("contacts", last_name="Virta")
    alice = browse("alice")
    alice.get(f"/contacts/{id}")
    few = len(queries(lambda: alice.get(f"/contacts/{id}")))
    for title in ("CEO", "CFO", "COO", "Chair"):
        records.update(SYSTEM, "contacts", id, {"title": title, "department": title}, Channel.SYSTEM)
    db.session.commit()
    assert len(queries(lambda: alice.get(f"/contacts/{id}"))) <= few + 1


def test_paging_forth_and_back_shows_every_row_once(browse, people):
    many(people, 120)
    alice, seen, path = browse("alice"), [], "/contacts"
    pages = []
    while path:
        page = alice.get(path).text
        pages.append(names(page))
        seen += pages[-1]
        links = html.fromstring(page).xpath("//div[@class='list-foot']//a[contains(., 'Next')]/@href")
        path = links[0].removeprefix("/crm") if links else ""
        last = page
    assert len(seen) == len(set(seen)) == 120
    back = html.fromstring(last).xpath("//div[@class='list-foot']//a[contains(., 'Previous')]/@href")[0]
    assert names(alice.get(back.removeprefix("/crm")).text) == pages[-2]


def test_conditions_are_built_without_json_and_read_as_a_sentence(browse, people, make):
    make("contacts", last_name="Aalto", mailing_city="Turku")
    make("contacts", last_name="Berg", mailing_city="Oulu")
    alice = browse("alice")
    said = alice.form("/contacts/builder", has="node") | {
        "node": ["open:a", "row:b", "close"], "a.match": "$and", "b.field": "mailing_city", "b.op": "$beg", "b.value": "tur",
    }  # fmt: skip
    answer = alice.post("/contacts/filter", said)
    page = alice.get(answer.headers["Location"].removeprefix("/crm")).text
    assert names(page) == ["Aalto"]
    assert (
        "City begins with “tur”"
        in html.fromstring(page).xpath("//button[contains(@class,'sentence')]")[0].text_content()
    )


def test_a_condition_that_cannot_be_is_told_at_the_builder_and_nothing_typed_is_lost(browse, people):
    alice = browse("alice")
    said = alice.form("/contacts/builder", has="node") | {
        "node": ["open:a", "row:b", "close"], "a.match": "$and", "b.field": "born_on", "b.op": "$gt", "b.value": "yesterdayish",
    }  # fmt: skip
    answer = alice.post("/contacts/filter", said, status=422)
    assert "yesterdayish" in answer.text
    assert html.fromstring(answer.text).xpath("//form[@class='builder']//div[@role='alert']")


@pytest.mark.parametrize("where", ["{", "[]", '{"$eq":["nonsense",1]}', '{"$nope":["last_name","x"]}', '"x"'])
def test_a_broken_filter_in_the_address_shows_nothing_and_says_so(browse, make, where):
    make("contacts", last_name="Virta")
    page = browse("alice").client.get("/crm/contacts", query_string={"where": where}).text
    assert names(page) == []
    assert "cannot be used" in page


def test_a_view_is_saved_opens_first_and_is_deleted(browse, people, make):
    make("contacts", last_name="Aalto", title="CEO")
    make("contacts", last_name="Berg")
    alice = browse("alice")
    said = alice.form("/contacts/builder", has="node") | {
        "node": ["open:a", "row:b", "close"], "b.field": "title", "b.op": "$not.null", "save": "1", "name": "With a title",
    }  # fmt: skip
    assert alice.post("/contacts/filter", said).headers["Location"].startswith("/crm/contacts?view=")
    view = next(one for one in saved_views.views(people["alice"], "contacts") if one.name == "With a title")
    token = {"csrf": said["csrf"]}
    alice.post(f"/contacts/views/{view.key}/first", token)
    assert names(alice.get("/contacts").text) == ["Aalto"]
    assert "With a title" not in browse("bob").get("/contacts").text
    alice.post("/contacts/views/all/first", token)
    alice.post(f"/contacts/views/{view.key}/delete", token)
    assert "With a title" not in alice.get("/contacts").text


def test_columns_are_chosen_also_from_linked_records(browse, people, make):
    account = make("accounts", name="Acme", billing_city="Vaasa")
    make("contacts", last_name="Virta", account_id=account)
    alice = browse("alice")
    said = alice.form("/contacts/columns", has="column") | {"column": ["last_name", "account.billing_city"]}
    page = alice.get(alice.post("/contacts/columns", said).headers["Location"].removeprefix("/crm")).text
    heads = [head.text_content().strip() for head in html.fromstring(page).xpath("//thead/tr/th")][1:]
    assert len(heads) == 2
    assert "Vaasa" in page


def test_charlie_finds_nothing_that_is_not_his(browse, people, make):
    sharing.set_level("contacts", "private")
    db.session.commit()
    id = make("contacts", owner="alice", last_name="Secretperson")
    charlie = browse("charlie")
    for path in (
        "/contacts",
        "/contacts?q=secretperson",
        "/search?q=secretperson",
        "/search/suggest?q=secretperson",
        "/contacts/export.csv",
        "/",
    ):
        assert "Secretperson" not in charlie.get(path).text, path
    for path in (
        f"/contacts/{id}",
        f"/contacts/{id}/edit",
        f"/contacts/{id}/timeline",
        f"/contacts/{id}/tabs",
        f"/contacts/{id}/field/last_name",
    ):
        charlie.get(path, status=404)
    assert "Secretperson" in browse("alice").get("/contacts").text


def test_more_than_a_hundred_are_not_edited_at_once(browse, people):
    ids = many(people, 101)
    alice = browse("alice")
    token = alice.form("/contacts/builder", has="node")["csrf"]
    answer = alice.post("/contacts/mass", {"csrf": token, "do": "edit", "id": [str(id) for id in ids]}, status=422)
    assert "At most 100" in answer.text
    alice.post(
        "/contacts/mass/edit", {"csrf": token, "change": "lead_source", "id": [str(id) for id in ids]}, status=422
    )


def test_several_records_are_changed_deleted_and_restored(browse, people):
    ids = many(people, 3)
    alice = browse("alice")
    chosen = [str(id) for id in ids[:2]]
    token = alice.form("/contacts/builder", has="node")["csrf"]
    page = alice.post("/contacts/mass", {"csrf": token, "do": "edit", "id": chosen}, status=200).text
    assert "Edit 2 records" in page
    alice.post("/contacts/mass/edit", {"csrf": token, "id": chosen, "change": "do_not_call", "do_not_call": "1"})
    assert [search.one(SYSTEM, "contacts", id)["do_not_call"] for id in ids] == [True, True, False]
    assert (
        "Delete 2 records"
        in alice.post("/contacts/mass", {"csrf": token, "do": "delete", "id": chosen}, status=200).text
    )
    alice.post("/contacts/mass/delete", {"csrf": token, "id": chosen})
    assert names(alice.get("/contacts").text) == ["Person 002"]
    alice.post("/bin/contacts", {"csrf": token, "do": "restore", "id": chosen})
    assert len(names(alice.get("/contacts").text)) == 3


def test_an_export_holds_what_the_list_shows(browse, people, make):
    make("contacts", last_name="=cmd()", mailing_city="Turku")
    make("contacts", last_name="Berg", mailing_city="Oulu")
    where = json.dumps({"mailing_city": "Turku"})
    answer = browse("alice").client.get(
        "/crm/contacts/export.csv", query_string={"where": where, "cols": "last_name,mailing_city"}
    )
    assert answer.text.splitlines() == ['\ufeff"Last name","City"', '"\'=cmd()","Turku"']
    assert "attachment" in answer.headers["Content-Disposition"]


def test_a_reader_sees_no_button_that_would_be_refused(browse, people, make):
    make("contacts", last_name="Virta")
    rita = browse("rita")
    page = rita.get("/contacts").text
    assert "/crm/contacts/new" not in page
    assert "/crm/contacts/import" not in page
    rita.get("/contacts/new", status=403)
    rita.get("/contacts/import", status=403)


def test_a_condition_that_the_builder_does_not_offer_stays_when_something_else_is_saved(browse, people, make):
    where = {"$and": [{"$window": ["created_at", "$last_14_days"]}, {"$window": ["updated_at", "$before_today"]}]}
    group = make("target_groups", owner="mary", name="Recent", source="contacts", conditions=where)
    mary = browse("mary")
    said = mary.form(f"/target_groups/{group}/edit", has="node") | {"name": "Others"}
    mary.post(f"/target_groups/{group}/edit", said)
    row = search.one(SYSTEM, "target_groups", group)
    assert (row["name"], row["conditions"]) == ("Others", where)
    said = mary.form(f"/target_groups/{group}/edit", has="node")
    number = next(name for name in said if name.endswith(".days"))
    mary.post(f"/target_groups/{group}/edit", said | {number: "21"})
    assert "$last_21_days" in str(search.one(SYSTEM, "target_groups", group)["conditions"])
