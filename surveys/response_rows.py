"""The responses of a survey as rows: pages of a list, and tables for files."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import select

from crm.db import db
from crm.engine.exports import plain
from crm.engine.rows import labels_of
from crm.identity.viewer import SYSTEM, Viewer
from crm.words import _
from surveys.answering import RESPONSES, values_of_many
from surveys.cuts import Cut, is_withheld, may_be_cut, response_count
from surveys.design import Design

AT_ONCE = 500


def page_of(design: Design, cut: Cut, before: int | None = None, limit: int = 50) -> list[Any]:
    """Complete responses, the newest first, as rows; `before`: the id of the last one of the page before."""
    said = select(RESPONSES).where(*cut.conditions(design.id)).order_by(RESPONSES.c.id.desc()).limit(limit)
    if before is not None:
        said = said.where(RESPONSES.c.id < before)
    return list(db.session.execute(said).mappings())


def table(
    design: Design, cut: Cut | None = None, viewer: Viewer = SYSTEM, *, is_quoted: bool = True
) -> Iterator[list[str]]:
    """All responses as rows of text, the names of the questions first; for files. Nothing of small anonymous surveys; the
    names of people that `viewer` may not see are left out.

    Text that a spreadsheet would run as a formula is quoted, unless the file itself says that its cells are text.
    """
    safe = plain if is_quoted else str
    cut = cut or Cut()
    questions = [one for one in design.questions if one.kind.has_answer]
    is_anonymous = bool(design.row["anonymous"])
    head = [] if is_anonymous else [_("Response"), _("Person"), _("Answered at"), _("Way")]
    yield [*head, _("Answered on"), _("Language"), *(one.name for one in questions)]
    if not may_be_cut(design, cut) or is_withheld(design, response_count(design, cut)):
        return
    # Anonymous answers leave in no order that could be laid beside another list.
    order = [RESPONSES.c.completed_on, RESPONSES.c.language] if is_anonymous else [RESPONSES.c.id]
    ids = list(db.session.execute(select(RESPONSES.c.id).where(*cut.conditions(design.id)).order_by(*order)).scalars())
    for start in range(0, len(ids), AT_ONCE):
        portion = ids[start : start + AT_ONCE]
        rows = {
            row["id"]: row
            for row in db.session.execute(select(RESPONSES).where(RESPONSES.c.id.in_(portion))).mappings()
        }
        values = values_of_many(design, portion)
        people = labels_of(viewer, [row["person_id"] for row in rows.values() if row["person_id"] is not None])
        for id in portion:
            row, said = rows[id], values.get(id, {})
            own = [] if is_anonymous else [
                str(id), people.get(row["person_id"], ""), row["completed_at"].isoformat(" ", "minutes") if row["completed_at"] else "",
                row["source"],
            ]  # fmt: skip
            cells = [one.kind.words(one, said[one.name]) if one.name in said else "" for one in questions]
            yield [
                *(safe(cell) for cell in own),
                str(row["completed_on"] or ""),
                row["language"] or "",
                *(safe(cell) for cell in cells),
            ]
