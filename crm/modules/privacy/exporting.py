"""A person's data as a file: JSON, a page to read and a PDF, with the person's own files; written by a job, kept seven days, one a day."""

import html
import json
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import ForeignKey, String, delete, insert, select, update
from sqlalchemy.orm import Mapped, mapped_column

from crm import clock
from crm.db import BigId, UtcDateTime, db, id_inserted
from crm.engine import attachments, outbox
from crm.engine.attachments import StoredFile
from crm.engine.outbox import Progress, task
from crm.engine.refusals import Conflict, Missing
from crm.identity.sealing import public_base, sealer
from crm.identity.viewer import SYSTEM
from crm.modules.organisation import organisation
from crm.modules.portals import letters
from crm.modules.privacy import holdings, own, person, showing
from crm.modules.privacy.person import Person
from crm.modules.privacy.showing import Part
from crm.modules.tickets import settings
from crm.words import _, speaking

KEPT, ONE_IN = timedelta(days=7), timedelta(hours=24)
MOST_FILES = 200 * attachments.MEGABYTE
PURPOSE = "my_data"
NAME = "my-data.zip"
Form = Callable[[Person, str, str], tuple[str, bytes] | None]
"""(person, language, the page as HTML) → a file's name and bytes, None for none."""

_forms: list[Form] = []


class DataExport(db.Model):  # type: ignore[name-defined, misc]
    """One export of one person's data. Without file: it is being made, or its seven days are over."""

    __tablename__ = "data_exports"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    person_id: Mapped[int] = mapped_column(BigId, ForeignKey("entities.id", ondelete="CASCADE"), index=True)
    module: Mapped[str] = mapped_column(String(40))
    language: Mapped[str | None] = mapped_column(String(10))
    email: Mapped[str] = mapped_column(String(320))
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    done_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    file_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("files.id", ondelete="SET NULL"), index=True)


def ask(module: str, person_id: int, email: str, language: str | None) -> int:
    """Have the export made; gives its id. Raises Conflict when one was asked for in the last 24 hours. The caller commits."""
    c, now = DataExport.__table__.c, clock.now()
    if db.session.execute(select(c.id).where(c.person_id == person_id, c.asked_at > now - ONE_IN)).first():
        raise Conflict(_("You asked for your data in the last 24 hours. One export a day is made."), "one_a_day")
    values = {"person_id": person_id, "module": module, "language": language, "email": email, "asked_at": now}
    made = id_inserted(insert(DataExport).values(values))
    outbox.put(db.session, "privacy.export", queue="files", export_id=made)
    return made


def latest(person_id: int) -> Any:
    """The newest export of a person that can be fetched or is being made; None else."""
    c = DataExport.__table__.c
    said = select(DataExport.__table__).where(c.person_id == person_id, c.asked_at > clock.now() - KEPT)
    return db.session.execute(said.order_by(c.id.desc()).limit(1)).first()


def file_of(export_id: int, person_id: int | None = None) -> tuple[StoredFile, Path]:
    """The file of an export, within its seven days, and of this person when that is given. Raises Missing."""
    row = db.session.get(DataExport, export_id)
    is_over = row is None or row.done_at is None or clock.now() > row.done_at + KEPT or row.file_id is None
    if is_over or row is None or (person_id is not None and row.person_id != person_id):
        raise Missing
    stored = db.session.get(StoredFile, row.file_id)
    if stored is None:
        raise Missing
    return stored, attachments.path_of(stored.sha256)


def address_of(export_id: int) -> str:
    """The address in the mail: who opens it is asked for a code."""
    return f"{public_base()}/me/data/{sealer().seal(PURPOSE, export_id)}"


@task("privacy.export", queue="files")
def run(_progress: Progress | None, export_id: int) -> str:
    """Write the file and mail where it lies. Made again after a crash, it replaces itself."""
    row = db.session.get(DataExport, export_id)
    if row is None or row.done_at is not None:
        return "nothing to do"
    try:
        found = person.find(row.module, row.person_id)
    except Missing:
        return "the person is gone"
    with speaking(row.language or "en"), tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / NAME
        write(found, path, row.language or "en")
        with path.open("rb") as stream:
            stored = attachments.store(SYSTEM, NAME, stream, "application/zip", most=500 * attachments.MEGABYTE)
        row.file_id, row.done_at = stored.id, clock.now()
        subject = _("Your data is ready")
        text = _(
            "The file with your data is ready. You can fetch it for seven days; you will be asked to log in or for a code that we mail you:\n%(link)s",
            link=address_of(row.id),
        )  # fmt: skip
    letters.put(row.email, subject, text, f"my_data:{row.id}", (row.module, row.person_id))
    return "written"


