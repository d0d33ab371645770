"""A portal with something on every page, and a path for every rule that draws one: made at the tables, looked at by Chromium."""

import io
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import insert

from crm import clock
from crm.db import db
from crm.documents import certificate_codes
from crm.engine import attachments, records
from crm.engine.channels import Channel
from crm.identity import sessions, tokens
from crm.identity.sealing import sealer
from crm.identity.viewer import SYSTEM
from crm.mail.message import Address
from crm.mail.sending import singles
from crm.modules.events import links as event_links
from crm.modules.events import seats
from crm.modules.portals import access, colleagues, opening, registering, signing_in
from crm.modules.privacy import exporting
from crm.modules.service_requests import accepting
from crm.modules.tickets import commenting
from self_service_portal.web import personal
from surveys import links as survey_links
from tests.apps import forget_engine, make_app
from tests.journeys.house import House
from tests.self_service_portal.conftest import give_password
from tests.surveys.conftest import make_survey
from tests.surveys.test_kinds import AB, PANEL, ROWS

OPTIONS = {"radio", "select", "checkboxes", "matrix", "ranking"}
SETTINGS: dict[str, dict[str, Any]] = {
    "matrix": ROWS,
    "panel": PANEL,
    "dynamic_panel": PANEL | {"least": 1, "most": 3},
    "consent": {"words": "I agree"},
}
FIRST_PAGE = ("info", "nps", "radio", "checkboxes", "select", "matrix", "ranking", "rating")
SECOND_PAGE = ("text", "area", "number", "date", "email", "phone", "file", "consent", "panel", "dynamic_panel")


@dataclass
class World:
    """What was made: `paths` by rule of the URL maps, `cookie` of Dora's log-in, ids by name."""

    paths: dict[str, str]
    cookie: str
    ids: dict[str, int]


def fill(house: House) -> World:
    """Make it. The house may be running."""
    app = make_app(house.environment["CUSTOMERHUB_DATABASE_URL"], data_dir=str(house.data))
    with app.app_context():
        made = _fill()
        db.session.commit()
        db.session.remove()
    forget_engine(app)
    return made


def make(key: str, **values: Any) -> int:
    return records.create(SYSTEM, key, values, Channel.SYSTEM)


def _fill() -> World:
    portal = make(
        "portals", name="My Kaisla", code="main", default_language="fi", colour="#7a1f3d", self_registration="request", second_step="chosen",
        welcome_text="<p>Hei</p>", events_listing_enabled=True, public_survey_enabled=True, public_faq_enabled=True,
    )  # fmt: skip
    db.session.commit()
    opening.portal_made(None, "portals", "created", [portal])
    company = make("accounts", name="Acme Oy", website="https://acme.example")
    who = {"account_id": company, "language": "fi"}
    dora = make("contacts", first_name="Dora", last_name="Customer", email="dora@acme.example", **who)
    dan = make("contacts", first_name="Dan", last_name="Colleague", email="dan@acme.example", **who)
    user = make("portal_users", contact_id=dora, portal_id=portal, is_admin=True, language="fi")
    give_password(user)
    ticket = make("tickets", title="It squeaks", description="All day.", contact_id=dora)
    stored = attachments.store(SYSTEM, "picture.txt", io.BytesIO(b"squeak"), "text/plain").id
    commenting.put(ticket, commenting.Author("staff", "Alice"), {"text": "Oil it.", "visibility": "public"}, [stored])
    request = make("service_requests", title="A visit", description="Please", contact_id=dora)
    faq = make("faqs", question="How is the felt cleaned?", answer="With a vacuum.\n\nNever wet.", status="Published")
    ids = {
        "contacts": dora,
        "accounts": company,
        "tickets": ticket,
        "service_requests": request,
        "faqs": faq,
        "dan": dan,
    }
    return World(_portal(ids, portal, user, stored) | _public(ids, portal), _cookie(user), ids)


def _cookie(user: int) -> str:
    token, _id = sessions.start("portal", portal_user_id=user, address="127.0.0.1")
    return token


