"""The page on which a mail is written: its fields, its text, its files, and what the panes beside it show."""

from typing import Any

from flask import Response, g, make_response, render_template
from sqlalchemy import select

from crm.db import db
from crm.engine import attachments, search
from crm.engine.attachments import MEGABYTE
from crm.engine.permissions import may
from crm.engine.registry import modules
from crm.engine.rows import Row, labels_of
from crm.modules import language_versions
from crm.ui import forms
from crm.ui.face import face
from crm.ui.session import viewer
from ecp.content.limits import MAX_SOURCE
from ecp.modules.mail_rules import tags_of_people
from ecp.web import visual_kit, writing_seen, writing_versions
from ecp.web.writing_seen import KEY

INFO = (
    "name", "kind", "status", "folder", "subject", "preheader", "sender_name", "sender_address_id", "reply_to", "list_type_hint_id",
    "language", "survey_id", "owner_id", "description", "sending_time", "sending_at", "sending_weekday", "sending_day", "sending_on",
)  # fmt: skip
MOST_OF_A_FILE = 5 * MEGABYTE


def home() -> str:
    """Where mails are in the app that is being looked at."""
    return f"{face().prefix}/{KEY}"


def form_of(row: Row, typed: Any = None) -> forms.RecordForm:
    """The fields beside the text, filled from the mail, or with what was `typed`."""
    links = {name: row[name] for name in INFO if name.endswith("_id") and row.get(name)}
    labels = labels_of(viewer(), links.values()) if links else {}
    texts = {name: labels.get(id, "") for name, id in links.items()}
    return forms.form_of(viewer(), modules[KEY], row, texts, typed=typed, only=_info(row))


def _info(row: Row) -> tuple[str, ...]:
    """The fields beside the text: a language version has few of its own."""
    return writing_versions.INFO if row["kind"] == language_versions.KIND else INFO


def draw(
    row: Row, form: forms.RecordForm, written: dict[str, str], version: int, status: int = 200, **more: Any
) -> Response:
    """The page with the text as `written`, which may be newer than what is kept."""
    source = "mjml" if written["mjml"] or not written["html"] else "html"
    g.inline_styles = True  # the editor sets styles of its own (decisions.md 31)
    page = render_template(
        "ecp_write.html", row=row, form=form, written=written, source=source, version=version, here=KEY, home=home(),
        tags=tags_of_people(), files=attachments.files_of(viewer(), KEY, row.id), may_edit=may(viewer(), "edit", modules[KEY]),
        may_send=may(viewer(), "create", modules["sendouts"]),
        snippets=[one for one in _active("html_snippets", ("name", "kind", "html")) if one["kind"] == "html"],
        kit=visual_kit.kit() if may(viewer(), "edit", modules[KEY]) else None,
        most=MAX_SOURCE, most_of_a_file=MOST_OF_A_FILE, viewer_email=_own_address(), seen=writing_seen.seen_of(writing_seen.whole({**{name: row.get(name) for name in INFO}, **written}, row["version_of_id"])),
        tongues=writing_versions.bar(row), **more,
    )  # fmt: skip
    return make_response(page, status)


def _own_address() -> str:
    """The address of whoever writes, for tests."""
    table = modules["users"].table
    return str(db.session.execute(select(table.c.email).where(table.c.id == viewer().id)).scalar() or "")


def _active(key: str, columns: tuple[str, ...]) -> list[Row]:
    if not may(viewer(), "view", key):
        return []
    return search.find(
        viewer(), key, where={"status": "active"}, columns=columns, sort=("name",), limit=100, count="none"
    ).rows
