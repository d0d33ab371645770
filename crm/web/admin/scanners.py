"""Mail scanners: set up, tried against the real server before they are saved, their rules in order, and what they did."""

from typing import Any

from flask import make_response, redirect, render_template, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from crm.db import db
from crm.engine import outbox
from crm.engine.picklists import choices
from crm.engine.refusals import Refused
from crm.engine.rows import labels_of
from crm.engine.search import find
from crm.mail.mailbox import MailboxError
from crm.modules.tickets.scanning import entry, rule_rows, scanners
from crm.modules.tickets.scanning.entry import Secrets
from crm.modules.tickets.scanning.rules import ACTIONS, BODY_OPERATORS, OPERATORS
from crm.ui.page import tell
from crm.ui.session import commit, viewer
from crm.web.admin import bp

PAGE = "/crm/admin/mail-scanners"
RULE_FIELDS = ("match", "sender", "recipient", "subject_operator", "subject", "body_operator", "body", "action")


@bp.get("/mail-scanners")
def mail_scanners() -> str:
    rows = scanners.listed()
    counts = {row["id"]: len(rule_rows.rules_of(row["id"])) for row in rows}
    return render_template("admin/mail_scanners.html", here="admin", page="mail-scanners", rows=rows, counts=counts)


@bp.get("/mail-scanners/new")
def new_scanner() -> Any:
    return _form(
        {
            "port": 993,
            "encryption": "ssl",
            "auth": "password",
            "validates_certificate": True,
            "active": True,
            "scans": "unread",
            "folders": [],
        }
    )


@bp.get("/mail-scanners/<int:id>")
def scanner(id: int) -> Any:
    """The scanner with its rules; `?rule=` opens one of them for changing."""
    chosen = request.args.get("rule", type=int)
    return _form(scanners.one(id), id, rule=rule_rows.one(id, chosen) if chosen is not None else {})


def _form(row: Any, id: int | None = None, faults: dict[str, str] | None = None, status: int = 200, **more: Any) -> Any:
    kept = scanners.one(id)["known_folders"] if id else ()
    folders = list(dict.fromkeys([*kept, *(row.get("folders") or ())]))
    owner, rule = row.get("owner_id"), {"rule": {}, "rule_faults": {}} | more
    whose = rule["rule"].get("owner_id")
    page = render_template(
        "admin/mail_scanner.html", here="admin", page="mail-scanners", row=row, id=id, faults=faults or {}, known_folders=folders,
        owner=labels_of(viewer(), [owner]).get(owner, "") if owner else "", rules=rule_rows.rules_of(id, only_active=False) if id else [],
        latest=scanners.latest(id) if id else [], actions=ACTIONS, operators=OPERATORS, body_operators=BODY_OPERATORS,
        templates=_templates(), lists={name: [one.key for one in choices(f"ticket_{name}")] for name in rule_rows.DEFAULTS},
        rule_owner=labels_of(viewer(), [whose]).get(whose, "") if whose else "", **rule,
    )  # fmt: skip
    return make_response(page, status)


def _templates() -> list[tuple[int, str]]:
    found = find(
        viewer(), "email_templates", where={"$eq": ["kind", "template"]}, columns=("name",), sort=("name",), limit=200
    )
    return [(row.id, row.label) for row in found]


def _typed() -> dict[str, Any]:
    form = request.form
    texts = (
        "name", "host", "username", "encryption", "scans", "move_to", "reply_from", "authorities", "token_address", "client_id", "scope",
        "default_language",
    )  # fmt: skip
    ticks = ("active", "validates_certificate", "has_plus", "makes_contacts")
    row: dict[str, Any] = {name: form.get(name, "").strip() for name in texts}
    row |= {name: bool(form.get(name)) for name in ticks} | {"auth": form.get("auth", "password")}
    row |= {
        "port": form.get("port", type=int),
        "folders": form.getlist("folders"),
        "owner_id": form.get("owner_id", type=int),
    }
    return row


