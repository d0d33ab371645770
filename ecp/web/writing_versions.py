"""The languages of a mail in its editor: a bar to go from one to the other and to begin a new one, and who sees which."""

from dataclasses import dataclass

from flask import redirect, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from crm import config
from crm.db import db
from crm.engine import picklists, records, search
from crm.engine.channels import Channel
from crm.engine.permissions import may
from crm.engine.refusals import Missing, Refused
from crm.engine.rows import Row
from crm.modules import language_versions
from crm.ui.face import face
from crm.ui.page import tell
from crm.ui.session import commit, viewer

KEY = "email_templates"
INFO = ("name", "status", "subject", "preheader", "language")  # of a version; the rest is the mail's
WRITTEN = ("subject", "preheader", "mjml", "html", "text")


@dataclass(frozen=True)
class Tongue:
    """One entry of the bar. `id` None: not written yet."""

    language: str
    label: str
    id: int | None
    is_active: bool = False
    is_main: bool = False


def label_of(language: str | None) -> str:
    """The name of a language for people; of the site's where a mail names none."""
    return _(picklists.label("language", language or config.current().locale))


def bar(row: Row) -> list[Tongue]:
    """The mail itself, its versions, and the languages that it could still be written in."""
    main = _main_of(row)
    if main is None:
        return []
    own = main["language"] or config.current().locale
    found = [Tongue(own, label_of(own), main.id, main["status"] == "active", True)]
    for one in language_versions.versions_of(main.id, only_active=False):
        found.append(Tongue(one.language, label_of(one.language), one.id, one.status == "active"))
    known = {one.language for one in found}
    if may(viewer(), "create", KEY):
        found += [Tongue(one.key, _(one.label), None) for one in picklists.choices("language") if one.key not in known]
    return found


def add(id: int) -> AnyResponse:
    """Begin a version: a copy of the mail as it is now, to be translated. It is inactive, so nobody gets it yet."""
    row = search.one(viewer(), KEY, id)
    main = _main_of(row)
    if main is None:
        raise Missing
    language = request.form.get("language", "")
    values = {name: main[name] for name in (*WRITTEN, "owner_id")}
    values |= {
        "name": f"{main['name'][:140]} ({language})", "kind": language_versions.KIND, "status": "inactive",
        "language": language, "version_of_id": main.id,
    }  # fmt: skip
    try:
        made = records.create(viewer(), KEY, values, Channel.FORM)
        commit()
    except Refused as refused:
        db.session.rollback()
        tell(refused.sentences, "wrong")
        return redirect(f"{face().prefix}/{KEY}/{id}/write", 303)
    tell(_("This is a copy. Translate it and make it active: then people of this language get it."))
    return redirect(f"{face().prefix}/{KEY}/{made}/write", 303)


def copy_all(template_id: int, mail_id: int) -> None:
    """Give a mail the versions of the template that it was built from. The caller commits."""
    for one in language_versions.versions_of(template_id, only_active=False):
        row = search.one(viewer(), KEY, one.id)
        values = {name: row[name] for name in (*WRITTEN, "name", "kind", "status", "language")}
        records.create(viewer(), KEY, values | {"version_of_id": mail_id}, Channel.FORM)


def instead(mail_id: int | None, person_id: int | None) -> Row | None:
    """The text that a contact would get in place of the one that is open; None when it is that one."""
    if mail_id is None or person_id is None or not search.exists(viewer(), "contacts", person_id):
        return None
    row = search.one(viewer(), KEY, mail_id)
    language = search.one(viewer(), "contacts", person_id, columns=("language",))["language"]
    if row["kind"] == language_versions.KIND and row["language"] == language:
        return None
    main = row["version_of_id"] or row.id
    chosen = language_versions.choose(main, language)
    return None if chosen == mail_id else search.one(viewer(), KEY, chosen)


def _main_of(row: Row) -> Row | None:
    if not row["version_of_id"]:
        return row
    if not search.exists(viewer(), KEY, row["version_of_id"]):
        return None
    return search.one(viewer(), KEY, row["version_of_id"])
