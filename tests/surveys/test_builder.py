"""The builder beyond plain forms: order by drag, in-place forms, the preview of a draft, conditions as rows, looks, copies (P51, P56–P58)."""

import io
import json
import re

import pytest
from werkzeug.datastructures import MultiDict

from crm.db import db
from crm.engine import public_pictures, records, search
from crm.engine.channels import Channel
from crm.engine.refusals import Refused
from crm.identity.viewer import SYSTEM
from surveys import copying, designing, forms
from surveys.design import load
from surveys.web import conditions
from tests.ecp.conftest import browse, people, portal  # noqa: F401 - fixtures
from tests.surveys.conftest import AB
from tests.surveys.test_staff_pages import staff  # noqa: F401 - fixture

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 40
HTMX = {"HX-Request": "true"}


@pytest.fixture
def mary(staff):  # noqa: F811
    return staff("mary")


def ask_htmx(staff, path, form):  # noqa: F811
    return staff.browser.client.post(path, data={"csrf": staff.csrf} | form, headers=HTMX)


def test_questions_dragged_to_their_place_keep_it_also_over_pages(ask, mary):
    asked = ask([{"name": name, "kind": "text"} for name in "abc"], [{"name": "d", "kind": "text"}], status="draft")
    home, ids, (one, two) = f"/crm/surveys/{asked.id}", asked.questions, asked.pages
    form = MultiDict([("page", one), (f"page-{one}", ids["c"]), (f"page-{one}", ids["a"]), ("page", two),
                      (f"page-{two}", ids["d"]), (f"page-{two}", ids["b"])])  # fmt: skip
    form["csrf"] = mary.csrf
    drawn = mary.browser.client.post(f"{home}/order", data=form, headers=HTMX)
    assert (drawn.status_code, drawn.headers["HX-Retarget"]) == (200, "#builder-pages")
    assert re.findall(r'id="question-(\w)"', drawn.text) == ["c", "a", "d", "b"]
    assert [[one.name for one in page.questions] for page in load(asked.id).pages] == [["c", "a"], ["d", "b"]]
    assert ask_htmx(mary, f"{home}/pages/{two}/move", {"way": "up"}).status_code == 200
    assert [page.id for page in load(asked.id).pages] == [two, one]
    foreign = ask([{"name": "x", "kind": "text"}])
    form[f"page-{one}"] = foreign.questions["x"]
    assert mary.browser.client.post(f"{home}/order", data=form, headers=HTMX).status_code == 404


def test_a_question_is_made_between_others_hidden_required_and_refused_in_its_place(ask, mary):
    asked = ask([{"name": "a", "kind": "text"}, {"name": "b", "kind": "text"}], status="draft")
    home, page = f"/crm/surveys/{asked.id}", asked.pages[0]
    shown = mary.browser.client.get(f"{home}/questions/new?kind=radio&page={page}&place=1", headers=HTMX)
    assert ("<html" in shown.text, "Option 1" in shown.text, 'name="place" value="1"' in shown.text) == (
        False,
        True,
        True,
    )
    form = {
        "page_id": page,
        "place": "1",
        "kind": "radio",
        "name": "m",
        "title": "",
        "options": "Yes\nNo",
        "visible": "1",
    }
    refused = ask_htmx(mary, f"{home}/questions", form)
    assert (refused.status_code, "<html" in refused.text, "Write the question" in refused.text) == (422, False, True)
    assert ask_htmx(mary, f"{home}/questions", form | {"title": "Middle?"}).status_code == 200
    assert list(load(asked.id).by_name) == ["a", "m", "b"]
    middle = load(asked.id).by_name["m"]
    assert [one.value for one in middle.options] == ["Yes", "No"]
    for what in ("required", "visible"):
        assert ask_htmx(mary, f"{home}/questions/{middle.id}/switch", {"what": what}).status_code == 200
    changed = load(asked.id).by_name["m"]
    assert (changed.required, changed.visible) == (True, False)


def test_the_preview_shows_what_is_written_and_saves_nothing(ask, mary):
    asked = ask([{"name": "a", "kind": "text"}], status="draft", language="en", languages=["fi"])
    home = f"/crm/surveys/{asked.id}"
    form = {"kind": "checkboxes", "page_id": asked.pages[0], "place": "0", "question_id": "0", "title": "Which <b>?",
            "options": "Red\nBlue", "visible": "1", "title-fi": "Mitkä?"}  # fmt: skip
    drawn = mary.post(f"{home}/frame", form)
    assert all(said in drawn.text for said in ("Which &lt;b&gt;?", "Blue"))
    assert drawn.text.index("Which") < drawn.text.index("q.a")
    assert drawn.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert "frame-ancestors 'self'" in drawn.headers["Content-Security-Policy"]
    assert "Mitkä?" in mary.post(f"{home}/frame?language=fi", form).text
    assert mary.post(f"{home}/frame", form | {"kind": "rating", "set-most": "many"}).status_code == 200
    assert list(load(asked.id).by_name) == ["a"]
    asked.questions["b"] = designing.add_question(
        SYSTEM,
        asked.id,
        asked.pages[0],
        {"name": "b", "title": "B", "kind": "text", "visible_if": {"$not.null": ["a"]}},
    )
    circle = {"name": "a", "kind": "text", "question_id": asked.questions["a"], "visible_if.0.0.question": "b",
              "visible_if.0.0.operator": "$not.null", "visible_if.match": "$and"}  # fmt: skip
    assert mary.post(f"{home}/frame", form | circle).status_code == 200  # saving refuses it, the preview goes on
    untitled = mary.post(f"{home}/frame", form | {"title": " "}).text
    assert ("Your question" in untitled, ">draft_0" in untitled) == (True, False)


