"""Pictures of people: what is taken, who sees them, where they are shown, and that they go with the record."""

import io
import zlib

import pytest
from lxml import html

from crm import clock
from crm.db import db
from crm.engine import attachments, outbox, pictures, records, search
from crm.engine.attachments import StoredFile
from crm.engine.channels import Channel
from crm.engine.refusals import Forbidden, Missing, Refused
from crm.identity import sharing
from crm.identity.viewer import SYSTEM
from tests.api.calls import caller


def png(shade: int = 0) -> bytes:
    """A picture of one pixel."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + name + data + zlib.crc32(name + data).to_bytes(4, "big")

    head = (1).to_bytes(4, "big") * 2 + bytes([8, 0, 0, 0, 0])
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(bytes([0, shade])))
        + chunk(b"IEND", b"")
    )


def send(browser, id, data, name="face.png"):
    token = html.fromstring(browser.get("/").text).xpath("//meta[@name='csrf-token']/@content")[0]
    browser.post(f"/contacts/{id}/picture", {"csrf": token, "file": (io.BytesIO(data), name)}).close()


def test_a_picture_stands_on_the_card_and_in_the_list(browse, make):
    id = make("contacts", last_name="Virta")
    alice = browse("alice")
    alice.get(f"/contacts/{id}/picture", status=404)
    send(alice, id, png())
    with alice.get(f"/contacts/{id}/picture") as shown:
        found = shown.data
    assert (found, shown.mimetype) == (png(), "image/png")
    assert "sandbox" in shown.headers["Content-Security-Policy"]
    assert shown.headers["X-Content-Type-Options"] == "nosniff"
    for path in (f"/contacts/{id}", "/contacts"):
        assert f"/crm/contacts/{id}/picture?v=" in alice.get(path).text
    timeline = " ".join(html.fromstring(alice.get(f"/contacts/{id}/timeline").text).text_content().split())
    assert "Picture: – → a file" in timeline  # and not the name of a record that happens to have the file's number
    send(alice, id, png(9))
    with alice.get(f"/contacts/{id}/picture") as shown:
        assert shown.data == png(9)
    assert len(attachments.files_of(SYSTEM, "contacts", id)) == 1  # the old one is gone from the record
    token = html.fromstring(alice.get("/").text).xpath("//meta[@name='csrf-token']/@content")[0]
    alice.post(f"/contacts/{id}/picture", {"csrf": token, "remove": "1"})
    alice.get(f"/contacts/{id}/picture", status=404)


@pytest.mark.parametrize(
    "data",
    [b"<svg xmlns='http://www.w3.org/2000/svg' onload='x()'/>", b"GIF89a....", b"%PDF-1.7", b""],
    ids=["svg", "gif", "pdf", "empty"],
)
def test_what_is_no_picture_is_refused_and_nothing_is_kept(browse, make, data):
    id = make("contacts", last_name="Virta")
    alice = browse("alice")
    send(alice, id, data, "face.png")
    assert "no PNG, JPEG or WebP picture" in alice.get(f"/contacts/{id}").text
    assert search.one(SYSTEM, "contacts", id)["picture_id"] is None
    assert attachments.files_of(SYSTEM, "contacts", id) == []


def test_a_picture_over_five_megabytes_is_refused(people, make):
    id = make("contacts", last_name="Virta")
    with pytest.raises(Refused, match="larger than 5 MB"):
        pictures.give(people["alice"], "contacts", id, "a.png", io.BytesIO(png() + b"0" * pictures.MOST), Channel.FORM)


def test_who_may_not_see_the_person_sees_no_picture_and_who_may_not_change_it_changes_none(browse, people, make):
    account = make("accounts", name="Secret")
    id = make("contacts", last_name="Virta", account_id=account)
    pictures.give(people["alice"], "contacts", id, "face.png", io.BytesIO(png()), Channel.FORM)
    db.session.commit()
    hers = search.one(SYSTEM, "contacts", id)["picture_id"]
    other = make("contacts", last_name="Joki")
    with pytest.raises(Refused, match="own files"):  # no way to read another's file by its id
        records.update(people["bob"], "contacts", other, {"picture_id": hers}, Channel.API)
    sharing.set_level("accounts", "private")
    with pytest.raises(Missing):
        pictures.open_picture(people["charlie"], "contacts", id)
    with pytest.raises(Forbidden):
        pictures.give(people["rita"], "contacts", other, "face.png", io.BytesIO(png()), Channel.FORM)


def test_by_rest_a_file_of_the_record_is_made_its_picture(app, people, make):
    id = make("contacts", last_name="Virta")
    ask = caller(app, people["alice"].id)
    key = {"Authorization": f"Bearer {ask.key}"}
    for data, status in ((png(), 200), (b"no picture", 422)):
        part = {"file": (io.BytesIO(data), "face.png")}
        made = app.test_client().post(f"/api/v1/contacts/{id}/files", headers=key, data=part)
        assert made.status_code == 201
        answer = ask("PATCH", f"/contacts/{id}", {"picture_id": int(made.json["data"]["id"])})
        assert answer.status_code == status, answer.text
    assert answer.json["errors"][0]["code"] == "bad_image"


def test_a_picture_goes_for_good_with_its_person(app, people, make):
    ids = [make("contacts", last_name=name) for name in ("Virta", "Joki")]
    for id in ids:  # the same bytes twice: kept as long as one of them holds them
        pictures.give(people["alice"], "contacts", id, "face.png", io.BytesIO(png(7)), Channel.FORM)
    path = attachments.path_of(db.session.query(StoredFile).first().sha256)
    for id, is_there in zip(ids, (True, False), strict=True):
        records.delete(SYSTEM, "contacts", id, Channel.SYSTEM)
        with pytest.raises(Missing):
            pictures.open_picture(people["alice"], "contacts", id)
        records.purge(SYSTEM, "contacts", [id])
        db.session.commit()
        job = db.session.query(outbox.Job).filter_by(task="files.drop").order_by(outbox.Job.id.desc()).first()
        if job is not None:
            assert job.run_at > clock.now()
            attachments.drop(None, **job.arguments)
        assert path.exists() is is_there
    assert db.session.query(StoredFile).count() == 0
