"""POST /api/v1/<kind of event>/<public name>/registrations: somebody registers by another site, which calls with an API key.

The rules are those of the public form: the same window, seats, questions, consent and neutral answer. The key's user must be
allowed to make attendees.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from flask import Blueprint, Response
from werkzeug.datastructures import MultiDict

from crm import config
from crm.api import errors
from crm.api.auth import authenticate, finish, viewer
from crm.api.errors import BadRequest
from crm.api.idempotency import once
from crm.api.rest.answers import answer, error
from crm.api.rest.asked import attributes, body, ids_of, only
from crm.engine.permissions import demand
from crm.engine.refusals import Conflict, Fault, Missing, Refused
from crm.modules.events import kinds, public
from crm.modules.events.kinds import Event
from crm.ui.i18n import LANGUAGES
from crm.words import _, speaking
from self_service_portal import entering
from self_service_portal.entering import Entry
from self_service_portal.web import facing

bp = Blueprint("registration_api", __name__, url_prefix="/api/v1")
bp.before_request(authenticate)
bp.after_request(finish)
errors.register(bp)

KNOWN = (*public.SAID, "phone", "company", "language", "sub_event_ids", "answers", "agrees", "takes_spare")


@bp.post("/<any(invitation_events,mass_events):key>/<string:slug>/registrations")
@once
def register(key: str, slug: str) -> Response:
    """Register somebody from your own site: {"first_name", "last_name", "email", "phone", "company", "language", "sub_event_ids",
    "answers": {name of the question: value, list, or {row: value}}, "agrees", "takes_spare"}.

    Answers 201 with the status that a new registration gets: joined, held (a mail asks to confirm) or spare; 409 with
    registration_not_open, registration_closed, event_cancelled, event_full or only_spare.
    """
    demand(viewer(), "create", "attendees")
    portal = facing.demand_portal()
    event = kinds.by_slug(slug) if len(slug) <= 40 else None
    if event is None or event.module != key or not facing.has_page(event):
        raise Missing
    said = only(attributes(body(), key), *KNOWN)
    language = said.get("language") or event.language or config.current().locale
    if language not in LANGUAGES:
        raise BadRequest(f"“language” is one of: {', '.join(LANGUAGES)}.", "language", 422, "not_in_list")
    with speaking(language):
        given = _registered(event, said, language, bool(portal.privacy_url or portal.terms_url))
    if given.status == "full":
        raise Conflict(_("All seats and spare places are taken."), "event_full")
    return answer({"data": {"type": "registrations", "id": slug, "attributes": {"status": given.status}}}, 201)


@bp.errorhandler(facing.Closed)
def closed(_closed: facing.Closed) -> Response:
    """While the portal is closed, nobody registers through it."""
    return error(503, "portal_closed", "The portal is not active.")


def _registered(event: Event, said: dict[str, Any], language: str, asks_consent: bool) -> public.Answer:
    """Raises Refused with all that is wrong, by attribute; else as public.register does."""
    texts = {name: str(said[name]) for name in (*public.SAID, "phone", "company") if said.get(name) is not None}
    faults: dict[str, list[Fault]] = {}
    try:
        who: dict[str, Any] = dict(public.check(texts))
    except Refused as refused:
        who, faults = dict(texts), {name: list(found) for name, found in refused.faults.items()}
    posted = MultiDict([*_typed(said.get("answers")), *(("part", str(id)) for id in ids_of(said, "sub_event_ids"))])
    entry = entering.read(event, language, posted, None, who)
    if asks_consent and said.get("agrees") is not True:
        faults["agrees"] = [Fault("required", _("Please tick that you have read this."))]
    faults |= _faults_of(entry, posted, faults)
    if faults:
        raise Refused(faults)
    more = {name: texts[name] for name in ("phone", "company") if name in texts}
    takes_spare = not event.ask_before_spare or said.get("takes_spare") is True
    return entering.register_anybody(
        entry, who | more | {"language": language}, takes_spare=takes_spare, facts={"source": "api"}
    )


def _faults_of(entry: Entry, posted: MultiDict[str, str], known: Mapping[str, Any]) -> dict[str, list[Fault]]:
    """What is wrong with parts and answers, under the names that the caller used."""
    found = {
        "sub_event_ids" if name == "parts" else name: [Fault("bad_value", sentence)]
        for name, sentence in entry.faults.items()
        if name not in known
    }
    if entry.answers is None:
        if any(name.startswith("q.") for name in posted):
            found["answers"] = [Fault("unknown", _("This event asks no questions."))]
        return found
    for name in entry.answers.unknown:
        said = name.split(".")[1]
        found[f"answers/{said}"] = [Fault("unknown", _("There is no question “%(name)s” here.", name=said[:60]))]
    for name, sentence in entry.answers.faults.items():
        if name not in entering.WHO:
            was_sent = any(one.split(".")[1] == name for one in entry.answers.typed)
            found[f"answers/{name}"] = [Fault("bad_value" if was_sent else "required", sentence)]
    return found


def _typed(answers: Any) -> Iterator[tuple[str, str]]:
    """Answers as a form would have sent them. Raises BadRequest."""
    if answers is None:
        return
    if not isinstance(answers, dict):
        raise BadRequest(
            "“answers” is an object: the name of the question, and its value.", "answers", 422, "bad_value"
        )
    for name, value in answers.items():
        for part, one in value.items() if isinstance(value, dict) else [("", value)]:
            for text in one if isinstance(one, list) else [one]:
                if isinstance(text, dict | list):
                    raise BadRequest(f"The answer to “{name}” is nested too deep.", "answers", 422, "bad_value")
                if text is not None and text is not False:
                    yield f"q.{name}.{part}" if part else f"q.{name}", "yes" if text is True else str(text)
