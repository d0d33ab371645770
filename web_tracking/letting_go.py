"""Who is deleted, or says that he is not to be measured, has no visits any more: at once, and not at the end of their time."""

from sqlalchemy import select

from crm.db import db
from crm.engine.afterwards import listen
from crm.engine.outbox import Progress, task
from crm.engine.registry import modules
from web_tracking.modules.tracked_sites import TrackedSite
from web_tracking.privacy import erase


@task("web.let_go", queue="files")
def let_go(_progress: Progress | None, module: str, event: str, ids: list[int], **_rest: object) -> str | None:
    """Take away the visits of those who are gone or refuse now (one who was brought back meanwhile keeps his)."""
    c = modules[module].table.c
    goes = c.deleted_at.is_not(None) if event == "deleted" else c.may_measure_opens == "no"
    gone = list(db.session.execute(select(c.id).where(c.id.in_(ids), goes)).scalars())
    count = erase(gone)["visitors"] if gone else 0
    return f"{count} visitors" if count else None


def _is_anything_followed() -> bool:
    return db.session.execute(select(TrackedSite.__table__.c.id).limit(1)).first() is not None


for _module in ("contacts", "leads"):
    listen(_module, "web.let_go", "deleted", when=_is_anything_followed)
    listen(_module, "web.let_go", "updated", fields=("may_measure_opens",), when=_is_anything_followed)
