"""S4: a lead becomes account, contact and potential; what exists is recognised, what it had follows, once only."""

import io

import pytest
from sqlalchemy import select

from crm.engine import attachments, records, relations, search
from crm.engine.channels import Channel
from crm.engine.refusals import Forbidden, Missing, Refused
from crm.identity.viewer import SYSTEM
from crm.modules.campaign_members import CampaignMember
from crm.modules.campaigns import members
from crm.modules.leads import convert
from crm.modules.leads.convert import AlreadyConverted, Wanted
from crm.modules.people import Choice

LEAD = {
    "first_name": "Aino", "last_name": "Virtanen", "company": "ACME Oy", "email": "aino@example.com", "phone": "09 123 456",
    "city": "Turku", "lead_source": "Web Site", "annual_revenue": "120000",
}  # fmt: skip


def run(lead, viewer=SYSTEM, **wanted):
    return convert.convert(viewer, lead, Wanted(**wanted), Channel.FORM)


def test_a_lead_becomes_an_account_and_a_contact_with_what_it_knew(make, row):
    lead = make("leads", **LEAD, email_opt_in="double", email_opt_in_source="Fair", may_measure_opens="no")
    done = run(lead)
    account, contact = row("accounts", done.account_id), row("contacts", done.contact_id)
    assert done.made == {"accounts", "contacts"}
    assert (account["name"], account["billing_city"], account["phone"]) == ("ACME Oy", "Turku", "09 123 456")
    assert (contact["first_name"], contact["account_id"], contact["email"]) == (
        "Aino",
        done.account_id,
        "aino@example.com",
    )
    assert (contact["email_opt_in"], contact["email_opt_in_source"], contact["may_measure_opens"]) == (
        "double",
        "Fair",
        "no",
    )
    assert contact["email_opt_in_at"] == row("leads", lead)["email_opt_in_at"]
    after = row("leads", lead)
    assert (after["converted_account_id"], after["converted_contact_id"], after["lead_status"]) == (
        done.account_id, done.contact_id, "Qualified",
    )  # fmt: skip


def test_an_account_of_that_name_is_recognised_and_the_potential_attaches_to_it(make, row):
    account = make("accounts", name="Acme oy")
    lead = make("leads", **LEAD)
    done = run(lead, make_potential=True, potential={"amount": "12000", "stage": "Qualification"})
    assert done.account_id == account
    assert done.made == {"contacts", "potentials"}
    potential = row("potentials", done.potential_id)
    assert (potential["account_id"], potential["contact_id"], potential["lead_id"]) == (account, done.contact_id, lead)
    assert (str(potential["amount"]), potential["probability"], potential["lead_source"]) == (
        "12000.00",
        20,
        "Web Site",
    )


def test_the_business_id_counts_before_the_name(make):
    by_name = make("accounts", name="ACME Oy")
    by_id = make("accounts", name="Other", business_id="1572860-0")
    assert run(make("leads", **LEAD, business_id="1572860-0")).account_id == by_id
    assert run(make("leads", last_name="X", company="  acme   OY ")).account_id == by_name


def test_a_contact_is_recognised_by_mail_then_by_name_inside_the_account(make):
    account = make("accounts", name="ACME Oy")
    named = make("contacts", first_name="AINO", last_name="virtanen", account_id=account)
    assert run(make("leads", **LEAD)).contact_id == named
    mailed = make("contacts", last_name="Someone", email="AINO@example.com")
    assert run(make("leads", **LEAD)).contact_id == mailed


def test_a_refusal_of_the_lead_holds_for_the_contact_found(make, row):
    contact = make("contacts", last_name="Virtanen", email="aino@example.com")
    run(make("leads", **LEAD, email_opt_out=True))
    assert row("contacts", contact)["email_opt_out"] is True


