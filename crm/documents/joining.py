"""Several documents as one PDF: several templates of one record, or one and the same for chosen records of a list."""

import io
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import batched

from pypdf import PdfWriter

from crm.db import db
from crm.documents import converting, making, templates
from crm.documents.making import Made
from crm.engine import outbox, search
from crm.engine.outbox import GiveUp, Progress, task
from crm.engine.refusals import Forbidden, Missing, Refused
from crm.engine.registry import modules
from crm.engine.rows import Row
from crm.identity import viewers
from crm.identity.viewer import Viewer
from crm.words import _, in_sentence, say_number, speaking

TASK = "join_documents"
MOST = 200  # documents in one file
AT_ONCE = 20  # that one start of LibreOffice makes


def start(viewer: Viewer, module: str, ids: Sequence[int], template_ids: Sequence[int], language: str = "") -> int:
    """Let a worker make one PDF of all; gives the job. The caller commits.

    Raises Refused (required, out_of_range), Missing when no template or no record is there for this viewer.
    """
    if not template_ids:
        raise Refused.because("required", _("Choose at least one template."))
    if len(ids) * len(template_ids) > MOST:
        said = _("One file holds at most %(most)s documents. Choose fewer.", most=say_number(MOST))
        raise Refused.because("out_of_range", said)
    known = {one.id for one in templates.active_for(module)}
    if viewer.id is None or not ids or not set(template_ids) <= known:
        raise Missing
    if len(search.find(viewer, module, columns=("id",), within=list(ids), limit=MOST, count="none").rows) < len(
        set(ids)
    ):
        raise Missing
    return outbox.put(
        db.session, TASK, created_by_id=viewer.id, total=len(ids) * len(template_ids), viewer_id=viewer.id, module=module, ids=list(ids),
        template_ids=list(template_ids), language=language,
    )  # fmt: skip


@task(TASK, queue="files", max_attempts=2)
def run(
    progress: Progress, *, viewer_id: int, module: str, ids: list[int], template_ids: list[int], language: str
) -> str | None:
    """Fill all, make PDF of twenty at a time, join them. Without LibreOffice the filled files are kept in an archive."""
    viewer = viewers.of_user(viewer_id)
    if viewer is None:
        raise GiveUp(_("Whoever started this may not sign in any more."))
    with speaking(viewer.locale):
        try:
            made = list(_filled(viewer, module, ids, template_ids, language))
        except Refused as refused:
            raise GiveUp(" ".join(one.message for found in refused.faults.values() for one in found)) from None
        db.session.rollback()  # nothing is locked while LibreOffice works
        if not made:
            raise GiveUp(_("None of the templates is offered for what was chosen."))
        name = (
            _("%(first)s and %(count)s more", first=made[0].name, count=len(made) - 1)
            if len(made) > 1
            else made[0].name
        )
        try:
            pdfs: list[bytes] = []
            for some in batched(made, AT_ONCE):
                pdfs += converting.to_pdf([(one.format, one.data) for one in some])
                progress.step(len(pdfs))
                if progress.cancelled():
                    return None
            whole = replace(made[0], name=name, data=joined([one.name for one in made], pdfs), format="pdf")
            file = making.keep(viewer, whole, module, ids[0]) if len(ids) == 1 else making.store(viewer, whole)
            return _("The document is ready: /crm/files/%(file)s", file=file)
        except converting.NoEngine as none:
            file = making.store(viewer, replace(made[0], name=name, data=_archive(made), format="zip"))
            return _("%(problem)s The filled file is kept instead: /crm/files/%(file)s", problem=str(none), file=file)
        except Refused as refused:
            raise GiveUp(" ".join(one.message for found in refused.faults.values() for one in found)) from None


def _filled(
    viewer: Viewer, module: str, ids: Sequence[int], template_ids: Sequence[int], language: str
) -> Iterator[Made]:
    """The filled templates, record by record in the order that was chosen; what went meanwhile is left out."""
    known = {one.id: one for one in templates.active_for(module)}
    rows: dict[int, Row] = {}
    for id in ids:
        try:
            rows[id] = search.one(viewer, modules[module], id)
        except (Missing, Forbidden):
            continue
    for id, row in rows.items():
        for template_id in template_ids:
            template = known.get(template_id)
            if template is not None and templates.is_offered(template, row):
                yield making.filled(viewer, template, id, language)


def joined(names: Sequence[str], pdfs: Sequence[bytes]) -> bytes:
    """One PDF of many, in their order; its outline has their names."""
    writer = PdfWriter()
    for name, pdf in zip(names, pdfs, strict=True):
        writer.append(io.BytesIO(pdf), outline_item=name, import_outline=False)
    out = io.BytesIO()
    writer.write(out)
    writer.close()
    return out.getvalue()


def _archive(made: Sequence[Made]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for place, one in enumerate(made, 1):
            archive.writestr(f"{place:03d} {one.name}.{one.format}", one.data)
    return out.getvalue()


def says(module: str, count: int) -> str:
    """What was chosen, for the head of the page: “3 contacts”."""
    return f"{say_number(count)} {in_sentence(_(modules[module].plural))}"
