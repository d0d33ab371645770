"""Demo events: a training that is over, with who came, and a fair ahead with sub-events, spare places and planned mails."""

import random
from collections.abc import Callable, Sequence
from datetime import timedelta
from zoneinfo import ZoneInfo

from crm import clock
from crm.db import db
from crm.engine import records
from crm.engine.channels import Channel
from crm.identity import viewers
from crm.modules.events import attendance, kinds, seats, standings, typical
from crm.modules.events.event_times import set_times
from hub.demo import portal

ZONE = "Europe/Helsinki"


def make(dice: random.Random, organiser: int, contacts: Sequence[int], tell: Callable[[str], None]) -> None:
    """Make both, with people who registered on different days. Commits."""
    viewer = viewers.of_user(organiser)
    if viewer is None:
        raise RuntimeError("The demo organiser may not log in.")
    tell("Making demo events …")
    today = clock.now().astimezone(ZoneInfo(ZONE)).replace(hour=9, minute=0, second=0, microsecond=0)
    guests = dice.sample(list(contacts), min(len(contacts), 90))

    values = {
        "name": "Training: sound in open offices", "seats": 24, "spare_places": 6, "location": "Kaisla, Rantakatu 1, Helsinki",
        "public": True, "portal_visible": True, "description": "<p>Two mornings with our acousticians.</p>", "time_zone": ZONE,
    }  # fmt: skip
    training = records.create(viewer, "invitation_events", values, Channel.FORM)
    first = today - timedelta(days=9)
    times = [
        {
            "subject": f"Morning {n + 1}",
            "starts_at": first + timedelta(days=n),
            "ends_at": first + timedelta(days=n, hours=3),
        }
        for n in range(2)
    ]
    set_times(viewer, training, times, Channel.FORM)
    regulars = portal.their_contacts()  # the first has been to the training; the last comes to the fair
    for n, guest in enumerate([*regulars[:1], *guests[:28]]):
        with clock.standing_at(first - timedelta(days=30 - n, hours=dice.randrange(8))):
            seats.register(viewer, training, guest, "crm", Channel.FORM, tells=False)
    joined = [id for id, status in standings.attending(training) if status == "joined"]
    with clock.standing_at(first + timedelta(minutes=5)):
        attendance.mark(viewer, training, joined[:-3], "attended", Channel.FORM)
        attendance.missing(viewer, training, Channel.FORM)
    db.session.commit()

    begin = today + timedelta(days=24)
    values = {
        "name": "Open house: quiet rooms", "status": "published", "starts_at": begin, "ends_at": begin + timedelta(hours=8), "capacity": 50,
        "spare_capacity": 10, "public_form": True, "location": "Kaisla, Rantakatu 1, Helsinki", "category": "Seminar", "time_zone": ZONE,
        "description": "<p>See, sit in and listen to the rooms of next year.</p>",
    }  # fmt: skip
    fair = records.create(viewer, "mass_events", values, Channel.FORM)
    part = {"name": "Lunch by the river", "parent_id": fair, "status": "published", "starts_at": begin + timedelta(hours=3), "time_zone": ZONE,
            "ends_at": begin + timedelta(hours=4), "capacity": 12, "spare_capacity": 4}  # fmt: skip
    dinner = records.create(viewer, "mass_events", part, Channel.FORM)
    typical.make_set(viewer, fair, Channel.FORM)
    for n, guest in enumerate(guests[28:86]):
        with clock.standing_at(today - timedelta(days=20 - n // 3, hours=dice.randrange(8))):
            parts = [dinner] if dice.random() < 0.3 else []
            seats.register(viewer, fair, guest, "crm", Channel.FORM, sub_event_ids=parts, tells=False)
    for id, _status in standings.attending(fair)[5:9]:
        seats.cancel(viewer, id, Channel.FORM, tells=False)
    for guest in regulars[-1:]:
        with clock.standing_at(today - timedelta(days=2)):
            seats.register(viewer, fair, guest, "portal", Channel.FORM, sub_event_ids=[dinner], tells=False)
    for role, guest in zip(("Host", "Speaker", "Helper"), guests[86:], strict=False):
        records.create(viewer, "event_personnel", {"event_id": fair, "contact_id": guest, "role": role}, Channel.FORM)
    db.session.commit()
    taken = standings.standing_of([training, fair, dinner])
    tell(
        f"2 events: {kinds.load(training).name} ({taken[training].taken} people), {kinds.load(fair).name} ({taken[fair].taken})."
    )
