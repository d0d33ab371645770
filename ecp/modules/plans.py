"""Plans: how many list types there may be and how many mails may go out in a month. One of them is in force."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String, func, select
from sqlalchemy.orm import Mapped, mapped_column

from crm.db import BigId, UtcDateTime, db
from crm.engine import fields as f
from crm.engine import records
from crm.engine.channels import Channel
from crm.engine.module import Block, Module
from crm.engine.record import Record
from crm.engine.refusals import Conflict, Fault
from crm.identity.viewer import SYSTEM, Viewer
from crm.modules.list_types import MODULE as LIST_TYPES
from crm.modules.list_types import ListType
from crm.words import N_, _

SEEDS = (  # key, name, list types, mails a month; None: no limit
    ("basic", N_("Basic"), 2, 15_000),
    ("basic_plus", N_("Basic Plus"), 2, 50_000),
    ("extensive", N_("Extensive"), 5, 500_000),
    ("unlimited", N_("Unlimited"), None, None),
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


class QuotaHold(db.Model):  # type: ignore[name-defined, misc]
    """What a scheduled sendout was promised of a month, until it leaves or is given up."""

    __tablename__ = "quota_holds"
    sendout_id: Mapped[int] = mapped_column(BigId, ForeignKey("sendouts.id", ondelete="CASCADE"), primary_key=True)
    month: Mapped[str] = mapped_column(String(7))
    count: Mapped[int]


MODULE = Module(
    Plan,
    label="Plan",
    plural="Plans",
    icon="gauge",
    columns=("name", "list_type_limit", "monthly_mail_limit", "current"),
    facts=("list_type_limit", "monthly_mail_limit", "current"),
    form=(Block("Plan", ("name", "key", "list_type_limit", "monthly_mail_limit", "current")),),
    in_search=False,
    search=("name",),
    sort=("name",),
    importable=False,
    sole=("current",),
    areas={"create": "ecp_admin", "edit": "ecp_admin", "delete": "ecp_admin"},
    in_crm=False,
    in_ecp=True,
)


def fits_the_plan(values: Mapping[str, Any], old: Mapping[str, Any] | None) -> dict[str, Fault]:
    """There are no more list types than the plan in force has. Raises Conflict, which names the number."""
    if old is not None:
        return {}
    limit = db.session.execute(
        select(Plan.list_type_limit).where(Plan.current, Plan.deleted_at.is_(None)).order_by(Plan.id)
    ).scalar()
    if limit is None:
        return {}
    count = db.session.execute(select(func.count()).where(ListType.deleted_at.is_(None)).select_from(ListType)).scalar()
    if count is not None and count >= limit:
        raise Conflict(
            _("List type limit %(limit)s reached: the plan in force has no more.", limit=limit), "list_type_limit"
        )
    return {}


LIST_TYPES.checks += (fits_the_plan,)


def seed() -> None:
    """Make the plans, where there has never been one; the one without limits is in force. The caller commits."""
    if db.session.execute(select(Plan.id).limit(1)).first() is None:
        rows = [
            {
                "key": key,
                "name": _(name),
                "list_type_limit": lists,
                "monthly_mail_limit": mails,
                "current": key == DEFAULT,
            }
            for key, name, lists, mails in SEEDS
        ]
        records.create_many(SYSTEM, MODULE, rows, Channel.SYSTEM)


def choose(viewer: Viewer, plan_id: int) -> None:
    """Put a plan in force in place of the one that is. Raises Missing, Forbidden. The caller commits."""
    records.update(viewer, MODULE, plan_id, {"current": True}, Channel.FORM)
