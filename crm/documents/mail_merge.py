"""Mail merge (M110): one document for each chosen record of a list, as one PDF to print or as a ZIP of single files.

Made by a worker, twenty at a time, on the disk; it can be cancelled, and begins anew when its worker ends. Nothing is attached to the
records: the file belongs to whoever asked for it.
"""

import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from crm.db import db
from crm.documents import converting, making, pdf_pages, templates
from crm.documents.making import Made
from crm.engine import attachments, outbox, search
from crm.engine.attachments import MEGABYTE
from crm.engine.conditions import where
from crm.engine.outbox import GiveUp, Progress, task
from crm.engine.permissions import demand
from crm.engine.refusals import Fault, Forbidden, Missing, Refused
from crm.engine.rows import Row
from crm.identity import viewers
from crm.identity.viewer import SYSTEM, Viewer
from crm.words import _, ngettext, say_number, speaking

TASK = "merge_documents"
TASKS = {TASK}  # whose progress the pages of merges show; a room that makes more of the documents adds its own
MOST = 500
AT_ONCE = 20  # documents that one start of LibreOffice makes
MOST_BYTES = 500 * MEGABYTE
OUTPUTS = ("one_pdf", "pdfs", "same")
"""One PDF with all pages; a ZIP of PDF; a ZIP of files in the format of the template."""
KEYS = tuple(choice.key for choice in templates.MODULES.choices)


def offered(module: str) -> list[Row]:
    """The templates that documents for several records of `module` can be made of."""
    said = {"$and": [{"$eq": ["module", module]}, where("active", "is", True), where("purpose", "is", "document")]}
    found = search.find(
        SYSTEM, templates.KEY, where=said, columns=templates.COLUMNS, sort=("name",), limit=200, count="none"
    )
    return list(found.rows)


def outputs() -> tuple[str, ...]:
    """What this machine can make."""
    if converting.engine() is None:
        return ("same",)
    return OUTPUTS if pdf_pages.engine() is not None else OUTPUTS[1:]


def start(viewer: Viewer, module: str, ids: Sequence[int], template_id: int, output: str) -> int:
    """Let a worker make the documents; gives the job. The caller commits.

    Raises Refused at ids, template, output; Forbidden without the right to take data out of this module.
    """
    faults, chosen = faults_of(viewer, module, ids, template_id)
    if output not in outputs():
        faults["output"] = Fault("not_in_list", _("This machine cannot make that: LibreOffice or pdfunite is missing."))
    if faults:
        raise Refused({name: [fault] for name, fault in faults.items()})
    if viewer.id is None:
        raise Forbidden
    return outbox.put(
        db.session, TASK, created_by_id=viewer.id, total=len(chosen), viewer_id=viewer.id, module=module, ids=chosen, template_id=template_id,
        output=output,
    )  # fmt: skip


def faults_of(
    viewer: Viewer, module: str, ids: Sequence[int], template_id: int
) -> tuple[dict[str, Fault], Sequence[int]]:
    """What is wrong with what was chosen (at ids, template), and the records, each once.

    Raises Forbidden without the right to take data out of this module."""
    demand(viewer, "export", module)
    faults: dict[str, Fault] = {}
    chosen = list(dict.fromkeys(ids))
    if not chosen or len(chosen) > MOST:
        message = _(
            "Choose 1 to %(most)s records; %(count)s are chosen.", most=say_number(MOST), count=say_number(len(chosen))
        )
        faults["ids"] = Fault("out_of_range", message)
    if template_id not in {one.id for one in offered(module)}:
        faults["template"] = Fault("not_in_list", _("Choose a template."))
    return faults, chosen


