"""Visitors: browsers that agreed to be known again, and the person behind one when it came by a personal link."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, UniqueConstraint, and_, select
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.sql import ColumnElement

from crm.db import BigId
from crm.engine import fields as f
from crm.engine.fields import Choice, PicklistSeed
from crm.engine.module import Module
from crm.engine.record import Ledger
from web_tracking.modules.tracked_sites import TrackedSite

WAYS = PicklistSeed.of(
    "visitor_way", "How a visitor was recognised",
    Choice("mail", "Link in a mail"), Choice("form", "Form"), Choice("survey", "Survey"), Choice("portal", "Portal log-in"),
)  # fmt: skip
WAY_KEYS = tuple(choice.key for choice in WAYS.choices)


class Visitor(Ledger):
    """One browser on one site, by the random id in its cookie."""

    __tablename__ = "visitors"
    __table_args__ = (
        UniqueConstraint("site_id", "cookie"),
        Index("ix_visitors_site_seen", "site_id", "last_seen_at"),
    )
    site_id: Mapped[int] = mapped_column(
        BigId, ForeignKey("tracked_sites.id", ondelete="CASCADE"),
        info={"field": f.make("link", "Site", to=("tracked_sites",))},
    )  # fmt: skip
    cookie: Mapped[str] = f.text("Cookie", max=22, in_lists=False)
    person_id: Mapped[int | None] = f.link("Person", to=("contacts", "leads"), aliases=("contact_id",))
    bound_at: Mapped[datetime | None] = f.moment("Recognised at")
    bound_via: Mapped[str | None] = f.picklist("Recognised by", "visitor_way")
    first_seen_at: Mapped[datetime] = f.moment("First visit")
    last_seen_at: Mapped[datetime] = f.moment("Last visit")
    visit_count: Mapped[int] = f.whole("Visits", default=0)


def of_cookie(cookie: str) -> ColumnElement[bool]:
    """That a visitor has this cookie, on whichever site. The sites are named, as the index begins with them."""
    table = Visitor.__table__
    return and_(table.c.site_id.in_(select(TrackedSite.__table__.c.id)), table.c.cookie == cookie)


MODULE = Module(
    Visitor,
    label="Visitor",
    plural="Visitors",
    icon="user-search",
    title="first_seen_at",
    parent="site_id",
    about="person_id",
    columns=("site_id", "person_id", "bound_via", "first_seen_at", "last_seen_at", "visit_count"),
    sort=("-last_seen_at",),
    picklists=(WAYS,),
    importable=False,
    in_api=False,
    in_ecp=True,
)
