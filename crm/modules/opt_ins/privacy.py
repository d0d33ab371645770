"""What opt-ins hold about persons: the evidence is given out to them, and goes when one is erased, also what never was confirmed."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Select, delete, or_, select

from crm.db import Base, db, rows_changed
from crm.identity.tokens import Token
from crm.modules.opt_ins import OptIn
from crm.modules.opt_ins.asking import PURPOSE
from crm.modules.privacy.holdings import Holding, excuse, register, register_eraser
from crm.modules.privacy.person import PERSONS, Person
from crm.words import N_

_T = OptIn.__table__


def _asked(ids: Sequence[int]) -> Select[Any]:
    """What was confirmed, and what was asked with an address of the person."""
    addresses = [
        select(table.c.email_key).where(table.c.id.in_(ids)) for table in (Base.metadata.tables[one] for one in PERSONS)
    ]
    said = select(_T.c.email, _T.c.wording, _T.c.source, _T.c.asked_at, _T.c.confirmed_at, _T.c.ip, _T.c.confirmed_ip)
    return said.where(or_(_T.c.person_id.in_(ids), *(_T.c.email_key.in_(one) for one in addresses))).order_by(_T.c.id)


def erase(found: Person) -> Mapping[str, int]:
    """Rows of the person and of the addresses go, with the links that still hold."""
    mine = or_(_T.c.person_id.in_(found.ids), _T.c.email_key.in_(found.emails))
    ids = list(db.session.execute(select(_T.c.id).where(mine)).scalars())
    db.session.execute(delete(Token).where(Token.purpose == PURPOSE, Token.subject_id.in_(ids)))
    return {"opt_ins": rows_changed(delete(_T).where(_T.c.id.in_(ids)))}


register(Holding("opt_ins", "person_id", N_("Agreements to get mail"), rows=_asked))
excuse("an address of a row that goes with the address", "opt_ins.email", "opt_ins.email_key")
register_eraser(erase)
