"""Staff pages of what was sent: the list by outcome, one submission as it came, and what can be done about it."""

from typing import Any

from flask import Response, render_template, request
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import func, select
from werkzeug.wrappers import Response as AnyResponse

from crm import clock
from crm.db import db
from crm.engine import attachments, history, search
from crm.engine.channels import Channel
from crm.engine.conditions import where
from crm.engine.permissions import demand
from crm.engine.refusals import Missing
from crm.engine.registry import modules
from crm.engine.rows import Row, labels_of
from crm.ui.downloads import as_download
from crm.ui.face import face
from crm.ui.page import go, tell
from crm.ui.session import commit, viewer
from web_tracking.forms import designing, keeping, making
from web_tracking.forms.design import Design
from web_tracking.forms.keeping import SUBMISSIONS
from web_tracking.forms.web.building import home, values_of

OUTCOMES = ("all", "made", "known", "failed", "suspected", "waiting")
PER_PAGE = 50
COLUMNS = (
    "received_at", "outcome", "reason", "person_id", "account_id", "variant", "page", "referrer", "source", "medium", "campaign",
    "language", "consent", "consent_wording", "ip", "agent_family", "tried_count", "settled_at",
)  # fmt: skip


def listing(id: int) -> str:
    """The submissions of a form, newest first. `outcome`: one of them alone; `after`: the next page."""
    found = values_of(id, "submissions")
    wanted = request.args.get("outcome", "all")
    wanted = wanted if wanted in OUTCOMES else "all"
    asked = where("form_id", "is", id)
    if wanted != "all":
        asked = {"$and": [asked, where("outcome", "is", wanted)]}
    page = search.find(
        viewer(), "form_submissions", where=asked, columns=COLUMNS, sort=("-received_at",), limit=PER_PAGE,
        after=request.args.get("after") or None, count="none",
    )  # fmt: skip
    extra = _extra([row.id for row in page.rows])
    rows = [(row, extra[row.id], _record(row), _came(row, found["address"])) for row in page.rows]
    return render_template(
        "website_forms/submissions.html", **found, rows=rows, wanted=wanted, counts=_counts(id), next=page.next,
        brief=_brief, outcomes=_outcomes(),
    )  # fmt: skip


def show(id: int, submission_id: int) -> str:
    """One submission: what was sent, whence, and what came of it."""
    found = values_of(id, "submissions")
    row = _one(id, submission_id)
    extra = _extra([row.id])[row.id]
    design: Design = found["design"]
    labels = {one.name: one.label for one in design.asked}
    said = [(labels.get(name, name), _words(text), name in labels) for name, text in extra["said"].items()]
    return render_template(
        "website_forms/submission.html", **found, one=row, extra=extra, said=said, record=_record(row), labels=labels,
        files=keeping.files_of([row.id]).get(row.id, []), outcomes=_outcomes(),
    )  # fmt: skip


def do_one(id: int, submission_id: int, deed: str) -> AnyResponse:
    """again: try it (again), genuine: a suspected one is none; remove: take it away."""
    designing.open_for(viewer(), id)
    _one(id, submission_id)
    if deed == "remove":
        _remove(id, [submission_id])
        tell(_("The submission was deleted."))
        return go(f"{home(id)}/submissions")
    if deed not in {"again", "genuine"}:
        raise Missing
    making.again(submission_id)
    commit()
    tell(_("The submission is tried again; reload this page in a moment."))
    return go(f"{home(id)}/submissions/{submission_id}")


def do_many(id: int) -> AnyResponse:
    """The same with those that were ticked."""
    designing.open_for(viewer(), id)
    ids = [int(one) for one in request.form.getlist("id") if one.isdecimal() and len(one) < 19][:500]
    mine = _mine(id, ids)
    if request.form.get("deed") == "remove":
        _remove(id, mine)
        tell(ngettext("%(num)s submission was deleted.", "%(num)s submissions were deleted.", len(mine)))
    elif request.form.get("deed") == "again":
        count = sum(making.again(one) for one in mine)
        commit()
        tell(ngettext("%(num)s submission is tried again.", "%(num)s submissions are tried again.", count))
    return go(f"{home(id)}/submissions?outcome={request.form.get('outcome', 'all')[:10]}")


def file(id: int, submission_id: int, file_id: int) -> Response:
    """A file of a submission, always as a download."""
    row = _one(id, submission_id)
    found = next((one for one in keeping.files_of([row.id]).get(row.id, []) if one.id == file_id), None)
    if found is None:
        raise Missing
    return as_download(attachments.path_of(found.sha256), found.name)


def _one(id: int, submission_id: int) -> Row:
    """A submission of the form that the viewer may see. Raises Missing."""
    asked = {"$and": [where("form_id", "is", id), where("id", "is", submission_id)]}
    rows = search.find(viewer(), "form_submissions", where=asked, columns=COLUMNS, limit=1, count="none").rows
    if not rows:
        raise Missing
    return rows[0]


def _mine(id: int, ids: list[int]) -> list[int]:
    if not ids:
        return []
    asked = {"$and": [where("form_id", "is", id), where("id", "one of", ids)]}
    return [
        row.id
        for row in search.find(
            viewer(), "form_submissions", where=asked, columns=("form_id",), limit=500, count="none"
        ).rows
    ]


def _remove(id: int, ids: list[int]) -> None:
    demand(viewer(), "delete", "website_forms")
    keeping.drop(ids)
    if ids:
        history.note_events(viewer(), modules["website_forms"], [id], "submissions deleted", Channel.FORM, clock.now())
    commit()


def _extra(ids: list[int]) -> dict[int, dict[str, Any]]:
    """What is no field of the module: the values as they came, the troubles, the first visit."""
    c = SUBMISSIONS.c
    said = select(c.id, c.said, c.troubles, c.first_touch, c.email_key).where(c.id.in_(ids))
    return {row["id"]: dict(row) for row in db.session.execute(said).mappings()} if ids else {}


def _record(row: Row) -> tuple[str, str] | None:
    """(name, address) of the record that was made or known, where the viewer may see it."""
    id = row["person_id"] or row["account_id"]
    name = labels_of(viewer(), [id]).get(id) if id else None
    return (name, f"{face().prefix}/go/{id}") if name else None


def _came(row: Row, address: str) -> str:
    """Where a submission came from, in a few words."""
    if row["source"] or row["referrer"]:
        return str(row["source"] or row["referrer"])
    if row["page"] and address.endswith(str(row["page"])):
        return _("Our page")
    return str(row["page"] or "–")


def _counts(id: int) -> dict[str, int]:
    c = SUBMISSIONS.c
    found = {key: int(count) for key, count in db.session.execute(
        select(c.outcome, func.count()).where(c.form_id == id).group_by(c.outcome))}  # fmt: skip
    return found | {"all": sum(found.values())}


def _words(text: Any) -> str:
    return text if isinstance(text, str) else ", ".join(text)


def _brief(said: dict[str, Any]) -> str:
    """The first things that somebody said, for a list."""
    texts = [words for text in said.values() if (words := _words(text))][:4]
    return " · ".join(one if len(one) <= 60 else f"{one[:59].rstrip()}…" for one in texts)


def _outcomes() -> dict[str, tuple[str, str]]:
    """outcome → what it is called, and its tone."""
    return {
        "all": (_("All"), ""), "made": (_("New record"), "dot-green"), "known": (_("Known before"), "dot-blue"),
        "failed": (_("Failed"), "dot-red"), "suspected": (_("Suspected"), "dot-orange"), "waiting": (_("Waiting"), "dot-azure"),
    }  # fmt: skip
