"""A registration form of an event, whoever fills it in: the questions of its survey and the parts one may choose.

Public pages, personal links and the portal draw it and read it here; who it is, and whether he may, each asks itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from sqlalchemy import select

from crm.db import db
from crm.engine import records
from crm.engine.channels import Channel
from crm.engine.refusals import Conflict, Missing
from crm.identity.viewer import Viewer
from crm.modules.events import kinds, public
from crm.modules.events.acting import acting
from crm.modules.events.attendees import TABLE
from crm.modules.events.kinds import Event
from crm.modules.events.listing import Listed, listed
from crm.words import _
from surveys import answering, forms
from surveys.design import load
from surveys.forms import Answers, Form, Shown

ANYBODY = Viewer(kind="link", name="Somebody")
Writes = Literal["all", "only_empty", "never"]
FOREVER = datetime.max.replace(tzinfo=UTC)  # whoever registers anew says everything anew
WHO = {
    "first_name": "first_name",
    "firstname": "first_name",
    "last_name": "last_name",
    "lastname": "last_name",
    "email": "email",
}
"""Questions that ask who somebody is: the form has fields of its own for that, and a log-in or a link knows it."""


class EventForm(Form):
    """The questions of an event's survey without those that ask who somebody is."""

    def shown(self, page: Any) -> list[Shown]:
        return [one for one in super().shown(page) if one.question.name not in WHO]


@dataclass
class Entry:
    """What is drawn, and what was sent. `chosen`: ids of parts; `faults`: sentences by field, `parts` among them."""

    event: Event
    parts: list[Listed] = field(default_factory=list)
    form: EventForm | None = None
    chosen: set[int] = field(default_factory=set)
    faults: dict[str, str] = field(default_factory=dict)
    answers: Answers | None = None
    said: str = ""  # what is wrong with the whole
    has_more: bool = False  # the answers brought questions that were not seen

    @property
    def is_good(self) -> bool:
        return (
            not self.faults and not self.said and (self.answers is None or self.answers.is_good) and not self.has_more
        )

    @property
    def is_too_large(self) -> bool:
        return self.answers is not None and self.answers.is_too_large

    @property
    def has_files(self) -> bool:
        return self.form is not None and any(one.kind.counts == "files" for one in self.form.design.questions)

    @property
    def has_questions(self) -> bool:
        return self.form is not None and any(self.form.shown(page) for page in self.form.pages)

    @property
    def problems(self) -> list[tuple[str, str, str]]:
        """(id of the place, label, sentence) of each faulty question."""
        if self.form is None:
            return []
        return [
            (one.id, one.question.title or one.question.name, one.fault)
            for page in self.form.pages for one in self.form.shown(page) if one.fault
        ]  # fmt: skip


def open_entry(event: Event, language: str, person: int | None = None, response_id: int | None = None) -> Entry:
    """The form as it begins. `person`: a contact who proved who he is; `response_id`: answers he gave and may change."""
    entry = Entry(event, listed(part for part in kinds.sub_events(event.id) if part.state == "open"))
    entry.form = _form(event, language, person)
    if entry.form is not None and response_id is not None:
        typed = forms.typed_of(entry.form.design, answering.values_of(entry.form.design, response_id), forms.sealer())
        entry.form = EventForm(entry.form.design, typed, sealer=entry.form.sealer)
    return entry


def read(
    event: Event, language: str, posted: Any, files: Any, who: Mapping[str, str], with_parts: bool = True
) -> Entry:
    """What was sent, checked. `who`: first_name, last_name and email, for questions that ask them. Stores uploads only."""
    entry = open_entry(event, language)
    if with_parts:
        _read_parts(entry, posted)
    if entry.form is None:
        return entry
    design = entry.form.design
    answers = forms.read(entry.form, _with_who(entry.form, posted, who), files)
    for name in set(answers.faults) & set(WHO):
        entry.faults.setdefault(WHO[name], answers.faults[name])
    entry.answers = answers
    entry.form = EventForm(design, answers.typed, answers.faults, sealer=entry.form.sealer)
    if answers.unknown:
        entry.said = _("There is no question “%(name)s” here.", name=answers.unknown[0].split(".")[1][:60])
    elif answers.is_good and "seen" in posted:
        seen = set(posted.getlist("seen"))
        entry.has_more = any(
            one.question.kind.has_answer and one.is_open and not one.is_hidden and one.question.name not in seen
            for page in entry.form.pages for one in entry.form.shown(page)
        )  # fmt: skip
        if entry.has_more:
            entry.said = _("Your answers brought more questions. Please look at them too.")
    return entry


