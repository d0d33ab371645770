"""An import as it is set up: its file, how it is read, which column goes to which field, what is done to whom."""

import os
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from sqlalchemy import ForeignKey, Index, Integer, String, Text, delete, func, select, update
from sqlalchemy.orm import Mapped, mapped_column

from crm import clock, config
from crm.db import BigId, Json, UtcDateTime, db, fold_text
from crm.engine.attachments import MEGABYTE, plain_name
from crm.engine.imports.reading import DELIMITERS, ENCODINGS, Dialect, guess, header
from crm.engine.module import Module
from crm.engine.permissions import demand, writable
from crm.engine.refusals import Fault, Missing, Refused
from crm.engine.registry import modules
from crm.identity.viewer import Viewer
from crm.words import LANGUAGES, _, speaking

MODES = ("create", "update", "both")
MOST_BY_SCREEN = 200 * MEGABYTE


class Import(db.Model):  # type: ignore[name-defined]
    """One import. States: new, ready, running, done, failed, cancelled, undone."""

    __tablename__ = "imports"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    module: Mapped[str] = mapped_column(String(40))
    user_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("users.id", ondelete="SET NULL"))
    file_name: Mapped[str] = mapped_column(String(255))
    path: Mapped[str] = mapped_column(Text)
    dialect: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    mapping: Mapped[dict[str, str]] = mapped_column(Json, default=dict)  # column index → field name
    mode: Mapped[str] = mapped_column(String(8), default="create")
    match: Mapped[str] = mapped_column(String(60), default="")
    for_all: Mapped[dict[str, Any]] = mapped_column(
        Json, default=dict
    )  # field → value given to every row that has none
    state: Mapped[str] = mapped_column(String(12), default="new")
    message: Mapped[str] = mapped_column(Text, default="")
    done_line: Mapped[int] = mapped_column(Integer, default=0)  # rows up to this line are committed: where to go on
    row_count: Mapped[int] = mapped_column(Integer, default=0)
    created_count: Mapped[int] = mapped_column(Integer, default=0)
    updated_count: Mapped[int] = mapped_column(Integer, default=0)
    unchanged_count: Mapped[int] = mapped_column(Integer, default=0)
    refused_count: Mapped[int] = mapped_column(Integer, default=0)
    undone_count: Mapped[int] = mapped_column(Integer, default=0)
    checked: Mapped[dict[str, Any] | None] = mapped_column(Json)  # what the dry run of the whole file found
    job_id: Mapped[int | None] = mapped_column(BigId)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    @property
    def how(self) -> Dialect:
        return Dialect(**self.dialect)

    @property
    def columns(self) -> dict[int, str]:
        return {int(index): name for index, name in self.mapping.items()}


class ImportFault(db.Model):  # type: ignore[name-defined]
    """One remark on a row: why it was refused (`is_refusal`), or what was cut or left out of it."""

    __tablename__ = "import_faults"
    __table_args__ = (Index("ix_import_faults_import", "import_id", "line"),)
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    import_id: Mapped[int] = mapped_column(BigId, ForeignKey("imports.id", ondelete="CASCADE"))
    line: Mapped[int] = mapped_column(Integer)
    is_refusal: Mapped[bool] = mapped_column(default=True)
    message: Mapped[str] = mapped_column(Text)
    cells: Mapped[list[str]] = mapped_column(Json, default=list)


class ImportedRun(db.Model):  # type: ignore[name-defined]
    """Records that an import made, so that it can be undone: those of a batch have ids without a gap, and are one row here.

    An id is never given twice, so that of records which are gone by now nothing is left to point at.
    """

    __tablename__ = "imported_runs"
    import_id: Mapped[int] = mapped_column(BigId, ForeignKey("imports.id", ondelete="CASCADE"), primary_key=True)
    first_id: Mapped[int] = mapped_column(BigId, primary_key=True)
    last_id: Mapped[int] = mapped_column(BigId)


def begin(viewer: Viewer, module: str, name: str, stream: IO[bytes], most: int | None = MOST_BY_SCREEN) -> Import:
    """Take a file in and guess how it is written. Raises Refused, Forbidden. The caller commits."""
    said = modules[module]
    demand(viewer, "import", said)
    demand(viewer, "create", said)
    if not said.importable or not said.is_record:
        raise Refused.because("not_importable", _("%(plural)s cannot be imported.", plural=_(said.plural)))
    made = Import(
        module=module, user_id=viewer.id, file_name=plain_name(name), path="", dialect={}, created_at=clock.now(),
        mapping={}, for_all={}, message="",
    )  # fmt: skip
    db.session.add(made)
    db.session.flush()
    folder: Path = config.current().data_path / "imports"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / f"{made.id}-{os.urandom(8).hex()}.csv"
    size = 0
    with open(path, "wb") as file:
        while piece := stream.read(1 << 20):
            size += len(piece)
            if most is not None and size > most:
                file.close()
                path.unlink()
                limit = most // MEGABYTE
                message = _(
                    "The file is larger than %(limit)s MB. Split it, or use the command “customerhub import”.",
                    limit=limit,
                )
                raise Refused.because("file_too_large", message, "file")
            file.write(piece)
    made.path = str(path)
    made.dialect = guess(path).stored()
    try:
        made.mapping = suggest(said, header(path, made.how))
    except Refused:
        path.unlink()
        raise
    return made


