"""Language versions of a mail: rows of the kind “version” beside the one they belong to, at most one a language (M115).

The mail itself is what everybody gets who speaks none of them. A version has its own subject, preheader and text; sender, files
and folder are those of the mail.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from crm import config
from crm.db import db
from crm.engine.refusals import Fault
from crm.engine.registry import Registry, modules
from crm.identity.viewer import Viewer
from crm.modules.email_templates import folder_is_open
from crm.modules.people import PERSONS
from crm.modules.rules import after
from crm.words import _

KIND = "version"


@dataclass(frozen=True)
class Version:
    """One version of a mail. `id`: of its row in email_templates."""

    id: int
    language: str
    status: str


def attach(registry: Registry) -> None:
    """Lay the rules on mails (catalog.RULES)."""
    mails = registry["email_templates"]
    mails.derives = (*mails.derives, as_its_mail)
    mails.checks = (*mails.checks, fits_its_mail)
    mails.asks = (*mails.asks, folder_of_mail_is_open)


def versions_of(email_template_id: int, only_active: bool = True) -> list[Version]:
    """The live versions of a mail, by language."""
    t = modules["email_templates"].table
    said = select(t.c.id, t.c.language, t.c.status).where(
        t.c.version_of_id == email_template_id, t.c.kind == KIND, t.c.deleted_at.is_(None)
    )
    if only_active:
        said = said.where(t.c.status == "active")
    return [
        Version(row.id, row.language, row.status) for row in db.session.execute(said.order_by(t.c.language, t.c.id))
    ]


def choose(email_template_id: int, language: str | None) -> int:
    """The row whose text somebody of `language` gets: an active version, else the mail itself."""
    return next((one.id for one in versions_of(email_template_id) if one.language == language), email_template_id)


def choose_for(email_template_id: int, module: str | None, person_id: int | None) -> int:
    """The row whose text one person gets: a contact or lead."""
    if module not in PERSONS or person_id is None:
        return email_template_id
    table = modules[module].table
    return choose(
        email_template_id, db.session.execute(select(table.c.language).where(table.c.id == person_id)).scalar()
    )


def as_its_mail(values: Mapping[str, Any], old: Mapping[str, Any] | None) -> dict[str, Any]:
    """What a version has from its mail: who may see it, and the survey that it leads to. It stands in no folder of its own."""
    then = after(values, old)
    if then.get("kind") != KIND or then.get("version_of_id") is None:
        return {}
    t = modules["email_templates"].table
    row = db.session.execute(select(t.c.is_personal, t.c.survey_id).where(t.c.id == then["version_of_id"])).first()
    own = {"is_personal": row.is_personal, "survey_id": row.survey_id} if row else {}
    return own | {"folder": None, "sending_time": None, "sending_since": None}


def folder_of_mail_is_open(
    viewer: Viewer, values: Mapping[str, Any], old: Mapping[str, Any] | None
) -> dict[str, Fault]:
    """Who may write the mail may write its versions, and nobody else."""
    then = after(values, old)
    if then.get("kind") != KIND or then.get("version_of_id") is None:
        return {}
    t = modules["email_templates"].table
    folder = db.session.execute(select(t.c.folder).where(t.c.id == then["version_of_id"])).scalar()
    faults = folder_is_open(viewer, {"folder": folder}, None)
    return {"version_of_id": faults["folder"]} if faults else {}


def fits_its_mail(values: Mapping[str, Any], old: Mapping[str, Any] | None) -> dict[str, Fault]:
    """A version belongs to a mail that is none itself, has a language, and is the only one in it; it stays where it is."""
    then = after(values, old)
    is_version, mail_id = then.get("kind") == KIND, then.get("version_of_id")
    if old is not None and old.get("version_of_id") != mail_id:
        return {"version_of_id": Fault("locked", _("A version stays with its mail. Make another one there."))}
    if old is not None and (old.get("kind") == KIND) != is_version:
        return {
            "kind": Fault("locked", _("What is a language version stays one, and what is none does not become one."))
        }
    if not is_version:
        if mail_id is not None:
            return {"version_of_id": Fault("not_a_version", _("Only a language version belongs to another mail."))}
        return _own_language(then, old)
    if mail_id is None:
        return {"version_of_id": Fault("required", _("Say of which mail this is a version."))}
    if not then.get("language"):
        return {"language": Fault("required", _("Say in which language this version is."))}
    t = modules["email_templates"].table
    row = db.session.execute(select(t.c.kind, t.c.language).where(t.c.id == mail_id, t.c.deleted_at.is_(None))).first()
    if row is None or row.kind == KIND:
        return {"version_of_id": Fault("no_such_record", _("A version belongs to a mail, not to another version."))}
    said = {one.language for one in versions_of(mail_id, only_active=False) if one.id != then.get("id")}
    if then["language"] in said | {row.language or config.current().locale}:
        return {"language": Fault("not_unique", _("This mail is already written in this language."))}
    return {}


def _own_language(then: Mapping[str, Any], old: Mapping[str, Any] | None) -> dict[str, Fault]:
    """The mail itself does not take the language of one of its versions."""
    if old is None or then.get("language") == old.get("language"):
        return {}
    own = then.get("language") or config.current().locale
    if own in {one.language for one in versions_of(old["id"], only_active=False)}:
        return {"language": Fault("not_unique", _("There is a version in this language already."))}
    return {}
