"""Pages of document templates: the file on the card, its tags, a preview with a record."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, make_response, render_template, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from crm.db import db
from crm.documents import converting, fonts, layouts, making, names, templates, uploads
from crm.documents.layouts import Layout
from crm.documents.reading import own_name
from crm.engine import records, search
from crm.engine.attachments import StoredFile
from crm.engine.channels import Channel
from crm.engine.permissions import demand, may
from crm.engine.pictures import FIELD
from crm.engine.refusals import Missing, Refused
from crm.engine.registry import modules
from crm.engine.rows import Row
from crm.identity.viewer import Viewer
from crm.ui.cards import Part, add_part
from crm.ui.i18n import LANGUAGES
from crm.ui.page import go, tell
from crm.ui.session import commit, viewer
from crm.web import document_layouts
from crm.web.documents import file_of, standing_of

bp = Blueprint("document_templates", __name__, url_prefix=f"/crm/{templates.KEY}")
SAMPLES = 20


def file_part(asks: Viewer, row: Row) -> Mapping[str, Any]:
    """The file of a template, and the box that uploads one."""
    stored = db.session.get(StoredFile, row["file_id"]) if row.get("file_id") else None
    return {
        "row": row,
        "file": stored,
        "may_edit": may(asks, "edit", templates.KEY),
        "has_engine": converting.engine() is not None,
        "layout": layouts.read(row.get("layout")),
        "missing": fonts.missing(fonts.of_kept(row.get("fonts"))),
    }


add_part(templates.KEY, Part("_document_file.html", file_part, place="top"))


@bp.post("/<int:id>/file")
def upload(id: int) -> AnyResponse:
    """Check a file and make it that of the template."""
    sent = request.files.get("file")
    try:
        if sent is None or not sent.filename:
            raise Refused.because("required", _("Choose a file first."), "file")
        uploads.keep(viewer(), id, sent.filename, sent.stream)
        commit()
        tell(_("The file is checked and kept: every tag is known."))
        lacking = fonts.missing(fonts.of_kept(search.one(viewer(), templates.KEY, id)["fonts"]))
        if lacking:
            tell(
                _(
                    "This machine lacks fonts of the file, so a PDF looks otherwise: %(names)s.",
                    names=", ".join(lacking),
                ),
                "warn",
            )
    except Refused as refused:
        db.session.rollback()
        fault = refused.sentences
        row = search.one(viewer(), templates.KEY, id)
        page = render_template("document_refused.html", here=templates.KEY, row=row, fault=fault)
        return make_response(page, 422)
    return go(f"/crm/{templates.KEY}/{id}")


@bp.post("/<int:id>/active")
def activate(id: int) -> AnyResponse:
    """Offer a template from now on."""
    try:
        records.update(viewer(), templates.KEY, id, {"active": True}, Channel.QUICK_EDIT)
        commit()
        tell(_("The template is offered from now on."))
    except Refused as refused:
        db.session.rollback()
        tell(refused.sentences, "wrong")
    return go(f"/crm/{templates.KEY}/{id}")


@bp.get("/<int:id>/layout")
def ask_layout(id: int, sent: Layout | None = None, faults: dict[str, str] | None = None, status: int = 200) -> Any:
    """Choose what a template without a file shows."""
    demand(viewer(), "edit", templates.KEY)
    row = search.one(viewer(), templates.KEY, id)
    layout = sent or layouts.read(row["layout"]) or document_layouts.first_layout(row)
    page = render_template(
        "document_layout.html", here=templates.KEY, row=row, faults=faults or {}, **document_layouts.drawn(layout, row)
    )
    return make_response(page, status)


@bp.post("/<int:id>/layout")
def keep_layout(id: int) -> Any:
    """Keep a layout; or show the form again with a list more, or a field one place up."""
    demand(viewer(), "edit", templates.KEY)
    layout, is_kept = document_layouts.sent_layout(search.one(viewer(), templates.KEY, id))
    if not is_kept:
        return ask_layout(id, layout)
    try:
        layouts.keep(viewer(), id, layout)
        commit()
    except Refused as refused:
        db.session.rollback()
        return ask_layout(id, layout, {name: found[0].message for name, found in refused.faults.items()}, 422)
    tell(_("The layout is kept."))
    return go(f"/crm/{templates.KEY}/{id}")


@bp.get("/fonts")
def show_fonts() -> str:
    """The fonts of this machine, and which templates name others."""
    demand(viewer(), "view", templates.KEY)
    page = search.find(viewer(), templates.KEY, columns=("name", "fonts"), sort=("name",), limit=200, count="none")
    lacking = [(row, names) for row in page.rows if (names := fonts.missing(fonts.of_kept(row.get("fonts"))))]
    return render_template("document_fonts.html", here=templates.KEY, fonts=fonts.of_machine(), lacking=lacking)


@bp.get("/<int:id>/tags")
def tags(id: int) -> str:
    """Every name that files of this template may use."""
    row = search.one(viewer(), templates.KEY, id)
    return render_template("document_tags.html", here=templates.KEY, row=row, groups=_groups(row["module"]))


def _groups(key: str) -> list[dict[str, Any]]:
    """The tags of a module: its own, those of what it is linked with, what every document knows, rows of its lists."""
    module, shape = modules[key], templates.shape_for(modules[key])
    groups = [{"label": _(module.label), "before": "", "is_list": False, "tags": _tags_of(names.Shape((module,)), "")}]
    said = {"organisation": _("Our organisation"), "now": _("Today"), "user": _("Who makes the document")}
    for name in shape.names():
        to = shape.step(name)
        inner = to.item if isinstance(to, names.Rows) else to
        if name in {"record", own_name(module)} or not isinstance(inner, names.Shape):
            continue
        is_list = isinstance(to, names.Rows)
        one = inner.modules[0] if inner.modules else None
        label = said.get(name) or (_(one.plural if is_list else one.label) if one else name)
        groups.append({"label": label, "before": name, "is_list": is_list, "tags": _tags_of(inner, f"{name}.")})
    return sorted(groups, key=lambda group: bool(group["is_list"]))


def _tags_of(shape: names.Shape, before: str) -> list[tuple[str, str]]:
    fields = {**shape.fields}
    for module in shape.modules:
        fields |= {name: said for name, said in module.fields.items() if said.kind.name != "file" or name == FIELD}
    return [(f"{{${before}{name}}}", _(said.label)) for name, said in fields.items()]


@bp.get("/<int:id>/preview")
def ask_preview(id: int, fault: str = "", status: int = 200) -> Any:
    """Choose a record to see the template with."""
    demand(viewer(), "edit", templates.KEY)
    row = search.one(viewer(), templates.KEY, id)
    if not (row["file_id"] or row["layout"]):
        raise Missing
    key = row["module"]
    samples = (
        search.find(viewer(), key, columns=modules[key].titles, limit=SAMPLES, count="none").rows
        if may(viewer(), "view", key)
        else []
    )
    page = render_template(
        "document_preview.html", here=templates.KEY, row=row, samples=samples, languages=LANGUAGES, fault=fault,
        job=standing_of(request.args.get("job", type=int)), file=file_of(request.args.get("file", type=int)),
        has_engine=converting.engine() is not None, chosen=request.values.get("record", type=int),
    )  # fmt: skip
    return make_response(page, status)


@bp.post("/<int:id>/preview")
def preview(id: int) -> Any:
    """Make the document for one's own eyes; nothing is hung on the record."""
    demand(viewer(), "edit", templates.KEY)
    record = request.form.get("record", 0, type=int)
    language = request.form.get("language", "")
    language = language if language in LANGUAGES else ""
    try:
        template = making.template_of(id, is_active=False)
        search.one(viewer(), template["module"], record)
        if request.form.get("format") == "pdf":
            job = making.start(viewer(), id, record, language, keeps=False)
            commit()
            return go(f"/crm/{templates.KEY}/{id}/preview?job={job}&record={record}")
        file = making.store(viewer(), making.filled(viewer(), template, record, language))
        commit()
    except Missing:
        db.session.rollback()
        return ask_preview(id, _("Choose a record."), 422)
    except Refused as refused:
        db.session.rollback()
        return ask_preview(id, refused.sentences, 422)
    return go(f"/crm/{templates.KEY}/{id}/preview?file={file}&record={record}")


@bp.app_template_filter("document_choice")
def as_choice(sample: Row) -> tuple[int, str]:
    """A record as a box offers it."""
    return sample.id, sample.label or str(sample.id)
