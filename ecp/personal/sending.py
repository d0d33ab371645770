"""Sending a single mail from a card: at once, or by a worker when a document has to become a PDF first. Each once.

What was sent is an e-mail among the activities, on the card of the person and of the record that it was sent from; a job
follows the delivery and tells that e-mail what became of it.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import select, update

from crm import clock
from crm.db import db
from crm.documents import converting, making, templates
from crm.engine import attachments, outbox, picklists, records, relations, search
from crm.engine.attachments import MEGABYTE, StoredFile
from crm.engine.channels import Channel
from crm.engine.outbox import GiveUp, Progress, RunLater, task
from crm.engine.refusals import Fault, Forbidden, Missing, Refused
from crm.engine.registry import modules
from crm.engine.rows import Row
from crm.identity import keys, viewers
from crm.identity.viewer import SYSTEM, Viewer
from crm.mail.letters import Letter
from crm.mail.message import Attachment
from crm.mail.senders import message_id
from crm.mail.sending import singles
from crm.mail.sending.deliveries import OPEN, Delivery
from crm.words import _, speaking
from ecp.personal import people, writing
from ecp.personal.people import Person
from ecp.personal.writing import Draft, Written
from ecp.pipeline.frozen import MOST_ATTACHED
from ecp.pipeline.sending import OVERRULED, PERSONAL
from surveys import links as survey_links

MAKE, FOLLOW = "personal_mails.make", "personal_mails.follow"
FOLLOWED_FOR = timedelta(days=7)  # so long evidence may still say what became of an uncertain mail


@dataclass(frozen=True)
class Along:
    """What goes along: files by id, a document of the record made of a template (`as_pdf`, else in the template's format)."""

    file_ids: Sequence[int] = ()
    document_template_id: int | None = None
    as_pdf: bool = True


@dataclass(frozen=True)
class Sent:
    """What came of pressing Send: the e-mail that was written, or the job that makes its document first."""

    email_id: int | None = None
    job_id: int | None = None


@dataclass(frozen=True)
class Order:
    """One mail as it was asked for. `once` is the same for a double click; `overrules`: in spite of an opt-out."""

    module: str
    id: int
    draft: Draft
    along: Along = field(default_factory=Along)
    once: str = ""
    overrules: bool = False

    def key(self, viewer: Viewer) -> str:
        return f"personal:{viewer.id}:{self.once}"[:200]


def send(viewer: Viewer, order: Order) -> Sent:
    """Send one mail to the person of a record. The caller commits.

    Raises Missing, Forbidden, Refused: at email_template_id, subject, message, file, document_template_id, or at
    "overrules" when the person has opted out, or mails to the address came back, and the sender did not confirm.
    """
    row, person = _demand(viewer, order)
    known = singles.find_mail(db.session, order.key(viewer))
    if known is not None:
        return Sent(_email_of(known))
    written = writing.write(viewer, person, order.draft)
    files = _files(viewer, order.along.file_ids)
    _demand_size(written, files)
    template = _document(row, order.along.document_template_id)
    if template is not None and order.along.as_pdf:
        if converting.engine() is None:
            message = _("LibreOffice is not installed on this machine, so no PDF can be made.")
            raise Refused(document_template_id=Fault("no_engine", message))
        job = outbox.put(
            db.session, MAKE, created_by_id=viewer.id, dedupe_key=f"make:{order.key(viewer)}"[:200], viewer_id=viewer.id, order=asdict(order)
        )  # fmt: skip
        return Sent(job_id=job)
    if template is not None:
        files += _files(viewer, [making.store(viewer, making.filled(viewer, template, row.id))])
        _demand_size(written, files)
    return Sent(_put(viewer, order, row, person, files))


def _demand(viewer: Viewer, order: Order) -> tuple[Row, Person]:
    if not people.may_write(viewer):
        raise Forbidden(_("You have no right to send e-mails."), "forbidden_action")
    row = search.one(viewer, order.module, order.id)
    person = people.person_of(viewer, row)
    if person.objection and person.objection not in people.MAY_BE_OVERRULED:
        raise Refused.because(person.objection, _("This person cannot be mailed."))
    if person.objection and not order.overrules:
        raise Refused(overrules=Fault(person.objection, _("Confirm that you want to write in spite of that.")))
    return row, person


def _files(viewer: Viewer, ids: Sequence[int]) -> list[StoredFile]:
    found = [attachments.open_file(viewer, id) for id in dict.fromkeys(ids)]
    for file, path in found:
        if not path.exists():
            message = _("The file “%(name)s” is missing. Attach it again.", name=file.name)
            raise Refused(file=Fault("file_missing", message))
    return [file for file, _path in found]


def _demand_size(written: Written, files: Sequence[StoredFile]) -> None:
    sizes = [(file.name, file.size) for file in files] + [(file.name, len(file.data)) for file in written.files]
    if sum(size for _name, size in sizes) > MOST_ATTACHED:
        named = ", ".join(f"“{name}”" for name, _size in sorted(sizes, key=lambda pair: -pair[1])[:5])
        message = _(
            "The files of a mail may have %(most)s MB together; these have more: %(files)s.",
            most=MOST_ATTACHED // MEGABYTE, files=named,
        )  # fmt: skip
        raise Refused(file=Fault("file_too_large", message))


def _document(row: Row, template_id: int | None) -> Row | None:
    if template_id is None:
        return None
    template = next((one for one in templates.offered(row) if one.id == template_id), None)
    if template is None:
        raise Refused(document_template_id=Fault("not_in_list", _("This template is not offered for the record.")))
    return template


def _put(viewer: Viewer, order: Order, row: Row, person: Person, files: Sequence[StoredFile]) -> int:
    """Write the mail, its e-mail record and the job that follows it; the id of the record."""
    key, kind = order.key(viewer), OVERRULED if person.objection else PERSONAL
    first = writing.write(viewer, person, order.draft)
    own = tuple(Attachment(file.name, file.media_type, attachments.path_of(file.sha256).read_bytes()) for file in files)
    who = (person.module, person.id)
    letter = _letter(person, first, own)
    delivery_id = singles.put_letter(db.session, letter, first.sender, dedupe_key=key, person=who, kind=kind)
    if delivery_id is None:  # somebody was quicker: the same mail is on its way
        return _email_of(singles.find_mail(db.session, key)) or 0
    final = writing.write(viewer, person, order.draft, delivery_id)
    for survey_id in final.surveys:  # asked from now on, not only when the answer comes
        survey_links.invitation_for(survey_links.Opened("delivery", survey_id, delivery_id), is_writing=True)
    email_id = _record(viewer, order, person, final, delivery_id)
    for file in files:
        attachments.attach(SYSTEM, "emails", email_id, file.id, Channel.SYSTEM)
    _link(email_id, row, person)
    payload = db.session.execute(select(Delivery.payload).where(Delivery.id == delivery_id)).scalar() or {}
    said = payload | {"text": final.text, "html": final.html, "email_id": email_id}
    db.session.execute(update(Delivery).where(Delivery.id == delivery_id).values(payload=said))
    outbox.put(db.session, FOLLOW, dedupe_key=f"follow:{delivery_id}", email_id=email_id, delivery_id=delivery_id)
    return email_id


def _letter(person: Person, written: Written, files: tuple[Attachment, ...]) -> Letter:
    return Letter(
        person.address, written.subject, written.text, written.html, written.reply_to, "",
        attachments=(*written.files, *files),
    )  # fmt: skip


def _record(viewer: Viewer, order: Order, person: Person, written: Written, delivery_id: int) -> int:
    identity = message_id(keys.of("message_id"), "delivery", delivery_id, written.sender.domain)
    values: dict[str, Any] = {
        "subject": written.subject, "direction": "sent", "state": "sending", "at": clock.now(), "text": written.text[:60_000],
        "html": written.html or None, "from_address": written.sender.addr, "to_addresses": person.address.addr,
        "reply_to": written.reply_to.addr if written.reply_to else None, "message_id": identity,
        "email_template_id": order.draft.template_id, "owner_id": viewer.id,
    }  # fmt: skip
    return records.create(viewer, "emails", values, Channel.SYSTEM)


def _link(email_id: int, row: Row, person: Person) -> None:
    """Show the e-mail on the card of the person and on that of the record, where e-mails are shown there."""
    targets = {link.name: link.to for link in modules["emails"].links}
    for module, id in {(person.module, person.id), (row.module, row.id)}:
        if module in targets:
            relations.link(SYSTEM, "emails", email_id, module, [id], Channel.SYSTEM)


def _email_of(delivery_id: int | None) -> int | None:
    said = select(outbox.Job.arguments).where(outbox.Job.dedupe_key == f"follow:{delivery_id}")
    found = db.session.execute(said).scalar()
    return int(found["email_id"]) if found else None


@task(MAKE, queue="files", max_attempts=3)
def make(progress: Progress, *, viewer_id: int, order: dict[str, Any]) -> str:
    """Make the document with the rights that the sender has now, and send the mail; broken off, it begins anew."""
    viewer = viewers.of_user(viewer_id)
    if viewer is None:
        raise GiveUp(_("Whoever started this may not sign in any more."))
    said = Order(**(order | {"draft": Draft(**order["draft"]), "along": Along(**order["along"])}))
    with speaking(viewer.locale):
        if singles.find_mail(db.session, said.key(viewer)) is not None:
            return _("The mail is on its way.")
        try:
            row, person = _demand(viewer, said)
            template = _document(row, said.along.document_template_id)
            assert template is not None  # noqa: S101 - a job is put only with one
            made = making.filled(viewer, template, row.id)
            db.session.rollback()  # nothing is locked while LibreOffice works
            made = making.as_pdf(made, template)
            files = _files(viewer, said.along.file_ids)
            files += _files(viewer, [making.store(viewer, made)])
            _demand_size(writing.write(viewer, person, said.draft), files)
            _put(viewer, said, row, person, files)
        except converting.NoEngine as none:
            raise GiveUp(str(none)) from None
        except (Missing, Forbidden):
            raise GiveUp(_("The record, a file or the template is not there any more.")) from None
        except Refused as refused:
            raise GiveUp(refused.sentences) from None
        return _("The mail to %(address)s is on its way, with “%(file)s”.", address=person.address.addr, file=f"{made.name}.pdf")  # fmt: skip


@task(FOLLOW)
def follow(progress: Progress, *, email_id: int, delivery_id: int) -> None:
    """Tell the e-mail of a card what became of its delivery; looks again until that is known."""
    row = db.session.execute(
        select(Delivery.state, Delivery.skip_reason, Delivery.reply, Delivery.sent_at, Delivery.created_at).where(
            Delivery.id == delivery_id
        )
    ).first()
    if row is None or not search.exists(SYSTEM, "emails", email_id):
        return
    age = clock.now() - row.created_at
    values: dict[str, Any] = {"state": {"skipped": "failed", "cancelled": "failed"}.get(row.state, row.state)}
    if row.state in OPEN:
        values = {"state": "sending"}
    elif row.state == "sent":
        values |= {"at": row.sent_at, "failed_reason": None}
    else:
        values["failed_reason"] = reason_of(row.state, row.skip_reason, row.reply)[:500] or None
    records.update(SYSTEM, "emails", email_id, values, Channel.SYSTEM)
    if row.state in OPEN or (row.state == "uncertain" and age < FOLLOWED_FOR):
        raise RunLater(2 if age < timedelta(seconds=30) else 20 if age < timedelta(minutes=10) else 300)


def reason_of(state: str, skip_reason: str | None, reply: str | None) -> str:
    """Why a single mail did not go out, in plain words and with the server's own."""
    if state == "cancelled":
        return _("It was cancelled.")
    if state == "skipped":
        return _(picklists.label("skip_reason", skip_reason or "")) or (skip_reason or "")
    return reply or ""


def follow_again(delivery_id: int, payload: dict[str, Any] | None) -> None:
    """A person decided about a mail that was over: the e-mail of the card is told what becomes of it now. The caller commits."""
    email_id = (payload or {}).get("email_id")
    if isinstance(email_id, int):
        outbox.put(db.session, FOLLOW, email_id=email_id, delivery_id=delivery_id)
