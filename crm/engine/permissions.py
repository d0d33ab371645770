"""Who may do what: verbs, records (one SQL condition) and fields. Asked by the two doors, so by everything.

Effective right = profile ∧ areas ∧ scopes of the API key ∧ (administrator ∨ view-all ∨ public level ∨ owner is me, my
group or someone below me ∨ sharing rule). A denial by a profile beats every sharing grant (spec/platform.md 5.2, 5.4).
"""

from collections.abc import Iterable, Mapping
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import and_, false, or_, select
from sqlalchemy.sql import ColumnElement

from crm.db import db
from crm.engine import portal_rights, ways
from crm.engine.fields import Field
from crm.engine.module import Module
from crm.engine.refusals import Forbidden
from crm.engine.registry import modules
from crm.identity.viewer import FLAGS, Viewer
from crm.words import N_, _, in_sentence

LEVELS = ("private", "read", "write", "delete")  # of sharing defaults, each holds the ones before it
LEVEL_NEEDED = {"view": 1, "export": 1, "delete": 3, "merge": 3}  # a verb not named changes records: "write"
PREMISES = {  # what a verb is worth nothing without, asked of the profile
    "create": ("view",),
    "edit": ("view",),
    "delete": ("view",),
    "import": ("view", "create"),
    "export": ("view",),
    "mass_edit": ("view", "edit"),
    "merge": ("view", "edit", "delete"),
    "convert": ("view", "edit"),
}
MADE_OF = {  # what a scope of an API key must hold for a verb that it does not name
    "import": {"view", "create", "edit"},
    "export": {"view"},
    "mass_edit": {"edit"},
    "merge": {"edit", "delete"},
    "convert": {"edit"},
}
SAID = {
    "view": N_("see"), "create": N_("create"), "edit": N_("change"), "delete": N_("delete"), "import": N_("import"), "export": N_("export"),
    "mass_edit": N_("change several"), "merge": N_("merge"), "convert": N_("convert"),
}  # fmt: skip


def may(viewer: Viewer, verb: str, module: Module | str) -> bool:
    """Whether `viewer` may do `verb` (a Verb of identity.viewer) in `module` at all, whatever the record."""
    if viewer.kind == "system":
        return True
    if viewer.kind == "customer":
        return portal_rights.may(viewer, verb, _module(module))
    key = (verb, module if isinstance(module, str) else module.key)
    known: bool | None = viewer.found.get(key)  # a page asks hundreds of times
    if known is None:
        known = viewer.found[key] = _may(viewer, verb, _module(module))
    return known


def _may(viewer: Viewer, verb: str, module: Module) -> bool:
    if viewer.kind not in {"staff", "api_key", "link"} or not _is_open(module, verb):
        return False
    if viewer.kind == "link" and module.key not in viewer.rights.modules:
        return False  # a link opens what it names, nothing by default
    if viewer.scopes is not None and not _is_in_scopes(viewer.scopes, verb, module):
        return False
    needed = (verb, *PREMISES.get(verb, ()))
    if not all(has_area(viewer, module.areas[one]) for one in needed if one in module.areas):
        return False
    is_named = module.key in viewer.rights.modules or not module.parent  # rows of a ledger need no right of their own
    if is_named and not viewer.is_admin and not viewer.rights.of(module.key).verbs.issuperset(needed):
        return False
    return not module.parent or any(may(viewer, verb, parent) for parent in _targets(module, module.parent))


def demand(viewer: Viewer, verb: str, module: Module | str) -> None:
    """Raises Forbidden, with a sentence, when `viewer` may not do `verb` in `module`."""
    module = _module(module)
    if not may(viewer, verb, module):
        raise Forbidden(
            _(
                "You have no right to %(verb)s %(plural)s.",
                verb=_(SAID.get(verb, verb)),
                plural=in_sentence(_(module.plural)),
            ),
            "forbidden_action",
        )


def has_area(viewer: Viewer, area: str) -> bool:
    """Whether `viewer` holds a named right beyond modules: a settings area, "send", … or a flag such as "ecp_admin".

    Flags are held by the user alone: being administrator of the CRM opens nothing in the portal settings (M37).
    """
    if viewer.is_system:
        return True
    if area in FLAGS:
        return area in viewer.flags
    return viewer.is_admin or area in viewer.rights.areas


