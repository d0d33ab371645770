"""A sendout from draft to report, through the post office, into memory."""

import threading
from datetime import UTC, datetime, timedelta
from email import policy
from email.parser import BytesParser

import pytest
from sqlalchemy import select, text

from crm import clock
from crm.db import db
from crm.engine import records, search
from crm.engine.channels import Channel
from crm.engine.refusals import Conflict, Refused
from crm.identity.viewer import SYSTEM
from crm.mail.memory import Memory
from crm.mail.outcome import Outcome
from crm.mail.sending.deliveries import Delivery
from crm.mail.sending.office import PostOffice, Rules
from ecp import quotas, statistics
from ecp.pipeline import actions, again, finish, prepare, schedule, testing
from ecp.pipeline.worker import tick
from tests.pipeline.conftest import build_house


class Progress:
    job_id, created_by_id = 0, None

    def step(self, *_):
        pass

    def cancelled(self):
        return False


@pytest.fixture
def post(own_app):
    """`post()`: a post office sends what is due; gives the transport."""
    transport = Memory()

    def send(seconds=8.0, until=None):
        stop = threading.Event()
        office = PostOffice(
            db.engine,
            transport,
            Rules(ledger_sync="process", lease_seconds=5, connections=2),
            own_app.app_context,
            "test",
        )
        db.session.remove()
        thread = threading.Thread(target=office.run, args=(stop,))
        thread.start()
        end = datetime.now(UTC) + timedelta(seconds=seconds)
        try:
            while datetime.now(UTC) < end:
                with db.engine.connect() as connection:
                    query = "SELECT count(*) FROM deliveries WHERE state IN ('waiting', 'leased')"
                    if until(transport) if until else not connection.execute(text(query)).scalar():
                        break
                threading.Event().wait(0.05)
        finally:
            stop.set()
            thread.join(30)
        return transport

    send.transport = transport
    return send


@pytest.fixture
def ready(own_app):
    """A house with three people in a campaign: (house, campaign)."""
    house = build_house()
    campaign = house.campaign(house.contacts(3))
    db.session.commit()
    return house, campaign


def start(sendout_id):
    state = actions.start(SYSTEM, sendout_id)
    db.session.commit()
    prepare.prepare(sendout_id)
    return state


def state_of(sendout_id):
    db.session.rollback()
    return search.one(SYSTEM, "sendouts", sendout_id)["state"]


def states(sendout_id):
    rows = db.session.execute(select(Delivery.email, Delivery.state).where(Delivery.sendout_id == sendout_id))
    return {row.email.partition("@")[0]: row.state for row in rows}


def parse(mail):
    return BytesParser(policy=policy.default).parsebytes(mail.data)


