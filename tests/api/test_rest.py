"""The REST interface: CRUD, filters, paging, relations, idempotency, rights, errors."""

import json
from urllib.parse import quote

import pytest

from crm.engine import search
from crm.identity.viewer import Viewer
from tests.api.calls import caller, made

ALL = Viewer(kind="staff", name="All", is_admin=True)


def pointers(answer):
    return {one["source"]["pointer"].rsplit("/", 1)[1]: one["code"] for one in answer.json["errors"] if "source" in one}


def test_without_a_key_there_is_no_answer_but_401(app):
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic YTpi"}):
        answer = app.test_client().get("/api/v1/contacts", headers=headers)
        assert answer.status_code == 401
        assert answer.mimetype == "application/vnd.api+json"


def test_create_read_patch_delete(ada):
    account = ada("POST", "/accounts", {"data": {"type": "accounts", "attributes": {"name": "Kaarna Oy"}}})
    assert account.status_code == 201
    id = account.json["data"]["id"]
    read = ada("GET", f"/accounts/{id}")
    assert read.json["data"]["attributes"]["name"] == "Kaarna Oy"
    patched = ada(
        "PATCH", f"/accounts/{id}", {"data": {"type": "accounts", "id": id, "attributes": {"bill_city": "Oulu"}}}
    )
    assert patched.json["data"]["attributes"]["billing_city"] == "Oulu"
    assert ada("DELETE", f"/accounts/{id}").status_code == 204
    assert ada("GET", f"/accounts/{id}").status_code == 404


def test_plain_attributes_are_taken_alike(ada):
    answer = ada("POST", "/contacts", {"last_name": "Aalto", "email": "aalto@example.com"})
    assert answer.json["data"]["attributes"]["email"] == "aalto@example.com"


def test_all_faults_come_at_once_each_pointing_to_its_attribute(ada):
    answer = ada("POST", "/contacts", {"email": "nobody", "born_on": "yesterday", "shoe_size": 43})
    assert answer.status_code == 422
    assert pointers(answer) == {
        "last_name": "required",
        "email": "bad_email",
        "born_on": "bad_date",
        "shoe_size": "unknown",
    }


def test_filter_sort_sparse_fields_and_include(ada):
    account = made("accounts", name="Kaarna Oy", billing_city="Oulu")
    for name in ("Aalto", "Berg", "Dahl"):
        made("contacts", last_name=name, account_id=account)
    made("contacts", last_name="Else")
    where = quote(json.dumps({"account.billing_city": "oulu"}))
    answer = ada(
        "GET", f"/contacts?filter={where}&sort=-last_name&fields[contacts]=last_name&include=account&page[size]=2"
    )
    assert [one["attributes"] for one in answer.json["data"]] == [{"last_name": "Dahl"}, {"last_name": "Berg"}]
    assert answer.json["meta"]["total"] == 3
    assert [one["id"] for one in answer.json["included"]] == [str(account)]
    following = ada(
        "GET", f"/contacts?filter={where}&sort=-last_name&page[size]=2&page[after]={answer.json['meta']['next_after']}"
    )
    assert [one["attributes"]["last_name"] for one in following.json["data"]] == ["Aalto"]


@pytest.mark.parametrize("wrong", ["{", "[]", '{"$eqq": ["last_name", "x"]}', '{"nofield": 1}', '{"$and": []}', '"x"'])
def test_a_wrong_filter_is_a_400_that_says_where(ada, wrong):
    answer = ada("GET", f"/contacts?filter={quote(wrong)}")
    assert answer.status_code == 400
    assert answer.json["errors"][0]["source"]["parameter"] == "filter"


@pytest.mark.parametrize(
    "query", ["page[size]=0", "page[size]=201", "page[number]=x", "sort=nofield", "include=nobody", "where=1"]
)
def test_a_wrong_parameter_is_a_400(ada, query):
    assert ada("GET", f"/contacts?{query}").status_code == 400


