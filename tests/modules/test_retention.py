"""What nobody throws away by hand goes in time; what is younger, or kept for ever, stays."""

import io
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from crm import clock
from crm.db import Entity, db
from crm.engine import attachments, exports, records
from crm.engine.channels import Channel
from crm.engine.history import Change
from crm.engine.imports import plans, running
from crm.engine.registry import modules
from crm.identity import logins, sessions, viewers
from crm.identity.viewer import SYSTEM
from crm.mail.sending.deliveries import Delivery
from crm.modules import retention


class Quiet:
    job_id, created_by_id = 0, None

    def step(self, *_: Any) -> None:
        pass

    def cancelled(self) -> bool:
        return False


def test_what_is_older_than_it_is_kept_goes_at_night(session: Any, monkeypatch: Any) -> None:
    now = clock.now()
    ids = records.create_many(
        SYSTEM, "contacts", [{"last_name": name} for name in ("Old", "Young", "Here")], Channel.SYSTEM
    ).ids
    records.delete_many(SYSTEM, "contacts", [id for id in ids[:2] if id], Channel.SYSTEM)
    for id, days in zip(ids[:2], (91, 89), strict=True):
        for table in (Entity.__table__, modules["contacts"].table):
            session.execute(table.update().where(table.c.id == id).values(deleted_at=now - timedelta(days=days)))
    mails = {}
    for name, state, days in (
        ("old", "sent", 731),
        ("young", "sent", 700),
        ("waits", "waiting", 731),
        ("survey", "sent", 731),
    ):
        mails[name] = Delivery(
            kind="letter", email=f"{name}@example.com", state=state, created_at=now - timedelta(days=days)
        )
    session.add_all(mails.values())
    session.flush()
    survey = records.create(SYSTEM, "surveys", {"name": "Asked"}, Channel.SYSTEM)
    invitations = db.metadata.tables["survey_invitations"]
    row: dict[str, Any] = {"survey_id": survey, "delivery_id": mails["survey"].id}
    session.execute(invitations.insert().values(**row))
    for days in (731, 5):
        for key in retention.EVENTS:
            session.execute(
                modules[key].table.insert().values(at=now - timedelta(days=days), delivery_id=mails["survey"].id)
            )
    for days in (366, 364):
        session.add(logins.LoginEvent(app="crm", outcome="unknown", at=now - timedelta(days=days)))
    sessions.start("portal", portal_user_id=1, minutes=1)
    session.execute(sessions.UserSession.__table__.update().values(ends_at=now - timedelta(seconds=1)))
    session.execute(Change.__table__.update().values(at=now - timedelta(days=4000)))
    session.commit()
    of_living = select(func.count()).select_from(Change).where(Change.entity_id.in_(ids[1:]))
    changes = session.scalar(of_living)
    assert changes

    told = retention.drop(Quiet())  # type: ignore[arg-type]
    assert told == "1 sessions, 1 bin, 2 events, 1 letters, 1 logins"
    left = select(Entity.id).where(Entity.module == "contacts")
    assert set(session.scalars(left)) == set(ids[1:])
    assert set(session.scalars(select(Delivery.email))) == {
        f"{name}@example.com" for name in ("young", "waits", "survey")
    }
    assert session.scalar(of_living) == changes  # kept for ever
    assert retention.drop(Quiet()) is None  # type: ignore[arg-type]


def test_files_of_imports_and_exports_go_and_the_numbers_stay(
    session: Any, people: Any, app: Any, tmp_path: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(app.config["CUSTOMERHUB"].__class__, "data_path", tmp_path)
    viewer, now = viewers.of_user(people.alice), clock.now()
    told = {}
    for name, days in (("old", 31), ("young", 29), ("begun", 31)):
        file = io.BytesIO(b"Last name,E-mail\nSaari,saari@example.com\n,nobody\n")
        plan = plans.begin(viewer, "contacts", f"{name}.csv", file)
        if name != "begun":
            running.run(viewer, plan)
        plan.created_at = now - timedelta(days=days)
        if plan.finished_at:
            plan.finished_at = plan.created_at
        stored = attachments.store(viewer, "contacts.csv", io.BytesIO(name.encode()), exports.MEDIA_TYPES["csv"])
        stored.created_at = plan.created_at
        told[name] = (plan.id, Path(plan.path), stored.id)
    held = attachments.store(viewer, "contacts.csv", io.BytesIO(b"held"), exports.MEDIA_TYPES["csv"])
    held.created_at = now - timedelta(days=31)
    contact = records.create(SYSTEM, "contacts", {"last_name": "Holder"}, Channel.SYSTEM)
    session.flush()
    session.execute(attachments.EntityFile.__table__.insert().values(entity_id=contact, file_id=held.id))
    session.commit()

    assert retention.drop(Quiet()) == "4 transfers"  # type: ignore[arg-type]
    session.expire_all()
    assert [path.exists() for _id, path, _file in told.values()] == [False, True, False]
    assert set(session.scalars(select(attachments.StoredFile.id))) == {told["young"][2], held.id}
    old = plans.load(viewer, told["old"][0])
    assert (old.row_count, old.created_count, old.refused_count) == (2, 1, 1)
    assert list(running.refused_rows(old)) == [["Line", "Reason"]]
    assert len(list(running.refused_rows(plans.load(viewer, told["young"][0])))) == 2
    assert session.get(plans.Import, told["begun"][0]) is None
    assert retention.drop(Quiet()) is None  # type: ignore[arg-type]