def scope(
    viewer: Viewer, module: Module | str, verb: str = "view", table: Any = None, known: str = ""
) -> ColumnElement[bool] | None:
    """The records of `module` with which `viewer` may do `verb`, as one condition; None: all of them, no narrowing.

    `table`: an alias of the module's table that the condition is to speak of (default: the table itself). `known`: a link of
    the module of which the caller says in the same statement that it points at one record, one that `viewer` was just
    found to see; of that link nothing is asked again (only for "view").
    """
    module = _module(module)
    if not may(viewer, verb, module):
        return false()
    if viewer.kind == "customer":
        return portal_rights.scope(viewer, module, verb, module.table if table is None else table)
    known = known if verb == "view" else ""
    return _narrowing(viewer, module, verb, module.table if table is None else table, known)


def readable(viewer: Viewer, module: Module | str) -> frozenset[str]:
    """The names of the fields whose values `viewer` may know, be it by column, sort, condition, tag or search."""
    module = _module(module)
    if viewer.is_system:
        return frozenset(module.fields)
    if not may(viewer, "view", module):
        return frozenset()
    if viewer.kind == "customer":
        return portal_rights.readable(viewer, module)
    fields = module.fields
    known = viewer.found.get(module.key)
    if known is not None and known[0] is fields:
        return known[1]  # type: ignore[no-any-return]
    hidden = frozenset[str]() if viewer.is_admin else viewer.rights.of(module.key).hidden
    found = frozenset(fields) - hidden
    viewer.found[module.key] = (fields, found)
    return found


def writable(viewer: Viewer, module: Module | str) -> frozenset[str]:
    """The names of the fields that `viewer` may set. What the system keeps (number, times, …) only the system sets."""
    module = _module(module)
    if viewer.is_system:
        return frozenset(module.fields)
    if not may(viewer, "create", module) and not may(viewer, "edit", module):
        return frozenset()
    if viewer.kind == "customer":
        return portal_rights.writable(viewer, module)
    said = viewer.rights.of(module.key)
    kept = frozenset[str]() if viewer.is_admin else said.hidden | said.read_only
    return frozenset(name for name, field in module.fields.items() if not field.read_only and name not in kept)


# the parts


def _module(module: Module | str) -> Module:
    return modules[module] if isinstance(module, str) else module


def _targets(module: Module, name: str) -> list[Module]:
    field: Field = module.fields[name]
    return [modules[key] for key in field.to]


def _is_open(module: Module, verb: str) -> bool:
    """Whether people do that verb in the module at all."""
    if module.is_ledger and verb not in {"view", "export"}:
        return False
    closed = {
        "create": not module.creatable,
        "edit": not module.editable,
        "delete": not module.deletable,
        "import": not module.importable or not module.creatable,
        "mass_edit": not module.editable,
        "merge": not (module.editable and module.deletable),
        "convert": not module.editable,
    }
    return not closed.get(verb, False)


def _is_in_scopes(scopes: Mapping[str, frozenset[str]], verb: str, module: Module) -> bool:
    if module.parent and module.key not in scopes:
        return any(_is_in_scopes(scopes, verb, parent) for parent in _targets(module, module.parent))
    held = scopes.get(module.key, scopes.get("*", frozenset()))
    return verb in held or bool(MADE_OF.get(verb) and MADE_OF[verb] <= held)


def _narrowing(viewer: Viewer, module: Module, verb: str, table: Any, known: str = "") -> ColumnElement[bool] | None:
    """Which records sharing leaves to the viewer for a verb that the profile grants."""
    if viewer.is_system or viewer.is_admin:
        return None
    shared = _of_sharing(viewer, module, verb, table, known)
    if not module.restricted_by:
        return shared
    mine = _of_restricted(viewer, module, table)
    is_open = ~table.c[module.restricted_by]
    return or_(mine, is_open if shared is None else and_(is_open, shared))


def _of_restricted(viewer: Viewer, module: Module, table: Any) -> ColumnElement[bool]:
    """That the viewer owns the record, made it, or is among the users chosen for it."""
    from crm.engine.relations import EntityLink

    pairs = EntityLink.__table__
    chosen = select(pairs.c.a_id).where(pairs.c.relation == f"{module.key}.{module.allowed}", pairs.c.b_id == viewer.id)
    return or_(table.c.creator_id == viewer.id, _is_of(viewer.principals, table), table.c.id.in_(chosen))


