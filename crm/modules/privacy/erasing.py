"""Erasing a person for good (decisions.md 33): what is removed, what stays without name, and that the address is never mailed again."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import String, cast, delete, func, literal, or_, select, update

from crm import clock
from crm.db import Entity, db, rows_changed
from crm.engine import attachments, history, outbox, records
from crm.engine.channels import Channel
from crm.engine.history import Change
from crm.engine.module import Module
from crm.engine.outbox import Progress, task
from crm.engine.permissions import demand, has_area
from crm.engine.refusals import Forbidden, Missing, Refused
from crm.engine.registry import modules
from crm.engine.search import exists
from crm.identity import sessions
from crm.identity.logins import LoginEvent
from crm.identity.viewer import SYSTEM, Viewer
from crm.mail.sending.deliveries import OPEN, Delivery
from crm.modules.privacy import blotting, erasures, holdings, own, person, stores
from crm.modules.privacy.holdings import Holding
from crm.modules.privacy.person import PERSONS, REMOVED, Person
from crm.words import _

KEPT = {"last_name": REMOVED, "company": REMOVED}  # what must not be empty


def may_erase(viewer: Viewer, module: str) -> bool:
    """Whether the viewer may erase persons of this module (area "erase", and the right to delete)."""
    from crm.engine.permissions import may

    return module in PERSONS and has_area(viewer, "erase") and may(viewer, "delete", module)


def ask(viewer: Viewer, module: str, id: int, typed: str) -> int:
    """Have a person erased by a job, at once; gives the job. `typed`: the number of the record, as a confirmation.

    Raises Missing, Forbidden, Refused. The caller commits."""
    if module not in PERSONS or not exists(viewer, module, id):
        raise Missing
    demand(viewer, "delete", module)
    if not may_erase(viewer, module):
        raise Forbidden(_("Your profile does not let you erase persons."))
    if typed.strip() != confirmation(module, id):
        raise Refused.because(
            "not_alike", _("Type %(said)s to erase this person.", said=confirmation(module, id)), "typed"
        )
    return outbox.put(
        db.session, "privacy.erase", queue="files", module=module, id=id, actor_id=viewer.id,
    )  # fmt: skip


def confirmation(module: str, id: int) -> str:
    """What is typed before a person is erased: the record's number, else its id."""
    number = db.session.execute(select(Entity.number).where(Entity.id == id)).scalar()
    return str(number or id)


def preview(found: Person) -> tuple[list[tuple[str, int]], list[tuple[str, int]]]:
    """(what goes, what stays without the person): name of the thing and how many rows. Changes nothing."""
    goes: list[tuple[str, int]] = []
    stays: list[tuple[str, int]] = []
    for one in holdings.all_holdings():
        if one.person not in one.of.columns or not one.title:
            continue
        number = count(one, found.ids)
        if number:
            (goes if one.fate == "delete" or one.table == "entity_files" else stays).append((one.title, number))
    return goes, stays


def count(one: Holding, ids: Sequence[int]) -> int:
    """How many rows of a holding are of these persons."""
    if one.rows is not None:
        return int(db.session.execute(select(func.count()).select_from(one.rows(ids).subquery())).scalar() or 0)
    said = select(func.count()).where(one.of.c[one.person].in_(ids))
    return int(db.session.execute(said).scalar() or 0)


@task("privacy.erase", queue="files")
def run(_progress: Progress | None, module: str, id: int, actor_id: int | None = None) -> str:
    """Erase one person, all of it in one transaction; files of stores go first, so that a repetition finds the rest."""
    try:
        found = person.find(module, id)
    except Missing:
        return "no such record"
    counts = erase(found, actor_id)
    db.session.commit()
    erasures.write_list()
    return ", ".join(f"{number} {name}" for name, number in sorted(counts.items()) if number)


