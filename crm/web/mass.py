"""What is done with several chosen records at once: edit, delete, export, and what other rooms add."""

from typing import Any

from flask import Blueprint, make_response, redirect, render_template, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from crm.db import db
from crm.engine import records
from crm.engine.channels import Channel
from crm.engine.module import Module
from crm.engine.permissions import demand, writable
from crm.engine.refusals import Missing, Refused
from crm.engine.search import find
from crm.ui import deeds, forms
from crm.ui.face import face
from crm.ui.page import address, tell
from crm.ui.session import commit, viewer
from crm.web.lists import module_of
from crm.words import ngettext, say_number

bp = Blueprint("mass", __name__, url_prefix="/crm")
MOST_EDITED = 100  # spec/platform.md 4.7
MOST_CHOSEN = 1000


def _chosen(most: int = MOST_CHOSEN) -> list[int]:
    ids = list(dict.fromkeys(int(one) for one in request.form.getlist("id") if one.isdecimal()))
    if not ids:
        raise Refused.because("required", _("Choose at least one record."))
    if len(ids) > most:
        raise Refused.because(
            "out_of_range",
            _(
                "At most %(most)s records at a time; %(count)s are chosen.",
                most=say_number(most),
                count=say_number(len(ids)),
            ),
        )
    return ids


@bp.post("/<key>/mass")
def ask(key: str) -> AnyResponse | str:
    """What was chosen in a list and what is wanted with it: a page that asks for the rest."""
    module = module_of(key)
    wanted = request.form.get("do", "")
    if wanted == "edit":
        demand(viewer(), "mass_edit", module)
        return _edit_page(module, _chosen(MOST_EDITED))
    if wanted == "delete":
        demand(viewer(), "delete", module)
        ids = _chosen()
        names = [
            row.label for row in find(viewer(), module, columns=module.titles, within=ids, limit=8, count="none").rows
        ]
        return render_template("mass_delete.html", module=module, here=key, ids=ids, names=names)
    if wanted == "export":
        demand(viewer(), "export", module)
        return redirect(address(f"{face().prefix}/{key}/export.csv", id=[str(id) for id in _chosen()]), 303)
    deed = deeds.mass_deed(wanted)
    if deed is None or not deed.is_offered(viewer(), module):
        raise Missing
    return redirect(deed.href(key, _chosen()), 303)


def _edit_page(
    module: Module, ids: list[int], form: forms.RecordForm | None = None, status: int = 200, ticked: Any = ()
) -> Any:
    made = form or forms.form_of(viewer(), module, only=_fields(module))
    page = render_template("mass_edit.html", module=module, here=module.key, ids=ids, form=made, ticked=ticked)
    return make_response(page, status)


def _fields(module: Module) -> list[str]:
    open_fields = writable(viewer(), module)
    found = [name for name, said in module.fields.items() if said.mass_edit and name in open_fields]
    if not found:
        raise Refused.because("not_offered", _("No field of this module can be changed for several records at once."))
    return found


@bp.post("/<key>/mass/edit")
def edit(key: str) -> AnyResponse:
    """Write the ticked fields to all chosen records; those that refuse are listed."""
    module = module_of(key)
    demand(viewer(), "mass_edit", module)
    ids, ticked = _chosen(MOST_EDITED), set(request.form.getlist("change"))
    form = forms.form_of(viewer(), module, typed=request.form, only=_fields(module))
    values = {name: value for name, value in form.values().items() if name in ticked}
    if not values:
        form.others[""] = _("Tick at least one field to change.")
        return _edit_page(module, ids, form, 422)  # type: ignore[no-any-return]
    try:
        outcome = records.update_many(
            viewer(), module, _changes(module, ids, values), Channel.MASS_EDIT, keep_going=True
        )
    except Refused as refused:
        db.session.rollback()
        form.refuse(refused)
        return _edit_page(module, ids, form, 422, ticked)  # type: ignore[no-any-return]
    skipped = list(outcome.refused.values())
    if len(skipped) == len(ids) and isinstance(skipped[0], Refused):
        db.session.rollback()
        form.refuse(skipped[0])
        return _edit_page(module, ids, form, 422, ticked)  # type: ignore[no-any-return]
    commit()
    done = len(ids) - len(skipped)
    tell(ngettext("%(num)s record is changed.", "%(num)s records are changed.", done))
    if skipped:
        reasons = "; ".join(dict.fromkeys(str(one) or _("You may not change it.") for one in skipped))
        tell(
            ngettext(
                "%(num)s was left as it was: %(why)s",
                "%(num)s were left as they were: %(why)s",
                len(skipped),
                why=reasons[:200],
            ),
            "warn",
        )
    return redirect(f"{face().prefix}/{key}", 303)


def _changes(module: Module, ids: list[int], values: dict[str, Any]) -> dict[int, dict[str, Any]]:
    """The changes of each record; picklists of several values may be added to, or taken from, what each has."""
    how = {
        name: request.form.get(f"how.{name}", "replace") for name in values if module.fields[name].kind.name == "multi"
    }
    if not any(one != "replace" for one in how.values()):
        return {id: dict(values) for id in ids}
    rows = {
        row.id: row for row in find(viewer(), module, columns=tuple(how), within=ids, limit=len(ids), count="none").rows
    }
    changes = {}
    for id in ids:
        mine = dict(values)
        for name, mode in how.items():
            held = list((rows[id][name] if id in rows else ()) or ())
            if mode == "add":
                mine[name] = list(dict.fromkeys([*held, *values[name]]))
            elif mode == "remove":
                mine[name] = [key for key in held if key not in values[name]]
        changes[id] = mine
    return changes


@bp.post("/<key>/mass/delete")
def delete(key: str) -> AnyResponse:
    module = module_of(key)
    ids = _chosen()
    outcome = records.delete_many(viewer(), module, ids, Channel.MASS_EDIT, keep_going=True)
    commit()
    done = len(ids) - len(outcome.refused)
    tell(ngettext("%(num)s record is in the recycle bin.", "%(num)s records are in the recycle bin.", done))
    if outcome.refused:
        why = "; ".join(dict.fromkeys(str(one) or _("You may not delete it.") for one in outcome.refused.values()))
        tell(ngettext("%(num)s stays: %(why)s", "%(num)s stay: %(why)s", len(outcome.refused), why=why[:200]), "warn")
    return redirect(f"{face().prefix}/{key}", 303)
