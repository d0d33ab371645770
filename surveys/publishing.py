"""Answers from everybody: whose they may be, what they may change, and the mail that asks to confirm them.

Nothing that is shown to who answers depends on whether he was found. What comes from outside overwrites nothing unless the
survey says so (`contact_update`), and of several people who match none is touched.
"""

import logging
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import select, update

from crm.db import db, fold, fold_text
from crm.engine import records
from crm.engine.channels import Channel
from crm.engine.refusals import Refused
from crm.engine.registry import modules
from crm.identity import tokens
from crm.identity.sealing import public_base
from crm.identity.viewer import SYSTEM
from crm.mail.letters import Letter
from crm.mail.message import Address, BadAddress
from crm.mail.sending.singles import put_letter
from crm.modules.contacts.resolve import people_of
from crm.modules.sender_addresses import default_row
from crm.words import _, speaking
from surveys import answering
from surveys.design import Design, load
from surveys.forms import Answers

log = logging.getLogger(__name__)

PURPOSE = "survey_confirm"
CONFIRM_WITHIN = timedelta(days=7)
RESPONSES = answering.RESPONSES


def take(design: Design, answers: Answers) -> int:
    """Keep a public response; gives its id. Raises answering.Closed. The caller commits."""
    if design.row["anonymous"]:
        return answering.store(SYSTEM, design.id, answers, source="public")
    if design.row["double_opt_in"] and (email := email_of(design, answers.values)):
        id = answering.store(SYSTEM, design.id, answers, source="public", writes="never", status="pending")
        _ask(design, id, email)
        return id
    person, flag, is_new = whose(design, answers.values)
    writes = "never" if person is None or is_new else str(design.row["contact_update"])
    writes = {"always": "all"}.get(writes, writes)
    return answering.store(SYSTEM, design.id, answers, person, "public", writes=writes, flag=flag)


def confirm(token: str) -> Design | None:
    """Count a response that its sender confirmed by mail, once; None for a token that does not hold. The caller commits."""
    found = tokens.use(PURPOSE, token)
    row = _pending(found.subject_id) if found else None
    if row is None:
        return None
    design = load(row["survey_id"], row["language"])
    values = answering.values_of(design, row["id"])
    person, flag, is_new = whose(design, values)
    said = update(RESPONSES).where(RESPONSES.c.id == row["id"], RESPONSES.c.status == "pending")
    db.session.execute(said.values(status="complete", person_id=person, flag=flag))
    answers = answering.ANSWERS
    db.session.execute(update(answers).where(answers.c.response_id == row["id"]).values(person_id=person))
    writes = "never" if person is None or is_new else str(design.row["contact_update"])
    answering.finish(design, values, row["id"], person, None, {"always": "all"}.get(writes, writes))
    answering.react(design, values, row["id"])
    return design


def waiting(token: str) -> Design | None:
    """The survey that a token would confirm; nothing changes."""
    found = tokens.peek(PURPOSE, token)
    row = _pending(found.subject_id) if found else None
    return load(row["survey_id"], row["language"]) if row is not None else None


def whose(design: Design, values: Mapping[str, Any]) -> tuple[int | None, str | None, bool]:
    """(person, note, whether he was made just now) of a public response."""
    field = design.row["public_match_field"] or ""
    said = match_value(design, values, field)
    if not said:
        return None, None, False
    if field == "email":
        found = [one.id for one in people_of(said) if one.module == "contacts"]
    else:
        table = modules["contacts"].table
        wanted = select(table.c.id).where(fold(table.c[field]) == fold_text(said), table.c.deleted_at.is_(None))
        found = list(db.session.execute(wanted.limit(2)).scalars())
    if len(found) > 1:
        return None, _("Several contacts match; none was changed."), False
    if found:
        return found[0], None, False
    if not design.row["create_contact"]:
        return None, None, False
    return _make(design, values)


def match_value(design: Design, values: Mapping[str, Any], field: str) -> str:
    """What a response is matched by: the answer to the question that is tied to that field, or is called like it."""
    for question in design.questions:
        mapping = question.mapping or {}
        is_tied = mapping.get("module") == "contacts" and mapping.get("field") == field
        if field and (is_tied or question.name == field) and values.get(question.name) is not None:
            return str(question.kind.plain(values[question.name]) or "").strip()
    return ""


def email_of(design: Design, values: Mapping[str, Any]) -> str:
    """The address that a confirmation goes to."""
    said = match_value(design, values, "email")
    if not said:
        said = next(
            (str(values[one.name]) for one in design.questions if one.kind.name == "email" and one.name in values), ""
        )
    return said


def _make(design: Design, values: Mapping[str, Any]) -> tuple[int | None, str | None, bool]:
    """A contact of the mapped answers; a note instead when the CRM does not take one."""
    given: dict[str, Any] = {}
    for question in design.questions:
        mapping = question.mapping or {}
        if mapping.get("module") == "contacts" and mapping.get("direction") != "prefill" and question.name in values:
            given[str(mapping["field"])] = question.kind.written(question, values[question.name])
    field = str(design.row["public_match_field"])
    given.setdefault(field, match_value(design, values, field))
    if not given.get("last_name"):
        given["last_name"] = str(given.get("email") or _("Unknown")).rpartition("@")[0][:80] or _("Unknown")
    if design.row["new_owner_id"] is not None:
        given["owner_id"] = design.row["new_owner_id"]
    try:
        with db.session.begin_nested():
            return records.create(SYSTEM, "contacts", given, Channel.SURVEY), None, True
    except Refused as refused:
        return None, _("No contact could be made: %(why)s", why=str(refused))[:200], False


def _ask(design: Design, response_id: int, email: str) -> None:
    """Mail the link that confirms a response."""
    sender = default_row()
    if sender is None:
        log.error("A response to survey %s cannot be confirmed: there is no sender address", design.id)
        return
    token = tokens.issue(PURPOSE, response_id, CONFIRM_WITHIN)
    with speaking(design.language):
        title = design.title
        text = _(
            "Somebody, probably you, answered “%(title)s” with this address.\n\nOpen this link and confirm it:\n%(link)s\n\n"
            "If it was not you, do nothing. The link holds for 7 days.",
            title=title, link=f"{public_base()}/s/confirm/{token}",
        )  # fmt: skip
        subject = _("Please confirm: %(title)s", title=title)[:200]
    try:
        letter = Letter(Address(email), subject, text)
    except BadAddress:
        return
    put_letter(
        db.session,
        letter,
        Address(sender.address, sender.display_name or ""),
        dedupe_key=f"survey_confirm:{response_id}",
    )


def _pending(id: int | None) -> Any:
    if id is None:
        return None
    said = select(RESPONSES).where(RESPONSES.c.id == id, RESPONSES.c.status == "pending")
    return db.session.execute(said).mappings().first()
