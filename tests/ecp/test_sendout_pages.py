"""Sendouts by their pages: the steps, what is refused, what is shown, and that nothing leaves before somebody says so."""

import csv
import io
import re
from datetime import timedelta
from html import unescape

import pytest
from sqlalchemy import func, select, update

from crm import clock
from crm.db import db
from crm.engine import records, search
from crm.engine.channels import Channel
from crm.engine.outbox import Timetable
from crm.engine.registry import modules
from crm.identity.viewer import SYSTEM
from crm.mail.sending.deliveries import Delivery
from ecp import groups
from ecp.pipeline import actions, finish, prepare


@pytest.fixture
def group(house):
    """A target group of five people, of whom one has opted out."""
    people = [*house.contacts(4), house.contact("out@example.com", email_opt_out=True)]
    id, _taken = groups.take_in(SYSTEM, house.campaign(people), house.list_id, "Spring people", Channel.SYSTEM)
    db.session.commit()
    return id


def csrf(browser, path):
    return browser.form(path)["csrf"]


def begun(browser, house, group):
    """A draft as the first two steps leave it; its id."""
    said = browser.form("/sendouts/new") | {"name": "Letter", "email_template_id": house.mail_id}
    place = browser.post("/sendouts/new", said).location
    id = int(re.search(r"/sendouts/(\d+)/steps/people", place)[1])
    browser.post(
        f"/sendouts/{id}/steps/people",
        browser.form(f"/sendouts/{id}/steps/people") | {"group": group, "skip_earlier": "1"},
    )
    return id


def deliveries(sendout_id):
    return db.session.execute(select(func.count()).where(Delivery.sendout_id == sendout_id)).scalar()


def state(id):
    return search.one(SYSTEM, "sendouts", id)["state"]


def test_the_last_page_says_exactly_who_gets_it_and_who_is_left_out(browse, house, group):
    eve = browse("eve")
    id = begun(eve, house, group)
    page = eve.get(f"/sendouts/{id}/steps/send").text
    assert "goes from Example to 4 people now" in page
    assert "Send to 4 people" in page
    assert "Has opted out of mail" in page
    assert "out@example.com" in browse("ada").get(f"/sendouts/{id}/left-out/opt_out").text
    assert "out@example.com" not in eve.get(f"/sendouts/{id}/left-out/opt_out").text  # she may see no contacts
    assert (state(id), deliveries(id)) == ("draft", 0)


def test_it_is_not_sent_untested_nor_to_another_number_than_was_shown(browse, house, group):
    mary = browse("mary")
    id = begun(mary, house, group)
    said = {"csrf": csrf(mary, f"/sendouts/{id}/steps/send"), "people": "4"}
    assert "tick “I have tested it”" in mary.post(f"/sendouts/{id}/start", said, 422).text
    version = mary.form(f"/sendouts/{id}/steps/send")["mail_version"]
    answer = mary.post(f"/sendouts/{id}/start", said | {"tested": "1", "people": "5", "mail_version": version}, 409)
    assert "4 people now, not to 5" in answer.text
    answer = mary.post(f"/sendouts/{id}/start", said | {"tested": "1", "mail_version": "99"}, 409)
    assert "changed the e-mail since you opened this page" in answer.text
    assert state(id) == "draft"


def test_sent_twice_by_a_double_click_it_is_sent_once(browse, house, group):
    mary = browse("mary")
    id = begun(mary, house, group)
    said = mary.form(f"/sendouts/{id}/steps/send", "people") | {"tested": "1"}
    mary.post(f"/sendouts/{id}/start", said)
    mary.post(f"/sendouts/{id}/start", said)
    prepare.prepare(id)
    assert (state(id), deliveries(id)) == ("sending", 5)
    assert "4 people are left" in mary.get(f"/sendouts/{id}").text


