"""Writing mails: a code editor with the mail beside it as it will look, on desktop and phone, as text, as a given person.

Used by the portal and by the CRM. The page draws nothing by itself: what is typed is posted, compiled once a version by the
server and shown in a sandboxed frame.
"""

import re

from flask import Blueprint, Response, jsonify, redirect, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from crm.db import db
from crm.engine import records, search
from crm.engine.channels import Channel
from crm.engine.conditions import where
from crm.engine.permissions import may
from crm.engine.refusals import Refused, Stale
from crm.modules.sender_addresses import USABLE
from crm.ui import forms
from crm.ui.page import tell
from crm.ui.session import commit, viewer
from crm.words import ngettext
from ecp.content.sanitize import sanitize
from ecp.pipeline import testing
from ecp.web import writing_beginnings, writing_files, writing_seen, writing_versions
from ecp.web.writing_seen import KEY, WRITTEN
from ecp.web.writing_sheet import INFO, draw, form_of, home


def make_blueprint(prefix: str) -> Blueprint:
    """The pages under `prefix` ("/crm" or "/ecp")."""
    made = Blueprint("writing", __name__, url_prefix=f"{prefix}/{KEY}", template_folder="../templates")
    made.add_url_rule("/write", "begin", writing_beginnings.begin, methods=["GET"])
    made.add_url_rule("/designs/<key>", "design", writing_beginnings.look_of_design, methods=["GET"])
    made.add_url_rule("/<int:id>/look", "look", writing_beginnings.look_of_template, methods=["GET"])
    made.add_url_rule("/write", "build", writing_beginnings.build, methods=["POST"])
    made.add_url_rule("/<int:id>/write", "write", write, methods=["GET"])
    made.add_url_rule("/<int:id>/write", "save", save, methods=["POST"])
    made.add_url_rule("/preview", "frame", writing_seen.frame, methods=["POST"])
    made.add_url_rule("/facts", "facts", writing_seen.facts, methods=["POST"])
    made.add_url_rule("/choose/sender_address_id", "choose_sender", choose_sender, methods=["GET"])
    made.add_url_rule("/people", "people", people, methods=["GET"])
    made.add_url_rule("/new", "new", new, methods=["GET"])
    made.add_url_rule("/<int:id>/edit", "edit", edit, methods=["GET"])
    made.add_url_rule("/<int:id>/versions", "add_version", writing_versions.add, methods=["POST"])
    made.add_url_rule("/<int:id>/tests", "send_tests", send_tests, methods=["POST"])
    made.add_url_rule("/rows", "add_row", writing_files.add_row, methods=["POST"])
    made.add_url_rule("/pictures", "add_picture", writing_files.add_picture, methods=["POST"])
    made.add_url_rule("/<int:id>/files", "add_file", writing_files.add_file, methods=["POST"])
    made.add_url_rule(
        "/<int:id>/files/<int:file_id>/remove", "remove_file", writing_files.remove_file, methods=["POST"]
    )
    return made


def new() -> AnyResponse:
    """A new mail is begun with a template or a blank one."""
    return redirect(f"{home()}/write")


def edit(id: int) -> AnyResponse:
    """A mail is edited where it is written."""
    return redirect(f"{home()}/{id}/write")


def write(id: int) -> str | Response:
    row = search.one(viewer(), KEY, id)
    return draw(row, form_of(row), {name: row[name] or "" for name in WRITTEN}, row.version)


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


def save(id: int) -> AnyResponse:
    """Save all tabs at once. Nothing is written when anything is refused; what was typed stays in the page."""
    row = search.one(viewer(), KEY, id)
    form = form_of(row, request.form)
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
        return draw(row, form, written, version, 422, pane=_pane_of(form))
    except Stale as stale:
        db.session.rollback()
        form.others[""] = str(stale)
        return draw(row, form, written, version, 409, pane=_pane_of(form))
    removed = (
        [str(one) for name in ("mjml", "html") for one in sanitize(written[name])[1]] if any(written.values()) else []
    )
    if removed:
        tell(_("Saved. Taken out for safety: %(what)s", what="; ".join(removed)[:200]), "warn")
    else:
        tell(_("Saved."))
    tab = request.form.get("tab", "")
    return redirect(f"{home()}/{id}/write{'#' + tab if tab.isalpha() else ''}", 303)


def _pane_of(form: forms.RecordForm) -> str:
    """The part of the mail that holds what was refused; else the one that was open."""
    names = set(form.faults)
    if names & set(INFO):
        return "info"
    if names & set(WRITTEN):
        return "plain" if names & set(WRITTEN) == {"text"} else "content"
    tab = request.form.get("tab", "")
    return tab if tab in {"info", "plain"} else "content"


def send_tests(id: int) -> AnyResponse:
    """Send the saved mail to one to five addresses, outside of all counting."""
    addresses = [one for one in re.split(r"[\s,;]+", request.form.get("to", "")) if one]
    try:
        count = testing.send_tests_of_mail(viewer(), id, addresses, request.form.get("person", type=int))
        commit()
    except Refused as refused:
        db.session.rollback()
        row = search.one(viewer(), KEY, id)
        written = {name: row[name] or "" for name in WRITTEN}
        said = {"f-to": refused.sentences}
        return draw(
            row,
            form_of(row),
            written,
            row.version,
            422,
            test_faults=said,
            typed_to=request.form.get("to", ""),
            pane="test",
        )
    tell(ngettext("%(num)s test mail is on its way.", "%(num)s test mails are on their way.", count))
    return redirect(f"{home()}/{id}/write#test", 303)


bp = make_blueprint("/ecp")
crm_bp = make_blueprint("/crm")
