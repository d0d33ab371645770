"""Surveys for tests: `ask(…)` makes one with its questions, `visitor` is a browser without scripts on the public addresses."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from crm import clock
from crm.db import db
from crm.engine import records
from crm.engine.channels import Channel
from crm.identity.viewer import SYSTEM
from crm.ui import public_face, public_forms
from hub.public import create_public_app
from surveys import answering, designing, links
from surveys.design import load
from surveys.modules.survey_responses import SurveyResponse
from tests.apps import Browser

AB = [{"value": "a", "label": "Apple"}, {"value": "b", "label": "Banana"}, {"value": "c", "label": "Cherry"}]


@dataclass
class Asked:
    """A survey: its id and pages, and what tests do with it."""

    id: int
    pages: list[int] = field(default_factory=list)
    questions: dict[str, int] = field(default_factory=dict)

    def set(self, **values: Any) -> None:
        records.update(SYSTEM, "surveys", self.id, values, Channel.SYSTEM)
        db.session.commit()

    def invite(self, person: int, **more: Any) -> str:
        """The path of a personal link."""
        address = links.invite(self.id, person, **more)
        db.session.commit()
        return address[address.index("/s/") :]

    @property
    def public(self) -> str:
        return links.public_address(self.id)[links.public_address(self.id).index("/s/") :]

    def responses(self, status: str = "complete") -> list[Any]:
        db.session.expire_all()
        table = SurveyResponse.__table__
        said = select(table).where(table.c.survey_id == self.id, table.c.status == status).order_by(table.c.id)
        return list(db.session.execute(said).mappings())

    def answers(self, place: int = -1) -> dict[str, Any]:
        """The values of one response, the newest by default."""
        return answering.values_of(load(self.id), self.responses()[place]["id"])


def make_survey(*pages: list[dict[str, Any]], **values: Any) -> Asked:
    """A survey with these pages of questions, active unless said otherwise."""
    status = values.pop("status", "active")
    id = records.create(SYSTEM, "surveys", {"name": "Feedback"} | values, Channel.SYSTEM)
    made = Asked(id)
    for questions in pages:
        made.pages.append(designing.add_page(SYSTEM, id))
        for question in questions:
            said = {"title": str(question.get("name", "Question")).capitalize()} | question
            made.questions[said.get("name", "")] = designing.add_question(SYSTEM, id, made.pages[-1], said)
    if status != "draft":
        records.update(SYSTEM, "surveys", id, {"status": status}, Channel.SYSTEM)
    db.session.commit()
    return made


@pytest.fixture
def ask(session: Any) -> Callable[..., Asked]:
    return make_survey


@pytest.fixture
def person(session: Any) -> int:
    """Anna, a contact."""
    values = {"first_name": "Anna", "last_name": "Aalto", "email": "anna@example.com", "may_measure_opens": "yes"}
    id = records.create(SYSTEM, "contacts", values, Channel.SYSTEM)
    db.session.commit()
    return id


def forget_limits() -> None:
    from surveys.web import public

    for limiter in (
        public_face.READS, public_face.READS_OF_TOKEN, public_face.WRITES, public_face.WRITES_OF_TOKEN, public_face.MISSES,
        public_forms.POSTS, public_forms.POSTS_AFTER_TOKEN, public_forms.POSTS_OF_EMAIL, public.POSTS_OF_LINK,
        public.FILES_OF_SOURCE,
    ):  # fmt: skip
        limiter.forget()


@pytest.fixture
def visitor(app: Any) -> Any:
    """A client of the public addresses."""
    forget_limits()
    made = create_public_app(app.config["CUSTOMERHUB"])
    made.testing = True
    made.test_client_class = Browser
    return made.test_client()


@pytest.fixture
def portal_allows(session: Any) -> int:
    """A portal that shows public surveys."""
    values = {"name": "Portal", "code": "tests", "kind": "self_service", "active": True, "public_survey_enabled": True}
    id = records.create(SYSTEM, "portals", values, Channel.SYSTEM)
    db.session.commit()
    return id


def hidden(text: str, name: str) -> str:
    """The value of a hidden input of a page."""
    found = re.search(rf'name="{re.escape(name)}" value="([^"]*)"', text)
    assert found, f"no input {name}"
    return found[1]


def later(**delta: float) -> Any:
    """A clock that stands some time after now."""
    return clock.standing_at(clock.now() + timedelta(**delta))
