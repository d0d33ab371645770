"""What a person agreed to and refused, and log-ins to the portal, with time and wording (spec/portal.md 1.10 e)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from crm import agents
from crm.db import db
from crm.engine.history import Change
from crm.engine.registry import modules
from crm.identity.logins import LoginEvent
from crm.modules.privacy.own import CONSENTS
from crm.words import N_, _
from self_service_portal.myself import Myself

ROWS = 50
CHANNELS = {"portal": N_("by yourself"), "import": N_("by an import"), "api": N_("by a program")}
OUTCOMES = {"signed_in": N_("Logged in"), "wrong_password": N_("Wrong password")}


@dataclass(frozen=True)
class Line:
    """One thing that happened."""

    at: datetime
    what: str
    how: str = ""
    wording: str = ""


def consents(who: Myself) -> list[Line]:
    """Changes of consents, newest first; with the question that was asked, as it is kept."""
    log, fields = Change.__table__, modules[who.module].fields
    said = select(log.c.field, log.c.new, log.c.at, log.c.channel)
    said = said.where(log.c.entity_id == who.id, log.c.field.in_(CONSENTS)).order_by(log.c.id.desc()).limit(ROWS)
    lines, is_first = [], True
    for row in db.session.execute(said).all():
        wording = ""
        if row.field == "may_measure_opens" and is_first:
            wording, is_first = str(who.row["may_measure_opens_wording"] or ""), False
        what = f"{_(fields[row.field].label)}: {_value(fields[row.field], row.new)}"
        lines.append(Line(row.at, what, _(CHANNELS.get(row.channel, N_("by us"))), wording))
    return lines


def _value(said: Any, text: str | None) -> str:
    from crm.engine import picklists

    if said.kind.name == "checkbox":
        return _("yes") if text in {"true", "True", "1", "yes"} else _("no")
    return _(picklists.label(said.picklist, text)) if text else "–"


def log_ins(who: Myself) -> list[Line]:
    """Log-ins of the last year, newest first, with cut addresses."""
    users, t = modules["portal_users"].table, LoginEvent.__table__
    mine = select(users.c.id).where(users.c.contact_id == who.id)
    said = select(t.c.at, t.c.outcome, t.c.address, t.c.agent).where(t.c.portal_user_id.in_(mine))
    rows = db.session.execute(said.order_by(t.c.id.desc()).limit(ROWS)).all()
    return [Line(row.at, _(OUTCOMES.get(row.outcome, N_("Refused"))), _from_where(row)) for row in rows]


def _from_where(row: Any) -> str:
    """The program and the cut address, as far as they are known."""
    program = agents.family(row.agent) if row.agent else ""
    return " · ".join(one for one in (program, row.address) if one)
