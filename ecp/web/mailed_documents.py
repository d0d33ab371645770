"""From a mail merge to a mail for each: which e-mail carries the documents. What comes out is a draft; nothing is sent here."""

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, Response, make_response, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from crm.db import db
from crm.documents import converting, mail_merge
from crm.engine import search
from crm.engine.refusals import Forbidden, Missing, Refused
from crm.ui.page import address, go
from crm.ui.session import commit, viewer
from crm.web.lists import module_of
from crm.web.mail_merge import Further, add_further
from crm.words import N_, _
from ecp import merged, quick

HOME = "/crm/document-mails"
bp = Blueprint("mailed_documents", __name__, url_prefix=HOME, template_folder="../templates")


@bp.get("")
def begin() -> Response:
    """Which e-mail the documents go with."""
    return _draw({})


@bp.post("")
def make() -> AnyResponse:
    """Let a worker make documents and draft; its bar is that of the merge."""
    of = _of()
    numbers = {name: request.form.get(name, 0, type=int) for name in ("template", "email_template_id")}
    wanted = merged.Wanted(
        of, _ids(), numbers["template"], numbers["email_template_id"], request.form.get("list_type_id", type=int),
        request.form.get("as") != "same",
    )  # fmt: skip
    try:
        job = merged.start(viewer(), wanted)
        commit()
    except Refused as refused:
        db.session.rollback()
        return _draw({name: found[0].message for name, found in refused.faults.items()}, 422)
    return go(f"/crm/{of}/merge-documents?job={job}")


def _of() -> str:
    """The module of the records. Raises Missing, Forbidden."""
    key = request.values.get("of", "")
    if key not in mail_merge.KEYS:
        raise Missing
    module_of(key)
    if not merged.may_mail(viewer(), key):
        raise Forbidden(_("You have no right to send mass mails."), "forbidden_action")
    return key


def _ids() -> list[int]:
    return [int(one) for one in request.values.getlist("id") if one.isascii() and one.isdecimal() and len(one) < 19]


def _draw(faults: dict[str, str], status: int = 200) -> Response:
    of = _of()
    said = {"$and": [{"kind": "email"}, {"status": "active"}]}
    mails = search.find(
        viewer(), quick.KEY, where=said, columns=("name", "subject"), sort=("name",), limit=300, count="none"
    ).rows
    page: Any = render_template(
        "mailed_documents.html", of=of, module=module_of(of), ids=_ids(), offered=mail_merge.offered(of), mails=mails, lists=quick.lists(),
        typed=request.values, faults=faults, has_pdf=converting.engine() is not None, home=HOME, here=of,
    )  # fmt: skip
    return make_response(page, status)


def _href(key: str, ids: Sequence[int], template_id: int) -> str:
    return address(HOME, of=key, template=template_id, id=[str(one) for one in ids])


add_further(Further("mail", N_("An e-mail to each person, with the document attached"), merged.may_mail, _href))
