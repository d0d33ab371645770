"""Page views of visits, downloads and events of the site's own among them."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from crm.db import BigId
from crm.engine import fields as f
from crm.engine.fields import Choice, PicklistSeed
from crm.engine.module import Module, Related
from crm.engine.record import Ledger

KINDS = PicklistSeed.of(
    "page_view_kind", "What happened on a page",
    Choice("view", "Page"), Choice("download", "Download"), Choice("event", "Event"),
)  # fmt: skip


class PageView(Ledger):
    """One page seen, with the seconds it was in view. `nonce`: the number its script gave it, so that it counts once."""

    __tablename__ = "page_views"
    __table_args__ = (
        Index("uq_page_views_visitor_nonce", "visitor_id", "nonce", unique=True),
        Index("ix_page_views_visitor_path", "visitor_id", "path"),
        Index("ix_page_views_visit", "visit_id"),
        Index(
            "ix_page_views_person_at",
            "person_id",
            "at",
            sqlite_where=text("person_id IS NOT NULL"),  # most views are of nobody we know
            postgresql_where=text("person_id IS NOT NULL"),
        ),
    )
    # Site and visitor are the visit's, and a view goes with its visit: keys of their own were two fifths of what a row costs.
    site_id: Mapped[int] = mapped_column(BigId, info={"field": f.make("link", "Site", to=("tracked_sites",))})
    visit_id: Mapped[int] = mapped_column(
        BigId, ForeignKey("visits.id", ondelete="CASCADE"), info={"field": f.make("whole", "Visit", in_lists=False)}
    )
    visitor_id: Mapped[int] = mapped_column(BigId)
    person_id: Mapped[int | None] = mapped_column(
        BigId, ForeignKey("entities.id", ondelete="SET NULL"),
        info={"field": f.make("link", "Person", to=("contacts", "leads"), aliases=("contact_id",))},
    )  # fmt: skip
    nonce: Mapped[int] = mapped_column(BigInteger)
    kind: Mapped[str] = f.picklist("Kind", "page_view_kind", default="view")
    path: Mapped[str] = f.text("Page", max=300)
    title: Mapped[str | None] = f.text("Title", max=200)
    name: Mapped[str | None] = f.text("Name of the event", max=100)
    at: Mapped[datetime] = f.moment("When")
    seconds: Mapped[int] = f.whole("Seconds in view", default=0)
    is_returned: Mapped[bool] = f.checkbox("Returned", help="Seen in an earlier visit too")


_shown = Related(
    by="person_id", label="Pages seen", columns=("at", "site_id", "path", "title", "seconds", "is_returned")
)

MODULE = Module(
    PageView,
    label="Page view",
    plural="Page views",
    icon="file-search",
    title="path",
    parent="site_id",
    about="person_id",
    columns=("at", "site_id", "person_id", "kind", "path", "title", "seconds", "is_returned"),
    sort=("-at",),
    shows_on={"contacts": _shown, "leads": _shown},
    picklists=(KINDS,),
    importable=False,
    in_ecp=True,
)
