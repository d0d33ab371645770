"""What web tracking holds about persons: given out to them, and gone when one is erased, also what still waits."""

from collections.abc import Mapping, Sequence

from sqlalchemy import delete, select

from crm import config
from crm.db import db
from crm.modules.privacy.holdings import Holding, register, register_eraser
from crm.modules.privacy.person import Person
from crm.words import N_
from web_tracking.modules.page_views import PageView
from web_tracking.modules.visitors import Visitor
from web_tracking.modules.visits import Visit
from web_tracking.rolling_up import remove_visitors
from web_tracking.stores import store_of

VISITORS, VISITS, VIEWS = Visitor.__table__, Visit.__table__, PageView.__table__


def erase(person_ids: Sequence[int]) -> dict[str, int]:
    """Take away all visits of persons, also those still waiting; gives {what: how many}. The caller commits."""
    mine = select(VISITORS.c.id, VISITORS.c.cookie).where(VISITORS.c.person_id.in_(person_ids))
    found = db.session.execute(mine).all()
    store_of(config.current()).forget([row.cookie for row in found])
    visitors = remove_visitors([row.id for row in found])
    for table in (VIEWS, VISITS):  # of browsers that others use now
        db.session.execute(delete(table).where(table.c.person_id.in_(person_ids)))
    return {"visitors": visitors}


def erase_person(person: Person) -> Mapping[str, int]:
    """The same as an eraser of the house."""
    return erase(person.ids)


register(
    Holding("visits", "person_id", N_("Web visits"), ("started_at", "ended_at", "entry", "page_count", "source", "referrer")),
    Holding("page_views", "person_id", N_("Pages seen"), ("at", "kind", "path", "title", "seconds")),
    Holding("visitors", "person_id", N_("Browsers known"), ("first_seen_at", "last_seen_at", "bound_via", "bound_at")),
)  # fmt: skip
register_eraser(erase_person)
