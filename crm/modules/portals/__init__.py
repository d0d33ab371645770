"""Portals for customers: which there are, how they look, who may come in and by which rules (spec/portal.md 1.2)."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import select
from sqlalchemy.orm import Mapped

from crm.db import db
from crm.engine import fields as f
from crm.engine.conditions import where
from crm.engine.fields import Choice, PicklistSeed
from crm.engine.module import Block, Filter, Module
from crm.engine.record import Record
from crm.engine.refusals import Fault
from crm.engine.registry import modules
from crm.modules.rules import after
from crm.words import _

KINDS = PicklistSeed.of(
    "portal_kind", "Kind of portal",
    Choice("self_service", "Self-service", "blue"), Choice("support", "Support", "green"),
)  # fmt: skip
LANGUAGES = PicklistSeed.of(
    "portal_language", "Language of the portal", Choice("en", "English"), Choice("fi", "Finnish")
)
REGISTRATION = PicklistSeed.of(
    "portal_registration", "Registration by oneself",
    Choice("off", "Off"), Choice("request", "By request, an agent accepts"),
    Choice("domain_match", "For addresses of a known company"),
)  # fmt: skip
COLLEAGUES = PicklistSeed.of(
    "portal_colleagues", "Access for colleagues",
    Choice("direct", "The portal administrator gives it"), Choice("approval", "An agent accepts"),
)  # fmt: skip
SECOND_STEP = PicklistSeed.of(
    "portal_second_step", "Code by mail at log-in",
    Choice("off", "Nobody is asked"), Choice("chosen", "Who wants it"), Choice("always", "Everybody"),
)  # fmt: skip
HOSTS_WITHOUT_TLS = {"localhost", "127.0.0.1", "::1"}


class Portal(Record):
    """One portal. The first one answers at /portal/, others under the host name of their address."""

    __tablename__ = "portals"
    name: Mapped[str] = f.text("Name", max=120)
    code: Mapped[str] = f.text("Code", max=40, unique=True)
    kind: Mapped[str] = f.picklist("Kind", "portal_kind", default="self_service", mass_edit=False)
    active: Mapped[bool] = f.checkbox(
        "Active", default=True, audited=True, help="A portal that is not active is closed"
    )
    base_url: Mapped[str | None] = f.website("Address", help="Such as https://my.example.com; needed by links in mails")
    welcome_template_id: Mapped[int | None] = f.link(
        "Welcome mail",
        to="email_templates",
        only={"$and": [where("kind", "is", "email"), where("status", "is", "active")]},
    )
    reset_template_id: Mapped[int | None] = f.link(
        "Mail for a new password", to="email_templates",
        only={"$and": [where("kind", "is", "email"), where("status", "is", "active")]},
    )  # fmt: skip
    default_language: Mapped[str] = f.picklist("Language at first", "portal_language", default="en", mass_edit=False)
    languages: Mapped[tuple[str, ...] | None] = f.multi("Languages offered", "portal_language", mass_edit=False)
    logo: Mapped[str | None] = f.text("Logo", max=300, help="A picture that was uploaded here, such as /i/….png")
    colour: Mapped[str | None] = f.text("Colour", max=7, help="Such as #0054a6")
    custom_css: Mapped[str | None] = f.source("Own style sheet", max=20_000, in_lists=False)
    session_minutes: Mapped[int] = f.whole("Minutes until log-out when idle", least=5, most=1440, default=60)
    default_assignee_id: Mapped[int | None] = f.owner("New tickets go to")
    self_registration: Mapped[str] = f.picklist(
        "Self-registration", "portal_registration", default="off", mass_edit=False
    )
    second_step: Mapped[str] = f.picklist(
        "Code by mail at log-in",
        "portal_second_step",
        default="off",
        mass_edit=False,
        audited=True,
        help="A second step after the password; the code holds for ten minutes",
    )
    colleague_access: Mapped[str] = f.picklist(
        "Log-ins of colleagues", "portal_colleagues", default="approval", mass_edit=False
    )
    privacy_url: Mapped[str | None] = f.website("Privacy notice")
    terms_url: Mapped[str | None] = f.website("Terms of use")
    welcome_text: Mapped[str | None] = f.html("Text on the home page", in_lists=False)
    public_survey_enabled: Mapped[bool] = f.checkbox("Public surveys")
    public_survey_condition: Mapped[Any | None] = f.conditions("Surveys that are public", about="surveys")
    public_faq_enabled: Mapped[bool] = f.checkbox("Knowledge base without log-in")
    events_listing_enabled: Mapped[bool] = f.checkbox("Public list of events")
    embed_sites: Mapped[str | None] = f.long_text(
        "Sites that may show events in a frame",
        max=2000,
        in_lists=False,
        help="One a line, such as https://www.example.com",
    )
    support_expiry_notice_days: Mapped[int] = f.whole(
        "Days of notice before access ends", least=0, most=365, default=30
    )


def demand_sense(values: Mapping[str, Any], old: Mapping[str, Any] | None) -> dict[str, Fault]:
    """Addresses are safe, templates can be sent, the code fits in an address, colours are colours."""
    faults: dict[str, Fault] = {}
    address = urlsplit(values.get("base_url") or "")
    if values.get("base_url") and address.scheme != "https" and address.hostname not in HOSTS_WITHOUT_TLS:
        faults["base_url"] = Fault("not_https", _("The address begins with https://, unless it is this machine."))
    if "code" in values and not re.fullmatch(r"[A-Za-z0-9][\w -]*", values["code"] or "x"):
        faults["code"] = Fault("bad_code", _("A code has letters, digits and hyphens."))
    if values.get("colour") and not re.fullmatch(r"#[0-9a-fA-F]{6}", values["colour"]):
        faults["colour"] = Fault("bad_colour", _("A colour is written as #rrggbb, such as #0054a6."))
    if values.get("logo") and not re.fullmatch(r"/(?!/)[\w./-]+", values["logo"]):
        faults["logo"] = Fault("bad_logo", _("The logo is a picture that was uploaded here."))
    for site in sites_of(values.get("embed_sites")):
        if not is_site(site):
            message = _("“%(site)s” is no site. Write one a line, such as https://www.example.com.", site=site[:80])
            faults["embed_sites"] = Fault("bad_website", message)
    for name in ("welcome_template_id", "reset_template_id"):
        if values.get(name) and not _can_be_sent(values[name]):
            faults[name] = Fault("wrong_kind", _("Choose an active mail, not a template to build on."))
    then = after(values, old)
    offered, first = then.get("languages"), then.get("default_language")
    if {"languages", "default_language"} & set(values) and offered and first not in offered:
        faults["default_language"] = Fault("not_offered", _("This language is not among those that are offered."))
    return faults


def sites_of(said: str | None) -> list[str]:
    """The sites of the field "embed_sites", one a line."""
    return [line.strip().rstrip("/") for line in (said or "").splitlines() if line.strip()]


def is_site(said: str) -> bool:
    """Whether this is scheme and host of a site and no more, as a header of a page can name it."""
    return bool(re.fullmatch(r"https://(\*\.)?[A-Za-z0-9.-]+(:[0-9]{1,5})?", said)) or bool(
        re.fullmatch(r"http://(localhost|127\.0\.0\.1)(:[0-9]{1,5})?", said)
    )


def _can_be_sent(template: int) -> bool:
    table = modules["email_templates"].table
    said = db.session.execute(select(table.c.kind, table.c.status).where(table.c.id == template)).first()
    return said is None or (said.kind == "email" and said.status == "active")


MODULE = Module(
    Portal,
    label="Portal",
    plural="Portals",
    icon="door",
    columns=("name", "code", "kind", "active", "base_url", "default_language"),
    facts=("kind", "active", "base_url"),
    form=(
        Block("Portal", ("name", "code", "kind", "active", "base_url", "owner_id")),
        Block("Mails", ("welcome_template_id", "reset_template_id", "default_assignee_id")),
        Block("Look", ("default_language", "languages", "logo", "colour", "welcome_text", "custom_css")),
        Block("Who comes in", (
            "self_registration", "colleague_access", "second_step", "session_minutes", "support_expiry_notice_days", "privacy_url", "terms_url",
        )),
        Block("For everybody", ("events_listing_enabled", "embed_sites", "public_survey_enabled", "public_survey_condition", "public_faq_enabled")),
    ),
    in_search=False,
    search=("name", "code"),
    sort=("name",),
    filters=(Filter("active", "Active", where("active", "is", True)),),
    picklists=(KINDS, LANGUAGES, REGISTRATION, COLLEAGUES, SECOND_STEP),
    checks=(demand_sense,),
    importable=False,
    areas={"create": "crm_admin", "edit": "crm_admin", "delete": "crm_admin"},
)  # fmt: skip
