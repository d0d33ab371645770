"""Saved views of lists: columns, order, conditions, as list or kanban; who sees them, favourites, the one that opens first.

Every module has “All” and the filters it declares, which nobody edits; people add their own (spec/platform.md 4.1, 4.2).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    ForeignKey,
    Index,
    Integer,
    Select,
    String,
    delete,
    func,
    insert,
    literal_column,
    or_,
    select,
)
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.sql import ColumnElement

from crm import clock
from crm.db import BigId, Json, UtcDateTime, db, fold_text
from crm.engine.conditions import BadCondition, check
from crm.engine.module import Module
from crm.engine.permissions import demand
from crm.engine.query import Query
from crm.engine.refusals import Fault, Forbidden, Missing, Refused, UnknownName
from crm.engine.registry import modules
from crm.engine.remembered import composed
from crm.engine.rows import Page
from crm.engine.search import find
from crm.identity.viewer import Viewer
from crm.words import _

ALL = "all"
KINDS, VISIBILITIES = ("list", "kanban"), ("private", "public")
MOST_FAVOURITES, MOST_COLUMNS, LONGEST_NAME = 10, 25, 80


class ListView(db.Model):  # type: ignore[name-defined]
    """One view that somebody saved. A public one is seen by others once an administrator has approved it."""

    __tablename__ = "list_views"
    __table_args__ = (Index(None, "module", "owner_id"),)
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    module: Mapped[str] = mapped_column(String(40))
    owner_id: Mapped[int] = mapped_column(BigId, ForeignKey("users.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(LONGEST_NAME))
    kind: Mapped[str] = mapped_column(String(10), default="list")
    columns: Mapped[list[str]] = mapped_column(Json, default=list)
    sort: Mapped[list[str]] = mapped_column(Json, default=list)
    where: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    kanban_field: Mapped[str | None] = mapped_column(String(60))
    visibility: Mapped[str] = mapped_column(String(10), default="private")
    is_approved: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)


class ListViewChoice(db.Model):  # type: ignore[name-defined]
    """That a view ("all", a declared filter's key, or the id of a saved one) opens first for a user, or is a favourite."""

    __tablename__ = "list_view_choices"
    __table_args__ = (Index(None, "module", "view"),)
    user_id: Mapped[int] = mapped_column(BigId, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    module: Mapped[str] = mapped_column(String(40), primary_key=True)
    purpose: Mapped[str] = mapped_column(String(10), primary_key=True)  # default, favourite
    view: Mapped[str] = mapped_column(String(40), primary_key=True)
    place: Mapped[int] = mapped_column(Integer, default=0)


@dataclass(frozen=True)
class View:
    """A view as a viewer has it. `warning`: why it cannot be used (then it shows nothing until it is mended)."""

    key: str
    module: str
    name: str
    where: Mapping[str, Any] = field(default_factory=dict)
    columns: tuple[str, ...] = ()
    sort: tuple[str, ...] = ()
    kind: str = "list"
    kanban_field: str = ""
    visibility: str = "public"
    owner_id: int | None = None
    is_approved: bool = True
    is_builtin: bool = False
    is_mine: bool = False
    is_default: bool = False
    is_favourite: bool = False
    warning: str = ""


def views(viewer: Viewer, module: Module | str) -> list[View]:
    """The views that `viewer` has in a module: All, the declared ones, own ones, then others' by name."""
    module = _module(module)
    found = (
        db.session.execute(composed(viewer, ("views", module.key), lambda: _statement(viewer, module))).mappings().all()
    )
    chosen = _said(found[0]["chosen"] or ())
    made = [View(ALL, module.key, "All", is_builtin=True)]
    made += [
        View(one.key, module.key, one.label, one.where, one.columns, one.sort, is_builtin=True)
        for one in module.filters
    ]
    rows = sorted((row for row in found if row["id"] is not None), key=lambda row: row["owner_id"] != viewer.id)
    made += [_view(viewer, module, dict(row)) for row in rows]
    return [_with_choices(view, chosen) for view in made]


def _statement(viewer: Viewer, module: Module) -> Select[Any]:
    """The rows of the views that a viewer has, each with `chosen`: what `_choices` reads. One row at least."""
    table = ListView.__table__
    of_module = table.c.module == module.key
    if not (viewer.is_admin or viewer.is_system):
        shown = (table.c.visibility == "public") & table.c.is_approved.is_(True)
        below = table.c.owner_id.in_(sorted(viewer.subordinates))
        of_module &= or_(table.c.owner_id == viewer.id, shown, below)
    choices = _chosen(viewer, module).subquery()
    if db.engine.dialect.name == "sqlite":
        every: ColumnElement[Any] = func.json_group_array(func.json_array(*choices.c), type_=JSON())
    else:
        every = func.json_agg(func.json_build_array(*choices.c), type_=JSON())
    always = select(literal_column("1").label("one")).subquery("always")
    said = select(table, select(every).scalar_subquery().label("chosen")).select_from(
        always.outerjoin(table, of_module)
    )
    return said.order_by(table.c.name, table.c.id)


def get(viewer: Viewer, module: Module | str, key: str) -> View:
    """One view by its key. Raises Missing."""
    found = next((view for view in views(viewer, module) if view.key == key), None)
    if found is None:
        raise Missing
    return found


def opening(viewer: Viewer, module: Module | str) -> View:
    """The view with which the module opens: the one the viewer chose, else All."""
    found = views(viewer, module)
    return next((view for view in found if view.is_default), found[0])


def favourites(viewer: Viewer, module: Module | str) -> list[View]:
    """The viewer's favourites in the order in which they were chosen."""
    module = _module(module)
    places = _choices(viewer, module)[1]
    return sorted((view for view in views(viewer, module) if view.is_favourite), key=lambda view: places[view.key])


def rows(viewer: Viewer, view: View, **said: Any) -> Page:
    """The page of a view (`said` as for search.find wins over it); nothing where the view cannot be used."""
    if view.warning:
        return Page(total=0)
    given: dict[str, Any] = {"where": view.where or None, "sort": view.sort}
    if view.columns:
        given["columns"] = [name for name in view.columns if not _column_fault(viewer, modules[view.module], name)]
    return find(viewer, view.module, **(given | said))


def create(viewer: Viewer, module: Module | str, values: Mapping[str, Any]) -> View:
    """Save a view: name, columns, sort, where, kind, kanban_field, visibility. Raises Refused, Forbidden; the caller commits."""
    module = _module(module)
    demand(viewer, "view", module)
    if viewer.id is None:
        raise Forbidden(_("A view is saved by a person."))
    clean = _clean(viewer, module, {"name": "", "kind": "list", "visibility": "private", **values}, None)
    now = clock.now()
    row = {"columns": [], "sort": [], "where": {}, "kanban_field": None, **clean}
    row |= {"module": module.key, "owner_id": viewer.id, "created_at": now, "updated_at": now}
    row["is_approved"] = row["visibility"] == "public" and viewer.is_admin
    table = ListView.__table__
    id = db.session.execute(insert(table).values(**row).returning(table.c.id)).scalar_one()
    return get(viewer, module, str(id))


def change(viewer: Viewer, module: Module | str, key: str, values: Mapping[str, Any]) -> View:
    """Change a saved view: one's own, an administrator any. Raises Missing, Forbidden, Refused."""
    module = _module(module)
    view = _mine(viewer, module, key)
    before = {
        "name": view.name, "kind": view.kind, "visibility": view.visibility, "kanban_field": view.kanban_field or None,
        "where": dict(view.where), "columns": list(view.columns), "sort": list(view.sort),
    }  # fmt: skip
    clean = _clean(viewer, module, before | dict(values), view)
    clean["is_approved"] = clean["visibility"] == "public" and (viewer.is_admin or view.is_approved)
    table = ListView.__table__
    db.session.execute(table.update().where(table.c.id == int(key)).values(**clean, updated_at=clock.now()))
    return get(viewer, module, key)


def approve(viewer: Viewer, module: Module | str, key: str) -> None:
    """Let everybody see a public view. Administrators only. Raises Forbidden, Missing, Refused."""
    if not viewer.is_admin:
        raise Forbidden(_("Only an administrator may approve a public view."))
    if get(viewer, module, key).visibility != "public":
        raise Refused.because("not_public", _("Only a public view is approved."))
    table = ListView.__table__
    db.session.execute(table.update().where(table.c.id == int(key)).values(is_approved=True))


def remove(viewer: Viewer, module: Module | str, key: str) -> None:
    """Delete a saved view. Raises Refused while it opens first for somebody, Missing, Forbidden."""
    module = _module(module)
    _mine(viewer, module, key)
    table = ListViewChoice.__table__
    mine = (table.c.module == module.key) & (table.c.view == key)
    count = db.session.execute(select(func.count()).where(mine, table.c.purpose == "default")).scalar() or 0
    if count:
        message = _(
            "This view opens first for %(count)s people. They have to choose another before it can be deleted.",
            count=count,
        )
        if count == 1:
            message = _("This view opens first for somebody. Choose another there before it is deleted.")
        raise Refused.because("in_use", message)
    db.session.execute(delete(table).where(mine))
    db.session.execute(delete(ListView.__table__).where(ListView.__table__.c.id == int(key)))


def set_default(viewer: Viewer, module: Module | str, key: str) -> None:
    """Let the module open with this view for the viewer. Raises Missing."""
    module = _module(module)
    get(viewer, module, key)
    _forget(viewer, module, "default")
    if key != ALL:
        _choose(viewer, module, "default", key, 0)


def set_favourite(viewer: Viewer, module: Module | str, key: str, wanted: bool = True) -> None:
    """Take a view into the viewer's favourites, or out. Raises Missing, Refused for the eleventh."""
    module = _module(module)
    places = _choices(viewer, module)[1]
    if not wanted:
        _forget(viewer, module, "favourite", key)
        return
    get(viewer, module, key)
    if key in places:
        return
    if len(places) >= MOST_FAVOURITES:
        message = _("There are %(most)s favourites already. Take one out first.", most=MOST_FAVOURITES)
        raise Refused.because("too_many", message)
    _choose(viewer, module, "favourite", key, max(places.values(), default=0) + 1)


# the parts


def _module(module: Module | str) -> Module:
    return modules[module] if isinstance(module, str) else module


def _view(viewer: Viewer, module: Module, row: Mapping[str, Any]) -> View:
    return View(
        str(row["id"]), module.key, row["name"], row["where"] or {}, tuple(row["columns"]), tuple(row["sort"]),
        row["kind"], row["kanban_field"] or "", row["visibility"], row["owner_id"], bool(row["is_approved"]),
        is_mine=row["owner_id"] == viewer.id, warning=_warning(viewer, module, row),
    )  # fmt: skip


def _warning(viewer: Viewer, module: Module, row: Mapping[str, Any]) -> str:
    """Why a view that was saved cannot be used now: what it names may have been deleted, or hidden from this viewer."""
    try:
        if row["where"]:
            check(row["where"], module, viewer)
        Query(viewer, module).order(row["sort"])
    except BadCondition as bad:
        return bad.message
    except UnknownName as unknown:
        return str(unknown)
    return ""


def _with_choices(view: View, chosen: tuple[str, dict[str, int]]) -> View:
    from dataclasses import replace

    default, places = chosen
    return replace(view, is_default=view.key == default, is_favourite=view.key in places)


def _choices(viewer: Viewer, module: Module) -> tuple[str, dict[str, int]]:
    """(the key of the view that opens first, favourites by place)."""
    return _said(db.session.execute(_chosen(viewer, module)).all())


def _chosen(viewer: Viewer, module: Module) -> Select[tuple[str, str, int]]:
    table = ListViewChoice.__table__
    said = select(table.c.purpose, table.c.view, table.c.place)
    return said.where(table.c.user_id == (viewer.id or 0), table.c.module == module.key)


def _said(chosen: Iterable[Sequence[Any]]) -> tuple[str, dict[str, int]]:
    default, places = ALL, dict[str, int]()
    for purpose, view, place in chosen:
        if purpose == "default":
            default = view
        else:
            places[view] = place
    return default, places


def _choose(viewer: Viewer, module: Module, purpose: str, key: str, place: int) -> None:
    values = {"user_id": viewer.id, "module": module.key, "purpose": purpose, "view": key, "place": place}
    db.session.execute(insert(ListViewChoice.__table__).values(**values))


def _forget(viewer: Viewer, module: Module, purpose: str, key: str | None = None) -> None:
    table = ListViewChoice.__table__
    said = delete(table).where(table.c.user_id == viewer.id, table.c.module == module.key, table.c.purpose == purpose)
    db.session.execute(said if key is None else said.where(table.c.view == key))


def _mine(viewer: Viewer, module: Module, key: str) -> View:
    view = get(viewer, module, key)
    if view.is_builtin:
        raise Forbidden(_("“%(name)s” belongs to the module. Copy it to make your own.", name=view.name))
    if not (view.is_mine or viewer.is_admin):
        raise Forbidden(_("This view belongs to somebody else. Copy it to make your own."))
    return view


def _clean(viewer: Viewer, module: Module, values: Mapping[str, Any], old: View | None) -> dict[str, Any]:
    """The values of a row. Raises Refused with everything that is wrong."""
    faults: dict[str, list[Fault]] = {}

    def fault(name: str, code: str, message: str) -> None:
        faults.setdefault(name, []).append(Fault(code, message))

    known = {"name", "columns", "sort", "where", "kind", "kanban_field", "visibility"}
    for name in sorted(set(values) - known):
        fault(name, "unknown", str(UnknownName("setting of a view", name, known)))
    clean: dict[str, Any] = {name: values[name] for name in known & set(values)}
    clean["name"] = " ".join(str(clean.get("name") or "").split())
    if not 1 <= len(clean["name"]) <= LONGEST_NAME:
        fault("name", "required", _("A view has a name of 1 to %(most)s characters.", most=LONGEST_NAME))
    elif _is_taken(viewer, module, clean["name"], old):
        fault("name", "not_unique", _("You have a view “%(name)s” already.", name=clean["name"]))
    if clean["kind"] not in KINDS:
        fault("kind", "not_in_list", _("A view is one of: %(known)s.", known=", ".join(KINDS)))
    if clean["visibility"] not in VISIBILITIES:
        fault("visibility", "not_in_list", _("A view is one of: %(known)s.", known=", ".join(VISIBILITIES)))
    columns, sort = list(clean.get("columns") or ()), list(clean.get("sort") or ())
    if len(columns) > MOST_COLUMNS:
        fault("columns", "too_many", _("A view has at most %(most)s columns.", most=MOST_COLUMNS))
    for name in columns:
        if said := _column_fault(viewer, module, name):
            fault("columns", "unknown", said)
    clean |= {"columns": columns, "sort": sort, "where": clean.get("where") or {}}
    if said := _warning(viewer, module, clean | {"where": {}}):
        fault("sort", "unknown", said)
    if said := _warning(viewer, module, clean | {"sort": []}):
        fault("where", "bad_conditions", said)
    clean["kanban_field"] = _kanban_field(viewer, module, clean, fault)
    if faults:
        raise Refused(faults)
    return clean


def _kanban_field(viewer: Viewer, module: Module, clean: Mapping[str, Any], fault: Any) -> str | None:
    if clean["kind"] != "kanban":
        return None
    name = str(clean.get("kanban_field") or "")
    found = Query(viewer, module).resolve(name) if name in module.fields else None
    if found is None or found[0].kind.name != "picklist":
        fault("kanban_field", "required", _("A kanban view takes a field with a list of choices, such as a stage."))
    return name


def _column_fault(viewer: Viewer, module: Module, name: Any) -> str:
    """Why a column cannot be shown; "" when it can."""
    try:
        found = Query(viewer, module).resolve(str(name))
    except UnknownName as unknown:
        return str(unknown)
    return "" if found else str(UnknownName("field", str(name)))


def _is_taken(viewer: Viewer, module: Module, name: str, old: View | None) -> bool:
    table = ListView.__table__
    owner = old.owner_id if old else viewer.id
    said = select(table.c.id, table.c.name).where(table.c.module == module.key, table.c.owner_id == owner)
    return any(
        fold_text(taken) == fold_text(name) and not (old and str(id) == old.key)
        for id, taken in db.session.execute(said)
    )


__all__: Sequence[str] = [
    "ListView", "ListViewChoice", "View", "approve", "change", "create", "favourites", "get", "opening", "remove", "rows",
    "set_default", "set_favourite", "views",
]  # fmt: skip
