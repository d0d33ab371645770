"""Visits: what one visitor did on a site without a pause of half an hour, where he came from, and by which mail."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from crm.db import BigId
from crm.engine import fields as f
from crm.engine.conditions import where
from crm.engine.module import Filter, Module, Related, Timeline
from crm.engine.record import Ledger


class Visit(Ledger):
    """One visit. `source`, `medium`, `campaign`: of the address it began with, else the site that led here."""

    __tablename__ = "visits"
    __table_args__ = (
        Index("ix_visits_site_started", "site_id", "started_at"),
        Index("ix_visits_site_ended", "site_id", "ended_at"),
        Index("ix_visits_visitor_ended", "visitor_id", "ended_at"),
        Index(
            "ix_visits_person_started",
            "person_id",
            "started_at",
            sqlite_where=text("person_id IS NOT NULL"),
            postgresql_where=text("person_id IS NOT NULL"),
        ),
        Index(
            "ix_visits_site_known",
            "site_id",
            "started_at",
            "person_id",
            "page_count",
            sqlite_where=text("person_id IS NOT NULL"),
            postgresql_where=text("person_id IS NOT NULL"),
        ),
    )
    site_id: Mapped[int] = mapped_column(
        BigId, ForeignKey("tracked_sites.id", ondelete="CASCADE"),
        info={"field": f.make("link", "Site", to=("tracked_sites",))},
    )  # fmt: skip
    visitor_id: Mapped[int] = mapped_column(
        BigId, ForeignKey("visitors.id", ondelete="CASCADE"), info={"field": f.make("whole", "Visitor", in_lists=False)}
    )
    person_id: Mapped[int | None] = mapped_column(
        BigId, ForeignKey("entities.id", ondelete="SET NULL"),
        info={"field": f.make("link", "Person", to=("contacts", "leads"), aliases=("contact_id",))},
    )  # fmt: skip
    sendout_id: Mapped[int | None] = f.link("Mailing", to="sendouts")
    started_at: Mapped[datetime] = f.moment("Began")
    ended_at: Mapped[datetime] = f.moment("Ended")
    page_count: Mapped[int] = f.whole("Pages", default=0)
    is_returning: Mapped[bool] = f.checkbox("Came back")
    entry: Mapped[str] = f.text("First page", max=300)
    exit: Mapped[str] = f.text("Last page", max=300)
    referrer: Mapped[str | None] = f.text("Came from", max=200)
    source: Mapped[str | None] = f.text("Source", max=100)
    medium: Mapped[str | None] = f.text("Medium", max=100)
    campaign: Mapped[str | None] = f.text("Campaign in the address", max=100)
    agent_family: Mapped[str | None] = f.text("Browser", max=60)
    ip: Mapped[str | None] = f.text("Address, shortened", max=45, in_lists=False)


_shown = Related(
    by="person_id",
    label="Web visits",
    columns=("started_at", "site_id", "entry", "page_count", "is_returning", "source"),
    timeline=Timeline(
        "started_at", "Visited {site_id} from {entry}, pages: {page_count}", icon="world", category="visit",
        columns=("page_count", "entry", "site_id"),
    ),
)  # fmt: skip

MODULE = Module(
    Visit,
    label="Web visit",
    plural="Web visits",
    icon="world",
    title="entry",
    parent="site_id",
    about="person_id",
    columns=("started_at", "site_id", "person_id", "entry", "page_count", "is_returning", "source", "referrer"),
    sort=("-started_at",),
    filters=(
        Filter("known", "Of people we know", where("person_id", "is not empty", None)),
        Filter("back", "Came back", where("is_returning", "is", True)),
    ),
    shows_on={
        "contacts": _shown,
        "leads": _shown,
        "tracked_sites": Related(
            by="site_id", label="Visits", columns=("started_at", "person_id", "entry", "page_count", "is_returning")
        ),
    },
    importable=False,
    in_ecp=True,
)