def test_the_same_post_with_one_key_has_one_effect(ada):
    body = {"last_name": "Aalto"}
    first = ada("POST", "/contacts", body, Idempotency_Key="abc")
    second = ada("POST", "/contacts", body, Idempotency_Key="abc")
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json == second.json
    assert search.count(ALL, "contacts") == 1
    assert ada("POST", "/contacts", {"last_name": "Berg"}, Idempotency_Key="abc").status_code == 422


def test_a_refused_post_leaves_its_key_free(ada):
    assert ada("POST", "/contacts", {}, Idempotency_Key="abc").status_code == 422
    assert ada("POST", "/contacts", {"last_name": "Aalto"}, Idempotency_Key="abc").status_code == 201


def test_a_stale_patch_is_refused(ada):
    id = made("contacts", last_name="Aalto")
    assert ada("GET", f"/contacts/{id}").headers["ETag"] == '"1"'
    assert ada("PATCH", f"/contacts/{id}", {"title": "A"}, If_Match='"1"').status_code == 200
    stale = ada("PATCH", f"/contacts/{id}", {"title": "B"}, If_Match='"1"')
    assert (stale.status_code, stale.json["errors"][0]["meta"]["version"]) == (409, 2)


def test_any_record_is_found_by_its_id_alone(ada):
    account, person = made("accounts", name="A"), made("contacts", last_name="B")
    assert [ada("GET", f"/entities/{id}").json["data"]["type"] for id in (account, person)] == ["accounts", "contacts"]
    assert ada("GET", "/entities/999999999").status_code == 404
    assert ada("GET", f"/accounts/{person}").status_code == 404


def test_many_links_are_added_read_and_taken_away(ada):
    person = made("contacts", last_name="Aalto")
    call = made("activities", subject="Call", starts_at="2026-11-30T10:00Z")
    links = {"data": [{"type": "contacts", "id": str(person)}]}
    assert ada("POST", f"/activities/{call}/relationships/contacts", links).status_code == 204
    assert [one["id"] for one in ada("GET", f"/contacts/{person}/activities").json["data"]] == [str(call)]
    assert ada("GET", f"/activities/{call}/relationships/contacts").json["data"] == links["data"]
    assert ada("DELETE", f"/activities/{call}/relationships/contacts", links).status_code == 204
    assert ada("GET", f"/contacts/{person}/activities").json["data"] == []


def test_children_and_own_links_are_relations_too(ada):
    account = made("accounts", name="Kaarna Oy")
    person = made("contacts", last_name="Aalto", account_id=account)
    assert [one["id"] for one in ada("GET", f"/accounts/{account}/contacts").json["data"]] == [str(person)]
    assert ada("GET", f"/contacts/{person}/account").json["data"]["attributes"]["name"] == "Kaarna Oy"
    assert ada("GET", f"/contacts/{person}/nothing").status_code == 404


def test_the_schema_tells_kinds_sizes_and_picklists(ada):
    said = ada("GET", "/schema/contacts").json["data"]
    assert (said["attributes"]["last_name"]["size"], said["attributes"]["last_name"]["nullable"]) == (80, False)
    assert said["attributes"]["account_id"]["relationModule"] == "accounts"
    assert "yes" in [one["key"] for one in said["attributes"]["may_measure_opens"]["values"]]
    assert said["relations"]["activities"] == {"type": "hasMany", "class": "activities"}


def test_a_custom_field_appears_everywhere(ada):
    added = ada("POST", "/custom_fields", {"module": "contacts", "kind": "money", "label": "Bonus"})
    assert added.status_code == 201
    name = added.json["data"]["id"]
    assert ada("GET", "/schema/contacts").json["data"]["attributes"][name]["custom"] is True
    for bonus in ("10.50", "9.99", None):
        ada("POST", "/contacts", {"last_name": f"B{bonus}", name: bonus})
    where = quote(json.dumps({"$gt": [name, 10]}))
    found = ada("GET", f"/contacts?filter={where}&sort=-{name}").json["data"]
    assert [one["attributes"][name] for one in found] == ["10.50"]


def test_only_an_administrator_adds_fields(app, folk):
    answer = caller(app, folk.alice)("POST", "/custom_fields", {"module": "contacts", "kind": "text", "label": "X"})
    assert answer.status_code == 403


