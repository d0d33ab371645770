"""Plans: how many list types there may be and how many mails may go out in a month. One of them is in force."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from crm.db import UtcDateTime, db
from crm.engine import fields as f
from crm.engine.module import Block, Module
from crm.engine.record import Record

SEEDS = (  # key, name, list types, mails a month; None: no limit
    ("basic", "Basic", 2, 15_000),
    ("basic_plus", "Basic Plus", 2, 50_000),
    ("extensive", "Extensive", 5, 500_000),
    ("unlimited", "Unlimited", None, None),
)
DEFAULT = "unlimited"


class Plan(Record):
    """One plan. Which one is in force is `current`."""

    __tablename__ = "plans"
    name: Mapped[str] = f.text("Name", max=80)
    key: Mapped[str] = f.text("Key", max=40, unique=True)
    list_type_limit: Mapped[int | None] = f.whole("List types", least=0, help="Empty: no limit")
    monthly_mail_limit: Mapped[int | None] = f.whole("Mails a month", least=0, help="Empty: no limit")
    current: Mapped[bool] = f.checkbox("In force")


class MailMonth(db.Model):  # type: ignore[name-defined, misc]
    """What was sent and what is promised in one calendar month of the site's time zone."""

    __tablename__ = "mail_months"
    month: Mapped[str] = mapped_column(String(7), primary_key=True)  # "2026-11"
    sent_count: Mapped[int] = mapped_column(default=0)
    reserved_count: Mapped[int] = mapped_column(default=0)
    warned_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


MODULE = Module(
    Plan,
    label="Plan",
    plural="Plans",
    icon="gauge",
    columns=("name", "list_type_limit", "monthly_mail_limit", "current"),
    facts=("list_type_limit", "monthly_mail_limit", "current"),
    form=(Block("Plan", ("name", "key", "list_type_limit", "monthly_mail_limit", "current")),),
    search=("name",),
    sort=("name",),
    importable=False,
    areas={"create": "ecp_admin", "edit": "ecp_admin", "delete": "ecp_admin"},
    in_crm=False,
    in_ecp=True,
)