def test_everybody_gets_one_mail_with_his_own_values(ready, post):
    house, campaign = ready
    sendout = house.sendout(campaign)
    assert start(sendout) == "preparing"
    assert state_of(sendout) == "sending"
    transport = post()
    mails = {mail.envelope.recipient: parse(mail) for mail in transport.mails}
    assert sorted(mails) == [f"n{n}@example.com" for n in range(3)]
    one = mails["n1@example.com"]
    assert one["Subject"] == "Hello N1"
    assert one["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert "Hello N1, see" in one.get_body(("html",)).get_content()
    assert "Hello N1" in one.get_body(("plain",)).get_content()
    assert "Hello N0" not in one.as_string()  # the bare name may occur in an opaque link
    assert "{$" not in one.as_string()
    assert finish.look_after(sendout) is True
    assert state_of(sendout) == "sent"
    report = statistics.report(SYSTEM, sendout)
    assert (report["audience"], report["sent"], report["waiting"]) == (3, 3, 0)


def test_saving_sends_nothing_and_starting_twice_starts_once(ready, post):
    house, campaign = ready
    sendout = house.sendout(campaign)
    db.session.commit()
    assert post(seconds=0.5).mails == []
    assert start(sendout) == "preparing"
    assert start(sendout) == "sending"
    post()
    finish.look_after(sendout)
    with pytest.raises(Conflict, match="sent already"):
        actions.start(SYSTEM, sendout)
    assert len(post.transport.mails) == 3


def test_paused_nothing_goes_out_and_who_left_meanwhile_gets_nothing_after_resuming(ready, post):
    house, campaign = ready
    sendout = house.sendout(campaign)
    start(sendout)
    assert actions.pause(SYSTEM, sendout) == "paused"
    assert actions.pause(SYSTEM, sendout) == "paused"
    db.session.commit()
    assert post(seconds=1).mails == []
    records.create(
        SYSTEM,
        "suppressions",
        {"email": "n1@example.com", "scope": "list_type", "scope_id": house.list_id},
        Channel.SYSTEM,
    )
    assert actions.resume(SYSTEM, sendout) == "sending"
    db.session.commit()
    post()
    assert states(sendout) == {"n0": "sent", "n1": "skipped", "n2": "sent"}
    assert statistics.report(SYSTEM, sendout)["skipped_by_reason"] == {"list_unsubscribed": 1}


def test_a_cancelled_sendout_sends_nothing_more_and_its_numbers_add_up(ready, post):
    house, campaign = ready
    sendout = house.sendout(campaign)
    start(sendout)
    assert actions.cancel(SYSTEM, sendout) == "cancelled"
    db.session.commit()
    assert post(seconds=1).mails == []
    report = statistics.report(SYSTEM, sendout)
    assert (report["audience"], report["cancelled"], report["sent"]) == (3, 3, 0)
    with pytest.raises(Conflict):
        actions.resume(SYSTEM, sendout)


def test_pausing_while_it_is_prepared_and_resuming_prepares_it_to_the_end(ready, post):
    house, campaign = ready
    sendout = house.sendout(campaign)
    actions.start(SYSTEM, sendout)
    actions.pause(SYSTEM, sendout)
    db.session.commit()
    assert prepare.prepare(sendout) is False
    tick(Progress())  # nobody has a row yet; that must not be taken for the end
    assert search.one(SYSTEM, "sendouts", sendout)["state"] == "paused"
    assert actions.resume(SYSTEM, sendout) == "preparing"
    db.session.commit()
    tick(Progress())
    assert len(post().mails) == 3


def test_a_scheduled_sendout_leaves_at_its_time_not_before_and_once(ready, post):
    house, campaign = ready
    sendout = house.sendout(campaign)
    at = clock.now() + timedelta(hours=2)
    assert actions.schedule(SYSTEM, sendout, at) == "scheduled"
    db.session.commit()
    assert schedule.start_due() == []
    with clock.standing_at(at + timedelta(seconds=1)):
        assert schedule.start_due() == [sendout]
        assert schedule.start_due() == []
        tick(Progress())
    assert len(post().mails) == 3


def test_a_schedule_that_was_missed_by_more_than_a_day_is_not_sent(ready):
    house, campaign = ready
    sendout = house.sendout(campaign)
    at = clock.now() + timedelta(hours=2)
    actions.schedule(SYSTEM, sendout, at)
    db.session.commit()
    with clock.standing_at(at + timedelta(hours=25)):
        assert schedule.start_due() == []
    assert state_of(sendout) == "failed"
    assert "24 hours" in search.one(SYSTEM, "sendouts", sendout)["state_note"]


def test_what_is_scheduled_is_locked_until_it_is_unscheduled(ready):
    house, campaign = ready
    sendout = house.sendout(campaign)
    actions.schedule(SYSTEM, sendout, clock.now() + timedelta(hours=1))
    with pytest.raises(Refused, match="Unschedule it first"):
        records.update(SYSTEM, "sendouts", sendout, {"name": "Other"}, Channel.API)
    with pytest.raises(Conflict, match="Unschedule it first"):
        actions.start(SYSTEM, sendout)
    assert actions.unschedule(SYSTEM, sendout) == "draft"
    records.update(SYSTEM, "sendouts", sendout, {"name": "Other"}, Channel.API)


@pytest.mark.parametrize(
    ("ahead", "code"),
    [(timedelta(hours=-1), "in_the_past"), (timedelta(seconds=60), "too_soon"), (timedelta(days=400), "too_late")],
)
def test_a_schedule_in_the_past_too_soon_or_too_far_is_a_fault_of_the_field(ready, ahead, code):
    house, campaign = ready
    with pytest.raises(Refused) as refused:
        actions.schedule(SYSTEM, house.sendout(campaign), clock.now() + ahead)
    assert refused.value.faults["scheduled_at"][0].code == code


def test_the_mail_that_was_sent_is_the_one_that_was_frozen(ready, post):
    house, campaign = ready
    sendout = house.sendout(campaign)
    start(sendout)
    records.update(
        SYSTEM, "email_templates", house.mail_id, {"html": "<p>Other</p>", "subject": "Other"}, Channel.SYSTEM
    )
    db.session.commit()
    assert {parse(mail)["Subject"] for mail in post().mails} == {"Hello N0", "Hello N1", "Hello N2"}


@pytest.mark.parametrize(
    ("spoil", "field"),
    [
        (lambda house: records.update(SYSTEM, "email_templates", house.mail_id, {"status": "inactive"}, Channel.SYSTEM), "email_template_id"),
        (lambda house: records.update(SYSTEM, "sender_addresses", house.sender_id, {"state": "pending"}, Channel.SYSTEM), "sender_address_id"),
        (lambda house: db.session.execute(text("UPDATE campaigns SET active = false")), "campaign_id"),
        (lambda house: records.update(SYSTEM, "list_types", house.list_id, {"active": False}, Channel.SYSTEM), "list_type_id"),
        (lambda house: db.session.execute(text("UPDATE contacts SET email_opt_out = true")), ""),
        (lambda house: db.session.execute(text("DELETE FROM campaign_members")), ""),
    ],
)  # fmt: skip
def test_what_cannot_be_sent_is_refused_and_the_sendout_stays_a_draft(ready, spoil, field):
    house, campaign = ready
    sendout = house.sendout(campaign)
    spoil(house)
    db.session.commit()
    with pytest.raises(Refused) as refused:
        actions.start(SYSTEM, sendout)
    assert field in refused.value.faults
    assert state_of(sendout) == "draft"


def test_a_sendout_larger_than_what_is_left_of_the_month_is_refused_with_both_numbers(ready, post):
    house, campaign = ready
    db.session.execute(text("UPDATE plans SET current = false"))
    house.make("plans", name="Two", key="two", monthly_mail_limit=2, current=True)
    sendout = house.sendout(campaign)
    with pytest.raises(Refused, match="needs 3 mails and 2 are left"):
        actions.start(SYSTEM, sendout)
    db.session.execute(text("UPDATE plans SET monthly_mail_limit = 4 WHERE key = 'two'"))
    db.session.commit()
    start(sendout)
    assert quotas.quota().left == 1
    post()
    finish.look_after(sendout)
    finish.look_after(sendout)
    assert (quotas.quota().sent, quotas.quota().reserved) == (3, 0)


def test_a_test_mail_is_marked_and_changes_no_number(ready, post):
    house, campaign = ready
    sendout = house.sendout(campaign)
    person = db.session.execute(text("SELECT min(id) FROM contacts")).scalar()
    assert testing.send_tests(SYSTEM, sendout, ["tester@example.org"], person) == 1
    db.session.commit()
    mail = parse(post().mails[0])
    assert mail["Subject"] == "[TEST] Hello N0"
    assert mail["List-Unsubscribe"] is None
    html = mail.get_body(("html",)).get_content()
    assert "/u/test" in html
    assert "https://example.com/more" in html
    assert state_of(sendout) == "draft"
    assert quotas.quota().sent == 0
    assert statistics.report(SYSTEM, sendout)["audience"] == 0


@pytest.mark.parametrize("addresses", [[], ["a@example.com"] * 6, ["nobody"], ["a@example.com\r\nBcc: b@example.com"]])
def test_a_test_goes_to_one_to_five_good_addresses(ready, addresses):
    house, campaign = ready
    with pytest.raises(Refused):
        testing.send_tests(SYSTEM, house.sendout(campaign), addresses)


def test_an_address_that_does_not_exist_is_not_written_to_again(ready, post):
    house, campaign = ready
    sendout = house.sendout(campaign)
    start(sendout)
    gone = Outcome("refused", "rcpt", 550, "5.1.1 no such user", "5.1.1", "recipient", True)
    post.transport.planned.append(gone)
    post()
    tick(Progress())
    assert sorted(states(sendout).values()) == ["failed", "sent", "sent"]
    report = statistics.report(SYSTEM, sendout)
    assert (report["failed"], report["bounced"], report["sent"]) == (1, 1, 2)
    again = house.sendout(campaign, skip_earlier=False)
    db.session.commit()
    start(again)
    assert statistics.report(SYSTEM, again)["skipped_by_reason"] == {"bounced_before": 1}


def test_the_report_is_mailed_once_to_who_made_the_sendout(ready, post):
    from tests.people import make_user

    house, campaign = ready
    user = make_user("Mary", "marketer", with_password=False)
    sendout = house.sendout(campaign)
    db.session.execute(text("UPDATE sendouts SET creator_id = :u"), {"u": user})
    db.session.commit()
    start(sendout)
    post()
    finish.look_after(sendout)
    tick(Progress())
    post()
    reports = [parse(mail) for mail in post.transport.mails if mail.envelope.recipient == "mary@example.com"]
    assert len(reports) == 1
    assert reports[0]["Subject"] == "Report: Spring mail"
    assert "Sent: 3" in reports[0].get_content()


def test_names_with_markup_line_breaks_and_emoji_stay_text(ready, post):
    house, _campaign = ready
    names = ["<b>x</b>", "A\nBcc: evil@example.net", "Ää 👩‍👩‍👧 \u202etest"]
    ids = [house.contact(f"odd{n}@example.com", first_name=name) for n, name in enumerate(names)]
    sendout = house.sendout(house.campaign(ids))
    db.session.commit()
    start(sendout)
    mails = {mail.envelope.recipient: parse(mail) for mail in post().mails}
    assert len(mails) == 3
    for mail in mails.values():
        assert mail["Bcc"] is None
        assert "<b>x" not in mail.get_body(("html",)).get_content()
    assert "&lt;b&gt;x&lt;/b&gt;" in mails["odd0@example.com"].get_body(("html",)).get_content()


def test_two_workers_that_prepare_at_once_prepare_once(ready, own_app):
    house, campaign = ready
    sendout = house.sendout(campaign)
    actions.start(SYSTEM, sendout)
    db.session.commit()
    db.session.remove()
    done, barrier = [], threading.Barrier(4)

    def work():
        with own_app.app_context():
            barrier.wait()
            done.append(prepare.prepare(sendout))
            db.session.remove()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done) == [False, False, False, True]
    assert statistics.report(SYSTEM, sendout)["audience"] == 3
    assert quotas.quota().reserved == 3


