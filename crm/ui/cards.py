"""Cards of records: facts, blocks of fields, related lists; and what outer rooms add to a module's card or list."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from flask import g
from flask_babel import gettext as _
from markupsafe import Markup, escape

from crm.engine import relations
from crm.engine.conditions import about, sentence
from crm.engine.fields import Field
from crm.engine.module import Module, Related
from crm.engine.permissions import may, readable, writable
from crm.engine.registry import modules
from crm.engine.rows import Row, labels_of
from crm.engine.search import Page, count, find
from crm.identity.viewer import Viewer
from crm.ui.face import face
from crm.ui.formats import present
from crm.ui.forms import WIDE, blocks_of
from crm.ui.lists import linked
from crm.ui.places import has_pages

TAB_ROWS = 10


@dataclass(frozen=True)
class Fact:
    """One field of a card as it stands there."""

    name: str
    label: str
    value: str
    is_wide: bool
    is_editable: bool


@dataclass(frozen=True)
class Tab:
    """One related list: rows of `module` that belong to the record, by their link `by` or a many-link `through`."""

    key: str
    label: str
    module: Module
    columns: tuple[str, ...]
    by: str = ""
    through: str = ""  # the relation as the card's own module calls it
    new_href: str = ""
    is_linkable: bool = False


@dataclass(frozen=True)
class Part:
    """What a room adds to cards of a module: a template and what it is drawn with. `place`: top, left, right."""

    template: str
    values: Callable[[Viewer, Row], Mapping[str, Any] | None]  # None: nothing to show
    place: str = "left"


@dataclass(frozen=True)
class Deed:
    """A button beyond the declared actions: on the card (`href(viewer, row)`, "" when not offered) or over chosen rows."""

    key: str
    label: str
    icon: str
    href: Callable[[Viewer, Row], str]


@dataclass(frozen=True)
class Pane:
    """A tab that a room adds to the related lists: what its page at `href(viewer, row)` shows, "" when not offered.

    The page gives the part that changes alone when htmx asks for it. `count(viewer, row)`: how many rows it has.
    """

    key: str
    label: str
    href: Callable[[Viewer, Row], str]
    count: Callable[[Viewer, Row], int]


_parts: dict[str, list[Part]] = {}
_panes: dict[str, list[Pane]] = {}
_deeds: dict[str, list[Deed]] = {}


def add_part(module: str, part: Part) -> None:
    """Show `part` on every card of `module`."""
    _parts.setdefault(module, []).append(part)


def add_deed(module: str, deed: Deed) -> None:
    """Offer `deed` on every card of `module`."""
    _deeds.setdefault(module, []).append(deed)


def add_pane(module: str, pane: Pane) -> None:
    """Offer `pane` beside the related lists of every card of `module`."""
    _panes.setdefault(module, []).append(pane)


def panes_of(viewer: Viewer, row: Row) -> list[tuple[Pane, str]]:
    """The added tabs with their addresses."""
    return [(pane, href) for pane in _panes.get(row.module, []) if (href := pane.href(viewer, row))]


def parts_of(viewer: Viewer, row: Row) -> list[tuple[str, str, Mapping[str, Any]]]:
    """(place, template, values) of what other rooms add to this card."""
    found = []
    for part in _parts.get(row.module, []):
        values = part.values(viewer, row)
        if values is not None:
            found.append((part.place, part.template, values))
    return found


def deeds_of(viewer: Viewer, row: Row) -> list[tuple[Deed, str]]:
    """The added buttons with their addresses."""
    return [(deed, href) for deed in _deeds.get(row.module, []) if (href := deed.href(viewer, row))]


def fact_of(module: Module, row: Row, name: str, may_write: frozenset[str], is_open: bool) -> Fact:
    """One field of the card."""
    said = module.fields[name]
    return Fact(
        name,
        _(said.label),
        value_of(said, row),
        said.kind.name in WIDE,
        is_open and name in may_write and said.kind.name not in {"file", "conditions"},
    )


def value_of(said: Field, row: Row) -> str:
    """The markup of a field's value on a card."""
    value = row[said.name]
    if said.is_link:
        return linked(said, value, row.label_of(said.name) if value is not None else None)
    if said.kind.name == "conditions":
        return (
            escape(
                sentence(
                    value, about(modules[row.module], row), lambda id: labels_of(g.viewer, [id]).get(id, _("(hidden)"))
                )
            )
            if value
            else Markup("")
        )
    if said.kind.name == "source":
        return (
            Markup('<code class="mono">{}</code>').format(value[:600] + ("…" if len(value) > 600 else ""))
            if value
            else Markup("")
        )
    return present(said, value)


