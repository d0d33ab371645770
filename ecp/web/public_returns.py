"""/returns: where other mail servers and providers hand over bounces and complaints. Signed, POST only, the same answer twice."""

from flask import Response, jsonify, request

from ecp.bounces import hook
from ecp.bounces.taking import take_in
from ecp.web.public import bp, writing

MOST_OCTETS = 1024 * 1024


@bp.post("/returns")
@writing
def returns() -> Response:
    """Take in what is signed; what was taken in before changes nothing."""
    request.max_content_length = MOST_OCTETS
    body = request.get_data(cache=False)
    if not hook.is_signed(request.headers.get("X-Customerhub-Signature", ""), body):
        return _say(401, "not signed, or not now")
    try:
        came = hook.read_body(request.mimetype, body)
    except hook.BadCall as bad:
        return _say(400, str(bad))
    count = take_in(came)
    return jsonify({"taken": count, "known": len(came) - count})


def _say(status: int, sentence: str) -> Response:
    answer = jsonify({"error": sentence})
    answer.status_code = status
    return answer
