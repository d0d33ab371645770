"""Which responses of a survey are looked at, and when so few are left that they would tell who answered.

Anonymous surveys show nothing below five answers, and no group of fewer than five.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import func, select

from crm.db import db
from crm.engine.registry import modules
from surveys.answering import RESPONSES
from surveys.design import Design

LEAST = 5  # answers before an anonymous survey, or a group in it, is shown


@dataclass(frozen=True)
class Cut:
    """Which responses are looked at; None: no narrowing."""

    first: date | None = None
    last: date | None = None
    language: str | None = None
    sendout_id: int | None = None
    campaign_id: int | None = None
    subject_id: int | None = None
    account_id: int | None = None
    edition: int | None = None
    source: str | None = None

    def conditions(self, survey_id: int) -> list[Any]:
        """As conditions on responses."""
        c = RESPONSES.c
        found = [c.survey_id == survey_id, c.status == "complete"]
        for column, value in (
            (c.language, self.language), (c.sendout_id, self.sendout_id), (c.subject_id, self.subject_id),
            (c.edition, self.edition), (c.source, self.source),
        ):  # fmt: skip
            if value is not None:
                found.append(column == value)
        if self.first is not None:
            found.append(c.completed_on >= self.first)
        if self.last is not None:
            found.append(c.completed_on <= self.last)
        if self.campaign_id is not None:
            mails = modules["sendouts"].table
            found.append(c.sendout_id.in_(select(mails.c.id).where(mails.c.campaign_id == self.campaign_id)))
        if self.account_id is not None:
            people = modules["contacts"].table
            found.append(c.person_id.in_(select(people.c.id).where(people.c.account_id == self.account_id)))
        return found

    @property
    def is_whole(self) -> bool:
        return self == Cut()


def response_count(design: Design, cut: Cut | None = None) -> int:
    """How many complete responses there are."""
    said = select(func.count()).select_from(RESPONSES).where(*(cut or Cut()).conditions(design.id))
    return int(db.session.execute(said).scalar_one())


def is_withheld(design: Design, count: int) -> bool:
    """Whether results of so many answers would tell who gave them."""
    return bool(design.row["anonymous"]) and count < LEAST


def may_be_cut(design: Design, cut: Cut) -> bool:
    """Whether results of an anonymous survey may be narrowed so: by one of way, language or edition, and only where the
    groups that stay hidden hold nobody, or so many that nobody can be told by subtraction. Periods and people never."""
    if cut.is_whole or not design.row["anonymous"]:
        return True
    named = [name for name in ("language", "edition", "source") if getattr(cut, name) is not None]
    if len(named) != 1 or cut != Cut(**{named[0]: getattr(cut, named[0])}):
        return False
    column = RESPONSES.c[named[0]]
    said = select(column, func.count()).where(*Cut().conditions(design.id)).group_by(column)
    counts = {row[0]: row[1] for row in db.session.execute(said)}
    hidden = sum(count for count in counts.values() if count < LEAST)
    return counts.get(getattr(cut, named[0]), 0) >= LEAST and (hidden == 0 or hidden >= LEAST)


def found_in(design: Design) -> dict[str, list[Any]]:
    """What the responses can be narrowed by: the values that occur, at most 200 of each; of anonymous surveys few."""
    names = ["language", "edition", "source"] + ([] if design.row["anonymous"] else ["sendout_id", "subject_id"])
    found = {}
    for name in names:
        column = RESPONSES.c[name]
        said = (
            select(column)
            .where(*Cut().conditions(design.id), column.is_not(None))
            .distinct()
            .order_by(column)
            .limit(200)
        )
        found[name] = list(db.session.execute(said).scalars())
    mails, people = modules["sendouts"].table, modules["contacts"].table
    if not design.row["anonymous"]:
        said = select(mails.c.campaign_id).where(mails.c.id.in_(found["sendout_id"]), mails.c.campaign_id.is_not(None))
        found["campaign_id"] = list(db.session.execute(said.distinct()).scalars())
        theirs = select(people.c.account_id).join(RESPONSES, RESPONSES.c.person_id == people.c.id)
        said = theirs.where(*Cut().conditions(design.id), people.c.account_id.is_not(None)).distinct().limit(200)
        found["account_id"] = list(db.session.execute(said).scalars())
    return found
