"""/me/<token>, My data, requests and the export: what a person sees and does about the own data (P19)."""

import io
import json
import re
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, update

from crm import clock, config
from crm.db import db
from crm.documents import converting
from crm.engine import records
from crm.engine.channels import Channel
from crm.engine.outbox import TASKS, Job
from crm.engine.registry import modules
from crm.identity.sealing import sealer
from crm.identity.viewer import SYSTEM
from crm.mail.message import Address
from crm.mail.sending import singles
from crm.mail.sending.deliveries import Delivery
from crm.modules.privacy import erasing, exporting, person
from crm.modules.privacy.codes import PersonCode
from crm.modules.tickets import commenting, settings
from crm.ui import public_face
from hub.public import create_public_app
from tests.apps import Browser as Client
from tests.databases import absent
from tests.self_service_portal.conftest import Shop, csrf


@pytest.fixture
def visitor(app: Any) -> Any:
    for limiter in (
        public_face.WRITES,
        public_face.WRITES_OF_TOKEN,
        public_face.READS,
        public_face.READS_OF_TOKEN,
        public_face.MISSES,
    ):
        limiter.forget()
    public = create_public_app(app.config["CUSTOMERHUB"])
    public.testing, public.test_client_class = True, Client
    return public.test_client()


@pytest.fixture
def token(shop: Shop) -> str:
    """The link in a mail to Dora."""
    made = singles.put_mail(
        db.session, "letter", Address("dora@acme.example"), {}, dedupe_key="me:1", person=("contacts", shop.ids["dora"])
    )
    assert made
    ticket = shop.make("tickets", title="Printer is broken", contact_id=shop.ids["dora"])
    commenting.say(SYSTEM, ticket, "A spare part is on its way", visibility="public", channel=Channel.FORM)
    commenting.say(SYSTEM, ticket, "The customer is difficult", visibility="internal", channel=Channel.FORM)
    shop.make("tickets", title="Of Dan only", contact_id=shop.ids["dan"])
    db.session.commit()
    return sealer().seal("me", made)


def code_of(act: str = "") -> str:
    """The newest code, from the mail."""
    table = Delivery.__table__
    mail = (
        db.session.execute(
            select(table.c.payload).where(table.c.dedupe_key.startswith("me_code:")).order_by(table.c.id.desc())
        )
        .scalars()
        .first()
    )
    return re.search(r"(\d{6})", mail["subject"])[1]  # type: ignore[index]


def asked(visitor: Any, token: str, act: str, **typed: Any) -> Any:
    """One act with the code that is mailed for it."""
    assert visitor.post(f"/me/{token}/code", data={"act": act}).status_code == 200
    return visitor.post(f"/me/{token}/{act}", data={"code": code_of(), **typed})


def work(task: str) -> None:
    for row in db.session.execute(select(Job).where(Job.state == "waiting", Job.task == task)).scalars().all():
        row.state = "done"
        TASKS[task].run(None, **row.arguments)
        db.session.commit()


def tickets(shop: Shop, name: str) -> list[Any]:
    t = modules["tickets"].table
    return list(
        db.session.execute(select(t).where(t.c.contact_id == shop.ids[name], t.c.category == "Data request")).mappings()
    )


def test_the_link_of_a_mail_opens_the_own_page_and_dies_with_an_erasure(shop: Shop, visitor: Any, token: str) -> None:
    page = visitor.get(f"/me/{token}")
    assert page.status_code == 200
    assert "Printer is broken" in page.text
    assert "Of Dan only" not in page.text
    assert "Set-Cookie" not in page.headers
    assert "/pref/" in page.text
    for wrong in (token[:-1] + ("A" if token[-1] != "A" else "B"), "x" * 32, sealer().seal("leave", 1)):
        assert visitor.get(f"/me/{wrong}").status_code == 404
    erasing.erase(person.find("contacts", shop.ids["dora"]))
    db.session.commit()
    assert visitor.get(f"/me/{token}").status_code == 404


