"""Demo service requests at every state, told by their own verbs at their own times, and cases that people work on together."""

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, func, select, update

from crm import clock
from crm.db import db
from crm.engine import records, relations
from crm.engine.channels import Channel
from crm.engine.outbox import Job
from crm.engine.registry import modules
from crm.identity import viewers
from crm.identity.viewer import SYSTEM, Viewer
from crm.modules.cases import opening
from crm.modules.groups import writing
from crm.modules.service_requests import accepting, categories, feedback, moving, notes, planning, steps, taking, types
from crm.modules.service_requests.lists import ENDED
from hub.demo import portal

UNIT = "Care and repairs"
PLACES = (
    ("Light and current", "Report an incident"),
    ("Doors and glass", "Report an incident"),
    ("Moving and change", "Request for change"),
)
QUIET, ASKS = False, True  # whether the category of a step asks for acceptance

# (title, words, place of the category, impact, urgency, days ago, taken by (None: waits in its unit), what happened)
STORY: tuple[tuple[str, str, int, str, str, float, int | None, tuple[tuple[Any, ...], ...]], ...] = (
    ("The light in booth 4 flickers", "It began after the cleaning on Friday. People get headaches.", 0, "3", "2", 9, 0, (
        ("response", QUIET, 3, "Thank you. We send a new driver for the lamp and come on Thursday."),
        ("task", "Order a lamp driver", True),
        ("final", ASKS, 40, "The driver is changed and the light has been steady for an hour of watching."),
        ("accept", 46), ("complete", 47), ("feedback", 60, 10, "Praise", "Quick, and they took the old part along."),
    )),
    ("The glass door does not close", "There is a gap of a finger at the top.", 1, "2", "2", 6, 1, (
        ("response", ASKS, 2, "We can level the frame on site. It takes an hour and costs nothing under your care plan. May we?"),
        ("accept", 5),
        ("temporary", ASKS, 26, "A wedge keeps the door shut until the new hinge is here."),
        ("refuse", 30, "The wedge falls out whenever somebody leans on the door."),
        ("note", 31, True, "Take the long wedge from the van, the short one is for the older model."),
    )),
    ("Sockets in the team room are dead", "All four of them, since this morning.", 0, "1", "1", 0.3, 1, (
        ("response", QUIET, 1, "An electrician of ours is on the way; he will be with you before three o'clock."),
        ("task", "Measure the circuit of the team room", False),
    )),
    ("Two more seats in the phone room", "Could the bench be made longer by two seats?", 2, "4", "4", 3, 0, (
        ("response", ASKS, 6, "Yes. The bench grows by 60 cm; price and drawing are in the offer we mailed you. Shall we order?"),
    )),
    ("The fan is loud at night", "The cleaners hear it two floors down.", 0, "3", "3", 12, 1, (
        ("response", QUIET, 4, "It may be the timer. We look at it on our next round on Tuesday."),
        ("final", ASKS, 70, "The timer ran on winter time. It is set now, and the fan stops at seven."),
        ("accept", 90), ("complete", 91), ("feedback", 100, 8, "Other", None),
    )),
    ("Moving three booths to the fourth floor", "We get the floor above at the end of next month.", 2, "2", "4", 2, None, ()),
    ("A panel came loose", "It hangs by two of its four clips.", 1, "3", "2", 1, None, ()),
    ("Wrong invoice address", "The last invoice went to our old street.", 2, "5", "3", 15, 0, (
        ("response", QUIET, 2, "Sorry about that. The address is changed and a new invoice is on its way."),
        ("final", QUIET, 3, "The new invoice was mailed today; the old one is void."),
        ("complete", 4), ("feedback", 20, 5, "Complaint", "Why did we have to tell you twice?"),
    )),
    ("Felt is torn at the corner", "About the size of a hand, beside the door.", 1, "4", "3", 5, 0, (
        ("response", QUIET, 8, "We bring a new piece of felt with us when we come for the light."),
        ("temporary", ASKS, 20, "The corner is covered with a strip of the same green."), ("accept", 22),
        ("final", ASKS, 60, "The felt is new on the whole side, so that the green is even."),
    )),
    ("The booth was ordered twice", "Please cancel this one.", 2, "5", "5", 8, 1, (("cancel", 1, "Duplicate", "Same as the one of Monday."),)),
    ("Key of the storage is missing", "It was in the envelope with the papers, said the driver.", 1, "3", "3", 4, 1, (
        ("response", QUIET, 5, "We look in the van and send a copy of the key in any case."),
        ("message", 9, "It is number 17, in case the lock matters."),
    )),
)  # fmt: skip
CASES = (  # title, description, tags, restricted, closed, tasks (subject, is done)
    ("Autumn seminar on quiet work", "Half a day in our showroom, sixty guests, a talk and a walk through the booths.", "seminar, autumn", False, False,
     (("Book the speaker", True), ("Order coffee for sixty", False), ("Print the name tags", False))),
    ("Fair in Tampere", "A stand of 24 square metres with two booths to sit in.", "fair, spring", False, True,
     (("Reserve the stand", True), ("Thank the visitors", True))),
    ("Merger of two customers", "Both companies asked us to keep it among few until it is public.", "confidential", True, False,
     (("Agree on one contract", False),)),
)  # fmt: skip


