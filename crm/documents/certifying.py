"""Sending certificates of an event in one go: to those who attended, each once; who cannot get one is listed with the reason."""

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert, select, update

from crm import clock
from crm.db import db
from crm.documents import certificate_codes as codes
from crm.documents import certificates, converting, making
from crm.documents.making import Made
from crm.documents.package import MEDIA_TYPES
from crm.documents.reading import SeenValues
from crm.engine import attachments, outbox
from crm.engine.channels import Channel
from crm.engine.outbox import GiveUp, Progress, task
from crm.engine.refusals import Conflict, Forbidden, Missing, Refused
from crm.engine.registry import modules
from crm.engine.rows import Row
from crm.identity import viewers
from crm.identity.viewer import SYSTEM, Viewer
from crm.mail.letters import Letter
from crm.mail.message import Address, Attachment, BadAddress, one_line
from crm.mail.sending import singles
from crm.modules import written_mails
from crm.modules.events import kinds, mails, tags
from crm.modules.events.attendees import TABLE as ATTENDEES
from crm.modules.events.event_times import times_of
from crm.modules.events.kinds import Event
from crm.modules.sender_addresses import default_row
from crm.words import _, speaking

TASK = "send_certificates"
AT_ONCE = 20  # documents that one start of LibreOffice makes
TABLE = certificates.TABLE


# who gets one


def attended(event_id: int, with_joined: bool = False) -> list[Mapping[Any, Any]]:
    """Those who attended, with what mails need of them, by id; `with_joined`: also who has a seat (attendance not recorded)."""
    states = ("attended", "joined") if with_joined else ("attended",)
    where = (ATTENDEES.c.event_id == event_id, ATTENDEES.c.status.in_(states), ATTENDEES.c.deleted_at.is_(None))
    return mails.rows_of(db.session.execute(select(ATTENDEES.c.id).where(*where)).scalars().all())


def of_event(event_id: int) -> dict[int, Mapping[Any, Any]]:
    """attendee id → certificate of those that there are."""
    said = select(TABLE).where(TABLE.c.event_id == event_id)
    return {row["attendee_id"]: row for row in db.session.execute(said).mappings()}


def template_for(event_id: int, template_id: int) -> Row:
    """The certificate template. Raises Missing, Conflict when it is that of another event."""
    template = making.template_of(template_id)
    if template["purpose"] != "certificate":
        raise Missing
    if template["event_id"] not in (None, event_id):
        raise Conflict(_("This template is for another event."), "other_event")
    return template


def start(
    viewer: Viewer, event_id: int, template_id: int, mail_template_id: int | None = None, *, again: bool = False, with_joined: bool = False
) -> int:  # fmt: skip
    """Let a worker send the certificates of an event; gives the job. The caller asks the right to the event, and commits.

    Raises Missing, Conflict (other_event, nobody_attended, a covering mail that cannot be sent).
    """
    template_for(event_id, template_id)
    count = len(attended(event_id, with_joined=with_joined))
    if not count:
        raise Conflict(_("Nobody is marked as attended, so nothing was sent."), "nobody_attended")
    if mail_template_id is not None and not written_mails.is_ready(mail_template_id):
        raise Conflict(_("The covering mail is missing or not active."), "wrong_kind")
    if converting.engine() is None:
        raise Conflict(_("LibreOffice is not installed on this machine, so no PDF can be made."), "no_engine")
    return outbox.put(
        db.session, TASK, created_by_id=viewer.id, total=count, viewer_id=viewer.id, event_id=event_id, template_id=template_id,
        mail_template_id=mail_template_id, again=again, with_joined=with_joined,
    )  # fmt: skip


@dataclass
class _Round:
    """One sending."""

    viewer: Viewer
    event: Event
    template: Row
    mail_template_id: int | None
    key: str  # what makes the mails of a forced sending others than those before


@task(TASK, queue="files", max_attempts=2)
def run(
    progress: Progress, *, viewer_id: int | None, event_id: int, template_id: int, mail_template_id: int | None, again: bool, with_joined: bool
) -> str | None:  # fmt: skip
    """Make and send what is not sent yet, twenty at a time; run again after a crash it goes on where it was."""
    viewer = viewers.of_user(viewer_id) if viewer_id is not None else None
    if viewer is None:
        raise GiveUp(_("Whoever started this may not sign in any more."))
    with speaking(viewer.locale):
        try:
            event, template = kinds.load(event_id), template_for(event_id, template_id)
        except (Missing, Conflict):
            raise GiveUp(_("The event or the template is not there any more.")) from None
        said = _Round(viewer, event, template, mail_template_id, f":{progress.job_id}" if again else "")
        done = sent = skipped = 0
        for rows in _chunks(event_id, with_joined):
            known = of_event(event_id)
            begun = _begun_at(progress.job_id)
            todo = [row for row in rows if _is_wanted(known.get(row["id"]), again, begun)]
            skipped += len(rows) - len(todo)
            try:
                sent += _send(said, todo)
            except converting.NoEngine as none:
                raise GiveUp(str(none)) from None
            done += len(rows)
            db.session.commit()
            progress.step(done)
            if progress.cancelled():
                return None
        return _(
            "Certificates sent: %(sent)s. Sent before: %(skipped)s. Not sent, with the reason: %(failed)s.",
            sent=sent, skipped=skipped, failed=done - sent - skipped,
        )  # fmt: skip


def _chunks(event_id: int, with_joined: bool) -> Iterator[Sequence[Mapping[Any, Any]]]:
    everybody = attended(event_id, with_joined=with_joined)
    for place in range(0, len(everybody), AT_ONCE):
        yield everybody[place : place + AT_ONCE]


