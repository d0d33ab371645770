"""`service.php?class=…Manager`: its description, and its calls. A session stands for an API key and never exceeds it."""

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask import Response, g, render_template, request

from crm import config
from crm.api.rates import CALLS, WRONG, caller_address
from crm.api.soap import bp, describing, envelope, saving
from crm.api.soap.envelope import CrmField, CrmIntegrationWebserviceSession, Fault, Many, PicklistValue
from crm.db import db, only_reading
from crm.engine.module import Module
from crm.engine.permissions import may
from crm.engine.refusals import Conflict, Forbidden, Missing, Refused, Stale, UnknownName
from crm.engine.registry import modules
from crm.identity import api_keys, tokens, viewers
from crm.identity.viewer import Viewer
from crm.modules.intakes.offering import is_offered
from crm.words import _

log = logging.getLogger(__name__)
MOST_BODY = 1_000_000
LIVES = timedelta(hours=1)  # from the last call
PURPOSE = "soap"


@dataclass(frozen=True)
class Method:
    """A call: the names of its arguments (as in the WSDL), what it answers, and who does it."""

    takes: tuple[str, ...]
    gives: str
    run: Callable[..., Any]


def create_session(api_key: str) -> CrmIntegrationWebserviceSession:
    """A session of an API key. Raises Fault for any key that does not hold."""
    address = caller_address()
    key = api_keys.find(api_key.strip(), address)
    if key is None or viewers.of_key(key) is None:
        if WRONG.take(address):
            raise Fault("Client.TooMany", "Too many wrong keys. Try again in a minute.")
        raise Fault("Client.NotAuthenticated", "This API key is wrong, expired or not for this address.")
    g.api_key = key
    return CrmIntegrationWebserviceSession(tokens.issue(PURPOSE, key.id, LIVES))


def destroy_session(_viewer: Viewer, token: str) -> bool:
    """Ends the session."""
    tokens.use(PURPOSE, token)
    return True


def get_crm_fields(viewer: Viewer, _token: str, module: str) -> Many:
    """The fields that may be set in a new record of a module."""
    return Many(CrmField, describing.fields_of(viewer, _module(viewer, module)))


def get_picklist_values(_viewer: Viewer, _token: str, picklist_id: str, language: str) -> Many:
    """The choices of a list."""
    number = int(picklist_id) if picklist_id.isascii() and picklist_id.isdigit() and len(picklist_id) < 19 else 0
    return Many(PicklistValue, describing.values_of(number, language))


def bulk_entity_save(viewer: Viewer, _token: str, module: str, records: str) -> str:
    """New records: the JSON list of their ids."""
    return json.dumps([str(id) for id in saving.save(viewer, _module(viewer, module), records)])


MANAGERS: dict[str, dict[str, Method]] = {
    "sessionManager": {
        "createSession": Method(("apiKey",), "CrmIntegrationWebserviceSession", create_session),
        "destroySession": Method(("session",), "boolean", destroy_session),
    },
    "fieldManager": {"getCrmFields": Method(("session", "module"), "ArrayOfCrmField", get_crm_fields)},
    "picklistManager": {
        "getPicklistValues": Method(("session", "picklist_id", "language"), "ArrayOfPicklistValue", get_picklist_values)
    },
    "entityManager": {"bulkEntitySave": Method(("session", "module", "entities"), "string", bulk_entity_save)},
}


@bp.get("/service.php")
def description() -> Response:
    """The WSDL of a manager."""
    only_reading(True)
    name = request.args.get("class", "")
    if name not in MANAGERS:
        return Response(f"Choose a class: {', '.join(MANAGERS)}.\n", 404, mimetype="text/plain")
    base = (config.current().crm_url or config.current().base_url).rstrip("/")
    address = f"{base}/CrmIntegrationWebservice/service.php?class={name}"
    made = render_template(
        "soap_service.xml", name=name, address=address, methods=MANAGERS[name], namespace=envelope.NAMESPACE
    )
    return Response(made, mimetype="text/xml")


@bp.post("/service.php")
def call() -> Response:
    """One call. Whatever goes wrong is a fault (500, as SOAP 1.1 asks), and then nothing is written."""
    only_reading(False)
    try:
        answered = _run()
        db.session.commit()
        api_keys.touch(g.api_key)  # in a transaction of its own, so not while another is open
        return Response(answered, mimetype="text/xml")
    except Fault as fault:
        code, words = fault.code, str(fault)
    except envelope.Unreadable as fault:
        code, words = "Client", str(fault)
    except Refused as refused:
        code = "Client.Invalid"
        words = " ".join(
            f"{name}: {one.message}" if name else one.message for name, found in refused.faults.items() for one in found
        )
    except (Forbidden, UnknownName, Missing, Conflict, Stale) as fault:
        code, words = (
            "Client.NotPermitted" if isinstance(fault, Forbidden) else "Client",
            str(fault) or "There is no such record.",
        )
    except Exception:
        log.exception("a call by SOAP failed")
        code, words = "Server", "Something went wrong on the server. It has been noted."
    db.session.rollback()
    return Response(envelope.refusal(code, words), 500, mimetype="text/xml")


def _run() -> bytes:
    if (request.content_length or 0) > MOST_BODY:
        raise Fault("Client.TooLarge", f"A message has at most {MOST_BODY:,} octets.")
    data = request.stream.read(MOST_BODY + 1)
    if len(data) > MOST_BODY:
        raise Fault("Client.TooLarge", f"A message has at most {MOST_BODY:,} octets.")
    said = envelope.read(data)
    methods = MANAGERS.get(request.args.get("class", ""), {})
    method = methods.get(said.method)
    if method is None:
        raise Fault("Client", f"There is no such method here. There are: {', '.join(methods) or 'none of this class'}.")
    given = said.arguments + (None,) * (len(method.takes) - len(said.arguments))
    if len(given) > len(method.takes):
        raise Fault("Client", f"{said.method} takes {len(method.takes)} arguments: {', '.join(method.takes)}.")
    texts = [one if isinstance(one, str) else "" for one in given]
    if said.method != "createSession":
        viewer, token = _session(given[0])
        made = method.run(viewer, token, *texts[1:])
    else:
        made = method.run(*texts)
    return envelope.answer(said.method, made)


def _session(said: object) -> tuple[Viewer, str]:
    """Whose session the first argument names; it lives on for an hour. Raises Fault."""
    token = said.get("sessionID", "") if isinstance(said, dict) else ""
    found = tokens.peek(PURPOSE, token) if token else None
    key = api_keys.find_by_id(found.subject_id, caller_address()) if found is not None and found.subject_id else None
    viewer = viewers.of_key(key) if key is not None else None
    if found is None or key is None or viewer is None:
        raise Fault(
            "Client.NotAuthenticated", "There is no such session, or it has ended. Call createSession with an API key."
        )
    g.api_key = key
    if CALLS.take(str(key.id)):
        raise Fault("Client.TooMany", "Too many calls. Try again in a minute.")
    tokens.extend(found, LIVES)
    return viewer, token


def _module(viewer: Viewer, name: str) -> Module:
    """A module by its name in the interface ("Leads", "Potentials"). Raises Fault."""
    key = name.strip().lower()
    if key in modules and is_offered(viewer, modules[key]):
        return modules[key]
    if key in modules and not may(viewer, "create", modules[key]):
        raise Fault("Client.NotPermitted", _("This is not permitted for this key."))
    raise Fault("Client.NotFound", f"There is no module {name[:40]!r} for this interface.")
