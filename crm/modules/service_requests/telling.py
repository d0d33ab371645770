"""Who is told of what happens to service requests: customers of steps and the end, members of units, holders of refusals and dates."""

from typing import Any

from sqlalchemy import select

from crm import clock, config
from crm.db import db
from crm.engine.history import Change
from crm.engine.outbox import Progress, task
from crm.engine.registry import modules
from crm.identity.viewer import SYSTEM
from crm.mail.letters import Letter
from crm.mail.message import Address, Attachment, BadAddress, one_line
from crm.mail.sending import singles
from crm.modules.sender_addresses import default_row
from crm.modules.service_requests import absences, accepting, dates, note_files, notes, steps, wording
from crm.modules.service_requests.lists import ENDED
from crm.modules.tickets.answering import address_of_contact, as_mailed
from crm.modules.tickets.mails import Content
from crm.modules.tickets.telling import readers_of, staff
from crm.words import N_, _, speaking

ALERTS_AT_ONCE = 500


def _row(id: int) -> Any:
    table = modules["service_requests"].table
    said = select(table).where(table.c.id == id, table.c.deleted_at.is_(None))
    return db.session.execute(said).mappings().first()


def _step(step_id: int) -> tuple[Any, Any]:
    step = db.session.execute(select(steps.TABLE).where(steps.TABLE.c.id == step_id)).mappings().first()
    return step, _row(step["request_id"]) if step is not None else None


def _to_customer(request: Any, content: Content, key: str, files: tuple[Attachment, ...] = ()) -> str:
    sender, email = default_row(), address_of_contact(request["contact_id"])
    if sender is None or not email:
        return "nobody to mail to"
    try:
        subject = one_line(content.subject)[:300]
        letter = Letter(Address(email), subject, content.text, content.html, attachments=files)
    except BadAddress:
        return "nobody to mail to"
    singles.put_letter(
        db.session, letter, Address(sender.address, sender.display_name or ""), dedupe_key=key,
        person=("contacts", request["contact_id"]),
    )  # fmt: skip
    return "mailed"


def _to_staff(
    ids: list[int], request: Any, sentence: str, text: str, key: str, but: int | None = None, **values: Any
) -> None:
    """A letter to each; its subject is the sentence in the reader's language, filled with `values`."""
    sender = default_row()
    if sender is None:
        return
    link = f"{config.current().base_url.rstrip('/')}/crm/service_requests/{request['id']}"
    for person in staff(ids, but=but):
        with speaking(person.locale or config.current().locale):
            subject = _(sentence, **values)
        try:
            letter = Letter(
                Address(person.email),
                one_line(f"{subject}: {request['number']} {request['title']}")[:300],
                f"{text}\n\n{link}\n".lstrip(),
            )
        except BadAddress:
            continue
        singles.put_letter(
            db.session, letter, Address(sender.address, sender.display_name or ""), dedupe_key=f"{key}:{person.id}"
        )


@task("service_requests.tell")
def tell(progress: Progress, module: str, event: str, ids: list[int], channel: str, actor_id: int | None) -> str:
    """A request that came to a user or a unit: they are told, but for the one who did it."""
    for id in ids:
        request = _row(id)
        if request is not None and request["owner_id"] and request["state"] not in ENDED:
            subject = N_("Service request for you") if request["accepted_by_id"] else N_("Service request to take")
            _to_staff(
                readers_of(request["owner_id"]),
                request,
                subject,
                "",
                f"sr:{event}:{progress.job_id}:{id}",
                but=actor_id or _who_took(id),
            )
    return f"{len(ids)} requests"


def _who_took(request_id: int) -> int | None:
    """Who has just taken the request, or given it back: not told of what he did himself."""
    said = select(Change.actor_id, Change.new).where(Change.entity_id == request_id, Change.field.in_(("", "owner_id")))
    last = db.session.execute(said.order_by(Change.id.desc()).limit(1)).first()
    return last.actor_id if last is not None and last.new in ("taken", "released") else None