def test_a_key_never_exceeds_its_scopes(app, folk):
    narrow = caller(app, folk.ada, {"contacts": ["view"]})
    id = made("contacts", last_name="Aalto")
    assert narrow("GET", f"/contacts/{id}").status_code == 200
    assert narrow("PATCH", f"/contacts/{id}", {"title": "x"}).status_code == 403
    assert narrow("GET", "/accounts").status_code == 404
    shown = list(narrow("GET", "/").json["meta"]["modules"])
    assert shown == [
        "contacts",
        "opt_ins",
        "touches",
    ]  # what a contact agreed to, and how it came, is part of the contact


def test_a_hundred_records_are_made_at_once_or_none(ada):
    rows = [{"attributes": {"last_name": f"P{n}"}} for n in range(100)]
    assert len(ada("POST", "/contacts", {"data": rows}).json["data"]) == 100
    assert ada("POST", "/contacts", {"data": [*rows, rows[0]]}).status_code == 413
    assert ada("POST", "/contacts", {"data": [rows[0], {"attributes": {}}]}).status_code == 422
    assert search.count(ALL, "contacts") == 100


def test_a_body_that_is_no_json_is_a_400_and_another_media_type_a_415(app, ada):
    client = app.test_client()
    headers = {"Authorization": f"Bearer {ada.key}"}
    assert (
        client.post("/api/v1/contacts", data="{", content_type="application/json", headers=headers).status_code == 400
    )
    assert client.post("/api/v1/contacts", data="x", content_type="text/xml", headers=headers).status_code == 415
    assert (
        client.post(
            "/api/v1/contacts", data="[" * 100_000, content_type="application/json", headers=headers
        ).status_code
        == 400
    )


def test_unknown_places_are_404_and_wrong_methods_405(ada):
    assert ada("GET", "/nothing").status_code == 404
    assert ada("PUT", "/contacts").status_code == 405
    assert ada("GET", "/contacts/99999999999999999999").status_code == 404


def test_people_come_into_a_campaign_by_id_and_by_target_group(ada):
    first, second = (made("contacts", last_name=name, email=f"{name}@example.com") for name in ("a", "b"))
    silent = made("contacts", last_name="no address")
    campaign = made("campaigns", name="Autumn", type="Email")
    added = ada("POST", f"/campaigns/{campaign}/members", {"contact_ids": [first, silent]})
    assert (added.json["meta"]["added"], added.json["meta"]["no_email"]) == (1, 1)
    group = made("target_groups", name="All with b", conditions={"last_name": "b"}, source="contacts")
    assert ada("POST", f"/target_groups/{group}/refreshes").json["meta"]["member_count"] == 1
    assert ada("POST", f"/campaigns/{campaign}/members", {"target_group_id": group}).json["meta"]["added"] == 1
    members = ada("GET", f"/campaigns/{campaign}/campaign_members").json["data"]
    assert {one["attributes"]["person_id"] for one in members} == {first, second}
    assert ada("POST", f"/campaigns/{campaign}/members", {}).status_code == 422
    assert ada("POST", f"/campaigns/{campaign}/members", {"contact_idz": [1]}).status_code == 422


def test_a_lead_is_converted_once(ada):
    lead = made("leads", last_name="Aalto", company="Kaarna Oy", email="aalto@example.com")
    done = ada("POST", f"/leads/{lead}/conversions", {"potential": {"name": "Desks"}})
    assert sorted(done.json["meta"]["made"]) == ["accounts", "contacts", "potentials"]
    again = ada("POST", f"/leads/{lead}/conversions", {})
    assert again.json["errors"][0]["code"] == "already_converted"


def test_the_openapi_document_names_every_module_that_the_caller_may_see(ada):
    document = ada("GET", "/openapi.json").json
    assert {"/contacts", "/contacts/{id}", "/campaigns"} <= set(document["paths"])
    assert document["components"]["schemas"]["contacts"]["properties"]["last_name"]["maxLength"] == 80


def test_the_docs_lead_to_the_log_in(app):
    answer = app.test_client().get("/api/v1/docs")
    assert answer.status_code == 302
    assert answer.headers["Location"].endswith("/crm/api-docs")
