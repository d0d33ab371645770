"""Website forms: what is asked, of which record it becomes a part, and what the page says. Its fields are rows beside it."""

import re
import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy.orm import Mapped, mapped_column

from crm.db import Json
from crm.engine import fields as f
from crm.engine.attachments import REFUSED_ENDINGS
from crm.engine.conditions import where
from crm.engine.fields import Choice, PicklistSeed
from crm.engine.module import Action, Block, Filter, Module
from crm.engine.record import Record
from crm.engine.refusals import Fault
from crm.words import _

ENTITIES = PicklistSeed.of(
    "website_form_entity", "What a website form makes",
    Choice("leads", "Lead", "azure"), Choice("contacts", "Contact", "blue"), Choice("accounts", "Account", "purple"),
)  # fmt: skip
STATES = PicklistSeed.of(
    "website_form_state", "State of a website form",
    Choice("open", "Open", "green"), Choice("closed", "Closed", "secondary"),
)  # fmt: skip
RUN_BY_BROWSERS = frozenset({"htm", "html", "xhtml", "svg", "xml", "mht", "mhtml"})
_ENDING = re.compile(r"[a-z0-9]{1,8}")
_HOST = re.compile(r"[a-z0-9.-]{1,253}(?::[1-9]\d{0,4})?|\[[0-9a-f:.]+\](?::[1-9]\d{0,4})?")


class WebsiteForm(Record):
    """One form. Its key stands in public, in the address of the page and of the script."""

    __tablename__ = "website_forms"
    name: Mapped[str] = f.text("Name", max=120, help="For you; visitors see the heading")
    entity: Mapped[str] = f.picklist("Becomes a", "website_form_entity", default="leads", mass_edit=False)
    state: Mapped[str] = f.picklist("State", "website_form_state", default="open", audited=True, mass_edit=False)
    key: Mapped[str] = f.text("Key", max=40, unique=True, read_only=True)
    title: Mapped[str | None] = f.text("Heading", max=200)
    intro: Mapped[str | None] = f.long_text("Text above the fields", max=2000, in_lists=False)
    button: Mapped[str | None] = f.text("Button", max=60, in_lists=False, help="Empty: Send")
    thanks: Mapped[str | None] = f.long_text(
        "Thanks", max=2000, in_lists=False, help="Shown when a submission was taken"
    )
    language: Mapped[str | None] = f.picklist("Language of these texts", "language", default="en", in_lists=False)
    redirect_url: Mapped[str | None] = f.website("Page shown afterwards", in_lists=False, help="Instead of the thanks")
    new_owner_id: Mapped[int | None] = f.owner("Given to", in_lists=False)
    lead_source: Mapped[str | None] = f.picklist("Source", "lead_source", default="Web Site", in_lists=False)
    contact_type: Mapped[str | None] = f.picklist("Type of contacts", "contact_type", in_lists=False)
    account_type: Mapped[str | None] = f.picklist("Type of accounts", "account_type", in_lists=False)
    campaign_id: Mapped[int | None] = f.link(
        "Campaign", to="campaigns", only=where("active", "is", True), help="People are added to it"
    )
    notified_id: Mapped[int | None] = f.owner("Tell by mail", in_lists=False, help="A user, or all members of a group")
    notifies_owner: Mapped[bool] = f.checkbox("Tell whom the record is given to", in_lists=False)
    consent_text: Mapped[str | None] = f.long_text(
        "Consent", max=2000, in_lists=False, help="The sentence beside the box; kept with every submission"
    )
    consent_required: Mapped[bool] = f.checkbox("Consent is needed to send", in_lists=False)
    double_opt_in: Mapped[bool] = f.checkbox(
        "Ask to confirm the consent by mail", in_lists=False, help="The address counts as agreed only then"
    )
    allowed_origins: Mapped[str | None] = f.long_text(
        "Sites that may embed it", max=2000, in_lists=False, help="One a line: https://www.example.com; empty: any"
    )
    accepts_plain: Mapped[bool] = f.checkbox(
        "Takes plain HTML at once", default=True, in_lists=False,
        help="Without it a form copied as HTML leads to a page of ours that is sent from there, behind all traps",
    )  # fmt: skip
    asks_sum: Mapped[bool] = f.checkbox(
        "Asks a small sum", in_lists=False, help="Against robots, without a third party"
    )
    takes_files: Mapped[bool] = f.checkbox("Takes files", in_lists=False, help="Up to 5 files of 5 MB")
    file_types: Mapped[str | None] = f.text(
        "Types of files", max=200, default="pdf, docx, odt, jpg, png", in_lists=False
    )
    kept_months: Mapped[int] = f.whole("Months that submissions are kept", least=1, most=60, default=24, in_lists=False)
    translations: Mapped[dict[str, dict[str, str]]] = mapped_column(Json, default=dict)  # language → field → text