def test_a_question_is_deleted_from_its_line_unless_it_was_answered(ask, mary, person, visitor):
    asked = ask([{"name": "a", "kind": "text"}, {"name": "b", "kind": "text"}])
    home, ids = f"/crm/surveys/{asked.id}", asked.questions
    assert f'hx-post="{home}/questions/{ids["b"]}/remove"' in mary.get(f"{home}/build").text
    assert ask_htmx(mary, f"{home}/questions/{ids['b']}/remove", {}).status_code == 200
    assert list(load(asked.id).by_name) == ["a"]
    assert visitor.post(asked.invite(person), data={"q.a": "Yes"}).status_code == 303
    refused = ask_htmx(mary, f"{home}/questions/{ids['a']}/remove", {})
    assert (refused.status_code, "Type the survey" in refused.text, "<html" in refused.text) == (422, True, False)
    assert list(load(asked.id).by_name) == ["a"]


CONDITIONS = [
    {"$eq": ["a", "x"]},
    {"$and": [{"$eq": ["a", "x"]}, {"$not.null": ["b"]}]},
    {"$or": [{"$in": ["a", ["x", "y"]]}, {"$and": [{"$eq": ["b", "1"]}, {"$is.null": ["c"]}]}]},
]


@pytest.mark.parametrize("condition", CONDITIONS, ids=json.dumps)
def test_conditions_are_rows_and_the_same_again(condition):
    spelled, form = conditions.spell(condition), {}
    for group, held in enumerate(spelled.all):
        form[f"when.{group}.match" if group else "when.match"] = held.match
        for n, row in enumerate(held.rows):
            start = f"when.{group}.{n}"
            form |= {f"{start}.question": row.question, f"{start}.operator": row.operator, f"{start}.value": row.value}
    assert conditions.read(form, "when") == condition
    assert (
        conditions.read({name: "" if name.endswith("question") else text for name, text in form.items()}, "when")
        is None
    )


def test_conditions_deeper_than_the_form_stay_unless_they_are_taken_away():
    deep = {
        "$and": [
            {"$or": [{"$and": [{"$eq": ["a", "x"]}, {"$eq": ["b", "y"]}]}, {"$eq": ["c", "z"]}]},
            {"$eq": ["d", "1"]},
        ]
    }
    kept = {"when.kept": conditions.spell(deep).kept}
    assert conditions.read(kept, "when") == deep
    assert conditions.read(kept | {"when.drop": "1"}, "when") is None
    with pytest.raises(Refused):
        conditions.read({"when.kept": "{not JSON"}, "when")


def test_pages_jump_by_rows_of_conditions_and_are_translated(ask, mary):
    asked = ask(
        [{"name": "a", "kind": "text"}],
        [{"name": "b", "kind": "text"}],
        status="draft",
        language="en",
        languages=["fi"],
    )
    path = f"/crm/surveys/{asked.id}/pages/{asked.pages[0]}"
    form = {"title": "First", "title-fi": "Eka", "jump1.0.0.question": "a", "jump1.0.0.operator": "$eq", "jump1.0.0.value": "no",
            "jump1.to": "end", "jump2.to": "2"}  # fmt: skip
    assert mary.post(path, form).status_code == 303
    page = load(asked.id, "fi").pages[0]
    assert (page.title, page.jumps) == ("Eka", (({"$eq": ["a", "no"]}, "end"),))
    assert 'value="no"' in mary.get(path).text
    wrong = mary.post(path, form | {"jump1.0.0.value": ""})
    assert (wrong.status_code, "Write the value" in wrong.text) == (422, True)


