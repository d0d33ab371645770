"""Sending → sent: numbers taken from the rows, quota settled, and one report by mail to whoever sent it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy import func, select, update

from crm import clock, config
from crm.db import db
from crm.engine import picklists
from crm.engine.channels import Channel
from crm.engine.registry import modules
from crm.identity.viewer import SYSTEM
from crm.mail.letters import Letter
from crm.mail.message import Address, BadAddress, one_line
from crm.mail.sending import runs, singles
from crm.mail.sending.deliveries import Delivery
from crm.words import say_number
from ecp import quotas
from ecp.pipeline import actions, checks
from ecp.pipeline.frozen import SendoutContent

RUNNING = ("sending", "paused")


def look_after(sendout_id: int) -> bool:
    """Bring the numbers of a sendout up to date; end it when nobody waits any more. True when it ended. Commits."""
    table = modules["sendouts"].table
    row = db.session.execute(select(table.c.state, table.c.sent_count).where(table.c.id == sendout_id)).first()
    if row is None or row.state not in {*RUNNING, "cancelled", "sent", "failed"}:
        return False
    state = row.state
    if state in RUNNING and not checks.is_prepared(sendout_id):
        return False  # paused before anybody had a row: nobody waits because nobody was found yet
    counts = runs.count_states(db.session, sendout_id)
    values: dict[str, Any] = {**numbers(sendout_id, counts)}
    if state == "sending" and values["sent_count"] > (row.sent_count or 0):
        values["state_note"] = None  # mails go out again, so what was noted of the server is over
    db.session.execute(update(table).where(table.c.id == sendout_id).values(**values))
    if state == "sending" and runs.was_everyone_tried(db.session, sendout_id):
        put_report(sendout_id)
    ended = False
    if not runs.has_open_rows(db.session, sendout_id):
        if state in RUNNING:
            sent = counts.get("sent", 0) + counts.get("uncertain", 0)
            after = "sent" if sent or not counts.get("failed") else "failed"
            note = None if after == "sent" else _("Every mail of this sendout was refused. The recipients show why.")
            ended = actions.move(
                SYSTEM, sendout_id, RUNNING, after, Channel.SYSTEM, finished_at=clock.now(), state_note=note
            )
            runs.close_run(db.session, sendout_id)
            put_report(sendout_id)
        settle(sendout_id, counts)
    db.session.commit()
    return ended


def numbers(sendout_id: int, counts: dict[str, int]) -> dict[str, int]:
    """The counts that are shown with a sendout, from its rows."""
    d = Delivery.__table__.c
    seen = db.session.execute(
        select(func.count(d.first_read_at), func.count(d.first_click_at), func.count(d.unsubscribed_at)).where(
            d.sendout_id == sendout_id
        )
    ).one()
    return {
        "audience_count": sum(counts.values()), "sent_count": counts.get("sent", 0), "failed_count": counts.get("failed", 0),
        "skipped_count": counts.get("skipped", 0), "uncertain_count": counts.get("uncertain", 0),
        "read_count": seen[0], "clicked_count": seen[1], "unsubscribed_count": seen[2],
    }  # fmt: skip


def settle(sendout_id: int, counts: dict[str, int]) -> None:
    """Turn the promise of quota into what was used, once each time that the sendout ends."""
    content = SendoutContent
    row = db.session.execute(
        select(content.quota_month, content.quota_count, content.counted).where(
            content.sendout_id == sendout_id, content.prepared_at.is_not(None), content.settled_at.is_(None)
        )
    ).first()
    if row is None or row.quota_month is None:
        return
    used = counts.get("sent", 0) + counts.get("uncertain", 0)
    marked = db.session.execute(
        update(content)
        .where(content.sendout_id == sendout_id, content.settled_at.is_(None))
        .values(settled_at=clock.now(), counted=used)
    )
    if marked.rowcount:  # type: ignore[attr-defined]
        quotas.settle(row.quota_month, row.quota_count, max(0, used - row.counted))
        warn_of_quota(row.quota_month)


def warn_of_quota(month: str) -> None:
    """A mail to the administrators of the portal when 80 % and 100 % of a month's mails are used, once each."""
    said = quotas.quota(month)
    reached = [level for level in quotas.WARN_AT if said.percent is not None and said.percent >= level]
    sender = _default_sender()
    if not reached or sender is None:
        return
    users = modules["users"].table
    admins = db.session.execute(
        select(users.c.id, users.c.email, users.c.locale).where(
            users.c.ecp_admin, users.c.archived.is_(False), users.c.deleted_at.is_(None)
        )
    ).all()
    for admin in admins:
        with force_locale(admin.locale or config.current().locale):
            subject = _("%(percent)s %% of this month's mails are used", percent=reached[-1])
            text = _("%(sent)s of %(limit)s mails of %(month)s are used or promised.", sent=say_number(said.sent + said.reserved),
                     limit=say_number(said.limit or 0), month=month)  # fmt: skip
        key = f"quota:{month}:{reached[-1]}:{admin.id}"
        try:
            singles.put_letter(
                db.session, Letter(Address(admin.email), subject, text + "\n"), Address(sender), dedupe_key=key
            )
        except BadAddress:
            continue  # a user name that no mail can be sent to


