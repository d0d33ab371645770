"""Lists of every module: views as tabs, a filter that reads as a sentence, sorting, paging, choosing columns."""

import json
from typing import Any

from flask import Blueprint, make_response, redirect, render_template, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from crm.db import db
from crm.engine import pictures, saved_views
from crm.engine.conditions import BadCondition, about, check, sentence
from crm.engine.module import Module
from crm.engine.permissions import demand, may
from crm.engine.refusals import Missing, Refused
from crm.engine.registry import modules
from crm.engine.rows import labels_of
from crm.engine.search import Page, find
from crm.ui import builder
from crm.ui import views as tabs
from crm.ui.deeds import has_room
from crm.ui.face import face
from crm.ui.lists import MOST_COLUMNS, ROWS, Wanted, columns_of, offered_columns, table_rows
from crm.ui.page import address, is_part, tell
from crm.ui.places import has_pages
from crm.ui.session import commit, viewer

bp = Blueprint("lists", __name__, url_prefix="/crm")


def module_of(key: str) -> Module:
    """The module called `key`, when it has pages in this app. Raises Missing."""
    if not has_pages(key):
        raise Missing
    return modules[key]


@bp.get("/<key>")
def show(key: str) -> str:
    """The list of a module; for htmx only the part that changes."""
    module = module_of(key)
    demand(viewer(), "view", module)
    return draw(module, Wanted.read(request.args))


def draw(module: Module, wanted: Wanted, editing: builder.Group | None = None, fault: str = "") -> str:
    """The page (or its part) of a list."""
    views = tabs.offered(viewer(), module)
    chosen = tabs.chosen(views, wanted.view)
    where = wanted.where if wanted.where is not None else (dict(chosen.where) or None)
    sort = wanted.sort or chosen.sort
    names = wanted.columns or chosen.columns or module.columns
    columns = columns_of(viewer(), module, names, sort or module.sort)
    page, wrong = (
        (Page(), _("This view cannot be used: %(why)s", why=chosen.warning))
        if chosen.warning and wanted.where is None
        else _page(module, wanted, where, sort, [column.name for column in columns])
    )
    said = "" if wrong else _sentence(module, where)
    return render_template(
        "list_part.html" if is_part() and request.headers.get("HX-Target") == "list" else "list.html",
        module=module, here=module.key, views=views, chosen=chosen, wanted=wanted, where=where, page=page, columns=columns,
        rows=table_rows(columns, page.rows), sentence=said, fault=fault or wrong,
        previous_href=wanted.previous_href, next_href=wanted.next_href(page.next), is_changed=wanted.where is not None,
        editing=editing, rights=rights(module), rows_a_page=ROWS, words=builder, name_of_view=tabs.name_of,
    )  # fmt: skip


def rights(module: Module) -> dict[str, bool]:
    """What the viewer may do in a module, for the buttons of a page."""
    verbs = ("create", "edit", "delete", "import", "export", "mass_edit")
    found = {verb: may(viewer(), verb, module) for verb in verbs}
    return found | {"create": found["create"] and has_room(module.key)}


def _page(module: Module, wanted: Wanted, where: Any, sort: tuple[str, ...], names: list[str]) -> tuple[Page, str]:
    """The rows; or none, and the sentence that says why."""
    try:
        columns = list(dict.fromkeys([*names, *([pictures.FIELD] if pictures.has_pictures(module) else [])]))
        return find(
            viewer(), module, where=where, text=wanted.text or None, columns=columns, sort=sort, limit=ROWS, after=wanted.after
        ), ""  # fmt: skip
    except BadCondition as bad:
        return Page(), _("This filter cannot be used: %(why)s", why=bad.message)
    except Refused as refused:
        return Page(), refused.sentences


def _sentence(module: Module, where: Any) -> str:
    def name_of(id: int) -> str:
        return labels_of(viewer(), [id]).get(id, _("(hidden)"))

    return sentence(where, module, name_of) if where else ""


# the builder


@bp.get("/<key>/builder")
def build(key: str) -> str:
    """The open builder over the conditions of the present list."""
    module = module_of(key)
    demand(viewer(), "view", module)
    wanted = Wanted.read(request.args)
    views = tabs.offered(viewer(), module)
    chosen = tabs.chosen(views, wanted.view)
    where = wanted.where if wanted.where is not None else dict(chosen.where)
    return render_template(
        "_builder_form.html",
        module=module,
        tree=builder.tree_of(where),
        wanted=wanted,
        chosen=chosen,
        words=builder,
        fault="",
        args=request.args,
    )


