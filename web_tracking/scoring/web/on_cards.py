"""What cards of people and potentials show of scoring: the score with its reasons, and the path that led here."""

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _

from crm.engine import picklists
from crm.engine.permissions import may, readable
from crm.engine.rows import Row
from crm.identity.viewer import Viewer
from crm.ui import cards
from crm.ui.cards import Part
from crm.ui.face import face
from web_tracking.scoring import attributing, counting
from web_tracking.scoring.model import load
from web_tracking.scoring.web import sources


def register() -> None:
    """Show both boxes."""
    for key in ("contacts", "leads"):
        cards.add_part(key, Part("scoring/_score.html", score, "right"))
    for key in ("contacts", "leads", "potentials"):
        cards.add_part(key, Part("scoring/_path.html", path, "right"))


def score(viewer: Viewer, row: Row) -> Mapping[str, Any] | None:
    """Each rule, how many events it counted, what they gave and what is left of it; None where nothing is scored."""
    if "score" not in readable(viewer, row.module):
        return None
    parts = counting.explained(row.id)
    if not parts and not row.get("score"):
        return None
    home = f"{face().prefix}/score_rules" if may(viewer, "view", "score_rules") else ""
    model = load()
    grade = row.get("score_grade") or "cold"
    said = _(picklists.label("score_grade", grade))
    return {
        "score": row["score"] or 0,
        "grade": grade,
        "grade_said": said,
        "parts": parts,
        "home": home,
        "model": model,
    }


def path(viewer: Viewer, row: Row) -> Mapping[str, Any] | None:
    """The touches in order; None where nothing is known."""
    if not may(viewer, "view", "touches"):
        return None
    steps, count = attributing.path(viewer, row)
    known = {"first": row.get("first_touch"), "last": row.get("last_touch"), "say": sources.say_source}
    return {"steps": steps, "count": count, **known} if steps or known["first"] else None
