"""What would happen if a sendout started now: how many get it, who is left out and why, what speaks against it, how long it takes."""

from dataclasses import dataclass, field
from datetime import datetime
from math import ceil
from typing import Any
from zoneinfo import ZoneInfo

from flask_babel import gettext as _
from sqlalchemy import func, select

from crm import clock, config
from crm.db import db
from crm.engine import picklists
from crm.engine.outbox import Timetable
from crm.engine.refusals import Refused
from crm.engine.registry import modules
from crm.identity.viewer import Viewer
from crm.mail.servers import leaves_the_house
from crm.words import ngettext
from ecp import quotas
from ecp.domains.checking import domain_of
from ecp.domains.forecast import Forecast, forecast
from ecp.pipeline import audience, checks
from ecp.pipeline.actions import Sendout
from ecp.pipeline.audience import Audience, Count

TICK, LATE_AFTER = "sendouts.tick", 60  # the task that starts what is scheduled; seconds


@dataclass(frozen=True)
class Outlook:
    """The numbers of a start, and the faults that forbid it (sentences). `seconds` is None where no throttle holds."""

    count: Count
    quota: quotas.Quota
    faults: list[str] = field(default_factory=list)
    seconds: int | None = None
    mail_version: int = 0

    @property
    def left_out(self) -> list[tuple[str, str, int]]:
        """(reason, its words, people), the most frequent first."""
        said = sorted(self.count.skipped_by_reason.items(), key=lambda pair: (-pair[1], pair[0]))
        return [(reason, words_of(reason), number) for reason, number in said]

    @property
    def left_out_count(self) -> int:
        return self.count.audience - self.count.sendable

    @property
    def duration(self) -> str:
        """How long the sending takes, in words."""
        if self.seconds is None:
            return ""
        if self.seconds < 90:
            return _("about a minute")
        minutes = ceil(self.seconds / 60)
        if minutes < 90:
            return ngettext("about %(num)s minute", "about %(num)s minutes", minutes)
        hours = ceil(minutes / 60)
        return ngettext("about %(num)s hour", "about %(num)s hours", hours)


def words_of(reason: str) -> str:
    """Why somebody is left out, in words."""
    return _(picklists.label("skip_reason", reason)) or reason


def look(viewer: Viewer, sendout: Sendout) -> Outlook:
    """The outlook of a draft. Never raises Refused: what is wrong is told in `faults`."""
    faults: list[str] = []
    said = _audience(sendout)
    try:
        count = checks.demand_sendable(viewer, sendout).count
    except Refused as refused:
        faults = [fault.message for found in refused.faults.values() for fault in found]
        count = audience.count(said) if said else Count(0, 0, {})
    return Outlook(count, quotas.quota(), faults, _seconds(said, count), mail_version(sendout.email_template_id))


def _audience(sendout: Sendout) -> Audience | None:
    if sendout.campaign_id is None and not sendout.is_listed and not audience.group_ids_of(sendout.id):
        return None
    return checks.audience_of(sendout)


def _seconds(said: Audience | None, count: Count) -> int | None:
    settings = config.current()
    if said is None or not leaves_the_house():
        return None
    whole = count.sendable / settings.send_rate if settings.send_rate else 0.0
    domain = audience.largest_domain(said) / settings.domain_rate if settings.domain_rate else 0.0
    return ceil(max(whole, domain))


def warmed(sendout: Sendout, mails: int, at: datetime | None) -> Forecast | None:
    """Over how many days the warm-up of the sender's domain stretches so many mails from `at` (default: now); None for not at all."""
    addresses, templates = (modules[key].table for key in ("sender_addresses", "email_templates"))
    said = select(addresses.c.address).join(templates, templates.c.sender_address_id == addresses.c.id)
    address = db.session.execute(said.where(templates.c.id == sendout.email_template_id)).scalar()
    begins = at.astimezone(ZoneInfo(clock.site_zone())).date() if at else None
    return forecast(domain_of(address), mails, begins) if address else None


def mail_version(email_template_id: int) -> int:
    """The version of the mail, so that a change between looking and sending is noticed."""
    table = modules["email_templates"].table
    found: Any = db.session.execute(select(table.c.version).where(table.c.id == email_template_id)).scalar()
    return int(found or 0)


def people_left_out(sendout: Sendout, why: str, limit: int, offset: int) -> list[Any]:
    """The people whom a start would leave out for one reason."""
    said = _audience(sendout)
    return audience.left_out(said, why, limit, offset) if said else []


def clock_is_late() -> int | None:
    """Seconds since the timetable last moved, when that is so long ago that nothing scheduled would leave; else None."""
    last = db.session.execute(select(func.max(Timetable.occurrence)).where(Timetable.task == TICK)).scalar()
    if last is None:
        return LATE_AFTER
    seconds = int((clock.now() - last).total_seconds())
    return seconds if seconds > LATE_AFTER else None
