"""Surveys in a browser without scripts: pages, drafts, links of persons, and what becomes of bad ones (P49, P50, P52, P53, P55)."""

import io
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from crm import clock
from crm.db import db
from crm.engine import records, search, timeline
from crm.engine.channels import Channel
from crm.engine.history import Change
from crm.engine.refusals import Refused
from crm.identity.viewer import SYSTEM
from surveys import designing
from tests.surveys.conftest import AB, hidden, later

NAME = {"name": "name", "kind": "text", "required": True}


def test_a_survey_is_walked_through_page_by_page(ask, person, visitor):
    asked = ask(
        [NAME, {"name": "fruit", "kind": "radio", "options": AB}],
        [{"name": "why", "kind": "area", "visible_if": {"fruit": "a"}}],
        [{"name": "score", "kind": "nps"}],
        show_progress=True, completion_message="Kiitos!",
    )  # fmt: skip
    path = asked.invite(person)
    first = visitor.get(path)
    assert first.status_code == 200
    assert "<h1>A few questions for you</h1>" in first.text  # it has no title
    assert "Feedback" not in first.text, "what staff call it is not for others"
    assert "Page 1 of 2" in first.text  # the second page is not shown before its question is asked for
    assert "script-src" in first.headers["Content-Security-Policy"]
    second = visitor.post(
        path, data={"page": "1", "seen": ["name", "fruit"], "q.name": "Anna", "q.fruit": "a", "go": "next"}
    )
    assert (second.status_code, "Page 2 of 3" in second.text) == (200, True)
    assert hidden(second.text, "q.name") == "Anna"
    typed = {"q.name": "Anna", "q.fruit": "a", "q.why": "Sweet"}
    back = visitor.post(path, data=typed | {"page": "2", "seen": "why", "go": "back"})
    assert 'value="Anna"' in back.text
    assert hidden(back.text, "q.why") == "Sweet"
    last = visitor.post(path, data=typed | {"page": "2", "seen": "why", "go": "next"})
    assert "Page 3 of 3" in last.text
    done = visitor.post(
        path, data=typed | {"q.score": "9", "page": "3", "seen": "score", "go": "send"}, follow_redirects=True
    )
    assert (done.status_code, "Kiitos!" in done.text) == (200, True)
    assert asked.answers() == {"name": "Anna", "fruit": {"choice": "a"}, "why": "Sweet", "score": 9}
    (response,) = asked.responses()
    assert (response["person_id"], response["source"], response["language"]) == (person, "mail", "en")


def test_wrong_and_missing_answers_are_said_at_their_questions_and_nothing_is_lost(ask, person, visitor):
    asked = ask([NAME, {"name": "mail", "kind": "email"}], message_required="Bitte!", message_invalid="Look here")
    path = asked.invite(person)
    answer = visitor.post(path, data={"page": "1", "q.mail": "no address <b>", "go": "send", "seen": ["name", "mail"]})
    assert answer.status_code == 422
    assert {"Bitte!", "Look here", 'aria-invalid="true"', "no address &lt;b&gt;"} <= {
        said for said in ("Bitte!", "Look here", 'aria-invalid="true"', "no address &lt;b&gt;") if said in answer.text
    }
    unknown = visitor.post(path, data={"page": "1", "q.name": "x", "q.nobody": "y", "go": "send"})
    assert (unknown.status_code, "nobody" in unknown.text) == (422, True)
    assert asked.responses() == []


def test_the_page_with_the_first_error_is_opened_when_everything_is_sent_at_once(ask, person, visitor):
    asked = ask([NAME], [{"name": "age", "kind": "number"}], [{"name": "note", "kind": "text"}])
    answer = visitor.post(asked.invite(person), data={"q.name": "x", "q.age": "old", "q.note": "n", "go": "send"})
    assert answer.status_code == 422
    assert hidden(answer.text, "page") == "2"
    assert hidden(answer.text, "q.note") == "n"


def test_questions_that_an_answer_brings_are_shown_before_the_page_is_left(ask, person, visitor):
    asked = ask([{"name": "come", "kind": "radio", "options": [{"value": "yes"}, {"value": "no"}]},
                 {"name": "food", "kind": "text", "visible_if": {"come": "yes"}}])  # fmt: skip
    path = asked.invite(person)
    page = visitor.post(path, data={"page": "1", "seen": "come", "q.come": "yes", "go": "send"})
    assert (page.status_code, "brought more questions" in page.text) == (200, True)
    done = visitor.post(
        path, data={"page": "1", "seen": ["come", "food"], "q.come": "yes", "q.food": "Fish", "go": "send"}
    )
    assert (done.status_code, asked.answers()["food"]) == (303, "Fish")


