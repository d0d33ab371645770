"""Document templates: office files with tags, or layouts of chosen fields, each for one module, offered on cards of its records."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Mapped

from crm.documents.merging import fill_text
from crm.documents.names import Checking, Rows, Shape, shape_of
from crm.documents.sources import Source, common_of
from crm.documents.tokens import BadTag
from crm.engine import fields as f
from crm.engine.conditions import where
from crm.engine.fields import Choice, PicklistSeed
from crm.engine.module import Block, Filter, Module, Related
from crm.engine.record import Record
from crm.engine.refusals import Fault
from crm.engine.registry import modules
from crm.engine.rows import Row
from crm.engine.search import find
from crm.identity.viewer import SYSTEM
from crm.modules.rules import after
from crm.words import _, in_sentence

KEY = "document_templates"
EVENTS = ("invitation_events", "mass_events")
MODULES = PicklistSeed.of(
    "document_module", "Module of a document",
    Choice("contacts", "Contacts"), Choice("accounts", "Accounts"), Choice("leads", "Leads"), Choice("potentials", "Potentials"),
    Choice("tickets", "Tickets"), Choice("campaigns", "Campaigns"), Choice("invitation_events", "Invitation events"),
    Choice("mass_events", "Mass events"), Choice("attendees", "Attendees"), Choice("products", "Products"), Choice("activities", "Activities"),
)  # fmt: skip
PURPOSES = PicklistSeed.of(
    "document_purpose", "Purpose of a document",
    Choice("document", "Document", "blue"), Choice("certificate", "Certificate", "purple"), Choice("personal_data", "Personal data", "teal"),
)  # fmt: skip
FORMATS = PicklistSeed.of(
    "document_format", "Format of a template",
    Choice("docx", "Word (.docx)"), Choice("odt", "Writer (.odt)"), Choice("xlsx", "Excel (.xlsx)"), Choice("ods", "Calc (.ods)"),
    Choice("rtf", "Rich text (.rtf)"),
)  # fmt: skip
OUTPUTS = PicklistSeed.of(
    "document_output",
    "What is made",
    Choice("pdf", "PDF"),
    Choice("pdf_a", "PDF for archives (PDF/A)"),
    Choice("same", "A file in the format of the template"),
)
MODULE_OF = {"certificate": "attendees", "personal_data": "contacts"}  # purposes that are for one module


class DocumentTemplate(Record):
    """One template. `file_version` counts its files; `layout`: the chosen fields
    in place of a file (layouts.py); `fonts`: names that the file asks for (fonts.of_kept); `shown_if` are names that must (`$name`) or must not (`!$name`) have a value."""

    __tablename__ = KEY
    name: Mapped[str] = f.text("Name", max=150)
    purpose: Mapped[str] = f.picklist("Purpose", "document_purpose", default="document", mass_edit=False)
    module: Mapped[str] = f.picklist("For", "document_module", mass_edit=False)
    output: Mapped[str] = f.picklist("Makes", "document_output", default="pdf")
    active: Mapped[bool] = f.checkbox("Active", indexed=True)
    language: Mapped[str | None] = f.picklist("Language", "language", help="Empty: that of the person, or of the site")
    file_name: Mapped[str | None] = f.text(
        "Name of the made file", max=150, help="May hold tags, such as Offer {$number}"
    )
    shown_if: Mapped[str | None] = f.text(
        "Offered when",
        max=300,
        help="$account_id: the field has a value, !$account_id: it has none; several with spaces",
    )
    event_id: Mapped[int | None] = f.link("Certificate of", to=EVENTS, help="Empty: of any event")
    format: Mapped[str | None] = f.picklist("Format", "document_format", read_only=True)
    file_id: Mapped[int | None] = f.file("File", read_only=True, in_lists=False)
    layout: Mapped[str | None] = f.source("Layout", read_only=True, in_lists=False)
    fonts: Mapped[str | None] = f.text("Fonts of the file", max=1000, read_only=True, in_lists=False)
    file_version: Mapped[int] = f.whole("Version of the file", read_only=True, default=0)
    description: Mapped[str | None] = f.long_text("Description")


def demand_sense(values: Mapping[str, Any], old: Mapping[str, Any] | None) -> dict[str, Fault]:
    """An active one has a file; the module stays once there is a file; conditions and the file's name know their names."""
    then = after(values, old)
    faults: dict[str, Fault] = {}
    key = then.get("module") or ""
    if key not in modules or not modules[key].is_record:
        return {"module": Fault("not_in_list", _("There is no such module."))} if key else {}
    if values.get("active") and not (then.get("file_id") or then.get("layout")):
        faults["active"] = Fault(
            "required", _("Upload the file first, or choose fields; a template without either makes nothing.")
        )
    if old is not None and (old.get("file_id") or old.get("layout")) and values.get("module", key) != old["module"]:
        faults["module"] = Fault(
            "locked", _("The file was checked for this module. Make another template for another one.")
        )
    only = MODULE_OF.get(then.get("purpose") or "")
    if only and only != key:
        faults["module"] = Fault(
            "not_in_list", _("This purpose is for %(plural)s.", plural=in_sentence(_(modules[only].plural)))
        )
    if then.get("event_id") and then.get("purpose") != "certificate":
        faults["event_id"] = Fault("not_allowed", _("Only certificates belong to an event."))
    problems = _unknown_names(key, then.get("shown_if") or "")
    if problems:
        faults["shown_if"] = Fault("unknown", problems[0])
    problems = _wrong_tags(modules[key], then.get("file_name") or "")
    if problems:
        faults["file_name"] = Fault("unknown", problems[0])
    return faults