def test_a_sensitive_act_asks_for_a_mailed_code_that_holds_for_five_tries_and_ten_minutes(
    shop: Shop, visitor: Any, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert visitor.get(f"/me/{token}/see").status_code in {404, 405}
    assert visitor.post(f"/me/{token}/see", data={"code": "000000"}).status_code == 422
    assert visitor.post(f"/me/{token}/code", data={"act": "see"}).status_code == 200
    right = code_of()
    wrong = "000000" if right != "000000" else "111111"
    for _ in range(5):
        assert visitor.post(f"/me/{token}/see", data={"code": wrong}).status_code == 422
    assert visitor.post(f"/me/{token}/see", data={"code": right}).status_code == 422  # tried too often
    assert asked(visitor, token, "see").status_code == 200
    assert visitor.post(f"/me/{token}/see", data={"code": code_of()}).status_code == 422  # once only
    assert visitor.post(f"/me/{token}/code", data={"act": "see"}).status_code == 200
    assert visitor.post(f"/me/{token}/download", data={"code": code_of()}).status_code == 422  # for another act
    db.session.execute(update(PersonCode).values(created_at=clock.now() - timedelta(minutes=11)))
    db.session.commit()
    assert visitor.post(f"/me/{token}/see", data={"code": code_of()}).status_code == 422  # too late
    kept = db.session.execute(select(PersonCode.code_hash)).scalars().all()
    assert code_of().encode() not in b"".join(bytes(one) for one in kept)


def test_an_erasure_that_is_asked_for_is_a_ticket_due_in_thirty_days_and_erases_nothing(
    shop: Shop, visitor: Any, token: str
) -> None:
    assert asked(visitor, token, "request", kind="erasure", text="Please").status_code == 200
    assert asked(visitor, token, "request", kind="erasure", text="Again").status_code == 200
    (ticket,) = tickets(shop, "dora")
    assert abs((ticket["due_at"] - clock.now()).total_seconds() - 30 * 86_400) < 600
    assert (ticket["source"], ticket["due_by_hand"]) == ("web", True)
    assert shop.contact("dora").email == "dora@acme.example"
    assert asked(visitor, token, "request", kind="correction", text=" ").status_code == 422
    assert asked(visitor, token, "request", kind="gossip", text="x").status_code == 422


def test_a_new_address_counts_when_its_owner_has_said_so(shop: Shop, visitor: Any, token: str) -> None:
    assert asked(visitor, token, "email", email="not an address").status_code == 422
    assert visitor.post(f"/me/{token}/email", data={"code": code_of(), "email": "dora@new.example"}).status_code == 200
    assert shop.contact("dora").email == "dora@acme.example"
    d = Delivery.__table__
    mail = db.session.execute(select(d.c.payload).where(d.c.email == "dora@new.example")).scalar()
    path = re.search(r"/me/address/[\w-]+", mail["text"])[0]  # type: ignore[index]
    assert "dora@new.example" in visitor.get(path).text
    assert shop.contact("dora").email == "dora@acme.example"
    assert visitor.post(path).status_code == 200
    assert shop.contact("dora").email == "dora@new.example"
    assert visitor.post(path).status_code == 404


def test_the_export_holds_own_data_without_internal_comments_and_is_fetched_with_a_code(
    shop: Shop, visitor: Any, token: str
) -> None:
    records.update(
        SYSTEM, "contacts", shop.ids["dora"], {"born_on": "1980-05-06", "may_measure_opens": "yes"}, Channel.SYSTEM
    )
    assert asked(visitor, token, "download").status_code == 200
    assert asked(visitor, token, "download").status_code == 409  # one in 24 hours
    work("privacy.export")
    d = Delivery.__table__
    mail = db.session.execute(select(d.c.payload).where(d.c.dedupe_key.startswith("my_data:"))).scalar()
    path = re.search(r"/me/data/[\w-]+", mail["text"])[0]  # type: ignore[index]
    assert visitor.get(path).status_code == 200
    assert visitor.post(f"{path}/fetch", data={"code": "1"}).status_code == 422
    assert visitor.post(f"{path}/code").status_code == 200
    answer = visitor.post(f"{path}/fetch", data={"code": code_of()})
    assert answer.headers["Content-Disposition"].startswith("attachment")
    data = answer.data
    answer.close()
    with zipfile.ZipFile(io.BytesIO(data)) as book:
        said, page = json.loads(book.read("data.json")), book.read("my-data.html").decode()
        form = book.read("personal-data.pdf") if "personal-data.pdf" in book.namelist() else b""
    text = json.dumps(said)
    assert said["records"][f"contacts {shop.ids['dora']}"]["born_on"] == "1980-05-06"
    for inside in ("Printer is broken", "A spare part is on its way", "dora@acme.example", "Opens may be measured"):
        assert inside in text or inside in page
    for outside in ("The customer is difficult", "Of Dan only", "dan@acme.example"):
        assert outside not in text
        assert outside not in page
    _demand_notes_where_the_administrator_says_so(shop)
    if converting.engine() is None:
        absent("LibreOffice")
    assert form.startswith(b"%PDF-")
    # another's log-in fetches nothing, one's own does; after seven days nobody
    from crm.modules.privacy.exporting import DataExport

    export = db.session.execute(select(DataExport.id)).scalar()
    assert shop.browse("dan").client.get(f"/portal/my-data/export/{export}").status_code == 404
    own = shop.browse("dora").client.get(f"/portal/my-data/export/{export}")
    assert own.status_code == 200
    own.close()
    db.session.execute(update(DataExport).values(done_at=clock.now() - timedelta(days=8)))
    db.session.commit()
    assert shop.browse("dora").client.get(f"/portal/my-data/export/{export}").status_code == 404
    TASKS["privacy.drop_exports"].run(None)
    assert db.session.execute(select(func.count(DataExport.id)).where(DataExport.file_id.is_not(None))).scalar() == 0


def _demand_notes_where_the_administrator_says_so(shop: Shop) -> None:
    found, path = person.find("contacts", shop.ids["dora"]), Path(config.current().data_path) / "with-notes.zip"
    settings.change(exports_notes=True)
    exporting.write(found, path)
    with zipfile.ZipFile(path) as book:
        said = json.loads(book.read("data.json"))["sections"]
        assert "The customer is difficult" in book.read("my-data.html").decode()
    assert [row["text"] for row in said["ticket_comments.internal"]["rows"]] == ["The customer is difficult"]
    assert "The customer is difficult" not in json.dumps(said["ticket_comments"])
    assert "difficult" not in shop.browse("dora").get("/my-data").text, "a page never shows them"
    settings.change(exports_notes=False)


def test_my_data_shows_hidden_personal_fields_and_takes_choices_and_requests(shop: Shop, token: str) -> None:
    records.update(SYSTEM, "contacts", shop.ids["dora"], {"born_on": "1980-05-06"}, Channel.SYSTEM)
    shop.show(contacts={"fields": {"born_on": {"visible": False}}})
    lists = [shop.make("list_types", name=name) for name in ("Letters", "Offers")]
    db.session.commit()
    browser = shop.browse("dora")
    page = browser.client.get("/portal/my-data").text
    sealed = {"csrf": csrf(page)}
    assert "May 6, 1980" in page
    assert "Printer is broken" in page
    assert "The customer is difficult" not in page
    client = shop.client()
    client.environ_base["HTTP_USER_AGENT"] = "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0"
    shop.log_in("dora@acme.example", client=client)
    assert "Firefox · 127.0.0." in browser.client.get("/portal/my-data").text
    browser.client.post("/portal/my-data/subscriptions", data=sealed | {"list": str(lists[0]), "may_measure": "1"})
    table = modules["suppressions"].table
    refused = select(table.c.scope_id).where(table.c.email_key == "dora@acme.example", table.c.active)
    left = set(db.session.execute(refused).scalars())
    assert lists[1] in left
    assert lists[0] not in left
    contact = shop.contact("dora")
    assert (contact.may_measure_opens, contact.may_measure_opens_source) == ("yes", "Customer portal")
    assert contact.may_measure_opens_wording in browser.client.get("/portal/my-data").text
    browser.client.post(
        "/portal/my-data/subscriptions", data=sealed | {"list": [str(one) for one in lists], "may_measure": "1"}
    )
    assert lists[1] not in set(db.session.execute(refused).scalars())
    browser.client.post("/portal/my-data/request", data=sealed | {"kind": "restriction", "text": ""})
    assert [one["title"] for one in tickets(shop, "dora")] == ["Data request: Restrict the use of my data"]
    assert tickets(shop, "dan") == []
