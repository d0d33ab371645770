"""Must show 2: thousands over real SMTP, with pause, resume, leaving, refusals and kills; everybody once, or with a reason."""

import contextlib
import os
import random
import signal
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.journeys.conftest import serving_mail
from tests.journeys.house import SENDER, wait_for
from tests.journeys.letters import MAIL, write_csv
from tests.mail.smtp_server import chosen

pytestmark = [pytest.mark.journey, pytest.mark.fault]
REFUSED = "3%"
REPLY = "550 5.1.1 no such user"
CONNECTIONS = 4  # of one worker: so many mails can be under way when it is killed
STATES = ("sent", "failed", "skipped", "uncertain", "waiting", "cancelled")


def address(n: int) -> str:
    return f"p{n}@d{n % 50}.example"


@pytest.mark.timeout(1500)
@pytest.mark.parametrize(
    ("people", "kills"), [(2_000, 2), pytest.param(10_000, 10, marks=pytest.mark.long)], ids=["2000", "10000"]
)
def test_everybody_gets_one_mail_or_a_reason_whatever_is_killed(make_house, tmp_path: Path, people: int, kills: int):
    chance = random.Random(20)
    modes = ("delay:dot:0.02", f"refuse:rcpt:{REPLY}:{REFUSED}")
    with serving_mail(tmp_path, *modes) as server:
        house = make_house(smtp_url=f"smtp://127.0.0.1:{server.port}")
        rows = [[f"P{n}", f"Tester {n}", address(n)] for n in range(people)]
        file = write_csv(tmp_path / "people.csv", ["First name", "Last name", "E-mail"], rows)
        said = house.command("import", "contacts", file)
        assert f"{people} created, 0 updated, 0 unchanged, 0 refused." in said
        with house.running():
            sendout = prepare(house, people)
            house.call("POST", f"/sendouts/{sendout}/starts")
            killed, left = disturb(house, server, sendout, people, kills, chance)
            state = house.wait_until(sendout, "sent", seconds=600)
            assert state == "sent"
            report, rows = house.report(sendout), house.deliveries(sendout)

    ours = {address(n) for n in range(people)}  # the report itself is mailed to the sender's user too
    arrived = Counter(entry["recipient"] for entry in server.taken() if entry["recipient"] in ours)
    by_state = {state: {row["email"] for row in rows if row["state"] == state} for state in STATES}
    assert len(rows) == people
    assert set.union(*by_state.values()) == ours  # nobody forgotten
    assert max(arrived.values()) == 1  # once
    assert by_state["sent"] <= set(arrived)  # sent means seen
    assert set(arrived) <= by_state["sent"] | by_state["uncertain"]
    assert len(by_state["uncertain"]) <= killed * CONNECTIONS
    assert all("ended in the middle" in row["reply"] for row in rows if row["state"] == "uncertain")
    refused = {one for one in ours if chosen(one, REFUSED)}
    # Also a refusal is uncertain when the worker was killed between the server's word and its own note of it.
    assert by_state["failed"] == refused - left - by_state["uncertain"]
    failed = {(row["failed_reason"], "5.1.1" in row["reply"]) for row in rows if row["state"] == "failed"}
    assert failed == {("hard_bounce", True)}
    assert {row["email"]: row["skip_reason"] for row in rows if row["state"] == "skipped"} == dict.fromkeys(
        left, "list_unsubscribed"
    )
    assert report["audience"] == people
    assert {state: report[state] for state in STATES} == {state: len(found) for state, found in by_state.items()}
    assert report["sent"] <= len(arrived) <= report["sent"] + report["uncertain"]


def prepare(house, people: int) -> int:
    """A sendout to everybody, made by REST alone."""
    group = house.make("target_groups", name="Everybody", source="contacts", everybody=True)
    assert house.call("POST", f"/target_groups/{group}/refreshes")["meta"]["member_count"] == people
    campaign = house.make("campaigns", name="Ten thousand", type="Email")
    house.call("POST", f"/campaigns/{campaign}/members", {"target_group_id": group})
    lists = house.call("GET", "/list_types")["data"]
    marketing = next(int(one["id"]) for one in lists if one["attributes"]["kind"] == "marketing")
    sender = int(house.call("GET", "/sender_addresses")["data"][0]["id"])
    mail = house.make(
        "email_templates", name="Letter", kind="email", status="active", subject="Hello {$contact.first_name|friend}",
        sender_name="Kaisla", sender_address_id=sender, mjml=MAIL,
    )  # fmt: skip
    assert house.read("sender_addresses", sender)["address"] == SENDER
    return house.make(
        "sendouts", name="Ten thousand", email_template_id=mail, campaign_id=campaign, list_type_id=marketing
    )


def disturb(house, server, sendout: int, people: int, kills: int, chance: random.Random) -> tuple[int, set[str]]:
    """Kill the worker `kills` times at random moments; in the middle pause, let three leave, resume. Gives kills and leavers."""
    marks = sorted(chance.randint(people // 20, people * 8 // 10) for _ in range(kills))
    left: set[str] = set()
    killed = 0
    for place, mark in enumerate(marks):
        wait_for(lambda mark=mark: len(server.taken()) >= mark or is_over(house, sendout), 300, house.log)
        time.sleep(chance.uniform(0, 0.3))
        killed += kill_worker(house)
        if place == len(marks) // 2:
            left = leave_while_paused(house, server, sendout)
    return killed, left


def is_over(house, sendout: int) -> bool:
    return house.read("sendouts", sendout)["state"] in {"sent", "failed", "cancelled"}


def kill_worker(house) -> int:
    """SIGKILL to the process that works now, and wait for the next; 1 when it was there to be killed."""
    pid = house.worker()
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda: house.worker() != pid, 60, house.log)
        return 1
    return 0


def leave_while_paused(house, server, sendout: int) -> set[str]:
    """Pause; nothing goes out any more; three who wait leave the list; go on."""
    assert house.command("sendout", "pause", sendout).strip() == f"Sendout {sendout} is paused."
    time.sleep(1.5)
    before = len(server.taken())
    waiting = [row for row in house.deliveries(sendout) if row["state"] in {"waiting", "leased"}]
    assert len(waiting) > 3
    leavers = {row["email"] for row in waiting[-3:]}
    for email in leavers:
        list_type = house.read("sendouts", sendout)["list_type_id"]
        house.make("suppressions", email=email, scope="list_type", scope_id=list_type, source="api")
    time.sleep(1.0)
    assert len(server.taken()) == before
    house.call("POST", f"/sendouts/{sendout}/resumes")
    return leavers