def _of_sharing(viewer: Viewer, module: Module, verb: str, table: Any, known: str) -> ColumnElement[bool] | None:
    needed = LEVEL_NEEDED.get(verb, 2)
    if module.parent:
        parents = _targets(module, module.parent)
        held = None if known == module.parent else _through(viewer, table.c[module.parent], parents, verb, ask=True)
        about = None if known == module.about else _about(viewer, module, table)
        parts = [part for part in (held, about) if part is not None]
        return and_(*parts) if parts else None
    if viewer.rights.edit_all or (needed == 1 and viewer.rights.view_all):
        return None
    if "owner_id" not in table.c:
        return None  # a plain table, such as users, belongs to nobody
    if module.opened_by:  # the owner of each record says how far it is open, not a sharing default
        mine = _is_of(_owners(viewer, module.key, needed), table)
        opened = {1: ("read", "write"), 2: ("write",)}.get(needed, ())
        return or_(mine, table.c[module.opened_by].in_(opened)) if opened else mine
    level = LEVELS.index(viewer.defaults.get(module.key, "delete"))
    through: ColumnElement[bool] | None = None
    if level >= needed:
        if not module.follows or known == module.follows:
            return None
        link = table.c[module.follows]
        through = _through(viewer, link, _targets(module, module.follows), verb)
        if through is None:
            return None
        through = or_(link.is_(None), through)
    mine = _is_of(_owners(viewer, module.key, needed), table)
    return mine if through is None else or_(mine, through)


def _about(viewer: Viewer, module: Module, table: Any) -> ColumnElement[bool] | None:
    """That the person whom a ledger's row is about may be seen too; the portal's own users see whom they mailed."""
    is_portal_side = "ecp_admin" in viewer.flags or ("ecp_access" in viewer.flags and "crm_access" not in viewer.flags)
    if not module.about or (module.in_ecp and is_portal_side):
        return None
    link = table.c[module.about]
    reach = _through(viewer, link, _targets(module, module.about), "view", ask=True)
    return None if reach is None else or_(link.is_(None), reach)


def _owners(viewer: Viewer, key: str, needed: int) -> Iterable[int]:
    """Whose records the viewer reaches: own, of the own groups, of people below, and those opened by rules."""
    owners = viewer.principals | viewer.subordinates
    if needed <= 2:
        owners |= viewer.shared_write.get(key, frozenset())
    if needed == 1:
        owners |= viewer.shared_read.get(key, frozenset())
    return owners


def _is_of(owners: Iterable[int], table: Any) -> ColumnElement[bool]:
    """That a record belongs to one of `owners`. PostgreSQL gets them as one value: a plan that it keeps would put a list of
    parameters together anew for each row, and there would be a plan for each length of it."""
    if db.engine.dialect.name == "sqlite":
        return table.c.owner_id.in_(sorted(owners))  # type: ignore[no-any-return]
    return ways.among(table.c.owner_id, sorted(owners))


_aliases: "WeakKeyDictionary[Any, dict[str, Any]]" = WeakKeyDictionary()


def _beside(table: Any, target: Module) -> Any:
    """An alias of the target's table for use below `table`; kept, because making one of a wide table takes a millisecond."""
    kept = _aliases.setdefault(table, {})
    if target.key not in kept:
        kept[target.key] = target.table.alias()
    return kept[target.key]


def _through(
    viewer: Viewer, link: Any, targets: list[Module], verb: str, ask: bool = False
) -> ColumnElement[bool] | None:
    """That the record which `link` points at is within the viewer's reach; None when all of them are.

    `ask`: also whether the profile lets the viewer into the target at all (a ledger's rows have no right of their own).
    """
    parts: list[ColumnElement[bool]] = []
    is_narrow = False
    for target in targets:
        if ask and not may(viewer, verb, target):
            is_narrow = True
            continue
        other = _beside(link.table, target)
        condition = _narrowing(viewer, target, verb, other)
        ids = select(other.c.id)
        if condition is not None:
            is_narrow = True
            ids = ids.where(condition)
        parts.append(_is_one_of(link, other.c.id, ids))
    return or_(false(), *parts) if is_narrow else None


def _is_one_of(link: Any, id: Any, ids: Any) -> ColumnElement[bool]:
    """That `link` is one of the `ids`. SQLite would gather all ids first, however few rows are asked; it is told to look up each."""
    if db.engine.dialect.name == "sqlite":
        return ids.where(id == link).exists()  # type: ignore[no-any-return]
    return link.in_(ids)  # type: ignore[no-any-return]