def test_a_theme_is_seen_before_it_is_saved_and_then_by_everybody(ask, mary):
    asked = ask([{"name": "a", "kind": "text"}])
    home = f"/crm/surveys/{asked.id}"
    query = "look=1&accent=%23112233&uses_accent=1&paper=%23445566&width=99999&own_css=h1{color:%23abcdef}body{background:url(https://evil.example/a)}"
    seen = mary.get(f"{home}/frame?{query}").text
    assert ("--accent: #112233" in seen, "#445566" in seen, "99999" in seen, "#abcdef" in seen, "evil" in seen) == (
        True,
        False,
        False,
        True,
        False,
    )
    assert "#112233" not in mary.get(f"{home}/frame").text
    form = {"name": "Ours", "accent": "#112233", "uses_accent": "1", "corners": "4", "own_css": "h1 { color: #abcdef }"}
    assert mary.post(f"{home}/look", form).status_code == 303
    assert "#112233" in mary.get(f"{home}/frame").text
    assert mary.post(f"{home}/look", form | {"name": "", "theme_id": load(asked.id).row["theme_id"]}).status_code == 422
    assert search.one(SYSTEM, "survey_themes", load(asked.id).row["theme_id"])["corners"] == 4


def test_texts_and_buttons_are_written_in_every_language(ask, mary):
    asked = ask([{"name": "a", "kind": "text"}], language="en", languages=["fi"])
    for language, word in (("en", "Off it goes"), ("fi", "Lähetä")):
        assert (
            mary.post(f"/crm/surveys/{asked.id}/texts/{language}", {"title": "T", "button_send": word}).status_code
            == 303
        )
        assert load(asked.id, language).text("button_send") == word
    too_long = mary.post(f"/crm/surveys/{asked.id}/texts/en", {"title": "x" * 201})
    assert (too_long.status_code, "x" * 201 in too_long.text) == (422, True)


def test_a_picture_is_uploaded_in_its_question_and_shown_to_everybody(ask, mary):
    asked = ask([{"name": "a", "kind": "text"}], status="draft")
    form = {"kind": "image", "page_id": asked.pages[0], "visible": "1", "set-alt": "A room", "name": "room"}
    path = f"/crm/surveys/{asked.id}/questions"
    data = form | {"csrf": mary.csrf, "upload-picture": (io.BytesIO(PNG), "room.png")}
    assert mary.browser.client.post(path, data=data, content_type="multipart/form-data").status_code == 303
    picture = load(asked.id).by_name["room"].settings["picture"]
    assert re.fullmatch(r"/i/[\w-]{22}\.png", picture)
    data = form | {"name": "other", "csrf": mary.csrf, "upload-picture": (io.BytesIO(b"no picture"), "room.png")}
    refused = mary.browser.client.post(path, data=data, content_type="multipart/form-data")
    assert (refused.status_code, "is no PNG" in refused.text) == (422, True)
    data = form | {"name": "third", "set-alt": "", "csrf": mary.csrf, "upload-picture": (io.BytesIO(PNG), "room.png")}
    refused = mary.browser.client.post(path, data=data, content_type="multipart/form-data")
    held = re.search(r'name="set-picture" value="/i/([\w.-]+)"', refused.text)[1]  # the form keeps what was uploaded
    assert (refused.status_code, public_pictures.find(held) is not None) == (422, True)


def test_a_copy_has_everything_but_answers_and_dates(ask, mary, person):
    asked = ask([{"name": "a", "kind": "radio", "options": AB}], [{"name": "b", "kind": "text", "visible_if": {"$eq": ["a", "b"]}}],
                button_send="Go", opens_at="2020-01-01T00:00:00Z")  # fmt: skip
    assert mary.post(f"/crm/surveys/{asked.id}/copy", {}).status_code == 303
    made = copying.copy(SYSTEM, asked.id)
    db.session.commit()
    copy = load(made)
    assert (copy.row["status"], copy.row["name"], copy.row["opens_at"], copy.text("button_send")) == (
        "draft",
        "Copy of Feedback",
        None,
        "Go",
    )
    assert [(page.place, [one.name for one in page.questions]) for page in copy.pages] == [(1, ["a"]), (2, ["b"])]
    assert (copy.by_name["b"].visible_if, len(copy.by_name["a"].options)) == ({"$eq": ["a", "b"]}, 3)
    records.update(SYSTEM, "surveys", made, {"status": "active"}, Channel.SYSTEM)
    assert forms.read(forms.open_form(made), {"q.a": ["b"], "q.b": ["x"]}).is_good


def test_panels_are_filled_in_without_scripts(ask, person, visitor):
    settings = {"fields": "name: Name *\nsize: Size [S | L]", "least": 1, "most": 3, "group_label": "Guest"}
    asked = ask([{"name": "guests", "kind": "dynamic_panel", "required": True, "settings": settings}])
    path = asked.invite(person)
    shown = visitor.get(path).text
    assert (shown.count('<details class="panel-group"'), shown.count(" open>"), "Guest 3" in shown) == (3, 1, True)
    refused = visitor.post(path, data={"q.guests.1.size": "L", "go": "send"})
    assert (refused.status_code, "Fill in" in refused.text, refused.text.count("<option selected>L")) == (422, True, 1)
    sent = {"q.guests.0.name": "Anna", "q.guests.2.name": "Ben", "q.guests.2.size": "L", "go": "send"}
    assert visitor.post(path, data=sent).status_code == 303
    assert asked.answers() == {"guests": [{"name": "Anna"}, {"name": "Ben", "size": "L"}]}
