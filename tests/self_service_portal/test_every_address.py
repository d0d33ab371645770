"""Every address of the portal that names a record, with one of somebody else: missing, and nothing is done (P1).

A rule of the URL map that takes an id and stands in no table here fails, so a new page is covered before it is shown.
"""

import io
import re
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import insert

from crm import clock
from crm.db import db
from crm.engine import attachments, records
from crm.engine.channels import Channel
from crm.engine.registry import modules
from crm.identity.sealing import sealer
from crm.identity.viewer import SYSTEM
from crm.mail.message import Address
from crm.mail.sending import singles
from crm.modules.events import seats
from crm.modules.portals import documents, matrix, usual
from crm.modules.privacy.exporting import DataExport
from crm.modules.service_requests import notes
from crm.modules.tickets import commenting
from crm.modules.tickets.commenting import Author
from hub.public import create_public_app
from tests.self_service_portal.conftest import csrf

ID = re.compile(r"<(int|any\([^)]*\)):(\w+)>|<(key)>")
SENT = {"deed": "give", "helpful": "yes", "text": "Mine now", "person": "", "rating": "5"}
PUBLIC = ("public_faqs", "personal", "public_events", "public_registration", "public_requests", "acting")

KEYS = ("contacts", "accounts", "potentials", "tickets", "service_requests", "attendees", "faqs", "portal_users")
"""Modules whose records are tried wherever an address takes any module."""

ADDRESSES: dict[str, tuple[str, ...]] = {
    "/portal/contacts/<int:id>/access": ("contacts",),
    "/portal/attendees/<int:_id>": ("attendees",),
    "/portal/events/<int:id>": ("event",),
    "/portal/events/<int:id>/calendar.ics": ("event",),
    "/portal/events/<int:id>/register": ("event",),
    "/portal/events/<int:id>/cancel": ("event", "open_event"),
    "/portal/events/<int:id>/answers": ("event", "open_event"),
    "/portal/events/<int:id>/certificate": ("event", "open_event"),
    "/portal/my-data/export/<int:id>": ("export",),
    "/portal/my-data/documents/<int:id>": ("certificate",),
    "/portal/my-data/files/<int:id>": ("file",),
    "/portal/api/<key>/<int:id>": KEYS,
    "/portal/<key>/<int:id>": KEYS,
    "/portal/<key>/<int:id>/edit": KEYS,
    "/portal/tickets/<int:id>": ("tickets",),
    "/portal/tickets/<int:id>/comments": ("tickets",),
    "/portal/tickets/<int:id>/close": ("tickets",),
    "/portal/tickets/<int:id>/reopen": ("tickets",),
    "/portal/tickets/<int:id>/edit": ("tickets",),
    "/portal/tickets/<int:id>/files/<int:file_id>": ("tickets file", "own_ticket file", "own_ticket foreign_file"),
    "/portal/service_requests/<int:id>": ("service_requests",),
    "/portal/service_requests/<int:id>/decision": ("service_requests",),
    "/portal/service_requests/<int:id>/notes": ("service_requests",),
    "/portal/service_requests/<int:id>/feedback": ("service_requests",),
    "/portal/service_requests/<int:id>/files/<int:file_id>": ("service_requests file", "service_requests foreign_file"),
    "/portal/faqs/<int:id>": ("faqs",),
    "/portal/faqs/<int:id>/helpful": ("faqs",),
    "/portal/public/faqs/<int:id>": ("faqs",),
    "/portal/public/faqs/<int:id>/helpful": ("faqs",),
    "/me/<token>/documents/<int:id>": ("certificate",),
}
"""Rule → what of Dora's is tried there by Bea: names of `things`, one for each id in the rule."""


