"""/o the picture of a mail, /c its links, /seen a gesture on a page they led to. Unknown tokens get the same picture, or the neutral page; nothing is told."""

from flask import Response, redirect, request

from crm.agents import MOST, is_loading_ahead
from ecp.measuring import Request, follow, note_gesture, note_open
from ecp.web.public import Unknown, bp, source, writing

GIF = b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"


def seen() -> Request:
    """What is known of the present request."""
    said = request.headers
    return Request(
        said.get("User-Agent", "")[:MOST],
        request.method,
        source(),
        bool(said.get("Accept", "").strip()),
        is_loading_ahead(said),
    )


@bp.get("/o/<token>.gif")
@writing
def pixel(token: str) -> Response:
    """Always the same 1x1 picture."""
    note_open(token, seen())
    answer = Response(GIF, mimetype="image/gif")
    answer.headers["Cache-Control"] = "no-store, no-cache, must-revalidate, private"
    return answer


@bp.post("/seen/<token>")
@writing
def gesture(token: str) -> Response:
    """A person moved on a page of ours; an unknown token gets the same answer."""
    note_gesture(token, seen())
    return Response(status=204)


@bp.get("/c/<token>/<int:number>")
@writing
def click(token: str, number: int) -> Response:
    """To the target that was stored when the mail was sent, and to no other."""
    target = follow(token, number, seen()) if number < 2**31 else None
    if target is None:
        raise Unknown
    if not target:
        return Response(status=204)
    return redirect(target, 302)  # type: ignore[return-value]
