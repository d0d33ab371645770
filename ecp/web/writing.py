"""Writing mails: a code editor with the mail beside it as it will look, on desktop and phone, as text, as a given person.

Used by the portal and by the CRM. The page draws nothing by itself: what is typed is posted, compiled once a version by the
server and shown in a sandboxed frame.
"""

import re
from dataclasses import dataclass, replace
from typing import Any

from flask import Blueprint, Response, g, jsonify, make_response, redirect, render_template, request
from flask_babel import gettext as _
from sqlalchemy import select
from werkzeug.wrappers import Response as AnyResponse

from crm import config
from crm.db import db
from crm.engine import attachments, records, search
from crm.engine.attachments import MEGABYTE
from crm.engine.channels import Channel
from crm.engine.conditions import where
from crm.engine.permissions import demand, may
from crm.engine.refusals import Missing, Refused, Stale
from crm.engine.registry import modules
from crm.engine.rows import Row, labels_of
from crm.modules import email_templates, language_versions
from crm.modules.sender_addresses import USABLE
from crm.ui import forms
from crm.ui.face import face
from crm.ui.page import tell
from crm.ui.session import commit, viewer
from crm.words import ngettext
from ecp import pictures, senders
from ecp.content.check import check_content
from ecp.content.compile import Compiled, Content, compile
from ecp.content.designs import DESIGNS
from ecp.content.limits import MAX_SOURCE
from ecp.content.preview import PREVIEW_CSP, Preview, as_dark, preview
from ecp.content.problems import ContentProblem, ContentRefused
from ecp.content.sanitize import sanitize
from ecp.modules.mail_rules import content_of, is_known_tag, tags_of_people
from ecp.pipeline import testing
from ecp.pipeline.values import Reader
from ecp.web import visual_kit, writing_beginnings, writing_versions

KEY = "email_templates"
INFO = (
    "name", "kind", "status", "folder", "subject", "preheader", "sender_name", "sender_address_id", "reply_to", "list_type_hint_id",
    "language", "survey_id", "owner_id", "description", "sending_time", "sending_at", "sending_weekday", "sending_day", "sending_on",
)  # fmt: skip
WRITTEN = ("mjml", "html", "text")
MOST_OF_A_FILE = 5 * MEGABYTE


@dataclass(frozen=True)
class Seen:
    """What the panes beside the editor show of the content that was posted."""

    problems: list[ContentProblem]
    removed: list[str]
    preview: Preview | None
    size: int  # bytes of the compiled HTML
    characters: int
    footer_was_added: bool = False
    text_is_generated: bool = False
    instead: str = ""  # the language that the chosen contact gets, where it is another one than is open


def make_blueprint(prefix: str) -> Blueprint:
    """The pages under `prefix` ("/crm" or "/ecp")."""
    made = Blueprint("writing", __name__, url_prefix=f"{prefix}/{KEY}", template_folder="../templates")
    made.add_url_rule("/write", "begin", writing_beginnings.begin, methods=["GET"])
    made.add_url_rule("/designs/<key>", "design", writing_beginnings.look_of_design, methods=["GET"])
    made.add_url_rule("/<int:id>/look", "look", writing_beginnings.look_of_template, methods=["GET"])
    made.add_url_rule("/write", "build", build, methods=["POST"])
    made.add_url_rule("/<int:id>/write", "write", write, methods=["GET"])
    made.add_url_rule("/<int:id>/write", "save", save, methods=["POST"])
    made.add_url_rule("/preview", "frame", frame, methods=["POST"])
    made.add_url_rule("/facts", "facts", facts, methods=["POST"])
    made.add_url_rule("/choose/sender_address_id", "choose_sender", choose_sender, methods=["GET"])
    made.add_url_rule("/people", "people", people, methods=["GET"])
    made.add_url_rule("/new", "new", new, methods=["GET"])
    made.add_url_rule("/<int:id>/edit", "edit", edit, methods=["GET"])
    made.add_url_rule("/<int:id>/versions", "add_version", writing_versions.add, methods=["POST"])
    made.add_url_rule("/<int:id>/tests", "send_tests", send_tests, methods=["POST"])
    made.add_url_rule("/rows", "add_row", add_row, methods=["POST"])
    made.add_url_rule("/pictures", "add_picture", add_picture, methods=["POST"])
    made.add_url_rule("/<int:id>/files", "add_file", add_file, methods=["POST"])
    made.add_url_rule("/<int:id>/files/<int:file_id>/remove", "remove_file", remove_file, methods=["POST"])
    return made