@bp.post("/mail-scanners/new")
def add_scanner() -> Any:
    return _save(None)


@bp.post("/mail-scanners/<int:id>")
def set_scanner(id: int) -> Any:
    return _save(id)


def _save(id: int | None) -> Any:
    """Try the connection, then store; the secrets typed are never shown again."""
    row = _typed()
    secrets = Secrets(
        request.form.get("password", ""), request.form.get("client_secret", "").strip(), request.form.get("refresh_token", "").strip()
    )  # fmt: skip
    try:
        made, _checked = scanners.save(row, secrets, id)
        commit()
    except Refused as refused:
        db.session.rollback()
        faults = {name: " ".join(one.message for one in found) for name, found in refused.faults.items()}
        return _form(row, id, faults, 422)
    if not row["folders"]:
        tell(_("The connection works. Choose folders and add a rule: nothing is scanned before that."))
    elif not rule_rows.rules_of(made):
        tell(_("The connection works. Add a rule: nothing is scanned before that."))
    else:
        tell(_("The connection works, and the scanner is saved."))
    return redirect(f"{PAGE}/{made}", 303)


@bp.post("/mail-scanners/<int:id>/folders")
def ask_for_folders(id: int) -> Any:
    """Ask the server which folders there are."""
    row = scanners.one(id)
    try:
        scanners.note_folders(id, scanners.look(entry.ready(row)))
        commit()
    except MailboxError as problem:
        return _form(row, id, {"host": str(problem)}, 422)
    return redirect(f"{PAGE}/{id}", 303)


@bp.post("/mail-scanners/<int:id>/run")
def run_scanner(id: int) -> AnyResponse:
    """Look into the mailbox now."""
    scanners.one(id)
    outbox.put(db.session, "tickets.scan", scanner_id=id, created_by_id=viewer().id)
    commit()
    tell(_("The mailbox is being looked through."))
    return redirect(f"{PAGE}/{id}", 303)


@bp.post("/mail-scanners/<int:id>/delete")
def delete_scanner(id: int) -> AnyResponse:
    scanners.remove(id)
    commit()
    tell(_("The scanner is gone; its tickets stay."))
    return redirect(PAGE, 303)


# rules


@bp.post("/mail-scanners/<int:id>/rules")
def add_scanner_rule(id: int) -> Any:
    return _save_rule(id, None)


@bp.post("/mail-scanners/<int:id>/rules/<int:rule_id>")
def set_scanner_rule(id: int, rule_id: int) -> Any:
    return _save_rule(id, rule_id)


def _save_rule(id: int, rule_id: int | None) -> Any:
    form = request.form
    said: dict[str, Any] = {name: form.get(name, "").strip() for name in (*RULE_FIELDS, *rule_rows.DEFAULTS)}
    said |= {
        "folders": form.getlist("rule_folders"),
        "owner_id": form.get("rule_owner_id", type=int),
        "answer_template_id": form.get("answer_template_id", type=int),
        "active": bool(form.get("rule_active")),
    }
    try:
        rule_rows.save_rule(id, said, rule_id)
        commit()
    except Refused as refused:
        db.session.rollback()
        faults = {name: " ".join(one.message for one in found) for name, found in refused.faults.items()}
        return _form(scanners.one(id), id, status=422, rule=said | {"id": rule_id}, rule_faults=faults)
    tell(_("The rule is saved."))
    return redirect(f"{PAGE}/{id}#rules", 303)


@bp.post("/mail-scanners/<int:id>/rules/<int:rule_id>/<verb>")
def act_on_scanner_rule(id: int, rule_id: int, verb: str) -> AnyResponse:
    if verb == "delete":
        rule_rows.remove_rule(id, rule_id)
    else:
        rule_rows.move_rule(id, rule_id, up=verb == "up")
    commit()
    return redirect(f"{PAGE}/{id}#rules", 303)
