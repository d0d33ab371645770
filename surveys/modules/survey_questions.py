"""Questions of surveys. Written by surveys/designing.py only; what a kind of question is, stands in surveys/kinds."""

from typing import Any

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from crm.db import BigId, Json
from crm.engine import fields as f
from crm.engine.fields import make
from crm.engine.module import Module
from crm.engine.record import Ledger


class SurveyQuestion(Ledger):
    """One question. `options`: [{"value", "label", "exclusive", "labels": {language: text}}], in their order.

    `settings`: what its kind asks for. `mapping`: {"direction", "module", "field", "write_empty"} or None.
    """

    __tablename__ = "survey_questions"
    __table_args__ = (UniqueConstraint("survey_id", "name"),)
    survey_id: Mapped[int] = f.link("Survey", to="surveys", on_delete="CASCADE")
    page_id: Mapped[int] = mapped_column(
        BigId, ForeignKey("survey_pages.id", ondelete="CASCADE"), index=True,
        info={"field": make("whole", "Page", in_lists=False)},
    )  # fmt: skip
    place: Mapped[int] = f.whole("Place", least=1)
    name: Mapped[str] = f.text("Name", max=60)
    kind: Mapped[str] = f.text("Type", max=20)
    title: Mapped[str | None] = f.text("Question", max=500)
    description: Mapped[str | None] = f.long_text("Description")
    required: Mapped[bool] = f.checkbox("Required")
    visible: Mapped[bool] = f.checkbox("Visible", default=True)
    visible_if: Mapped[Any | None] = mapped_column(Json)
    enable_if: Mapped[Any | None] = mapped_column(Json)
    required_if: Mapped[Any | None] = mapped_column(Json)
    options: Mapped[list[dict[str, Any]]] = mapped_column(Json, default=list)
    settings: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    mapping: Mapped[Any | None] = mapped_column(Json)
    translations: Mapped[dict[str, dict[str, str]]] = mapped_column(Json, default=dict)


MODULE = Module(
    SurveyQuestion,
    label="Survey question",
    plural="Survey questions",
    icon="help-circle",
    title="name",
    parent="survey_id",
    columns=("survey_id", "place", "name", "kind", "title", "required", "visible"),
    sort=("survey_id", "place"),
    importable=False,
    in_ecp=True,
)
