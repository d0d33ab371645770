"""Places that keep copies of what passed through: jobs, imports, exports, answers of the API, local mails. Erased people go from them."""

import contextlib
import re
import zipfile
from collections.abc import Iterator
from email import policy
from email.parser import BytesParser
from pathlib import Path
from typing import Any

from sqlalchemy import Text, cast, delete, func, or_, select, update
from sqlalchemy.sql import ColumnElement

from crm import clock, config
from crm.db import Base, db, rows_changed
from crm.engine import attachments, exports
from crm.engine.attachments import StoredFile
from crm.engine.imports.plans import Import, ImportFault
from crm.engine.outbox import OPEN, Job
from crm.engine.picklists import RejectedValue
from crm.identity.tokens import Token
from crm.modules.privacy.blotting import Words
from crm.modules.privacy.person import Person
from crm.modules.tickets.comments import TicketMail
from crm.modules.tickets.scanning.tables import ScannedMail

MOST_SHEET = 200_000_000  # octets of a spreadsheet that is looked into
_EXPORTED = re.compile(r"/files/(\d+)")


def scrub(person: Person) -> dict[str, int]:
    """Take the person out of every store; gives what was removed. Files go at once, rows with the caller's commit."""
    words = person.words
    return {
        "jobs": _jobs(words),
        "tokens": _tokens(person),
        "answers": _stored_answers(words),
        "import rows": _imports(words),
        "import files": _import_files(words),
        "exports": _exports(words),
        "scanned mails": _scanned(person),
        "local mails": _local_mails(words),
    }


def mentions(column: Any, words: Words) -> ColumnElement[bool]:
    """SQL: that the text of a column (JSON too) tells of the person."""
    text = func.lower(cast(column, Text))
    spelled = {mark.lower() for mark in words.marks}
    spelled |= {one.encode("ascii", "backslashreplace").decode().replace("\\x", "\\u00") for one in spelled}
    return or_(*(text.contains(one, autoescape=True) for one in sorted(spelled))) if spelled else text.is_(None)


def _jobs(words: Words) -> int:
    """Finished jobs forget what they were told; those to come run as they are: what they read is gone then."""
    told = or_(mentions(Job.arguments, words), mentions(Job.message, words), mentions(Job.error, words))
    said = update(Job).where(Job.state.not_in(OPEN), told).values(arguments={}, message=None, error=None)
    return rows_changed(said)


def _tokens(person: Person) -> int:
    table = Base.metadata.tables
    users, places = table["portal_users"], table["attendees"]
    about = [
        *person.ids,
        *db.session.execute(select(users.c.id).where(users.c.contact_id.in_(person.ids))).scalars(),
        *db.session.execute(select(places.c.id).where(places.c.contact_id.in_(person.ids))).scalars(),
    ]
    is_record = or_(*(Token.purpose.startswith(one) for one in ("portal_", "event_", "me_", "privacy_")))
    about_record = Token.subject_id.in_(about) & is_record
    return rows_changed(delete(Token).where(or_(about_record, mentions(Token.data, person.words))))


def _stored_answers(words: Words) -> int:
    """Answers of the API that are kept for repeated requests."""
    table = Base.metadata.tables.get("stored_answers")
    if table is None:
        return 0
    rows = db.session.execute(select(table.c.id, table.c.body)).all()
    gone = [row.id for row in rows if words.are_in(bytes(row.body).decode("utf-8", "ignore").encode().decode())]
    gone += [row.id for row in rows if row.id not in gone and words.are_in(_unescaped(bytes(row.body)))]
    db.session.execute(delete(table).where(table.c.id.in_(gone)))
    forms = Base.metadata.tables["form_posts"]
    return len(gone) + rows_changed(delete(forms).where(mentions(forms.c.result, words)))


def _unescaped(body: bytes) -> str:
    with contextlib.suppress(UnicodeError):
        return body.decode("unicode_escape")
    return ""


def _imports(words: Words) -> int:
    faults = or_(mentions(ImportFault.cells, words), mentions(ImportFault.message, words))
    count = rows_changed(update(ImportFault).where(faults).values(cells=[], message=""))
    db.session.execute(update(Import).where(mentions(Import.checked, words)).values(checked={}))
    return count + rows_changed(delete(RejectedValue).where(mentions(RejectedValue.raw, words)))


def _import_files(words: Words) -> int:
    folder = config.current().data_path / "imports"
    return _drop(path for path in _files(folder) if _holds(path, words))


def _exports(words: Words) -> int:
    """Files that exports left, CSV or XLSX; and those of the person's own data."""
    jobs = select(Job.message).where(Job.task == "run_export", Job.message.is_not(None))
    ids = {int(found[1]) for said in db.session.execute(jobs).scalars() if (found := _EXPORTED.search(said or ""))}
    ids |= set(exports.files(clock.now()))  # also those whose jobs were cleared
    if not ids:
        return 0
    table = StoredFile.__table__
    rows = db.session.execute(select(table.c.id, table.c.sha256).where(table.c.id.in_(ids))).all()
    gone = [row.id for row in rows if _holds(attachments.path_of(row.sha256), words)]
    attachments.drop_unheld(gone)
    return len(gone)


def _scanned(person: Person) -> int:
    """Senders and subjects of mails that the scanner saw, and whom answers went to."""
    words = person.words
    seen = or_(*(mentions(one, words) for one in (ScannedMail.sender, ScannedMail.subject, ScannedMail.note)))
    count = rows_changed(update(ScannedMail).where(seen).values(sender=None, subject=None, note=None))
    mails = TicketMail.__table__
    db.session.execute(update(mails).where(mails.c.email_key.in_(person.emails)).values(email_key=""))
    return count


def _local_mails(words: Words) -> int:
    """Mails in the local mail folder, by what can be read in them."""
    return _drop(path for path in _files(config.current().data_path / "outbox") if _is_mail_of(path, words))


def _is_mail_of(path: Path, words: Words) -> bool:
    data = path.read_bytes()
    if words.are_in(data.decode("latin-1")):
        return True
    message = BytesParser(policy=policy.default).parsebytes(data)
    said = [str(value) for _name, value in message.items()]
    for part in message.walk():
        if part.get_content_maintype() == "text":
            with contextlib.suppress(LookupError, ValueError):
                said.append(str(part.get_content()))
    return words.are_in("\n".join(said))


def _holds(path: Path, words: Words) -> bool:
    if not path.exists():
        return False
    with path.open("rb") as file:
        begin = file.read(4)
    if begin.startswith(b"PK"):
        with contextlib.suppress(zipfile.BadZipFile), zipfile.ZipFile(path) as book:
            return any(words.are_in_bytes(book.read(one)) for one in book.infolist() if one.file_size <= MOST_SHEET)
        return False
    return words.are_in_bytes(path.read_bytes())


def _files(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.iterdir()) if path.is_file()] if folder.exists() else []


def _drop(paths: Iterator[Path]) -> int:
    count = 0
    for path in paths:
        path.unlink(missing_ok=True)
        count += 1
    return count
