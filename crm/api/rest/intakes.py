"""Forms of other sites by API: what a key may hand in, the handing in (once each, for good), and which have arrived.

A key needs the right to create in the module and nothing else: one that is stolen from a site reads no record.
"""

from datetime import datetime
from typing import Any

from flask import Response

from crm.api.auth import viewer
from crm.api.errors import BadRequest
from crm.api.idempotency import once
from crm.api.rest import bp
from crm.api.rest.answers import answer
from crm.api.rest.asked import body, only
from crm.engine.refusals import UnknownName
from crm.engine.registry import modules
from crm.modules.intakes import offering, taking

MOST_NAMES = 1000
PARTS = ("submission", "module", "values", "fills", "campaign_id", "visitor", "consent", "sent_at")


@bp.get("/intakes/modules")
def intake_modules() -> Response:
    """The modules that this key may create records in."""
    found = offering.offered(viewer())
    return answer({"data": [{"type": "intake_modules", "id": one.pop("key"), "attributes": one} for one in found]})


@bp.get("/intakes/modules/<key>")
def intake_fields(key: str) -> Response:
    """The fields of a module that this key may set, with kind, required, choices; by label."""
    if key not in modules or not offering.is_offered(viewer(), modules[key]):
        raise UnknownName("module", key)
    found = offering.fields_of(viewer(), modules[key])
    return answer({"data": [{"type": "intake_fields", "id": one.pop("name"), "attributes": one} for one in found]})


@bp.post("/intakes")
@once
def take_intake() -> Response:
    """Hand in a filled form: {"submission", "module", "values", "fills", "campaign_id", "visitor", "consent", "sent_at"}.

    `submission` is the site's own name for it: the same again, with whatever else, answers what came of the first one (200).
    """
    said = only(body(), *PARTS)
    values = said.get("values")
    if not isinstance(values, dict):
        raise BadRequest("“values” is an object of field names and values.", "values", 422, "bad_value")
    for name in ("submission", "module", "visitor"):
        if not isinstance(said.get(name) or "", str):
            raise BadRequest(f"“{name}” is a text.", name, 422, "bad_value")
    campaign = said.get("campaign_id")
    if campaign is not None and (type(campaign) is not int or campaign < 1):
        raise BadRequest("“campaign_id” is an id.", "campaign_id", 422, "bad_ids")
    taken = taking.take(viewer(), taking.Submission(
        name=said.get("submission") or "", module=said.get("module") or "", values=values,
        fills=said.get("fills") is True, campaign_id=campaign, visitor=said.get("visitor") or "",
        consent=_consent(said.get("consent")), sent_at=_moment(said.get("sent_at")),
    ))  # fmt: skip
    meta = {"is_new": taken.is_new, "is_again": taken.is_again}
    found = None if taken.record_id is None else {"type": taken.module, "id": str(taken.record_id)}
    return answer({"data": found, "meta": meta}, 200 if taken.is_again else 201)


@bp.post("/intakes/checks")
def check_intakes() -> Response:
    """Which of these were taken: {"submissions": [names]} → {name: id of the record}. Writes nothing."""
    names = only(body(), "submissions").get("submissions")
    if not isinstance(names, list) or len(names) > MOST_NAMES or not all(isinstance(one, str) for one in names):
        raise BadRequest(f"“submissions” is a list of at most {MOST_NAMES:,} names.", status=422, code="bad_value")
    found = taking.found_among(viewer(), names)
    return answer({"meta": {"found": {name: None if id is None else str(id) for name, id in found.items()}}})


def _consent(said: Any) -> taking.Consent | None:
    if said is None:
        return None
    if not isinstance(said, dict) or set(said) - {"wording", "source", "double"}:
        raise BadRequest("“consent” is an object with wording, source, double.", "consent", 422, "bad_value")
    return taking.Consent(
        str(said.get("wording") or "")[:2000], str(said.get("source") or "")[:100], said.get("double") is True
    )


def _moment(raw: Any) -> datetime | None:
    if raw is None:
        return None
    try:
        found = datetime.fromisoformat(str(raw).replace("Z", "+00:00"))
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise BadRequest(
            "“sent_at” is a moment with its zone, such as 2026-11-30T14:05:00Z.", "sent_at", 422, "bad_date"
        )
    return found