def shape_for(module: Module) -> Shape:
    """The names that templates for `module` may use."""
    return shape_of(
        module,
        {name: _shape_of_source(source) for name, source in common_of().items()} | {"user": Shape((modules["users"],))},
    )


def _shape_of_source(source: Source) -> Shape | Rows:
    shape = Shape(fields=source.fields)
    return Rows(shape) if source.is_list else shape


def _unknown_names(key: str, text: str) -> list[str]:
    """What is wrong with the conditions of a template, as sentences."""
    problems: list[str] = []
    shape = shape_for(modules[key])
    for word in text.split():
        name = word.removeprefix("!").removeprefix("$")
        if not word.removeprefix("!").startswith("$") or shape.step(name) is None:
            problems.append(_("“%(word)s” is no field of the record; write $field or !$field.", word=word))
    return problems


def _wrong_tags(module: Module, text: str) -> list[str]:
    problems: list[str] = []
    try:
        fill_text(text, Checking(shape_for(module), problems))
    except BadTag as wrong:
        problems.append(str(wrong))
    return problems


def is_offered(template: Row, row: Mapping[str, Any]) -> bool:
    """Whether the conditions of a template hold for a record; a field that may not be read counts as empty."""
    for word in (template["shown_if"] or "").split():
        value = row.get(word.removeprefix("!").removeprefix("$"))
        if (value not in (None, "", (), False, 0)) is word.startswith("!"):
            return False
    return True


def active_for(module: str, purposes: tuple[str, ...] = ("document", "personal_data")) -> list[Row]:
    """The active templates for a module, by name."""
    said = {"$and": [{"$eq": ["module", module]}, where("active", "is", True), {"$in": ["purpose", list(purposes)]}]}
    return find(SYSTEM, KEY, where=said, columns=COLUMNS, sort=("name",), limit=200, count="none").rows


def offered(row: Row, purposes: tuple[str, ...] = ("document", "personal_data")) -> list[Row]:
    """The active templates for a record, by name. Whoever sees the record may use them."""
    return [one for one in active_for(row.module, purposes) if is_offered(one, row)]


COLUMNS = (
    "name", "purpose", "module", "output", "active", "language", "file_name", "shown_if", "event_id", "format", "file_id", "file_version", "layout",
)  # fmt: skip

MODULE = Module(
    DocumentTemplate,
    label="Document template",
    plural="Document templates",
    menu="Settings",
    prefix="DT",
    icon="file-text",
    columns=("name", "purpose", "module", "output", "format", "language", "active", "updated_at"),
    facts=("purpose", "module", "output", "format", "active"),
    form=(
        Block("Template", ("name", "purpose", "module", "output", "active", "language", "file_name", "shown_if", "event_id", "owner_id")),
        Block("File", ("format", "file_version")),
        Block("More", ("description",)),
    ),
    search=("name", "number"),
    sort=("name",),
    filters=(
        Filter("active", "Active", where("active", "is", True)),
        Filter("certificates", "Certificates", where("purpose", "is", "certificate")),
    ),
    shows_on={key: Related(by="event_id", label="Certificate templates", columns=("name", "active", "language")) for key in EVENTS},
    picklists=(MODULES, PURPOSES, FORMATS, OUTPUTS),
    checks=(demand_sense,),
    importable=False,
    areas={"create": "crm_admin", "edit": "crm_admin", "delete": "crm_admin"},
)  # fmt: skip
