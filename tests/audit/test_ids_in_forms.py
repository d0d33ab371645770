"""Ids and numbers that no honest page sends: answered with a sentence, never with a fault of ours."""

from crm.engine import search
from crm.identity.viewer import SYSTEM

STRANGE = ("9" * 30, "-1", "²", "x", "", "0", "1e9", "\u0663", "1;DROP TABLE contacts")


def test_strange_ids_in_addresses_and_queries_break_no_page(browse, house):
    mary = browse("mary", "crm")
    id = house.contact("anna@example.com")
    for one in STRANGE:
        for path in (
            f"/crm/contacts?view={one}", f"/crm/contacts?after={one}", f"/crm/contacts?columns={one}", f"/crm/contacts?sort={one}",
            f"/crm/contacts?where={one}", f"/crm/contacts/{one}", f"/crm/contacts/{id}/timeline?after={one}",
            f"/crm/contacts/export.csv?id={one}", f"/crm/sendouts/{one}", f"/crm/campaigns/{one}/add", f"/crm/add-to-campaign?id={one}",
            f"/crm/contacts/new?account_id={one}", f"/crm/sendouts/new?campaign_id={one}&group={one}", f"/crm/go/{one}",
            f"/crm/contacts/choose/account_id?q={one}", f"/crm/contacts/{id}/field/{one or 'x'}?edit=1", f"/crm/search?q={one}&module={one}",
            f"/crm/bin/contacts?after={one}", f"/crm/email_templates/people?q={one}", f"/crm/files/{one}", f"/crm/imports/{one}",
        ):  # fmt: skip
            answer = mary.client.get(path)
            assert answer.status_code < 500, f"{path}: {answer.status_code}"


def test_strange_ids_in_forms_are_refused_and_change_nothing(browse, house):
    mary = browse("mary", "crm")
    id = house.contact("anna@example.com")
    account = house.make("accounts", name="Acme")
    token = mary.form("/preferences")["csrf"][0]
    before = dict(search.one(SYSTEM, "accounts", account))
    for one in (*STRANGE, str(account)):
        for path, said in (
            ("/contacts/mass", {"do": "edit", "id": one}), ("/contacts/mass", {"do": "delete", "id": one}),
            ("/contacts/mass", {"do": one, "id": str(id)}), ("/contacts/mass/delete", {"id": one}),
            ("/contacts/mass/edit", {"id": one, "field": "title", "title": "x"}), ("/bin/contacts", {"id": one, "do": "restore"}),
            (f"/contacts/{id}/edit", {"last_name": "A", "account_id": one, "version": one}), ("/add-to-campaign", {"id": one, "campaign_id": one}),
            (f"/contacts/{id}/related/campaign_members.person_id", {"other": one}), (f"/contacts/{id}/field/account_id", {"account_id": one, "version": one}),
            (f"/contacts/{account}/edit", {"last_name": "X"}), (f"/contacts/{account}/delete", {}), (f"/leads/{account}/convert", {}),
            (f"/contacts/{account}/field/last_name", {"last_name": "X"}), (f"/sendouts/{account}/start", {}), (f"/target_groups/{account}/refresh", {}),
        ):  # fmt: skip
            answer = mary.client.post(f"/crm{path}", data={"csrf": token, **said})
            assert answer.status_code < 500, f"{path} {said}: {answer.status_code}"
    assert dict(search.one(SYSTEM, "accounts", account)) == before