@bp.get("/<key>/builder/<what>")
def build_part(key: str, what: str) -> str:
    """A fresh row or group, or a row whose field or operator was just chosen. `prefix` names the row.

    Conditions reach linked modules, also those without pages in this app; seeing the module is what counts.
    """
    if key not in modules:
        raise Missing
    module = modules[key]
    demand(viewer(), "view", module)
    if what == "row":
        id = request.args.get("id") or builder.fresh_id()
        name = request.args.get(f"{id}.field", "")
        op = builder.first_operator(viewer(), module, name, request.args.get(f"{id}.op", ""))
        control = builder.control_of(viewer(), module, name, op)
        typed = [builder.with_days(request.args, id, value) for value in request.args.getlist(f"{id}.value") if value]
        values = [value for value in typed if builder.is_offered(control, value)]
        return render_template(
            "_builder_part.html", module=module, part=builder.Line(id, name, op, values), words=builder, depth=1
        )
    group = builder.Group(builder.fresh_id(), relation=request.args.get("relation", "") if what == "related" else "")
    if what == "related":
        known = modules.relations(module.key)
        group.relation = (
            group.relation
            if group.relation in known
            else next(iter(builder.offered_relations(viewer(), module)), ("",))[0]
        )
        if not group.relation:
            raise Missing
    else:
        group.match = "$or"
        group.parts.append(builder.Line(builder.fresh_id()))
    return render_template("_builder_part.html", module=module, part=group, words=builder, depth=2)


@bp.get("/<key>/conditions-box")
def conditions_box(key: str) -> str:
    """The builder inside a form, anew for the module that the form now collects from."""
    module = modules[about(module_of(key), request.args)]
    demand(viewer(), "view", module)
    return render_template(
        "_conditions_box.html",
        module=module,
        part=builder.tree_of(None),
        words=builder,
        depth=1,
        is_root=True,
        here=key,
    )


@bp.post("/<key>/filter")
def filter(key: str) -> AnyResponse:
    """Apply the conditions of the builder to the list, or keep them as a view."""
    module = module_of(key)
    demand(viewer(), "view", module)
    where = builder.read_tree(request.form)
    wanted = Wanted.read(request.form)
    kept = {
        "view": wanted.view or None,
        "cols": ",".join(wanted.columns) or None,
        "sort": ",".join(wanted.sort) or None,
    }
    try:
        if where:
            check(where, module, viewer())
        if request.form.get("save"):
            made = saved_views.create(
                viewer(), module, {
                    "name": request.form.get("name", ""), "where": where or {}, "columns": wanted.columns, "sort": wanted.sort,
                    "visibility": "public" if request.form.get("shared") == "1" else "private",
                },
            )  # fmt: skip
            commit()
            tell(
                _("The view is saved.")
                if made.is_approved or made.visibility == "private"
                else _("The view is saved. Others see it once an administrator has approved it.")
            )
            return redirect(address(f"{face().prefix}/{key}", view=made.key), 303)
    except Refused as refused:
        db.session.rollback()
        fault = refused.sentences
        return make_response(draw(module, wanted, editing=builder.draw_tree(where), fault=fault), 422)
    except BadCondition as bad:
        page = draw(module, wanted, editing=builder.draw_tree(where), fault=bad.message)
        return make_response(page, 422)
    said = json.dumps(where or {}, ensure_ascii=False, separators=(",", ":"))
    return redirect(address(f"{face().prefix}/{key}", where=said, **kept), 303)


@bp.post("/<key>/views/<view>/<verb>")
def change_view(key: str, view: str, verb: str) -> AnyResponse:
    """Delete a view, approve a public one, or make one the first to open."""
    module = module_of(key)
    deeds = {
        "delete": (saved_views.remove, _("The view is deleted.")),
        "first": (saved_views.set_default, _("This view now opens first.")),
        "approve": (saved_views.approve, _("Everybody has this view now.")),
    }
    if verb not in deeds:
        raise Missing
    deed, said = deeds[verb]
    deed(viewer(), module, view)
    commit()
    tell(said)
    return redirect(f"{face().prefix}/{key}" if verb == "delete" else address(f"{face().prefix}/{key}", view=view), 303)


# columns


@bp.get("/<key>/columns")
def choose_columns(key: str) -> str:
    """The sheet in which columns are ticked and dragged into order."""
    module = module_of(key)
    demand(viewer(), "view", module)
    wanted = Wanted.read(request.args)
    views = tabs.offered(viewer(), module)
    chosen = tabs.chosen(views, wanted.view)
    names = [column.name for column in columns_of(viewer(), module, wanted.columns or chosen.columns or module.columns)]
    offered = offered_columns(viewer(), module)
    labels = dict(offered)
    return render_template(
        "_columns.html", module=module, chosen=[(name, labels.get(name, name)) for name in names],
        others=[pair for pair in offered if pair[0] not in names], args=request.args, most=MOST_COLUMNS,
    )  # fmt: skip


@bp.post("/<key>/columns")
def set_columns(key: str) -> AnyResponse:
    """Show the ticked columns in their order."""
    module = module_of(key)
    names = [name for name in request.form.getlist("column") if name][:MOST_COLUMNS]
    wanted = Wanted.read(request.form)
    said = request.form.get("where") or None
    return redirect(
        address(f"{face().prefix}/{module.key}", view=wanted.view or None, where=said, sort=",".join(wanted.sort) or None, q=wanted.text or None,
                cols=",".join(names) or None), 303,
    )  # fmt: skip
