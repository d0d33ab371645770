"""How the portal draws values and fields: no script, no icons, and only what the profile shows."""

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _
from markupsafe import Markup, escape
from wtforms.widgets import html_params

from crm.engine.fields import Field
from crm.engine.module import Module
from crm.engine.permissions import may
from crm.engine.registry import modules
from crm.engine.rows import Row
from crm.engine.search import find
from crm.identity.viewer import Viewer
from crm.ui import forms
from crm.ui.formats import own, present, words
from crm.ui.session import viewer

MOST_OFFERED = 200


def cell(module: Module, name: str, row: Row) -> str:
    """The value of a field in a list or on a card."""
    said = module.fields[name]
    value = row[name]
    if value is None or value in ("", ()):
        return Markup("")
    if said.is_link:
        return escape(row.label_of(name) or "")
    if said.kind.name == "moment":
        return Markup('<time datetime="{}">{}</time>').format(value.isoformat(), own().moment(value))
    if said.kind.name in {"html", "email", "phone", "website"}:
        return present(said, value)
    if said.kind.name == "source":
        return escape(Markup(value).striptags())  # noqa: S704 — tags go out, text is escaped
    return escape(words(said, value))


def differing(module: Module, typed: Mapping[str, Any], row: Row) -> dict[str, str]:
    """The values that somebody else saved meanwhile, where what was typed is not the same."""
    return {
        name: cell(module, name, row) or Markup("–")
        for name, value in typed.items()
        if name in row and str(value or "") != str(row[name] or "")
    }


def facts(who: Viewer, module: Module, row: Row) -> list[tuple[str, str, str, bool]]:
    """(name, label, value, whether it is long) of the fields that the profile shows, in its order; empty ones too."""
    said = who.customer.modules[module.key] if who.customer else None
    return [
        (name, _(module.fields[name].label), cell(module, name, row), module.fields[name].kind.name in forms.WIDE)
        for name in (said.names if said else ())
        if name in row
    ]


def widget(made: forms.DeclaredField) -> Markup:
    """The control of a field. Records are chosen from a plain list of those in reach."""
    said = made.said
    if not said.is_link:
        return made.widget(made)
    params: dict[str, Any] = {"id": made.id, "name": made.name, "required": said.required}
    if made.errors:
        params |= {"aria_invalid": "true", "aria_describedby": f"h-{made.name}"}
    options = "".join(
        f"<option {html_params(value=id, selected=str(id) == str(made.data or ''))}>{escape(label)}</option>"
        for id, label in offered(said)
    )
    return Markup(f'<select class="form-select" {html_params(**params)}><option value=""></option>{options}</select>')  # noqa: S704 — all parts are escaped


def offered(said: Field) -> list[tuple[int, str]]:
    """What a link may point at, as far as the customer sees it."""
    found: list[tuple[int, str]] = []
    for key in said.to:
        if key in modules and may(viewer(), "view", modules[key]):
            page = find(viewer(), key, columns=(), limit=MOST_OFFERED, count="none", labels=False)
            found += [(row.id, row.label or str(row.id)) for row in page.rows]
    return found


def first_values(module: Module) -> dict[str, Any]:
    """What stands in an empty form."""
    return {name: said.default() if callable(said.default) else said.default for name, said in module.fields.items()}
