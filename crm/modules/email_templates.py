"""Written mails: templates to build on (kind template), mails that can be sent (kind email), and either in another language
(kind version: language_versions.py)."""

from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Any

from sqlalchemy.orm import Mapped

from crm import clock
from crm.cycles import WEEKDAYS, Cycle
from crm.engine import fields as f
from crm.engine.conditions import where
from crm.engine.fields import Choice, PicklistSeed
from crm.engine.module import Action, Block, Filter, Module, Related
from crm.engine.record import Record
from crm.engine.refusals import Fault
from crm.identity.viewer import Viewer
from crm.modules import template_uses
from crm.modules.rules import after
from crm.modules.shared_lists import CONTENT_STATUS
from crm.words import N_, _

KINDS = PicklistSeed.of(
    "email_template_kind",
    "Kind of mail",
    Choice("template", "Template", "purple"),
    Choice("email", "E-mail", "blue"),
    Choice("version", "Language version", "azure"),
)
FOLDERS = PicklistSeed.of(
    "email_template_folder",
    "Folder",
    "Public",
    "Personal",
    "Campaign",
    "Discussion",
    "Event",
    "Tickets",
    Choice("System", colour="secondary"),
)
SENDING_TIMES = PicklistSeed.of(
    "sending_time", "Sending time",
    Choice("immediately", "Immediately"), Choice("once", "Once"), Choice("daily", "Every day"),
    Choice("weekly", "Every week"), Choice("monthly", "Every month"),
)  # fmt: skip
DAYS_OF_WEEK = PicklistSeed.of("weekday", "Day of the week", *(Choice(day, day.capitalize()) for day in WEEKDAYS))
CAMPAIGN, PERSONAL = "Campaign", "Personal"  # folders that mean something: see FOR_ADMINS and sending_time
FOR_ADMINS = (CAMPAIGN, "Discussion", "System")
SENDING = ("sending_time", "sending_at", "sending_weekday", "sending_day", "sending_on")
PERMANENT = "Change Comments"  # of the folder System: the words in which agents' answers to tickets go out


class EmailTemplate(Record):
    """What is written: as MJML or HTML, and as plain text. The limit of 65,000 counts what is written (decisions.md 24)."""

    __tablename__ = "email_templates"
    name: Mapped[str] = f.text("Name", max=150)
    kind: Mapped[str] = f.picklist("Kind", "email_template_kind", default="email", mass_edit=False)
    status: Mapped[str] = f.picklist("Status", "content_status", default="inactive", mass_edit=False, indexed=True)
    folder: Mapped[str | None] = f.picklist("Folder", "email_template_folder", default="Public")
    subject: Mapped[str | None] = f.text("Subject", max=200)
    preheader: Mapped[str | None] = f.text("Preheader", max=150)
    sender_name: Mapped[str | None] = f.text("Sender name", max=100)
    sender_address_id: Mapped[int | None] = f.link(
        "Sender address", to="sender_addresses", only=where("state", "one of", ["confirmed", "domain_verified"])
    )
    reply_to: Mapped[str | None] = f.email("Reply to")
    list_type_hint_id: Mapped[int | None] = f.link("Usual list type", to="list_types", only=where("active", "is", True))
    language: Mapped[str | None] = f.picklist("Language", "language")
    mjml: Mapped[str | None] = f.source("MJML", in_lists=False)
    html: Mapped[str | None] = f.source("HTML", in_lists=False)
    text: Mapped[str | None] = f.source("Plain text", in_lists=False)
    survey_id: Mapped[int | None] = f.link(
        "Linked survey", to="surveys", by_identity=True, only=where("status", "is", "active"),
        help="The mail leads to it where it says {$links.survey}",
    )  # fmt: skip
    sending_time: Mapped[str | None] = f.picklist(
        "Sending time",
        "sending_time",
        mass_edit=False,
        help="Campaigns: immediately. Target groups: once, or again and again",
    )
    sending_at: Mapped[time | None] = f.time("At", help="Time of day of the site")
    sending_weekday: Mapped[str | None] = f.picklist("On which weekday", "weekday", mass_edit=False)
    sending_day: Mapped[int | None] = f.whole("On which day of the month", least=1, most=31, help="31: the last day")
    sending_on: Mapped[date | None] = f.day("On which day")
    sending_since: Mapped[datetime | None] = f.moment("Sending time set", read_only=True, in_lists=False)
    is_personal: Mapped[bool] = f.checkbox("Only for its author", read_only=True, in_lists=False)
    template_id: Mapped[int | None] = f.link("Built from", to="email_templates", read_only=True)
    version_of_id: Mapped[int | None] = f.link("Language version of", to="email_templates", on_delete="CASCADE")
    description: Mapped[str | None] = f.long_text("Description")


def is_whole_when_active(values: Mapping[str, Any], old: Mapping[str, Any] | None) -> dict[str, Fault]:
    """A mail without subject, sender or text cannot be active; templates need a text only, unless they are sent by themselves,
    and versions a subject too."""
    then = after(values, old)
    if then.get("status") != "active":
        return {}
    faults = {}
    if not (then.get("mjml") or then.get("html") or then.get("text")):
        faults["html"] = Fault("required", _("An active mail needs a text: MJML, HTML or plain."))
    if then.get("kind") == "version":
        if not then.get("subject"):
            faults["subject"] = Fault("required", _("An active mail needs a %(what)s.", what=_("subject")))
    elif then.get("kind") == "email" or then.get("folder") == CAMPAIGN:
        for name, label in (
            ("subject", N_("subject")),
            ("sender_name", N_("sender name")),
            ("sender_address_id", N_("sender address")),
        ):
            if not then.get(name):
                faults[name] = Fault("required", _("An active mail needs a %(what)s.", what=_(label)))
    return faults


