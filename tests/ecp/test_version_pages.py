"""The languages of a mail in its editor: begun, translated, previewed as a contact."""

import pytest
from sqlalchemy import select

from crm.db import db
from crm.engine import records, search
from crm.engine.channels import Channel
from crm.engine.refusals import Refused
from crm.identity.viewer import SYSTEM
from crm.mail.message import Address
from crm.mail.sending.deliveries import Delivery
from crm.mail.sending.kinds import Claimed
from crm.modules import written_mails
from ecp.pipeline import written
from tests.ecp.conftest import part
from tests.pipeline.test_versions import add_version

HOME = "/email_templates"


def test_a_version_is_begun_translated_and_made_active_in_the_editor(browse, house):
    ada = browse("ada")
    form = ada.form(f"{HOME}/{house.mail_id}/write", "mjml")
    place = ada.post(f"{HOME}/{house.mail_id}/versions", {"csrf": form["csrf"], "language": "fi"}).location
    id = int(place.split("/")[-2])
    page = ada.get(f"{HOME}/{id}/write").text
    assert "nobody gets it" in page
    assert 'name="sender_name"' not in page
    said = ada.form(f"{HOME}/{id}/write", "mjml") | {"subject": "Hei", "status": "active"}
    assert ada.post(f"{HOME}/{id}/write", said).status_code == 303
    row = search.one(SYSTEM, "email_templates", id)
    assert (row["kind"], row["language"], row["status"], row["version_of_id"]) == (
        "version",
        "fi",
        "active",
        house.mail_id,
    )
    again = ada.post(f"{HOME}/{id}/versions", {"csrf": form["csrf"], "language": "fi"})
    assert again.location.endswith(f"{id}/write")
    assert "already written" in ada.get(f"{HOME}/{id}/write").text


def test_the_preview_as_a_contact_shows_the_language_that_the_contact_gets(browse, house):
    version = add_version(house)
    people = {key: house.contact(f"{key}@example.com", first_name=key, language=key) for key in ("fi", "sv")}
    db.session.commit()
    ada = browse("ada")

    def seen(mail, person):
        said = ada.form(f"{HOME}/{mail}/write", "mjml") | {"person": person}
        facts = ada.post(f"{HOME}/facts", said, 200).text
        return "katso" in ada.post(f"{HOME}/preview", said, 200).text, "This contact gets the mail in" in facts

    assert seen(house.mail_id, people["fi"]) == (True, True)
    assert seen(house.mail_id, people["sv"]) == (False, False)
    assert seen(version, people["fi"]) == (True, False)
    assert seen(version, people["sv"]) == (False, True)


def test_a_mail_built_from_a_template_has_its_versions(browse, house):
    template = house.mail(name="Layout", kind="template")
    add_version(house, version_of_id=template)
    db.session.commit()
    ada = browse("ada")
    form = {"csrf": ada.form(f"{HOME}/write")["csrf"], "kind": "email", "template": template}
    id = int(ada.post(f"{HOME}/write", form).location.split("/")[-2])
    rows = search.find(SYSTEM, "email_templates", where={"version_of_id": id}, columns=("language", "status")).rows
    assert [(row["language"], row["status"]) for row in rows] == [("fi", "active")]
    with pytest.raises(Refused, match="is used"):  # its version is deleted first
        records.delete(SYSTEM, "email_templates", id, Channel.SYSTEM)
    records.delete_many(SYSTEM, "email_templates", [rows[0].id], Channel.SYSTEM)
    records.delete(SYSTEM, "email_templates", id, Channel.SYSTEM)


def test_the_last_page_of_a_sendout_names_the_languages_and_a_single_mail_has_them_too(browse, house):
    add_version(house)
    add_version(house, language="sv", status="inactive", subject="Hej", html="<p>Hej</p>")
    id = house.contact("fi@example.com", first_name="Aino", language="fi")
    sendout = house.sendout(house.campaign([id]))
    db.session.commit()
    page = browse("ada", "crm").get(f"/sendouts/{sendout}/steps/send").text
    said = part(page, "<dt>Also in</dt>", "</dd>")
    assert "Finnish" in said
    assert "not sent" in said.split("Swedish")[1]
    written_mails.put(house.mail_id, Address("fi@example.com", "Aino"), ("contacts", id), values={}, dedupe_key="one")
    row = db.session.execute(select(Delivery).where(Delivery.kind == written_mails.KIND)).scalar_one()
    mail = written.render(Claimed(row.id, 0, row.kind, None, row.email, "contacts", id, 0, 0, row.payload), None)
    assert b"Subject: Hei Aino" in bytes(mail.data)
