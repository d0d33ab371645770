"""The SOAP interface heard by real clients: zeep, and PHP's own as older connectors use it (C125, C126)."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import zeep
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from zeep.transports import Transport

from crm import clock
from crm.api.soap import envelope
from crm.db import db
from crm.identity import api_keys
from tests.databases import absent
from tests.wordpress.crm import Crm

HERE = Path(__file__).parent
ENCODING = "http://schemas.xmlsoap.org/soap/encoding/"
LEAD = {"last_name": "Virta", "company": "Virta Oy", "email": "veera@virta.example", "rating": "Hot"}


@pytest.fixture
def house(own_database: str, tmp_path: Path) -> Iterator[Crm]:
    made = Crm(own_database, tmp_path / "crm")
    made.up()
    yield made
    made.close()


class Local(Transport):
    """Knows the schema of SOAP's encoding, which lies at its maker's site."""

    def load(self, url: str) -> bytes:
        return (HERE / "encoding.xsd").read_bytes() if url == ENCODING else super().load(url)


def manager(house: Crm, name: str) -> Any:
    address = f"{house.base}/CrmIntegrationWebservice/service.php?class={name}Manager&wsdl"
    return zeep.Client(address, transport=Local()).service


def opened(sessions: Any, house: Crm) -> dict[str, str]:
    """A session, as its parts: each manager's description has a type of its own for it. Of a struct of one part zeep gives the part."""
    return {"sessionID": sessions.createSession(house.key)}


def test_the_connectors_sequence_by_zeep_makes_one_lead_however_often_it_is_saved(house, monkeypatch):
    sessions, fields, picklists, entities = (
        manager(house, name) for name in ("session", "field", "picklist", "entity")
    )
    session = opened(sessions, house)
    assert len(session["sessionID"]) == 22
    answer = httpx.post(f"{house.base}/CrmIntegrationWebservice/service.php?class=fieldManager", content=message(
        "getCrmFields", f"<session><sessionID>{session['sessionID']}</sessionID></session><module>Leads</module>"))  # fmt: skip
    items = envelope.etree.fromstring(answer.content).findall(".//item")
    found = {one.findtext("name"): {part.tag: part.text for part in one} for one in items}
    said = found["last_name"]
    assert (said["required"], said["datatype"], said["uitype"], said["picklist_id"]) == ("true", "Text", "1", "0")
    assert json.loads(said["translations"])["fi_fi"] == "Sukunimi"
    assert found["rating"]["datatype"] == "Select"
    assert fields.getCrmFields(session, "Leads") is not None
    number = int(found["rating"]["picklist_id"])
    assert picklists.getPicklistValues(session, number, "fi_fi") is not None
    made = json.loads(entities.bulkEntitySave(session, "Leads", json.dumps([LEAD])))
    assert made == [str(row["id"]) for row in house.rows("leads")]
    assert house.rows("leads")[0]["rating"] == "Hot"
    again = entities.bulkEntitySave(session, "Leads", json.dumps([LEAD]))
    assert json.loads(again) == made, "its answer may have been lost: the same once more is the same lead"
    assert len(json.loads(entities.bulkEntitySave(session, "Leads", json.dumps([LEAD | {"last_name": "Joki"}])))) == 1
    assert len(house.rows("leads")) == 2

    later = clock.now() + timedelta(minutes=59)
    monkeypatch.setattr(clock, "now", lambda: later)
    entities.bulkEntitySave(session, "Leads", json.dumps([LEAD]))  # it lives an hour from the last call
    later += timedelta(minutes=59)
    entities.bulkEntitySave(session, "Leads", json.dumps([LEAD]))
    assert sessions.destroySession(session) is True
    assert says(lambda: entities.bulkEntitySave(session, "Leads", json.dumps([LEAD]))) == "Client.NotAuthenticated"
    session = opened(sessions, house)
    later += timedelta(minutes=61)
    assert says(lambda: fields.getCrmFields(session, "Leads")) == "Client.NotAuthenticated"
    assert len(house.rows("leads")) == 2