def test_a_second_answer_is_refused_unless_the_survey_is_repeatable(ask, person, visitor):
    asked = ask([NAME], message_answered="Enough said")
    path = asked.invite(person)
    send = lambda: visitor.post(path, data={"q.name": "Anna", "go": "send"})  # noqa: E731
    assert send().status_code == 303
    again = send()
    assert (again.status_code, "Enough said" in again.text) == (409, True)
    opened = visitor.get(path)
    assert (opened.status_code, "Enough said" in opened.text, "<form" in opened.text) == (200, True, False)
    asked.set(repeatable=True)
    assert send().status_code == 303
    assert len(asked.responses()) == 2


def test_answers_can_be_changed_until_the_survey_says_so(ask, person, visitor):
    asked = ask([NAME], editable_until=clock.now() + timedelta(days=2))
    path = asked.invite(person)
    visitor.post(path, data={"q.name": "Anna", "go": "send"})
    assert 'value="Anna"' in visitor.get(path).text
    assert visitor.post(path, data={"q.name": "Berta", "go": "send"}).status_code == 303
    assert [asked.answers(), len(asked.responses())] == [{"name": "Berta"}, 1]
    with later(days=3):
        assert visitor.post(path, data={"q.name": "Carla", "go": "send"}).status_code == 409
    assert asked.answers() == {"name": "Berta"}


def test_a_draft_is_kept_for_thirty_days_where_the_survey_allows_it(ask, person, visitor):
    asked = ask([NAME], [{"name": "note", "kind": "text"}], allow_draft=True)
    path = asked.invite(person)
    assert 'value="save"' in visitor.get(path).text
    saved = visitor.post(path, data={"page": "1", "q.name": "Half", "go": "save", "seen": "name"})
    assert (saved.status_code, asked.responses()) == (200, [])
    assert 'value="Half"' in visitor.get(path).text
    with later(days=31):
        assert "Half" not in visitor.get(path).text
    visitor.post(path, data={"q.name": "Whole", "go": "send"})
    assert [one["status"] for one in asked.responses()] == ["complete"]
    assert asked.responses("draft") == []
    strict = ask([NAME])
    path = strict.invite(person)
    visitor.post(path, data={"page": "1", "q.name": "Half", "go": "save", "seen": "name"})
    assert "Half" not in visitor.get(path).text


def test_a_link_works_for_so_many_days_and_while_the_survey_is_open(ask, person, visitor):
    asked = ask([NAME], kind="qa", message_closed="Too late, sorry")
    assert search.one(SYSTEM, "surveys", asked.id)["days_valid"] == 30  # the default
    path = asked.invite(person)
    with later(days=29):
        assert visitor.get(path).status_code == 200
    with later(days=31):
        gone = visitor.get(path)
        assert (gone.status_code, "Too late, sorry" in gone.text) == (410, True)
        assert visitor.post(path, data={"q.name": "x", "go": "send"}).status_code == 409
    asked.set(days_valid=None)
    endless = asked.invite(person, way="call")
    with later(days=4000):
        assert visitor.get(endless).status_code == 200
    for values in ({"status": "closed"}, {"status": "active", "opens_at": clock.now() + timedelta(hours=1)},
                   {"opens_at": None, "closes_at": clock.now() - timedelta(minutes=1)}):  # fmt: skip
        asked.set(**values)
        assert visitor.get(endless).status_code == 410
        closed = visitor.post(endless, data={"q.name": "x", "go": "send"})
        assert (closed.status_code, "Too late, sorry" in closed.text) == (409, True)
    asked.set(closes_at=None, max_responses=1)
    assert visitor.post(endless, data={"q.name": "x", "go": "send"}).status_code == 303
    assert visitor.get(asked.invite(person, way="ticket")).status_code == 410
    assert len(asked.responses()) == 1


def test_made_up_changed_and_orphaned_links_show_one_neutral_page(ask, person, visitor):
    from surveys import links

    asked, other = ask([NAME]), ask([NAME])
    path = asked.invite(person)
    changed = path[:-1] + ("A" if path[-1] != "A" else "B")
    foreign = f"/s/{links.token_of(links.sealer(), 'invitation', other.id, links.open_token(path[3:]).id)}"
    gone = ask([NAME])
    orphan = gone.invite(person)
    records.delete(SYSTEM, "surveys", gone.id, Channel.SYSTEM)
    db.session.commit()
    pages = {visitor.get(bad).text for bad in (changed, foreign, orphan, "/s/x", "/s/" + "A" * 44, path.lower())}
    assert len(pages) == 1
    assert all(visitor.get(bad).status_code == 404 for bad in (changed, foreign, orphan))
    assert visitor.post(changed, data={"q.name": "x", "go": "send"}).status_code == 404
    records.delete(SYSTEM, "contacts", person, Channel.SYSTEM)
    db.session.commit()
    assert visitor.get(path).text in pages