def erase(found: Person, actor_id: int | None = None) -> dict[str, int]:
    """Take the person out of every room; gives how many rows of what. The caller commits."""
    emails, words = found.emails, found.words  # read before anything is gone
    counts = {name: number for name, number in stores.scrub(found).items() if number}
    _blot_mails(found)
    _stop_mails(found)
    for eraser in holdings.all_erasers():
        counts |= eraser(found)
    _blot_linked(found)
    _end_access(found)
    for one in holdings.all_holdings():
        counts[one.table] = counts.get(one.table, 0) + _apply(one, found)
    _refuse_for_good(found, emails)
    for module, row in found.rows:
        _empty(modules[module], row, words)
    erasures.note([(module, row["id"]) for module, row in found.rows], emails, counts, actor_id)
    return counts


def _stop_mails(found: Person) -> None:
    """Mails that wait do not go; all rows stay for the counts, without person, address and text."""
    d = Delivery.__table__
    own_rows = or_(d.c.person_id.in_(found.ids), d.c.contact_id.in_(found.ids), _orphans(found))
    stopped = update(d).where(own_rows, d.c.state.in_(OPEN), d.c.text_begun_at.is_(None))
    db.session.execute(stopped.values(state="skipped", skip_reason="contact_deleted"))
    nobody = literal("erased-") + cast(d.c.id, String)
    db.session.execute(
        update(d).where(own_rows).values(
            email="", email_key=nobody, payload=None, subject=None, reply=None, bounce_text=None, message_id=None,
            person_id=None, contact_id=None, person_module=None,
        )
    )  # fmt: skip


def _blot_mails(found: Person) -> None:
    """What mails to others say of the person in their subject, and keys against doubles that are made of the address."""
    d, words = Delivery.__table__, found.words
    keyed = update(d).where(d.c.dedupe_key.is_not(None), stores.mentions(d.c.dedupe_key, words))
    db.session.execute(keyed.values(dedupe_key=literal("erased-") + cast(d.c.id, String)))
    told = select(d.c.id, d.c.subject).where(d.c.sendout_id.is_(None), d.c.subject.is_not(None))
    told = told.where(stores.mentions(d.c.subject, words))
    for row in db.session.execute(told).all():
        db.session.execute(update(d).where(d.c.id == row.id).values(subject=words.blot(row.subject)))


def _orphans(found: Person) -> Any:
    d = Delivery.__table__
    return d.c.person_id.is_(None) & d.c.email_key.in_(found.emails)


def _blot_linked(found: Person) -> None:
    """Texts that others wrote about the person, or with the person, stay; names and addresses in them go."""
    tickets = list(db.session.execute(own.own_tickets(found.ids)).scalars())
    comments = own.table_of("ticket_comments")
    said = select(comments.c.id).where(or_(comments.c.ticket_id.in_(tickets), comments.c.contact_id.in_(found.ids)))
    blotting.blot_rows(comments, list(db.session.execute(said).scalars()), found.words)
    for key in ("activities", "emails"):
        ids = list(db.session.execute(own.linked(key, found.ids)).scalars())
        blotting.blot_rows(modules[key].table, ids, found.words)


def _end_access(found: Person) -> None:
    users = modules["portal_users"].table
    ids = list(db.session.execute(select(users.c.id).where(users.c.contact_id.in_(found.contact_ids))).scalars())
    sessions.end_all_of_portal_users(ids)
    table = own.table_of("sessions")
    db.session.execute(delete(table).where(table.c.portal_user_id.in_(ids)))
    db.session.execute(delete(LoginEvent).where(LoginEvent.portal_user_id.in_(ids)))


