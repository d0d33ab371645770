"""What a story is made of: steps in the order in which they happened, and the one sentence that answers."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal

Got = Literal["yes", "no", "unknown", "not_yet"]
Mood = Literal["good", "bad", "plain"]


@dataclass(frozen=True)
class Step:
    """One thing that happened, or that was decided. `code` is for programs, `sentence` and `more` for people."""

    code: str
    sentence: str
    at: datetime | None = None
    more: str = ""
    mood: Mood = "plain"


@dataclass(frozen=True)
class Story:
    """The whole of it. `reason`: the skip reason or the failure in one word, "" when there is none."""

    got: Got
    answer: str
    reason: str
    person: str
    sendout: str
    steps: tuple[Step, ...]

    def as_json(self) -> dict[str, Any]:
        """For REST: moments as ISO text."""
        said = asdict(self)
        for step in said["steps"]:
            step["at"] = step["at"].isoformat() if step["at"] else None
        return said
