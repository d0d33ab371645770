"""Fields of website forms, in their order. Written by web_tracking/forms/designing.py only."""

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from crm.db import Json
from crm.engine import fields as f
from crm.engine.module import Module
from crm.engine.record import Ledger


class WebsiteFormField(Ledger):
    """One field. `name`: of the CRM's field that it fills. `translations`: {language: {"label", "help"}}."""

    __tablename__ = "website_form_fields"
    __table_args__ = (UniqueConstraint("form_id", "name"),)
    form_id: Mapped[int] = f.link("Form", to="website_forms", on_delete="CASCADE")
    place: Mapped[int] = f.whole("Place", least=1)
    name: Mapped[str] = f.text("Field", max=60)
    label: Mapped[str | None] = f.text("Label", max=200)
    help: Mapped[str | None] = f.text("Hint", max=300)
    required: Mapped[bool] = f.checkbox("Required")
    translations: Mapped[dict[str, dict[str, str]]] = mapped_column(Json, default=dict)


MODULE = Module(
    WebsiteFormField,
    label="Field of a website form",
    plural="Fields of website forms",
    icon="list",
    title="name",
    parent="form_id",
    columns=("form_id", "place", "name", "label", "required"),
    sort=("form_id", "place"),
    importable=False,
    in_ecp=True,
)
