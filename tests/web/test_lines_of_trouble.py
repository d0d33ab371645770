"""What is down is said on the pages of those whom it concerns."""

from typing import Any

from crm import clock, troubles
from crm.db import db


def test_what_is_down_is_said_to_those_who_run_the_house_and_to_nobody_else(browse: Any) -> None:
    assert "has not answered since" not in browse("ada").get("/").text
    for subject in troubles.SUBJECTS:
        said = {"subject": subject, "seen_by": "x", "since": clock.now(), "seen_at": troubles.database_seconds()}
        db.session.execute(db.insert(troubles.Trouble).values(**said))
    db.session.commit()
    page = browse("ada").get("/").text
    assert page.count('class="note warn mb-3" role="status"') == 3
    assert "The mail server has not answered since" in page
    assert "has not answered since" not in browse("charlie").get("/").text