def lines(text: str | None) -> list[str]:
    """The entries of a field that holds several, separated by lines, blanks or commas."""
    return [one for one in re.split(r"[\s,;]+", text or "") if one]


def origin_of(said: str) -> str:
    """The origin that somebody wrote, as browsers say it; "" for what is none."""
    plain = said.strip().lower()
    parts = urlsplit(plain if "://" in plain else f"https://{plain}")
    if parts.scheme not in {"http", "https"} or "@" in parts.netloc or not _HOST.fullmatch(parts.netloc):
        return ""
    usual = ":443" if parts.scheme == "https" else ":80"
    return f"{parts.scheme}://{parts.netloc.removesuffix(usual)}"


def is_web_address(said: str) -> bool:
    """Whether an address may be redirected to: http or https, a host, nothing hidden in it."""
    try:
        parts = urlsplit(said)
        _port = parts.port
    except ValueError:
        return False
    plain = not any(ord(letter) <= 32 or ord(letter) == 127 or letter == "\\" for letter in said)
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and "@" not in parts.netloc and plain


def _complete(values: Mapping[str, Any], old: Mapping[str, Any] | None) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if isinstance(values.get("allowed_origins"), str):
        found["allowed_origins"] = "\n".join(origin_of(one) or one for one in lines(values["allowed_origins"])) or None
    if isinstance(values.get("file_types"), str):
        found["file_types"] = ", ".join(one.lower().lstrip(".") for one in lines(values["file_types"]))
    if old is None:
        found["key"] = secrets.token_hex(8)
    return found


def _reads_well(values: Mapping[str, Any], old: Mapping[str, Any] | None) -> dict[str, Fault]:
    """Addresses are addresses of the web, types of files are none that run, a consent has its words."""
    faults: dict[str, Fault] = {}
    if values.get("redirect_url") and not is_web_address(values["redirect_url"]):
        faults["redirect_url"] = Fault("bad_website", _("Write an address that begins with https:// or http://."))
    for one in lines(values.get("allowed_origins")):
        if not origin_of(one):
            faults["allowed_origins"] = Fault("bad_origin", _("“%(said)s” is not the address of a site.", said=one))
    for one in lines(values.get("file_types")):
        if not _ENDING.fullmatch(one) or one in REFUSED_ENDINGS | RUN_BY_BROWSERS:
            faults["file_types"] = Fault("bad_file", _("Files of the type “%(said)s” cannot be taken.", said=one))
    then = {**(old or {}), **values}
    if (then.get("consent_required") or then.get("double_opt_in")) and not then.get("consent_text"):
        faults["consent_text"] = Fault("required", _("Write what people agree to."))
    if then.get("takes_files") and not lines(then.get("file_types")):
        faults["file_types"] = Fault("required", _("Say which types of files are taken."))
    return faults


MODULE = Module(
    WebsiteForm,
    label="Website form",
    plural="Website forms",
    menu="Marketing",
    icon="forms",
    columns=("name", "entity", "state", "campaign_id", "owner_id", "created_at"),
    facts=("entity", "state", "campaign_id", "key"),
    form=(
        Block("Form", ("name", "entity", "state", "language", "title", "intro", "button", "owner_id")),
        Block("Afterwards", ("thanks", "redirect_url", "notified_id", "notifies_owner")),
        Block("What new records get", ("new_owner_id", "lead_source", "contact_type", "account_type", "campaign_id")),
        Block("Consent", ("consent_text", "consent_required", "double_opt_in")),
        Block("Where and from whom", (
            "allowed_origins", "accepts_plain", "asks_sum", "takes_files", "file_types", "kept_months",
        )),
    ),
    search=("name", "title"),
    sort=("name",),
    filters=(
        Filter("open", "Open", where("state", "is", "open")),
        Filter("closed", "Closed", where("state", "is", "closed")),
    ),
    actions=(
        Action("close", "Close", lambda it: {"state": "closed"}, when=where("state", "is", "open"), icon="ban",
               confirm="The form disappears from every site that shows it, and takes nothing any more."),
        Action("open", "Open again", lambda it: {"state": "open"}, when=where("state", "is", "closed"), icon="check"),
    ),
    picklists=(ENTITIES, STATES),
    derives=(_complete,),
    checks=(_reads_well,),
    importable=False,
    in_ecp=True,
)  # fmt: skip
