"""Demo surveys: one in two languages about the show room, with answers from some of the contacts, and one for everybody."""

import random
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from crm import clock
from crm.db import db
from crm.engine import records
from crm.engine.channels import Channel
from crm.identity.viewer import SYSTEM
from surveys import answering, designing, forms, links
from surveys.design import load

OPTIONS = [
    {"value": "booths", "label": "Phone booths", "labels": {"fi": "Puhelinkopit"}},
    {"value": "pods", "label": "Meeting pods", "labels": {"fi": "Neuvottelutilat"}},
    {"value": "panels", "label": "Acoustic panels", "labels": {"fi": "Akustiikkapaneelit"}},
]
QUESTIONS: tuple[tuple[dict[str, Any], ...], ...] = (
    (
        {"name": "recommend", "kind": "nps", "required": True,
         "title": "How likely are you to recommend us to a colleague?", "fi": "Kuinka todennäköisesti suosittelisit meitä kollegalle?",
         "settings": {"low_label": "Not at all", "high_label": "Very"}},
        {"name": "why", "kind": "area", "title": "What should we do better?", "fi": "Mitä meidän pitäisi tehdä paremmin?",
         "visible_if": {"$lte": ["recommend", 6]}},
    ),
    (
        {"name": "seen", "kind": "checkboxes", "title": "What did you try?", "fi": "Mitä kokeilit?", "options": OPTIONS},
        {"name": "service", "kind": "rating", "title": "How was our service?", "fi": "Millaista palvelumme oli?"},
        {"name": "title", "kind": "text", "title": "Your title", "fi": "Tehtävänimikkeesi",
         "mapping": {"module": "contacts", "field": "title", "direction": "both"}},
    ),
)  # fmt: skip
WORDS = (
    "Answer the phone sooner.",
    "The booth was warm after ten minutes.",
    "Show more colours of the felt.",
    "Parking was hard to find.",
)


def make(dice: random.Random, owner: int, contacts: Sequence[int], tell: Callable[[str], None]) -> None:
    """Make the surveys and their answers; the caller commits nothing more."""
    survey = records.create(
        SYSTEM, "surveys",
        {"name": "Visit to the show room", "kind": "crm", "language": "en", "languages": ["fi"], "owner_id": owner,
         "title": "How was your visit?", "intro": "<p>Four questions, two minutes. Thank you for helping us.</p>",
         "completion_message": "Thank you. We read every answer."}, Channel.SYSTEM,
    )  # fmt: skip
    for questions in QUESTIONS:
        page = designing.add_page(SYSTEM, survey)
        for said in questions:
            values = {key: value for key, value in said.items() if key != "fi"}
            designing.add_question(SYSTEM, survey, page, values | {"translations": {"fi": {"title": said["fi"]}}})
    designing.translate(
        SYSTEM, survey, "fi",
        {"title": "Millainen vierailusi oli?", "intro": "<p>Neljä kysymystä, kaksi minuuttia. Kiitos avustasi.</p>",
         "completion_message": "Kiitos. Luemme jokaisen vastauksen."},
    )  # fmt: skip
    records.update(SYSTEM, "surveys", survey, {"status": "active"}, Channel.SYSTEM)
    _answer(dice, survey, dice.sample(list(contacts), min(120, len(contacts))))
    _make_public(owner)
    db.session.commit()
    tell("2 surveys, one of them with answers.")


def _answer(dice: random.Random, survey: int, people: Sequence[int]) -> None:
    """Two of three people who were asked answer, some weeks ago."""
    design, now = load(survey), clock.now()
    for person in people:
        with clock.standing_at(now - timedelta(days=dice.randint(2, 40), minutes=dice.randint(0, 600))):
            invitation = links.invitation_of(survey, person, "mail")
            if dice.random() < 0.35:
                continue
            score = dice.choices(range(11), (1, 1, 1, 2, 2, 4, 6, 12, 20, 18, 12))[0]
            typed = {"q.recommend": [str(score)], "q.service": [str(dice.choices(range(1, 6), (1, 2, 6, 14, 10))[0])],
                     "q.seen": dice.sample([one["value"] for one in OPTIONS], dice.randint(1, 3))}  # fmt: skip
            if score <= 6 and dice.random() < 0.6:
                typed["q.why"] = [dice.choice(WORDS)]
            answers = forms.read(forms.Form(design), typed)
            answering.store(SYSTEM, survey, answers, person, "mail", invitation_id=invitation)


def _make_public(owner: int) -> None:
    survey = records.create(
        SYSTEM, "surveys",
        {"name": "Feedback from the web site", "kind": "crm", "owner_id": owner, "title": "Tell us what you think", "public": True,
         "public_match_field": "email", "language": "en"}, Channel.SYSTEM,
    )  # fmt: skip
    page = designing.add_page(SYSTEM, survey)
    for values in (
        {"name": "words", "kind": "area", "title": "Your feedback", "required": True},
        {"name": "email", "kind": "email", "title": "Your e-mail, if you want an answer"},
    ):
        designing.add_question(SYSTEM, survey, page, values)
    records.update(SYSTEM, "surveys", survey, {"status": "active"}, Channel.SYSTEM)
