"""Files of a record: list and add (multipart, 25 MB)."""

from flask import Response, request

from crm.api.auth import viewer
from crm.api.errors import BadRequest
from crm.api.idempotency import once
from crm.api.rest import bp
from crm.api.rest.answers import answer
from crm.api.rest.resources import module_of
from crm.engine import attachments
from crm.engine.attachments import MOST, StoredFile
from crm.engine.channels import Channel
from crm.engine.refusals import Refused


def _file(one: StoredFile) -> dict[str, object]:
    said = {"name": one.name, "size": one.size, "media_type": one.media_type, "created_at": one.created_at.isoformat()}
    return {"type": "files", "id": str(one.id), "attributes": said, "links": {"self": f"/crm/files/{one.id}"}}


@bp.get("/<key>/<int:id>/files")
def files(key: str, id: int) -> Response:
    """The files of a record."""
    return answer({"data": [_file(one) for one in attachments.files_of(viewer(), module_of(key).key, id)]})


@bp.post("/<key>/<int:id>/files")
@once
def add_file(key: str, id: int) -> Response:
    """Hang a file on a record: multipart with a part called `file`."""
    module = module_of(key)
    if key == "users":
        raise BadRequest("Users carry no files.", status=501, code="not_implemented")
    if request.content_length and request.content_length > MOST + 64 * 1024:
        raise BadRequest(f"The limit of a file is {MOST // 1024 // 1024} MB.", status=413, code="file_too_large")
    part = request.files.get("file")
    if part is None or not part.filename:
        raise Refused.because("required", "Send the file as the part “file” of a multipart form.", "file")
    try:
        made = attachments.store(viewer(), part.filename, part.stream, part.mimetype)
    except Refused as refused:
        if any(fault.code == "file_too_large" for found in refused.faults.values() for fault in found):
            raise BadRequest(str(refused).removeprefix("file: "), "file", status=413, code="file_too_large") from None
        raise
    finally:
        part.close()
    attachments.attach(viewer(), module.key, id, made.id, Channel.API)
    return answer({"data": _file(made)}, 201)
