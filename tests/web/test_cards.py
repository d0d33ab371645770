"""Cards and forms as people use them: quick edit, stale saves, duplicates, related lists, the timeline, conversion."""

from lxml import html

from crm.db import db
from crm.engine import records, search
from crm.engine.channels import Channel
from crm.engine.history import of_record
from crm.engine.registry import modules
from crm.identity.viewer import SYSTEM


def token(browser):
    return html.fromstring(browser.get("/").text).xpath("//meta[@name='csrf-token']/@content")[0]


def test_a_field_is_changed_where_it_stands_with_the_same_checks(browse, people, make):
    id = make("contacts", last_name="Virta", email="v@example.com")
    alice = browse("alice")
    form = alice.get(f"/contacts/{id}/field/email?edit=1").text
    assert 'name="email"' in form
    said = {"csrf": token(alice), "version": "1"}
    wrong = alice.post(f"/contacts/{id}/field/email", said | {"email": "no address"}, status=422).text
    assert "no address" in wrong
    assert search.one(SYSTEM, "contacts", id)["email"] == "v@example.com"
    alice.post(f"/contacts/{id}/field/email", said | {"email": "new@example.com"}, status=200)
    assert search.one(SYSTEM, "contacts", id)["email"] == "new@example.com"
    assert {change.field for change in of_record(SYSTEM, modules["contacts"], id)} >= {"email"}


def test_a_field_that_somebody_changed_meanwhile_is_not_overwritten(browse, people, make):
    id = make("contacts", last_name="Virta", title="Buyer")
    alice = browse("alice")
    records.update(SYSTEM, "contacts", id, {"title": "CEO"}, Channel.SYSTEM)
    db.session.commit()
    answer = alice.post(
        f"/contacts/{id}/field/title", {"csrf": token(alice), "version": "1", "title": "CFO"}, status=409
    )
    assert "CEO" in answer.text
    assert "CFO" in answer.text
    assert search.one(SYSTEM, "contacts", id)["title"] == "CEO"


def test_a_stale_form_shows_both_versions(browse, people, make):
    id = make("contacts", last_name="Virta", title="Buyer")
    alice = browse("alice")
    sent = alice.form(f"/contacts/{id}/edit")
    records.update(SYSTEM, "contacts", id, {"title": "CEO"}, Channel.SYSTEM)
    db.session.commit()
    page = alice.post(f"/contacts/{id}/edit", sent | {"title": ["CFO"]}, status=409).text
    rows = [row.text_content() for row in html.fromstring(page).xpath("//div[contains(@class,'versions')]//tbody/tr")]
    assert any("CEO" in row and "CFO" in row for row in rows)
    again = {name: value for name, value in sent.items() if name != "version"} | {"title": ["CFO"], "version": ["2"]}
    alice.post(f"/contacts/{id}/edit", again)
    assert search.one(SYSTEM, "contacts", id)["title"] == "CFO"


def test_a_likely_duplicate_is_shown_before_a_second_one_is_made(browse, people, make):
    first = make("contacts", last_name="Virta", email="v@example.com")
    alice = browse("alice")
    sent = alice.form("/contacts/new") | {"last_name": ["Other"], "email": ["V@example.com"]}
    page = alice.post("/contacts/new", sent, status=422).text
    assert f"/crm/contacts/{first}" in page
    alice.post("/contacts/new", sent | {"anyway": ["1"]})


def test_faults_stand_at_the_field_and_on_top_and_what_was_typed_stays(browse, people):
    alice = browse("alice")
    sent = alice.form("/contacts/new") | {"first_name": ["<b>Anna</b>"], "email": ["nonsense"], "last_name": [""]}
    page = html.fromstring(alice.post("/contacts/new", sent, status=422).text)
    top = page.xpath("//div[@role='alert']")[0]
    assert top.xpath(".//a[@href='#f-email']")
    assert top.xpath(".//a[@href='#f-last_name']")
    field = page.xpath("//input[@name='email']")[0]
    assert field.get("value") == "nonsense"
    assert field.get("aria-invalid") == "true"
    assert page.get_element_by_id(field.get("aria-describedby")) is not None
    assert page.xpath("//input[@name='first_name']/@value") == ["<b>Anna</b>"]


def test_the_box_of_the_timeline_makes_a_task_that_shows_on_it(browse, people, make):
    id = make("contacts", last_name="Virta")
    alice = browse("alice")
    said = {"csrf": token(alice), "subject": "Call about the offer", "kind": "task", "on": "2026-12-01"}
    page = alice.post(f"/contacts/{id}/activity", said, status=200).text
    assert "Call about the offer" in page
    assert alice.post(f"/contacts/{id}/activity", said | {"subject": ""}, status=422)
    assert "Call about the offer" in alice.get(f"/contacts/{id}/related/activities.contacts").text


