"""The public address of an event's picture: it follows from its file, and is gone while the event is in the bin."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select, update

from crm.db import Entity, db
from crm.engine import afterwards, pictures, public_pictures
from crm.engine.attachments import StoredFile
from crm.engine.outbox import Progress, task
from crm.engine.refusals import Fault
from crm.engine.registry import modules
from crm.modules.events.lists import EVENTS


def follow(values: Mapping[str, Any], old: Mapping[str, Any] | None) -> dict[str, Any]:
    """The public address follows from the file; a picture that was replaced has none any more."""
    before, now = (old or {}).get(pictures.FIELD), values.get(pictures.FIELD)
    if pictures.FIELD not in values or now == before or pictures.is_picture_of_its_own(values, old):
        return {}
    if before is not None:
        public_pictures.withdraw(before)
    return {"picture_path": _publish(now)}


def hide(ids: list[int]) -> dict[int, Fault]:
    """Nobody sees the pictures of events that are deleted. The caller commits."""
    for _module, row in _with_picture(ids):
        public_pictures.withdraw(row.picture_id)
    return {}


@task("events.show_pictures")
def show(progress: Progress, ids: Sequence[int], **_more: Any) -> None:
    """Events came back from the bin: their pictures get new addresses."""
    for module, row in _with_picture(ids):
        table = modules[module].table
        # Not through the door: the same picture is shown as before, which is no change that anybody made.
        path = _publish(row.picture_id)
        db.session.execute(update(table).where(table.c.id == row.id).values(picture_path=path))


def _publish(file_id: int | None) -> str | None:
    stored = db.session.get(StoredFile, file_id) if file_id is not None else None
    return public_pictures.publish(stored) if stored is not None else None


def _with_picture(ids: Sequence[int]) -> list[tuple[str, Any]]:
    """(module, row of id and picture_id) of those of the events that have a picture."""
    known = select(Entity.id, Entity.module).where(Entity.id.in_(ids), Entity.module.in_(EVENTS))
    found: list[tuple[str, Any]] = []
    for id, module in db.session.execute(known).all():
        table = modules[module].table
        said = select(table.c.id, table.c.picture_id).where(table.c.id == id, table.c.picture_id.is_not(None))
        found += [(module, row) for row in db.session.execute(said)]
    return found


for key in EVENTS:
    afterwards.listen(key, "events.show_pictures", "restored")
