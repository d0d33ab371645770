"""The process diagram of a record: the values of its stage picklist in order, with where it stands."""

from dataclasses import dataclass

from flask_babel import gettext as _

from crm.engine import picklists
from crm.engine.module import Module
from crm.engine.permissions import writable
from crm.engine.rows import Row
from crm.identity.viewer import Viewer

STAGES = {"sales_stage", "lead_status", "campaign_status"}


@dataclass(frozen=True)
class Step:
    key: str
    label: str
    state: str  # past, now, ""


@dataclass(frozen=True)
class Process:
    field: str
    steps: list[Step]
    is_open: bool


def steps_of(viewer: Viewer, module: Module, row: Row) -> Process | None:
    """The stages of `row`; None when its module has none or the viewer may not read them."""
    said = next((one for one in module.fields.values() if one.picklist in STAGES and one.name in row), None)
    if said is None:
        return None
    choices = picklists.choices(said.picklist)
    keys = [choice.key for choice in choices]
    now = keys.index(row[said.name]) if row[said.name] in keys else -1
    steps = [
        Step(choice.key, _(choice.label), "now" if place == now else "past" if place < now else "")
        for place, choice in enumerate(choices)
    ]
    return Process(said.name, steps, module.editable and said.name in writable(viewer, module))
