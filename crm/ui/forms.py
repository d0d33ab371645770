"""Forms made from a module's declaration with WTForms: one widget a kind. The engine checks; the form keeps what was typed."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import render_template
from flask_babel import gettext as _
from markupsafe import Markup, escape
from wtforms import Field as FormField
from wtforms.form import BaseForm
from wtforms.widgets import html_params

from crm.engine import picklists
from crm.engine.conditions import about
from crm.engine.fields import Field
from crm.engine.module import Block, Module
from crm.engine.permissions import readable, writable
from crm.engine.refusals import Fault, Refused
from crm.engine.registry import modules
from crm.engine.rows import Row
from crm.identity.viewer import Viewer
from crm.ui import builder
from crm.ui.face import face

WIDE = {"long_text", "html", "source", "conditions"}
INPUTS = {
    "email": {"type": "email", "autocomplete": "off"},
    "phone": {"type": "tel", "autocomplete": "off"},
    "website": {"type": "text", "inputmode": "url", "placeholder": "https://"},
    "whole": {"type": "text", "inputmode": "numeric"},
    "number": {"type": "text", "inputmode": "decimal"},
    "money": {"type": "text", "inputmode": "decimal"},
    "percent": {"type": "text", "inputmode": "decimal"},
    "day": {"type": "date"},
    "moment": {"type": "datetime-local"},
    "time": {"type": "time"},
}


class DeclaredField(FormField):
    """A field of a form that stands for a declared one. Its data is what was typed, or the stored value in that spelling."""

    def __init__(self, said: Field, address: str = "", zone: str = "UTC", text: str = "", **kw: Any) -> None:
        super().__init__(label=_(said.label), id=f"f-{said.name}", description=_(said.help) if said.help else "", **kw)
        self.said, self.address, self.zone, self.text = said, address, zone, text
        self.is_wide = said.kind.name in WIDE
        self.is_checkbox = said.kind.name == "checkbox"
        self.owner = ""
        self.about = ""  # of conditions: the module whose records they are about

    def process_data(self, value: Any) -> None:
        self.data = spelled(self.said, value, self.zone)

    def process_formdata(self, valuelist: list[Any]) -> None:
        if self.said.kind.name == "conditions":
            self.data = None  # read from the whole form by form_of, since a builder has many inputs
        elif self.said.kind.name == "multi":
            self.data = [one for one in valuelist if one]
        elif self.is_checkbox:
            self.data = "1" in valuelist or "on" in valuelist
        else:
            self.data = valuelist[0] if valuelist else ""

    def widget(self, field: FormField, **kw: Any) -> Markup:  # type: ignore[override]
        return draw(self, **kw)


def spelled(said: Field, value: Any, zone: str) -> Any:
    """A stored value as its field holds it while it is edited."""
    kind = said.kind.name
    if kind == "multi":
        return list(value or ())
    if kind == "checkbox":
        return bool(value)
    if kind == "conditions":
        return value
    if value is None:
        return ""
    if kind == "moment" and isinstance(value, datetime):
        return value.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%dT%H:%M")
    if kind in {"number", "money", "percent"}:
        text = f"{value:f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    return said.kind.text(value) if kind in {"day", "time", "conditions"} else str(value)


def draw(made: DeclaredField, **kw: Any) -> Markup:
    """The control of a field. Faults and hints are named by aria-describedby; the label stands before it."""
    said, kind = made.said, made.said.kind.name
    params: dict[str, Any] = {"id": made.id, "name": made.name} | kw
    if said.required:
        params["required"] = True
    if made.errors:
        params["aria_invalid"] = "true"
    if made.errors or made.description:
        params["aria_describedby"] = f"h-{made.name}"
    wrong = " is-invalid" if made.errors else ""
    if kind == "conditions":
        tree = builder.tree_of(made.data)
        return Markup(render_template("_conditions_box.html", **_of_builder(made, tree)))  # noqa: S704 — a template escapes
    if made.is_checkbox:
        params.pop("required", None)
        return Markup(  # noqa: S704 — all parts are escaped
            f'<input type="hidden" name="{escape(made.name)}" value="0">'
            f'<input class="form-check-input" type="checkbox" value="1" {html_params(checked=bool(made.data), **params)}>'
        )
    if kind in {"picklist", "multi"}:
        chosen = set(made.data or ()) if kind == "multi" else {made.data}
        options = [(choice.key, _(choice.label)) for choice in picklists.choices(said.picklist)]
        options += [(key, key) for key in chosen if key and key not in dict(options)]
        first = "" if kind == "multi" else '<option value=""></option>'
        hidden = f'<input type="hidden" name="{escape(made.name)}" value="">' if kind == "multi" else ""
        drawn = "".join(
            f"<option {html_params(value=key, selected=key in chosen)}>{escape(label)}</option>"
            for key, label in options
        )
        rich = len(options) > 8 or kind == "multi"
        params |= {"multiple": kind == "multi"} | ({"data_choose": ""} if rich else {})
        return Markup(f'{hidden}<select class="form-select{wrong}" {html_params(**params)}>{first}{drawn}</select>')  # noqa: S704 — all parts are escaped
    if said.is_link:
        chosen_one = (
            f'<option value="{escape(made.data)}" selected>{escape(made.text or made.data)}</option>'
            if made.data
            else ""
        )
        params["data_choose"] = made.address
        return Markup(  # noqa: S704 — all parts are escaped
            f'<select class="form-select{wrong}" {html_params(**params)}><option value=""></option>{chosen_one}</select>'
        )
    if kind in WIDE:
        rows = 4 if kind == "long_text" else 12
        return Markup(  # noqa: S704 — all parts are escaped
            f'<textarea class="form-control{wrong}" {html_params(rows=rows, **params)}>\n{escape(made.data or "")}</textarea>'
        )
    shape = INPUTS.get(kind, {"type": "text"})
    if said.max and kind == "text":
        params.setdefault("maxlength", said.max)
    if made.data and shape["type"] in {"date", "datetime-local", "time"} and made.raw_data and made.errors:
        shape = {"type": "text"}  # a browser would drop what it cannot read; what was typed is kept
    return Markup(f'<input class="form-control{wrong}" {html_params(value=made.data or "", **shape, **params)}>')  # noqa: S704 — all parts are escaped


def _of_builder(made: DeclaredField, tree: builder.Group) -> dict[str, Any]:
    kept = json.dumps(made.data) if made.data else ""
    return {
        "module": modules[made.about], "part": tree, "words": builder, "depth": 1, "is_root": True, "here": made.owner,
        "kept": kept, "name": made.name,
    }  # fmt: skip


@dataclass
class RecordForm:
    """A form over one record of `module`: blocks of fields in the order of the declaration."""

    module: Module
    blocks: list[tuple[str, list[DeclaredField]]]
    form: BaseForm
    others: dict[str, str] = field(default_factory=dict)  # faults that belong to no field of the form
    is_doubtful: bool = False  # it was not saved only because somebody is asked once more

    def values(self) -> dict[str, Any]:
        """What was typed, by field, for the writing door."""
        return {name: made.data for name, made in self.form._fields.items()}

    def refuse(self, refused: Refused) -> None:
        """Show the faults at their fields and sum them up."""
        for name, faults in refused.faults.items():
            sentences = [fault.message for fault in faults]
            if name in self.form._fields:
                self.form._fields[name].errors = sentences
            else:
                label = _(self.module.fields[name].label) + ": " if name in self.module.fields else ""
                self.others[name] = label + " ".join(sentences)

    def ask_twice(self, row: Row | None = None) -> None:
        """Raise Refused with what the module doubts about this change of a record, or about a new one; who then saves
        anyway posts `anyway`."""
        typed, old = self.values(), {**row, "id": row.id} if row is not None else None
        found = {name: said for doubt in self.module.doubts for name, said in doubt(typed, old).items()}
        if found:
            self.is_doubtful = True
            raise Refused({name: [Fault("doubtful", said)] for name, said in found.items()})

    @property
    def faults(self) -> dict[str, str]:
        """Field name → what is wrong, in the order of the form."""
        found = {
            name: f"{made.label.text}: {made.errors[0]}" for name, made in self.form._fields.items() if made.errors
        }
        return found | self.others


def form_of(
    viewer: Viewer,
    module: Module,
    values: Mapping[str, Any] | None = None,
    texts: Mapping[str, str] | None = None,
    typed: Any = None,
    only: Iterable[str] = (),
) -> RecordForm:
    """The form of `module` for `viewer`: the fields that it may write.

    `values`: what stands in it at first, `texts`: the labels of linked records, `typed`: the posted form, `only`: these fields.
    """
    may_write = writable(viewer, module) & readable(viewer, module)
    wanted = set(only) or may_write
    fields = module.fields
    made: dict[str, DeclaredField] = {}
    layout: list[tuple[str, list[str]]] = []
    for block in blocks_of(module):
        names = [name for name in block.fields if name in may_write and name in wanted and name in fields]
        if names:
            layout.append((block.label, names))
    form = BaseForm(
        {
            name: _unbound(module, fields[name], viewer, (texts or {}).get(name, ""))
            for _label, names in layout
            for name in names
        }
    )
    form.process(formdata=typed, data=dict(values or {}))
    made = form._fields
    for one in made.values():
        if one.said.kind.name == "conditions":
            one.owner = module.key
            one.about = about(
                module, {name: field.data for name, field in made.items()} | {"source": _source(module, values, typed)}
            )
            if typed is not None:
                one.data = builder.read_kept(typed, one.name)
        if typed is not None and one.is_checkbox and one.name not in typed:
            one.data = False  # a box that is not ticked is not posted
    return RecordForm(
        module, [(_(label) if label else "", [made[name] for name in names]) for label, names in layout], form
    )


def _source(module: Module, values: Any, typed: Any) -> Any:
    if typed is not None and typed.get("source"):
        return typed["source"]
    return (values or {}).get("source") or (module.fields["source"].default if "source" in module.fields else "")


def blocks_of(module: Module) -> list[Block]:
    """The blocks of a module's form and card; custom fields that no block names come in one of their own."""
    blocks = list(module.form) or [
        Block(module.label, tuple(n for n, said in module.fields.items() if not said.read_only))
    ]
    placed = {name for block in blocks for name in block.fields}
    own = tuple(name for name, said in module.fields.items() if said.custom and name not in placed)
    return [*blocks, Block("Own fields", own)] if own else blocks


def _unbound(module: Module, said: Field, viewer: Viewer, text: str) -> Any:
    address = f"{face().prefix}/{module.key}/choose/{said.name}" if said.is_link else ""
    return DeclaredField(said, address, viewer.timezone, text)
