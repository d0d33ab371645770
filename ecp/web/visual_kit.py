"""What the visual editor of mails is given: parts, saved rows, tags, places a button can lead to, brand, and its words."""

from typing import Any

from flask_babel import format_datetime

from crm.engine import records, search
from crm.engine.channels import Channel
from crm.engine.permissions import may
from crm.engine.refusals import Refused
from crm.engine.registry import modules
from crm.engine.rows import Row
from crm.identity.sealing import public_base
from crm.modules.organisation import organisation
from crm.ui.session import viewer
from crm.words import _
from ecp.content import blocks
from ecp.content.blocks import Brand, EventSaid
from ecp.content.limits import MAX_SOURCE
from ecp.content.mjml_check import check_mjml
from ecp.content.placeholders import protect
from ecp.modules.mail_rules import tags_of_people

MOST = 100  # of each thing that can be chosen


def kit() -> dict[str, Any]:
    """All of it, as the page takes it."""
    said = organisation()
    base = public_base()
    brand = Brand(said.name, said.colour or blocks.DEFAULT_COLOUR, base + said.logo if said.logo else "", said.address)
    surveys = _found("surveys", {"status": "active"}, ("name",))
    events = _events()
    return {
        "blocks": [_as_said(one) for one in blocks.blocks(brand, events[:3], _survey(surveys[0]) if surveys else "")],
        "rows": [
            {"id": row.id, "name": row["name"], "mjml": row["html"]}
            for row in _found("html_snippets", {"$and": [{"status": "active"}, {"kind": "row"}]}, ("name", "html"))
        ],
        "may_save_rows": may(viewer(), "create", "html_snippets"),
        "tags": tags_of_people(),
        "links": _links(surveys, events),
        "brand": {"swatches": brand.swatches, "fonts": blocks.FONTS},
        "public_base": base,
        "words": _sentences(),
    }


def keep_row(name: str, mjml: str) -> dict[str, Any]:
    """Store a row of a mail as a snippet. Raises Refused. The caller commits."""
    if not name.strip():
        raise Refused.because("required", _("Give the row a name."), "name")
    problems = check_mjml(protect(f"<mjml><mj-body>{mjml}</mj-body></mjml>"))[0]
    if not mjml.strip().startswith(("<mj-section", "<mj-wrapper")) or problems or len(mjml) > MAX_SOURCE:
        raise Refused.because("bad_row", _("This is no row of a mail."), "mjml")
    values = {"name": name.strip(), "kind": "row", "status": "active", "html": mjml}
    id = records.create(viewer(), "html_snippets", values, Channel.FORM)
    row = search.one(viewer(), "html_snippets", id)  # as it was stored: what could run is taken out
    return {"id": id, "name": row["name"], "mjml": row["html"]}


def _found(key: str, where: dict[str, Any], columns: tuple[str, ...], sort: str = "name") -> list[Row]:
    if key not in modules or not may(viewer(), "view", key):
        return []
    return search.find(viewer(), key, where=where, columns=columns, sort=(sort,), limit=MOST, count="none").rows


def _as_said(block: blocks.Block) -> dict[str, str]:
    return {"key": block.key, "label": block.label, "icon": block.icon, "mjml": block.mjml}


def _survey(row: Row) -> str:
    return f"{{$links.survey:{row.id}}}"


def _events() -> list[EventSaid]:
    """Events that are still to come, the next one first."""
    columns = ("name", "starts_at", "location", "public_link")
    rows = [
        row
        for key in ("mass_events", "invitation_events")
        for row in _found(key, {"$gt": ["starts_at", "$now"]}, columns, "starts_at")
    ]
    rows.sort(key=lambda row: (row["starts_at"], row.id))
    return [
        EventSaid(
            key=str(row.id), name=row["name"], when=format_datetime(row["starts_at"], "full"), place=row["location"] or "",
            href=row["public_link"] or f"{{$links.event_join:{row.id}}}",
        )
        for row in rows
    ]  # fmt: skip


