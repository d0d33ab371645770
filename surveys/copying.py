"""A survey once more: its values, pages, questions and translations as a draft, without answers, invitations and dates."""

from typing import Any

from sqlalchemy import insert, select

from crm.db import db, id_inserted
from crm.engine import records, search
from crm.engine.channels import Channel
from crm.engine.refusals import Missing
from crm.engine.registry import modules
from crm.identity.viewer import Viewer
from crm.words import _
from surveys.designing import PAGES, QUESTION_FIELDS, QUESTIONS, SURVEYS

LEFT_OUT = frozenset({"status", "name", "opens_at", "closes_at", "editable_until", "edition", "owner_id", "title"})


def copy(viewer: Viewer, survey_id: int) -> int:
    """The copy's id. Raises Missing, Forbidden, Refused. The caller commits."""
    row = search.one(viewer, "surveys", survey_id)
    module = modules["surveys"]
    known = [
        name for name, said in module.fields.items() if name not in LEFT_OUT and not said.read_only and name in row
    ]
    values: dict[str, Any] = {name: row[name] for name in known if row[name] is not None}
    values |= {
        "name": _("Copy of %(name)s", name=row["name"])[:150],
        "status": "draft",
    }
    made = records.create(viewer, "surveys", values, Channel.FORM)
    source = db.session.execute(select(SURVEYS.c.translations).where(SURVEYS.c.id == survey_id)).scalar()
    if source is None:
        raise Missing
    db.session.execute(SURVEYS.update().where(SURVEYS.c.id == made).values(translations=source))
    for page in db.session.execute(_rows(PAGES, survey_id)).mappings().all():
        kept = ("place", "title", "description", "visible_if", "jumps", "translations")
        page_id = id_inserted(insert(PAGES).values({name: page[name] for name in kept} | {"survey_id": made}))
        questions = db.session.execute(_rows(QUESTIONS, survey_id).where(QUESTIONS.c.page_id == page["id"])).mappings()
        rows = [{name: one[name] for name in (*QUESTION_FIELDS, "place")} | {"survey_id": made, "page_id": page_id}
                for one in questions]  # fmt: skip
        if rows:
            db.session.execute(insert(QUESTIONS), rows)
    return made


def _rows(table: Any, survey_id: int) -> Any:
    return select(table).where(table.c.survey_id == survey_id).order_by(table.c.place, table.c.id)
