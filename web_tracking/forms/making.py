"""What is made of a submission: a lead, contact or account through the writing door, or what was empty of one that is known.

A value that the CRM does not take is listed with the submission, and the rest is written; where nothing can be written the
submission says why, and can be tried again. Committed together with the end of its job: a repeated job makes nothing twice.
"""

import logging
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.exc import DBAPIError

from crm import clock, config
from crm.db import db, fold
from crm.engine import history, outbox, records, search
from crm.engine.attachments import EntityFile
from crm.engine.channels import Channel
from crm.engine.outbox import Progress, task
from crm.engine.refusals import Forbidden, Missing, Refused, UnknownName
from crm.engine.registry import modules
from crm.identity.viewer import SYSTEM
from crm.modules.campaigns import members
from crm.modules.contacts.resolve import Person, people_of, resolve
from crm.modules.opt_ins import asking
from crm.modules.people import Choice
from crm.words import _, speaking
from web_tracking.forms import telling, touching
from web_tracking.forms.design import Design, load
from web_tracking.forms.keeping import FILES, SUBMISSIONS
from web_tracking.forms.making_troubles import Troubles

log = logging.getLogger(__name__)
CHANNEL = Channel.WEBSITE_FORM
PEOPLE = ("contacts", "leads")
Row = Mapping[str, Any]


@task("forms.make")
def make(_progress: Progress | None, submission_id: int) -> str:
    """Settle one submission; nothing when that was done."""
    said = select(SUBMISSIONS).where(SUBMISSIONS.c.id == submission_id).with_for_update()
    row = db.session.execute(said).mappings().first()
    if row is None or row["outcome"] != "waiting":
        return "nothing to do"
    with speaking(config.current().locale):
        return _settle(dict(row))


def again(submission_id: int) -> bool:
    """Let a submission that failed, was suspected or left something out be tried (again). False when there is nothing to try.

    The caller has asked whether that may be, and commits."""
    table = SUBMISSIONS
    can = table.c.outcome.in_(("failed", "suspected", "waiting")) | (table.c.outcome.in_(("made", "known")))
    said = update(table).where(table.c.id == submission_id, can).values(outcome="waiting", reason=None, settled_at=None)
    if not db.session.execute(said).rowcount:  # type: ignore[attr-defined]
        return False
    outbox.put(db.session, "forms.make", submission_id=submission_id)
    return True


def _settle(row: Row) -> str:
    troubles = Troubles()
    values: dict[str, Any] = {"tried_count": row["tried_count"] + 1, "settled_at": clock.now(), "reason": None}
    design: Design | None = None
    try:
        with db.session.begin_nested():
            design = load(row["form_id"], row["language"])
            module, id, is_new = _record(design, row, troubles)
            _beside(design, row, module, id, troubles)
        values |= {"outcome": "made" if is_new else "known", "person_id": id if module in PEOPLE else None,
                   "account_id": id if module == "accounts" else None}  # fmt: skip
    except Missing:
        values |= {"outcome": "failed", "reason": _("The form, or the record it made, was deleted.")}
    except (Refused, Forbidden, UnknownName) as refused:
        values |= {"outcome": "failed", "reason": _why(refused)[:500]}
    except DBAPIError:
        raise  # the job is run again
    except Exception as fault:
        log.exception("a submission could not be settled", extra={"submission": row["id"]})
        values |= {"outcome": "failed", "reason": _("The CRM had a fault: %(fault)s", fault=type(fault).__name__)}
    values["troubles"] = troubles.found
    db.session.execute(update(SUBMISSIONS).where(SUBMISSIONS.c.id == row["id"]).values(values))
    if design is not None:
        telling.tell(design, {**row, **values})
    return str(values["outcome"])


def _why(refused: Exception) -> str:
    if isinstance(refused, Refused):
        return refused.sentences
    return str(refused)


# the record


def _record(design: Design, row: Row, troubles: Troubles) -> tuple[str, int, bool]:
    """(module, id, is it new): the record of a submission, written."""
    entity = str(design.row["entity"])
    values = _values(design, row, troubles)
    before = row["person_id"] or row["account_id"]
    if before is not None:  # made by an earlier try: what was left out then is filled in
        known = _module_of(before)
        return known, _fill(known, before, values, troubles), False
    if entity not in PEOPLE:
        found = _account(values)
        if found is not None:
            return entity, _fill(entity, found, values, troubles), False
        return entity, _create(entity, values | _given(design, entity), troubles), True
    email = values.pop("email", None)
    known_people = people_of(email) if email else []
    if known_people:
        person = known_people[0]
        _fill(person.module, person.id, values, troubles)
        _note_consent(design, row, person)
        history.note_events(SYSTEM, modules[person.module], [person.id], "website form", CHANNEL, clock.now())
        return person.module, person.id, False
    values |= _given(design, entity) | _agreed(design, row)
    if not email:
        return entity, _create(entity, values, troubles), True

    def write(left: dict[str, Any]) -> int:
        made = resolve(SYSTEM, str(email), CHANNEL, left, make=entity)
        if made is None:  # it makes one when it is told what
            raise Missing
        return made.person.id

    return entity, troubles.written(write, values), True


def _values(design: Design, row: Row, troubles: Troubles) -> dict[str, Any]:
    """What the form's fields were filled with; what the CRM has no field for (any more) is a trouble."""
    values = {}
    for asked in design.asked:
        said = row["said"].get(asked.name)
        if said in (None, "", []):
            continue
        if asked.field is None:
            troubles.add(asked.label, _("The CRM has no such field any more."))
        else:
            values[asked.name] = [said] if asked.kind == "multi" and isinstance(said, str) else said
    return values


