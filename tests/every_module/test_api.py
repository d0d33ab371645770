"""REST of every module: create, read, list, change, delete; refusals; nothing for Charlie."""

import json

from crm.engine import records, search
from crm.engine.channels import Channel
from crm.engine.permissions import may
from crm.engine.registry import modules
from crm.identity import sharing
from crm.identity.viewer import SYSTEM
from tests.api.calls import caller
from tests.every_module import values


def as_json(key, said):
    fields = modules[key].fields
    return {name: fields[name].kind.json(value) for name, value in said.items()}


def test_create_read_list_change_and_delete(app, people, key):
    ada = caller(app, people.ada)
    module = modules[key]
    said = as_json(key, values.complete(key))
    search.db.session.commit()
    made = ada("POST", f"/{key}", {"data": {"type": key, "attributes": said}})
    assert made.status_code == 201, made.json
    id = made.json["data"]["id"]
    assert made.headers["Location"].endswith(f"/{key}/{id}")
    given = made.json["data"]["attributes"]
    for name, value in said.items():
        assert given[name] == value, name
    read = ada("GET", f"/{key}/{id}")
    assert read.json["data"]["attributes"] == given
    listed = ada("GET", f"/{key}?filter={json.dumps({'id': int(id)})}")
    assert [one["id"] for one in listed.json["data"]] == [id]
    assert listed.json["meta"]["total"] == 1
    name = values.note_of(module)
    changed = ada("PATCH", f"/{key}/{id}", {"data": {"type": key, "id": id, "attributes": {name: "Changed"}}})
    assert changed.status_code == 200, changed.json
    assert changed.json["data"]["attributes"][name] == "Changed"
    stale = ada("PATCH", f"/{key}/{id}", {"data": {"attributes": {name: "Late"}}}, If_Match='"1"')
    assert stale.status_code in {409, 412}
    gone = ada("DELETE", f"/{key}/{id}")
    if module.deletable:
        assert gone.status_code == 204
        assert ada("GET", f"/{key}/{id}").status_code == 404
    else:
        assert gone.status_code == 403


def test_unknown_attributes_and_bad_values_are_named_all_at_once(app, people, key):
    ada = caller(app, people.ada)
    answer = ada("POST", f"/{key}", {"data": {"type": key, "attributes": {"no_such": 1, "nor_this": 2}}})
    assert answer.status_code == 422
    told = {one["source"]["pointer"].rsplit("/", 1)[1] for one in answer.json["errors"]}
    assert {"no_such", "nor_this"} <= told


def test_unknown_filters_sorts_and_fields_are_refused(app, people, key):
    ada = caller(app, people.ada)
    for query in ('filter={"no_such":1}', "sort=no_such", f"fields[{key}]=no_such", "filter={"):
        assert ada("GET", f"/{key}?{query}").status_code in {400, 422}, query


def test_the_schema_names_every_field(app, people, key):
    said = caller(app, people.ada)("GET", f"/schema/{key}").json
    text = json.dumps(said)
    for name in modules[key].fields:
        assert f'"{name}"' in text


def test_charlie_gets_404_for_a_private_record_whatever_he_does(app, people, key):
    sharing.set_levels(values.RECORDS, "private")
    said = values.complete(key) | {"owner_id": people.alice}
    id = records.create(SYSTEM, key, said, Channel.SYSTEM)
    search.db.session.commit()
    charlie = caller(app, people.charlie)
    if may(people["charlie"], "view", key):
        assert id not in {int(one["id"]) for one in charlie("GET", f"/{key}?page[size]=200").json["data"]}
    name = modules[key].titles[-1]
    assert charlie("GET", f"/{key}/{id}").status_code == 404
    assert charlie("PATCH", f"/{key}/{id}", {name: "Mine"}).status_code in {403, 404}
    assert charlie("DELETE", f"/{key}/{id}").status_code in {403, 404}
    assert charlie("GET", f"/entities/{id}").status_code == 404
    assert search.one(SYSTEM, key, id).version == 1


def test_an_id_of_another_module_is_not_found(app, people, key):
    other = values.make("accounts" if key != "accounts" else "contacts", 3)
    search.db.session.commit()
    assert caller(app, people.ada)("GET", f"/{key}/{other}").status_code == 404