def drop_files(before: datetime, limit: int) -> int:
    """Let go of the files of imports that were over, or given up, before a moment, and of their refused rows; the numbers of
    those that ran stay. Gives how many. The caller commits."""
    t = Import.__table__.c
    over = func.coalesce(t.finished_at, t.created_at) < before
    said = select(t.id, t.path, t.state).where(t.path != "", t.state != "running", over).order_by(t.id).limit(limit)
    rows = db.session.execute(said).all()
    begun = [row.id for row in rows if row.state in {"new", "ready"}]
    ids = [row.id for row in rows]
    db.session.execute(delete(ImportFault).where(ImportFault.import_id.in_(ids)))
    db.session.execute(delete(Import).where(Import.id.in_(begun)))
    db.session.execute(update(Import).where(Import.id.in_(ids)).values(path="", checked=None))
    for row in rows:
        Path(row.path).unlink(missing_ok=True)
    return len(rows)


def suggest(module: Module, names: list[str]) -> dict[str, str]:
    """The field that each column's name points to: by technical name, label in any language, or alias; each field once."""
    known: dict[str, str] = {}
    for name, said in module.fields.items():
        for word in (name, said.label, said.label.replace("-", ""), *said.aliases):
            known.setdefault(_word(word), name)
    for alias, name in module.aliases.items():
        known.setdefault(_word(alias), name)
    for language in LANGUAGES:  # the file need not speak the language of who brings it
        with speaking(language):
            for name, said in module.fields.items():
                known.setdefault(_word(_(said.label)), name)
    mapping: dict[str, str] = {}
    for index, name in enumerate(names):
        field = known.get(_word(name))
        if field and field not in mapping.values() and not module.fields[field].read_only:
            mapping[str(index)] = field
    return mapping


def _word(text: str) -> str:
    return "".join(character for character in fold_text(text) or "" if character.isalnum())


def configure(
    viewer: Viewer,
    plan: Import,
    *,
    dialect: Dialect | None = None,
    mapping: dict[int, str] | None = None,
    mode: str = "create",
    match: str = "",
    for_all: dict[str, Any] | None = None,
) -> None:
    """Set an import up. Raises Refused with all that is wrong, by field. The caller commits."""
    module = modules[plan.module]
    faults: dict[str, list[Fault]] = {}
    if dialect is not None:
        if dialect.encoding not in ENCODINGS:
            faults["encoding"] = [
                Fault("not_in_list", _("The encoding is one of: %(known)s.", known=", ".join(ENCODINGS)))
            ]
        if dialect.delimiter not in DELIMITERS:
            faults["delimiter"] = [
                Fault("not_in_list", _("The delimiter is one of: %(known)s.", known=", ".join(DELIMITERS.values())))
            ]
        if faults:
            raise Refused(faults)
        names = header(Path(plan.path), dialect)
        if dialect.stored() != plan.dialect:
            plan.dialect = dialect.stored()
            plan.mapping = suggest(module, names)
    if mapping is not None:
        plan.mapping = {str(index): module.resolve(name) for index, name in mapping.items() if name}
    _check_mapping(viewer, module, plan, mode, match, faults)
    if faults:
        raise Refused(faults)
    plan.mode, plan.match = mode, match
    plan.for_all = for_all or {}
    plan.state = "ready"


def _check_mapping(
    viewer: Viewer, module: Module, plan: Import, mode: str, match: str, faults: dict[str, list[Fault]]
) -> None:
    fields = list(plan.mapping.values())
    if not fields:
        faults["mapping"] = [Fault("required", _("Choose a field for at least one column."))]
        return
    allowed = writable(viewer, module) | {"number", "id"}
    for name in fields:
        if fields.count(name) > 1:
            faults["mapping"] = [
                Fault("not_unique", _("Two columns go to “%(label)s”. Choose one.", label=_(module.fields[name].label)))
            ]
        elif name not in allowed:
            faults["mapping"] = [Fault("forbidden", _("“%(name)s” cannot be written by an import.", name=name))]
    if mode not in MODES:
        faults["mode"] = [Fault("not_in_list", _("Choose: create, update or both."))]
    if mode != "create" and match not in fields:
        faults["match"] = [
            Fault("required", _("Choose the field by which rows find their records; a column must go to it."))
        ]
    if mode != "update":
        wanting = [said.label for name, said in module.fields.items() if said.required and said.default is None
                   and name not in fields and name not in (plan.for_all or {})]  # fmt: skip
        if wanting:
            faults["mapping"] = [
                Fault("required", _("No column goes to: %(known)s. New records need it.", known=", ".join(wanting)))
            ]


def load(viewer: Viewer, id: int) -> Import:
    """An import of the viewer's own (an administrator's: any). Raises Missing."""
    found = db.session.get(Import, id)
    if found is None or not (viewer.is_admin or viewer.is_system or found.user_id == viewer.id):
        raise Missing
    return found