def test_a_survey_of_the_portal_needs_a_page_and_a_question_before_it_is_active(ask, person, visitor):
    asked = ask(kind="ecp", status="draft")
    with pytest.raises(Refused) as refused:
        asked.set(status="active")
    assert "thank_you_page_id" in refused.value.faults
    page = records.create(
        SYSTEM, "landing_pages", {"name": "Thanks", "status": "active", "html": "<p>T</p>"}, Channel.SYSTEM
    )
    with pytest.raises(Refused, match="question"):
        asked.set(status="active", thank_you_page_id=page)
    question_page = designing.add_page(SYSTEM, asked.id)
    designing.add_question(SYSTEM, asked.id, question_page, NAME | {"title": "Your name"})
    for hides in ({"status": "inactive"}, {"status": "active", "valid_until_on": date(2020, 1, 1)}):
        records.update(SYSTEM, "landing_pages", page, hides, Channel.SYSTEM)
        with pytest.raises(Refused, match="nobody would see it"):
            asked.set(status="active", thank_you_page_id=page)
    records.update(SYSTEM, "landing_pages", page, {"valid_until_on": None}, Channel.SYSTEM)
    asked.set(status="active", thank_you_page_id=page)
    done = visitor.post(asked.invite(person), data={"q.name": "x", "go": "send"})
    assert (done.status_code, done.location) == (303, "/p/thanks")
    with pytest.raises(Refused, match="thank-you page"):
        asked.set(thank_you_page_id=None)


def test_what_is_known_is_prefilled_and_answers_are_written_back(ask, person, visitor):
    to = lambda field, direction="both", **more: {"module": "contacts", "field": field, "direction": direction, **more}  # noqa: E731
    asked = ask([
        {"name": "first", "kind": "text", "mapping": to("first_name")},
        {"name": "title", "kind": "text", "mapping": to("title", write_empty=True)},
        {"name": "phone", "kind": "phone", "mapping": to("phone")},
        {"name": "born", "kind": "text", "mapping": to("department", "prefill")},
        {"name": "mail", "kind": "text", "settings": {"input": "plain"}, "mapping": to("email", "write")},
    ])  # fmt: skip
    records.update(SYSTEM, "contacts", person, {"title": "Captain", "phone": "040 111"}, Channel.SYSTEM)
    path = asked.invite(person)
    page = visitor.get(path).text
    assert all(said in page for said in ('value="Anna"', 'value="Captain"', 'value="040 111"'))
    visitor.post(path, data={"q.first": "Annika", "q.mail": "no address", "q.born": "Sales", "go": "send"})
    row = search.one(SYSTEM, "contacts", person)
    assert (row["first_name"], row["title"], row["phone"], row["department"]) == ("Annika", None, "040 111", None)
    assert row["email"] == "anna@example.com"  # refused there, and the response is kept all the same
    (response,) = asked.responses()
    assert [(one["question"], one["field"]) for one in response["troubles"]] == [("mail", "email")]
    assert asked.answers()["mail"] == "no address"
    changes = db.session.execute(
        select(Change.field, Change.channel).where(Change.entity_id == person, Change.field == "first_name")
    )
    assert changes.all() == [("first_name", "survey")]
    told = timeline.page(SYSTEM, "contacts", person, wanted=(timeline.CHANGE,)).entries
    assert "A survey" in {one.who for one in told if one.values["field"] == "first_name"}


def test_sensitive_fields_are_never_prefilled_and_foreign_values_of_lists_are_not_saved(ask):
    asked = ask([NAME])
    options = [{"value": "Hot"}, {"value": "Nowhere"}]
    with pytest.raises(Refused, match="Nowhere"):
        designing.add_question(SYSTEM, asked.id, asked.pages[0], {
            "title": "T", "kind": "radio", "options": options,
            "mapping": {"module": "contacts", "field": "temperature", "direction": "write"}})  # fmt: skip


