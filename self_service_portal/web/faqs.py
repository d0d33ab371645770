"""The knowledge base in the portal: published answers, with search; whether they were of help."""

from typing import Any

from flask import Blueprint, redirect, render_template, request
from flask_babel import gettext as _
from markupsafe import Markup, escape
from werkzeug.wrappers import Response as AnyResponse

from crm.db import db, only_reading
from crm.engine import picklists, search
from crm.engine.permissions import may, readable
from crm.engine.refusals import Missing, Refused
from crm.engine.registry import modules
from crm.modules import faq_reading
from crm.ui.page import tell
from crm.ui.session import commit, viewer
from self_service_portal.face import label_of
from self_service_portal.web.current import customer, shown

bp = Blueprint("faqs", __name__, url_prefix="/portal/faqs")
ROWS, BESIDE = 25, 10


def _module() -> Any:
    if shown("faqs") is None or not may(viewer(), "view", "faqs"):
        raise Missing
    return modules["faqs"]


@bp.get("")
def listing() -> str:
    """Published answers by words and category."""
    module, fault = _module(), ""
    seen = readable(viewer(), module)
    categories = picklists.choices("faq_category") if "category" in seen else []
    category = request.args.get("category", "")
    where = {"$eq": ["category", category]} if category in {one.key for one in categories} else None
    text = " ".join(request.args.get("q", "").split())[:100]
    asked: dict[str, Any] = {
        "columns": [name for name in ("question", "category") if name in seen], "limit": ROWS, "count": "none",
        "after": request.args.get("after") or None,
    }  # fmt: skip
    try:
        page = search.find(viewer(), module, where=where, text=text or None, **asked)
    except Refused as refused:
        fault = refused.sentences
        page = search.find(viewer(), module, where=where, **asked)
    return render_template(
        "faqs/list.html", here="faqs", title=label_of(viewer(), module), page=page, text=text, fault=fault, categories=categories,
        category=category, module=module,
    )  # fmt: skip


@bp.get("/<int:id>")
def card(id: int) -> str:
    """One answer. That it was read is counted by a write of its own."""
    module = _module()
    row = search.one(viewer(), module, id)
    beside = search.find(
        viewer(), module, columns=(), within=faq_reading.related_to(id), limit=BESIDE, count="none"
    ).rows
    page = render_template(
        "faqs/card.html", here="faqs", row=row, answer=lines(row.get("answer") or ""), list_title=label_of(viewer(), module),
        can_ask=may(viewer(), "create", "tickets"), beside=beside,
    )  # fmt: skip
    db.session.rollback()
    only_reading(False)
    faq_reading.note_view(id)
    db.session.commit()
    return page


@bp.post("/<int:id>/helpful")
def helpful(id: int) -> AnyResponse:
    """Yes or no; one word a customer."""
    search.one(viewer(), _module(), id, ())
    said = request.form.get("helpful", "")
    if said not in {"yes", "no"}:
        raise Missing
    faq_reading.vote(id, said == "yes", customer().contact_id)
    commit()
    tell(_("Thank you for telling us."))
    return redirect(f"/portal/faqs/{id}", 303)


def lines(text: str) -> Markup:
    """A plain text as paragraphs."""
    parts = [one.strip() for one in text.replace("\r\n", "\n").split("\n\n") if one.strip()]
    return Markup("").join(
        Markup("<p>{}</p>").format(Markup("<br>").join(escape(line) for line in one.split("\n"))) for one in parts
    )