def test_administrators_of_the_portal_hear_when_most_of_the_month_is_used(ready, post):
    from tests.people import make_user

    house, campaign = ready
    make_user("Ella", "marketer", with_password=False, ecp_access=True, ecp_admin=True)
    db.session.execute(text("UPDATE plans SET current = false"))
    house.make("plans", name="Three", key="three", monthly_mail_limit=3, current=True)
    sendout = house.sendout(campaign)
    db.session.commit()
    start(sendout)
    post()
    finish.look_after(sendout)
    finish.look_after(sendout)
    post()
    warnings = [parse(mail) for mail in post.transport.mails if mail.envelope.recipient == "ella@example.com"]
    assert [mail["Subject"] for mail in warnings] == ["100 % of this month's mails are used"]


def test_mails_that_failed_are_tried_again_after_the_end_and_nobody_gets_two(ready, post):
    house, campaign = ready
    db.session.execute(text("UPDATE plans SET current = false"))
    house.make("plans", name="Three", key="three", monthly_mail_limit=3, current=True)
    sendout = house.sendout(campaign)
    db.session.commit()
    start(sendout)
    gone = Outcome("refused", "rcpt", 550, "5.1.1 no such user", "5.1.1", "recipient", True)
    post.transport.planned += [gone, Outcome("refused", "dot", 554, "out of order", "", "server", True)]
    post()
    finish.look_after(sendout)
    assert (state_of(sendout), sorted(states(sendout).values())) == ("sent", ["failed", "failed", "sent"])
    assert quotas.quota().sent == 1
    assert again.try_failed(SYSTEM, sendout) == 1  # the address that does not exist is left as it is
    db.session.commit()
    assert (state_of(sendout), quotas.quota().reserved) == ("sending", 1)
    with pytest.raises(Conflict, match="no failed mail"):
        again.try_failed(SYSTEM, sendout)
    db.session.rollback()
    post()
    finish.look_after(sendout)
    assert (state_of(sendout), sorted(states(sendout).values())) == ("sent", ["failed", "sent", "sent"])
    assert (quotas.quota().sent, quotas.quota().reserved) == (2, 0)
    letters = [mail for mail in post.transport.mails if parse(mail)["List-Id"]]
    assert len({mail.envelope.recipient for mail in letters}) == len(letters) == 2
    db.session.execute(text("UPDATE plans SET monthly_mail_limit = 2 WHERE key = 'three'"))
    db.session.commit()
    row = db.session.execute(select(Delivery.id).where(Delivery.state == "failed")).scalar()
    with pytest.raises(Refused, match="needs 1 mails and 0 are left"):
        again.try_failed(SYSTEM, sendout, row)
    db.session.rollback()
    assert state_of(sendout) == "sent"