def _given(design: Design, entity: str) -> dict[str, Any]:
    """What every new record of the form gets."""
    form, fields = design.row, modules[entity].fields
    given = {
        "owner_id": form["new_owner_id"] or form["owner_id"], "lead_source": form["lead_source"],
        "contact_type": form["contact_type"], "account_type": form["account_type"], "campaign_id": form["campaign_id"],
        "language": design.language,
    }  # fmt: skip
    return {name: value for name, value in given.items() if value and name in fields}


def _create(entity: str, values: dict[str, Any], troubles: Troubles) -> int:
    if entity in PEOPLE and not values.get("last_name"):
        values = values | {"last_name": values.get("company") or values.get("first_name")}
    return troubles.written(lambda left: records.create(SYSTEM, entity, left, CHANNEL), values)


def _fill(module: str, id: int, values: Mapping[str, Any], troubles: Troubles) -> int:
    """Fill what is empty of a known record; what is there is never overwritten, what it has no field for stays with the form."""
    wanted = {}
    for name, value in values.items():
        try:
            wanted[modules[module].resolve(name)] = value
        except UnknownName:
            continue
    row = search.one(SYSTEM, module, id, columns=list(wanted) or None)
    empty = {name: value for name, value in wanted.items() if row[name] in (None, "", ())}
    if empty:
        troubles.written(lambda left: _update(module, id, left), empty)
    return id


def _update(module: str, id: int, left: dict[str, Any]) -> int:
    if left:
        records.update(SYSTEM, module, id, left, CHANNEL)
    return id


def _account(values: Mapping[str, Any]) -> int | None:
    """The account with this address; without one, with this name."""
    table = modules["accounts"].table
    name = "email" if values.get("email") else "name"
    if not values.get(name):
        return None
    said = select(table.c.id).where(
        fold(table.c[name]) == fold(str(values[name]).strip()), table.c.deleted_at.is_(None)
    )
    found: int | None = db.session.execute(said.order_by(table.c.id).limit(1)).scalar()
    return found


def _module_of(id: int) -> str:
    from crm.db import Entity

    cards = Entity.__table__
    said = select(cards.c.module).where(cards.c.id == id, cards.c.deleted_at.is_(None))
    found: str | None = db.session.execute(said).scalar()
    if found is None:
        raise Missing
    return found


# consent


def _agreed(design: Design, row: Row) -> dict[str, Any]:
    """What a consent writes to a new person; one that is to be confirmed by mail writes nothing yet."""
    if not row["consent"] or design.row["double_opt_in"]:
        return {}
    return {"email_opt_in": "single_webform", "email_opt_in_source": _source(design)}


def _note_consent(design: Design, row: Row, person: Person) -> None:
    """A known person who never answered has agreed now; a refusal ends by a confirmed opt-in only: anybody may type an address."""
    agreed = _agreed(design, row)
    held = search.one(SYSTEM, person.module, person.id, columns=("email_opt_in", "email_opt_out"))
    if agreed and held["email_opt_in"] in (None, "none") and not held["email_opt_out"]:
        records.update(SYSTEM, person.module, person.id, agreed, CHANNEL)


def _source(design: Design) -> str:
    return _("Website form “%(name)s”", name=design.row["name"])[:120]


# beside the record


def _beside(design: Design, row: Row, module: str, id: int, troubles: Troubles) -> None:
    """Files, campaign, the mail that asks to confirm, the browser that sent it."""
    files = set(db.session.execute(select(FILES.c.file_id).where(FILES.c.submission_id == row["id"])).scalars())
    files -= set(db.session.execute(select(EntityFile.file_id).where(EntityFile.entity_id == id)).scalars())
    if files:
        db.session.execute(insert(EntityFile), [{"entity_id": id, "file_id": one} for one in sorted(files)])
    if module not in PEOPLE:
        return
    if design.row["campaign_id"] is not None:
        choice = Choice(contact_ids=[id]) if module == "contacts" else Choice(lead_ids=[id])
        _try(lambda: members.change(SYSTEM, design.row["campaign_id"], choice, CHANNEL), _("Campaign"), troubles)
    if (
        row["consent"] and design.row["double_opt_in"] and row["email_key"] and row["person_id"] is None
    ):  # once, when it first succeeds
        said = row["said"]
        request = asking.Request(
            email=str(said["email"]), wording=str(row["consent_wording"] or ""), source=_source(design),
            first_name=str(said.get("first_name") or ""), last_name=str(said.get("last_name") or ""),
            language=design.language, ip=row["ip"] or "", agent=row["agent_family"] or "",
        )  # fmt: skip
        _try(lambda: asking.ask(request), _("Opt-in"), troubles)
    if row["cookie"]:
        outbox.put(
            db.session, "web.introduce", visitor=row["cookie"], person_id=id, module=module,
            at=row["received_at"].isoformat(),
        )  # fmt: skip
        touching.put(row["id"])


def _try(do: Callable[[], Any], label: str, troubles: Troubles) -> None:
    """Do what is no reason to lose a record when it is refused."""
    try:
        with db.session.begin_nested():
            do()
    except (Refused, Forbidden, Missing) as refused:
        troubles.add(label, _why(refused) or _("The record is gone."))
