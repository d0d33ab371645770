"""What a site learns of its mail, over real protocols on loopback: a name server, a mail server that throttles, a mailbox.

Wrong records are explained and right ones turn green; a provider that says 421 is slowed alone; who bounces for good or complains
is mailed no more; the page tells the story. The mails that arrived are checked against the key that the name server publishes.
"""

import gzip
import re

import pytest
from playwright.sync_api import Page, expect

from ecp.content.designs import DESIGNS
from tests.ecp.bounces.shapes import PATH, complaint, dsn
from tests.ecp.bounces.test_taking import dmarc, record, report_mail
from tests.journeys.browsing import chromium, log_in
from tests.journeys.bulk_mail import breaches
from tests.journeys.house import ADMIN, SENDER, House, wait_for
from tests.journeys.letters import MAIL
from tests.mail.imap_server import Imap, dovecot
from tests.mail.name_server import Zone, serving
from tests.mail.smtp_server import SmtpSink, running

pytestmark = pytest.mark.journey
DOMAIN = SENDER.partition("@")[2]
BUSY = "refuse:rcpt:421 4.7.28 rate limited:@gmail.com"
SLOW = [f"g{n}@gmail.com" for n in range(6)]
QUICK = [f"p{n}@d{n}.example" for n in range(6)]


@pytest.mark.timeout(400)
def test_what_name_servers_providers_and_mailboxes_say_is_told_and_acted_on(sqlite_house):
    with serving() as (zone, dns_port), running("keep", BUSY) as mail, dovecot() as imap:
        house = sqlite_house(smtp_url=f"smtp://127.0.0.1:{mail.port}", name_servers=f"127.0.0.1:{dns_port}")
        with house.running(), chromium(house.base) as open_page:
            page = open_page()
            page.on("dialog", lambda dialog: dialog.accept())
            log_in(page, "ecp", ADMIN)
            publish_what_the_page_says(page, zone)
            mailbox = read_a_mailbox(page, imap.port)
            people = {email: house.make("contacts", last_name=email, email=email) for email in SLOW + QUICK}
            first = prepare(house, "First", MAIL)
            house.call("POST", f"/sendouts/{first}/starts")
            slow_one_provider_alone(page, house, mail, first)
            come_back(page, house, mail, imap, mailbox, people)
            second = prepare(house, "Second", DESIGNS[0].mjml)  # the newsletter that everybody may begin with
            house.call("POST", f"/sendouts/{second}/starts")
            house.wait_until(second, "sent")
            rows = house.deliveries(second)
            left_out = {row["email"]: row["skip_reason"] for row in rows if row["state"] == "skipped"}
            assert left_out == {QUICK[0]: "bounced_before", SLOW[0]: "list_unsubscribed"}  # who complains has left, too
            assert len([row for row in rows if row["state"] == "sent"]) == len(people) - 2
            keep_the_rules_of_bulk_senders(house, zone, mail)
            page.goto("/ecp/deliverability")
            for words in ("Bounced for good", "Complained", "The address does not exist.", "421 4.7.28 rate limited"):
                expect(page.get_by_text(words).first).to_be_visible()
            page.goto(f"/ecp/deliverability/domains/{DOMAIN}")
            expect(page.get_by_text("62.5 % of the mails", exact=False)).to_be_visible()


def publish_what_the_page_says(page: Page, zone: Zone) -> None:
    """Two SPF records are explained; then exactly what the page asks for is published, and all is green."""
    page.goto("/ecp/sender_domains")
    page.get_by_label("Name to include in SPF").fill("spf.hub.example")
    page.get_by_label("Addresses of the servers").fill("8.8.8.0/24")
    page.get_by_role("button", name="Save").click()
    page.goto(f"/ecp/sender_domains/{DOMAIN}")
    if page.get_by_role("button", name="Make a key").count():
        page.get_by_role("button", name="Make a key").click()
        page.get_by_text("The key is made.").wait_for()
    zone.publish(f'{DOMAIN}. 60 IN TXT "v=spf1 mx -all"\n{DOMAIN}. 60 IN TXT "v=spf1 ip4:192.0.2.1 -all"')
    publish(zone, "spf.hub.example", "v=spf1 ip4:8.8.8.0/24 -all")
    page.get_by_role("button", name="Check now").click()
    expect(page.get_by_text("has 2 SPF records").first).to_be_visible(timeout=30_000)
    wanted = page.locator(".dns-card").evaluate_all(
        "cards => cards.map((card) => [...card.querySelectorAll('dl [data-copy]')].map((one) => one.dataset.copy))"
    )
    zone.records.clear()
    publish(zone, "spf.hub.example", "v=spf1 ip4:8.8.8.0/24 -all")
    zone.publish(f"{DOMAIN}. 60 IN MX 10 mx.{DOMAIN}.\nmx.{DOMAIN}. 60 IN A 192.0.2.9")
    for name, value in (one for one in wanted if len(one) == 2 and one[1].startswith("v=")):
        publish(zone, name, value)
    page.get_by_role("button", name="Check now").click()
    expect(page.get_by_text("All records are in order.", exact=False)).to_be_visible(timeout=30_000)