def _home() -> str:
    return f"{face().prefix}/{KEY}"


def new() -> AnyResponse:
    """A new mail is begun with a template or a blank one."""
    return redirect(f"{_home()}/write")


def edit(id: int) -> AnyResponse:
    """A mail is edited where it is written."""
    return redirect(f"{_home()}/{id}/write")


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
    return redirect(f"{_home()}/{id}/write?view=visual", 303)


def write(id: int) -> str | Response:
    row = search.one(viewer(), KEY, id)
    return _draw(row, _form(row), {name: row[name] or "" for name in WRITTEN}, row.version)


def _form(row: Row, typed: Any = None) -> forms.RecordForm:
    links = {name: row[name] for name in INFO if name.endswith("_id") and row.get(name)}
    labels = labels_of(viewer(), links.values()) if links else {}
    texts = {name: labels.get(id, "") for name, id in links.items()}
    return forms.form_of(viewer(), modules[KEY], row, texts, typed=typed, only=_info(row))


def _info(row: Row) -> tuple[str, ...]:
    """The fields beside the text: a language version has few of its own."""
    return writing_versions.INFO if row["kind"] == language_versions.KIND else INFO


def _draw(
    row: Row, form: forms.RecordForm, written: dict[str, str], version: int, status: int = 200, **more: Any
) -> Response:
    source = "mjml" if written["mjml"] or not written["html"] else "html"
    g.inline_styles = True  # the editor sets styles of its own (decisions.md 31)
    page = render_template(
        "ecp_write.html", row=row, form=form, written=written, source=source, version=version, here=KEY, home=_home(),
        tags=tags_of_people(), files=attachments.files_of(viewer(), KEY, row.id), may_edit=may(viewer(), "edit", modules[KEY]),
        may_send=may(viewer(), "create", modules["sendouts"]),
        snippets=[one for one in _active("html_snippets", ("name", "kind", "html")) if one["kind"] == "html"],
        kit=visual_kit.kit() if may(viewer(), "edit", modules[KEY]) else None,
        most=MAX_SOURCE, most_of_a_file=MOST_OF_A_FILE, viewer_email=_own_address(), seen=_seen(_whole({**{name: row.get(name) for name in INFO}, **written}, row["version_of_id"])),
        tongues=writing_versions.bar(row), **more,
    )  # fmt: skip
    return make_response(page, status)


def _own_address() -> str:
    """The address of whoever writes, for tests."""
    table = modules["users"].table
    return str(db.session.execute(select(table.c.email).where(table.c.id == viewer().id)).scalar() or "")


def choose_sender() -> Response:
    """Only addresses that were confirmed can be chosen as a sender: [{"value", "text"}]."""
    said = where("state", "one of", list(USABLE))
    text = " ".join(request.args.get("q", "").split())
    rows = search.find(
        viewer(), "sender_addresses", where=said, columns=("address", "display_name"), text=text if len(text) > 1 else None,
        sort=("address",), limit=50, count="none",
    ).rows  # fmt: skip
    return jsonify([{"value": row.id, "text": row["address"]} for row in rows])


def people() -> Response:
    """Contacts whose data the preview can be filled with: [{"value", "text"}]."""
    if not may(viewer(), "view", "contacts"):
        return jsonify([])
    text = " ".join(request.args.get("q", "").split())
    found = search.find(
        viewer(), "contacts", columns=("last_name",), text=text if len(text) > 1 else None, limit=20, count="none"
    )
    return jsonify([{"value": row.id, "text": row.label} for row in found.rows])


