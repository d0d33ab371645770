"""Comments of tickets by API: said as on the screen, with the same rights, rules of states and mails."""

from typing import Any

from flask import Response, request

from crm.api.auth import viewer
from crm.api.errors import BadRequest
from crm.api.idempotency import once
from crm.api.rest import bp
from crm.api.rest.answers import answer, resource
from crm.api.rest.asked import body, only
from crm.api.rest.sent_files import kept_files
from crm.engine import attachments, search
from crm.engine.channels import Channel
from crm.engine.registry import modules
from crm.engine.rows import Row
from crm.modules.rules import demand_record
from crm.modules.tickets import commenting
from crm.ui.downloads import as_download

MOST_COMMENTS = 200
COLUMNS = (
    "at",
    "visibility",
    "author",
    "author_name",
    "user_id",
    "contact_id",
    "text",
    "source",
    "flag",
    "note",
    "removed_at",
)
SAID = ("text", "visibility", "status")


@bp.post("/tickets/<int:id>/comments")
@once
def add_comment(id: int) -> Response:
    """Comment on a ticket: {"text", "visibility": "public" (mailed to the customer) | "internal", "status"}; files as parts `file` of a multipart form.

    Files come as multipart with the same names as fields. Without "visibility" it is internal: nothing leaves by mistake.
    """
    demand_record(viewer(), "tickets", id, "view")
    said = _said()
    commenting.checked(said["text"])
    made = commenting.say(
        viewer(), id, said["text"], said["visibility"], Channel.API, file_ids=kept_files(), status=said["status"]
    )
    return answer({"data": _comment(search.one(viewer(), "ticket_comments", made), id)}, 201)


def _said() -> dict[str, str]:
    if request.mimetype == "multipart/form-data":
        given: dict[str, Any] = only(request.form.to_dict(), *SAID)
    else:
        given = only(body(), *SAID)
    found = {
        "text": given.get("text", ""),
        "visibility": given.get("visibility", "internal"),
        "status": given.get("status") or "",
    }
    for name, value in found.items():
        if not isinstance(value, str):
            raise BadRequest(f"“{name}” is a text.", name, 422, "bad_value")
    return found


def _comment(row: Row, ticket_id: int) -> dict[str, Any]:
    """A comment as a resource; its files stand in `meta`."""
    made, place = resource(modules["ticket_comments"], row), f"/api/v1/tickets/{ticket_id}/files"
    files = [
        {"id": str(one.id), "name": one.name, "size": one.size, "self": f"{place}/{one.id}"}
        for one in commenting.files_of([row.id]).get(row.id, [])
    ]
    return made | {"meta": {**made.get("meta", {}), "files": files}}


@bp.get("/tickets/<int:id>/comments")
def comments(id: int) -> Response:
    """The conversation of a ticket with its files, oldest first; at most 200, all of them by /ticket_comments?filter=…."""
    demand_record(viewer(), "tickets", id, "view")
    said: dict[str, Any] = {"columns": COLUMNS, "sort": ("at",), "limit": MOST_COMMENTS}
    found = search.find(viewer(), "ticket_comments", where={"$eq": ["ticket_id", id]}, **said)
    return answer({"data": [_comment(row, id) for row in found]})


@bp.get("/tickets/<int:id>/files/<int:file_id>")
def comment_file(id: int, file_id: int) -> Response:
    """A file that came with a comment, as a download."""
    found = commenting.file_of(viewer(), id, file_id)
    return as_download(attachments.path_of(found.sha256), found.name)