def facts_of(viewer: Viewer, module: Module, row: Row) -> list[Fact]:
    """The key facts at the top of the card."""
    return [fact_of(module, row, name, frozenset(), False) for name in module.facts if name in row]


def blocks_for(viewer: Viewer, module: Module, row: Row) -> list[tuple[str, list[Fact]]]:
    """The blocks of fields that the viewer may read."""
    may_write = writable(viewer, module)
    is_open = module.editable and may(viewer, "edit", module)
    blocks = []
    for block in blocks_of(module):
        facts = [fact_of(module, row, name, may_write, is_open) for name in block.fields if name in row]
        if facts:
            blocks.append((_(block.label), facts))
    return blocks


def tabs_of(viewer: Viewer, module: Module, id: int) -> list[Tab]:
    """The related lists that the viewer may see on a card of `module`."""
    found: list[Tab] = []
    for shown in modules.shown_on(module.key):
        other, related = shown.module, shown.related
        if not related.tab or not may(viewer, "view", other):
            continue
        if related.by and related.by not in readable(viewer, other):
            continue
        through = _own_name(module, other, related) if related.through else ""
        can_make = other.creatable and may(viewer, "create", other) and has_pages(other.key)
        made_with = related.by or ""
        new_href = f"{face().prefix}/{other.key}/new?{made_with}={id}" if can_make and made_with else ""
        if can_make and through:
            new_href = f"{face().prefix}/{other.key}/new?link={through}&from={module.key}&id={id}"
        key = f"{other.key}.{related.by or related.through}"
        label = _(related.label) if related.label else _(other.plural)
        found.append(
            Tab(key, label, other, related.columns or other.columns[:4], related.by, through, new_href, bool(through))
        )
    named = {(tab.module.key, tab.through) for tab in found}
    for name, target, label in _many_links(module):
        if (target, name) not in named and target in modules and may(viewer, "view", target):
            other = modules[target]
            found.append(
                Tab(
                    f"{target}.{name}",
                    _(label or other.plural),
                    other,
                    other.columns[:4],
                    through=name,
                    is_linkable=True,
                )
            )
    return found


def _own_name(module: Module, other: Module, related: Related) -> str:
    """What the card's module calls the many-link that `other` names `related.through`."""
    for link in other.links:
        if link.name == related.through:
            return link.back if link.to == module.key else link.name
    return related.through


def _many_links(module: Module) -> list[tuple[str, str, str]]:
    """Its many-links, those to its own kind from both sides; whom a restricted record is open to has its own place."""
    own = [link for link in module.links if link.name != module.allowed]
    back = [(link.back, link.to, link.back_label) for link in own if link.to == module.key]
    return [(link.name, link.to, link.label) for link in own] + back


def _within(viewer: Viewer, module: Module, id: int, tab: Tab) -> dict[str, Any]:
    if tab.by:
        return {"where": {"$eq": [tab.by, id]}}
    return {"within": relations.linked(module.key, id, tab.through)}


def rows_of(viewer: Viewer, module: Module, id: int, tab: Tab, after: str | None = None) -> Page:
    """The rows of a related list."""
    return find(
        viewer, tab.module, columns=tab.columns, limit=TAB_ROWS, after=after, **_within(viewer, module, id, tab)
    )


def count_of(viewer: Viewer, module: Module, id: int, tab: Tab) -> int:
    """How many rows a related list has (100 at most are counted)."""
    if tab.by:
        return count(viewer, tab.module, {"$eq": [tab.by, id]}, exact=False)
    page = find(viewer, tab.module, columns=tab.module.titles, limit=1, **_within(viewer, module, id, tab))
    return page.total or 0
