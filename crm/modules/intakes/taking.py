"""A submission of another site becomes a record: once, with its campaign, its consent and the browser it came from.

What a stranger typed never overwrites what is known (decisions.md 17): a known person's empty fields are filled, no others.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from crm import clock
from crm.db import db, fold
from crm.engine import outbox, records
from crm.engine.channels import Channel
from crm.engine.module import Module
from crm.engine.permissions import demand, may, scope, writable
from crm.engine.refusals import Conflict, Fault, Refused, UnknownName
from crm.engine.registry import modules
from crm.identity.viewer import Viewer
from crm.modules.campaigns import members
from crm.modules.intakes.offering import PEOPLE, is_offered
from crm.modules.intakes.tables import Intake
from crm.modules.opt_ins import asking
from crm.modules.people import Choice
from crm.modules.rules import key_of_email
from crm.words import _

TABLE = Intake.__table__
NAME = re.compile(r"[A-Za-z0-9_.:-]{8,80}")
VISITOR = re.compile(r"[A-Za-z0-9_-]{22}")
NOTHING = (None, "", "none", "unknown")


@dataclass(frozen=True)
class Consent:
    """What its person agreed to. `double`: the address is asked by mail before it counts."""

    wording: str
    source: str
    double: bool = False


@dataclass(frozen=True)
class Submission:
    """One filled form. `name`: the site's own, used once. `visitor`: the id in the tracking cookie, "" when there is none."""

    name: str
    module: str
    values: Mapping[str, Any]
    fills: bool = False
    campaign_id: int | None = None
    visitor: str = ""
    consent: Consent | None = None
    sent_at: datetime | None = None


@dataclass(frozen=True)
class Taken:
    """What came of it. `is_again`: it was taken before, nothing happened now."""

    module: str
    record_id: int | None
    is_new: bool
    is_again: bool = field(default=False)


def take(viewer: Viewer, said: Submission, channel: Channel = Channel.API) -> Taken:
    """Take a submission in. Raises Refused (by field), Forbidden, Conflict (it is being taken just now). The caller commits."""
    if not NAME.fullmatch(said.name):
        raise Refused(submission=Fault("bad_value", _("The name of a submission has 8 to 80 plain characters.")))
    caller = caller_of(viewer)
    if (known := _known(caller, said.name)) is not None:
        return known
    module = _module(viewer, said.module)
    _demand_fields(viewer, module, said.values)
    row = {"caller": caller, "submission": said.name, "module": module.key, "is_new": True, "created_at": clock.now()}
    try:
        with db.session.begin_nested():
            db.session.execute(insert(TABLE).values(row))
    except IntegrityError:
        known = _known(caller, said.name)
        if known is None:
            raise Conflict(_("This submission is being taken just now."), "in_progress") from None
        return known
    viewer = _writer(viewer, module)
    values = _with_campaign(viewer, module, said)
    found = _person(viewer, module, said)
    if found is None:
        id = records.create(viewer, module, values | _consent_of(module, said.consent, {}), channel)
    else:
        id = found["id"]
        _fill(viewer, module, found, values, said.consent, channel)
    mine = (TABLE.c.caller == caller, TABLE.c.submission == said.name)
    db.session.execute(TABLE.update().where(*mine).values(record_id=id, is_new=found is None))
    _afterwards(viewer, module, id, said, channel)
    return Taken(module.key, id, found is None)


def _writer(viewer: Viewer, module: Module) -> Viewer:
    """The viewer as the writing door needs him: it knows no field that cannot be read. Nothing read is answered here, so a key
    needs no right to read; those of its user hold."""
    if viewer.scopes is None:
        return viewer
    held = viewer.scopes.get(module.key, viewer.scopes.get("*", frozenset()))
    return replace(viewer, scopes={**viewer.scopes, module.key: held | {"view"}})


def found_among(viewer: Viewer, names: list[str]) -> dict[str, int | None]:
    """Which of the submissions named were taken from this caller: name → id of the record (None: it was erased since)."""
    said = select(TABLE.c.submission, TABLE.c.record_id)
    said = said.where(TABLE.c.caller == caller_of(viewer), TABLE.c.submission.in_(names))
    return {row.submission: row.record_id for row in db.session.execute(said)}


def caller_of(viewer: Viewer) -> str:
    """Whose submissions these are. The user, not the key: a site that gets a new key goes on where it was."""
    return f"user:{viewer.id}"