def make(dice: random.Random, agents: Sequence[int], tell: Callable[[str], None]) -> None:
    """Make them all. Commits."""
    people = _people()
    unit = writing.create_group(SYSTEM, {"name": UNIT}, [("user", id) for id in agents])
    staff = [one for one in (viewers.of_user(id) for id in agents) if one is not None]  # members by now
    places = [
        records.create(
            SYSTEM, "sr_categories", {"name": name, "tree": "request", "classification": said}, Channel.SYSTEM
        )
        for name, said in PLACES
    ]
    records.update(SYSTEM, "sr_types", types.default()["id"], {"unit_id": unit}, Channel.SYSTEM)
    for number, (title, words, place, impact, urgency, days, agent, happened) in enumerate(STORY):
        begun = clock.now() - timedelta(days=days)
        with clock.standing_at(begun):
            values = {
                "title": title, "description": words, "category_id": places[place], "impact": impact, "urgency": urgency,
                "contact_id": people[number % 2] if number < 4 else dice.choice(people), "owner_id": unit,
            }  # fmt: skip
            id = records.create(SYSTEM, "service_requests", values, Channel.SYSTEM)
            if agent is not None:
                taking.take(staff[agent % len(staff)], id, Channel.SYSTEM)
        for one in happened:
            _happen(id, staff[(agent or 0) % len(staff)], begun, one)
    _relate()
    _settle()
    for number, case in enumerate(CASES):
        _case(staff[number % len(staff)], case, dice.sample(people, min(5, len(people))))
    db.session.execute(
        delete(Job).where(Job.task.startswith("service_requests."))
    )  # it is long past: nobody need be told
    db.session.execute(delete(Job).where(Job.task == "cases.tell"))
    db.session.commit()
    tell(f"{len(STORY)} service requests, {len(CASES)} cases.")


def _people() -> list[int]:
    """Contacts who ask: those with a log-in of the portal first, so that they have something to see."""
    contacts = modules["contacts"].table
    said = select(contacts.c.id).where(
        contacts.c.email.is_not(None), contacts.c.account_id.is_not(None), contacts.c.deleted_at.is_(None)
    )
    logged = portal.their_contacts()
    return logged + [id for id in db.session.scalars(said.order_by(contacts.c.id).limit(200)) if id not in logged]


@contextmanager
def _at(begun: Any, hours: float) -> Iterator[None]:
    with clock.standing_at(min(begun + timedelta(hours=hours), clock.now())):
        yield


