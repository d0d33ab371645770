"""/portal/public/faqs: the knowledge base for everybody, in portals that open it."""

from flask import Blueprint, Response, redirect, request
from flask_babel import gettext as _
from sqlalchemy import or_, select

from crm.db import db, fold, fold_text, only_reading
from crm.engine import text_index
from crm.engine.refusals import Refused
from crm.modules import faq_reading
from crm.modules.faqs import Faq
from crm.ui.public_face import Unknown, guard, writing
from crm.ui.public_forms import form_token, receive
from crm.ui.public_page import page, speaking
from self_service_portal.web import facing
from self_service_portal.web.faqs import lines

bp = Blueprint("public_faqs", __name__, template_folder="../templates")
guard(bp)
bp.register_error_handler(facing.Closed, facing.say_closed)
MOST = 200


def _demand_open() -> None:
    """Raises Closed, Unknown where the knowledge base is for customers only."""
    if not facing.demand_portal().public_faq_enabled:
        raise Unknown


@bp.get("/portal/public/faqs")
def listing() -> Response:
    """Published answers, by words."""
    _demand_open()
    text = " ".join(request.args.get("q", "").split())[:100]
    table = Faq.__table__
    said = select(table.c.id, table.c.question).where(table.c.status == "Published", table.c.deleted_at.is_(None))
    for word in text_index.words_of(text)[:8]:
        kept = fold_text(word) or ""
        said = said.where(
            or_(*(fold(column).contains(kept, autoescape=True) for column in (table.c.question, table.c.answer)))
        )
    found = db.session.execute(said.order_by(fold(table.c.question), table.c.id).limit(MOST)).all()
    return page("faqs/public_list", language=facing.language_now(), found=found, text=text)


@bp.get("/portal/public/faqs/<int:id>")
def card(id: int) -> Response:
    """One answer. That it was read is counted by a write of its own."""
    _demand_open()
    rows = faq_reading.published(id)
    if not rows:
        raise Unknown
    values = {
        "row": rows[0],
        "answer": lines(rows[0].answer),
        "token": form_token("faq", str(id)),
        "thanks": "thanks" in request.args,
        "beside": faq_reading.published_beside(id, 10),
    }
    answer = page("faqs/public_card", language=facing.language_now(), **values)
    db.session.rollback()
    only_reading(False)
    faq_reading.note_view(id)
    db.session.commit()
    return answer


@bp.post("/portal/public/faqs/<int:id>/helpful")
@writing
def helpful(id: int) -> Response:
    """Yes or no, once for each page that was drawn."""
    _demand_open()
    said = request.form.get("helpful", "")
    if said not in {"yes", "no"} or not faq_reading.published(id):
        raise Unknown
    try:
        sent = receive("faq", str(id))
    except Refused as refused:
        db.session.rollback()
        with speaking(facing.language_now()):
            words = refused.sentences
            return page("words", 422, heading=_("That could not be saved"), text=words)
    if not sent.is_trap and sent.first is None:
        faq_reading.vote(id, said == "yes")
        sent.keep({})
    db.session.commit()
    return redirect(f"/portal/public/faqs/{id}?thanks=1", 303)  # type: ignore[return-value]