def test_files_travel_under_seal_and_one_too_large_is_a_413(ask, person, visitor):
    asked = ask([{"name": "cv", "kind": "file", "required": True}], [NAME])
    path = asked.invite(person)
    big = visitor.post(
        path,
        data={"page": "1", "seen": "cv", "q.cv": (io.BytesIO(b"x" * (10 * 1024 * 1024 + 1)), "cv.pdf"), "go": "next"},
    )
    assert big.status_code == 413
    big.request.environ["wsgi.input"].close()  # the test client keeps large bodies in a file
    page = visitor.post(
        path, data={"page": "1", "seen": "cv", "q.cv": (io.BytesIO(b"%PDF words"), "cv.pdf"), "go": "next"}
    )
    assert page.status_code == 200
    token = hidden(page.text, "q.cv")
    assert (
        visitor.post(path, data={"page": "2", "seen": "name", "q.cv": token, "q.name": "x", "go": "send"}).status_code
        == 303
    )
    assert [one["name"] for one in asked.answers()["cv"]] == ["cv.pdf"]
    both = ask([NAME, {"name": "cv", "kind": "file"}])
    last = {
        "page": "1",
        "seen": ["cv", "name"],
        "q.name": "x",
        "go": "send",
        "q.cv": (io.BytesIO(b"words"), "last.txt"),
    }
    assert visitor.post(both.invite(person), data=last).status_code == 303
    assert [one["name"] for one in both.answers()["cv"]] == ["last.txt"]


def test_a_preview_stores_nothing(ask, visitor):
    from surveys import links

    asked = ask([NAME], status="draft")
    address = links.preview_address(asked.id)
    path = address[address.index("/s/") :]
    assert "nothing that is sent here is kept" in visitor.get(path).text
    assert visitor.post(path, data={"q.name": "x", "go": "send"}).status_code == 303
    assert asked.responses() == []


def test_a_survey_speaks_the_languages_it_was_written_in(ask, person, visitor):
    asked = ask([{"name": "name", "kind": "text", "title": "Name", "translations": {"fi": {"title": "Nimi"}}},
                 {"name": "note", "kind": "text", "title": "Note"}], language="en", languages=["fi"], title="Hello")  # fmt: skip
    designing.translate(SYSTEM, asked.id, "fi", {"title": "Terve", "button_send": "Lähetä tämä"})
    db.session.commit()
    path = asked.invite(person)
    records.update(SYSTEM, "contacts", person, {"language": "fi"}, Channel.SYSTEM)
    db.session.commit()
    page = visitor.get(path)
    assert page.headers["Content-Language"] == "fi"
    assert all(said in page.text for said in ("Terve", "Nimi", "Note", "Lähetä tämä"))
    assert "Hello" in visitor.get(f"{path}?language=en").text
    assert "Terve" in visitor.get(f"{path}?language=sv").text
    visitor.post(f"{path}?language=fi", data={"q.name": "x", "go": "send"})
    assert asked.responses()[0]["language"] == "fi"


def test_opening_by_get_answers_nothing_and_measures_only_who_agreed(ask, person, visitor):
    from surveys.modules.survey_invitations import SurveyInvitation

    asked = ask([NAME])
    path = asked.invite(person)
    table = SurveyInvitation.__table__
    read = lambda: db.session.execute(select(table).where(table.c.survey_id == asked.id)).mappings().one()  # noqa: E731
    visitor.get(path)
    assert (read()["opened_at"] is not None, read()["started_at"], read()["is_answered"]) == (True, None, False)
    records.update(SYSTEM, "contacts", person, {"may_measure_opens": "no"}, Channel.SYSTEM)
    db.session.execute(table.update().values(opened_at=None))
    db.session.commit()
    visitor.get(path)
    assert read()["opened_at"] is None
    visitor.post(path, data={"q.name": "x", "go": "send"})
    db.session.expire_all()
    assert (read()["is_answered"], read()["started_at"] is not None, read()["completed_at"] is not None) == (
        True,
        True,
        True,
    )


def test_of_two_answers_at_once_one_is_kept_and_the_other_told(make_own_app):
    from tests.surveys.conftest import forget_limits, make_survey

    app = make_own_app()
    with app.app_context():
        asked = make_survey([NAME])
        id = records.create(SYSTEM, "contacts", {"last_name": "Aalto", "email": "anna@example.com"}, Channel.SYSTEM)
        path = asked.invite(id)
    from hub.public import create_public_app

    forget_limits()
    public = create_public_app(app.config["CUSTOMERHUB"])
    public.testing = True

    def send(n: int) -> int:
        return public.test_client().post(path, data={"q.name": f"Anna {n}", "go": "send"}).status_code

    with ThreadPoolExecutor(4) as pool:
        answers = sorted(pool.map(send, range(8)))
    assert answers == [303] + [409] * 7
    with app.app_context():
        assert len(asked.responses()) == 1
