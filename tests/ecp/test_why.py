"""Why somebody got a sendout or did not: every reason and every end, by page, REST and command; nothing beyond one's rights."""

from datetime import timedelta

import pytest
from click.testing import CliRunner
from sqlalchemy import insert, update

from crm import clock
from crm.db import db
from crm.engine import records
from crm.engine.channels import Channel
from crm.engine.refusals import Missing
from crm.engine.registry import modules
from crm.identity import sharing
from crm.identity.viewer import SYSTEM
from crm.mail.sending.deliveries import Delivery
from crm.modules.campaigns import members
from crm.modules.clicks import Click
from crm.modules.people import Choice
from ecp.bounces.tables import ReturnedMail
from ecp.pipeline import actions, prepare
from ecp.why import story
from tests.api.calls import caller


@pytest.fixture
def world(people, house):
    """name → contact id of people of one campaign, and what speaks against each; `sendout` was prepared, `late` joined after."""
    ids = {
        name: house.contact(f"{name}@example.com", last_name=name.title(), owner_id=people.alice)
        for name in ("anna", "left", "gone", "late", "out")
    }
    ids["twin"] = house.contact("anna@example.com", last_name="Twin", owner_id=people.alice)
    ids["mute"] = house.contact("mute@example.com", last_name="Mute", owner_id=people.alice)
    ids["quit"] = house.contact("quit@example.com", last_name="Quit", owner_id=people.alice)
    ids["angry"] = house.contact("angry@example.com", last_name="Angry", owner_id=people.alice)
    records.update(SYSTEM, "contacts", ids["out"], {"email_opt_out": True}, Channel.FORM)
    for name, scope, scope_id in (
        ("left", "list_type", house.list_id),
        ("gone", "bounce", None),
        ("angry", "complaint", None),
    ):
        house.make(
            "suppressions",
            email=f"{name}@example.com",
            scope=scope,
            scope_id=scope_id,
            source="recipient",
            note=f"note of {name}",
        )
    campaign = house.campaign([id for name, id in ids.items() if name != "late"])
    records.update(SYSTEM, "contacts", ids["mute"], {"email": None}, Channel.FORM)
    members.unsubscribe(campaign, [ids["quit"]])
    ids["campaign"], ids["sendout"] = campaign, house.sendout(campaign)
    db.session.commit()
    return ids


def begin(world, people):
    actions.start(people["ada"], world["sendout"])
    db.session.commit()
    prepare.prepare(world["sendout"])
    db.session.commit()
    world["stranger"] = records.create(
        SYSTEM, "contacts", {"last_name": "Stranger", "email": "stranger@example.com"}, Channel.SYSTEM
    )
    db.session.execute(update(modules["campaign_members"].table).values(added_at=clock.now() - timedelta(days=1)))
    members.change(SYSTEM, world["campaign"], Choice(contact_ids=[world["late"]]), Channel.FORM)
    db.session.commit()


def told(world, name, viewer=SYSTEM):
    return story.story(viewer, world["sendout"], world[name])


LEFT_OUT = {
    "out": ("opt_out", "Opted out of all mail."),
    "left": ("list_unsubscribed", "Left this list (The recipient)."),
    "gone": ("bounced_before", "A mail to this address came back (The recipient)."),
    "angry": ("complained", "Told the provider that our mail is unwanted"),
    "quit": ("campaign_unsubscribed", "Unsubscribed from the campaign."),
    "twin": ("duplicate_address", "The mail to this address went to"),
    "mute": ("no_email", "Left out: Has no address"),
    "late": ("joined_later", "Came into the campaign “Spring”"),
    "stranger": ("not_member", "Is not in the campaign “Spring”."),
}  # fmt: skip


def test_who_was_left_out_learns_the_reason_and_what_stands_behind_it(world, people):
    before = told(world, "anna")
    assert (before.got, before.answer) == ("not_yet", "Would get it: the sendout has not begun.")
    assert told(world, "left").answer == "Would be left out now: Has left this list."
    begin(world, people)
    for name, (reason, said) in LEFT_OUT.items():
        found = told(world, name)
        assert (found.got, found.reason) == ("no", reason), (name, found)
        assert any(said in step.sentence for step in found.steps), (name, found.steps)
    assert "note of left" in {step.more for step in told(world, "left").steps}


ENDS = {
    "waiting": ({"attempts": 0}, "not_yet", "Not yet: the mail waits for its turn.", ""),
    "retry": ({"reply": "451 slow", "attempts": 2}, "not_yet", "Not yet: the receiver asked to come back later.", "The server said: 451 slow"),
    "sent": ({"sent_at": clock.now(), "reply": "250 ok 7", "attempts": 1}, "yes", "Got it: the receiver's server took the mail", "The server said: 250 ok 7"),
    "failed": ({"failed_reason": "hard_bounce", "reply": "550 5.1.1 no"}, "no", "Did not get it. The address does not exist.", "550 5.1.1 no"),
    "uncertain": ({"text_begun_at": clock.now()}, "unknown", "Nobody knows", ""),
    "cancelled": ({"skip_reason": "cancelled"}, "no", "Did not get it: the sendout was cancelled", ""),
}  # fmt: skip