def _active(key: str, columns: tuple[str, ...]) -> list[Row]:
    if not may(viewer(), "view", key):
        return []
    return search.find(
        viewer(), key, where={"status": "active"}, columns=columns, sort=("name",), limit=100, count="none"
    ).rows


def save(id: int) -> AnyResponse:
    """Save all tabs at once. Nothing is written when anything is refused; what was typed stays in the page."""
    row = search.one(viewer(), KEY, id)
    form = _form(row, request.form)
    written = {name: request.form.get(name, "").replace("\r\n", "\n") for name in WRITTEN}
    if request.form.get("source") == "html":
        written["mjml"] = ""
    elif written["mjml"].strip():
        written["html"] = ""
    values = {name: value for name, value in form.values().items() if name in INFO} | {
        n: written[n] or None for n in WRITTEN
    }
    version = request.form.get("version", 0, type=int)
    try:
        records.update(viewer(), KEY, id, values, Channel.FORM, version)
        commit()
    except Refused as refused:
        db.session.rollback()
        form.refuse(refused)
        return _draw(row, form, written, version, 422, pane=_pane_of(form))
    except Stale as stale:
        db.session.rollback()
        form.others[""] = str(stale)
        return _draw(row, form, written, version, 409, pane=_pane_of(form))
    removed = (
        [str(one) for name in ("mjml", "html") for one in sanitize(written[name])[1]] if any(written.values()) else []
    )
    if removed:
        tell(_("Saved. Taken out for safety: %(what)s", what="; ".join(removed)[:200]), "warn")
    else:
        tell(_("Saved."))
    tab = request.form.get("tab", "")
    return redirect(f"{_home()}/{id}/write{'#' + tab if tab.isalpha() else ''}", 303)


def _pane_of(form: forms.RecordForm) -> str:
    """The part of the mail that holds what was refused; else the one that was open."""
    names = set(form.faults)
    if names & set(INFO):
        return "info"
    if names & set(WRITTEN):
        return "plain" if names & set(WRITTEN) == {"text"} else "content"
    tab = request.form.get("tab", "")
    return tab if tab in {"info", "plain"} else "content"


def _posted() -> dict[str, Any]:
    said: dict[str, Any] = {
        name: request.form.get(name, "") for name in ("subject", "preheader", "language", "sender_name", *WRITTEN)
    }
    said["mjml" if request.form.get("source") == "html" else "html"] = ""
    said |= {name: request.form.get(name, type=int) for name in ("sender_address_id", "survey_id")}
    return _whole(said, request.form.get("version_of", type=int))


def _whole(said: dict[str, Any], version_of: int | None) -> dict[str, Any]:
    """A version as it is judged: its sender and survey are those of its mail."""
    if not version_of or not search.exists(viewer(), KEY, version_of):
        return said
    main = search.one(viewer(), KEY, version_of)
    return said | {name: main[name] for name in ("sender_name", "sender_address_id", "survey_id")}


