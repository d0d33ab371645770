"""What submissions hold about persons: given out to them, and gone with their files when one is erased."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Select, or_, select

from crm.db import Base, db
from crm.modules.privacy.holdings import Holding, excuse, register, register_eraser
from crm.modules.privacy.person import PERSONS, Person
from crm.words import N_
from web_tracking.forms.design import FORMS
from web_tracking.forms.keeping import SUBMISSIONS, drop


def _of_person(ids: Sequence[int]) -> Select[Any]:
    """Submissions that made or filled the person's record, and those with an address of the person."""
    addresses = [
        select(table.c.email_key).where(table.c.id.in_(ids)) for table in (Base.metadata.tables[one] for one in PERSONS)
    ]
    c = SUBMISSIONS.c
    said = select(
        FORMS.c.name.label("form"), c.received_at, c.said, c.consent, c.consent_wording, c.page, c.source, c.ip
    )
    said = said.join(FORMS, FORMS.c.id == c.form_id)
    return said.where(or_(c.person_id.in_(ids), *(c.email_key.in_(one) for one in addresses))).order_by(c.id)


def erase(person: Person) -> Mapping[str, int]:
    """Submissions of the person and of the addresses go; the counts of days tell of nobody and stay."""
    mine = or_(SUBMISSIONS.c.person_id.in_(person.ids), SUBMISSIONS.c.email_key.in_(person.emails))
    return {"form submissions": drop(list(db.session.execute(select(SUBMISSIONS.c.id).where(mine)).scalars()))}


register(Holding("form_submissions", "person_id", N_("Website forms"), rows=_of_person))
excuse("an address of a row that goes with the address", "form_submissions.email_key")
excuse("users and groups of the house", "website_forms.new_owner_id", "website_forms.notified_id")
register_eraser(erase)
