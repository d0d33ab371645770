"""Must show 4: what must show 1 does on screens is done by REST alone, and by the `customerhub` command where it has a word for it."""

import csv
import io
import json
from collections import Counter
from pathlib import Path

import pytest

from tests.journeys.house import wait_for
from tests.journeys.letters import MAIL, letters_in
from tests.journeys.spreadsheets import accounts, contacts_file

pytestmark = pytest.mark.journey
CONDITIONS = {"$and": [{"account.account_type": "Customer"}, {"$in": ["mailing_city", ["Helsinki", "Turku"]]}]}


@pytest.mark.timeout(600)
def test_a_campaign_without_any_screen(make_house, tmp_path: Path):
    house = make_house()
    file = tmp_path / "excel.csv"
    bad, good = contacts_file(file, "one.example", "windows-1252")
    with house.running():
        house.call("POST", "/accounts", {"data": [{"type": "accounts", "attributes": one} for one in accounts()]})
        import_by_command(house, file, bad)
        import_by_rest(house, tmp_path / "excel-utf8.csv", good)
        wanted = {row[2] for row in good if int(row[3].split()[3]) % 2 == 0 and row[4] in {"Helsinki", "Turku"}}

        group = house.make("target_groups", name="Customers", source="contacts", conditions=CONDITIONS)
        assert house.call("POST", f"/target_groups/{group}/refreshes")["meta"]["member_count"] == len(wanted)
        campaign = house.make("campaigns", name="Spring", type="Email")
        previewed = house.call("POST", f"/campaigns/{campaign}/previews", {"target_group_id": group})["meta"]
        assert previewed["would_add"] == len(wanted)
        added = house.call("POST", f"/campaigns/{campaign}/members", {"target_group_id": group})["meta"]
        assert added["added"] == len(wanted)
        mail = write_mail(house)
        lists = {one["attributes"]["kind"]: int(one["id"]) for one in house.call("GET", "/list_types")["data"]}
        said = {"campaign_id": campaign, "list_type_id": lists["marketing"], "name": "Spring people"}
        made = house.call("POST", "/portal_target_groups/imports", said, 201)
        assert made["meta"]["contact_count"] == len(wanted)
        people = int(made["data"]["id"])
        sendout = house.make("sendouts", name="First", email_template_id=mail, portal_target_group_ids=[people])

        send_test(house, sendout, good[1])
        start_pause_and_resume(house, sendout)
        letters = [one for one in letters_in(house.data / "outbox") if one.recipient in wanted]
        assert Counter(one.recipient for one in letters) == dict.fromkeys(wanted, 1)
        look_at_results(house, sendout, wanted, tmp_path)
        refuse_what_cannot_be(house, sendout, mail)


def import_by_command(house, file: Path, bad: dict[int, str]) -> None:
    said = house.command("import", "contacts", file, code=1)
    assert "980 created, 0 updated, 0 unchanged, 20 refused." in said
    refused = list(csv.reader(io.StringIO(file.with_name("excel.csv.refused.csv").read_text("utf-8-sig"))))
    assert refused[0][:2] == ["Line", "Reason"]
    assert {int(row[0]): row for row in refused[1:]}.keys() == bad.keys()
    assert all(bad[int(row[0])] in row[1] for row in refused[1:])


def import_by_rest(house, file: Path, good: list[list[str]]) -> None:
    """The same people with other spelling of the file: nothing new, nothing changed; the bad rows are refused again."""
    bad, rows = contacts_file(file, "one.example", "utf-8-sig")
    settings = {"mode": "both", "match": "email"}
    with file.open("rb") as stream:
        parts = {
            "data": {"module": "contacts", "settings": json.dumps(settings)},
            "files": {"file": (file.name, stream)},
        }
        begun = house.call("POST", "/imports", status=202, **parts)
    place = f"/imports/{begun['data']['id']}"

    def over():
        found = house.call("GET", place)["data"]["attributes"]
        return found if found["state"] not in {"new", "ready", "running"} else None

    plan = wait_for(over, 120, house.log)
    changed = sum(1 for mine, other in zip(good, rows, strict=True) if mine != other)
    counts = {name: plan[name] for name in ("state", "row", "created", "updated", "unchanged", "refused")}
    assert counts == {
        "state": "done", "row": 1000, "created": 0, "updated": changed, "unchanged": 980 - changed, "refused": 20,
    }  # fmt: skip
    assert {one["line"] for one in plan["faults"]} == bad.keys()


