"""How long visits are kept: as long as each site says, at most thirteen months."""

from datetime import time, timedelta

from sqlalchemy import delete, select

from crm import clock
from crm.db import db
from crm.engine.outbox import Progress, task
from web_tracking.modules.page_views import PageView
from web_tracking.modules.tracked_sites import TrackedSite
from web_tracking.modules.visitors import Visitor
from web_tracking.modules.visits import Visit
from web_tracking.recognising import LASTS, OF_MAILS
from web_tracking.rolling_up import CHUNK, remove_visitors
from web_tracking.tables import SiteCount, VisitorLink

MONTH = timedelta(days=30.4375)
VISITORS, VISITS, VIEWS = Visitor.__table__, Visit.__table__, PageView.__table__


@task("web.keep", daily=time(3, 50))
def keep(progress: Progress) -> str | None:
    """Drop what is older than each site keeps it, and links that open nothing any more (a mail can always be followed)."""
    gone = drop_old()
    return f"{gone} visits" if gone else None


def drop_old() -> int:
    """The same, at once; gives how many visits went. Commits."""
    sites = TrackedSite.__table__
    gone = 0
    for site in db.session.execute(select(sites.c.id, sites.c.kept_months)).all():
        before = clock.now() - MONTH * site.kept_months
        old = select(VISITS.c.id).where(VISITS.c.site_id == site.id, VISITS.c.ended_at < before)
        while ids := list(db.session.execute(old.limit(CHUNK)).scalars()):
            db.session.execute(delete(VIEWS).where(VIEWS.c.visit_id.in_(ids)))
            db.session.execute(delete(VISITS).where(VISITS.c.id.in_(ids)))
            gone += len(ids)
            db.session.commit()
        silent = select(VISITORS.c.id).where(VISITORS.c.site_id == site.id, VISITORS.c.last_seen_at < before)
        while ids := list(db.session.execute(silent.limit(CHUNK)).scalars()):
            remove_visitors(ids)
            db.session.commit()
        counts = SiteCount.__table__
        db.session.execute(delete(counts).where(counts.c.site_id == site.id, counts.c.day < before.date()))
    links = VisitorLink.__table__
    is_over = (links.c.serial < OF_MAILS, links.c.used_at < clock.now() - 2 * LASTS)
    db.session.execute(delete(links).where(*is_over))
    db.session.commit()
    return gone
