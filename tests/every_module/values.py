"""Values for the fields of any module, generated from its declaration: one maker a kind, few exceptions by name."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from crm import catalog
from crm.db import Entity, db
from crm.engine import picklists, records
from crm.engine.channels import Channel
from crm.engine.fields import Field
from crm.engine.module import Module
from crm.engine.registry import modules
from crm.identity.viewer import SYSTEM
from crm.modules.groups.writing import create_group

catalog.load()
RECORDS = [module.key for module in modules if module.is_record]
LEDGERS = [module.key for module in modules if module.is_ledger]
LOST_BY_DELETION = {
    "attendees": {"status", "cancelled_at", "updated_at", "queue_no"}
}  # who is deleted gives up the place
IMPORTABLE = [key for key in RECORDS if modules[key].importable and modules[key].creatable]
NUMBERED = [key for key in RECORDS if modules[key].prefix]

MOMENT = datetime(2026, 3, 15, 12, 0, tzinfo=UTC)


def _number(said: Field, n: int) -> Decimal:
    top = Decimal(said.most) if said.most is not None else Decimal(10_000)
    return max(Decimal(said.least or 0), min(top, Decimal(n) + Decimal("0.5"))).quantize(Decimal(10) ** -said.scale)


def _choice(said: Field, n: int) -> str:
    keys = [choice.key for choice in picklists.choices(said.picklist)]
    return keys[(n - 1) % len(keys)]


MAKERS: dict[str, Callable[[Field, int], Any]] = {
    "text": lambda said, n: f"{said.label} {n}"[-(said.max or 255) :].strip(),
    "long_text": lambda said, n: f"{said.label}\nof record {n}",
    "html": lambda said, n: f"<p>{said.label} {n}</p>",
    "source": lambda said, n: f"<p>{said.label} {n}</p>",
    "whole": lambda said, n: max(said.least or 0, min(said.most or 10_000, n + 1)),
    "number": _number,
    "money": _number,
    "percent": _number,
    "day": lambda said, n: date(2026, 3, 1) + timedelta(days=n),
    "moment": lambda said, n: MOMENT + timedelta(hours=n),
    "time": lambda said, n: time(9, n % 60),
    "phone": lambda said, n: f"+358 40 555 {n:04d}",
    "email": lambda said, n: f"{said.name.replace('_', '-')}.{n}@example.com",
    "website": lambda said, n: f"https://www.example.com/{n}",
    "checkbox": lambda said, n: True,
    "picklist": _choice,
    "multi": lambda said, n: (_choice(said, n),),
    "conditions": lambda said, n: None,  # what they may hold depends on another field: see SPECIAL
}
BAD: dict[str, tuple[Any, str]] = {  # a bad value of each kind, and the code it is refused with
    "whole": ("many", "not_a_number"),
    "number": ("many", "not_a_number"),
    "money": ("much", "not_a_number"),
    "percent": ("all", "not_a_number"),
    "day": ("31.2.2026", "bad_date"),
    "moment": ("yesterday evening", "bad_date"),
    "time": ("25:61", "bad_time"),
    "phone": ("call me", "bad_phone"),
    "email": ("nobody", "bad_email"),
    "website": ("http:// not an address", "bad_website"),
    "checkbox": ("perhaps", "not_a_checkbox"),
    "picklist": ("No such value", "not_in_list"),
    "multi": (["No such value"], "not_in_list"),
    "link": ("9" * 15, "no_such_record"),
    "owner": ("9" * 15, "no_such_record"),
    "user": ("9" * 15, "no_such_record"),
    "conditions": ("{not JSON", "bad_conditions"),
}
Special = Callable[[int], Any]
SR_STATES = ("pending", "responded", "temporary", "final", "completed", "cancelled")
MJML = "<mjml><mj-body><mj-section><mj-column><mj-text>Text {}</mj-text></mj-column></mj-section></mj-body></mjml>"
SPECIAL: dict[str, dict[str, Special]] = {  # fields whose value must fit a rule of the module
    "accounts": {"business_id": lambda n: "1572860-0"},
    "products": {"recurring_interval": lambda n: "monthly", "sales_end_on": lambda n: date(2027, 1, 1)},
    "potentials": {"stage": lambda n: "Qualification"},
    "activities": {
        "kind": lambda n: "event", "activity_type": lambda n: "Call", "status": lambda n: "Held",
        "ends_at": lambda n: MOMENT + timedelta(days=2),
    },
    "campaigns": {
        "type": lambda n: "Email", "starts_on": lambda n: date(2026, 1, 1), "closes_on": lambda n: date(2026, 12, 1),
        "auto_template_id": lambda n: campaign_mail(n, "immediately"),
    },
    "target_groups": {
        "conditions": lambda n: {"$eq": ["last_name", f"Group {n}"]}, "source": lambda n: "contacts", "public": lambda n: "no",
        "send_template_id": lambda n: campaign_mail(n, "daily"), "kept_fresh": lambda n: False,
    },
    "sender_addresses": {"is_default": lambda n: False},
    "tracked_sites": {
        "domain": lambda n: f"site{n}.example", "more_hosts": lambda n: f"blog{n}.example", "key": lambda n: f"{n:020x}",
        "excluded_networks": lambda n: f"10.0.{n % 250}.0/24", "kept_parameters": lambda n: f"product{n}",
    },
    "tracked_pages": {"pattern": lambda n: f"/page{n}"},
    "website_forms": {
        "key": lambda n: f"{n:016x}", "allowed_origins": lambda n: f"https://www{n}.example", "file_types": lambda n: "pdf, png",
        "state": lambda n: "open",
    },
    "score_rules": {
        "kind": lambda n: "survey_score", "tracked_page_id": lambda n: None, "website_form_id": lambda n: None,
        "event_id": lambda n: None, "pattern": lambda n: f"nps{n}", "least": lambda n: Decimal("1.00"), "most": lambda n: Decimal("9.00"),
    },
    "landing_pages": {"slug": lambda n: f"page-{n}"},
    "service_requests": {"account_id": lambda n: None, "category_id": lambda n: None, "priority": lambda n: None},
    "sr_categories": {"tree": lambda n: "request", "parent_id": lambda n: None, "classification": lambda n: "Advice"},
    "sr_types": {
        **{f"{state}_status_id": lambda n, state=state, place=place: once("sr_statuses", 700 + 10 * n + place, state=state) for place, state in enumerate(SR_STATES)},
        **{name: lambda n: None for name in ("category_id", "response_category_id", "temporary_category_id", "final_category_id")},
        "rules_count": lambda n: False, "is_default": lambda n: False, "cancel_reason": lambda n: None,
    },
    "sr_feedback": {"request_id": lambda n: make("service_requests", n)},
    "sr_rules": {"from_status_id": lambda n: None, "allowed_id": lambda n: None},
    "sr_areas": {"postal_codes": lambda n: f"{n % 90 + 10}, 33100-33900"},
    "sr_absences": {"until_on": lambda n: date(2099, 1, 1)},
    "surveys": {
        "status": lambda n: "draft", "anonymous": lambda n: False, "css": lambda n: ".survey p { color: red; }",
        "closes_at": lambda n: MOMENT + timedelta(days=30), "opens_at": lambda n: MOMENT,
        "thank_you_page_id": lambda n: once("landing_pages", n + 900, status="active", valid_until_on=date(2099, 1, 1)),
    },
    "survey_themes": {
        name: lambda n: "#1a2b3c" for name in ("accent", "ground", "paper", "ink")
    } | {"css": lambda n: ".survey p { color: red; }"},
    "list_types": {"page_html": lambda n: "{$button.unsubscribe} {$button.subscribe}"},
    "invitation_events": {
        "time_zone": lambda n: "Europe/Helsinki", "last_cancellation_on": lambda n: date(2026, 3, 1),
        **{name: lambda n: event_mail(n) for name in ("join_template_id", "spare_template_id", "cancel_template_id", "called_off_template_id")},
    },
    "mass_events": {
        "time_zone": lambda n: "Europe/Helsinki", "starts_at": lambda n: MOMENT + timedelta(days=3), "parent_id": lambda n: None,
        "ends_at": lambda n: MOMENT + timedelta(days=4), "registration_ends_at": lambda n: MOMENT + timedelta(days=2),
        "cancel_until": lambda n: MOMENT + timedelta(days=2),
    },
    "attendees": {"event_id": lambda n: minimal_id("mass_events", n), "account_id": lambda n: None},
    "event_triggers": {
        "sub_event_id": lambda n: None, "action": lambda n: "with_registration", "target": lambda n: "attendees",
    },
    "suppressions": {"scope": lambda n: "global", "scope_id": lambda n: None},
    "email_templates": {
        "kind": lambda n: ("template", "email")[(n - 1) % 2], "version_of_id": lambda n: None,  # versions belong to a mail
        "mjml": lambda n: MJML.format(n), "sender_address_id": lambda n: once("sender_addresses", n + 600, state="confirmed"),
        "survey_id": lambda n: None, "folder": lambda n: "Public",
        **{f"sending_{name}": lambda n: None for name in ("time", "at", "weekday", "day", "on")},  # of the folder Campaign only
    },
    "autoresponders": {"email_template_id": lambda n: active_mail(n), "reaction": lambda n: "clicked"},
    "portals": {
        "code": lambda n: f"portal-{n}", "base_url": lambda n: f"https://p{n}.example.com", "colour": lambda n: "#0054a6",
        "logo": lambda n: "/i/logo.png", "welcome_template_id": lambda n: active_mail(n), "reset_template_id": lambda n: active_mail(n),
        "default_language": lambda n: "en", "languages": lambda n: ("en", "fi"), "session_minutes": lambda n: 60,
        "embed_sites": lambda n: f"https://www{n}.example.com",
    },
    "portal_profiles": {"is_default": lambda n: False, "portal_id": lambda n: open_portal(n)},
    "portal_users": {
        "contact_id": lambda n: once("contacts", n + 800, email=f"portal.{n}@example.com"), "profile_id": lambda n: once("portal_profiles", n + 800),
        "portal_id": lambda n: None,
        "valid_from": lambda n: date(2026, 3, 1), "valid_to": lambda n: date(2036, 3, 1),
    },
    "document_templates": {
        "purpose": lambda n: "document", "module": lambda n: "contacts", "active": lambda n: False, "event_id": lambda n: None,
        "shown_if": lambda n: "$account_id !$fax", "file_name": lambda n: "Letter {$last_name}",
    },
    "sendouts": {"email_template_id": lambda n: active_mail(n), "campaign_id": lambda n: email_campaign(n)},
}  # fmt: skip


def written_by_people(module: Module) -> list[Field]:
    """The fields that a person may fill in."""
    return [said for said in module.fields.values() if not said.read_only and said.name != "owner_id"]


def value(module: Module, said: Field, n: int) -> Any:
    """The n-th good value of a field."""
    special = SPECIAL.get(module.key, {}).get(said.name)
    if special is not None:
        return special(n)
    if said.kind.name == "link":
        return minimal_id(said.to[0], n)
    return MAKERS[said.kind.name](said, n)


def complete(key: str, n: int = 1) -> dict[str, Any]:
    """A value for every field that a person may fill in."""
    module = modules[key]
    made = {said.name: value(module, said, n) for said in written_by_people(module) if said.kind.name not in SKIPPED}
    return {name: one for name, one in made.items() if one is not None}


def note_of(module: Module, among: Any = None) -> str:
    """A text field without rules of its own, that any test may change; `among`: names to choose from."""
    ruled = SPECIAL.get(module.key, {})
    return next(
        said.name
        for kind in ("long_text", "text")
        for said in module.fields.values()
        if said.name not in ruled
        and said.kind.name == kind
        and not said.read_only
        and not said.unique
        and (among is None or said.name in among)
    )


SKIPPED = {"owner", "user", "file"}


def minimal(key: str, n: int = 1) -> dict[str, Any]:
    """Values for the required fields only, and those that a rule of the module demands."""
    module = modules[key]
    needed = {said.name for said in module.fields.values() if said.required and said.name != "owner_id"}
    demanded = {
        "portal_users": {"profile_id"},
        "activities": {"starts_at"},
        "event_triggers": {"template_id"},
        "attendees": {"contact_id"},
        "sendouts": {"campaign_id"},
        "service_requests": {"contact_id", "type_id"},
        "sr_categories": {"classification"},
    }
    return {
        said.name: value(module, said, n)
        for said in written_by_people(module)
        if said.name in demanded.get(key, set()) or (said.name in needed and said.default is None)
    }


def make(key: str, n: int = 1, **more: Any) -> int:
    """A record with the required fields, made by the system; gives its id."""
    return records.create(SYSTEM, key, minimal(key, n) | more, Channel.SYSTEM)


def minimal_id(key: str, n: int) -> int:
    """The n-th record to link to; asked for again, it is the same one."""
    return once(key, n + 500)


def once(key: str, n: int, **more: Any) -> int:
    said = minimal(key, n) | more
    cards = Entity.__table__
    known = select(cards.c.id).where(cards.c.module == key, cards.c.label == modules[key].label_of(said))
    found = db.session.execute(known.where(cards.c.deleted_at.is_(None)).limit(1)).scalar()
    if found is not None:
        return found
    if key == "groups":  # a plain table: groups are made by the verb of their administrators
        return create_group(SYSTEM, said)
    return records.create(SYSTEM, key, said, Channel.SYSTEM)


def make_ready(key: str, id: int) -> None:
    """Give a record what its actions ask for beyond its fields: a survey becomes active with a question only."""
    if key == "surveys":
        question_of(id)


def visit_of(site: int) -> dict[str, int]:
    """A visitor and a visit of a followed site: the keys of its ledgers' rows."""
    from crm.db import id_inserted

    visitors, visits = modules["visitors"].table, modules["visits"].table
    said = {"site_id": site, "cookie": "V" * 22, "first_seen_at": MOMENT, "last_seen_at": MOMENT}
    visitor = id_inserted(visitors.insert().values(said))
    said = {"site_id": site, "visitor_id": visitor, "started_at": MOMENT, "ended_at": MOMENT, "entry": "/", "exit": "/"}
    return {"visitor_id": visitor, "visit_id": id_inserted(visits.insert().values(said))}