def settled(values: Mapping[str, Any], old: Mapping[str, Any] | None) -> dict[str, Any]:
    """What follows from the folder: whose it is, and the sending time, which only mails of campaigns have."""
    then = after(values, old)
    found: dict[str, Any] = {"is_personal": then.get("folder") == PERSONAL}
    if then.get("folder") != CAMPAIGN:
        return found | dict.fromkeys(SENDING)
    kind = then.get("sending_time") or "immediately"
    needed = {"once": {"sending_on"}, "weekly": {"sending_weekday"}, "monthly": {"sending_day"}}.get(kind, set())
    needed |= {"sending_at"} if kind != "immediately" else set()
    found |= {name: then.get(name) if name in needed else None for name in SENDING} | {"sending_time": kind}
    if old is None or any(found[name] != old.get(name) for name in SENDING):
        found["sending_since"] = clock.now()
    return found


def has_sending_time(values: Mapping[str, Any], old: Mapping[str, Any] | None) -> dict[str, Fault]:
    """What is not sent immediately says at which time, and on which day."""
    then, faults = after(values, old), {}
    kind = then.get("sending_time") or "immediately"
    if kind != "immediately" and then.get("sending_at") is None:
        faults["sending_at"] = Fault("required", _("Say at which time of day it is sent."))
    for wanted, name in (("once", "sending_on"), ("weekly", "sending_weekday"), ("monthly", "sending_day")):
        if kind == wanted and then.get(name) is None:
            faults[name] = Fault("required", _("Say on which day it is sent."))
    return faults


def is_permanent(row: Mapping[str, Any]) -> bool:
    """Whether it is the template that the house cannot do without."""
    return row.get("name") == PERMANENT and row.get("folder") == "System"


def permanent_stays(values: Mapping[str, Any], old: Mapping[str, Any] | None) -> dict[str, Fault]:
    """The template of answers to tickets keeps its name and its folder, by which it is found."""
    if old is None or not is_permanent(old):
        return {}
    message = _("“%(name)s” is permanent: its name and its folder stay.", name=PERMANENT)
    return {
        name: Fault("permanent", message) for name in ("name", "folder") if name in values and values[name] != old[name]
    }


def folder_is_open(viewer: Viewer, values: Mapping[str, Any], old: Mapping[str, Any] | None) -> dict[str, Fault]:
    """What the house sends by itself, in automatic mails, notices and answers, administrators write."""
    if viewer.is_system or viewer.is_admin or "ecp_admin" in viewer.flags:
        return {}
    folders = {after(values, old).get("folder"), (old or {}).get("folder")}
    if not folders & set(FOR_ADMINS):
        return {}
    return {"folder": Fault("forbidden", _("Mails of this folder are written by administrators."))}


def cycle_of(template: Mapping[Any, Any]) -> Cycle | None:
    """When a mail of the folder Campaign is sent to target groups; None for one that is sent immediately."""
    kind, at = template["sending_time"], template["sending_at"]
    if kind not in {"once", "daily", "weekly", "monthly"} or at is None:
        return None
    weekday = template["sending_weekday"]
    return Cycle(
        kind, at, WEEKDAYS.index(weekday) if weekday else None, template["sending_day"], template["sending_on"]
    )


MODULE = Module(
    EmailTemplate,
    label="E-mail template",
    plural="E-mail templates",
    menu="Marketing",
    prefix="ET",
    icon="mail-star",
    columns=("name", "kind", "status", "subject", "folder", "updated_at", "owner_id"),
    facts=("kind", "status", "subject", "sender_name", "sender_address_id"),
    form=(
        Block("Info", (
            "name", "kind", "status", "folder", "subject", "preheader", "sender_name", "sender_address_id", "reply_to",
            "list_type_hint_id", "language", "survey_id", "owner_id",
        )),
        Block("Sending time", SENDING),
        Block("Content", ("mjml", "html", "text")),
        Block("More", ("description",)),
    ),
    search=("name", "number", "subject"),
    sort=("-updated_at",),
    filters=(
        Filter("templates", "Templates", where("kind", "is", "template")),
        Filter("emails", "E-mails", where("kind", "is", "email")),
        Filter("active", "Active", where("status", "is", "active")),
    ),
    actions=(
        Action("activate", "Activate", lambda mail: {"status": "active"}, when=where("status", "is", "inactive"), icon="check"),
        Action("deactivate", "Deactivate", lambda mail: {"status": "inactive"}, when=where("status", "is", "active"), icon="ban"),
    ),
    shows_on={
        "email_templates": Related(
            by="version_of_id", label="Language versions", columns=("language", "status", "subject", "updated_at")
        ),
    },
    keeps={"sender_addresses": "sender_address_id"},
    restricted_by="is_personal",
    picklists=(KINDS, FOLDERS, CONTENT_STATUS, SENDING_TIMES, DAYS_OF_WEEK),
    derives=(settled,),
    checks=(is_whole_when_active, has_sending_time, permanent_stays),
    stays=is_permanent,
    asks=(folder_is_open,),
    before_delete=(template_uses.is_free,),
    in_ecp=True,
)  # fmt: skip
