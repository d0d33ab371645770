"""Who joins a campaign gets its mail at once, and once (spec/marketing.md 6.12, M46, M47, M50).

Whoever adds somebody writes beside the member which mail is owed and puts a job, in one transaction. The job sends what is
owed to all of them in one sendout. Who was a member before the mail was chosen is owed nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Select, and_, func, select, update

from crm import clock
from crm.db import db
from crm.engine.outbox import Progress, task
from crm.engine.permissions import has_area
from crm.engine.refusals import Fault, Forbidden, Refused
from crm.engine.registry import modules
from crm.identity.viewer import Viewer
from crm.modules.campaign_members import CampaignMember
from crm.modules.rules import demand_record
from crm.words import _
from ecp.automatic import making
from ecp.automatic.making import Plan
from ecp.modules.sendout_people import PEOPLE

MEMBERS = CampaignMember.__table__


@task("automatic.join")
def join(_progress: Progress, campaign_id: int) -> str | None:
    """Send what a campaign owes to those who joined it."""
    sent = send_owed(campaign_id)
    return f"{len(sent)} sendouts" if sent else None


def waiting_campaigns() -> list[int]:
    """Campaigns that owe a mail to somebody of whom nothing is known that stands against it: jobs that were lost."""
    said = select(MEMBERS.c.campaign_id).where(*_owed(), MEMBERS.c.auto_mail_note.is_(None)).distinct()
    return list(db.session.execute(said).scalars())


def send_owed(campaign_id: int) -> list[int]:
    """Send to all to whom a campaign owes its mail; ids of the sendouts, one a mail. Commits."""
    sent = _send_owed(campaign_id, also_refused=False)
    db.session.commit()
    return sent


def send_left_out(viewer: Viewer, campaign_id: int) -> list[int]:
    """Send also to those to whom it could not be sent when they joined, by hand; ids of the sendouts. The caller commits.

    What stands against it still is noted beside them, as before. Raises Missing, Forbidden.
    """
    _demand_send(viewer, campaign_id)
    return _send_owed(campaign_id, also_refused=True)


def _demand_send(viewer: Viewer, campaign_id: int) -> dict[str, Any]:
    campaign = demand_record(viewer, "campaigns", campaign_id, "edit")
    if not has_area(viewer, "send"):
        raise Forbidden(_("You have no right to send this mass mail."), "forbidden_action")
    return campaign


def _send_owed(campaign_id: int, also_refused: bool) -> list[int]:
    campaign = _locked(campaign_id)
    mine = [MEMBERS.c.campaign_id == campaign_id, *_owed()]
    if not also_refused:
        mine.append(MEMBERS.c.auto_mail_note.is_(None))
    owed = select(MEMBERS.c.owed_template_id).where(*mine).distinct().order_by(MEMBERS.c.owed_template_id)
    sent = []
    for template_id in db.session.execute(owed).scalars().all():
        here = and_(*mine, MEMBERS.c.owed_template_id == template_id)
        try:
            _demand_open(campaign)
            made = making.put(_plan(campaign, template_id), _people(here))
        except Refused as refused:
            _refuse(campaign, here, making.sentence(refused))
            continue
        if made is not None:
            sent.append(made)
            _note_sent(here, made)
        _note_had(here, campaign_id, template_id)
        _set(campaign_id, None)
    return sent


def resend(viewer: Viewer, campaign_id: int, person_ids: Sequence[int], after: int) -> int | None:
    """Send a campaign's mail to members once more, by hand; the sendout, None when that was done already. The caller commits.

    `after`: how often it was sent to them by hand as far as the page that is asked from knows; asked twice, it goes once.
    Raises Missing, Forbidden, Refused.
    """
    campaign = _demand_send(viewer, campaign_id)
    if campaign["auto_template_id"] is None:
        raise Refused.because("required", _("This campaign has no automatic mail."))
    _demand_open(campaign)
    plan = _plan(campaign, campaign["auto_template_id"], max(after, 0) + 1)
    here = and_(
        MEMBERS.c.campaign_id == campaign_id, MEMBERS.c.state == "member", MEMBERS.c.person_id.in_(list(person_ids))
    )
    made = making.put(plan, _people(here))
    if made is not None:
        _note_sent(here, made)
    return made


def times_sent(viewer: Viewer, campaign_id: int) -> int:
    """The same of a campaign as it is now. Raises Missing, Forbidden."""
    campaign = _demand_send(viewer, campaign_id)
    return times_sent_anew(campaign_id, campaign["auto_template_id"]) if campaign["auto_template_id"] else 0


def times_sent_anew(campaign_id: int, email_template_id: int) -> int:
    """How often the mail of a campaign was sent anew by hand: the number that `resend` is asked with."""
    said = select(func.max(PEOPLE.c.occurrence)).where(
        PEOPLE.c.about_id == campaign_id, PEOPLE.c.email_template_id == email_template_id
    )
    return int(db.session.execute(said).scalar() or 0)


def _owed() -> list[Any]:
    return [MEMBERS.c.owed_template_id.is_not(None), MEMBERS.c.state == "member"]


def _locked(campaign_id: int) -> dict[str, Any]:
    """The campaign, held until the end of the transaction: of two workers one waits (SQLite has one writer anyway)."""
    table = modules["campaigns"].table
    said = select(table).where(table.c.id == campaign_id).with_for_update()
    return dict(db.session.execute(said).mappings().one())


def _plan(campaign: Mapping[str, Any], template_id: int, occurrence: int = 0) -> Plan:
    mails = modules["email_templates"].table
    mail = db.session.execute(select(mails.c.name, mails.c.list_type_hint_id).where(mails.c.id == template_id)).one()
    return Plan(
        campaign["id"], template_id, f"{campaign['name'][:80]}: {mail.name}", "auto_campaign", campaign["owner_id"],
        campaign_id=campaign["id"], list_type_id=mail.list_type_hint_id, occurrence=occurrence,
    )  # fmt: skip


def _people(here: Any) -> Select[Any]:
    return select(MEMBERS.c.person_id, MEMBERS.c.person_module, MEMBERS.c.contact_id).where(here)


def _demand_open(campaign: Mapping[str, Any]) -> None:
    """Raises Refused when a campaign sends nothing by itself now. (That it is inactive, the checks of sendouts say.)"""
    if campaign["deleted_at"] is not None:
        raise Refused.because("no_such_record", _("The campaign was deleted."))
    if not campaign["auto_mail_on"]:
        raise Refused(auto_mail_on=Fault("off", _("The automatic mail of this campaign is switched off.")))
    closes_on = campaign["closes_on"]
    if closes_on is not None and closes_on < clock.today(clock.site_zone()):
        raise Refused.because("closed", _("The campaign's expected close date is past."))


def _note_sent(here: Any, sendout_id: int) -> None:
    taken = select(PEOPLE.c.person_id).where(PEOPLE.c.sendout_id == sendout_id)
    said = update(MEMBERS).where(here, MEMBERS.c.person_id.in_(taken))
    db.session.execute(said.values(owed_template_id=None, auto_mail_at=clock.now(), auto_mail_note=None))


def _note_had(here: Any, campaign_id: int, template_id: int) -> None:
    """Who is still owed it after the sendout was made, and has had it before. (Who joined meanwhile has a job of his own.)"""
    had = select(PEOPLE.c.person_id).where(PEOPLE.c.about_id == campaign_id, PEOPLE.c.email_template_id == template_id)
    said = update(MEMBERS).where(here, MEMBERS.c.person_id.in_(had))
    db.session.execute(said.values(owed_template_id=None, auto_mail_note=_("Got this mail before")))


def _refuse(campaign: Mapping[str, Any], here: Any, why: str) -> None:
    db.session.execute(update(MEMBERS).where(here).values(auto_mail_note=_("Not sent: %(why)s", why=why)[:300]))
    _set(campaign["id"], why)
    making.tell_owner(campaign["owner_id"], campaign["id"], campaign["name"], why)


def _set(campaign_id: int, problem: str | None) -> None:
    """Bookkeeping of the clock, no change that anybody made (so not through the door)."""
    table = modules["campaigns"].table
    db.session.execute(update(table).where(table.c.id == campaign_id).values(auto_mail_problem=problem))
