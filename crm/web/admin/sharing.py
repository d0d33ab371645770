"""Sharing: how far records of each module are open to everybody, and rules that open them further."""

from flask import redirect, render_template, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response as AnyResponse

from crm.db import db
from crm.engine.refusals import Refused
from crm.engine.registry import modules
from crm.identity import sharing as written
from crm.identity.refused import Unfit
from crm.ui.page import tell
from crm.ui.session import commit
from crm.web.admin import bp, parties

LEVELS = {
    "private": _l("Only the owner and those above"), "read": _l("Everybody sees"), "write": _l("Everybody sees and changes"),
    "delete": _l("Everybody sees, changes and deletes"),
}  # fmt: skip


@bp.get("/sharing")
def sharing() -> str:
    shared = [
        module for module in modules if module.is_record and "owner_id" in module.table.c and not module.opened_by
    ]
    names = dict(parties.options())
    rules = [
        (rule, names.get(f"{rule.from_kind}:{rule.from_id}", "?"), names.get(f"{rule.to_kind}:{rule.to_id}", "?")) for rule in written.rules()
    ]  # fmt: skip
    return render_template(
        "admin/sharing.html", here="admin", page="sharing", shared=shared, levels=written.levels(), names=LEVELS, rules=rules,
        parties=list(names.items()), modules=modules,
    )  # fmt: skip


@bp.post("/sharing")
def set_sharing() -> AnyResponse:
    """The levels of all modules at once."""
    now = written.levels()
    for module in modules:
        level = request.form.get(f"level.{module.key}")
        if level and level != now.get(module.key, "delete"):
            written.set_level(module.key, level)
    commit()
    tell(_("The levels are saved. They hold at once."))
    return redirect("/crm/admin/sharing", 303)


@bp.post("/sharing/rules")
def add_rule() -> AnyResponse:
    try:
        module = request.form.get("module", "")
        if module not in modules:
            raise Refused.because("required", _("Choose a module."))
        written.add_rule(
            module,
            parties.read(request.form.get("from", "")),
            parties.read(request.form.get("to", "")),
            request.form.get("level", "read"),  # type: ignore[arg-type]
        )
        commit()
        tell(_("The rule is saved. It holds at once."))
    except (Unfit, Refused) as refused:
        db.session.rollback()
        tell(" ".join(parties.sentences(refused).values()), "wrong")
    return redirect("/crm/admin/sharing", 303)


@bp.post("/sharing/rules/<int:id>/delete")
def delete_rule(id: int) -> AnyResponse:
    written.remove_rule(id)
    commit()
    tell(_("The rule is gone."))
    return redirect("/crm/admin/sharing", 303)
