"""Records that a connector sends: taken in as forms of other sites are, so that what it sends again makes nothing new."""

import hashlib
import json
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from crm import clock, config
from crm.api.soap.envelope import Fault
from crm.engine.module import Module
from crm.identity.viewer import Viewer
from crm.modules.intakes import taking

MOST_RECORDS = 100


def save(viewer: Viewer, module: Module, text: str) -> list[int]:
    """The ids of the records in the JSON list `text`. All are saved or none. Raises Fault, and what `taking.take` raises.

    Connectors try a failed save again, also one whose answer was lost: the same record on the same day, or the day after, is
    the same submission."""
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        said = None
    if (
        not isinstance(said, list)
        or not all(isinstance(one, dict) for one in said)
        or not 0 < len(said) <= MOST_RECORDS
    ):
        raise Fault("Client.Invalid", f"The third argument is a JSON list of 1 to {MOST_RECORDS} objects.")
    return [_taken(viewer, module, one) for one in said]


def _taken(viewer: Viewer, module: Module, record: dict[str, Any]) -> int:
    said = json.dumps([module.key, record], sort_keys=True).encode()
    code, today = hashlib.sha256(said).hexdigest()[:40], clock.now().date()
    names = [f"soap:{code}:{day:%Y%m%d}" for day in (today - timedelta(days=1), today)]
    known = [id for id in taking.found_among(viewer, names).values() if id is not None]
    if known:
        return known[0]
    values = {name: _value(module, name, value) for name, value in record.items()}
    taken = taking.take(viewer, taking.Submission(name=names[1], module=module.key, values=values))
    if taken.record_id is None:
        raise Fault("Server", "This record is being saved just now.")
    return taken.record_id


def _value(module: Module, name: str, value: Any) -> Any:
    """Times of day come without a zone: they are the site's."""
    known = module.fields.get(name)
    if known is None or known.kind.name != "moment" or not isinstance(value, str):
        return value
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        return value  # refused with a sentence where it is cleaned
    zone = ZoneInfo(config.current().timezone)
    return (found if found.tzinfo else found.replace(tzinfo=zone)).isoformat()
