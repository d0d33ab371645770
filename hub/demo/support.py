"""Demo support: tickets at every stage with their threads, two published FAQs and a ready answer."""

import random
from collections.abc import Callable, Sequence
from datetime import timedelta

from sqlalchemy import delete, select, update

from crm import clock
from crm.db import db
from crm.engine import records
from crm.engine.channels import Channel
from crm.engine.outbox import Job
from crm.engine.registry import modules
from crm.engine.rows import labels_of
from crm.identity import viewers
from crm.identity.viewer import SYSTEM, Viewer
from crm.modules.tickets import commenting
from crm.modules.tickets.commenting import Author
from hub.demo import portal

TICKETS = (  # title, what the customer wrote, priority, status, days ago, then (who, visibility, words)
    ("The door of the phone booth squeaks", "Every time somebody goes in, the whole floor looks up.", "Normal", "In Progress", 2, (
        ("staff", "public", "Thank you for telling us. Which booth is it, and on which floor?"),
        ("customer", "public", "The one beside the kitchen, third floor."),
        ("staff", "internal", "Same hinge as in the Turku delivery. Take two spare ones along."),
    )),
    ("Panels arrived in the wrong green", "We ordered moss and got mint.", "High", "Wait For Response", 4, (
        ("staff", "public", "That is our mistake. Would Thursday morning suit you for the exchange?"),
    )),
    ("The ventilation does not start", "The light is on, the fan is silent.", "Urgent", "Open", 0, ()),
    ("How often must the felt be cleaned", "Our cleaners ask.", "Low", "Closed", 20, (
        ("staff", "public", "Vacuum it once a month; wash nothing. There is a page on it in our knowledge base now."),
        ("customer", "public", "Perfect, thank you."),
    )),
    ("Can a booth be moved without you", "We are moving to the second floor in spring.", "Normal", "Open", 1, ()),
)  # fmt: skip
WITH_LOG_IN = {0: 0, 1: 1, 3: 0}  # number of the ticket → which of those with a log-in of the portal wrote it
FAQS = (
    ("How often must the felt be cleaned?", "Once a month with a vacuum cleaner and a soft brush. Do not wash it: water loosens the glue."),
    ("Can we move a booth ourselves?", "Yes, on a level floor and with two people. Loosen the four feet, move it on the glides and level it again."),
)  # fmt: skip
READY = "Hello {$contact.first_name|there},\n\nplease switch the booth off at the wall for ten seconds and on again.\n\n{$user.name}"


def make(dice: random.Random, agents: Sequence[int], tell: Callable[[str], None]) -> None:
    """Make them all. Commits."""
    contacts = modules["contacts"].table
    said = select(contacts.c.id).where(
        contacts.c.email.is_not(None), contacts.c.account_id.is_not(None), contacts.c.deleted_at.is_(None)
    )
    people = list(db.session.scalars(said.order_by(contacts.c.id).limit(200)))
    staff = [one for one in (viewers.of_user(id) for id in agents) if one is not None]
    logged = portal.their_contacts()
    for number, (title, words, priority, status, days, thread) in enumerate(TICKETS):
        agent, contact_id = staff[number % len(staff)], dice.choice(people)
        if logged and number in WITH_LOG_IN:
            contact_id = logged[WITH_LOG_IN[number] % len(logged)]
        with clock.standing_at(clock.now() - timedelta(days=days, hours=3)):
            values = {
                "title": title, "description": words, "priority": priority, "contact_id": contact_id, "source": "email",
                "owner_id": agent.id,
            }  # fmt: skip
            id = records.create(SYSTEM, "tickets", values, Channel.SYSTEM)
        _talk(id, contact_id, agent, thread, days)
        _settle(id, status, days, agent)
    for question, answer in FAQS:
        values = {
            "question": question,
            "answer": answer,
            "status": "Published",
            "language": "en",
            "owner_id": agents[0],
        }
        records.create(SYSTEM, "faqs", values, Channel.SYSTEM)
    ready = {
        "name": "Switch it off and on",
        "kind": "template",
        "folder": "Tickets",
        "text": READY,
        "owner_id": agents[0],
    }
    records.create(SYSTEM, "email_templates", ready, Channel.SYSTEM)
    db.session.execute(delete(Job).where(Job.task == "tickets.tell"))  # it is long past: nobody need be told
    db.session.commit()
    tell(f"{len(TICKETS)} tickets, {len(FAQS)} published FAQs.")


def _talk(id: int, contact_id: int, agent: Viewer, thread: Sequence[tuple[str, str, str]], days: int) -> None:
    """The thread, an hour and a half between words. Nobody is mailed: it is long past."""
    for place, (who, visibility, words) in enumerate(thread):
        author = Author("staff", agent.name, agent.id)
        if who == "customer":
            author = Author("customer", labels_of(SYSTEM, [contact_id])[contact_id], contact_id=contact_id)
        with clock.standing_at(clock.now() - timedelta(days=days, hours=1.5 - place / 3)):
            commenting.put(id, author, {"text": words, "visibility": visibility})
            if who == "staff" and visibility == "public":
                commenting.is_answered({"id": id, "first_answer_at": None})


def _settle(id: int, status: str, days: int, agent: Viewer) -> None:
    """The status it has now, which nobody need be told of any more."""
    with clock.standing_at(clock.now() - timedelta(days=days, hours=0.5)):
        values = {"status": status} | ({"solution": "Vacuum once a month."} if status == "Closed" else {})
        records.update(SYSTEM, "tickets", id, values, Channel.SYSTEM)
    table = modules["tickets"].table
    db.session.execute(update(table).where(table.c.id == id).values(told_owner_id=agent.id, told_status=status))
