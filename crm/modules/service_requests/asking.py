"""A new request of a customer, by the pages of the portal: what the profile opens is asked, the rest follows."""

from collections.abc import Iterable, Mapping
from typing import Any

from crm import clock
from crm.engine import history, picklists, portal_rights, records
from crm.engine.channels import Channel
from crm.engine.fields import Choice
from crm.engine.refusals import Fault, Missing, Refused
from crm.engine.registry import modules
from crm.identity.viewer import SYSTEM, Viewer
from crm.modules.service_requests import areas, categories, settings, types
from crm.words import _

KEY = "service_requests"
ASKED = ("title", "type_id", "category_id", "description", "impact", "urgency")
MUST = ("title", "description")


def fields_for(viewer: Viewer) -> tuple[str, ...]:
    """What a customer is asked: title and description always, the others where the profile lets him fill them in.

    Raises Missing where the profile does not let him make requests.
    """
    said = viewer.customer.modules.get(KEY) if viewer.customer else None
    if said is None or not said.can_create:
        raise Missing
    return tuple(name for name in ASKED if name in MUST or name in said.editable)


def choices_of(name: str) -> list[tuple[str, str]]:
    """(value, label) of what a customer chooses from: types that no unit keeps to itself, open categories, levels in use."""
    if name == "type_id":
        return [(str(one["id"]), one["name"]) for one in types.open_to_all()]
    if name == "category_id":
        return [(str(one.id), one.path or one.name) for one in categories.choosable("request")]
    off = settings.current().impacts_off if name == "impact" else settings.current().urgencies_off
    return [(one.key, _(one.label)) for one in _levels(name) if one.key not in off]


def _levels(name: str) -> list[Choice]:
    return picklists.choices(f"sr_{name}")


def ask(viewer: Viewer, typed: Mapping[str, Any]) -> int:
    """Make the request of the customer; gives its id. Raises Missing, Refused. The caller commits; its unit is told."""
    names = fields_for(viewer)
    faults: dict[str, list[Fault]] = {}
    values: dict[str, Any] = {}
    for name in names:
        raw = str(typed.get(name) or "").strip()
        if not raw:
            if name in _demanded(viewer, names):
                faults[name] = [Fault("required", _("This must be filled in."))]
            continue
        if name not in MUST and raw not in {value for value, _label in choices_of(name)}:
            faults[name] = [Fault("not_in_list", _("Choose a value of the list."))]
        values[name] = int(raw) if name.endswith("_id") and raw.isdecimal() else raw
    if faults:
        raise Refused(faults)
    imposed = portal_rights.imposed(viewer, modules[KEY])
    type = types.one(values.get("type_id")) or types.default()
    if areas.unit_for(type, imposed.get("contact_id"), imposed.get("account_id")):
        imposed.pop("owner_id", None)  # the unit of area or type is nearer than whom the portal names for everything
    made = records.create(SYSTEM, KEY, values | imposed, Channel.PORTAL)
    history.note_events(viewer, modules[KEY], [made], "asked in the portal", Channel.PORTAL, clock.now())
    return made


def _demanded(viewer: Viewer, names: Iterable[str]) -> set[str]:
    said = viewer.customer.modules[KEY].required if viewer.customer else frozenset()
    return set(MUST) | {name for name in names if name in said}
