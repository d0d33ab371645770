"""The form of a layout: what was typed and ticked, boxes in order, a list more, a field one place up."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask import request

from crm.documents import layouts
from crm.documents.layouts import Layout, Listed
from crm.documents.names import Shape
from crm.engine.registry import modules
from crm.engine.rows import Row

Choice = tuple[str, str]


def first_layout(row: Row) -> Layout:
    """What the form shows before anything was saved: the usual columns of the module."""
    own = layouts.fields_of(Shape((modules[row["module"]],)))
    return Layout(fields=tuple(name for name in modules[row["module"]].columns if name in own))


def sent_layout(row: Row) -> tuple[Layout, bool]:
    """The layout that was sent, and whether it is to be kept: else a list was added or a field moved up, and the form comes again."""
    form = request.form
    lists = layouts.lists_of(row["module"])
    chosen = [Listed(name, tuple(form.getlist(f"of-{name}"))) for name in form.getlist("list") if name in lists]
    added = form.get("add", "")
    is_added = form.get("do") == "add" and added in lists and added not in {one.name for one in chosen}
    if is_added:
        chosen.append(Listed(added, layouts.usual_columns(lists[added][1])))
    fields = tuple(form.getlist("field"))
    target, _colon, name = form.get("up", "").partition(":")
    if target == "":
        fields = _up(fields, name)
    else:
        chosen = [Listed(one.name, _up(one.fields, name)) if one.name == target else one for one in chosen]
    is_kept = form.get("do") == "keep"
    if is_kept:
        chosen = [one for one in chosen if one.fields]
    return Layout(form.get("kind", "pdf"), form.get("title", "").strip(), fields, tuple(chosen)), is_kept


def _up(names: tuple[str, ...], name: str) -> tuple[str, ...]:
    place = names.index(name) if name in names else 0
    return names if place == 0 else (*names[: place - 1], name, names[place - 1], *names[place + 1 :])


def drawn(layout: Layout, row: Row) -> Mapping[str, Any]:
    """What the page is drawn with: boxes of fields, ticked ones first in their order; the same of each list; lists that can be added."""
    lists = layouts.lists_of(row["module"])
    own = layouts.fields_of(Shape((modules[row["module"]],)))
    shown = [
        (one.name, lists[one.name][0], *_boxes(one.fields, layouts.fields_of(lists[one.name][1])))
        for one in layout.lists
        if one.name in lists
    ]
    taken = {one.name for one in layout.lists}
    more = [(name, label) for name, (label, _shape) in lists.items() if name not in taken]
    return {"layout": layout, "boxes_of": [("", "", *_boxes(layout.fields, own))], "lists": shown, "more": more}


def _boxes(names: Sequence[str], known: Mapping[str, str]) -> tuple[list[Choice], list[Choice]]:
    """The ticked fields in their order, and the others by label."""
    ticked = [(name, known[name]) for name in names if name in known]
    others = sorted(
        ((name, label) for name, label in known.items() if name not in names), key=lambda one: one[1].casefold()
    )
    return ticked, others