def keep_answers(
    viewer: Viewer,
    entry: Entry,
    attendee_id: int,
    contact_id: int | None,
    writes: Writes,
    until: datetime | None = None,
) -> None:
    """Keep the answers of an attendee: new, or in place of those he gave before. The caller commits.

    A survey that takes no answers any more loses nobody the seat: then none are kept. Raises Refused.
    """
    answers = entry.answers
    if answers is None or entry.form is None:
        return
    row = db.session.execute(TABLE.select().where(TABLE.c.id == attendee_id)).mappings().one()
    if row["answers_response_id"] is not None:
        try:
            answering.replace(row["answers_response_id"], answers, until or FOREVER, writes)
        except Missing:  # of another survey: the event has a new one
            pass
        else:
            return
    try:
        made = answering.store(viewer, answers.design.id, answers, contact_id, "event", entry.event.id, writes=writes)
    except Conflict:
        return
    if answers.design.row["anonymous"]:  # it was made so after the event had chosen it: nothing may lead to the person
        return
    records.update(acting(viewer), "attendees", attendee_id, {"answers_response_id": made}, Channel.PORTAL)


def register_anybody(
    entry: Entry, who: Mapping[str, Any], *, takes_spare: bool, facts: Mapping[str, Any] | None = None
) -> public.Answer:
    """Register whoever only said who he is (first_name, last_name, email, language), with the answers of a good `entry`.

    What was answered to questions named phone and company goes to the contact and the attendee. The caller commits. Raises
    as public.register does.
    """
    given = public.register(
        ANYBODY, entry.event.id, dict(who) | _said_of_oneself(entry), sub_event_ids=tuple(entry.chosen),
        facts=facts, takes_spare=takes_spare, known=entry.event,
    )  # fmt: skip
    if entry.answers is not None and given.is_new and given.attendee_id is not None:
        said = db.session.execute(select(TABLE.c.contact_id).where(TABLE.c.id == given.attendee_id))
        keep_answers(ANYBODY, entry, given.attendee_id, said.scalar(), public_writes(entry))
    return given


def _said_of_oneself(entry: Entry) -> dict[str, str]:
    if entry.answers is None:
        return {}
    design, values = entry.answers.design, entry.answers.values
    return {
        name: str(design.by_name[name].kind.plain(values[name]) or "")
        for name in ("phone", "company")
        if name in values
    }


def public_writes(entry: Entry) -> Writes:
    """What answers from a public page may write to a contact: nothing that is known is ever overwritten."""
    said = entry.answers.design.row["contact_update"] if entry.answers is not None else "never"
    return "never" if said == "never" else "only_empty"


def _form(event: Event, language: str, person: int | None) -> EventForm | None:
    """The survey of the event, when it takes answers."""
    if event.survey_id is None:
        return None
    try:
        design = load(event.survey_id, language)
    except Missing:
        return None
    if answering.why_closed(design.row):
        return None
    return EventForm(design, forms.begin(design, person), sealer=forms.sealer())


def _read_parts(entry: Entry, posted: Any) -> None:
    ids = {one.event.id for one in entry.parts}
    said = {int(one) for one in posted.getlist("part") if one.isascii() and one.isdecimal() and len(one) < 19}
    entry.chosen = said & ids
    rule = entry.event.group_rule
    if said - ids:
        entry.faults["parts"] = _("This is no part of the event.")
    elif entry.parts and rule == "exactly_one" and len(said) != 1:
        entry.faults["parts"] = _("Choose one part of the event.")
    elif entry.parts and rule == "at_least_one" and not said:
        entry.faults["parts"] = _("Choose at least one part of the event.")


def _with_who(form: Form, posted: Any, who: Mapping[str, str]) -> dict[str, list[str]]:
    """What was posted, and who it is where questions ask that."""
    said: dict[str, list[str]] = {name: values for name, values in posted.lists() if name.startswith("q.")}
    for name, known in WHO.items():
        if name in form.design.by_name:
            said[f"q.{name}"] = [who.get(known, "")]
    return said
