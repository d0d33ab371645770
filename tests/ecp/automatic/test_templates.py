"""M42-M45: folders of mails, who sees them, what they may be used for, and why one cannot be deleted."""

import pytest

from crm.db import db
from crm.engine import records, search
from crm.engine.channels import Channel
from crm.engine.refusals import Missing, Refused
from crm.identity import viewers
from crm.identity.viewer import SYSTEM
from crm.modules.tickets import templates
from tests.api.calls import caller
from tests.ecp.automatic.conftest import template
from tests.people import make_user

TIMED = {"sending_time": "daily", "sending_at": "09:00"}


def faults(values, viewer=SYSTEM, module="email_templates"):
    with pytest.raises(Refused) as refused:
        records.create(viewer, module, values, Channel.FORM)
    db.session.rollback()
    return {name: found[0].code for name, found in refused.value.faults.items()}


def test_a_personal_mail_is_its_authors_and_the_administrators_alone(people, house):
    said = {"name": "Mine", "kind": "template", "folder": "Personal", "subject": "Hello", "text": "Hello"}
    id = records.create(people["mary"], "email_templates", said, Channel.FORM)
    db.session.commit()
    for name in ("mary", "ada"):
        assert search.one(people[name], "email_templates", id)["name"] == "Mine"
    other = viewers.of_user(make_user("Max", "marketer", ecp_access=True))
    assert search.one(other, "email_templates", house.mail_id)
    with pytest.raises(Missing):
        search.one(other, "email_templates", id)
    records.update(people["mary"], "email_templates", id, {"folder": "Public"}, Channel.FORM)
    assert not search.one(people["ada"], "email_templates", id)["is_personal"]


def test_folders_of_the_house_are_written_by_administrators(people, house):
    id = template(house)
    db.session.commit()
    assert faults({"name": "X", "folder": "Campaign"}, people["mary"]) == {"folder": "forbidden"}
    for change in ({"folder": "Public"}, {"subject": "Other"}):
        with pytest.raises(Refused, match="administrators"):
            records.update(people["mary"], "email_templates", id, change, Channel.FORM)
        db.session.rollback()
    records.update(people["ada"], "email_templates", id, {"subject": "Other"}, Channel.FORM)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"sending_time": "daily"}, {"sending_at": "required"}),
        ({"sending_time": "weekly", "sending_at": "09:00"}, {"sending_weekday": "required"}),
        ({"sending_time": "monthly", "sending_at": "09:00"}, {"sending_day": "required"}),
        ({"sending_time": "once", "sending_at": "09:00"}, {"sending_on": "required"}),
        ({"sending_time": "daily", "sending_at": "25:00"}, {"sending_at": "bad_time"}),
        (
            {"status": "active", "html": "<p>Hello</p>"},
            {"subject": "required", "sender_name": "required", "sender_address_id": "required"},
        ),
    ],
)
def test_what_goes_by_itself_says_from_whom_and_when(house, values, expected):
    assert faults({"name": "Daily", "kind": "template", "folder": "Campaign"} | values) == expected


def test_only_the_folder_campaign_has_a_sending_time(house):
    id = template(house)
    row = lambda: search.one(SYSTEM, "email_templates", id)  # noqa: E731
    assert row()["sending_time"] == "immediately"
    records.update(SYSTEM, "email_templates", id, TIMED | {"sending_day": 3}, Channel.FORM)
    assert (row()["sending_time"], row()["sending_day"]) == ("daily", None)
    records.update(SYSTEM, "email_templates", id, {"folder": "Public"}, Channel.FORM)
    assert (row()["sending_time"], row()["sending_at"]) == (None, None)


@pytest.mark.parametrize(
    ("module", "field", "mail", "code"),
    [
        ("campaigns", "auto_template_id", {"folder": "Public"}, "other_folder"),
        ("campaigns", "auto_template_id", {"status": "inactive"}, "inactive"),
        ("campaigns", "auto_template_id", TIMED, "timed"),
        ("campaigns", "auto_template_id", {}, None),
        ("target_groups", "send_template_id", {"folder": "Personal"}, "other_folder"),
        ("target_groups", "send_template_id", {}, "not_timed"),
        ("target_groups", "send_template_id", TIMED, None),
    ],
)
def test_campaigns_and_groups_take_and_offer_only_mails_of_the_folder_campaign(
    app, people, house, module, field, mail, code
):
    id = template(house, **mail)
    db.session.commit()
    answer = caller(app, people.ada)("POST", f"/{module}", {"name": "One", field: id})
    assert answer.status_code == (422 if code else 201), answer.text
    if code:
        (error,) = answer.json["errors"]
        assert (error["source"]["pointer"].rsplit("/", 1)[-1], error["code"]) == (field, code)


def test_a_mail_in_use_is_not_deleted_and_its_uses_are_named(house):
    id = template(house)
    campaign = house.make("campaigns", name="Secret plans", auto_template_id=id)
    number = search.one(SYSTEM, "campaigns", campaign)["number"]
    with pytest.raises(Refused, match=f"Campaigns: {number}") as refused:
        records.delete(SYSTEM, "email_templates", id, Channel.FORM)
    assert "Secret plans" not in str(refused.value)  # who may delete a mail need not see the campaign
    records.delete(SYSTEM, "campaigns", campaign, Channel.FORM)
    records.delete(SYSTEM, "email_templates", id, Channel.FORM)


def test_change_comments_is_permanent(house):
    templates.seed()
    id = templates.row_of(templates.CHANGE_COMMENTS)["id"]
    with pytest.raises(Refused, match="permanent"):
        records.delete(SYSTEM, "email_templates", id, Channel.FORM)
    for change in ({"name": "Other"}, {"folder": "Public"}):
        with pytest.raises(Refused, match="permanent"):
            records.update(SYSTEM, "email_templates", id, change, Channel.FORM)
    records.update(SYSTEM, "email_templates", id, {"subject": "Re: {$ticket.title}"}, Channel.FORM)
