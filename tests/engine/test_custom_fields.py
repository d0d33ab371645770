"""The index of a field of one's own, also by a job that is done twice."""

from crm.db import db
from crm.engine import custom_fields
from crm.engine.registry import modules


def test_an_index_that_a_dead_worker_had_made_is_no_fault(session):
    made = custom_fields.add(modules["contacts"], "text", "Nick", indexed=True)
    for _ in range(2):
        assert custom_fields.index_custom_field(None, "contacts", made) == f"contacts.{made} is indexed"
        db.session.commit()
