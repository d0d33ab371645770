"""Lists of records: which columns, in what order, and every cell as markup. The reading door gives the rows."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from flask import g
from flask_babel import gettext as _
from markupsafe import Markup, escape
from werkzeug.datastructures import MultiDict

from crm.engine.fields import Field
from crm.engine.module import Module
from crm.engine.permissions import may, readable
from crm.engine.refusals import UnknownName
from crm.engine.registry import modules
from crm.identity.viewer import Viewer
from crm.ui.face import face
from crm.ui.formats import Formats, is_right_aligned, own, present
from crm.ui.page import address
from crm.ui.places import place_of
from crm.ui.session import viewer

ROWS = 50
MOST_COLUMNS = 25
UNSORTABLE = {"long_text", "html", "source", "multi", "file"}
BAD_JSON = "?"


@dataclass(frozen=True)
class Column:
    """One column: its heading, how it is sorted now, and the cell of a row."""

    name: str
    label: str
    field: Field
    is_number: bool
    is_main: bool
    draw: Callable[[Any], str]
    sort: str = ""  # "asc", "desc"
    sort_href: str = ""


@dataclass
class Wanted:
    """What the address of a list asks for."""

    view: str = ""
    text: str = ""
    sort: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    where: dict[str, Any] | None = None
    after: str | None = None
    past: tuple[str, ...] = ()

    @classmethod
    def read(cls, args: "MultiDict[str, str]") -> "Wanted":
        """From query parameters. A `where` that is no JSON object becomes a condition that the engine refuses."""
        where = None
        if args.get("where"):
            try:
                where = json.loads(args["where"])
            except ValueError:
                where = {BAD_JSON: args["where"][:50]}
            if not isinstance(where, dict):
                where = {BAD_JSON: "list"}
        return cls(
            view=args.get("view", ""),
            text=" ".join(args.get("q", "").split())[:200],
            sort=tuple(name for name in args.get("sort", "").split(",") if name)[:3],
            columns=tuple(name for name in args.get("cols", "").split(",") if name)[:MOST_COLUMNS],
            where=where or None,
            after=args.get("after") or None,
            past=tuple(args.getlist("past"))[-50:],
        )

    @property
    def previous_href(self) -> str:
        """The page before this one; "" on the first."""
        if not self.after:
            return ""
        return address(after=self.past[-1] if self.past and self.past[-1] else None, past=list(self.past[:-1]) or None)

    def next_href(self, cursor: str | None) -> str:
        return address(after=cursor, past=[*self.past, self.after or ""]) if cursor else ""


def field_of(viewer: Viewer, module: Module, name: str) -> tuple[Module, Field] | None:
    """Where the column `name` ("city", "account.city") comes from; None when there is none or it may not be read."""
    try:
        if "." not in name:
            said = module.field(name)
            return (module, said) if said.name in readable(viewer, module) else None
        relation, plain = name.split(".", 1)
        link = module.relations.get(relation)
        if link is None or len(link.to) != 1 or link.to[0] not in modules or link.name not in readable(viewer, module):
            return None
        target = modules[link.to[0]]
        said = target.field(plain)
    except (UnknownName, KeyError):
        return None
    return (target, said) if may(viewer, "view", target) and said.name in readable(viewer, target) else None


def columns_of(
    viewer: Viewer, module: Module, names: Sequence[str], sort: Sequence[str] = (), sortable: bool = True
) -> list[Column]:
    """The columns called `names`, without those that the viewer may not read."""
    formats = own()
    found = [(name, place) for name in names if (place := field_of(viewer, module, name)) is not None]
    known = [name for name, _place in found]
    main = next((name for name in known if name in module.titles), known[0] if known else "")
    order = {name.lstrip("-"): "desc" if name.startswith("-") else "asc" for name in sort[:1]}
    columns = []
    for name, (holder, said) in found:
        label = _(said.label) if holder is module else f"{_(holder.label)}: {_(said.label)}"
        now = order.get(name, "")
        href = ""
        if sortable and said.in_lists and said.kind.name not in UNSORTABLE and "." not in name:
            href = address(sort=f"-{name}" if now == "asc" else name, after=None, past=None)
        draw = drawer(module, name, said, name == main, formats)
        columns.append(Column(name, label, said, is_right_aligned(said), name == main, draw, now, href))
    return columns


def drawer(module: Module, name: str, said: Field, is_main: bool, formats: Formats) -> Callable[[Any], str]:
    """How the cell of a row is drawn, decided once a column."""
    if is_main and not (said.is_link and module.is_ledger):
        base = place_of(module.key)
        has_pictures = "picture_id" in module.declared

        def main(row: Any) -> str:
            value = row[name]
            label = (row.label_of(name) if said.is_link else value) or row.label or _(module.untitled)
            text = escape(label)
            if has_pictures and base and row.get("picture_id"):
                source = f"{base}/{row.id}/picture?v={row['picture_id']}"
                text = Markup('<img class="face" src="{}" alt="" loading="lazy">{}').format(source, text)
            return Markup(f'<a href="{base}/{row.id}">{text}</a>') if base else text  # noqa: S704 — escaped

        return main
    if said.kind.name == "link" and len(said.to) == 1:
        target = place_of(said.to[0], None, g.viewer)

        def link(row: Any) -> str:
            value = row[name]
            text = row.label_of(name) if value is not None else ""
            if not value or text is None or not target:
                return linked(said, value, text)
            return Markup(f'<a href="{target}/{value}">{escape(text)}</a>')  # noqa: S704 — escaped

        return link
    if said.is_link:
        return lambda row: linked(said, row[name], row.label_of(name) if row[name] is not None else None)
    kind = said.kind.name
    if kind in {"text", "long_text"}:
        return lambda row: escape(_short(row[name]))
    if kind in {"html", "source"}:
        return lambda row: escape(_short(Markup(row[name] or "").striptags()))  # noqa: S704 — tags go out, text is escaped
    return lambda row: present(said, row[name], formats=formats)


def linked(said: Field, value: Any, label: str | None) -> str:
    """The cell of a link: a person with a face, another record with its address, nothing when it may not be seen."""
    if value is None:
        return Markup("")
    if label is None:
        return Markup('<span class="quiet">{}</span>').format(_("(hidden)"))
    if said.kind.name in {"owner", "user"}:
        return escape(label)
    href = href_of(said, value)
    return Markup('<a href="{}">{}</a>').format(href, label) if href else escape(label)


def href_of(said: Field, id: int) -> str:
    """The address of a linked record; "" when the viewer cannot open it."""
    if said.kind.name == "file":
        return f"{face().prefix}/files/{id}"
    return place_of(said.to[0], id, viewer()) if len(said.to) == 1 else f"{face().prefix}/go/{id}"


def table_rows(columns: Sequence[Column], rows: Iterable[Any]) -> str:
    """The rows of a list's table as markup. Put together here and not in the template: it is the hot part of every list."""
    opened = [
        Markup('<td class="{}" data-label="{}">').format(
            " ".join(name for name, holds in (("main", column.is_main), ("num", column.is_number)) if holds),
            column.label,
        )
        for column in columns
    ]
    empty = Markup('<td class="none"></td>')
    choose = escape(_("Choose %(name)s", name="\x00"))
    box = '<input class="form-check-input" type="checkbox" name="id" value="\x01" data-choose-row'
    tick = f'<tr><td class="tick">{box} aria-label="{choose}"></td>'
    parts: list[str] = []
    for row in rows:
        parts.append(tick.replace("\x01", str(row.id)).replace("\x00", escape(row.label)))
        for start, column in zip(opened, columns, strict=True):
            cell = column.draw(row)
            parts += (start, cell, "</td>") if cell else (empty,)
        parts.append("</tr>\n")
    return Markup("".join(parts))  # noqa: S704 — every part is markup, each value was escaped where it was drawn


def offered_columns(viewer: Viewer, module: Module) -> list[tuple[str, str]]:
    """(name, label) of every field that may be a column, those of linked records too."""
    seen = readable(viewer, module)
    found = [(name, _(said.label)) for name, said in module.fields.items() if name in seen and said.in_lists]
    for relation, link in module.relations.items():
        if link.name not in seen or len(link.to) != 1 or link.to[0] not in modules or link.kind.name != "link":
            continue
        target = modules[link.to[0]]
        if not may(viewer, "view", target):
            continue
        theirs = readable(viewer, target)
        found += [
            (f"{relation}.{name}", f"{_(link.label)}: {_(said.label)}")
            for name, said in target.fields.items()
            if name in theirs and said.in_lists and not said.is_link
        ]
    return found


def _short(text: Any, most: int = 120) -> str:
    said = "" if text is None else str(text)
    return said if len(said) <= most else said[: most - 1] + "…"