def publish(zone: Zone, name: str, text: str) -> None:
    strings = " ".join(f'"{text[at : at + 250]}"' for at in range(0, len(text), 250))
    zone.publish(f"{name.rstrip('.')}. 60 IN TXT {strings}")


def read_a_mailbox(page: Page, port: int) -> str:
    """Set the mailbox up for what comes back; its page."""
    page.goto("/ecp/deliverability/mailboxes/new")
    for label, value in (("Name", "Bounces"), ("Server", "127.0.0.1"), ("Port", str(port)), ("User name", "bounces"),
                         ("Address for bounces", f"bounces@{DOMAIN}")):  # fmt: skip
        page.get_by_label(label).first.fill(value)
    page.locator("[name=encryption]").select_option("none")
    page.locator("[name=password]").fill("secret")
    page.get_by_role("button", name="Try the connection and save").click()
    page.wait_for_url(re.compile(r"/mailboxes/\d+"))
    return page.url


def prepare(house: House, name: str, mjml: str) -> int:
    """A sendout to everybody, made by REST."""
    group = house.make("target_groups", name=name, source="contacts", everybody=True, leave_out_unmailable=False)
    house.call("POST", f"/target_groups/{group}/refreshes")
    campaign = house.make("campaigns", name=name, type="Email")
    house.call("POST", f"/campaigns/{campaign}/members", {"target_group_id": group})
    lists = house.call("GET", "/list_types")["data"]
    marketing = next(int(one["id"]) for one in lists if one["attributes"]["kind"] == "marketing")
    sender = int(house.call("GET", "/sender_addresses")["data"][0]["id"])
    mail = house.make(
        "email_templates", name=name, kind="email", status="active", subject=f"{name} {{$contact.first_name|friend}}",
        sender_name="Kaisla", sender_address_id=sender, mjml=mjml,
    )  # fmt: skip
    return house.make("sendouts", name=name, email_template_id=mail, campaign_id=campaign, list_type_id=marketing)


def arrived(mail: SmtpSink) -> list[str]:
    return [str(entry["recipient"]) for entry in mail.log if entry["recipient"] in SLOW + QUICK]


def slow_one_provider_alone(page: Page, house: House, mail: SmtpSink, sendout: int) -> None:
    """Everybody else has the mail while the provider that said 421 is left alone; then it gets its mails too."""
    wait_for(lambda: set(arrived(mail)) == set(QUICK), 60, house.log)
    page.goto("/ecp/deliverability")
    provider = page.locator("#providers tr", has_text="gmail")
    expect(provider).to_contain_text("Left alone for")
    expect(provider).to_contain_text("421 4.7.28 rate limited")
    mail.behaviour.rules.clear()
    provider.get_by_role("button", name="Go on now").click()
    house.wait_until(sendout, "sent")
    assert sorted(arrived(mail)) == sorted(SLOW + QUICK)


def keep_the_rules_of_bulk_senders(house: House, zone: Zone, mail: SmtpSink) -> None:
    """Each mail that arrived keeps the rules of bulk senders, its signature by the key that DNS has."""

    def ask(name: bytes) -> bytes:
        return b"".join(next(one.rdata.data for one in zone.records if str(one.rname) == name.decode()))

    for entry in mail.log:
        if entry["recipient"] in SLOW + QUICK:
            raw = str(entry["text"]).encode("utf-8", "surrogateescape")
            assert breaches(raw, str(entry["sender"]), str(entry["recipient"]), ask, house.base) == []


def come_back(page: Page, house: House, mail: SmtpSink, imap: Imap, mailbox: str, people: dict[str, int]) -> None:
    """A bounce for good, a complaint and a DMARC report lie in the mailbox; it is read."""
    paths = {str(entry["recipient"]): str(entry["sender"]).encode() for entry in mail.log}
    imap.put(dsn("5.1.1", "550 5.1.1 User unknown").replace(PATH.encode(), paths[QUICK[0]]), "bounces")
    imap.put(complaint().replace(PATH.encode(), paths[SLOW[0]]), "bounces")
    rows = (record() + record("192.0.2.9", 3, "fail", "fail")).replace("example.com", DOMAIN)
    imap.put(report_mail(gzip.compress(dmarc(rows, domain=DOMAIN))), "bounces")
    page.goto(mailbox)
    page.get_by_role("button", name="Read it now").click()
    states = {QUICK[0]: "hard_bounced", SLOW[0]: "complained"}

    def are_noted() -> bool:
        return all(house.read("contacts", people[email])["email_status"] == state for email, state in states.items())

    wait_for(are_noted, 60, house.log, every=0.5)
