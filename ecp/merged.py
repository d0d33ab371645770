"""Mail merge by mail: each person gets an e-mail with the document of the own record attached (spec/marketing.md 6.30, M110).

A worker makes the documents; what comes out is the draft of a sendout whose people are written down, each with a document. Everything
after that is the same as for others: refusals, footer, test, start, report.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from crm.db import db
from crm.documents import converting, mail_merge, making
from crm.documents.mail_merge import Merge
from crm.documents.package import MEDIA_TYPES
from crm.engine import outbox, records, search
from crm.engine.channels import Channel
from crm.engine.outbox import GiveUp, Progress, task
from crm.engine.permissions import demand, has_area, may
from crm.engine.refusals import Fault, Forbidden, Missing, Refused
from crm.engine.registry import modules
from crm.identity import viewers
from crm.identity.viewer import Viewer
from crm.mail.message import Attachment
from crm.modules.people import PERSONS
from crm.words import _, ngettext, speaking
from ecp.modules import sendout_documents
from ecp.modules.sendout_people import take
from ecp.personal import people
from ecp.pipeline import frozen, prepare
from ecp.pipeline.actions import MERGE

TASK = "merge_documents.mail"
mail_merge.TASKS.add(TASK)


@dataclass(frozen=True)
class Wanted:
    """What is sent to whom: the records and the template of their documents; the e-mail that the documents hang on."""

    module: str
    ids: Sequence[int]
    template_id: int
    email_template_id: int
    list_type_id: int | None = None
    as_pdf: bool = True


def may_mail(viewer: Viewer, module: str) -> bool:
    """Whether the viewer may mail documents of records of `module`: it has people, and he may send and take data out."""
    if module not in PERSONS and people.LINK not in modules[module].fields:
        return False
    return may(viewer, "export", module) and may(viewer, "create", "sendouts") and has_area(viewer, "send")


def start(viewer: Viewer, wanted: Wanted) -> int:
    """Let a worker make the documents and the draft; gives the job. The caller commits.

    Raises Forbidden, Refused at ids, template, email_template_id, output."""
    faults, chosen = mail_merge.faults_of(viewer, wanted.module, wanted.ids, wanted.template_id)
    if viewer.id is None or not may_mail(viewer, wanted.module):
        raise Forbidden(_("You have no right to send mass mails."), "forbidden_action")
    if not _is_ready(viewer, wanted.email_template_id):
        faults["email_template_id"] = Fault("required", _("Choose an active e-mail."))
    if wanted.as_pdf and converting.engine() is None:
        message = _("LibreOffice is not installed on this machine, so no PDF can be made.")
        faults["output"] = Fault("no_engine", message)
    if faults:
        raise Refused({name: [fault] for name, fault in faults.items()})
    return outbox.put(
        db.session, TASK, created_by_id=viewer.id, total=len(chosen), viewer_id=viewer.id, module=wanted.module, ids=list(chosen),
        template_id=wanted.template_id, email_template_id=wanted.email_template_id, list_type_id=wanted.list_type_id,
        as_pdf=wanted.as_pdf,
    )  # fmt: skip


def _is_ready(viewer: Viewer, email_template_id: int) -> bool:
    said = {"$and": [{"$eq": ["id", email_template_id]}, {"kind": "email"}, {"status": "active"}]}
    return bool(search.find(viewer, "email_templates", where=said, columns=("name",), limit=1, count="none").rows)


@dataclass
class _Mailing:
    """The people of one merge, each with documents, and those who are left out."""

    viewer: Viewer
    merge: Merge
    free: int  # octets that the documents of one person may have
    taken: dict[tuple[str, int], int] = field(default_factory=dict)

    def rows(self) -> Iterator[tuple[str, int, Attachment]]:
        """(module of the person, its id, the document) for every record with somebody to write to."""
        for id, name, path in self.merge.files:
            try:
                person = people.person_of(self.viewer, search.one(self.viewer, self.merge.template["module"], id))
            except (Missing, Refused) as why:
                said = (
                    [one.message for found in why.faults.values() for one in found] if isinstance(why, Refused) else []
                )
                self.merge.problems.append(" ".join(said) or _("a record that is gone or may not be seen"))
                continue
            who, data = (person.module, person.id), path.read_bytes()
            if self.taken.get(who, 0) + len(data) > self.free:
                self.merge.problems.append(_("%(name)s: more than a mail may carry", name=name))
                continue
            self.taken[who] = self.taken.get(who, 0) + len(data)
            yield (*who, Attachment(name, MEDIA_TYPES.get(path.suffix[1:], "application/octet-stream"), data))


@task(TASK, queue="files", max_attempts=3)
def run(
    progress: Progress, *, viewer_id: int, module: str, ids: list[int], template_id: int, email_template_id: int,
    list_type_id: int | None, as_pdf: bool,
) -> str | None:  # fmt: skip
    """Make the documents, and the draft at their end in one transaction, with the rights that the person has now."""
    viewer = viewers.of_user(viewer_id)
    if viewer is None:
        raise GiveUp(_("Whoever started this may not sign in any more."))
    with speaking(viewer.locale), tempfile.TemporaryDirectory(prefix="customerhub-merge-") as folder:
        try:
            demand(viewer, "export", module)
            merge = Merge(viewer, making.template_of(template_id), "pdfs" if as_pdf else "same", Path(folder))
            if not merge.add_all(ids, progress):
                return None
            id, count = _draft(viewer, merge, email_template_id, list_type_id)
        except (Missing, Forbidden):
            raise GiveUp(_("The template or the e-mail is not there any more, or you may not send.")) from None
        except Refused as refused:
            raise GiveUp(refused.sentences) from None
        except converting.NoEngine as none:
            raise GiveUp(str(none)) from None
        begins = ngettext(
            "A draft for %(num)s person with a document.", "A draft for %(num)s people, each with a document.", count
        )
        return merge.message(f"/crm/sendouts/{id}/steps/send", begins)


def _draft(viewer: Viewer, merge: Merge, email_template_id: int, list_type_id: int | None) -> tuple[int, int]:
    """The sendout and how many people it has. Raises Refused when there is nobody."""
    name = _("Mail merge: %(name)s", name=merge.template["name"])[:150]
    values = {
        "name": name, "email_template_id": email_template_id, "source": MERGE, "list_type_id": list_type_id, "skip_earlier": False,
    }  # fmt: skip
    id = records.create(viewer, "sendouts", values, Channel.FORM)
    used = sum(len(file.data) for file in frozen.files_of(email_template_id))
    mailing = _Mailing(viewer, merge, frozen.MOST_ATTACHED - used)
    for row in mailing.rows():  # one at a time: hundreds of documents are never in memory together
        sendout_documents.keep(id, [row])
    if not mailing.taken:
        why = "; ".join(dict.fromkeys(merge.problems))[:300]
        raise Refused.because("no_recipients", _("No document could be made: %(why)s.", why=why))
    take(id, id, email_template_id, sendout_documents.people(id))
    prepare.make_keys()
    return id, len({id for _module, id in mailing.taken})