def _known(caller: str, name: str) -> Taken | None:
    said = select(TABLE).where(TABLE.c.caller == caller, TABLE.c.submission == name)
    row = db.session.execute(said).first()
    return None if row is None else Taken(row.module, row.record_id, row.is_new, is_again=True)


def _module(viewer: Viewer, key: str) -> Module:
    if key not in modules:
        raise Refused(module=Fault("unknown", _("There is no module “%(key)s”.", key=key)))
    demand(viewer, "create", key)
    if not is_offered(viewer, modules[key]):
        raise Refused(module=Fault("unknown", _("Forms cannot be handed in to “%(key)s”.", key=key)))
    return modules[key]


def _demand_fields(viewer: Viewer, module: Module, values: Mapping[str, Any]) -> None:
    """Raises Refused for fields that are gone or may not be set: each by its name, all at once."""
    allowed = writable(viewer, module)
    faults: dict[str, list[Fault]] = {}
    for name in values:
        try:
            is_open = module.resolve(name) in allowed
        except UnknownName:
            faults[name] = [Fault("unknown", _("There is no field “%(name)s” (any more).", name=name))]
            continue
        if not is_open:
            faults[name] = [Fault("read_only", _("This field cannot be set."))]
    if faults:
        raise Refused(faults)


def _with_campaign(viewer: Viewer, module: Module, said: Submission) -> dict[str, Any]:
    values = {module.resolve(name): value for name, value in said.values.items()}
    if said.campaign_id and "campaign_id" in writable(viewer, module) and not values.get("campaign_id"):
        values["campaign_id"] = said.campaign_id
    return values


def _person(viewer: Viewer, module: Module, said: Submission) -> dict[str, Any] | None:
    """The oldest live record of that address which the caller may change; None when a new one is wanted."""
    key = key_of_email(str(said.values.get("email") or ""))
    if not said.fills or module.key not in PEOPLE or key is None or not may(viewer, "edit", module):
        return None
    table = module.table
    mine = select(table).where(fold(table.c.email_key) == fold(key), table.c.deleted_at.is_(None))
    if "converted_at" in table.c:
        mine = mine.where(table.c.converted_at.is_(None))
    if (narrowing := scope(viewer, module, "edit")) is not None:
        mine = mine.where(narrowing)
    row = db.session.execute(mine.order_by(table.c.id).limit(1)).mappings().first()
    return None if row is None else dict(row)


def _fill(
    viewer: Viewer,
    module: Module,
    row: Mapping[str, Any],
    values: Mapping[str, Any],
    consent: Consent | None,
    channel: Channel,
) -> None:
    empty = {}
    for name, value in values.items():
        held = row["extra"].get(name) if module.field(name).custom else row[name]
        if held in NOTHING and value not in (None, "", ()):
            empty[name] = value
    changes = empty | _consent_of(module, consent, row)
    if changes:
        records.update(viewer, module, row["id"], changes, channel)


def _consent_of(module: Module, consent: Consent | None, row: Mapping[str, Any]) -> dict[str, Any]:
    """The marks of an agreement on a web form. Who refused before has not agreed by a form that anybody can fill in."""
    if consent is None or consent.double or module.key not in PEOPLE or row.get("email_opt_in") not in NOTHING:
        return {}
    return {"email_opt_in": "single_webform", "email_opt_in_source": consent.source[:120]}


def _afterwards(viewer: Viewer, module: Module, id: int, said: Submission, channel: Channel) -> None:
    if module.key in PEOPLE:
        if said.campaign_id:
            chosen = Choice(contact_ids=[id]) if module.key == "contacts" else Choice(lead_ids=[id])
            members.change(viewer, said.campaign_id, chosen, channel, way="api")
        if said.consent is not None and said.consent.double:
            _ask(said, said.consent)
        if VISITOR.fullmatch(said.visitor):
            at = (said.sent_at or clock.now()).isoformat()
            outbox.put(db.session, "web.introduce", visitor=said.visitor, person_id=id, module=module.key, at=at)


def _ask(said: Submission, consent: Consent) -> None:
    first, last, email = (str(said.values.get(name) or "") for name in ("first_name", "last_name", "email"))
    if email:
        wording = consent.wording or consent.source
        asking.ask(asking.Request(email, wording, consent.source, first_name=first, last_name=last))
