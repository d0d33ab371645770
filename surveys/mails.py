"""Surveys and mails: which surveys a mail may lead to, who was asked by one, and the letter of a single invitation."""

import re
from collections.abc import Iterable, Mapping
from datetime import time
from typing import Any

from sqlalchemy import select

from crm.db import db
from crm.engine.outbox import Progress, task
from crm.engine.refusals import Fault, Missing, Refused
from crm.engine.registry import Registry, modules
from crm.mail.letters import Letter
from crm.mail.message import Address, BadAddress
from crm.mail.sending.singles import put_letter
from crm.modules.sender_addresses import default_row
from crm.words import _, speaking
from surveys import answering, files, links
from surveys.design import load
from surveys.mapping import PEOPLE, module_of
from surveys.modules.surveys import Survey

TAG = re.compile(r"links\.survey:(\d{1,18})")
LINKED = re.compile(r"\$links\.survey(?![\w:])")  # that of the field Linked survey
WRITTEN = ("mjml", "html", "text", "subject")


def attach(registry: Registry) -> None:
    """Lay the rule on mails that an active one leads to active surveys only (catalog.RULES)."""
    registry["email_templates"].checks += (leads_to_active_surveys,)


def leads_to_active_surveys(values: Mapping[str, Any], old: Mapping[str, Any] | None) -> dict[str, Fault]:
    """An active mail names surveys that are active, else its links would lead nowhere; and leads to the one linked to it."""
    then = {**(old or {}), **values}
    if then.get("status") != "active" or not {"status", "survey_id", *WRITTEN} & set(values):
        return {}
    linked = then.get("survey_id")
    if linked is not None and inactive([linked]):
        return {"survey_id": Fault("bad_survey", _("This survey is not active, so its link would lead nowhere."))}
    if linked is not None and not any(LINKED.search(str(then.get(field) or "")) for field in WRITTEN):
        return {
            "survey_id": Fault(
                "no_link", _("The mail does not lead to it. Write {$links.survey} where its link is to stand.")
            )
        }
    for field in WRITTEN:
        wrong = inactive(int(id) for id in TAG.findall(str(then.get(field) or "")))
        if wrong:
            return {
                field: Fault(
                    "bad_survey", _("Survey %(id)s is not active, so its link would lead nowhere.", id=wrong[0])
                )
            }
    return {}


def inactive(ids: Iterable[int]) -> list[int]:
    """Those of `ids` that are no active surveys."""
    wanted = sorted(set(ids))
    if not wanted:
        return []
    table = Survey.__table__
    said = select(table.c.id).where(table.c.id.in_(wanted), table.c.status == "active", table.c.deleted_at.is_(None))
    found = set(db.session.execute(said).scalars())
    return [id for id in wanted if id not in found]


def invite_recipients(sendout_id: int, names: Iterable[str]) -> None:
    """Note who of a sendout is asked by its mail. `names`: the tags that the mail prints. Raises Refused. The caller commits."""
    ids = sorted({int(found[1]) for name in names if (found := TAG.fullmatch(name))})
    if wrong := inactive(ids):
        message = _("Survey %(id)s is not active, so its link would lead nowhere.", id=wrong[0])
        raise Refused.because("bad_survey", message, "email_template_id")
    for id in ids:
        links.invite_recipients(sendout_id, id)


@task("surveys.invite")
def invite(
    _progress: Progress, survey_id: int, contact_id: int, source: str = "mail", subject_id: int | None = None
) -> str:
    """Ask one contact or lead by a letter; asked about the same subject again, the same letter is not sent twice."""
    try:
        design = load(survey_id)
    except Missing:
        return "the survey is gone"
    module = module_of(contact_id)
    if design.row["status"] != "active" or module not in PEOPLE:
        return "nobody to ask, or the survey is not active"
    table = modules[module].table
    columns = (table.c.email, table.c.first_name, table.c.last_name, table.c.language) if "language" in table.c else (
        table.c.email, table.c.first_name, table.c.last_name
    )  # fmt: skip
    person = db.session.execute(select(*columns, table.c.email_opt_out).where(table.c.id == contact_id)).one()
    sender = default_row()
    if not person.email or person.email_opt_out or sender is None:
        return "the person gets no mail, or there is no sender address"
    design = load(survey_id, getattr(person, "language", None))
    invitation_id = links.invitation_of(survey_id, contact_id, source if source in WAYS else "mail", subject_id)
    address = links.address_of(invitation_id, survey_id)
    with speaking(design.language):
        title = design.title
        text = _(
            "Hello\n\nWe would like to hear from you: %(title)s\n\n%(link)s\n\nThe link is yours alone.",
            title=title,
            link=address,
        )
    try:
        to = Address(person.email, " ".join(one for one in (person.first_name, person.last_name) if one))
        letter = Letter(to, title[:200], text)
    except BadAddress:
        return "the address cannot be used"
    put_letter(
        db.session, letter, Address(sender.address, sender.display_name or ""),
        dedupe_key=f"survey:{invitation_id}", person=(module, contact_id),
    )  # fmt: skip
    return "asked"


WAYS = frozenset({"mail", "portal", "event", "ticket", "call", "staff"})


@task("surveys.sweep", daily=time(3, 40))
def sweep(_progress: Progress) -> str:
    """Forget drafts, and files that came with no answer, after thirty days."""
    drafts, kept = answering.sweep_drafts(), files.sweep()
    return f"{drafts} drafts, {kept} files"
