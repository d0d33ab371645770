"""What a submission has to do with persons: the browser that sent it, what is given out, what goes when somebody is erased."""

import io
from typing import Any

from crm.db import db
from crm.modules.privacy import erasing, person, showing
from tests.web_tracking.conftest import ANNA, Tracked
from tests.web_tracking.conftest import site as site
from tests.web_tracking.conftest import track as track
from tests.web_tracking.forms.conftest import MARI, jobs, rows
from web_tracking import introducing
from web_tracking.forms import touching


def test_the_browser_that_sent_a_form_is_known_and_its_first_visit_stands_with_the_submission(
    form: Any, site: Tracked, monkeypatch: Any
) -> None:
    site.hit(path="/?utm_source=fair&utm_campaign=office", v=ANNA)
    site.hit(path="/prices", v=ANNA)
    site.roll_up()
    made = form()
    made.send(form_visitor=ANNA, form_page="https://shop.example/contact")
    (done,) = made.work()
    (job,) = jobs("web.introduce")
    assert (job.arguments["visitor"], job.arguments["person_id"]) == (ANNA, done["person_id"])
    monkeypatch.setattr(introducing, "store_of", lambda _config: site.store)
    introducing.introduce(None, **job.arguments)
    touching.touch(None, done["id"])
    db.session.commit()
    (visitor,) = rows("visitors")
    assert (visitor["person_id"], visitor["bound_via"]) == (done["person_id"], "form")
    (kept,) = made.kept()
    assert (kept["first_touch"]["source"], kept["source"], kept["campaign"]) == ("fair", "fair", "office")
    made.send(MARI | {"email": "other@example.com"}, form_visitor="<script>")
    assert made.kept()[-1]["cookie"] is None


def test_submissions_are_given_out_and_go_with_their_files_when_the_person_is_erased(form: Any) -> None:
    made = form(takes_files=True)
    made.send(form_files=(io.BytesIO(b"%PDF-1.4 of Mari"), "plan.pdf"))
    made.send(MARI | {"email": "mari@example.com"}, fax_number="x")  # suspected: tied to nobody but by its address
    made.send(MARI | {"email": "other@example.com"})
    first, *_others = made.work()
    mari = person.find("leads", first["person_id"])
    parts = {one.key: str([dict(row) for row in one.rows]) for one in showing.parts_of(mari, False, False)}
    text = next(said for key, said in parts.items() if key.startswith("form_submissions"))
    assert "Call me" in text
    assert "other@example.com" not in text
    erasing.erase(mari)
    db.session.commit()
    left = made.kept()
    assert [row["email_key"] for row in left] == ["other@example.com"]
    assert rows("form_files") == []
    assert not [row for row in rows("files") if row["name"] == "plan.pdf"]