def write_mail(house) -> int:
    """A template, a mail written from it, set active."""
    sender = int(house.call("GET", "/sender_addresses")["data"][0]["id"])
    house.make("email_templates", name="Layout", kind="template", status="active", mjml=MAIL)
    mail = house.make(
        "email_templates", name="Spring letter", kind="email", subject="{$contact.first_name|Friend}, spring is here",
        sender_name="Kaisla", sender_address_id=sender, mjml=MAIL,
    )  # fmt: skip
    done = house.call("POST", f"/email_templates/{mail}/actions/activate")
    assert done["data"]["attributes"]["status"] == "active"
    return mail


def send_test(house, sendout: int, row: list[str]) -> None:
    contact = house.call("GET", "/contacts", params={"filter": json.dumps({"email": row[2]})})["data"][0]
    said = {"addresses": ["me@tests.example"], "contact_id": int(contact["id"])}
    assert house.call("POST", f"/sendouts/{sendout}/tests", said, 202)["meta"] == {"count": 1}
    outbox = house.data / "outbox"
    letter = wait_for(lambda: [one for one in letters_in(outbox) if one.recipient == "me@tests.example"], 60, house.log)
    assert letter[0].subject == f"[TEST] {row[0]}, spring is here"
    assert f"Hello {row[0]} of {row[3]}," in letter[0].text
    assert house.report(sendout)["audience"] == 0


def start_pause_and_resume(house, sendout: int) -> None:
    """Started by REST with a key that makes it one start, paused by REST; looked at and resumed by the command."""
    key = {"headers": {"Idempotency-Key": "start once"}}
    for _ in range(2):
        house.call("POST", f"/sendouts/{sendout}/starts", {}, **key)
    paused = house.call("POST", f"/sendouts/{sendout}/pauses")
    assert paused["data"]["attributes"]["state"] == "paused"
    assert "First: paused" in house.command("sendout", "show", sendout)
    assert f"Sendout {sendout} is " in house.command("sendout", "resume", sendout)
    house.wait_until(sendout, "sent")
    assert "First: sent" in house.command("sendout", "show", sendout)


def look_at_results(house, sendout: int, wanted: set[str], folder: Path) -> None:
    """Report, deliveries, exports."""
    report = house.report(sendout)
    assert (report["audience"], report["sent"], report["failed"]) == (len(wanted), len(wanted), 0)
    rows = house.deliveries(sendout)
    assert {row["email"] for row in rows} == wanted
    assert all(row["state"] == "sent" and row["message_id"] and row["sent_at"] and row["attempts"] == 1 for row in rows)
    where = json.dumps({"$and": [{"sendout_id": sendout}, {"state": "sent"}]})
    out = folder / "deliveries.csv"
    said = house.command("export", "deliveries", out, "--filter", where, "--columns", "email,state")
    assert said.startswith(f"{len(wanted)} records written")
    exported = list(csv.reader(io.StringIO(out.read_text("utf-8-sig"))))
    assert {row[0] for row in exported[1:]} == wanted
    sheet = folder / "contacts.xlsx"
    assert house.command("export", "contacts", sheet).startswith("980 records written")
    assert sheet.read_bytes()[:2] == b"PK"


def refuse_what_cannot_be(house, sendout: int, mail: int) -> None:
    """The same refusals as on the screens, with sentences."""
    again = house.call("POST", f"/sendouts/{sendout}/starts", {}, 409)
    assert "Make a copy" in again["errors"][0]["detail"]
    assert "sent already" in house.command("sendout", "cancel", sendout, code=1)
    nobody = house.make("sendouts", name="To nobody", email_template_id=mail)
    refused = house.call("POST", f"/sendouts/{nobody}/starts", {}, 422)
    assert "Choose a campaign or target groups." in refused["errors"][0]["detail"]