@dataclass
class Merge:
    """One merge under way: the files so far, who was left out and why, tags that printed nothing."""

    viewer: Viewer
    template: Row
    output: str
    folder: Path
    files: list[tuple[int, str, Path]] = field(default_factory=list)  # (record, name, where it is)
    problems: list[str] = field(default_factory=list)
    empty: dict[str, None] = field(default_factory=dict)

    def add_all(self, ids: Sequence[int], progress: Progress) -> bool:
        """Make the documents of all records, told step by step; False when it was cancelled."""
        for place in range(0, len(ids), AT_ONCE):
            self.add(ids[place : place + AT_ONCE])
            progress.step(min(len(ids), place + AT_ONCE), len(ids))
            if progress.cancelled():
                return False
        return True

    def add(self, ids: Sequence[int]) -> None:
        """Make the documents of some records."""
        found = [(id, one) for id in ids if (one := self._filled(id)) is not None]
        made = [one for _id, one in found]
        db.session.rollback()  # nothing is locked while LibreOffice works
        if self.output != "same" and made:
            pdfs = converting.to_pdf(
                [(one.format, one.data) for one in made], for_archives=self.template["output"] == "pdf_a"
            )
            made = [Made(one.name, pdf, "pdf", one.language, one.empty) for one, pdf in zip(made, pdfs, strict=True)]
        for (id, _filled), one in zip(found, made, strict=True):
            path = self.folder / f"{len(self.files):06}.{one.format}"
            path.write_bytes(one.data)
            self.files.append((id, f"{one.name}.{one.format}", path))
            self.empty |= dict.fromkeys(one.empty)

    def _filled(self, id: int) -> Made | None:
        try:
            row = search.one(self.viewer, self.template["module"], id)
            if not templates.is_offered(self.template, row):
                self.problems.append(_("%(name)s: the template is not offered for it", name=row.label))
                return None
            return making.filled(self.viewer, self.template, id)
        except (Missing, Forbidden):
            self.problems.append(_("a record that is gone or may not be seen"))
        except Refused as refused:
            self.problems.append(refused.sentences)
        return None

    def whole(self) -> tuple[Path, str, str]:
        """The file of all: where it is, its ending, its media type. Raises NoEngine."""
        if self.output == "one_pdf":
            made = self.folder / "all.pdf"
            pdf_pages.unite([path for _id, _name, path in self.files], made)
            return made, "pdf", "application/pdf"
        made = self.folder / "all.zip"
        with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as packed:
            for name, path in self._named():
                packed.write(path, name)
        return made, "zip", "application/zip"

    def _named(self) -> Iterator[tuple[str, Path]]:
        """Each file with a name that no other has."""
        taken: set[str] = set()
        for _id, name, path in self.files:
            stem, _dot, ending = name.rpartition(".")
            free, number = name, 1
            while free.casefold() in taken:
                number += 1
                free = f"{stem} ({number}).{ending}"
            taken.add(free.casefold())
            yield free, path

    def message(self, href: str, begins: str = "") -> str:
        """What came of it (or `begins`), with what was left out and which tags printed nothing; `href`: where it is."""
        said = [begins or ngettext("%(num)s document.", "%(num)s documents.", len(self.files))]
        if self.problems:
            said.append(
                _(
                    "Left out %(count)s: %(why)s.",
                    count=len(self.problems),
                    why="; ".join(dict.fromkeys(self.problems))[:300],
                )
            )
        if self.empty:
            said.append(_("Empty in some: %(tags)s.", tags=", ".join(list(self.empty)[:10])))
        return f"{' '.join(said)} {href}"


@task(TASK, queue="files", max_attempts=3)
def run(
    progress: Progress, *, viewer_id: int, module: str, ids: list[int], template_id: int, output: str
) -> str | None:
    """Make the documents with the rights that the person has now."""
    viewer = viewers.of_user(viewer_id)
    if viewer is None:
        raise GiveUp(_("Whoever started this may not sign in any more."))
    with speaking(viewer.locale), tempfile.TemporaryDirectory(prefix="customerhub-merge-") as folder:
        try:
            demand(viewer, "export", module)
            template = making.template_of(template_id)
            merge = Merge(viewer, template, output, Path(folder))
            if not merge.add_all(ids, progress):
                return None
            if not merge.files:
                raise GiveUp(
                    _("No document could be made: %(why)s.", why="; ".join(dict.fromkeys(merge.problems))[:300])
                )
            made, ending, media_type = merge.whole()
        except (Missing, Forbidden):
            raise GiveUp(_("The template is not there any more, or you may not take data out.")) from None
        except converting.NoEngine as none:
            raise GiveUp(str(none)) from None
        name = attachments.plain_name(template["name"].replace("/", "-"))[:150]
        with made.open("rb") as stream:
            stored: Any = attachments.store(viewer, f"{name}.{ending}", stream, media_type, most=MOST_BYTES)
        return merge.message(f"/crm/files/{int(stored.id)}")
