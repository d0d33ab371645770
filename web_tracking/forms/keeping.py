"""A submission is kept as it came, once, before anything else is done with it; how long it stays; its files."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import time, timedelta
from typing import Any

from sqlalchemy import delete, insert, select

from crm import clock
from crm.db import db
from crm.engine import attachments, outbox
from crm.engine.attachments import MEGABYTE, StoredFile
from crm.engine.outbox import Progress, task
from crm.engine.refusals import Refused
from crm.identity.viewer import SYSTEM
from crm.modules.rules import key_of_email
from crm.words import _
from web_tracking.forms.design import FORMS, Design
from web_tracking.forms.form_submissions import FormSubmission
from web_tracking.forms.reading import Typed, Way
from web_tracking.forms.tables import FormFile
from web_tracking.forms.website_forms import lines
from web_tracking.stores import insert_of

SUBMISSIONS, FILES = FormSubmission.__table__, FormFile.__table__
MOST_FILES, MOST_MEGABYTES = 5, 5
MONTH = timedelta(days=30.4375)
CHUNK = 500


class TooLarge(Exception):
    """A file over the limit; the message names both."""


def keep(
    design: Design,
    typed: Typed,
    way: Way,
    once: str,
    *,
    variant: str | None,
    suspicion: str = "",
    ip: str = "",
    agent: str = "",
    files: Sequence[Any] = (),
) -> int | None:
    """Keep one submission; its id, None when the same was kept before. `suspicion`: why nothing is made of it by itself.

    Raises Refused (files of a wrong type), TooLarge: nothing is kept then. The caller commits."""
    email = key_of_email(typed.shown("email")[:320])
    row = {
        "form_id": design.id, "received_at": clock.now(), "outcome": "suspected" if suspicion else "waiting",
        "reason": suspicion or None, "email_key": email, "said": typed.said, "troubles": [], "once": once,
        "language": design.language, "variant": variant, "consent": bool(typed.consent and design.wording),
        "consent_wording": design.wording[:2000] or None if typed.consent else None, "page": way.page or None,
        "referrer": way.referrer or None, "source": way.source or None, "medium": way.medium or None,
        "campaign": way.campaign or None, "cookie": way.cookie or None, "ip": ip or None, "agent_family": agent or None,
        "tried_count": 0,
    }  # fmt: skip
    said = insert_of(db.session)(FormSubmission).values(row).on_conflict_do_nothing(index_elements=["once"])
    made: int | None = db.session.execute(said.returning(SUBMISSIONS.c.id)).scalar()
    if made is None:
        return None
    for stored in _store(design, files):
        db.session.execute(insert(FILES).values(file_id=stored.id, submission_id=made))
    if not suspicion:
        outbox.put(db.session, "forms.make", dedupe_key=f"form:{made}", submission_id=made)
    return made


def once_of(design: Design, typed: Typed, source: str) -> str:
    """What a submission without a token is known by: its words, whence, and the day."""
    plain = json.dumps([design.id, typed.said, typed.consent, source, clock.now().date().isoformat()], sort_keys=True)
    return hashlib.sha256(plain.encode()).hexdigest()


def _store(design: Design, files: Sequence[Any]) -> list[StoredFile]:
    """The files that came, kept. Raises Refused, TooLarge."""
    found = [one for one in files if one.filename]
    if not found or not design.row["takes_files"]:
        return []
    if len(found) > MOST_FILES:
        raise Refused.because("too_many", _("At most %(most)s files are taken.", most=MOST_FILES), "form_files")
    allowed = lines(design.row["file_types"])
    kept = []
    for one in found:
        name = attachments.plain_name(one.filename)
        if name.rpartition(".")[2].lower() not in allowed:
            message = _("“%(name)s” is not taken here; these are: %(endings)s.", name=name, endings=", ".join(allowed))
            raise Refused.because("bad_file", message, "form_files")
        try:
            kept.append(attachments.store(SYSTEM, name, one.stream, one.mimetype or "", MOST_MEGABYTES * MEGABYTE))
        except Refused as refused:
            fault = refused.faults["file"][0]
            if fault.code == "file_too_large":
                raise TooLarge(fault.message) from None
            raise Refused(form_files=fault) from None
    return kept


def files_of(ids: Sequence[int]) -> Mapping[int, list[StoredFile]]:
    """The files of submissions, by submission."""
    said = select(FILES.c.submission_id, StoredFile).join(StoredFile, StoredFile.id == FILES.c.file_id)
    found: dict[int, list[StoredFile]] = {}
    for submission_id, stored in db.session.execute(said.where(FILES.c.submission_id.in_(ids)).order_by(StoredFile.id)):
        found.setdefault(submission_id, []).append(stored)
    return found


def drop(ids: Sequence[int]) -> int:
    """Take submissions away with their files, but those that hang on a record too; gives how many. The caller commits."""
    if not ids:
        return 0
    files = list(db.session.execute(select(FILES.c.file_id).where(FILES.c.submission_id.in_(ids))).scalars())
    db.session.execute(delete(FILES).where(FILES.c.submission_id.in_(ids)))
    gone = db.session.execute(delete(SUBMISSIONS).where(SUBMISSIONS.c.id.in_(ids)))
    attachments.drop_unheld(files)
    return int(gone.rowcount)  # type: ignore[attr-defined]


@task("forms.keep", daily=time(4, 10))
def drop_old(_progress: Progress | None) -> str | None:
    """Submissions go when they are older than their form keeps them; counts of days stay. Commits."""
    gone = 0
    for form in db.session.execute(select(FORMS.c.id, FORMS.c.kept_months)).all():
        before = clock.now() - MONTH * form.kept_months
        old = select(SUBMISSIONS.c.id).where(
            SUBMISSIONS.c.form_id == form.id, SUBMISSIONS.c.received_at < before, SUBMISSIONS.c.outcome != "waiting"
        )
        while ids := list(db.session.execute(old.limit(CHUNK)).scalars()):
            gone += drop(ids)
            db.session.commit()
    return f"{gone} submissions" if gone else None
