"""The file of a template: checked, kept, and the one before it let go."""

import io
from typing import IO

from crm.db import db
from crm.documents import fonts, names, package, templates
from crm.engine import attachments, records, search
from crm.engine.attachments import MEGABYTE, MOST
from crm.engine.channels import Channel
from crm.engine.permissions import demand
from crm.engine.refusals import Missing, Refused
from crm.engine.registry import modules
from crm.identity.viewer import Viewer
from crm.words import _


def keep(viewer: Viewer, template_id: int, name: str, stream: IO[bytes]) -> int:
    """Make a file the file of a template; gives its id. The caller commits.

    Raises Refused at "file" (bad_template, file_too_large) with what is wrong, Missing, Forbidden.
    """
    demand(viewer, "edit", templates.KEY)
    template = search.one(viewer, templates.KEY, template_id)
    data = stream.read(MOST + 1)
    if len(data) > MOST:
        said = _("“%(name)s” is larger than %(limit)s MB, the limit.", name=name, limit=MOST // MEGABYTE)
        raise Refused.because("file_too_large", said, "file")
    held = package.read(name, data)
    names.check(held, templates.shape_for(modules[template["module"]]))
    return _store(viewer, template, attachments.plain_name(name), held)


def _store(viewer: Viewer, template: search.Row, name: str, held: package.Package) -> int:
    stream = io.BytesIO(held.with_parts({}))
    stored = attachments.store(viewer, name, stream, package.MEDIA_TYPES[held.format])
    attachments.attach(viewer, templates.KEY, template.id, stored.id, Channel.FORM)
    changes = {
        "file_id": stored.id,
        "format": held.format,
        "file_version": template["file_version"] + 1,
        "layout": None,
    }
    changes["fonts"] = fonts.kept(fonts.named(held))
    records.update(viewer, templates.KEY, template.id, changes, Channel.SYSTEM)
    if template["file_id"] is not None:
        attachments.detach(viewer, templates.KEY, template.id, template["file_id"], Channel.FORM)
    return int(stored.id)


def opened(template: search.Row) -> package.Package:
    """The file of a template. Raises Missing, Refused when it is gone or damaged."""
    stored = template["file_id"] and _stored(template["file_id"])
    if not stored:
        raise Missing
    try:
        data = attachments.path_of(stored.sha256).read_bytes()
    except FileNotFoundError:
        raise Missing from None
    return package.read(f"x.{template['format']}", data)


def _stored(file_id: int) -> attachments.StoredFile | None:
    found: attachments.StoredFile | None = db.session.get(attachments.StoredFile, file_id)
    return found
