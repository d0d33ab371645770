"""What scoring holds about persons: the parts of their score and their touches. Given out to them, gone when one is erased."""

from crm.modules.privacy.holdings import Holding, excuse, register
from crm.words import N_
from web_tracking.scoring.tables import ScorePart
from web_tracking.scoring.touches import Touch

register(
    Holding(
        Touch.__tablename__, "person_id", N_("What led to us"), ("at", "kind", "label", "campaign", "detail"), fate="delete"
    ),
    Holding(
        ScorePart.__tablename__, "person_id", N_("Score"), ("event_count", "points", "worth", "first_at", "last_at"),
        fate="delete",
    ),
)  # fmt: skip
excuse("an event, never a person", "score_rules.event_id")
