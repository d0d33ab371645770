"""Writing mails by their pages: copies of templates, what is taken out, limits, pictures, files, tests to a few addresses."""

import html
import io

import pytest
from sqlalchemy import select
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from crm.db import db
from crm.engine import records, search
from crm.engine.channels import Channel
from crm.identity.viewer import SYSTEM
from crm.mail.sending.deliveries import Delivery
from ecp import pictures, quotas

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 40
MJML = "<mjml><mj-body><mj-section><mj-column><mj-text>Hello {$contact.first_name|friend}</mj-text></mj-column></mj-section></mj-body></mjml>"


def upload(browser, path, csrf, name, data):
    """Send a file as a browser does; without the test client's own temporary files, which it leaves open."""
    boundary, body = encode_multipart({"csrf": csrf, "file": FileStorage(io.BytesIO(data), name)})
    return browser.client.post(
        f"{browser.prefix}{path}", data=body, content_type=f"multipart/form-data; boundary={boundary}"
    )


def saved(browser, id, **changes):
    """Post the editor as it stands, with changes; the answer."""
    return browser.client.post(
        f"{browser.prefix}/email_templates/{id}/write",
        data=browser.form(f"/email_templates/{id}/write", "mjml") | changes,
    )


@pytest.mark.parametrize("face", ["ecp", "crm"])
def test_a_mail_is_a_copy_of_its_template(browse, house, face):
    mary = browse("mary", face)
    template = house.mail(name="Layout", kind="template", subject="From the layout")
    idle = house.mail(name="Old layout", kind="template", status="inactive")
    db.session.commit()
    page = mary.get("/email_templates/write").text
    assert f'name="template" value="{template}"' in page
    assert f'name="template" value="{idle}"' not in page
    place = mary.post(
        "/email_templates/write",
        {"csrf": mary.form("/email_templates/write")["csrf"], "kind": "email", "template": template},
    ).location
    id = int(place.split("/")[-2])
    records.update(SYSTEM, "email_templates", template, {"subject": "Changed afterwards"}, Channel.SYSTEM)
    db.session.commit()
    made = search.one(SYSTEM, "email_templates", id)
    assert (made["subject"], made["status"], made["kind"]) == ("From the layout", "inactive", "email")


def test_what_a_mail_may_begin_with_is_shown_as_it_looks(browse, house):
    mary = browse("mary")
    template = house.mail(name="Layout", kind="template", mjml=MJML)
    db.session.commit()
    page = mary.get("/email_templates/write").text
    for path, words in (
        ("/email_templates/designs/notice_fi", "varasto"),
        (f"/email_templates/{template}/look", "Hello friend"),
    ):
        assert f'src="/ecp{path}"' in page
        seen = mary.get(path)
        assert words in seen.text
        assert "sandbox" in seen.headers["Content-Security-Policy"]
        assert seen.headers["X-Frame-Options"] == "SAMEORIGIN"
    mary.get("/email_templates/designs/none", 404)


def test_what_could_run_is_taken_out_and_said(browse, house):
    mary = browse("mary")
    answer = saved(
        mary, house.mail_id, source="html", html="<p onclick='x()'>Hello</p><script>alert(1)</script>", mjml=""
    )
    assert answer.status_code == 303
    assert "Taken out for safety" in mary.get(f"/email_templates/{house.mail_id}/write").text
    assert search.one(SYSTEM, "email_templates", house.mail_id)["html"].replace(" ", "") == "<p>Hello</p>"


def test_one_character_too_many_is_refused_with_the_count_and_the_text_is_kept(browse, house):
    mary = browse("mary")
    assert saved(mary, house.mail_id, source="html", html="x" * 65_000, mjml="").status_code == 303
    answer = saved(mary, house.mail_id, source="html", html="y" * 65_001, mjml="")
    assert answer.status_code == 422
    assert "HTML is 65 001 characters, maximum is 65 000" in answer.text
    assert "y" * 65_001 in answer.text


def test_a_mail_that_somebody_else_saved_meanwhile_is_not_overwritten(browse, house):
    mary = browse("mary")
    old = mary.form(f"/email_templates/{house.mail_id}/write", "mjml")
    saved(mary, house.mail_id, subject="First")
    answer = mary.client.post(f"/ecp/email_templates/{house.mail_id}/write", data=old | {"subject": "Second"})
    assert answer.status_code == 409
    assert search.one(SYSTEM, "email_templates", house.mail_id)["subject"] == "First"


