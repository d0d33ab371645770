"""Warm-up of a new sender domain: so many mails of sendouts a day, more after each good day, fewer after a bad one.

Mails beyond today's ceiling are held back in the ledger by a moment that never comes, and let go by a job: the workers that
send know nothing of it, and a job that does not run lets nobody go. Single mails (letters, answers) are not held back.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func, select, update

from crm import clock
from crm.db import db
from crm.engine.outbox import Progress, task
from crm.engine.refusals import Conflict, Fault, Refused
from crm.engine.registry import modules
from crm.mail.sending.deliveries import Delivery
from crm.words import N_, _
from ecp.bounces.tables import ReturnedMail
from ecp.domains.checking import domain_of
from ecp.domains.warm_tables import WarmUp, WarmUpDay

HELD = datetime(9999, 1, 1, tzinfo=UTC)
START, GOAL = 50, 10_000
LEAST, MOST = 10, 1_000_000  # mails a day
GROWTH, FALL = 1.5, 0.5
WATCH, ALARM = (
    (0.02, 0.001),
    (0.05, 0.003),
)  # shares of bounces and of complaints: no growth from here; a fall from here
JUDGED = 20  # fewer mails than this say nothing
USED = 0.5  # of the ceiling: after a day that used less it does not grow
LOOK_BACK = timedelta(days=60)  # sendouts begun before that send nothing any more
VERDICTS = {
    "grew": N_("All was well: the ceiling grew"), "stayed": N_("Too many bounces or complaints: the ceiling stayed"),
    "quiet": N_("Too little was sent to judge: the ceiling stayed"), "fell": N_("Bounces or complaints: the ceiling fell"),
    "done": N_("The goal is reached"),
}  # fmt: skip
RUNNING = ("preparing", "sending")
_D = Delivery.__table__.c


@dataclass(frozen=True)
class Figures:
    """What a day brought so far."""

    sent: int
    bounced: int
    complained: int

    def reaches(self, shares: tuple[float, float]) -> bool:
        """Whether bounces or complaints reach these shares, of enough mails."""
        tried = max(self.sent, self.bounced, 1)
        of_bounces, of_complaints = shares
        return tried >= JUDGED and (self.bounced / tried >= of_bounces or self.complained / tried >= of_complaints)


@dataclass(frozen=True)
class Standing:
    """The plan of a domain for its page; `held`: mails that wait for a later day."""

    plan: WarmUp
    today: Figures
    held: int
    days: Sequence[WarmUpDay]


def today() -> date:
    """The day of the site."""
    return clock.today(clock.site_zone())


def begin(domain: str, start: int = START, goal: int = GOAL) -> None:
    """Warm a domain up from now on. Raises Refused, Conflict when it is being warmed up. The caller commits."""
    faults = {}
    for name, number in (("start", start), ("goal", goal)):
        if not LEAST <= number <= MOST:
            faults[name] = Fault(
                "out_of_range", _("A whole number from %(least)s to %(most)s.", least=LEAST, most=MOST)
            )
    if not faults and goal <= start:
        faults["goal"] = Fault("out_of_range", _("The goal is more than the beginning."))
    if faults:
        raise Refused({name: [fault] for name, fault in faults.items()})
    plan = db.session.get(WarmUp, domain)
    if plan is not None and plan.state == "on":
        raise Conflict(_("This domain is being warmed up already."), "wrong_state")
    if plan is None:
        plan = WarmUp(domain=domain)
        db.session.add(plan)
    plan.state, plan.start, plan.goal, plan.ceiling = "on", start, goal, start
    plan.begun_at, plan.day, plan.released, plan.braked_at = clock.now(), today(), 0, None
    db.session.flush()


def stop(domain: str) -> None:
    """End the warm-up; whatever was held back may leave. The caller commits."""
    plan = db.session.get(WarmUp, domain)
    if plan is not None and plan.state == "on":
        _let_all_go(plan)
        plan.state = "done"


def hold(sendout_id: int) -> None:
    """Hold a sendout that was just prepared back, but for what today's ceiling leaves. In the transaction of the caller."""
    table = modules["sendouts"].table
    address = db.session.execute(select(table.c.sender_address).where(table.c.id == sendout_id)).scalar()
    plan = _locked(domain_of(address)) if address else None
    if plan is None:
        return
    _turn(plan)
    if plan.state != "on":  # yesterday reached the goal
        return
    waiting = (_D.sendout_id == sendout_id, _D.state == "waiting", _D.due_at.is_(None))
    db.session.execute(update(Delivery.__table__).where(*waiting).values(due_at=HELD))
    _release(plan, [*_sendouts(plan.domain, RUNNING), sendout_id])


@task("domains.warm_up", every=60)
def look(progress: Progress) -> None:
    """Every minute: a new day, the brake, and what may still leave today."""
    for domain in db.session.scalars(select(WarmUp.domain).where(WarmUp.state == "on")).all():
        plan = _locked(domain)
        if plan is None:
            continue
        _turn(plan)
        sendouts = _sendouts(domain)
        if plan.braked_at is None and figures(domain, plan.day, sendouts, plan.begun_at).reaches(ALARM):
            plan.braked_at = clock.now()
        _release(plan, _sendouts(domain, RUNNING))
        db.session.commit()