def _of_person(said: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """What the chosen contact gets: another language version as it is kept, or what is being written; and which language."""
    other = writing_versions.instead(request.form.get("mail", type=int), request.form.get("person", type=int))
    if other is None:
        return said, ""
    shown = {name: other[name] or "" for name in ("subject", "preheader", "language", *WRITTEN)}
    return said | shown, writing_versions.label_of(other["language"])


def _problems(said: dict[str, Any], content: Content) -> list[ContentProblem]:
    return check_content(
        content,
        is_known_tag,
        sender_name=said.get("sender_name") or "",
        has_sender_address=bool(said.get("sender_address_id")),
    )


def _seen(said: dict[str, Any], person: int | None = None) -> Seen:
    content = content_of(said)
    problems = _problems(said, content)
    characters, removed = len(content.source), []
    try:
        removed = [str(one) for one in sanitize(content.source)[1]]
        compiled = compile(content)
    except ContentRefused:
        return Seen(problems, removed, None, 0, characters)
    shown = _preview(compiled, content, person)
    return Seen(
        problems,
        removed,
        shown,
        len(compiled.html.encode()),
        characters,
        compiled.footer_was_added,
        compiled.text_is_generated,
    )


def _preview(compiled: Compiled, content: Content, person: int | None) -> Preview:
    """The mail as one contact gets it; without one, tags stand as their fallbacks."""
    if person is None or not search.exists(viewer(), "contacts", person):
        return preview(compiled, {})
    from ecp.content.compile import prepare

    mail = prepare(compiled, False)
    names = frozenset(name for name in mail.printed | mail.asked if not name.startswith("links."))
    reader = Reader(names, {"id": None, "campaign_id": None, "creator_id": viewer().id})
    filled = reader.read([("contacts", person)]).get(person)
    return preview(compiled, filled.shown, filled.raw) if filled else preview(compiled, {})


def frame() -> Response:
    """The posted mail as a document for the sandboxed frame: only compiled; what is to be said of it, `facts` finds."""
    demand(viewer(), "view", modules[KEY])
    said, _language = _of_person(_posted())
    content = content_of(said)
    try:
        shown = _preview(compile(content), content, request.form.get("person", type=int))
    except ContentRefused:
        problems = [one for one in _problems(said, content) if one.severity == "error"]
        document = render_template("ecp_no_preview.html", problems=problems)
    else:
        if request.form.get("as") in {"text", "generated"} or not shown.html:
            document = render_template("ecp_text_preview.html", text=shown.text)
        else:
            document = as_dark(shown.html) if request.form.get("scheme") == "dark" else shown.html
    answer = make_response(document)
    answer.headers["Content-Security-Policy"] = PREVIEW_CSP
    answer.headers["X-Frame-Options"] = "SAMEORIGIN"
    return answer


def facts() -> str:
    """What is to be said of the posted mail: mistakes with their places, size, subject as it will be read."""
    demand(viewer(), "view", modules[KEY])
    said, language = _of_person(_posted())
    seen = replace(_seen(said, request.form.get("person", type=int)), instead=language)
    return render_template("ecp_facts.html", seen=seen, most=MAX_SOURCE)


def add_file(id: int) -> AnyResponse:
    """Attach a file: 5 MB each and together."""
    try:
        part = request.files.get("file")
        if part is None or not part.filename:
            raise Refused.because("required", _("Choose a file."), "file")
        together = sum(one.size for one in attachments.files_of(viewer(), KEY, id))
        made = attachments.store(viewer(), part.filename, part.stream, part.mimetype, MOST_OF_A_FILE)
        if together + made.size > MOST_OF_A_FILE:
            message = _(
                "The files of a mail may have 5 MB together; with “%(name)s” they would have more.", name=made.name
            )
            raise Refused.because("file_too_large", message, "file")
        attachments.attach(viewer(), KEY, id, made.id, Channel.FORM)
        commit()
        tell(_("“%(name)s” is attached.", name=made.name))
    except Refused as refused:
        db.session.rollback()
        faults = [fault for found in refused.faults.values() for fault in found]
        tell(" ".join(fault.message for fault in faults), "wrong")
        if any(fault.code == "file_too_large" for fault in faults):
            row = search.one(viewer(), KEY, id)
            return _draw(row, _form(row), {name: row[name] or "" for name in WRITTEN}, row.version, 413)
    return redirect(f"{_home()}/{id}/write#files", 303)


def add_picture() -> AnyResponse:
    """Publish a picture for mails: {"src"} is its address, or 422/413 with {"message"}. At most 5 MB, no SVG.

    A page that asks what the picture shows sends `alt`, and it may not be empty."""
    demand(viewer(), "edit", modules[KEY])
    part = request.files.get("file")
    try:
        if "alt" in request.form and not request.form["alt"].strip():
            raise Refused.because("required", _("Say what the picture shows."), "alt")
        if part is None or not part.filename:
            raise Refused.because("required", _("Choose a picture."), "file")
        stored = attachments.store(viewer(), part.filename, part.stream, part.mimetype, MOST_OF_A_FILE)
        path = pictures.publish(stored)
        commit()
    except Refused as refused:
        db.session.rollback()
        faults = [fault for found in refused.faults.values() for fault in found]
        status = 413 if any(fault.code == "file_too_large" for fault in faults) else 422
        return make_response(jsonify(message=" ".join(fault.message for fault in faults)), status)
    settings = config.current()
    return jsonify(src=(settings.public_url or settings.base_url).rstrip("/") + path)


def add_row() -> AnyResponse:
    """Keep a row of a mail for later ones: {"id", "name", "mjml"}, or 422 with {"message"}."""
    demand(viewer(), "create", modules["html_snippets"])
    try:
        row = visual_kit.keep_row(request.form.get("name", ""), request.form.get("mjml", ""))
        commit()
    except Refused as refused:
        db.session.rollback()
        said = " ".join(fault.message for found in refused.faults.values() for fault in found)
        return make_response(jsonify(message=said), 422)
    return jsonify(row)


def send_tests(id: int) -> AnyResponse:
    """Send the saved mail to one to five addresses, outside of all counting."""
    addresses = [one for one in re.split(r"[\s,;]+", request.form.get("to", "")) if one]
    try:
        count = testing.send_tests_of_mail(viewer(), id, addresses, request.form.get("person", type=int))
        commit()
    except Refused as refused:
        db.session.rollback()
        faults = [fault.message for found in refused.faults.values() for fault in found]
        row = search.one(viewer(), KEY, id)
        written = {name: row[name] or "" for name in WRITTEN}
        said = {"f-to": " ".join(faults)}
        return _draw(
            row,
            _form(row),
            written,
            row.version,
            422,
            test_faults=said,
            typed_to=request.form.get("to", ""),
            pane="test",
        )
    tell(ngettext("%(num)s test mail is on its way.", "%(num)s test mails are on their way.", count))
    return redirect(f"{_home()}/{id}/write#test", 303)


def remove_file(id: int, file_id: int) -> AnyResponse:
    if file_id not in [one.id for one in attachments.files_of(viewer(), KEY, id)]:
        raise Missing
    attachments.detach(viewer(), KEY, id, file_id, Channel.FORM)
    commit()
    return redirect(f"{_home()}/{id}/write#files", 303)


BLANK = """<mjml>
  <mj-head>
    <mj-attributes>
      <mj-all font-family="Helvetica, Arial, sans-serif" />
      <mj-text font-size="16px" line-height="1.5" color="#1f2933" />
    </mj-attributes>
    <mj-raw><meta name="color-scheme" content="light dark" /><meta name="supported-color-schemes" content="light dark" /></mj-raw>
    <mj-style>
      @media (prefers-color-scheme: dark) {
        .page, .page > table { background-color: #111827 !important; background: #111827 !important; }
        .paper, .paper > table { background-color: #1f2937 !important; background: #1f2937 !important; }
        .paper div, .paper h1, .paper h2, .paper h3, .paper p { color: #e5e7eb !important; }
        .paper div a, .page div, .page div a { color: #c3cad6 !important; }
      }
    </mj-style>
  </mj-head>
  <mj-body css-class="page" background-color="#f4f5f7">
    <mj-section css-class="paper" background-color="#ffffff" padding="32px 24px">
      <mj-column>
        <mj-text>Hello {$contact.first_name|there},</mj-text>
        <mj-text>Write here.</mj-text>
      </mj-column>
    </mj-section>
    <mj-section css-class="page" padding="16px 24px">
      <mj-column>
        <mj-text font-size="13px" color="#5a6372" align="center">
          <a href="{$links.online}">Read in the browser</a> · <a href="{$links.preferences}">Preferences</a> · <a href="{$links.unsubscribe}">Unsubscribe</a>
        </mj-text>
      </mj-column>
    </mj-section>
  </mj-body>
</mjml>
"""

bp = make_blueprint("/ecp")
crm_bp = make_blueprint("/crm")
