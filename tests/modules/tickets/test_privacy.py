"""What goes from tickets with an erased person."""

import io

from sqlalchemy import select

from crm.db import db
from crm.engine import attachments
from crm.engine.attachments import StoredFile
from crm.identity.viewer import SYSTEM
from crm.modules.privacy import erasing, person
from crm.modules.tickets import commenting
from crm.modules.tickets.commenting import Author


def test_with_a_person_go_the_files_of_what_the_person_wrote_and_no_others(support, people):
    id, contact = support.ticket(), support.contact
    theirs, ours = (
        attachments.store(SYSTEM, name, io.BytesIO(name.encode()), "") for name in ("theirs.txt", "ours.txt")
    )
    commenting.put(id, Author("customer", "Anna", contact_id=contact), {"text": "Look"}, [theirs.id])
    commenting.say(people["alice"], id, "Ours", "internal", file_ids=[ours.id])
    counts = erasing.erase(person.find("contacts", contact))
    assert counts["files of tickets"] == 1
    table = StoredFile.__table__
    assert list(db.session.scalars(select(table.c.name).where(table.c.id.in_([theirs.id, ours.id])))) == ["ours.txt"]