def _portal(ids: dict[str, int], portal: int, user: int, stored: int) -> dict[str, str]:
    """The rules of the portal itself."""
    row = access.user_row(user)
    linked = {
        purpose: signing_in.issue(purpose, row) for purpose in (signing_in.SET, signing_in.CONFIRM)
    }  # fmt: skip
    said = {"first_name": "Eva", "last_name": "New", "email": "eva@acme.example", "account_id": ids["accounts"]}
    to_register = tokens.issue(registering.REGISTER, portal, registering.LIFETIME, said)
    address = {"email": "dora@new.example", "portal_id": portal}
    new_address = tokens.issue(colleagues.NEW_ADDRESS, ids["contacts"], timedelta(days=1), address)
    now = clock.now()
    values = {
        "person_id": ids["contacts"],
        "module": "contacts",
        "email": "dora@acme.example",
        "asked_at": now,
        "done_at": now,
        "file_id": stored,
    }
    db.session.execute(insert(exporting.DataExport).values(**values, id=1))
    ids["event"] = _event()
    return {
        "/portal/": "/portal/", "/portal/login": "/portal/login", "/portal/forgot": "/portal/forgot", "/portal/register": "/portal/register",
        "/portal/password/<token>": f"/portal/password/{linked[signing_in.SET]}",
        "/portal/confirm/<token>": f"/portal/confirm/{linked[signing_in.CONFIRM]}",
        "/portal/address/<token>": f"/portal/address/{new_address}", "/portal/register/<token>": f"/portal/register/{to_register}",
        "/portal/settings": "/portal/settings", "/portal/search": "/portal/search?q=squeaks", "/portal/my-data": "/portal/my-data",
        "/portal/events": "/portal/events", "/portal/events/mine": "/portal/events/mine",
        "/portal/events/<int:id>": f"/portal/events/{ids['event']}",
        "/portal/tickets": "/portal/tickets", "/portal/tickets/new": "/portal/tickets/new?title=Felt+cleaned",
        "/portal/tickets/<int:id>": f"/portal/tickets/{ids['tickets']}", "/portal/tickets/<int:id>/edit": f"/portal/tickets/{ids['tickets']}/edit",
        "/portal/service_requests": "/portal/service_requests", "/portal/service_requests/new": "/portal/service_requests/new",
        "/portal/service_requests/<int:id>": f"/portal/service_requests/{ids['service_requests']}",
        "/portal/faqs": "/portal/faqs", "/portal/faqs/<int:id>": f"/portal/faqs/{ids['faqs']}",
        "/portal/<key>": "/portal/contacts", "/portal/<key>/new": "/portal/contacts/new", "/portal/<key>/<int:id>": f"/portal/contacts/{ids['dan']}",
        "/portal/<key>/<int:id>/edit": f"/portal/contacts/{ids['contacts']}/edit",
    }  # fmt: skip


def _event() -> int:
    form = make_survey(
        [{"name": "diet", "kind": "radio", "options": AB, "required": True}], name="Form", language="fi"
    ).id
    soon = clock.now() + timedelta(days=9)
    return make(
        "mass_events", name="Open house", status="published", capacity=20, spare_capacity=2, public_form=True, survey_id=form,
        starts_at=soon, ends_at=soon + timedelta(hours=2), location="Rantakatu 1", description="<p>See the rooms.</p>",
    )  # fmt: skip


def _public(ids: dict[str, int], portal: int) -> dict[str, str]:
    """The rules of the public pages that belong to the portal, its surveys and personal pages."""
    from crm.engine.search import one

    asked = make_survey(*(
        [_question(kind) for kind in kinds] for kinds in (FIRST_PAGE, SECOND_PAGE)
    ), name="Feedback", title="Mitä kuuluu?", language="fi", languages=("en",), public=True, allow_draft=True)  # fmt: skip
    invited = _path(survey_links.invite(asked.id, ids["contacts"]))
    to = Address("dora@acme.example")
    letter = singles.put_mail(db.session, "letter", to, {}, dedupe_key="me", person=("contacts", ids["contacts"])) or 0
    place = seats.register(SYSTEM, ids["event"], ids["contacts"], "crm", Channel.FORM, tells=False)
    slug = one(SYSTEM, "mass_events", ids["event"], ("slug",))["slug"]
    verify_code = _certificate(ids, place.attendee_id or 0)
    pending = tokens.issue(
        personal.NEW_ADDRESS, ids["contacts"], timedelta(days=1), {"email": "d@new.example", "module": "contacts"}
    )
    ids["survey"] = asked.id
    return {
        "/s/<code>": invited, "/s/<code>/thanks": f"{asked.public}/thanks", "/certificates": "/certificates",
        "/certificates/<code>": f"/certificates/{verify_code}",
        "/portal/public/faqs": "/portal/public/faqs", "/portal/public/faqs/<int:id>": f"/portal/public/faqs/{ids['faqs']}",
        "/portal/public/requests/<token>": _path(accepting.feedback_link(ids["service_requests"], ids["contacts"])),
        "/portal/public/events": "/portal/public/events", "/portal/embed/events": "/portal/embed/events",
        "/portal/public/events/<slug>": f"/portal/public/events/{slug}", "/portal/embed/events/<slug>": f"/portal/embed/events/{slug}",
        "/act/<token>": event_links.own_path(ids["event"], ids["contacts"]),
        "/me/<token>": f"/me/{sealer().seal('me', letter)}", "/me/data/<token>": _path(exporting.address_of(1)),
        "/me/address/<token>": f"/me/address/{pending}",
    }  # fmt: skip


def _certificate(ids: dict[str, int], attendee: int) -> str:
    """The code of a certificate that holds."""
    code, now = certificate_codes.new_code(), clock.now()
    make(
        "certificates",
        event_id=ids["event"],
        attendee_id=attendee,
        contact_id=ids["contacts"],
        number="C-1",
        verify_code=code,
        made_at=now,
        issued_at=now,
    )
    return code


def _question(kind: str) -> dict[str, Any]:
    said: dict[str, Any] = {
        "name": f"a_{kind}",
        "kind": kind,
        "title": f"Kysymys {kind}",
        "settings": SETTINGS.get(kind, {}),
    }
    return (
        said | ({"options": AB} if kind in OPTIONS else {}) | ({"required": True} if kind in {"nps", "email"} else {})
    )


def _path(address: str) -> str:
    return "/" + address.split("/", 3)[3]
