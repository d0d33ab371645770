"""A document of a record: the template filled, made into a PDF where that is wanted, kept as a file of the record."""

import io
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from crm.db import db
from crm.documents import converting, layouts, package, pictures, templates
from crm.documents.filling import fill
from crm.documents.merging import fill_text
from crm.documents.package import MEDIA_TYPES
from crm.documents.reading import Reader, given, root_of
from crm.documents.scopes import Filling
from crm.documents.showing import choose_language, speaking_of
from crm.documents.sources import common_of
from crm.documents.tokens import BadTag
from crm.engine import attachments, outbox, search
from crm.engine.channels import Channel
from crm.engine.outbox import GiveUp, Progress, task
from crm.engine.refusals import Forbidden, Missing, Refused
from crm.engine.registry import modules
from crm.engine.rows import Row
from crm.identity import viewers
from crm.identity.viewer import SYSTEM, Viewer
from crm.words import _, speaking

TASK = "make_document"


@dataclass(frozen=True)
class Made:
    """A document: its file's name, its bytes, their format; `empty`: tags that printed nothing."""

    name: str
    data: bytes
    format: str
    language: str
    empty: tuple[str, ...] = ()


def template_of(template_id: int, is_active: bool = True) -> Row:
    """A template with its file or layout, an active one unless it is only looked at. Raises Missing."""
    found = search.one(SYSTEM, templates.KEY, template_id, columns=templates.COLUMNS)
    if (is_active and not found["active"]) or not (found["file_id"] or found["layout"]):
        raise Missing
    return found


def filled(viewer: Viewer, template: Row, id: int, language: str = "", more: Mapping[str, Any] | None = None) -> Made:
    """The template with the data of the record `id`, as far as `viewer` may read it; not yet a PDF.

    `language`: else that of the template, of the record, of the contact it belongs to, of the site. `more`: name → value
    that tags know beside the record. Raises Missing, Refused (a list that is too long, a tag that cannot be computed).
    """
    module = modules[template["module"]]
    row, reader = search.one(viewer, module, id), Reader(viewer)
    spoken = choose_language(language, template["language"], row.get("language"), _language_of_contact(viewer, row))
    common = {name: given(source, viewer, row) for name, source in common_of().items()}
    common["user"] = reader.linked([], viewer.id) if viewer.id is not None else None
    with speaking_of(spoken) as words:
        values = root_of(reader, module, row, common | dict(more or {}))
        gallery = pictures.Gallery() if template["format"] in pictures.DRAWN_IN else None
        scope = Filling(values, replace(words, gallery=gallery))
        try:
            data = fill(layouts.opened(template), scope)
            if gallery is not None and gallery.shown:
                data = pictures.hang(package.read(f"x.{template['format']}", data), gallery)
            name = fill_text(template["file_name"] or "", Filling(values, words)).strip()
        except BadTag as wrong:
            raise Refused.because("bad_template", str(wrong)) from None
    name = attachments.plain_name((name or f"{template['name']} {row.label}").replace("/", "-"))[:190]
    return Made(name, data, template["format"], spoken, tuple(dict.fromkeys(scope.empty)))


def _language_of_contact(viewer: Viewer, row: Row) -> str | None:
    contact = row.get("contact_id")
    if contact is None or row.module == "contacts":
        return None
    try:
        return search.one(viewer, "contacts", contact, columns=("language",))["language"]  # type: ignore[no-any-return]
    except Missing:
        return None


def as_pdf(made: Made, template: Row | None = None) -> Made:
    """The same as PDF, for archives where its template says so. Raises converting.NoEngine."""
    for_archives = template is not None and template["output"] == "pdf_a"
    data = converting.to_pdf([(made.format, made.data)], for_archives=for_archives)[0]
    return Made(made.name, data, "pdf", made.language, made.empty)


def store(viewer: Viewer, made: Made) -> int:
    """Store a document as the viewer's own file; the file's id."""
    stored = attachments.store(viewer, f"{made.name}.{made.format}", io.BytesIO(made.data), MEDIA_TYPES[made.format])
    return int(stored.id)


def keep(viewer: Viewer, made: Made, module: str, id: int) -> int:
    """Store a document; where the viewer may change the record, it becomes one of its files."""
    file = store(viewer, made)
    try:
        attachments.attach(viewer, module, id, file, Channel.FORM)
    except (Forbidden, Missing):
        pass  # it is found among the own files of whoever made it
    return file


def file_for(viewer: Viewer, template_id: int, id: int, language: str = "") -> tuple[int, str]:
    """A document as a file of the viewer's own, for a mail: (its id, why it is no PDF or ""). Nothing is hung on the record.

    Made at once, in up to a minute: for jobs. Raises Missing when it is not offered for the record, Refused. The caller commits.
    """
    template = template_of(template_id)
    if not templates.is_offered(template, search.one(viewer, template["module"], id)):
        raise Missing
    made, problem = filled(viewer, template, id, language), ""
    if template["output"] != "same":
        try:
            made = as_pdf(made, template)
        except converting.NoEngine as none:
            problem = str(none)
    return store(viewer, made), problem


def start(viewer: Viewer, template_id: int, id: int, language: str = "", keeps: bool = True) -> int:
    """Let a worker make a PDF; gives the job. `keeps`: as a file of the record, else for the viewer's eyes only.

    Raises Missing when there is no such record or template, or it is not offered for this record.
    """
    template = template_of(template_id, is_active=keeps)
    row = search.one(viewer, template["module"], id)
    if keeps and not templates.is_offered(template, row):
        raise Missing
    if viewer.id is None:
        raise Forbidden
    return outbox.put(
        db.session, TASK, created_by_id=viewer.id, viewer_id=viewer.id, template_id=template_id, id=id, language=language, keeps=keeps
    )  # fmt: skip


@task(TASK, queue="files", max_attempts=2)
def run(progress: Progress, *, viewer_id: int, template_id: int, id: int, language: str, keeps: bool) -> str | None:
    """Make the document with the rights that the person has now. Without LibreOffice the filled template is kept."""
    viewer = viewers.of_user(viewer_id)
    if viewer is None:
        raise GiveUp(_("Whoever started this may not sign in any more."))
    with speaking(viewer.locale):
        try:
            template = template_of(template_id, is_active=keeps)
            made = filled(viewer, template, id, language)
        except (Missing, Forbidden):
            raise GiveUp(_("The record or the template is not there any more.")) from None
        except Refused as refused:
            raise GiveUp(refused.sentences) from None
        module = template["module"]
        db.session.rollback()  # nothing is locked while LibreOffice works
        problem = ""
        try:
            made = as_pdf(made, template)
        except converting.NoEngine as none:
            problem = str(none)
        file = keep(viewer, made, module, id) if keeps else store(viewer, made)
        if problem:
            return _("%(problem)s The filled file is kept instead: /crm/files/%(file)s", problem=problem, file=file)
        return _("The document is ready: /crm/files/%(file)s", file=file)