def _begun_at(job_id: int) -> Any:
    return db.session.execute(select(outbox.Job.created_at).where(outbox.Job.id == job_id)).scalar()


def _is_wanted(certificate: Mapping[Any, Any] | None, again: bool, begun: Any) -> bool:
    """Not what was sent; in a forced sending not what this very job sent before it was broken off."""
    if certificate is None or certificate["sent_at"] is None:
        return True
    if certificate["revoked_at"] is not None:
        return False
    return again and (begun is None or certificate["sent_at"] < begun)


def _send(said: _Round, rows: Sequence[Mapping[Any, Any]]) -> int:
    """Make and send the certificates of some attendees; how many. What stands in the way is noted at the certificate."""
    known = _with_numbers(said, rows)
    problems: dict[int, str] = {}
    opted_out = _opted_out(rows)
    made: list[tuple[Mapping[Any, Any], Made]] = []
    for row in rows:
        problem = _why_not(row, row["contact_id"] in opted_out)
        if not problem:
            try:
                one = _filled(said, row, known[row["id"]])
                made.append((row, one))
                problem = _("Empty: %(tags)s", tags=", ".join(one.empty)) if one.empty else ""
            except (Refused, Missing, Forbidden) as refused:
                problem = str(refused) or _("The record cannot be seen by whoever sends.")
        if problem:
            problems[row["id"]] = problem[:300]
    good = [(row, one) for row, one in made if row["id"] not in problems]
    for id, problem in problems.items():
        _note(known[id]["id"], problem=problem, template_id=said.template.id)
    db.session.commit()  # nothing is locked while LibreOffice works
    pdfs = converting.to_pdf([(one.format, one.data) for _row, one in good]) if good else []
    for (row, one), pdf in zip(good, pdfs, strict=True):
        _keep_and_mail(said, row, known[row["id"]], Made(one.name, pdf, "pdf", one.language))
    return len(good)


def _with_numbers(said: _Round, rows: Sequence[Mapping[Any, Any]]) -> dict[int, Mapping[Any, Any]]:
    """Certificates for all of the rows: those without one get a number and a code, which they keep."""
    kinds.lock([said.event.id])  # of two sendings at once only one gives numbers
    known = of_event(said.event.id)
    fresh = [row for row in rows if row["id"] not in known]
    for row in fresh:
        made = insert(TABLE).values(
            attendee_id=row["id"], event_id=said.event.id, contact_id=row["contact_id"], verify_code=codes.new_code(), made_at=clock.now()
        )  # fmt: skip
        id = db.session.execute(made.returning(TABLE.c.id)).scalar_one()
        _note(id, number=f"CERT{id}")
    db.session.commit()
    return of_event(said.event.id)


def _note(id: int, **values: Any) -> None:
    db.session.execute(update(TABLE).where(TABLE.c.id == id).values(**values))


def _opted_out(rows: Sequence[Mapping[Any, Any]]) -> set[int]:
    contacts = modules["contacts"].table
    ids = [row["contact_id"] for row in rows if row["contact_id"]]
    said = select(contacts.c.id).where(contacts.c.id.in_(ids), contacts.c.email_opt_out.is_(True))
    return set(db.session.execute(said).scalars())


def _why_not(row: Mapping[Any, Any], opted_out: bool) -> str:
    """Why somebody gets no mail; "" when nothing is in the way."""
    if not row["contact_id"] or not row["email"]:
        return _("There is no e-mail address.")
    if row["is_refused"] or row["email_status"] in mails.UNREACHABLE:
        return _("Mails to this address come back.")
    if opted_out:
        return _("This person has opted out of e-mail.")
    try:
        Address(row["email"], "")
    except BadAddress as bad:
        return str(bad)
    return ""


def _filled(said: _Round, row: Mapping[Any, Any], certificate: Mapping[Any, Any]) -> Made:
    more = {"certificate": SeenValues(codes.FIELDS, codes.said_of(certificate))}
    return making.filled(said.viewer, said.template, row["id"], more=more)


def _keep_and_mail(said: _Round, row: Mapping[Any, Any], certificate: Mapping[Any, Any], made: Made) -> None:
    """Store a PDF at the contact, write the mail, note both: one transaction with the rest of the batch."""
    stored = attachments.store(SYSTEM, f"{made.name}.pdf", io.BytesIO(made.data), MEDIA_TYPES["pdf"])
    attachments.attach(SYSTEM, "contacts", row["contact_id"], stored.id, Channel.SYSTEM)
    now = clock.now()
    _note(
        certificate["id"], file_id=stored.id, issued_at=now, sent_at=now, problem=None, template_id=said.template.id,
        template_version=said.template["file_version"],
    )  # fmt: skip
    to, key = Address(row["email"], one_line(row["name"] or "")), f"certificate:{certificate['id']}{said.key}"
    file = Attachment(stored.name, MEDIA_TYPES["pdf"], made.data)
    person = ("contacts", row["contact_id"])
    if said.mail_template_id is not None:
        times = times_of(said.event.id) if said.event.module == "invitation_events" else []
        values = tags.values_of(said.event, times, row, {}, row["language"])
        written_mails.put(said.mail_template_id, to, person, values=values, files=(file,), dedupe_key=key)
        return
    sender = default_row()
    if sender is None:
        raise GiveUp(_("A mail could not be sent: there is no sender address."))
    with speaking(tags.spoken(row["language"])):
        subject = _("Your certificate: %(name)s", name=said.event.name)
        text = _("Thank you for attending %(name)s.\n\nYour certificate is attached.", name=said.event.name)
    letter = Letter(to, one_line(subject), text + "\n", attachments=(file,))
    singles.put_letter(
        db.session, letter, Address(sender.address, sender.display_name or ""), dedupe_key=key, person=person
    )
