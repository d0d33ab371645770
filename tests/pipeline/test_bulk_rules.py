"""The rules of the large providers, looked at on a draft: a fresh house breaks some, a well-kept one none, a bad mail most."""

import pytest

from crm import config
from crm.engine import records
from crm.engine.channels import Channel
from crm.identity import keys
from crm.identity.viewer import SYSTEM
from crm.mail.dns_check import DomainReport
from crm.mail.dns_lookup import Check, Finding
from crm.modules import organisation
from ecp.domains import checking, selectors
from ecp.pipeline import actions, bulk_rules, prepare


def broken(sendout_id):
    return {one.key: one.level for one in bulk_rules.look(actions.load(SYSTEM, sendout_id)) if one.level != "ok"}


def keep(level):
    said = [
        Check(kind, "example.com", "x", (Finding("x", level, f"{kind} is so."),))
        for kind in ("spf", "dkim", "dmarc", "return_path")
    ]
    checking.keep(DomainReport("example.com", said[0], (said[1],), said[2], said[3]))


def test_a_fresh_house_breaks_rules_a_well_kept_one_keeps_all(house, app, monkeypatch):
    sendout = house.sendout(house.campaign(house.contacts(1)))
    keys.forget("message_id")  # as before the first mail of a house: then a page that looks makes none
    assert broken(sendout) == {
        "spf": "unknown", "dkim": "unknown", "dmarc": "unknown", "return_path": "unknown", "encrypted": "notice", "who": "notice",
    }  # fmt: skip
    prepare.make_keys()
    assert {"signed": "problem", "one_click": "problem"}.items() <= broken(sendout).items()
    keep("problem")
    assert broken(sendout)["spf"] == "problem"
    keep("ok")
    selectors.make("example.com")
    organisation.change(address="Street 1, Town")
    settled = config.current().with_(base_url="https://hub.example", smtp_url="smtp://mail.example?starttls=required")
    monkeypatch.setitem(app.config, "CUSTOMERHUB", settled)
    assert broken(sendout) == {}
    rules = {one.key: one.sentence for one in bulk_rules.look(actions.load(SYSTEM, sendout))}
    assert len(rules) == len(bulk_rules.RULES) == 15
    assert "headers for leaving included" in rules["signed"]


def change(house, **values):
    records.update(SYSTEM, "email_templates", house.mail_id, values, Channel.SYSTEM)


@pytest.mark.parametrize(
    ("link", "level", "why"),
    [
        ("http://example.com/a", "notice", "not encrypted"),
        ("https://bit.ly/x", "problem", "shortener"),
        ("https://192.0.2.1/x", "problem", "number instead of a name"),
        ("https://me@example.com/", "problem", "user name"),
    ],
)
def test_links_that_filters_dislike_are_named(house, link, level, why):
    sendout = house.sendout(house.campaign(house.contacts(1)))
    change(house, html=f'<p>Hello you there, dear friend <a href="{link}">go</a></p>')
    rule = next(one for one in bulk_rules.look(actions.load(SYSTEM, sendout)) if one.key == "links")
    assert (rule.level, why in rule.sentence) == (level, True)


def test_large_silent_and_borrowed_mails_are_told(house, monkeypatch):
    assert "gmail.com" in bulk_rules.FREE
    monkeypatch.setattr(bulk_rules, "FREE", {"example.net"})
    sendout = house.sendout(house.campaign(house.contacts(1)))
    prepare.make_keys()
    style = "<style>b{color:#123456;font-size:11px;font-weight:bold;font-family:Georgia,'Times New Roman',Times,serif;letter-spacing:0.01em}</style>"
    change(house, html=f"{style}<p>{'<b>x</b>' * 1200}</p>", text="Hi")
    assert broken(sendout)["size"] == "problem"
    borrowed = house.make("sender_addresses", address="no-reply@example.net", state="confirmed")
    change(house, sender_address_id=borrowed)
    assert broken(sendout)["from"] == "problem"