def test_a_related_list_links_and_unlinks(browse, people, make):
    contact = make("contacts", last_name="Virta")
    activity = make("activities", subject="Meeting of all", starts_at="2026-12-01 10:00")
    alice = browse("alice")
    path, said = f"/contacts/{contact}/related/activities.contacts", {"csrf": token(alice)}
    alice.post(path, said | {"other": str(activity)})
    assert "Meeting of all" in alice.get(path).text
    alice.post(path, said | {"unlink": str(activity)})
    assert "Meeting of all" not in alice.get(path).text


def test_an_action_is_done_by_post_and_only_when_it_is_offered(browse, people, make):
    id = make("potentials", name="Big one", stage="Prospecting")
    alice = browse("alice")
    alice.get(f"/potentials/{id}/do/win", status=405)
    alice.post(f"/potentials/{id}/do/win", {"csrf": token(alice)})
    assert search.one(SYSTEM, "potentials", id)["stage"] == "Closed Won"
    alice.post(f"/potentials/{id}/do/win", {"csrf": token(alice)}, status=422)


def test_a_stage_is_set_in_the_diagram(browse, people, make):
    id = make("potentials", name="Big one", stage="Prospecting")
    alice = browse("alice")
    assert 'aria-current="step"' in alice.get(f"/potentials/{id}").text
    alice.post(f"/potentials/{id}/stage/stage", {"csrf": token(alice), "version": "1", "stage": "Qualification"})
    assert search.one(SYSTEM, "potentials", id)["stage"] == "Qualification"


def test_a_lead_becomes_a_contact_of_an_account(browse, people, make):
    id = make("leads", last_name="Lea", company="Newco", email="lea@example.com")
    alice = browse("alice")
    assert f"/crm/leads/{id}/convert" in alice.get(f"/leads/{id}").text
    answer = alice.post(f"/leads/{id}/convert", {"csrf": token(alice), "account": "1", "contact": "1"})
    contact = search.one(SYSTEM, "contacts", int(answer.headers["Location"].rsplit("/", 1)[1]))
    assert contact["email"] == "lea@example.com"
    assert contact.label_of("account_id") == "Newco"


def test_people_of_a_target_group_come_into_a_campaign_after_a_look_at_the_numbers(browse, people, make):
    for n in range(3):
        make("contacts", last_name=f"P{n}", email=f"p{n}@example.com", mailing_city="Turku")
    make("contacts", last_name="Q", email="q@example.com", mailing_city="Oulu")
    group = make("target_groups", owner="mary", name="Turku", source="contacts", conditions={"mailing_city": "Turku"})
    campaign = make("campaigns", owner="mary", name="Spring")
    mary = browse("mary")
    said = {"csrf": token(mary)}
    mary.post(f"/target_groups/{group}/refresh", said)
    assert search.one(SYSTEM, "target_groups", group)["member_count"] == 3
    said |= {"campaign_id": str(campaign), "target_group_id": str(group), "mode": "add"}
    assert "3 people would be added" in mary.post("/add-to-campaign", said, status=200).text
    assert search.count(SYSTEM, "campaign_members", {"campaign_id": campaign}) == 0
    mary.post("/add-to-campaign", said | {"sure": "1"})
    assert search.count(SYSTEM, "campaign_members", {"campaign_id": campaign}) == 3


def test_a_file_is_attached_and_given_out_only_as_a_download(browse, people, make):
    from io import BytesIO

    from crm.identity import sharing

    sharing.set_level("contacts", "private")
    db.session.commit()
    id = make("contacts", last_name="Virta")
    alice = browse("alice")
    said = {"csrf": token(alice), "file": (BytesIO(b"<script>alert(1)</script>"), "../page.html")}
    answer = alice.client.post(f"/crm/contacts/{id}/files", data=said, content_type="multipart/form-data")
    assert answer.status_code == 200
    href = html.fromstring(answer.text).xpath("//li/a/@href")[0]
    assert "page.html" in answer.text
    given = alice.get(href.removeprefix("/crm"))
    assert given.headers["Content-Disposition"].startswith("attachment")
    assert given.headers["Content-Type"] == "application/octet-stream"
    given.close()
    browse("charlie").get(href.removeprefix("/crm"), status=404)
    program = {"csrf": token(alice), "file": (BytesIO(b"MZ"), "setup.exe")}
    assert (
        alice.client.post(f"/crm/contacts/{id}/files", data=program, content_type="multipart/form-data").status_code
        == 422
    )
