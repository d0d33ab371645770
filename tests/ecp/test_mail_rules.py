"""What is written is sanitised; what is active compiles and knows its tags; the limit is the limit."""

import pytest

from crm.engine import records, search
from crm.engine.channels import Channel
from crm.engine.refusals import Refused
from crm.identity.viewer import SYSTEM

BODY = "<mjml><mj-body><mj-section><mj-column><mj-text>Hello {$contact.first_name|friend}</mj-text></mj-column></mj-section></mj-body></mjml>"


@pytest.fixture
def sender(app):
    values = {"address": "news@example.com", "display_name": "News", "state": "confirmed"}
    return records.create(SYSTEM, "sender_addresses", values, Channel.SYSTEM)


def mail(sender, **more):
    values = {
        "name": "M", "kind": "email", "subject": "Hi", "sender_name": "News", "sender_address_id": sender, "status": "active",
    }  # fmt: skip
    return records.create(SYSTEM, "email_templates", values | more, Channel.API)


def test_scripts_are_taken_out_when_a_mail_is_saved(sender):
    id = mail(sender, html="<p onclick='x()'>Hi</p><script>alert(1)</script>")
    assert search.one(SYSTEM, "email_templates", id)["html"].replace(" ", "") == "<p>Hi</p>"


def test_an_unknown_tag_blocks_activation_with_its_place(sender):
    with pytest.raises(Refused) as refused:
        mail(sender, mjml=BODY.replace("first_name", "frist_name"))
    message = refused.value.faults["mjml"][0].message
    assert "Line 1" in message
    assert "frist_name" in message


def test_an_inactive_mail_may_be_unfinished(sender):
    mail(sender, mjml="<mjml><mj-body>", status="inactive", subject=None)


def test_mjml_that_is_not_closed_blocks_activation_and_nothing_is_lost(sender):
    id = mail(sender, mjml=BODY, status="inactive")
    broken = BODY.replace("</mj-text>", "")
    with pytest.raises(Refused):
        records.update(SYSTEM, "email_templates", id, {"mjml": broken, "status": "active"}, Channel.FORM)
    assert search.one(SYSTEM, "email_templates", id)["mjml"] == BODY


def test_sixty_five_thousand_characters_are_taken_and_one_more_is_refused(sender):
    mail(sender, html="x" * 65_000, status="inactive")
    with pytest.raises(Refused, match="HTML is 65 001 characters, maximum is 65 000"):
        mail(sender, html="x" * 65_001, status="inactive")


def test_custom_fields_are_known_tags(sender):
    from crm.engine.custom_fields import add
    from crm.engine.registry import modules

    name = add(modules["contacts"], "text", "Shoe size")
    mail(sender, mjml=BODY.replace("first_name", name))