@pytest.fixture
def things(world: Any) -> dict[str, int]:
    """What Dora has, and Bea does not: a record of each kind, with a file, a certificate, an export."""
    shop = world.shop
    said = usual.matrix_of(*KEYS[:-1])
    for one in said.values():
        one |= dict.fromkeys(("can_edit", "can_comment", "can_attach"), True)
    shop.show(**said)
    shop.set(public_faq_enabled=True)
    dora, bea = shop.ids["dora"], shop.ids["bea"]
    owned = {"contact_id": dora, "account_id": shop.ids["acme"]}
    made = {
        "contacts": dora, "accounts": shop.ids["acme"], "portal_users": shop.users["dora"],
        "potentials": shop.make("potentials", name="Deal of Dora", stage="Prospecting", closes_on="2027-01-31", **owned),
        "tickets": shop.make("tickets", title="It squeaks", description="Much.", **owned),
        "own_ticket": shop.make("tickets", title="Of Bea", contact_id=bea),
        "service_requests": shop.make("service_requests", title="A visit", owner_id=shop.people.alice, **owned),
        "faqs": shop.make("faqs", question="What we think of them?", answer="Little.", status="Draft"),
        "event": world.event(name="For some", portal_visible=False), "open_event": world.event(name="For all"),
    }  # fmt: skip
    for name in ("file", "foreign_file"):
        made[name] = attachments.store(SYSTEM, f"{name}.txt", io.BytesIO(name.encode()), "text/plain").id
    words = {"text": "See", "visibility": "public"}
    commenting.put(made["tickets"], Author("customer", "Dora", contact_id=dora), words, [made["file"]])
    notes.say(shop.viewer("dora"), made["service_requests"], "See too", file_ids=[made["file"]])
    for name in ("file", "foreign_file"):
        attachments.attach(SYSTEM, "contacts", dora, made[name], Channel.SYSTEM)
    documents.share(SYSTEM, dora, made["file"], True)
    for name in ("event", "open_event"):
        place = seats.register(SYSTEM, made[name], dora, "crm", Channel.FORM, tells=False)
        values = {"event_id": made[name], "attendee_id": place.attendee_id, "contact_id": dora, "number": f"C-{name}",
                  "verify_code": name[0].upper() * 16, "file_id": made["file"], "made_at": clock.now(), "issued_at": clock.now()}  # fmt: skip
        made["attendees"], made["certificate"] = (
            int(place.attendee_id or 0), records.create(SYSTEM, "certificates", values, Channel.SYSTEM),
        )  # fmt: skip
    row = {
        "person_id": dora,
        "module": "contacts",
        "email": "dora@acme.example",
        "asked_at": clock.now(),
        "done_at": clock.now(),
    }
    db.session.execute(insert(DataExport).values(**row, file_id=made["file"], id=1))
    made["export"] = 1
    db.session.commit()
    return made


def rules(shop: Any) -> list[tuple[str, str]]:
    """(method, rule) of every address of the portal, and of its public pages, that names a record."""
    public = create_public_app(shop.app.config["CUSTOMERHUB"]).url_map.iter_rules()
    all_of = [*shop.app.url_map.iter_rules(), *(one for one in public if one.endpoint.split(".")[0] in PUBLIC)]
    found = {(method, one.rule) for one in all_of if "<int:" in one.rule for method in (one.methods or set()) - {"HEAD", "OPTIONS"}}  # fmt: skip
    return sorted(found, key=lambda one: ("cancel" in one[1], one[1], one[0]))  # a place that is given up is gone


def tried(rule: str, things: dict[str, int], tokens: dict[str, str], who: str) -> Iterator[str]:
    """The paths of a rule, filled in with things of Dora's."""
    for names in ADDRESSES[rule]:
        ids, key = [things[name] for name in names.split()], names.split()[0]
        path = rule.replace("<key>", key).replace("<token>", tokens[who])
        for id in ids:
            path = re.sub(r"<int:\w+>", str(id), path, count=1)
        yield path


def test_each_address_that_names_a_record_is_in_the_table(shop: Any) -> None:
    known = {rule for _method, rule in rules(shop)}
    assert known - set(ADDRESSES) == set(), "new addresses: say above what of somebody else is tried there"
    assert set(ADDRESSES) - known == set(), "addresses that are gone"
    generic = {module.key for module in matrix.exposable()}
    assert generic - set(KEYS) == set(), "new modules of the portal: try them at the general addresses too"


