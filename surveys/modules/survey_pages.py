"""Pages of surveys, in their order. Written by surveys/designing.py only."""

from typing import Any

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from crm.db import Json
from crm.engine import fields as f
from crm.engine.module import Module
from crm.engine.record import Ledger


class SurveyPage(Ledger):
    """One page. `visible_if`: a condition on answers. `jumps`: [{"when": condition, "to": page number or "end"}]."""

    __tablename__ = "survey_pages"
    __table_args__ = (UniqueConstraint("survey_id", "place"),)
    survey_id: Mapped[int] = f.link("Survey", to="surveys", on_delete="CASCADE")
    place: Mapped[int] = f.whole("Place", least=1)
    title: Mapped[str | None] = f.text("Title", max=200)
    description: Mapped[str | None] = f.long_text("Description")
    visible_if: Mapped[Any | None] = mapped_column(Json)
    jumps: Mapped[list[dict[str, Any]]] = mapped_column(Json, default=list)
    translations: Mapped[dict[str, dict[str, str]]] = mapped_column(Json, default=dict)


MODULE = Module(
    SurveyPage,
    label="Survey page",
    plural="Survey pages",
    icon="file-text",
    title="title",
    parent="survey_id",
    columns=("survey_id", "place", "title"),
    sort=("survey_id", "place"),
    importable=False,
    in_ecp=True,
)