def question_of(survey: int) -> dict[str, int]:
    """A page, a question and a response of a survey: the keys of its ledgers' rows."""
    from crm.db import id_inserted
    from surveys import designing
    from surveys.answering import RESPONSES

    page = designing.add_page(SYSTEM, survey)
    question = designing.add_question(SYSTEM, survey, page, {"title": "Question", "kind": "text"})
    said = {"survey_id": survey, "edition": 1, "status": "complete", "source": "mail", "troubles": []}
    return {"page_id": page, "question_id": question, "response_id": id_inserted(RESPONSES.insert().values(said))}


def active_mail(n: int) -> int:
    sender = once("sender_addresses", n + 700, state="confirmed")
    return once(
        "email_templates", n + 700, kind="email", status="active", subject="News", sender_name="Us",
        sender_address_id=sender, text="Hello",
    )  # fmt: skip


def campaign_mail(n: int, when: str) -> int:
    sender = once("sender_addresses", n + 700, state="confirmed")
    return once(
        "email_templates", n + (1000 if when == "daily" else 900), kind="template", folder="Campaign", status="active",
        subject="News", sender_name="Us", sender_address_id=sender, text="Hello", sending_time=when, sending_at="09:00",
    )  # fmt: skip


def event_mail(n: int) -> int:
    return once("email_templates", n + 800, folder="Event")


def open_portal(n: int) -> int:
    """A portal that has a profile for new log-ins already."""
    portal = once("portals", n + 900)
    profiles = modules["portal_profiles"].table
    if db.session.execute(select(profiles.c.id).where(profiles.c.portal_id == portal)).first() is None:
        records.create(SYSTEM, "portal_profiles", {"name": "Usual", "portal_id": portal}, Channel.SYSTEM)
    return portal


def email_campaign(n: int) -> int:
    return once("campaigns", n + 700, type="Email", active=True)
