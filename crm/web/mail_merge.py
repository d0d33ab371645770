"""“Make documents” over chosen rows of a list: which template, one PDF or a ZIP; then its progress, with a button to stop."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, make_response, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from crm.db import db
from crm.documents import mail_merge
from crm.engine import outbox
from crm.engine.module import Module
from crm.engine.outbox import Standing
from crm.engine.permissions import demand, may
from crm.engine.refusals import Missing, Refused
from crm.identity.viewer import Viewer
from crm.ui.deeds import MassDeed, add_mass_deed
from crm.ui.page import go
from crm.ui.session import commit, viewer
from crm.web.lists import module_of

bp = Blueprint("mail_merge", __name__, url_prefix="/crm")


@dataclass(frozen=True)
class Further:
    """What another room makes of the documents: a choice beside files, that leads to `href(module key, ids, template id)`."""

    key: str
    label: str
    is_offered: Callable[[Viewer, str], bool]
    href: Callable[[str, Sequence[int], int], str]


_further: dict[str, Further] = {}


def add_further(one: Further) -> None:
    """Offer it among what can be made."""
    _further[one.key] = one


def is_offered(asks: Viewer, module: Module) -> bool:
    """To those who may take data out of the module. (Whether there is a template, its page says: lists need not ask.)"""
    return module.key in mail_merge.KEYS and may(asks, "export", module)


def _href(key: str, ids: Sequence[int]) -> str:
    return f"/crm/{key}/merge-documents?{urlencode([('id', id) for id in ids])}"


add_mass_deed(MassDeed("documents", "Make documents", "file-text", is_offered, _href))


@bp.get("/<key>/merge-documents")
def ask(key: str, faults: dict[str, str] | None = None, status: int = 200) -> Any:
    """Which template, and what is made of it; with `job` how far it is."""
    module = module_of(key)
    if key not in mail_merge.KEYS:
        raise Missing
    demand(viewer(), "export", module)
    page = render_template(
        "mail_merge.html", module=module, here=key, ids=_ids(), offered=mail_merge.offered(key), outputs=mail_merge.outputs(),
        most=mail_merge.MOST, faults=faults or {}, typed=request.form, job=_job(request.args.get("job", type=int)),
        further=_offered_further(key), may_add=may(viewer(), "create", "document_templates"),
    )  # fmt: skip
    return make_response(page, status)


@bp.post("/<key>/merge-documents")
def start(key: str) -> Any:
    """Let a worker make them."""
    module_of(key)
    if key not in mail_merge.KEYS:
        raise Missing
    template, output = request.form.get("template", 0, type=int), request.form.get("output", "")
    for one in _offered_further(key):
        if one.key == output:
            return go(one.href(key, _ids(), template))
    try:
        job = mail_merge.start(viewer(), key, _ids(), template, output)
        commit()
    except Refused as refused:
        db.session.rollback()
        return ask(key, {name: found[0].message for name, found in refused.faults.items()}, 422)
    return go(f"/crm/{key}/merge-documents?job={job}")


@bp.get("/document-merges/<int:job>")
def progress(job: int) -> str:
    """How far it is; asked again by the page until it is done."""
    return _draw(job)


@bp.post("/document-merges/<int:job>/cancel")
def cancel(job: int) -> AnyResponse | str:
    """Stop it."""
    if _job(job) is None:
        raise Missing
    outbox.cancel(db.session, job)
    commit()
    return _draw(job)


def _offered_further(key: str) -> list[Further]:
    return [one for one in _further.values() if one.is_offered(viewer(), key)]


def _draw(job: int) -> str:
    found = _job(job)
    if found is None:
        raise Missing
    return render_template("_mail_merge_job.html", job=found)


def _ids() -> list[int]:
    return [int(one) for one in request.values.getlist("id") if one.isdecimal()]


def _job(id: int | None) -> Standing | None:
    found = outbox.standing(db.session, id) if id is not None else None
    return found if found and found.created_by_id == viewer().id and found.task in mail_merge.TASKS else None