def figures(domain: str, day: date, sendouts: Sequence[int] | None = None, since: datetime | None = None) -> Figures:
    """What the mails of a domain's sendouts brought on a day; nothing before `since`, when the warm-up began."""
    ids = _sendouts(domain) if sendouts is None else list(sendouts)
    if not ids:
        return Figures(0, 0, 0)
    begins, ends = _bounds(day)
    begins = max(begins, since) if since else begins
    mine = _D.sendout_id.in_(ids)
    sent = select(func.count()).where(mine, _D.sent_at >= begins, _D.sent_at < ends)
    back = select(func.count()).where(mine, _D.bounced_at >= begins, _D.bounced_at < ends, _D.bounce_type == "hard")
    t = ReturnedMail
    complained = (
        select(func.count())
        .select_from(t.__table__)
        .join(Delivery.__table__, _D.id == t.delivery_id)
        .where(mine, t.kind == "complaint", t.at >= begins, t.at < ends)
    )
    return Figures(*(db.session.execute(one).scalar() or 0 for one in (sent, back, complained)))


def standing(domain: str) -> Standing | None:
    """The plan of a domain with its days, the newest first; None when it never had one."""
    plan = db.session.get(WarmUp, domain)
    if plan is None:
        return None
    sendouts = _sendouts(domain)
    held = select(func.count()).where(_D.sendout_id.in_(sendouts), _D.state == "waiting", _D.due_at == HELD)
    days = select(WarmUpDay).where(WarmUpDay.domain == domain).order_by(WarmUpDay.day.desc()).limit(60)
    return Standing(
        plan,
        figures(domain, plan.day, sendouts, plan.begun_at),
        db.session.execute(held).scalar() or 0,
        list(db.session.scalars(days)),
    )


def _locked(domain: str) -> WarmUp | None:
    """The plan while it is on; nobody else changes it until the caller commits."""
    said = select(WarmUp).where(WarmUp.domain == domain, WarmUp.state == "on")
    found: WarmUp | None = db.session.execute(said.with_for_update()).scalar()
    return found


def _sendouts(domain: str, states: Sequence[str] = ()) -> list[int]:
    """The sendouts whose mails come from the domain: those of late, or those in `states`."""
    table = modules["sendouts"].table
    which = table.c.state.in_(states) if states else table.c.started_at >= clock.now() - LOOK_BACK
    rows = db.session.execute(
        select(table.c.id, table.c.sender_address)
        .where(which, table.c.sender_address.is_not(None))
        .order_by(table.c.id)
    )
    return [row.id for row in rows if domain_of(row.sender_address) == domain]


def _turn(plan: WarmUp) -> None:
    """Judge the day that is over, when it is, and set the ceiling of the new one."""
    now = today()
    if plan.day >= now:
        return
    sendouts = _sendouts(plan.domain)
    brought = figures(plan.domain, plan.day, sendouts, plan.begun_at)
    verdict, ceiling = judged(plan.ceiling, plan.start, plan.goal, brought)
    db.session.add(
        WarmUpDay(
            domain=plan.domain, day=plan.day, ceiling=plan.ceiling, sent=brought.sent, bounced=brought.bounced, complained=brought.complained,
            verdict=verdict,
        )
    )  # fmt: skip
    # What was let go and has not left yet leaves today.
    open_rows = select(func.count()).where(
        _D.sendout_id.in_(sendouts), _D.state.in_(("waiting", "leased")), _D.due_at.is_distinct_from(HELD)
    )
    plan.day, plan.ceiling, plan.braked_at = now, ceiling, None
    plan.released = db.session.execute(open_rows).scalar() or 0
    if verdict == "done":
        _let_all_go(plan)
        plan.state = "done"
    db.session.flush()


def judged(ceiling: int, start: int, goal: int, brought: Figures) -> tuple[str, int]:
    """The verdict on a day, and the ceiling of the next one."""
    if brought.reaches(ALARM):
        return "fell", max(min(start, LEAST), int(ceiling * FALL))
    if brought.reaches(WATCH):
        return "stayed", ceiling
    if brought.sent < ceiling * USED:
        return "quiet", ceiling
    if ceiling >= goal:
        return "done", ceiling
    return "grew", min(goal, int(ceiling * GROWTH) + 1)


def _release(plan: WarmUp, sendouts: Sequence[int]) -> None:
    """Let as many go as today's ceiling leaves, those who wait longest first."""
    left = plan.ceiling - plan.released
    if left <= 0 or plan.braked_at is not None or plan.state != "on" or not sendouts:
        return
    held = (_D.sendout_id.in_(sorted(set(sendouts))), _D.state == "waiting", _D.due_at == HELD)
    chosen = select(_D.id).where(*held).order_by(_D.id).limit(left)
    gone = db.session.execute(update(Delivery.__table__).where(_D.id.in_(chosen), *held).values(due_at=None))
    plan.released += gone.rowcount  # type: ignore[attr-defined]


def _let_all_go(plan: WarmUp) -> None:
    held = (_D.sendout_id.in_(_sendouts(plan.domain, (*RUNNING, "paused"))), _D.due_at == HELD)
    db.session.execute(update(Delivery.__table__).where(*held).values(due_at=None))


def _bounds(day: date) -> tuple[datetime, datetime]:
    """The moments at which a day of the site begins and ends."""
    zone = ZoneInfo(clock.site_zone())
    begins, ends = (datetime.combine(one, time(), zone).astimezone(UTC) for one in (day, day + timedelta(days=1)))
    return begins, ends