def _apply(one: Holding, found: Person) -> int:
    """What the declaration of a holding says."""
    table = one.of
    if one.person not in table.columns or not (one.fate != "keep" or one.blank or one.is_blotted):
        return 0
    mine = table.c[one.person].in_(found.ids)
    is_record = one.table in modules and modules[one.table].is_record
    if one.fate == "delete":
        if not is_record:
            return rows_changed(delete(table).where(mine))
        ids = list(db.session.execute(select(table.c.id).where(mine)).scalars())
        _delete_records(table, ids)
        return len(ids)
    ids = list(db.session.execute(select(table.c.id).where(mine)).scalars()) if one.blank or one.is_blotted else []
    if one.blank and ids:
        db.session.execute(update(table).where(table.c.id.in_(ids)).values(dict(one.blank)))
        if is_record:
            _forget_values(ids, tuple(one.blank))
            blotting.name_again(one.table, ids)
    if ids:
        blotting.blot_rows(table, ids, found.words)
    if one.fate == "unlink":
        return rows_changed(update(table).where(mine).values({one.person: None}))
    return len(ids)


def _delete_records(table: Any, ids: Sequence[int]) -> None:
    from crm.engine import text_index

    attachments.forget(list(ids))
    text_index.forget(ids)
    db.session.execute(delete(table).where(table.c.id.in_(ids)))
    db.session.execute(delete(Entity).where(Entity.id.in_(ids)))


def _forget_values(ids: Sequence[int], fields: Sequence[str] = ()) -> None:
    """The history keeps that something changed, not from what to what."""
    log = Change.__table__
    said = update(log).where(log.c.entity_id.in_(ids), log.c.field != "")
    if fields:
        said = said.where(log.c.field.in_(fields))
    db.session.execute(said.values(old=None, new=None))


def _refuse_for_good(found: Person, emails: frozenset[str]) -> None:
    """The address stays as a keyed hash in the list of refusals; other refusals of it stand under the hash too."""
    table = modules["suppressions"].table
    mine = or_(table.c.person_id.in_(found.ids), table.c.contact_id.in_(found.ids), table.c.email_key.in_(emails))
    rows = db.session.execute(select(table.c.id, table.c.email_key).where(mine)).all()
    for row in rows:
        address = erasures.stand_in(row.email_key or "")
        values = {"email": address, "email_key": address, "note": None, "person_id": None, "contact_id": None}
        db.session.execute(update(table).where(table.c.id == row.id).values(values))
    _forget_values([row.id for row in rows])
    blotting.name_again("suppressions", [row.id for row in rows])
    refused = {erasures.stand_in(one) for one in emails}
    known = set(db.session.execute(select(table.c.email_key).where(table.c.email_key.in_(refused), table.c.scope == "global", table.c.active)).scalars())  # fmt: skip
    for address in sorted(refused - known):
        refusal: dict[str, Any] = {
            "email": address,
            "scope": "global",
            "source": "user",
            "at": clock.now(),
            "active": True,
        }
        records.create(SYSTEM, "suppressions", refusal, Channel.SYSTEM)


def _empty(module: Module, row: dict[str, Any], words: blotting.Words) -> None:
    """The record itself: personal fields and custom ones are empty, no file hangs on it, its history tells no values."""
    id = row["id"]
    values: dict[str, Any] = {name: None for name, said in module.declared.items() if said.personal}
    values |= {name: value for name, value in KEPT.items() if name in values}
    values |= {
        "extra": {}, "email_opt_out": True, "email_opt_in": "none", "may_measure_opens": "no", "may_measure_opens_at": None,
        "email_status": "ok", "archived": True, "version": row["version"] + 1, "updated_at": clock.now(),
    }  # fmt: skip
    db.session.execute(update(module.table).where(module.table.c.id == id).values(values))
    attachments.forget([id])
    _forget_values([id])
    blotting.name_again(module.key, [id])
    history.note_events(SYSTEM, module, [id], "erased", Channel.SYSTEM, clock.now())


def erase_again(wanted: Sequence[dict[str, Any]]) -> int:
    """Erase those of a list that a restored backup brought back; gives how many. Commits after each."""
    count = 0
    for said in wanted:
        if erasures.is_erased(said["id"]) or said["module"] not in PERSONS:
            continue
        try:
            found = person.find(said["module"], said["id"])
        except Missing:
            continue
        erase(found)
        db.session.commit()
        count += 1
    if wanted:
        erasures.write_list()
    return count