def _happen(id: int, agent: Viewer, begun: Any, one: tuple[Any, ...]) -> None:
    """One thing of the story, by the verb that people use."""
    table = modules["service_requests"].table
    contact: int = db.session.execute(select(table.c.contact_id).where(table.c.id == id)).scalar_one()
    match one:
        case ("response" | "temporary" | "final" as step, bool(asks), hours, text):
            with _at(begun, hours):
                moving.take_step(agent, id, step, {"text": text, "category_id": _category(step, asks)}, Channel.SYSTEM)
        case ("accept", hours):
            with _at(begun, hours):
                accepting.accept(steps.newest(id)["id"], contact, "link")
        case ("refuse", hours, reason):
            with _at(begun, hours):
                accepting.refuse(steps.newest(id)["id"], reason, contact_id=contact)
        case ("complete", hours):
            with _at(begun, hours):
                moving.complete(agent, id, Channel.SYSTEM)
        case ("cancel", hours, reason, note):
            with _at(begun, hours):
                moving.cancel(agent, id, Channel.SYSTEM, reason, note)
        case ("feedback", hours, rate, kind, comment):
            with _at(begun, hours):
                feedback.give(id, contact, {"rate": str(rate), "classification": kind, "comment": comment or ""})
        case ("note", hours, bool(is_internal), text):
            with _at(begun, hours):
                notes.say(agent, id, text, is_internal=is_internal)
        case ("message", hours, text):
            with _at(begun, hours):
                row = {"request_id": id, "at": clock.now(), "contact_id": contact, "text": text, "is_internal": False}
                records.create(SYSTEM, "sr_notes", row, Channel.SYSTEM)
        case ("task", subject, bool(is_done)):
            day = clock.today(clock.site_zone()) + timedelta(days=2)
            task = planning.plan(
                agent, id, {"activity_type": "Task", "subject": subject, "due_on": day}, Channel.SYSTEM
            )
            if is_done:
                records.update(SYSTEM, "activities", task, {"status": "Completed"}, Channel.SYSTEM)


def _category(step: str, asks: bool) -> int:
    """A seeded category of the step that asks for acceptance, or one that does not, as far as there is one."""
    found = categories.choosable(step)
    return next((one.id for one in found if bool(one.requires_acceptance) is asks), found[0].id)


def _relate() -> None:
    """The torn felt is mended on the same visit as the light."""
    table = modules["service_requests"].table
    pair = [
        db.session.execute(select(table.c.id).where(table.c.title == STORY[place][0])).scalar_one() for place in (8, 0)
    ]
    relations.link(SYSTEM, "service_requests", pair[0], "related", pair[1:], Channel.SYSTEM)


def _settle() -> None:
    """Warnings that were due in the past are taken for given, so that no worker mails them now."""
    table, now = modules["service_requests"].table, clock.now()
    past = table.c.state.not_in(ENDED) & (table.c.alert_at <= now)
    late = func.coalesce(table.c.due_at < now, False)
    db.session.execute(update(table).where(past).values(alert_at=None, alerted=100, overdue=late))


def _case(agent: Viewer, case: tuple[Any, ...], people: Sequence[int]) -> None:
    """A case with its participants and tasks."""
    title, words, tags, is_restricted, is_closed, tasks = case
    values = {
        "title": title, "description": words, "tags": tags, "restricted": is_restricted, "notify": False, "owner_id": agent.id,
    }  # fmt: skip
    id = records.create(agent, "cases", values, Channel.SYSTEM)
    relations.link(SYSTEM, "cases", id, "participants", list(people), Channel.SYSTEM)
    if is_restricted and agent.id is not None:
        opening.choose(agent, id, [agent.id], Channel.SYSTEM)
    day = clock.today(clock.site_zone()) + timedelta(days=10)
    for subject, is_done in tasks:
        said = {"activity_type": "Task", "subject": subject, "due_on": day, "owner_id": agent.id}
        task = records.create(SYSTEM, "activities", said, Channel.SYSTEM)
        relations.link(SYSTEM, "cases", id, "activities", [task], Channel.SYSTEM)
        if is_done:
            records.update(SYSTEM, "activities", task, {"status": "Completed"}, Channel.SYSTEM)
    if is_closed:
        records.update(SYSTEM, "cases", id, {"closed": True}, Channel.SYSTEM)
