"""What a new mail begins with: a template, a design of our own, or nothing; each shown small as it looks."""

from functools import cache
from typing import Any

from flask import Response, redirect, render_template, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from crm.engine import attachments, records, search
from crm.engine.channels import Channel
from crm.engine.permissions import demand
from crm.engine.refusals import Missing
from crm.engine.registry import modules
from crm.modules import email_templates
from crm.ui.session import commit, viewer
from crm.words import N_
from ecp import senders
from ecp.content.blank import BLANK
from ecp.content.compile import Content, compile
from ecp.content.designs import DESIGNS
from ecp.content.preview import preview
from ecp.content.problems import ContentRefused
from ecp.modules.mail_rules import content_of
from ecp.web import writing_versions
from ecp.web.writing_seen import KEY, WRITTEN, framed
from ecp.web.writing_sheet import INFO, home

PURPOSES = (
    ("newsletter", N_("Newsletters")), ("invitation", N_("Invitations")), ("announcement", N_("Announcements")),
    ("transactional", N_("Transactional mail")),
)  # fmt: skip


def begin() -> str:
    """Choose what to begin with: an active template, a design, or nothing."""
    demand(viewer(), "create", modules[KEY])
    said = {"$and": [{"kind": "template"}, {"status": "active"}]}
    columns = ("name", "subject", "folder", "updated_at")
    templates = search.find(viewer(), KEY, where=said, columns=columns, sort=("name",), limit=100, count="none").rows
    designs = [(_(label), [one for one in DESIGNS if one.purpose == purpose]) for purpose, label in PURPOSES]
    return render_template("ecp_begin.html", templates=templates, designs=designs, here=KEY, home=home())


def build() -> AnyResponse:
    """Make a mail: a copy of a template, or a blank one. Later changes of the template do not reach it."""
    chosen = request.form.get("template", type=int)
    kind = "template" if request.form.get("kind") == "template" else "email"
    values: dict[str, Any] = {
        "name": _("New e-mail") if kind == "email" else _("New template"),
        "kind": kind,
        "mjml": BLANK,
    }
    if (sender := senders.default_row()) is not None:
        values |= {"sender_address_id": sender.id, "sender_name": sender.display_name}
    design = next((one for one in DESIGNS if one.key == request.form.get("design")), None)
    if design is not None:
        values |= {"name": design.name, "subject": design.subject, "language": design.language, "mjml": design.mjml}
    if chosen:
        row = search.one(viewer(), KEY, chosen)
        values = {name: row[name] for name in (*INFO, *WRITTEN) if name in row and name not in {"owner_id", "status"}}
        values |= {
            "kind": kind,
            "name": _("%(name)s (copy)", name=row["name"])[:150] if row["kind"] == kind else row["name"],
        }
    if email_templates.folder_is_open(viewer(), values, None):
        values["folder"] = "Public"  # what administrators keep together others build on, elsewhere
    id = records.create(viewer(), KEY, values | {"status": "inactive"}, Channel.FORM)
    if chosen:
        for file in attachments.files_of(viewer(), KEY, chosen):
            attachments.attach(viewer(), KEY, id, file.id, Channel.FORM)
        records.update(viewer(), KEY, id, {"template_id": chosen}, Channel.SYSTEM)
        writing_versions.copy_all(chosen, id)
    commit()
    return redirect(f"{home()}/{id}/write?view=visual", 303)


def look_of_design(key: str) -> Response:
    """A design as a document for a small sandboxed frame. Raises Missing, Forbidden."""
    demand(viewer(), "create", modules[KEY])
    if key not in {one.key for one in DESIGNS}:
        raise Missing
    return framed(_of_design(key))


@cache
def _of_design(key: str) -> str:
    design = next(one for one in DESIGNS if one.key == key)
    return preview(compile(Content("mjml", design.mjml, design.subject, language=design.language)), {}).html


def look_of_template(id: int) -> Response:
    """A template as such a document. Raises Missing, Forbidden."""
    demand(viewer(), "create", modules[KEY])
    try:
        shown = preview(compile(content_of(search.one(viewer(), KEY, id))), {})
        document = shown.html or render_template("ecp_text_preview.html", text=shown.text)
    except ContentRefused:
        document = ""  # an unfinished template: an empty sheet
    return framed(document)