def test_converting_twice_is_refused_with_what_it_became(make):
    lead = make("leads", **LEAD)
    done = run(lead)
    with pytest.raises(AlreadyConverted) as refused:
        run(lead)
    assert refused.value.faults[""][0].code == "already_converted"
    assert (refused.value.account_id, refused.value.contact_id) == (done.account_id, done.contact_id)
    with pytest.raises(Refused) as refused:
        records.update(SYSTEM, "leads", lead, {"company": "Other"}, Channel.FORM)
    assert refused.value.faults[""][0].code == "already_converted"


def test_the_lead_goes_when_wanted(make):
    lead = make("leads", **LEAD)
    run(lead, delete_lead=True)
    assert not search.exists(SYSTEM, "leads", lead)


def test_activities_mails_files_and_memberships_follow(session, make):
    lead = make("leads", **LEAD)
    call = make("activities", subject="First call", starts_at="2026-06-01T10:00Z")
    mail = make("emails", to_addresses="aino@example.com", subject="Hello")
    relations.link(SYSTEM, "activities", call, "leads", [lead], Channel.SYSTEM)
    relations.link(SYSTEM, "emails", mail, "leads", [lead], Channel.SYSTEM)
    campaign = make("campaigns", name="Spring")
    members.change(SYSTEM, campaign, Choice(lead_ids=[lead]), Channel.FORM)
    file = attachments.store(SYSTEM, "offer.txt", io.BytesIO(b"offer"), "text/plain")
    session.add(attachments.EntityFile(entity_id=lead, file_id=file.id))
    session.flush()
    done = run(lead, make_potential=True)
    for module, id in (("contacts", done.contact_id), ("accounts", done.account_id), ("potentials", done.potential_id)):
        assert list(session.execute(relations.linked(module, id, "activities")).scalars()) == [call]
        assert list(session.execute(relations.linked(module, id, "emails")).scalars()) == [mail]
    assert not list(session.execute(relations.linked("leads", lead, "activities")).scalars())
    member = session.execute(select(CampaignMember)).scalar_one()
    assert (member.person_module, member.person_id, member.contact_id) == ("contacts", done.contact_id, done.contact_id)
    held = select(attachments.EntityFile.file_id).where(attachments.EntityFile.entity_id == done.contact_id)
    assert session.execute(held).scalar() == file.id


def test_of_two_memberships_the_stricter_holds(session, make):
    contact = make("contacts", last_name="Virtanen", email="aino@example.com")
    lead = make("leads", **LEAD)
    campaign = make("campaigns", name="Spring")
    members.change(SYSTEM, campaign, Choice(contact_ids=[contact], lead_ids=[lead]), Channel.FORM)
    members.unsubscribe(campaign, [lead])
    assert run(lead).contact_id == contact
    member = session.execute(select(CampaignMember)).scalar_one()
    assert (member.person_id, member.state) == (contact, "unsubscribed")


def test_without_the_right_to_create_in_a_target_nothing_is_made(session, make, people):
    from sqlalchemy import update

    from crm.identity import stamp
    from crm.identity.tables import Profile

    lead = make("leads", **LEAD, owner_id=people.alice)
    session.execute(update(Profile).where(Profile.key == "sales").values(modules={"contacts": {"verbs": ["view"]}}))
    stamp.renew()
    with pytest.raises(Forbidden):
        run(lead, people["alice"])
    assert search.count(SYSTEM, "accounts") == 0
    done = run(lead, people["alice"], make_contact=False)
    assert done.made == {"accounts"}


def test_a_lead_that_one_may_not_see_is_missing(make, people):
    from crm.identity import sharing

    lead = make("leads", **LEAD, owner_id=people.alice)
    sharing.set_level("leads", "private")
    with pytest.raises(Missing):
        run(lead, people["charlie"])


def test_a_bad_value_refuses_the_whole(session, make):
    lead = make("leads", **LEAD)
    with pytest.raises(Refused), session.begin_nested():
        run(lead, make_potential=True, potential={"probability": 200})
    assert search.count(SYSTEM, "accounts") == 0
    assert search.one(SYSTEM, "leads", lead)["converted_at"] is None