def test_the_figures_of_an_open_page_go_on_with_the_bar_until_it_ends(browse, house, group):
    mary = browse("mary")
    id = begun(mary, house, group)
    mary.post(f"/sendouts/{id}/start", mary.form(f"/sendouts/{id}/steps/send", "people") | {"tested": "1"})
    assert mary.get(f"/sendouts/{id}/progress?state=preparing&shown=").headers.get("HX-Refresh") is None
    prepare.prepare(id)
    assert mary.get(f"/sendouts/{id}/progress?state=preparing&shown=").headers["HX-Refresh"] == "true"
    page = mary.get(f"/sendouts/{id}").text
    assert "hx-swap-oob" not in page.partition('id="progress"')[2]
    for after, whole in (("sent", False), ("uncertain", True)):
        place = unescape(re.search(r'hx-get="/ecp(/sendouts/\d+/progress[^"]+)" hx-trigger="every 4s"', page)[1])
        waits = select(Delivery.id).where(Delivery.sendout_id == id, Delivery.state == "waiting").limit(1)
        db.session.execute(update(Delivery).where(Delivery.id == waits.scalar_subquery()).values(state=after))
        db.session.commit()
        page = mary.get(place).text
        # A line that is new comes with all lines; else only numbers change, and nothing that has the focus goes.
        assert ('id="seen-lines" hx-swap-oob="innerHTML"' in page) is whole
        assert ('id="seen-waiting" hx-swap-oob="innerHTML">3<' in page) is not whole
        figure = page.partition('id="seen-figure-sent" hx-swap-oob="innerHTML"')[2].partition("</a>")[0]
        assert '<span class="big-number">1</span>' in figure
    assert "Of 1 mail nobody knows" in page
    actions.cancel(SYSTEM, id)
    db.session.commit()
    assert mary.get(place).headers["HX-Refresh"] == "true"
    assert "/progress?" not in mary.get(f"/sendouts/{id}").text


def test_pause_resume_and_cancel(browse, house, group):
    mary = browse("mary")
    id = begun(mary, house, group)
    said = mary.form(f"/sendouts/{id}/steps/send", "people") | {"tested": "1"}
    mary.post(f"/sendouts/{id}/start", said)
    prepare.prepare(id)
    for verb, after in (("pause", "paused"), ("resume", "sending"), ("cancel", "cancelled")):
        mary.post(f"/sendouts/{id}/{verb}", said)
        assert state(id) == after
    assert "What was sent until then stays sent" in mary.get(f"/sendouts/{id}").text


def test_nobody_but_its_owner_and_administrators_cancels_a_sendout(browse, house, group):
    mary, eve = browse("mary"), browse("eve")
    id = begun(mary, house, group)
    mary.post(f"/sendouts/{id}/start", mary.form(f"/sendouts/{id}/steps/send", "people") | {"tested": "1"})
    eve.post(f"/sendouts/{id}/cancel", {"csrf": csrf(eve, "/preferences")}, 403)
    ada = browse("ada")
    ada.post(f"/sendouts/{id}/cancel", {"csrf": csrf(ada, "/preferences")})
    assert state(id) == "cancelled"


