"""What scoring holds about persons: the parts of their score and their touches. Given out to them, gone when one is erased."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Integer, Select, cast, func, select

from crm.modules.privacy.holdings import Holding, excuse, register
from crm.words import N_
from web_tracking.scoring.score_rules import ScoreRule
from web_tracking.scoring.tables import ScorePart
from web_tracking.scoring.touches import Touch

PARTS, RULES = ScorePart.__table__, ScoreRule.__table__


def _parts(ids: Sequence[int]) -> Select[Any]:
    """What each rule gave, by its name: how a profile comes about is part of what a person may know."""
    left = cast(func.round(PARTS.c.worth / 100.0), Integer).label("worth")
    said = select(RULES.c.name, PARTS.c.event_count, PARTS.c.points, left, PARTS.c.first_at, PARTS.c.last_at)
    mine = said.join(RULES, RULES.c.id == PARTS.c.rule_id).where(PARTS.c.person_id.in_(ids))
    return mine.order_by(func.abs(PARTS.c.worth).desc(), RULES.c.name)


register(
    Holding(
        Touch.__tablename__, "person_id", N_("What led to us"), ("at", "kind", "label", "campaign", "detail"), fate="delete"
    ),
    Holding(ScorePart.__tablename__, "person_id", N_("What your score of interest is made of"), rows=_parts, fate="delete"),
)  # fmt: skip
excuse("an event, never a person", "score_rules.event_id")
