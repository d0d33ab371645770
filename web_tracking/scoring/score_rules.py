"""Score rules: how many points an event is worth, to whom, how often it counts and how fast it fades."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from sqlalchemy.orm import Mapped

from crm.engine import fields as f
from crm.engine.conditions import BadCondition, check, where
from crm.engine.fields import Choice, PicklistSeed
from crm.engine.module import Block, Filter, Module
from crm.engine.record import Record
from crm.engine.refusals import Fault
from crm.engine.registry import modules
from crm.modules.events.lists import EVENTS
from crm.modules.rules import after
from crm.words import _

KINDS = PicklistSeed.of(
    "score_event", "What is scored",
    Choice("mail_opened", "Opened a mail"), Choice("mail_clicked", "Followed a link in a mail"), Choice("page", "Saw a page"),
    Choice("download", "Downloaded a file"), Choice("site_event", "Event of the site"), Choice("form", "Sent a website form"),
    Choice("outside_form", "Sent a form of another site"), Choice("registered", "Registered for an event"),
    Choice("attended", "Came to an event"), Choice("ticket", "Made a ticket"), Choice("survey", "Answered a survey"),
    Choice("survey_score", "Gave a number in a survey"),
)  # fmt: skip
PEOPLE = PicklistSeed.of("score_people", "Whose", Choice("contacts", "Contacts"), Choice("leads", "Leads"))
ASKS = {  # field → the kinds that it says something of
    "tracked_page_id": {"page"}, "website_form_id": {"form"}, "event_id": {"registered", "attended"},
    "survey_id": {"survey", "survey_score"}, "least": {"survey_score"}, "most": {"survey_score"},
    "pattern": {"page", "download", "site_event", "mail_clicked", "survey_score"},
}  # fmt: skip
OWN = {"score", "score_grade"}


class ScoreRule(Record):
    """One rule. `source`: whose events count (empty: of contacts and leads). `problem`: why it is skipped."""

    __tablename__ = "score_rules"
    name: Mapped[str] = f.text("Name", max=120, help="Whoever asks for their data reads it")
    active: Mapped[bool] = f.checkbox("Active", default=True)
    kind: Mapped[str] = f.picklist("What is scored", "score_event", mass_edit=False)
    points: Mapped[int] = f.whole("Points", least=-1000, most=1000, default=5)
    once_a_day: Mapped[bool] = f.checkbox("Once a day at most")
    most_points: Mapped[int | None] = f.whole("At most so many points", least=1, most=10_000)
    half_life_days: Mapped[int | None] = f.whole(
        "Days until half is left", least=1, most=3650, help="Empty: as all rules; a large number hardly fades"
    )
    pattern: Mapped[str | None] = f.text(
        "Only", max=300, help="Of pages, files, links, events: its beginning, a star stands for anything; of numbers in surveys: the question's name",
    )  # fmt: skip
    tracked_page_id: Mapped[int | None] = f.link("Followed page", to="tracked_pages")
    website_form_id: Mapped[int | None] = f.link("Website form", to="website_forms")
    event_id: Mapped[int | None] = f.link("Event", to=EVENTS)
    survey_id: Mapped[int | None] = f.link("Survey", to="surveys")
    least: Mapped[Decimal | None] = f.number("Number at least", scale=2)
    most: Mapped[Decimal | None] = f.number("Number at most", scale=2)
    source: Mapped[str | None] = f.picklist("Whose", "score_people", mass_edit=False)
    conditions: Mapped[dict[str, Any] | None] = f.conditions("Only people with", about="contacts")
    problem: Mapped[str | None] = f.text("Why it is skipped", max=500, read_only=True)


def keys_of(said: Mapping[str, Any]) -> tuple[str, ...]:
    """The modules whose people a rule is about."""
    return (said["source"],) if said.get("source") else ("contacts", "leads")


def problem_of(said: Mapping[str, Any]) -> dict[str, str]:
    """What stands against using a rule: field → sentence. What it names may be gone by now."""
    if said.get("kind") not in {choice.key for choice in KINDS.choices}:
        return {"kind": _("Nothing is known of events of this kind.")}
    if said.get("conditions"):
        if OWN & set(_words(said["conditions"])):
            return {"conditions": _("A score cannot depend on itself. Take score and warmth out of the condition.")}
        for key in keys_of(said):
            try:
                check(said["conditions"], modules[key])
            except BadCondition as bad:
                return {"conditions": f"{_(modules[key].plural)}: {bad}"[:480]}
    return {}


def _words(tree: Any) -> Iterator[str]:
    if isinstance(tree, str):
        yield tree
    elif isinstance(tree, Mapping):
        for key, value in tree.items():
            yield str(key)
            yield from _words(value)
    elif isinstance(tree, list | tuple):
        for one in tree:
            yield from _words(one)


def _only_what_fits(values: Mapping[str, Any], old: Mapping[str, Any] | None) -> dict[str, Fault]:
    """What is said fits the kind; points are some; the condition holds for those whom it is about."""
    then = after(values, old)
    faults = {name: Fault("bad_rule", said) for name, said in problem_of(then).items() if name in values or old is None}
    for name, kinds in ASKS.items():
        if then.get(name) is not None and then.get("kind") not in kinds and (name in values or "kind" in values):
            faults.setdefault(name, Fault("not_of_kind", _("This says nothing of what is scored. Leave it empty.")))
    if then.get("points") == 0:
        faults["points"] = Fault("bad_value", _("A rule gives points, or takes some."))
    if then.get("least") is not None and then.get("most") is not None and then["least"] > then["most"]:
        faults["most"] = Fault("bad_value", _("This is below the number that it is at least."))
    return faults


def _works_again(values: Mapping[str, Any], old: Mapping[str, Any] | None) -> dict[str, Any]:
    """A rule that was repaired is no longer flagged."""
    return {"problem": None} if old and old.get("problem") and {"kind", "source", "conditions"} & values.keys() else {}


MODULE = Module(
    ScoreRule,
    label="Score rule",
    plural="Score rules",
    icon="flame",
    columns=("name", "kind", "points", "once_a_day", "most_points", "half_life_days", "active", "problem"),
    facts=("active", "kind", "points", "problem"),
    form=(
        Block("Rule", ("name", "kind", "points", "active", "owner_id")),
        Block("How often it counts", ("once_a_day", "most_points", "half_life_days")),
        Block("Which events", (
            "pattern", "tracked_page_id", "website_form_id", "event_id", "survey_id", "least", "most",
        )),
        Block("Whose", ("source", "conditions", "problem")),
    ),
    in_search=False,
    search=("name",),
    sort=("name",),
    filters=(Filter("skipped", "Skipped", where("problem", "is not empty")),),
    picklists=(KINDS, PEOPLE),
    derives=(_works_again,),
    checks=(_only_what_fits,),
    keeps={
        "tracked_pages": "tracked_page_id", "website_forms": "website_form_id", "surveys": "survey_id",
        "mass_events": "event_id", "invitation_events": "event_id",
    },
    areas={"create": "ecp_admin", "edit": "ecp_admin", "delete": "ecp_admin"},
    importable=False,
    in_ecp=True,
)  # fmt: skip
