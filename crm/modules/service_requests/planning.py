"""Activities that a request needs: they carry its number and its contact, and only those its type allows."""

from collections.abc import Mapping
from typing import Any

from crm.engine import picklists, records, relations
from crm.engine.channels import Channel
from crm.engine.fields import Choice
from crm.engine.refusals import Refused
from crm.identity.viewer import SYSTEM, Viewer
from crm.modules.service_requests import moving, types
from crm.words import _

LONGEST = 250


def allowed(type: Any) -> list[Choice]:
    """The types of activities that requests of this type may have; all when it names none."""
    named = tuple(type["activity_types"] or ()) if type is not None else ()
    return [one for one in picklists.choices("activity_type") if not named or one.key in named]


def plan(viewer: Viewer, id: int, values: Mapping[str, Any], channel: Channel) -> int:
    """Make an activity of a request; gives its id. Raises Missing, Forbidden, Refused, Conflict. The caller commits."""
    request = moving.locked(viewer, id)
    if str(values.get("activity_type")) not in {one.key for one in allowed(types.one(request["type_id"]))}:
        raise Refused.because("not_in_list", _("Requests of this type have no such activities."), "activity_type")
    subject = f"{request['number']}: {str(values.get('subject') or '').strip() or request['title']}"[:LONGEST]
    made = records.create(viewer, "activities", {**values, "subject": subject}, channel)
    relations.link(SYSTEM, moving.TABLE, id, "activities", [made], channel)
    if request["contact_id"] is not None:
        relations.link(SYSTEM, "activities", made, "contacts", [request["contact_id"]], channel)
    return made