@task("privacy.drop_exports", queue="files", every=3600)
def drop_old(_progress: Progress | None) -> str:
    """Files whose seven days are over go."""
    c = DataExport.__table__.c
    rows = db.session.execute(
        select(c.id, c.file_id).where(c.file_id.is_not(None), c.done_at < clock.now() - KEPT)
    ).all()
    db.session.execute(update(DataExport).where(c.id.in_([row.id for row in rows])).values(file_id=None))
    attachments.drop_unheld([row.file_id for row in rows])
    return f"{len(rows)} dropped"


def erase(found: Person) -> Mapping[str, int]:
    """Files made for an erased person go with the person."""
    c = DataExport.__table__.c
    mine = list(
        db.session.execute(select(c.file_id).where(c.person_id.in_(found.ids), c.file_id.is_not(None))).scalars()
    )
    db.session.execute(delete(DataExport).where(c.person_id.in_(found.ids)))
    attachments.drop_unheld(mine)
    return {"own exports": len(mine)}


holdings.register_eraser(erase)


def add_form(form: Form) -> None:
    """Let a room above add a form to every export."""
    if form not in _forms:
        _forms.append(form)


def write(found: Person, path: Path, language: str = "en") -> None:
    """Write the zip: data.json, a page, forms of rooms above (the PDF), and the files of the records."""
    rows = [(module, row) for module, row in found.rows if row["deleted_at"] is None]
    has_notes = settings.current().exports_notes
    plain, spoken = (showing.parts_of(found, is_spoken, has_notes) for is_spoken in (False, True))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book:
        data = {
            "made_at": clock.now().isoformat(timespec="seconds"),
            "records": {
                f"{module} {row['id']}": {name: text for name, _label, text in showing.fields_of(module, row, False)}
                for module, row in rows
            },
            "sections": {part.key: {"title": part.title, "rows": list(part.rows)} for part in plain},
        }
        book.writestr("data.json", json.dumps(data, ensure_ascii=False, indent=1))
        page = _page([showing.fields_of(*one) for one in rows], spoken)
        book.writestr("my-data.html", page)
        for made in (form(found, language, page) for form in _forms):
            if made is not None:
                book.writestr(*made)
        room = MOST_FILES
        for number, row in enumerate(db.session.execute(own.files(found.ids)).all(), 1):
            place = attachments.path_of(row.sha256)
            if place.exists() and row.size <= room:
                room -= row.size
                book.write(place, f"files/{number}-{attachments.plain_name(row.name)}")


def _page(records: list[list[tuple[str, str, str]]], parts: list[Part]) -> str:
    """One page without scripts that prints well."""
    said = [f"<h1>{html.escape(_('Your data'))}</h1>", f"<p>{html.escape(organisation().name or '')}</p>"]
    for rows in records:
        said.append(f"<h2>{html.escape(_('Your record'))}</h2><dl>")
        said += [f"<dt>{html.escape(label)}</dt><dd>{html.escape(text)}</dd>" for _name, label, text in rows]
        said.append("</dl>")
    for part in parts:
        said.append(f"<h2>{html.escape(part.title)}</h2><div><table><tr>")
        said += [f"<th>{html.escape(label)}</th>" for name, label in part.headings.items()]
        said.append("</tr>")
        for row in part.rows:
            cells = "".join(
                f"<td>{html.escape(str(row[name]) if row[name] is not None else '')}</td>" for name in part.headings
            )
            said.append(f"<tr>{cells}</tr>")
        said.append("</table></div>")
    style = "body{font:16px/1.5 sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}table{border-collapse:collapse}td,th{border:1px solid #ccc;padding:.3rem .5rem;text-align:left;vertical-align:top}div{overflow-x:auto}dt{font-weight:bold}dd{margin:0 0 .5rem}"
    title = html.escape(_("Your data"))
    return f'<!doctype html><html><head><meta charset="utf-8"><title>{title}</title><style>{style}</style></head><body>{"".join(said)}</body></html>'
