"""What an integration may hand in: the modules that its key may create in, and their fields, without a right to read records."""

from typing import Any

from crm.engine import picklists
from crm.engine.fields import Field
from crm.engine.module import Module
from crm.engine.permissions import may, writable
from crm.engine.registry import modules
from crm.identity.viewer import Viewer

PEOPLE = frozenset({"contacts", "leads"})


def is_offered(viewer: Viewer, module: Module) -> bool:
    """Whether `viewer` may hand in records of that module."""
    return module.is_record and module.in_api and may(viewer, "create", module)


def offered(viewer: Viewer) -> list[dict[str, Any]]:
    """The modules that `viewer` may create in, by label; `updates`: known people may be filled up too."""
    found = [module for module in modules if is_offered(viewer, module)]
    return [
        {
            "key": module.key, "label": module.label, "plural": module.plural,
            "updates": module.key in PEOPLE and may(viewer, "edit", module),
            "has_campaign": "campaign_id" in module.fields,
        }
        for module in sorted(found, key=lambda one: one.label)
    ]  # fmt: skip


def fields_of(viewer: Viewer, module: Module) -> list[dict[str, Any]]:
    """The fields that `viewer` may set in a new record, by label."""
    allowed = writable(viewer, module)
    found = [_field(said) for name, said in module.fields.items() if name in allowed]
    return sorted(found, key=lambda one: str(one["label"]).casefold())


def is_required(said: Field) -> bool:
    """Whether a new record must be given a value: it has none of its own."""
    return said.required and said.default is None and said.kind.name not in {"checkbox", "owner"}


def _field(said: Field) -> dict[str, Any]:
    made: dict[str, Any] = {
        "name": said.name, "label": said.label, "kind": said.kind.name, "required": is_required(said),
        "max": said.max, "help": said.help, "to": list(said.to),
    }  # fmt: skip
    if said.picklist:
        made["values"] = [{"key": one.key, "label": one.label or one.key} for one in picklists.choices(said.picklist)]
    return made