@task("service_requests.mail_step")
def mail_step(progress: Progress, step_id: int, again: str = "") -> str:
    """The customer gets a response or resolution, with a link to accept it where that is needed; each edition once.

    `again`: a word that is new each time staff have it mailed once more.
    """
    step, request = _step(step_id)
    if request is None:
        return "gone"
    link, edition = "", step["edition"] or 1
    if step["needs_acceptance"] and not step["accepted_at"]:
        link = accepting.accept_link(step_id, request["contact_id"], edition)
    return _to_customer(request, wording.of_step(request, step, link), f"sr:step:{step_id}:mail:{edition}{again}")


@task("service_requests.mail_note")
def mail_note(progress: Progress, note_id: int) -> str:
    """A message goes to the other side: the customer's to who holds the request, that of staff to the customer."""
    note = db.session.execute(select(notes.TABLE).where(notes.TABLE.c.id == note_id)).mappings().first()
    request = _row(note["request_id"]) if note is not None else None
    if note is None or request is None:
        return "gone"
    key, files = f"sr:note:{note_id}:mail", note_files.files_of([note_id]).get(note_id, [])
    if note["contact_id"] is None:
        mailed, is_cut = as_mailed(files)
        return _to_customer(request, wording.of_message(request, note["text"] or "", is_cut), key, tuple(mailed))
    if request["owner_id"]:
        text = note["text"] or ""
        if files:
            text += "\n\n" + "\n".join(f"– {one.name}" for one in files)
        _to_staff(readers_of(request["owner_id"]), request, N_("Message of the customer"), text, key)
    return "told"


@task("service_requests.ask_feedback")
def ask_feedback(progress: Progress, request_id: int) -> str:
    """The request is completed: the customer may say how it went."""
    request = _row(request_id)
    if request is None:
        return "gone"
    link = accepting.feedback_link(request_id, request["contact_id"])
    return _to_customer(request, wording.of_end(request, link), f"sr:feedback:{request_id}:mail")


@task("service_requests.tell_refused")
def tell_refused(progress: Progress, step_id: int) -> str:
    """Who holds a request is told that the customer refused a step."""
    step, request = _step(step_id)
    if request is None or not request["owner_id"]:
        return "nobody to tell"
    _to_staff(
        readers_of(request["owner_id"]),
        request,
        N_("Not solved, says the customer"),
        step["rejection"] or "",
        f"sr:refused:{step_id}",
    )
    return "told"


@task("service_requests.clock", every=60)
def run_clock(progress: Progress) -> str:
    """Warn at the percents of the settings, mark what is overdue, accept what waited long enough, give back what the absent hold."""
    table, now = modules["service_requests"].table, clock.now()
    late = select(table).where(
        table.c.state.not_in(ENDED), table.c.alert_at <= now, table.c.deleted_at.is_(None), table.c.paused_at.is_(None)
    )
    rows = (
        db.session.execute(late.order_by(table.c.alert_at).limit(ALERTS_AT_ONCE).with_for_update(skip_locked=True))
        .mappings()
        .all()
    )
    for row in rows:
        begun, reached = row["clock_from"] or row["starts_at"], row["alerted"] or 0
        percent = reached
        at, following = dates.next_alert(begun, row["due_at"], reached)
        while at is not None and at <= now:
            percent = following
            at, following = dates.next_alert(begun, row["due_at"], percent)
        is_late = bool(row["due_at"] and row["due_at"] <= now)
        _write(row["id"], {"alerted": percent, "alert_at": at, "overdue": is_late or row["overdue"]})
        people = [one for owner in {row["owner_id"], row["unit_id"]} if owner for one in readers_of(owner)]
        said = N_("Overdue") if is_late else N_("%(percent)s %% of the time is gone")
        key = f"sr:alert:{row['id']}:{percent}:{row['due_at']}"
        _to_staff(sorted(set(people)), row, said, "", key, percent=percent)
    by_time, given = accepting.accept_by_time(), absences.give_back()
    return f"{len(rows)} warnings, {by_time} accepted by time, {given} given back"


def _write(id: int, values: dict[str, Any]) -> None:
    from crm.engine import records
    from crm.engine.channels import Channel

    records.update(SYSTEM, "service_requests", id, values, Channel.SYSTEM)
