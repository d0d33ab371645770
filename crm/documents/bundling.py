"""Several templates of one record as one PDF, in the order that was chosen."""

import io
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from crm.db import db
from crm.documents import converting, making, pdf_pages, templates
from crm.documents.making import Made
from crm.engine import outbox, search
from crm.engine.outbox import GiveUp, Progress, task
from crm.engine.refusals import Forbidden, Missing, Refused
from crm.identity import viewers
from crm.identity.viewer import Viewer
from crm.words import _, say_number, speaking

TASK = "bundle_documents"
MOST = 20  # templates; one start of LibreOffice makes them all


def start(viewer: Viewer, module: str, id: int, template_ids: Sequence[int], language: str = "") -> int:
    """Let a worker make one PDF of several templates; gives the job. The caller commits.

    Raises Refused (required, out_of_range), Missing when the record or a template is not there, or not offered for it.
    """
    if not template_ids:
        raise Refused.because("required", _("Choose at least one template."))
    if len(template_ids) > MOST:
        raise Refused.because("out_of_range", _("Choose at most %(most)s templates.", most=say_number(MOST)))
    known = {one.id for one in templates.offered(search.one(viewer, module, id))}
    if viewer.id is None or not set(template_ids) <= known:
        raise Missing
    return outbox.put(
        db.session, TASK, created_by_id=viewer.id, viewer_id=viewer.id, module=module, id=id, template_ids=list(template_ids),
        language=language,
    )  # fmt: skip


@task(TASK, queue="files", max_attempts=2)
def run(
    progress: Progress, *, viewer_id: int, module: str, id: int, template_ids: list[int], language: str
) -> str | None:
    """Fill them, make PDF of all, put them together. Where that cannot be done the filled files are kept in an archive."""
    viewer = viewers.of_user(viewer_id)
    if viewer is None:
        raise GiveUp(_("Whoever started this may not sign in any more."))
    with speaking(viewer.locale):
        try:
            made = list(_filled(viewer, module, id, template_ids, language))
        except (Missing, Forbidden):
            raise GiveUp(_("The record or the template is not there any more.")) from None
        except Refused as refused:
            raise GiveUp(refused.sentences) from None
        if not made:
            raise GiveUp(_("The record or the template is not there any more."))
        db.session.rollback()  # nothing is locked while LibreOffice works
        try:
            whole, problem = replace(made[0], data=_joined(made), format="pdf"), ""
        except converting.NoEngine as none:
            whole, problem = replace(made[0], data=_archive(made), format="zip"), str(none)
        file = making.keep(viewer, whole, module, id)
        if problem:
            return _("%(problem)s The filled files are kept instead: /crm/files/%(file)s", problem=problem, file=file)
        return _("The document is ready: /crm/files/%(file)s", file=file)


def _filled(viewer: Viewer, module: str, id: int, template_ids: Sequence[int], language: str) -> Iterator[Made]:
    """The filled templates; one that is not offered any more is left out."""
    known = {one.id: one for one in templates.offered(search.one(viewer, module, id))}
    for template_id in template_ids:
        if template_id in known:
            yield making.filled(viewer, known[template_id], id, language)


def _joined(made: Sequence[Made]) -> bytes:
    pdfs = converting.to_pdf([(one.format, one.data) for one in made])
    with tempfile.TemporaryDirectory(prefix="customerhub-pdf-") as folder:
        paths = [Path(folder) / f"{place:03}.pdf" for place in range(len(pdfs))]
        for path, data in zip(paths, pdfs, strict=True):
            path.write_bytes(data)
        whole = Path(folder) / "all.pdf"
        pdf_pages.unite(paths, whole)
        return whole.read_bytes()


def _archive(made: Sequence[Made]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for place, one in enumerate(made, 1):
            archive.writestr(f"{place} {one.name}.{one.format}", one.data)
    return out.getvalue()
