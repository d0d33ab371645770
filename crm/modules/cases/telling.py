"""The mail to users who were chosen for a case."""

from sqlalchemy import select

from crm import config
from crm.db import db
from crm.engine.outbox import Progress, task
from crm.engine.registry import modules
from crm.mail.letters import Letter
from crm.mail.message import Address, BadAddress, one_line
from crm.mail.sending import singles
from crm.modules.sender_addresses import default_row
from crm.modules.tickets.telling import staff
from crm.words import _


@task("cases.tell")
def tell(progress: Progress, case_id: int, user_ids: list[int]) -> str:
    """Tell each of them, once for this choice."""
    table, sender = modules["cases"].table, default_row()
    said = select(table).where(table.c.id == case_id, table.c.deleted_at.is_(None))
    case = db.session.execute(said).mappings().first()
    if case is None or sender is None:
        return "nothing to tell"
    link = f"{config.current().base_url.rstrip('/')}/crm/cases/{case_id}"
    told = 0
    for person in staff(user_ids):
        subject = _("You take part in the case %(title)s", title=case["title"])
        try:
            letter = Letter(
                Address(person.email), one_line(subject)[:300], f"{case['description'] or ''}\n\n{link}\n".lstrip()
            )
        except BadAddress:
            continue
        key = f"cases:{progress.job_id}:{person.id}"
        singles.put_letter(db.session, letter, Address(sender.address, sender.display_name or ""), dedupe_key=key)
        told += 1
    return f"{told} users told"