def put_report(sendout_id: int) -> None:
    """The report by mail, once a sendout. The caller commits."""
    from ecp import statistics

    sendout = _row(sendout_id)
    if sendout["is_automatic"]:
        return  # many a day, perhaps: the page of automatic mails has their numbers
    report = statistics.report(SYSTEM, sendout_id)
    with force_locale(_language_of(sendout)):
        lines = [
            _("“%(name)s” was sent.", name=sendout["name"]),
            "",
            *(f"{label}: {count}" for label, count in _counts(report)),
            "",
            _("The whole report: %(address)s", address=_address_of(sendout_id)),
        ]
        _write(sendout, _("Report: %(name)s", name=sendout["name"]), "\n".join(lines), f"sendout-report:{sendout_id}")


def _counts(report: Mapping[str, Any]) -> list[tuple[str, int]]:
    """What became of the mails, in words and numbers; the reasons for leaving somebody out stand below their sum."""
    reasons = [
        (f"  {_(picklists.label('skip_reason', reason))}", count)
        for reason, count in sorted(report["skipped_by_reason"].items())
    ]
    return [
        (_("Sent"), report["sent"]), (_("Left out"), report["skipped"]), *reasons, (_("Failed"), report["failed"]),
        (_("Uncertain"), report["uncertain"]), (_("Tried again later"), report["waiting"]), (_("Read"), report["read"]),
        (_("Clicked"), report["clicked"]), (_("Left"), report["unsubscribed"]),
    ]  # fmt: skip


def tell_failure(sendout_id: int, why: str) -> None:
    """A mail to whoever made a sendout that could not be sent. The caller commits."""
    sendout = _row(sendout_id)
    with force_locale(_language_of(sendout)):
        text = _("“%(name)s” could not be sent. %(why)s", name=sendout["name"], why=why)
        text += "\n\n" + _address_of(sendout_id)
        key = f"sendout-failed:{sendout_id}"
        if sendout["is_automatic"]:  # once a day for each owner
            key = f"automatic-failed:{sendout['owner_id']}:{clock.today(clock.site_zone()).isoformat()}"
        _write(sendout, _("Not sent: %(name)s", name=sendout["name"]), text, key)


def _write(sendout: dict[str, Any], subject: str, text: str, key: str) -> None:
    users = modules["users"].table
    email = db.session.execute(
        select(users.c.email).where(users.c.id == (sendout["creator_id"] or sendout["owner_id"]))
    ).scalar()
    sender = sendout["sender_address"] or _default_sender()
    if not email or not sender:
        return  # made by the system, or nobody may send: the sendout's page says the same
    try:
        letter = Letter(Address(email), one_line(subject)[:200], text + "\n")
        singles.put_letter(db.session, letter, Address(sender), dedupe_key=key)
    except BadAddress:
        return  # a user name that no mail can be sent to


def _row(sendout_id: int) -> dict[str, Any]:
    table = modules["sendouts"].table
    return dict(db.session.execute(select(table).where(table.c.id == sendout_id)).mappings().one())


def _language_of(sendout: dict[str, Any]) -> str:
    users = modules["users"].table
    said = db.session.execute(select(users.c.locale).where(users.c.id == sendout["creator_id"])).scalar()
    return str(said or config.current().locale)


def _default_sender() -> str | None:
    table = modules["sender_addresses"].table
    usable = (table.c.state.in_(("confirmed", "domain_verified")), table.c.deleted_at.is_(None))
    return db.session.execute(
        select(table.c.address).where(*usable).order_by(table.c.is_default.desc(), table.c.id).limit(1)
    ).scalar()


def _address_of(sendout_id: int) -> str:
    settings = config.current()
    return f"{(settings.ecp_url or settings.base_url + '/ecp').rstrip('/')}/sendouts/{sendout_id}"
