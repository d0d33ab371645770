"""The sign-in sheet of an event: who is coming, with a line for each one's signature; as rows, as PDF, as tags of templates."""

import io
from collections.abc import Iterator, Sequence
from typing import Any

from markupsafe import escape

from crm.db import db
from crm.documents import converting
from crm.documents.sources import Given, Source, add_source
from crm.engine import attachments, outbox, picklists, search
from crm.engine.fields import make
from crm.engine.outbox import GiveUp, Progress, task
from crm.engine.refusals import Forbidden, Missing
from crm.engine.rows import Row
from crm.identity import viewers
from crm.identity.viewer import Viewer
from crm.modules.events import figures, kinds
from crm.modules.events.kinds import Event
from crm.modules.events.lists import EVENTS, OCCUPYING
from crm.modules.events.tags import say_period
from crm.modules.rules import demand_record
from crm.words import _, speaking

TASK = "make_sign_in_sheet"
AT_ONCE = 1_000
COLUMNS = ("name", "account_id", "company", "role", "code")


def coming(viewer: Viewer, event_id: int) -> Iterator[Row]:
    """Attendees with a seat, by name, as far as `viewer` may see them. Raises Forbidden."""
    after = None
    while True:
        page = search.find(
            viewer, "attendees", where=figures.where_of(event_id, *OCCUPYING), columns=COLUMNS, sort=("name",), limit=AT_ONCE,
            after=after, count="none",
        )  # fmt: skip
        yield from page.rows
        after = page.next
        if after is None:
            return


def company_of(row: Row) -> str:
    """The account of an attendee, else what was typed as company."""
    return row.label_of("account_id") or row["company"] or ""


def role_of(row: Row) -> str:
    """The role of an attendee, in words."""
    return _(picklists.label("attendee_role", row["role"])) if row["role"] else ""


def table(viewer: Viewer, event_id: int) -> Iterator[list[str]]:
    """The sheet as rows of text, what the columns are called first."""
    yield [_("Name"), _("Company"), _("Role"), _("Check-in code"), _("Signature")]
    for row in coming(viewer, event_id):
        yield [row["name"], company_of(row), role_of(row), row["code"] or "", ""]


def start(viewer: Viewer, event_id: int) -> int:
    """Let a worker make the PDF; gives the job. The caller asks the right to the event, and commits. Raises Forbidden."""
    if viewer.id is None:
        raise Forbidden
    return outbox.put(db.session, TASK, created_by_id=viewer.id, viewer_id=viewer.id, event_id=event_id)


@task(TASK, queue="files", max_attempts=2)
def run(progress: Progress, *, viewer_id: int, event_id: int) -> str:
    """Make the sheet with the rights that the person has now; it is kept as a file of that person."""
    viewer = viewers.of_user(viewer_id)
    if viewer is None:
        raise GiveUp(_("Whoever started this may not sign in any more."))
    with speaking(viewer.locale):
        try:
            event = kinds.load(event_id)
            demand_record(viewer, event.module, event_id, "view")
            sheet = as_document(event, list(table(viewer, event_id)))
        except (Missing, Forbidden):
            raise GiveUp(_("The event is not there any more.")) from None
        db.session.rollback()  # nothing is locked while LibreOffice works
        try:
            (data,) = converting.to_pdf([("fodt", sheet)])
        except converting.NoEngine as none:
            raise GiveUp(str(none)) from None
        name = attachments.plain_name(f"{_('Sign-in sheet')} {event.name}".replace("/", "-"))[:180]
        stored = attachments.store(viewer, f"{name}.pdf", io.BytesIO(data), "application/pdf")
        return _("The document is ready: /crm/files/%(file)s", file=stored.id)


def as_document(event: Event, rows: Sequence[Sequence[str]]) -> bytes:
    """The sheet as a flat OpenDocument text: the name of the event, its times, a table whose head stands on every page."""
    head, *body = rows
    lines = [line for line in (say_period(event.starts_at, event.ends_at, event.zone), event.location) if line]
    return DOCUMENT.format(
        title=escape(event.name), lines="".join(f"<text:p>{escape(line)}</text:p>" for line in lines),
        columns="".join(f'<table:table-column table:style-name="w{n}"/>' for n in range(len(head))),
        head=_row(head, "b"), body="".join(_row(row) for row in body),
    ).encode()  # fmt: skip


def _row(cells: Sequence[str], style: str = "") -> str:
    said = f' text:style-name="{style}"' if style else ""
    drawn = (
        f'<table:table-cell table:style-name="c"><text:p{said}>{escape(cell)}</text:p></table:table-cell>'
        for cell in cells
    )
    return f'<table:table-row table:style-name="r">{"".join(drawn)}</table:table-row>'


DOCUMENT = """<?xml version="1.0" encoding="UTF-8"?>
<office:document xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" xmlns:style="urn:oasis:names:tc:opendocument:xmlns:style:1.0"
 xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"
 xmlns:fo="urn:oasis:names:tc:opendocument:xmlns:xsl-fo-compatible:1.0" office:version="1.3" office:mimetype="application/vnd.oasis.opendocument.text">
<office:automatic-styles>
<style:style style:name="t" style:family="paragraph"><style:text-properties fo:font-size="16pt" fo:font-weight="bold"/></style:style>
<style:style style:name="b" style:family="paragraph"><style:text-properties fo:font-weight="bold"/></style:style>
<style:style style:name="w0" style:family="table-column"><style:table-column-properties style:column-width="6.2cm"/></style:style>
<style:style style:name="w1" style:family="table-column"><style:table-column-properties style:column-width="6.2cm"/></style:style>
<style:style style:name="w2" style:family="table-column"><style:table-column-properties style:column-width="3.2cm"/></style:style>
<style:style style:name="w3" style:family="table-column"><style:table-column-properties style:column-width="3.4cm"/></style:style>
<style:style style:name="w4" style:family="table-column"><style:table-column-properties style:column-width="6.7cm"/></style:style>
<style:style style:name="r" style:family="table-row"><style:table-row-properties style:min-row-height="0.9cm" fo:keep-together="always"/></style:style>
<style:style style:name="c" style:family="table-cell"><style:table-cell-properties fo:border-bottom="0.5pt solid #888888" fo:padding="0.1cm" style:vertical-align="middle"/></style:style>
<style:page-layout style:name="p"><style:page-layout-properties fo:page-width="29.7cm" fo:page-height="21cm" style:print-orientation="landscape" fo:margin="2cm"/></style:page-layout>
</office:automatic-styles>
<office:master-styles><style:master-page style:name="Standard" style:page-layout-name="p"/></office:master-styles>
<office:body><office:text><text:p text:style-name="t">{title}</text:p>{lines}<text:p/>
<table:table table:name="people">{columns}<table:table-header-rows>{head}</table:table-header-rows>{body}</table:table></office:text></office:body></office:document>
"""


def _for_tags(viewer: Viewer, row: Row) -> Sequence[Given]:
    return [
        {"name": one["name"], "company": company_of(one), "role": role_of(one), "code": one["code"]}
        for one in coming(viewer, row.id)
    ]


FIELDS: dict[str, Any] = {
    "name": make("text", "Name"), "company": make("text", "Company"), "role": make("text", "Role"), "code": make("text", "Check-in code"),
}  # fmt: skip
for key in EVENTS:
    add_source(key, Source("coming", FIELDS, _for_tags, is_list=True))