def test_every_end_of_a_mail_is_told_with_the_servers_words_and_what_came_after(world, people):
    begin(world, people)
    mine = update(Delivery).where(Delivery.sendout_id == world["sendout"], Delivery.person_id == world["anna"])
    nothing = dict.fromkeys(("skip_reason", "reply", "sent_at", "text_begun_at", "failed_reason"))
    for state, (values, got, answer, more) in ENDS.items():
        db.session.execute(mine.values(**(nothing | {"state": state} | values)))
        found = told(world, "anna")
        assert found.got == got, state
        assert found.answer.startswith(answer), (state, found.answer)
        assert any(more in step.more for step in found.steps), (state, found.steps)
    db.session.execute(mine.values(state="sent", skip_reason=None, sent_at=clock.now(), first_read_at=clock.now()))
    delivery = db.session.scalar(
        db.select(Delivery.id).where(Delivery.sendout_id == world["sendout"], Delivery.person_id == world["anna"])
    )
    back = {
        "key": "k",
        "at": clock.now(),
        "kind": "bounce",
        "verdict": "soft",
        "reason": "full",
        "delivery_id": delivery,
    }
    db.session.execute(insert(ReturnedMail).values(**back))
    click = {
        "sendout_id": world["sendout"],
        "delivery_id": delivery,
        "person_id": world["anna"],
        "link_number": 1,
        "url": "https://example.com/offer",
    }
    db.session.execute(insert(Click.__table__).values(**click, at=clock.now(), made_by="machine", why="agent"))
    said = [f"{step.sentence} {step.more}" for step in told(world, "anna").steps]
    assert any("Bounced this time. The mailbox is full." in one for one in said), said
    assert any(
        "A link was followed. A machine: Names itself as a scanner · https://example.com/offer" in one for one in said
    ), said
    records.update(SYSTEM, "contacts", world["anna"], {"may_measure_opens": "no"}, Channel.FORM)
    db.session.execute(mine.values(first_read_at=None))
    assert any("is not measured" in step.sentence for step in told(world, "anna").steps)


def test_by_card_report_rest_and_command_within_ones_rights(app, browse, world, people):
    begin(world, people)
    mary = browse("mary")
    here = f"/sendouts/{world['sendout']}/why"
    assert "Has opted out of mail" in mary.get(f"{here}/{world['out']}").text
    assert f"{here}/{world['left']}" in mary.get(f"{here}?q=left@example.com", 303).headers["Location"]
    assert "Nobody whom you may see" in mary.get(f"{here}?q=nobody").text
    assert f"/ecp{here}/{world['anna']}" in mary.get(f"/sendouts/{world['sendout']}/recipients").text
    crm = browse("mary", "crm")
    assert f"/crm/contacts/{world['out']}/why" in crm.get(f"/contacts/{world['out']}").text
    page = crm.get(f"/contacts/{world['out']}/why").text
    assert "Left out: Has opted out of mail" in page
    assert f"/crm{here}/{world['out']}" in page
    ask = caller(app, people.mary)
    path = f"/sendouts/{world['sendout']}/stories"
    answer = ask("GET", f"{path}?email=left@example.com")
    assert answer.status_code == 200, answer.text
    assert answer.json["data"]["attributes"]["reason"] == "list_unsubscribed"
    assert ask("GET", path).status_code == 422
    assert ask("GET", f"{path}?person_id=999999").status_code == 404
    sharing.set_level("contacts", "private")
    db.session.commit()
    with pytest.raises(Missing):
        told(world, "out", people["mary"])
    assert ask("GET", f"{path}?person_id={world['out']}").status_code == 404
    browse("charlie", "crm").get(f"/contacts/{world['out']}/why", 404)


def test_the_command_tells_the_same(app, world, people, monkeypatch):
    from contextlib import nullcontext

    from hub.commands import mailing

    begin(world, people)
    monkeypatch.setattr(mailing, "house", nullcontext)
    said = CliRunner().invoke(mailing.sendout, ["why", str(world["sendout"]), "left@example.com"])
    assert said.exit_code == 0, said.output
    assert "Did not get it: Has left this list." in said.output
    assert "Left this list (The recipient)." in said.output
    assert CliRunner().invoke(mailing.sendout, ["why", str(world["sendout"]), "nobody@example.com"]).exit_code == 1