def test_setting_an_unfinished_mail_active_names_everything_that_is_wrong(browse, house):
    mary = browse("mary")
    id = house.mail(status="inactive", html=None, mjml=None, subject=None)
    db.session.commit()
    broken = MJML.replace("first_name", "frist_name")
    answer = saved(mary, id, source="mjml", mjml=broken, status="active")
    assert answer.status_code == 422
    assert "frist_name" in answer.text
    assert "Line 1" in answer.text
    assert 'name="tab" value="info"' in answer.text  # the part with a field that was refused is open
    assert broken.split("|")[0].replace("<", "&lt;").replace(">", "&gt;") in answer.text
    assert search.one(SYSTEM, "email_templates", id)["status"] == "inactive"


def test_the_preview_shows_a_persons_data_as_text_and_takes_windows_line_ends(browse, house):
    mary = browse("mary")
    person = house.contact("x@example.com", first_name="<b>X</b>")
    db.session.commit()
    said = {
        "csrf": mary.form("/preferences")["csrf"],
        "source": "mjml",
        "mjml": MJML.replace("><", ">\r\n<"),
        "subject": "Hi",
        "person": person,
    }
    answer = mary.post("/email_templates/preview", said, 200)
    assert "Hello &lt;b&gt;X&lt;/b&gt;" in answer.text
    assert "script" not in answer.headers["Content-Security-Policy"].replace("no-scripts", "").split("sandbox")[0]
    assert "Hello friend" in mary.post("/email_templates/preview", said | {"person": ""}, 200).text
    told = mary.post("/email_templates/facts", said | {"mjml": "<mj-foo>"}, 200).text
    assert "&lt;mj-foo&gt;" in told
    assert 'data-line="1"' in told


def test_pictures_get_an_address_nobody_can_guess_and_programs_get_none(browse):
    mary = browse("mary")
    here, csrf = "/email_templates/pictures", mary.form("/preferences")["csrf"][0]
    path = upload(mary, here, csrf, "a.png", PNG).json["src"].split("/i/")[1]
    assert pictures.find(path).media_type == "image/png"
    assert upload(mary, here, csrf, "a.png", b"<svg/>").status_code == 422
    assert upload(mary, here, csrf, "a.exe", PNG).status_code == 422
    large = upload(mary, here, csrf, "b.png", PNG + b"\0" * (5 * 1024 * 1024))
    assert (large.status_code, "5 MB" in large.json["message"]) == (413, True)
    rita = browse("rita", "crm")
    rita.post(here, {"csrf": rita.form("/preferences")["csrf"]}, 403)


def test_files_have_five_megabytes_together(browse, house):
    mary = browse("mary")
    here, csrf = f"/email_templates/{house.mail_id}/files", mary.form("/preferences")["csrf"][0]
    limit = 5 * 1024 * 1024
    assert upload(mary, here, csrf, "a.bin", b"a" * (limit + 1)).status_code == 413
    assert upload(mary, here, csrf, "a.bin", b"a" * limit).status_code == 303
    answer = upload(mary, here, csrf, "b.txt", b"b")
    assert answer.status_code == 413
    assert "5 MB" in answer.text


def test_tests_go_to_one_to_five_addresses_and_count_nowhere(browse, house):
    mary = browse("mary")
    here = f"/email_templates/{house.mail_id}/tests"
    said = {"csrf": mary.form("/preferences")["csrf"]}
    assert "1 to 5 addresses" in mary.post(here, said | {"to": ""}, 422).text
    assert (
        "1 to 5 addresses" in mary.post(here, said | {"to": ",".join(f"a{n}@example.com" for n in range(6))}, 422).text
    )
    before = quotas.quota()
    mary.post(here, said | {"to": "a@example.com; b@example.com"})
    rows = db.session.execute(select(Delivery.email, Delivery.sendout_id).where(Delivery.kind == "sendout_test")).all()
    assert sorted(rows) == [("a@example.com", None), ("b@example.com", None)]
    assert quotas.quota() == before
    alice = browse("alice", "crm")
    alice.post(here, {"csrf": alice.form("/preferences")["csrf"], "to": "a@example.com"}, 403)


def test_only_active_snippets_and_pages_are_offered(browse, house):
    house.make("html_snippets", name="Our address", html="<b>Here</b>", status="active")
    house.make("html_snippets", name="Old address", html="<b>There</b>", status="inactive")
    house.make("landing_pages", name="Thanks", slug="thanks", html="<p>Thanks</p>", status="active")
    db.session.commit()
    page = browse("mary").get(f"/email_templates/{house.mail_id}/write").text
    assert "Our address" in page
    assert "Old address" not in page
    assert "{$links.page:thanks}" in page
    offered = html.unescape(page.split('id="insert"')[1].split("</dialog>")[0])
    assert '<a href="{$links.page:thanks}">Thanks</a>' in offered
    assert '<a href="{$links.unsubscribe}">Unsubscribe</a>' in offered