def test_what_is_somebody_elses_is_missing_at_every_address(world: Any, things: dict[str, int]) -> None:
    """Bea gets 404 for all of it and changes nothing; Dora, who has it, gets through, so that the addresses are right."""
    shop, tokens = world.shop, {}
    for name in ("bea", "dora"):
        to = Address(f"{name}@example.com")
        made = singles.put_mail(db.session, "letter", to, {}, dedupe_key=name, person=("contacts", shop.ids[name]))
        tokens[name] = sealer().seal("me", made or 0)
    db.session.commit()
    checked, passed = 0, set()
    for who in ("bea", "dora"):
        browser = shop.browse(who)
        token = csrf(browser.get("/settings").text)
        for method, rule in rules(shop):
            for path in tried(rule, things, tokens, who):
                is_public = rule.startswith(("/me/", "/portal/public/"))
                client = world.visitor if is_public else browser.client
                said: dict[str, Any] = {"data": {"csrf": token} | SENT} if method == "POST" else {}
                if method == "PATCH":
                    said = {"json": {"last_name": "Mine"}, "headers": {"X-CSRF-Token": token}}
                answer = client.open(path, method=method, **said)
                answer.close()
                if who == "dora":
                    passed |= {(method, rule)} if answer.status_code != 404 else set()
                    continue
                assert answer.status_code == 404, f"{method} {path}: {answer.status_code}"
                assert b"Dora" not in answer.data, path
                checked += 1
        if who == "bea":
            nothing_has_changed(shop, things)
    assert checked > 60
    untried = {one for one in rules(shop) if one not in passed} - FOR_NOBODY
    assert untried == set(), "addresses at which Dora, too, finds nothing: the test proves nothing there"


FOR_NOBODY = {
    ("GET", "/portal/faqs/<int:id>"), ("POST", "/portal/faqs/<int:id>/helpful"), ("GET", "/portal/public/faqs/<int:id>"),
    ("POST", "/portal/public/faqs/<int:id>/helpful"),  # a draft, which no customer sees
    ("POST", "/portal/service_requests/<int:id>/decision"),  # there is no answer to decide about
    ("POST", "/portal/events/<int:id>/answers"),  # the events have no questions
}  # fmt: skip


def nothing_has_changed(shop: Any, things: dict[str, int]) -> None:
    db.session.expire_all()
    assert shop.contact("dora").last_name == "Customer"
    assert shop.row("dora").active
    comments = modules["ticket_comments"].table
    assert [
        row.text for row in db.session.execute(comments.select().where(comments.c.ticket_id == things["tickets"]))
    ] == ["See"]
    attendees = modules["attendees"].table
    rows = db.session.execute(
        attendees.select().where(attendees.c.event_id.in_([things["event"], things["open_event"]]))
    ).all()
    assert {(row.contact_id, row.status) for row in rows} == {(shop.ids["dora"], "joined")}


def test_a_link_that_was_made_up_is_the_same_neutral_page_at_every_address(world: Any) -> None:
    """Addresses that take a token: no hint, whatever the purpose; nothing is written by a POST."""
    app, stranger, seen = world.shop.app, world.shop.client(), set()
    token = csrf(stranger.get("/portal/login").text)
    for rule in app.url_map.iter_rules():
        if "<token>" not in rule.rule:
            continue
        for method in (rule.methods or set()) & {"GET", "POST"}:
            said = (
                {"data": {"csrf": token, "new": "a fine long password", "again": "a fine long password"}}
                if method == "POST"
                else {}
            )
            answer = stranger.open(rule.rule.replace("<token>", "x" * 22), method=method, **said)
            assert answer.status_code == 410, f"{method} {rule}: {answer.status_code}"
            seen.add(re.sub(r'value="\w+"', "", answer.text).replace(rule.rule.split("<")[0], ""))
    assert len(seen) <= 2, "GET and POST may differ in the address to go back to, nothing else"
