"""Rules that modules declare beyond single fields."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from crm import clock
from crm.engine import records
from crm.engine.channels import Channel
from crm.engine.refusals import Forbidden, Refused
from crm.identity.viewer import SYSTEM


def codes(refused):
    return {name: faults[0].code for name, faults in refused.value.faults.items()}


def change(module, id, **values):
    return records.update(SYSTEM, module, id, values, Channel.FORM)


@pytest.mark.parametrize("good", ["0737546-2", "1572860-0", "FR 40 303 265 045", "12345678"])
def test_a_business_id_with_a_right_check_digit_or_of_another_country_is_taken(make, good):
    assert make("accounts", name="Acme", business_id=good)


@pytest.mark.parametrize("bad", ["0737546-3", "1234567-8"])
def test_a_business_id_with_a_wrong_check_digit_is_refused(make, bad):
    with pytest.raises(Refused) as refused:
        make("accounts", name="Acme", business_id=bad)
    assert codes(refused) == {"business_id": "bad_business_id"}


def test_an_account_cannot_be_its_own_grandparent(make):
    top = make("accounts", name="Top")
    middle = make("accounts", name="Middle", parent_id=top)
    low = make("accounts", name="Low", parent_id=middle)
    for parent in (low, middle, top):
        with pytest.raises(Refused) as refused:
            change("accounts", top, parent_id=parent)
        assert codes(refused) == {"parent_id": "cycle"}


def test_nobody_reports_to_somebody_below(make):
    boss = make("contacts", last_name="Boss")
    clerk = make("contacts", last_name="Clerk", reports_to_id=boss)
    with pytest.raises(Refused) as refused:
        change("contacts", boss, reports_to_id=clerk)
    assert codes(refused) == {"reports_to_id": "cycle"}


def test_an_answer_of_a_contact_is_stamped_when_it_changes(make, row):
    moment = datetime(2026, 3, 1, 12, tzinfo=UTC)
    with clock.standing_at(moment):
        id = make("contacts", last_name="Virtanen", email="a@example.com", may_measure_opens="yes")
    assert row("contacts", id)["may_measure_opens_at"] == moment
    assert row("contacts", id)["email_opt_out_at"] is None
    later = datetime(2026, 4, 1, 12, tzinfo=UTC)
    with clock.standing_at(later):
        change("contacts", id, email_opt_out=True)
    assert row("contacts", id)["email_opt_out_at"] == later
    assert row("contacts", id)["may_measure_opens_at"] == moment


def test_an_opt_in_that_says_out_sets_the_opt_out(make, row):
    id = make("contacts", last_name="Virtanen")
    change("contacts", id, email_opt_in="out_contact")
    assert row("contacts", id)["email_opt_out"] is True


def test_a_new_address_of_a_contact_has_not_bounced(make, row):
    id = make("contacts", last_name="Virtanen", email="old@example.com", email_status="hard_bounced")
    change("contacts", id, email="OLD@example.com")
    assert row("contacts", id)["email_status"] == "hard_bounced"
    change("contacts", id, email="new@example.com")
    assert row("contacts", id)["email_status"] == "ok"
    assert row("contacts", id)["email_key"] == "new@example.com"


def test_addresses_are_compared_in_lower_case_and_with_the_domain_in_ascii(make, row):
    id = make("contacts", last_name="Mäki", email="Matti.Maki@Käpylä.example")
    assert row("contacts", id)["email_key"] == "matti.maki@xn--kpyl-load.example"


def test_a_stage_brings_its_probability_unless_one_is_given(make, row):
    id = make("potentials", name="Deal", amount="1000")
    assert row("potentials", id)["probability"] == 10
    assert row("potentials", id)["weighted_amount"] == Decimal("100.00")
    for channel in (Channel.FORM, Channel.QUICK_EDIT, Channel.MASS_EDIT, Channel.API):
        records.update(SYSTEM, "potentials", id, {"stage": "Qualification"}, channel)
        assert row("potentials", id)["probability"] == 20
        records.update(SYSTEM, "potentials", id, {"stage": "Prospecting"}, channel)
    change("potentials", id, stage="Value Proposition", probability="55")
    assert row("potentials", id)["probability"] == 55
    assert row("potentials", id)["weighted_amount"] == Decimal("550.00")
    change("potentials", id, probability=60)
    assert row("potentials", id)["stage"] == "Value Proposition"


def test_probability_stays_within_a_hundred(make):
    with pytest.raises(Refused) as refused:
        make("potentials", name="Deal", probability=101)
    assert codes(refused) == {"probability": "out_of_range"}


def test_winning_stamps_the_day_and_reopening_clears_it(make, row):
    id = make("potentials", name="Deal")
    with clock.standing_at(datetime(2026, 5, 4, 9, tzinfo=UTC)):
        records.act(SYSTEM, "potentials", id, "win", Channel.FORM)
    assert row("potentials", id)["stage"] == "Closed Won"
    assert row("potentials", id)["closed_on"] == date(2026, 5, 4)
    assert row("potentials", id)["probability"] == 100
    with pytest.raises(Refused):
        records.act(SYSTEM, "potentials", id, "win", Channel.FORM)
    records.act(SYSTEM, "potentials", id, "reopen", Channel.FORM)
    assert row("potentials", id)["closed_on"] is None


def test_the_code_of_a_product_is_unique_whatever_its_case(make):
    make("products", name="Chair", code="CH-1")
    with pytest.raises(Refused) as refused:
        make("products", name="Other chair", code="ch-1")
    assert codes(refused) == {"code": "not_unique"}


def test_products_refuse_negative_prices_and_commissions_over_a_hundred(make):
    with pytest.raises(Refused) as refused:
        make("products", name="Chair", unit_price="-1", commission_percent="101")
    assert codes(refused) == {"unit_price": "out_of_range", "commission_percent": "out_of_range"}


def test_a_task_needs_a_due_date_and_an_event_a_start_before_its_end(make, row):
    with pytest.raises(Refused) as refused:
        make("activities", subject="Call back", kind="task")
    assert codes(refused) == {"due_on": "required"}
    with pytest.raises(Refused) as refused:
        make("activities", subject="Meet", starts_at="2026-06-01T10:00Z", ends_at="2026-06-01T09:00Z")
    assert codes(refused) == {"ends_at": "bad_period"}
    id = make("activities", subject="Call back", activity_type="Task", due_on="2026-06-02")
    assert (row("activities", id)["kind"], row("activities", id)["status"]) == ("task", "Not Started")
    assert row("activities", id)["at"] == datetime(2026, 6, 2, tzinfo=UTC)
    records.act(SYSTEM, "activities", id, "complete", Channel.FORM)
    assert row("activities", id)["status"] == "Completed"
    assert row("activities", id)["completed_at"]


def test_the_status_of_an_activity_is_one_of_its_kind(make):
    with pytest.raises(Refused) as refused:
        make("activities", subject="Meet", starts_at="2026-06-01T10:00Z", status="Completed")
    assert codes(refused) == {"status": "not_in_list"}


def test_a_mail_without_subject_sender_or_text_cannot_be_active(make):
    id = make("email_templates", name="News")
    with pytest.raises(Refused) as refused:
        change("email_templates", id, status="active")
    assert set(codes(refused)) == {"html", "subject", "sender_name", "sender_address_id"}


def test_html_of_65001_characters_is_refused_with_count_and_limit(make):
    with pytest.raises(Refused, match=r"65.001 characters, maximum is 65.000") as refused:
        make("email_templates", name="News", html="x" * 65_001)
    assert codes(refused) == {"html": "too_long"}
    assert make("email_templates", name="News", html="x" * 65_000)


def test_a_landing_page_gets_an_address_from_its_name(make, row):
    first = make("landing_pages", name="Kiitos, että tulit!")
    second = make("landing_pages", name="Kiitos että tulit")
    assert [row("landing_pages", id)["slug"] for id in (first, second)] == ["kiitos-etta-tulit", "kiitos-etta-tulit-2"]
    with pytest.raises(Refused) as refused:
        make("landing_pages", name="Other", slug="../admin")
    assert codes(refused) == {"slug": "bad_slug"}


def test_a_subscription_page_must_hold_both_buttons(make, row):
    with pytest.raises(Refused) as refused:
        make("list_types", name="News", page_html="<p>Bye {$button.unsubscribe}</p>")
    assert codes(refused) == {"page_html": "missing_button"}
    id = make("list_types", name="Monthly news")
    assert "{$button.subscribe}" in row("list_types", id)["page_html"]
    assert row("list_types", id)["slug"] == "monthly-news"
    change("list_types", id, name="Weekly news")
    assert row("list_types", id)["slug"] == "monthly-news"


def test_the_end_of_a_refusal_needs_a_reason(make, row):
    list_type = make("list_types", name="News")
    with pytest.raises(Refused) as refused:
        make("suppressions", email="a@example.com", scope="list_type")
    assert codes(refused) == {"scope_id": "required"}
    id = make("suppressions", email="A@Example.com", scope="list_type", scope_id=list_type)
    assert row("suppressions", id)["email_key"] == "a@example.com"
    with pytest.raises(Refused) as refused:
        change("suppressions", id, active=False)
    assert codes(refused) == {"note": "required"}
    change("suppressions", id, active=False, note="Asked by phone to get it again")
    assert row("suppressions", id)["ended_at"]


def test_nobody_deletes_a_refused_address_not_even_an_administrator(make, people):
    id = make("suppressions", email="a@example.com")
    with pytest.raises(Forbidden):
        records.delete(people["ada"], "suppressions", id, Channel.FORM)


def test_a_sender_address_cannot_be_changed(make):
    id = make("sender_addresses", address="news@example.com")
    with pytest.raises(Refused) as refused:
        change("sender_addresses", id, address="boss@example.com")
    assert codes(refused) == {"address": "locked"}


def test_there_is_one_default_sender_and_it_is_confirmed(make, row):
    pending = make("sender_addresses", address="new@example.com")
    with pytest.raises(Refused) as refused:
        change("sender_addresses", pending, is_default=True)
    assert codes(refused) == {"is_default": "not_confirmed"}
    first, second = (make("sender_addresses", address=f"{n}@example.com", state="confirmed") for n in ("a", "b"))
    for id, other in ((first, second), (second, first)):
        records.act(SYSTEM, "sender_addresses", id, "make_default", Channel.FORM)
        assert row("sender_addresses", id)["is_default"]
        assert not row("sender_addresses", other)["is_default"]


@pytest.fixture
def mail(make):
    sender = make("sender_addresses", address="news@example.com", state="confirmed")
    return make(
        "email_templates", name="News", subject="News", sender_name="Us", sender_address_id=sender, text="Hello",
        status="active",
    )  # fmt: skip


def test_a_sendout_takes_active_mails_and_active_email_campaigns_only(make, mail):
    good = make("campaigns", name="Spring")
    make("sendouts", name="First", email_template_id=mail, campaign_id=good)
    idle = make("campaigns", name="Idle", active=False)
    calls = make("campaigns", name="Calls", type="Telemarketing")
    draft = make("email_templates", name="Draft")
    template = make("email_templates", name="Template", kind="template", text="Hello", status="active")
    for values, code in (
        ({"email_template_id": mail, "campaign_id": idle}, {"campaign_id": "inactive"}),
        ({"email_template_id": mail, "campaign_id": calls}, {"campaign_id": "not_for_mail"}),
        ({"email_template_id": draft, "campaign_id": good}, {"email_template_id": "inactive"}),
        ({"email_template_id": template, "campaign_id": good}, {"email_template_id": "is_template"}),
    ):
        with pytest.raises(Refused) as refused:
            make("sendouts", name="Bad", **values)
        assert codes(refused) == code


def test_a_scheduled_sendout_is_locked(make, mail):
    id = make("sendouts", name="First", email_template_id=mail, campaign_id=make("campaigns", name="Spring"))
    records.update(SYSTEM, "sendouts", id, {"state": "scheduled"}, Channel.SYSTEM)
    with pytest.raises(Refused, match="Unschedule it first"):
        change("sendouts", id, name="Other")
    with pytest.raises(Refused, match="under way"):
        records.delete(SYSTEM, "sendouts", id, Channel.FORM)


def test_a_used_mail_campaign_or_list_cannot_be_deleted(make, mail):
    list_type = make("list_types", name="News")
    campaign = make("campaigns", name="Spring")
    id = make("sendouts", name="First", email_template_id=mail, campaign_id=campaign, list_type_id=list_type)
    for module, used in (("email_templates", mail), ("campaigns", campaign), ("list_types", list_type)):
        with pytest.raises(Refused, match="used by mass mailings"):
            records.delete(SYSTEM, module, used, Channel.FORM)
    records.delete(SYSTEM, "sendouts", id, Channel.FORM)
    records.delete(SYSTEM, "campaigns", campaign, Channel.FORM)


def test_sendouts_answer_to_the_name_mass_mailings(app):
    from crm.engine.registry import modules

    assert modules["mass_mailings"] is modules["sendouts"]
    assert "mass_mailings" in modules
