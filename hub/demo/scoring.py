"""Demo scoring: the rules of a company that furnishes offices, and the scores and touches that its demo events come to."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import func, select

from crm.db import db
from crm.engine import records
from crm.engine.channels import Channel
from crm.engine.conditions import where
from crm.engine.registry import modules
from crm.identity.viewer import SYSTEM
from web_tracking.scoring import tasks

RULES: tuple[dict[str, Any], ...] = (
    {"name": "Opens our mails", "kind": "mail_opened", "points": 1, "once_a_day": True, "most_points": 10},
    {"name": "Follows links in mails", "kind": "mail_clicked", "points": 5, "once_a_day": True, "most_points": 25},
    {"name": "Looks at pods and booths", "kind": "page", "points": 3, "pattern": "/pods*", "most_points": 15},
    {"name": "Takes the brochure home", "kind": "download", "points": 10, "half_life_days": 60},
    {"name": "Wants a quote", "kind": "site_event", "points": 25, "pattern": "Asked for a quote", "half_life_days": 30},
    {"name": "Looks for a job", "kind": "page", "points": -10, "pattern": "/jobs*", "most_points": 20},
    {"name": "Asks for a visit", "kind": "form", "points": 30, "most_points": 60},
    {"name": "Registers for an event", "kind": "registered", "points": 8},
    {"name": "Came to an event", "kind": "attended", "points": 15},
    {"name": "Answers a survey", "kind": "survey", "points": 4},
    {"name": "Would recommend us", "kind": "survey_score", "points": 10, "least": 9, "most_points": 20},
    {"name": "Has a problem with what we sold", "kind": "ticket", "points": -3, "most_points": 15},
    {"name": "Decides on purchases", "kind": "mail_clicked", "points": 5, "source": "contacts", "conditions": where("title", "contains", "Manager"), "once_a_day": True, "most_points": 20},
)  # fmt: skip


def make(owner: int, tell: Callable[[str], None]) -> None:
    """Make the rules, then count everybody. Commits."""
    prices = db.session.execute(select(modules["tracked_pages"].table.c.id).where(modules["tracked_pages"].table.c.pattern == "/prices")).scalar()  # fmt: skip
    price_list = {"name": "Reads the price list", "kind": "page", "points": 8, "tracked_page_id": prices, "once_a_day": True, "most_points": 40}  # fmt: skip
    for rule in (*RULES, price_list):
        records.create(SYSTEM, "score_rules", {"owner_id": owner, **rule}, Channel.SYSTEM)
    db.session.commit()
    tasks.everything(None)
    count = db.session.execute(select(func.count()).select_from(modules["touches"].table)).scalar() or 0
    tell(f"{len(RULES) + 1} score rules, {count:,} touches.")
