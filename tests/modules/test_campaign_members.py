"""M74, M81–M83: who gets into a campaign, by which of the three ways, and who does not."""

import pytest
from sqlalchemy import select

from crm.engine import records, search
from crm.engine.channels import Channel
from crm.engine.refusals import Forbidden, Missing, Refused
from crm.identity.viewer import SYSTEM
from crm.modules.campaign_members import CampaignMember
from crm.modules.campaigns import members
from crm.modules.people import Choice
from crm.modules.target_groups import refresh


@pytest.fixture
def persons(make):
    """Three contacts with an address, one without, and a lead with one."""
    ids = [make("contacts", last_name=f"Person {n}", email=f"p{n}@example.com", mailing_city="Turku") for n in range(3)]
    return [
        *ids,
        make("contacts", last_name="Silent", mailing_city="Turku"),
        make("leads", last_name="L", company="C", email="l@example.com"),
    ]


def states(session, campaign):
    c = CampaignMember.__table__.c
    return {
        row.person_id: row.state
        for row in session.execute(select(c.person_id, c.state).where(c.campaign_id == campaign))
    }


def add(campaign, choice, viewer=SYSTEM, mode="add"):
    return members.change(viewer, campaign, choice, Channel.FORM, mode)


def test_contacts_and_leads_are_added_by_hand_once(session, make, persons):
    campaign = make("campaigns", name="Spring")
    choice = Choice(contact_ids=persons[:4], lead_ids=persons[4:])
    assert members.preview(SYSTEM, campaign, choice) == members.Preview(would_add=4, no_email=1)
    assert add(campaign, choice) == members.Outcome(added=4, no_email=1)
    assert add(campaign, choice) == members.Outcome(added=0, already_in=4, no_email=1)
    assert states(session, campaign) == dict.fromkeys((*persons[:3], persons[4]), "member")
    lead = session.execute(select(CampaignMember).where(CampaignMember.person_id == persons[4])).scalar_one()
    assert (lead.person_module, lead.contact_id, lead.added_by) == ("leads", None, "user")


def test_other_campaigns_take_people_without_an_address(session, make, persons):
    campaign = make("campaigns", name="Calls", type="Telemarketing")
    assert add(campaign, Choice(contact_ids=persons[:4])).added == 4


def test_a_filter_adds_whom_it_finds(session, make, persons):
    campaign = make("campaigns", name="Spring")
    make("contacts", last_name="Far", email="far@example.com", mailing_city="Oulu")
    choice = Choice(module="contacts", where={"mailing_city": "Turku"})
    assert add(campaign, choice) == members.Outcome(added=3, no_email=1)
    assert set(states(session, campaign)) == set(persons[:3])


def test_a_target_group_adds_its_people(session, make, persons):
    campaign = make("campaigns", name="Spring")
    group = make("target_groups", name="Turku", conditions={"mailing_city": "Turku"}, leave_out_unmailable=False)
    refresh.refresh(SYSTEM, group, Channel.FORM)
    assert add(campaign, Choice(target_group_id=group)) == members.Outcome(added=3, no_email=1)
    assert search.find(SYSTEM, "campaign_members").rows[0]["added_by"] == "target_group"


def test_an_inactive_target_group_is_not_used(make):
    campaign, group = make("campaigns", name="Spring"), make("target_groups", name="Old", active=False)
    with pytest.raises(Refused, match="not active"):
        add(campaign, Choice(target_group_id=group))


def test_who_left_a_campaign_is_not_added_again(session, make, persons):
    campaign = make("campaigns", name="Spring")
    add(campaign, Choice(contact_ids=persons[:2]))
    assert members.unsubscribe(campaign, [persons[0]]) == 1
    make("suppressions", email="P2@example.com", scope="campaign", scope_id=campaign, source="recipient")
    done = add(campaign, Choice(contact_ids=persons[:3]))
    assert done == members.Outcome(already_in=1, unsubscribed=2)
    assert states(session, campaign) == {persons[0]: "unsubscribed", persons[1]: "member"}


def test_who_was_removed_by_hand_may_come_back(session, make, persons):
    campaign = make("campaigns", name="Spring")
    add(campaign, Choice(contact_ids=persons[:3]))
    assert members.remove(SYSTEM, campaign, [persons[0]], Channel.FORM) == 1
    assert states(session, campaign)[persons[0]] == "removed"
    assert add(campaign, Choice(contact_ids=[persons[0]])).added == 1
    assert states(session, campaign)[persons[0]] == "member"
    assert members.remove(SYSTEM, campaign, None, Channel.FORM) == 3


def test_content_is_replaced_or_only_matching_people_are_taken_out(session, make, persons):
    campaign = make("campaigns", name="Spring")
    add(campaign, Choice(contact_ids=persons[:2]))
    assert members.preview(SYSTEM, campaign, Choice(contact_ids=persons[1:3]), "replace").would_remove == 1
    done = add(campaign, Choice(contact_ids=persons[1:3]), mode="replace")
    assert (done.added, done.already_in, done.removed) == (1, 1, 1)
    assert add(campaign, Choice(contact_ids=[persons[1]]), mode="remove").removed == 1
    assert [id for id, state in states(session, campaign).items() if state == "member"] == [persons[2]]


def test_nobody_adds_people_whom_he_may_not_see(session, make, people, persons):
    from crm.identity import sharing

    campaign = make("campaigns", name="Spring", owner_id=people.charlie)
    for id in persons[:4]:
        records.update(SYSTEM, "contacts", id, {"owner_id": people.alice}, Channel.SYSTEM)
    sharing.set_level("contacts", "private")
    assert add(campaign, Choice(contact_ids=persons[:3]), people["mary"]).added == 0
    assert add(campaign, Choice(contact_ids=persons[:3]), people["ada"]).added == 3


def test_only_who_may_edit_a_campaign_changes_its_people(make, people, persons):
    campaign = make("campaigns", name="Spring", owner_id=people.mary)
    with pytest.raises(Forbidden):
        add(campaign, Choice(contact_ids=persons[:1]), people["rita"])
    with pytest.raises(Missing):
        add(10**12, Choice(contact_ids=persons[:1]), people["mary"])


def test_ids_that_are_no_contacts_add_nobody(make, persons):
    campaign = make("campaigns", name="Spring")
    assert add(campaign, Choice(contact_ids=[persons[4], campaign, 10**15])).added == 0
    with pytest.raises(Refused):
        add(campaign, Choice(contact_ids=["1; drop table contacts"]))  # type: ignore[list-item]


def test_a_result_is_written_down(session, make, persons):
    campaign = make("campaigns", name="Spring")
    add(campaign, Choice(contact_ids=persons[:1]))
    members.set_result(SYSTEM, campaign, persons[0], "Interested", "Call in May")
    row = search.find(SYSTEM, "campaign_members", columns=("result_code", "result_note")).rows[0]
    assert (row["result_code"], row["result_note"]) == ("Interested", "Call in May")
    with pytest.raises(Refused):
        members.set_result(SYSTEM, campaign, persons[0], "Sold his soul")
    with pytest.raises(Missing):
        members.set_result(SYSTEM, campaign, persons[1], "Interested")
