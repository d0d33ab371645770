"""Files that came with a request as parts `file` of a multipart form."""

from flask import request

from crm.api.auth import viewer
from crm.api.errors import BadRequest
from crm.engine import attachments
from crm.engine.attachments import MOST
from crm.engine.refusals import Refused

MOST_FILES = 10


def kept_files() -> list[int]:
    """Store them; gives their ids. Raises BadRequest (too many 422, too large 413), Refused (a program)."""
    sent = [one for one in request.files.getlist("file") if one.filename]
    if len(sent) > MOST_FILES:
        raise BadRequest(f"At most {MOST_FILES} files at once.", "file", 422, "too_many")
    try:
        return [attachments.store(viewer(), one.filename or "", one.stream, one.mimetype or "").id for one in sent]
    except Refused as refused:
        if any(fault.code == "file_too_large" for found in refused.faults.values() for fault in found):
            limit = f"The limit of a file is {MOST // 1024 // 1024} MB."
            raise BadRequest(limit, "file", status=413, code="file_too_large") from None
        raise
    finally:
        for one in sent:
            one.close()
