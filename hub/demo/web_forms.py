"""A demo website form: somebody asks for a visit. Its submissions went through the same doors as those of visitors."""

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from sqlalchemy import insert

from crm import clock
from crm.db import db
from crm.engine import records
from crm.engine.channels import Channel
from crm.identity.viewer import SYSTEM
from web_tracking.forms import designing, keeping, making
from web_tracking.forms.design import load
from web_tracking.forms.reading import Typed, Way
from web_tracking.forms.tables import FormCount

PEOPLE = (
    ("Outi", "Lehtinen", "Lehtinen Design"), ("Pekka", "Salo", "Salo & Pojat"), ("Hanna", "Wikström", "Norrbo Ab"),
    ("Jari", "Koivisto", "Koivisto Logistics"), ("Emma", "Rautio", "Rautio Oy"), ("Antti", "Nieminen", "Studio Nieminen"),
    ("Sofia", "Lund", "Lund Consulting"), ("Ville", "Hakala", "Hakala Engineering"), ("Laura", "Jokinen", "Jokinen Media"),
)  # fmt: skip
WISHES = (
    "Could you show us two quiet rooms for an office of 40 people?", "We move in March and need phone booths.",
    "What does a meeting pod for six cost, delivered?", "Please call me about acoustics in an open office.",
)  # fmt: skip
CAME = (
    Way("kaisla.example/contact", "", "newsletter", "email", "autumn"), Way("kaisla.example/pods", "www.search.example"),
    Way("kaisla.example/contact", "", "fair", "qr", "office-days"), Way("kaisla.example/contact"),
)  # fmt: skip


def make(dice: random.Random, owner: int, tell: Callable[[str], None]) -> None:
    """Make the form, a month of views, and its submissions."""
    form = records.create(
        SYSTEM, "website_forms",
        {"name": "Ask for a visit", "entity": "leads", "title": "We come and listen to your office", "owner_id": owner,
         "intro": "Tell us where you work. We call within one working day.", "button": "Ask for a visit", "language": "en",
         "thanks": "We call you within one working day.", "consent_text": "You may send me your newsletter. I can stop it at any time."},
        Channel.SYSTEM,
    )  # fmt: skip
    designing.add_usual(SYSTEM, form)
    designing.add_field(SYSTEM, form, "industry")
    designing.translate(
        SYSTEM, form, "fi",
        {"title": "Tulemme kuuntelemaan toimistoasi", "intro": "Kerro, missä työskentelet. Soitamme yhden työpäivän kuluessa.",
         "button": "Pyydä käynti", "thanks": "Soitamme yhden työpäivän kuluessa.",
         "consent_text": "Minulle saa lähettää uutiskirjeen. Voin perua sen milloin vain."}, {},
    )  # fmt: skip
    designing.add_variant(SYSTEM, form, {"title": "How loud is your office?", "left_out": ["phone", "industry"]})
    for place, (first, last, company) in enumerate(PEOPLE):
        said: dict[str, Any] = {
            "first_name": first, "last_name": last, "company": company, "email": f"{first.lower()}@{last.lower().translate(PLAIN)}.example",
            "description": dice.choice(WISHES), "industry": "Furniture" if place == 4 else "Consulting",
        }  # fmt: skip
        _send(form, said, dice.choice(CAME), dice.choice("AB"), 28 - 3 * place, dice.random() < 0.6)
    robot = {"last_name": "Winner", "email": "prize@spam.example", "description": "You have won. https://spam.example"}
    _send(form, robot, Way(), "A", 4, False, "Filled in the field that people do not see")
    _send(
        form, {"first_name": "Nameless", "last_name": "Caller"}, Way(), "A", 2, False
    )  # no address, no company: fails
    _count(dice, form)
    db.session.commit()
    tell("1 website form with submissions and a variant.")


PLAIN = str.maketrans("äöå", "aoa")


def _send(form: int, said: dict[str, Any], way: Way, letter: str, days: int, agrees: bool, suspicion: str = "") -> None:
    """One submission, some days ago."""
    with clock.standing_at(clock.now() - timedelta(days=days, hours=days % 7)):
        design, typed = load(form, "en", letter), Typed(said, agrees)
        made = keeping.keep(
            design, typed, way, keeping.once_of(design, typed, "demo"), variant=letter, suspicion=suspicion, agent="Firefox",
            ip="198.51.100.0",
        )  # fmt: skip
        if made is not None:
            making.make(None, made)


def _count(dice: random.Random, form: int) -> None:
    today = clock.today(clock.site_zone())
    rows = [
        {"form_id": form, "day": today - timedelta(days=day), "variant": letter, "what": what, "count": count}
        for day in range(30)
        for letter in "AB"
        for what, count in (("views", dice.randrange(6, 16)), ("sent", dice.choice((0, 0, 0, 1)) if letter == "A" else dice.choice((0, 0, 1, 1))))
        if count
    ]  # fmt: skip
    db.session.execute(insert(FormCount), rows)