def test_what_a_key_may_not_do_is_a_fault_and_nothing_is_written(house):
    sessions, fields, entities = (manager(house, name) for name in ("session", "field", "entity"))
    assert says(lambda: sessions.createSession("ch_00000000_" + "x" * 40)) == "Client.NotAuthenticated"
    session = opened(sessions, house)
    assert says(lambda: fields.getCrmFields(session, "Invoices")) == "Client.NotFound"
    assert says(lambda: fields.getCrmFields(session, "Contacts")) == "Client.NotPermitted"
    for records in ("no JSON", "[]", "{}", "[1]", "[" * 5000, json.dumps([LEAD] * 101)):
        assert says(lambda given=records: entities.bulkEntitySave(session, "Leads", given)) == "Client.Invalid", (
            records[:20]
        )
    bad = [LEAD, LEAD | {"email": "no address", "last_name": ""}]
    with pytest.raises(zeep.exceptions.Fault, match="email: ") as refused:
        entities.bulkEntitySave(session, "Leads", json.dumps(bad))
    assert "last_name: " in str(refused.value)
    assert house.rows("leads") == [], "all or none"
    with house.here():  # the right to create is taken away while the session lives
        api_keys.change(house.key_id, None, scopes={"leads": ["view"]})
        db.session.commit()
    assert says(lambda: entities.bulkEntitySave(session, "Leads", json.dumps([LEAD]))) == "Client.NotPermitted"
    house.revoke()
    assert says(lambda: entities.bulkEntitySave(session, "Leads", json.dumps([LEAD]))) == "Client.NotAuthenticated"


def test_the_same_by_the_client_of_php(house):
    if shutil.which("php") is None:
        absent("PHP")
    line = ["php", str(HERE / "client.php"), house.base, house.key, json.dumps([LEAD | {"description": "Äiti & <b>"}])]
    done = subprocess.run(line, capture_output=True, text=True, timeout=60, check=True)
    said = json.loads(done.stdout)
    fields = {one["name"]: one for one in said["fields"]}
    assert fields["last_name"]["required"] is True
    assert json.loads(fields["company"]["translations"])["fi_fi"] == "Yritys"
    assert "Hot" in {one["value"] for one in said["values"]["rating"]}
    assert said["ended"] is True
    (row,) = house.rows("leads")
    assert said["made"] == [str(row["id"])]
    assert row["description"] == "Äiti & <b>"
    wrong = subprocess.run([*line[:3], "wrong", "[]"], capture_output=True, text=True, timeout=60, check=True)
    assert json.loads(wrong.stdout)["fault"] == "SOAP-ENV:Client.NotAuthenticated"


def message(method: str, arguments: str) -> str:
    return (
        f'<e:Envelope xmlns:e="{envelope.ENVELOPE}"><e:Body><m:{method} xmlns:m="{envelope.NAMESPACE}">{arguments}</m:{method}></e:Body></e:Envelope>'
    )  # fmt: skip


def says(call: Any) -> str:
    with pytest.raises(zeep.exceptions.Fault) as fault:
        call()
    return str(fault.value.code).rpartition(":")[2]


@pytest.mark.parametrize(
    "body",
    [
        b"", b"<", b"\x00", b"<a/>", b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
        message("createSession", "<k/>" * 11).encode(), message("getSecrets", "<k>1</k>").encode(), b"<a>" * 5000, b"x" * 1_000_001,
    ],
    ids=["empty", "half", "nul", "other", "entity", "arguments", "method", "deep", "large"],
)  # fmt: skip
def test_what_is_no_call_is_a_fault(app, session, body):
    answer = app.test_client().post("/CrmIntegrationWebservice/service.php?class=sessionManager", data=body)
    assert answer.status_code == 500
    assert b"<faultcode>SOAP-ENV:Client" in answer.data
    assert b"root:" not in answer.data


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.binary(max_size=200)
    | st.text(max_size=60).map(lambda text: message("createSession", f"<k>{text}</k>").encode("utf-8", "replace"))
)
def test_whatever_comes_is_a_call_or_unreadable(body):
    try:
        said = envelope.read(body)
    except envelope.Unreadable:
        return
    assert said.method


def test_an_unknown_class_has_no_description(app, session):
    assert app.test_client().get("/CrmIntegrationWebservice/service.php?class=x").status_code == 404
