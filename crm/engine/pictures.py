"""Pictures of records: one of a record's own files, a real PNG, JPEG or WebP, shown instead of initials. Rights as for its files.

A module has pictures when it declares the field `picture_id = f.file("Picture")` and the check `is_picture_of_its_own`.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from sqlalchemy import select

from crm.db import db
from crm.engine import attachments, records, search
from crm.engine.attachments import EntityFile, StoredFile
from crm.engine.channels import Channel
from crm.engine.module import Module
from crm.engine.permissions import may, writable
from crm.engine.refusals import Fault, Forbidden, Missing, Refused
from crm.engine.registry import modules
from crm.identity.viewer import Viewer
from crm.words import _

FIELD = "picture_id"
MOST = 5 * attachments.MEGABYTE
BEGINNINGS = ((b"\x89PNG\r\n\x1a\n", "image/png"), (b"\xff\xd8\xff", "image/jpeg"))  # SVG can hold scripts, so never


def media_type_of(begin: bytes) -> str:
    """image/png, image/jpeg or image/webp by the first octets, whatever the file is called; "" for anything else."""
    for mark, media_type in BEGINNINGS:
        if begin.startswith(mark):
            return media_type
    return "image/webp" if begin[:4] == b"RIFF" and begin[8:12] == b"WEBP" else ""


def is_picture_of_its_own(values: Mapping[str, Any], old: Mapping[str, Any] | None) -> dict[str, Fault]:
    """A picture is a file that hangs on this very record (so nobody reads another's by its id), a picture, and small."""
    wanted = values.get(FIELD)
    if wanted is None or wanted == (old or {}).get(FIELD):
        return {}
    of_it = select(StoredFile.sha256, StoredFile.size).join(EntityFile, EntityFile.file_id == StoredFile.id)
    found = db.session.execute(
        of_it.where(StoredFile.id == wanted, EntityFile.entity_id == (old or {}).get("id", 0))
    ).first()
    if found is None:
        return {FIELD: Fault("no_such_record", _("A picture is one of the record's own files. Attach it first."))}
    if found.size > MOST:
        return {FIELD: Fault("bad_image", _("A picture has at most %(most)s MB.", most=MOST // attachments.MEGABYTE))}
    if not media_type_of(_begin(attachments.path_of(found.sha256))):
        return {FIELD: Fault("bad_image", _("This is no PNG, JPEG or WebP picture."))}
    return {}


def give(viewer: Viewer, module: str, id: int, name: str, stream: IO[bytes], channel: Channel) -> int:
    """Make a file the picture of a record, in place of the one it has; gives the file's id. The caller commits.

    Raises Missing, Forbidden, Refused (field "file": too large, no picture).
    """
    before = _before(viewer, module, id)
    stored = attachments.store(viewer, name, stream, "application/octet-stream", MOST)
    stored.media_type = media_type_of(_begin(attachments.path_of(stored.sha256))) or stored.media_type
    db.session.flush()
    attachments.attach(viewer, module, id, stored.id, channel)
    try:
        records.update(viewer, module, id, {FIELD: stored.id}, channel)
    except Refused as refused:  # said where the file was chosen
        raise Refused({"file": [fault for found in refused.faults.values() for fault in found]}) from refused
    if before is not None:
        attachments.detach(viewer, module, id, before, channel)
    return stored.id


def take_away(viewer: Viewer, module: str, id: int, channel: Channel) -> None:
    """Leave a record without picture, and take the file off it. Raises Missing, Forbidden. The caller commits."""
    before = _before(viewer, module, id)
    if before is not None:
        records.update(viewer, module, id, {FIELD: None}, channel)
        attachments.detach(viewer, module, id, before, channel)


def open_picture(viewer: Viewer, module: str, id: int) -> tuple[str, Path]:
    """(media type, where the bytes lie) of a record's picture. Raises Missing, also when the field may not be read."""
    if not has_pictures(modules[module]):
        raise Missing
    file_id = search.one(viewer, module, id, columns=(FIELD,))[FIELD]
    if file_id is None:
        raise Missing
    path = attachments.path_of(attachments.open_file(viewer, file_id)[0].sha256)
    media_type = media_type_of(_begin(path))
    if not media_type:
        raise Missing
    return media_type, path


def has_pictures(module: Module) -> bool:
    """Whether records of this module have pictures."""
    return FIELD in module.declared


def may_give(viewer: Viewer, module: Module) -> bool:
    """Whether the viewer may change pictures in this module; whether this very record is asked by the writing door."""
    return has_pictures(module) and may(viewer, "edit", module) and FIELD in writable(viewer, module)


def _before(viewer: Viewer, module: str, id: int) -> int | None:
    said = modules[module]
    if not has_pictures(said):
        raise Missing
    row = search.one(viewer, module, id, columns=(FIELD,))
    if not may_give(viewer, said):
        raise Forbidden
    before: int | None = row[FIELD]
    return before


def _begin(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(16)
    except FileNotFoundError:
        return b""