def test_scheduled_it_is_locked_until_it_is_unscheduled(browse, house, group):
    mary = browse("mary")
    id = begun(mary, house, group)
    step = f"/sendouts/{id}/steps/time"
    past = (clock.now() - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M")
    assert "This moment is past" in mary.post(step, mary.form(step) | {"when": "later", "at": past}, 422).text
    later = (clock.now() + timedelta(days=3)).strftime("%Y-%m-%dT%H:%M")
    last = mary.post(step, mary.form(step) | {"when": "later", "at": later}).location.removeprefix("/ecp")
    said = mary.form(last, "people")
    assert said["at"] == [later]
    mary.post(f"/sendouts/{id}/schedule", said | {"tested": "1"})
    card = mary.get(f"/sendouts/{id}").text
    assert "E-mail scheduled" in card
    assert "Unschedule" in card
    assert "Unschedule it first" in mary.get(f"/sendouts/{id}/edit", 409).text
    mary.post(f"/sendouts/{id}/unschedule", said)
    assert (state(id), deliveries(id)) == ("draft", 0)


def test_a_timetable_that_stands_still_is_told_where_it_matters(browse, house, group):
    mary = browse("mary")
    id = begun(mary, house, group)
    beat = Timetable(task="sendouts.tick", occurrence=clock.now() - timedelta(minutes=5))
    db.session.add(beat)
    db.session.commit()
    assert "The timetable stands still" in mary.get(f"/sendouts/{id}/steps/time").text
    actions.schedule(SYSTEM, id, clock.now() + timedelta(days=1))
    db.session.commit()
    assert "The timetable stands still" in mary.get(f"/sendouts/{id}").text
    db.session.execute(update(Timetable).values(occurrence=clock.now()))
    db.session.commit()
    assert "The timetable stands still" not in mary.get(f"/sendouts/{id}").text


def test_groups_of_several_lists_do_not_mix(browse, house, group):
    other = records.create(SYSTEM, "list_types", {"name": "Another list"}, Channel.SYSTEM)
    second, _ = groups.take_in(
        SYSTEM, house.campaign(house.contacts(1, "example.org")), other, "Others", Channel.SYSTEM
    )
    db.session.commit()
    mary = browse("mary")
    id = begun(mary, house, group)
    answer = mary.post(
        f"/sendouts/{id}/steps/people", mary.form(f"/sendouts/{id}/steps/people") | {"group": [group, second]}, 422
    )
    assert "different list types" in answer.text


def test_nobody_left_to_send_to_is_told_with_the_reasons(browse, house):
    campaign = house.campaign([house.contact("out@example.com", email_opt_out=True)])
    id = house.sendout(campaign)
    db.session.commit()
    page = browse("mary").get(f"/sendouts/{id}/steps/send").text
    assert "cannot be sent yet" in page
    assert "disabled" in page.split('data-open="sure"')[1][:40]


# the report


@pytest.fixture
def sent(house, group):
    """A sendout over: two sent, one read and clicked, one failed, one uncertain, one left out."""
    campaign = search.one(SYSTEM, "portal_target_groups", group)["campaign_id"]
    id = house.sendout(None, (group,), name="=Letter")
    assert campaign
    actions.start(SYSTEM, id)
    db.session.commit()
    prepare.prepare(id)
    rows = (
        db.session.execute(
            select(Delivery.id).where(Delivery.sendout_id == id, Delivery.state == "waiting").order_by(Delivery.id)
        )
        .scalars()
        .all()
    )
    at = clock.now()
    marks = (
        {"state": "sent", "sent_at": at, "first_read_at": at, "read_count": 2, "first_click_at": at, "click_count": 1},
        {"state": "sent", "sent_at": at}, {"state": "failed", "failed_reason": "refused"}, {"state": "uncertain", "text_begun_at": at},
    )  # fmt: skip
    for row, mark in zip(rows, marks, strict=True):
        db.session.execute(update(Delivery).where(Delivery.id == row).values(**mark))
    db.session.commit()
    return id


def test_the_report_has_the_numbers_and_the_content_as_sent(browse, house, sent):
    mary = browse("mary")
    delivery = db.session.execute(
        select(Delivery.id).where(Delivery.sendout_id == sent, Delivery.first_read_at.is_(None))
    ).scalar()
    of_it = {"sendout_id": sent, "delivery_id": delivery, "at": clock.now()}
    for kind, made_by, why in (
        ("opens", "unknown", "proxy"),
        ("clicks", "machine", "hidden_link"),
        ("opens", "machine", None),
    ):
        db.session.execute(modules[kind].table.insert().values(**of_it, made_by=made_by, why=why))
    db.session.commit()
    page = " ".join(mary.get(f"/sendouts/{sent}").text.split())
    assert "Of 1 more nobody can tell whether they were read, of 0 whether they were clicked in." in page
    for words in (
        "Cannot be told",
        "A mail service loads pictures for all its people",
        "Followed a link that people do not see",
    ):
        assert words in page
    assert re.search(r'Sent</span><span class="big-number">2<', page)
    assert re.search(r'Read</span><span class="big-number">1<', page)
    assert "https://example.com/offer?x=1&amp;y=2" in page
    assert "data-chart" in page
    records.update(SYSTEM, "email_templates", house.mail_id, {"html": "<p>Quite another text</p>"}, Channel.SYSTEM)
    db.session.commit()
    content = mary.get(f"/sendouts/{sent}/content")
    assert "our offer" in content.text
    assert "sandbox" in content.headers["Content-Security-Policy"]


def test_recipients_can_be_narrowed_and_taken_as_a_file(browse, sent):
    mary = browse("mary")
    assert mary.get(f"/sendouts/{sent}/recipients?show=read").text.count("@example.com") == 1
    with mary.get(f"/sendouts/{sent}/recipients.csv?show=sent", buffered=False) as answer:
        assert answer.is_streamed  # a file of half a million lines is never in memory
        lines = list(csv.DictReader(io.StringIO(answer.get_data(as_text=True).removeprefix("\ufeff"))))
    assert len(lines) == 2
    named = {
        row.label for row in search.find(SYSTEM, "contacts", columns=("last_name", "email")).rows
        if row["email"] in {line["email"] for line in lines}
    }  # fmt: skip
    assert {line["name"] for line in lines} == named
    assert "hour,at,read,clicked,machine" in mary.get(f"/sendouts/{sent}/curve.csv").text
    assert "https://example.com/more" in mary.get(f"/sendouts/{sent}/links.csv").text


def test_those_who_have_not_read_become_a_campaign(browse, sent):
    mary = browse("mary")
    said = {"csrf": csrf(mary, "/preferences"), "show": "unread", "name": "Remind them"}
    mary.post(f"/sendouts/{sent}/recipients/campaign", said)
    made = search.find(SYSTEM, "campaigns", where={"name": "Remind them"}, columns=("name",)).rows[0]
    assert search.count(SYSTEM, "campaign_members", {"$eq": ["campaign_id", made.id]}) == 2


def test_a_doubt_is_settled_by_a_person_once(browse, sent):
    mary = browse("mary")
    doubt = db.session.execute(
        select(Delivery.id).where(Delivery.sendout_id == sent, Delivery.state == "uncertain")
    ).scalar()
    said = {"csrf": csrf(mary, "/preferences"), "verdict": "sent"}
    mary.post(f"/sendouts/{sent}/recipients/{doubt}/verdict", said)
    assert db.session.execute(select(Delivery.state).where(Delivery.id == doubt)).scalar() == "sent"
    mary.post(f"/sendouts/{sent}/recipients/{doubt}/verdict", said)  # told, and nothing changes
    mary.post(f"/sendouts/{sent}/recipients/{doubt + 1000}/verdict", said, 404)


def test_mails_that_failed_are_tried_again_also_when_the_sendout_has_ended(browse, sent):
    mary = browse("mary")
    db.session.execute(update(Delivery).where(Delivery.state == "uncertain").values(state="sent"))
    db.session.commit()
    finish.look_after(sent)
    assert state(sent) == "sent"
    failed = update(Delivery).where(Delivery.state == "failed")
    for reason, is_offered, said in (
        ("hard_bounce", False, "The address does not exist."),
        ("refused_server", True, "The server did not take the mail."),
    ):
        db.session.execute(failed.values(failed_reason=reason))
        db.session.commit()
        page = mary.get(f"/sendouts/{sent}/recipients?show=failed").text
        assert ("Try all again" in page, said in page) == (is_offered, True)
    token = {"csrf": csrf(mary, "/preferences")}
    mary.post(f"/sendouts/{sent}/recipients/retry", token)
    assert state(sent) == "sending"
    assert db.session.execute(select(func.count()).where(Delivery.state == "waiting")).scalar() == 1
    mary.post(f"/sendouts/{sent}/recipients/retry", token)  # told that there is none any more
    assert "There is no failed mail to try again." in mary.get(f"/sendouts/{sent}/recipients").text


# the door of the CRM


def test_a_mass_mailing_needs_name_campaign_and_mail_and_saving_sends_nothing(browse, house):
    campaign = house.campaign(house.contacts(2))
    phone = house.make("campaigns", name="By phone", type="Telemarketing", active=True)
    idle = house.make("campaigns", name="Asleep", type="Email", active=False)
    db.session.commit()
    mary = browse("mary", "crm")
    form = mary.form("/sendouts/new")
    page = mary.get("/sendouts/new").text
    assert (f'value="{campaign}"' in page, f'value="{phone}"' in page, f'value="{idle}"' in page) == (
        True,
        False,
        False,
    )
    whole = form | {"name": "From the CRM", "campaign_id": campaign, "email_template_id": house.mail_id}
    for name in ("name", "campaign_id", "email_template_id"):
        assert f'href="#f-{name}"' in mary.post("/sendouts/new", whole | {name: ""}, 422).text
    id = int(mary.post("/sendouts/new", whole).location.rsplit("/", 1)[1])
    assert (state(id), deliveries(id)) == ("draft", 0)
    said = mary.form(f"/sendouts/{id}/steps/send", "people") | {"tested": "1"}
    mary.post(f"/sendouts/{id}/start", said)
    prepare.prepare(id)
    assert deliveries(id) == 2


def test_sales_people_see_mass_mails_and_send_none(browse, house):
    id = house.sendout(house.campaign(house.contacts(1)))
    db.session.commit()
    alice = browse("alice", "crm")
    assert "steps/send" not in alice.get(f"/sendouts/{id}").text
    alice.get(f"/sendouts/{id}/steps/send", 403)
    alice.post(f"/sendouts/{id}/start", {"csrf": csrf(alice, "/preferences"), "tested": "1"}, 403)
    assert state(id) == "draft"


def test_a_campaign_made_on_the_way_comes_back_chosen(browse, house):
    mary = browse("mary", "crm")
    link = re.search(r'href="/crm(/campaigns/new\?type=Email[^"]+)"', mary.get("/sendouts/new").text)[1].replace(
        "&amp;", "&"
    )
    place = mary.post(link, mary.form(link) | {"name": "Made on the way"}).location
    assert re.fullmatch(r"/crm/sendouts/new\?campaign_id=\d+", place)
    assert re.search(r'<option value="\d+" selected>Made on the way', mary.get(place.removeprefix("/crm")).text)