def _links(surveys: list[Row], events: list[EventSaid]) -> list[dict[str, str]]:
    """Where a button or a link can lead, besides any address."""
    special = (
        ("unsubscribe", _("Unsubscribe")), ("online", _("Read in the browser")), ("preferences", _("Preferences")), ("me", _("Personal page")),
    )  # fmt: skip
    made = [("special", f"{{$links.{name}}}", label) for name, label in special]
    made += [("survey", _survey(row), row["name"]) for row in surveys]
    made += [("event", f"{{$links.event_join:{one.key}}}", _("Join: %(name)s", name=one.name)) for one in events]
    made += [("event", f"{{$links.event_decline:{one.key}}}", _("Decline: %(name)s", name=one.name)) for one in events]
    made += [("page", f"{{$links.page:{row['slug']}}}", row["name"]) for row in _found("landing_pages", {"status": "active"}, ("name", "slug")) if row["slug"]]  # fmt: skip
    groups = {"survey": _("Surveys"), "event": _("Events"), "page": _("Landing pages"), "special": _("This mail")}
    return [{"group": groups[group], "href": href, "label": label} for group, href, label in made]


def _sentences() -> dict[str, Any]:
    """The editor's words in the reader's language."""
    return {
        "the_mail": _("The mail"),
        "nothing_selected": _("Select a part of the mail to change how it looks. Double-click a text to write."),
        "carried": _("This part is kept as it was written. It can be moved or taken out here, and is changed in the code."),
        "code_text": _("This text holds markup that can only be changed in the code."),
        "write_here": _("Write"), "format": _("Format the text"), "insert_tag": _("Insert a tag…"), "link_ask": _("Where does the link lead?"),
        "own_colour": _("own colour"), "own_address": _("An address"), "address": _("Address"),
        "change_picture": _("Change the picture…"), "choose_picture": _("Choose a picture…"),
        "alt_hint": _("Read aloud, and shown where pictures are blocked."),
        "decoration": _("It says nothing: decoration"),
        "own_html": _("The text as HTML"), "own_html_hint": _("What could run is taken out when the mail is saved."),
        "row_name": _("Name of the saved row"),
        "size": _("{size} kB as sent"), "clipped": _("Large mail services cut messages beyond 102 kB."),
        "formats": {"bold": _("Bold"), "italic": _("Italic"), "link": _("Link"), "unlink": _("No link"), "list": _("List")},
        "deeds": {
            "up": _("Move up"), "down": _("Move down"), "copy": _("Duplicate"), "remove": _("Take out"),
            "save_row": _("Save this row"), "outer": _("Select what is around it"),
        },
        "aligns": {
            "left": _("Left"), "center": _("Centre"), "right": _("Right"), "justify": _("Both sides"), "top": _("Top"),
            "middle": _("Middle"), "bottom": _("Bottom"),
        },
        "names": {
            "mj-body": _("Whole mail"), "mj-wrapper": _("Group of rows"), "mj-section": _("Row"), "mj-group": _("Columns side by side"),
            "mj-column": _("Column"), "mj-hero": _("Large picture"), "mj-text": _("Text"), "mj-button": _("Button"), "mj-image": _("Picture"),
            "mj-divider": _("Line"), "mj-spacer": _("Space"), "carried": _("Part from the code"),
        },
        "fields": {
            "background-color": _("Background"), "container-background-color": _("Background"), "color": _("Colour of the text"), "width": _("Width"),
            "padding": _("Space around"), "inner-padding": _("Space inside"), "border-radius": _("Round corners"), "text-align": _("Align"),
            "align": _("Align"), "vertical-align": _("Align in height"), "font-size": _("Size of the text"), "line-height": _("Line height"),
            "font-family": _("Font"), "href": _("Leads to"), "alt": _("What it shows"), "height": _("Height"), "border-color": _("Colour of the line"),
            "font": _("Font of the whole mail"), "link-color": _("Colour of links"), "border-width": _("Thickness"), "background-url": _("Picture behind"), "src": _("Picture"),
        },
        "refused": {
            "html": _("This mail is written as HTML. The visual editor works on MJML; go on in the code."),
            "empty": _("The mail is empty. Write <mjml> in the code, or begin with a template."),
            "unreadable": _("The MJML cannot be read at line {line}: {what}. Mend it in the code first."),
            "component": _("Line {line}: the visual editor does not know {what}, or not at this place. Go on in the code."),
            "attribute": _("Line {line}: the visual editor does not know {what}. Go on in the code."),
            "raw": _("Line {line}: {what} stands between rows, which the visual editor does not know. Go on in the code."),
            "include": _("Line {line}: {what} takes in another file, which is not possible here. Go on in the code."),
            "condition": _("Line {line}: the visual editor does not know comments with conditions or inside a text: {what}. Go on in the code."),
            "text": _("Line {line}: “{what}” stands outside of any text. Go on in the code."),
        },
    }  # fmt: skip
