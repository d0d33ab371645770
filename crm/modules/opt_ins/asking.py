"""Double opt-in: somebody asks for mail, the owner of the address confirms it by a link, and the evidence of both is kept.

Nothing that is said depends on whether the address is known. A link that is too old offers a new one; used again, it says the
same as the first time (spec/marketing.md 6.28; RFC 8058 is about leaving, there is none about coming).
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import time, timedelta
from typing import Any, Literal

from sqlalchemy import delete, func, insert, select, update

from crm import clock, config
from crm.db import db, id_inserted, rows_changed
from crm.engine import records
from crm.engine.channels import Channel
from crm.engine.outbox import Progress, task
from crm.engine.refusals import Fault, Refused
from crm.engine.registry import modules
from crm.identity import tokens
from crm.identity.sealing import public_base
from crm.identity.viewer import SYSTEM
from crm.mail.letters import Letter
from crm.mail.message import Address, BadAddress, email_key
from crm.mail.sending.singles import put_letter
from crm.modules import subscriptions
from crm.modules.contacts.resolve import people_of, resolve
from crm.modules.opt_ins import OptIn
from crm.modules.organisation import organisation
from crm.modules.sender_addresses import default_row
from crm.words import _, speaking

log = logging.getLogger(__name__)

PURPOSE = "opt_in"
HOLDS = timedelta(days=7)
KEPT = timedelta(days=30)  # what was never confirmed
MOST_A_DAY = 3  # mails to one address, whoever asks
WORKS_AGAIN = frozenset({"hard_bounced", "soft_bouncing"})
_T = OptIn.__table__


@dataclass(frozen=True)
class Request:
    """What somebody asked for. `wording`: the sentence agreed to; `source`: the page; `ip`: shortened already."""

    email: str
    wording: str
    source: str
    first_name: str = ""
    last_name: str = ""
    language: str | None = None
    lists: Iterable[int] = ()
    offered: Iterable[int] = ()
    ip: str = ""
    agent: str = ""


@dataclass(frozen=True)
class Standing:
    """What a link stands for now: it can be confirmed, was confirmed, or is too old."""

    state: Literal["open", "done", "expired"]
    row: Any = field(repr=False)


def ask(said: Request) -> None:
    """Keep a request and mail its link; silent when the address got enough of them today. The caller commits.

    Raises Refused (field email) for an address that cannot be written to."""
    try:
        to = Address(said.email.strip())
    except BadAddress as bad:
        raise Refused(email=Fault("bad_email", str(bad))) from None
    key = email_key(to.addr)
    if not _may_mail(key):
        return
    row: dict[str, object] = {
        "email": to.addr, "email_key": key, "first_name": said.first_name.strip()[:60] or None,
        "last_name": said.last_name.strip()[:80] or None, "language": said.language, "list_type_ids": sorted(said.lists),
        "offered_ids": sorted(said.offered), "wording": said.wording[:2000], "source": said.source[:100], "ip": said.ip or None,
        "agent_family": said.agent[:60] or None, "asked_at": clock.now(), "mail_count": 0,
    }  # fmt: skip
    _mail(id_inserted(insert(_T).values(row)), to.addr, said.language)


def standing(token: str) -> Standing | None:
    """What `token` stands for, without changing anything; None for any that was never ours."""
    found = tokens.recall(PURPOSE, token)
    row = _row(found.subject_id) if found else None
    if found is None or row is None:
        return None
    if row.confirmed_at is not None:
        return Standing("done", row)
    return Standing("open" if tokens.peek(PURPOSE, token) else "expired", row)


def ask_again(token: str) -> None:
    """Mail a new link in place of one that is too old; silent when there were enough today. The caller commits."""
    found = standing(token)
    if found is None or found.state != "expired" or not _may_mail(found.row.email_key):
        return
    _mail(found.row.id, found.row.email, found.row.language)


def confirm(token: str, ip: str = "") -> Standing | None:
    """The owner of the address agrees: once, however often the button is pressed. None for a token that was never ours.

    Everybody living with the address has double opt-in then, and refusals of that address end. The caller commits."""
    found = standing(token)
    if found is None or found.state != "open" or tokens.use(PURPOSE, token) is None:
        return standing(token)
    _agree(found.row, ip)
    return standing(token)


def agree_at_once(who: subscriptions.Addressee, wording: str, source: str, ip: str = "", agent: str = "") -> None:
    """Somebody agrees behind a link that was mailed to the address: that is a confirmed opt-in by itself. The caller commits."""
    now = clock.now()
    row: dict[str, object] = {
        "email": who.email, "email_key": who.email_key, "list_type_ids": [], "offered_ids": [], "wording": wording[:2000],
        "source": source[:100], "ip": ip or None, "agent_family": agent[:60] or None, "asked_at": now, "mail_count": 0,
    }  # fmt: skip
    _agree(_row(id_inserted(insert(_T).values(row))), ip)


def _agree(row: Any, ip: str) -> None:
    people = people_of(row.email)
    is_new = not people
    person_id = _take_in(row)
    people = people_of(row.email)
    known = subscriptions.Known(
        row.email, row.email_key, people[0].module if people else None, people[0].id if people else None
    )
    source = _("Double opt-in: %(source)s", source=row.source)[:120]
    subscriptions.want_mail(known, source)
    subscriptions.accept(known, "bounce", None)  # a mail of ours has just arrived there
    for list_type_id in row.list_type_ids:
        subscriptions.accept(known, "list_type", list_type_id)
    if is_new:
        for list_type_id in set(row.offered_ids) - set(row.list_type_ids):
            subscriptions.refuse(known, "list_type", list_type_id, "recipient")
    agreed = {"email_opt_in": "double", "email_opt_in_at": clock.now(), "email_opt_in_source": source}
    for module in ("contacts", "leads"):
        table = modules[module].table
        mine = [one.id for one in people if one.module == module]
        said = select(table.c.id).where(table.c.id.in_(mine), table.c.email_status.in_(WORKS_AGAIN))
        works_again = set(db.session.execute(said).scalars())
        changes = {id: agreed | ({"email_status": "ok"} if id in works_again else {}) for id in mine}
        records.update_many(SYSTEM, module, changes, Channel.PORTAL)
    values = {"confirmed_at": clock.now(), "confirmed_ip": ip or None, "person_id": person_id}
    db.session.execute(update(_T).where(_T.c.id == row.id).values(values))


def _take_in(row: Any) -> int | None:
    """The person of a confirmed request, made when nobody is known; None when the CRM takes none."""
    values = {name: getattr(row, name) for name in ("first_name", "last_name", "language") if getattr(row, name)}
    try:
        with db.session.begin_nested():
            made = resolve(
                SYSTEM, row.email, Channel.PORTAL, values | {"lead_source": "Web Site"}, make="contacts", fill=True
            )
    except Refused as refused:
        log.warning("an opt-in was confirmed, but no contact could be made", extra={"reason": str(refused)[:200]})
        return None
    return made.person.id if made else None


def _may_mail(key: str) -> bool:
    """Whether the address may get another mail that asks: few a day, and none where they were called unwanted."""
    since = clock.now() - timedelta(days=1)
    mails = select(func.sum(_T.c.mail_count)).where(_T.c.email_key == key, _T.c.mailed_at > since)
    if (db.session.execute(mails).scalar() or 0) >= MOST_A_DAY:
        return False
    refusals = modules["suppressions"].table
    angry = select(refusals.c.id).where(
        refusals.c.email_key == key, refusals.c.scope == "complaint", refusals.c.active, refusals.c.deleted_at.is_(None)
    )
    return db.session.execute(angry.limit(1)).first() is None


def _mail(id: int, email: str, language: str | None) -> None:
    sender = default_row()
    if sender is None:
        log.error("an opt-in cannot be confirmed: there is no sender address", extra={"opt_in": id})
        return
    tokens.revoke(PURPOSE, id)
    token = tokens.issue(PURPOSE, id, HOLDS)
    with speaking(language or config.current().locale):
        name = organisation().name or _("us")
        subject = _("Please confirm that you want our mail")
        text = _(
            "Somebody, probably you, asked for mail from %(name)s with this address.\n\nOpen this link and confirm it:\n%(link)s\n\n"
            "If it was not you, do nothing: you get no mail then. The link holds for 7 days.",
            name=name, link=f"{public_base()}/confirm/{token}",
        )  # fmt: skip
    letter = Letter(Address(email), subject, text + "\n")
    put_letter(db.session, letter, Address(sender.address, sender.display_name or ""), dedupe_key=f"opt_in:{token}")
    changes = {"mail_count": _T.c.mail_count + 1, "mailed_at": clock.now()}
    db.session.execute(update(_T).where(_T.c.id == id).values(changes))


def _row(id: int | None) -> Any:
    return db.session.execute(select(_T).where(_T.c.id == id)).first()


@task("opt_ins.sweep", daily=time(3, 50))
def sweep(_progress: Progress | None) -> str:
    """Requests that nobody confirmed are forgotten after 30 days."""
    gone = delete(_T).where(_T.c.confirmed_at.is_(None), _T.c.asked_at < clock.now() - KEPT)
    return f"{rows_changed(gone)} forgotten"
