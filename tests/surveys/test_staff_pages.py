"""Staff pages of surveys: built by forms alone, in the CRM and the portal, and only by who may (P51, P54, P57, P58)."""

import re

import pytest

from crm.db import db
from crm.engine import records, search
from crm.engine.channels import Channel
from crm.identity.viewer import SYSTEM
from surveys import answering, designing, forms, looks
from surveys.design import load
from tests.ecp.conftest import browse, people, portal  # noqa: F401 - fixtures
from tests.surveys.conftest import AB


class Staff:
    """A signed-in browser that sends the token of its session."""

    def __init__(self, browser):
        self.browser = browser
        self.csrf = re.search(r'name="csrf-token" content="([^"]+)"', browser.get("/surveys").text)[1]

    def get(self, path):
        return self.browser.client.get(path)

    def post(self, path, form):
        return self.browser.client.post(path, data={"csrf": self.csrf} | form)


@pytest.fixture
def staff(browse):  # noqa: F811
    return lambda name, face="crm": Staff(browse(name, face))


def test_the_portal_has_surveys_among_its_content_and_a_refused_step_leads_back(ask, staff):
    mary, asked = staff("mary", "ecp"), ask([{"name": "a", "kind": "text"}], kind="ecp", status="draft")
    home = mary.get("/ecp/").text
    assert (
        home.index('href="/ecp/landing_pages"') < home.index('href="/ecp/surveys"') < home.index('href="/ecp/sendouts"')
    )
    assert 'href="/ecp/survey_themes"' in home
    assert 'href="/crm/surveys?view=qa"' in staff("ada").get("/crm/surveys").text
    assert 'href="/crm/surveys?view=qa"' not in staff("mary").get("/crm/campaigns").text
    card, back = f"/ecp/surveys/{asked.id}", "Go back"
    for origin, leads_back in ((f"http://localhost{card}", True), ("http://elsewhere.example/x", False), ("", False)):
        refused = mary.browser.client.post(f"{card}/do/activate", data={"csrf": mary.csrf}, headers={"Referer": origin})
        assert (refused.status_code, "Choose a thank-you page" in refused.text) == (422, True)
        assert (f'href="{card}"' in refused.text, back in refused.text) == (leads_back, leads_back)


def test_who_empties_the_days_valid_is_asked_whether_links_shall_work_for_ever(ask, staff):
    mary, asked = staff("mary"), ask([{"name": "a", "kind": "text"}])
    here, question = f"/crm/surveys/{asked.id}", "Really unlimited?"

    def save(path, days, **more):
        form = mary.browser.form(path, has="name") | {"name": "Feedback", "days_valid": days} | more
        answer = mary.browser.client.post(f"/crm{path}", data=form)
        return answer.status_code, question in answer.text

    assert save(f"/surveys/{asked.id}/edit", "0") == (422, False)
    assert save(f"/surveys/{asked.id}/edit", "") == (422, True)
    assert mary.get(here).text.count("30")
    assert save(f"/surveys/{asked.id}/edit", "", anyway="1") == (303, False)
    assert save(f"/surveys/{asked.id}/edit", "") == (303, False)  # it was without end before
    assert save("/surveys/new", "") == (422, True)
    assert save("/surveys/new", "30") == (303, False)


def test_the_builder_says_why_a_public_address_is_not_open(ask, staff):
    mary, asked = staff("mary"), ask([{"name": "a", "kind": "text"}], public=True, status="draft")
    assert "It opens when the survey is active" in mary.get(f"/crm/surveys/{asked.id}/build").text
    asked.set(status="active")
    assert "no active portal shows this survey" in mary.get(f"/crm/surveys/{asked.id}/build").text
    records.create(
        SYSTEM, "portals", {"name": "P", "code": "p", "active": True, "public_survey_enabled": True}, Channel.SYSTEM
    )
    db.session.commit()
    shown = mary.get(f"/crm/surveys/{asked.id}/build").text
    assert (asked.public in shown, "no active portal" in shown) == (True, False)


@pytest.mark.parametrize("face", ["crm", "ecp"])
def test_a_survey_is_built_by_forms(ask, staff, face):
    asked = ask(status="draft", language="en", languages=["fi"])
    mary = staff("mary", face)
    home = f"/{face}/surveys/{asked.id}"
    assert mary.post(f"{home}/pages", {}).status_code == 303
    page = load(asked.id).pages[0].id
    form = {"page_id": str(page), "title": "Which fruit?", "kind": "checkboxes", "visible": "1", "required": "1", "name": "fruit",
            "options": "a: Apple\nb: Banana\nnone: None of these !", "set-least": "1", "options-fi": "Omena\nBanaani", "title-fi": "Mikä hedelmä?"}  # fmt: skip
    assert mary.post(f"{home}/questions", form).status_code == 303
    made = load(asked.id).by_name["fruit"]
    assert [(one.value, one.label, one.exclusive) for one in made.options] == [
        ("a", "Apple", False), ("b", "Banana", False), ("none", "None of these", True)]  # fmt: skip
    finnish = load(asked.id, "fi").by_name["fruit"]
    assert (finnish.title, [one.label for one in finnish.options]) == (
        "Mikä hedelmä?",
        ["Omena", "Banaani", "None of these"],
    )
    shown = mary.get(f"{home}/questions/{made.id}")
    assert all(said in shown.text for said in ("Which fruit?", "none: None of these !", "Banaani"))
    more = {"page_id": str(page), "title": "Why?", "kind": "area", "visible": "1", "visible_if.0.0.question": "fruit",
            "visible_if.0.0.operator": "$in", "visible_if.0.0.value": "a, b"}  # fmt: skip
    assert mary.post(f"{home}/questions", more).status_code == 303
    assert load(asked.id).by_name["q1"].visible_if == {"$in": ["fruit", ["a", "b"]]}
    wrong = mary.post(f"{home}/questions", more | {"title": "Kept words", "visible_if.0.0.value": ""})
    assert (wrong.status_code, "Kept words" in wrong.text, "Write the value" in wrong.text) == (422, True, True)
    move = mary.post(f"{home}/questions/{load(asked.id).by_name['q1'].id}/move", {"way": "up"})
    assert (move.status_code, list(load(asked.id).by_name)) == (303, ["q1", "fruit"])
    assert mary.post(f"{home}/questions/{made.id}/copy", {}).status_code == 303
    assert list(load(asked.id).by_name) == ["q1", "fruit", "q2"]
    assert (
        mary.post(f"{home}/texts/fi", {"title": "Palaute", "intro": "<b>Hei</b><script>x</script>"}).status_code == 303
    )
    assert (load(asked.id, "fi").text("title"), "script" in load(asked.id, "fi").text("intro")) == ("Palaute", False)
    assert mary.get(f"{home}/build").status_code == 200
    assert mary.get(f"{home}/results").status_code == 200


def test_who_may_only_read_changes_no_question(ask, staff):
    asked = ask([{"name": "a", "kind": "text"}])
    rita = staff("rita")
    home = f"/crm/surveys/{asked.id}"
    for path, form in (("pages", {}), (f"questions/{asked.questions['a']}", {"kind": "text", "title": "X"}),
                       (f"questions/{asked.questions['a']}/remove", {}), (f"questions/{asked.questions['a']}/copy", {})):  # fmt: skip
        assert rita.post(f"{home}/{path}", form).status_code in {403, 404}
    assert load(asked.id).by_name["a"].title == "A"
    other = ask([{"name": "b", "kind": "text"}])
    mary = staff("mary")
    assert mary.get(f"{home}/questions/{other.questions['b']}").status_code == 404
    assert mary.post(f"{home}/questions/{other.questions['b']}/remove", {}).status_code == 404


def test_the_file_of_results_and_one_response_are_shown_to_who_may_see_the_person(ask, person, staff):
    asked = ask([{"name": "fruit", "kind": "radio", "options": AB}, {"name": "words", "kind": "text"}])
    answers = forms.read(forms.open_form(asked.id), {"q.fruit": ["a"], "q.words": ["=1+1"]})
    response = answering.store(SYSTEM, asked.id, answers, person)
    db.session.commit()
    ada = staff("ada")
    home = f"/crm/surveys/{asked.id}"
    answer = ada.get(f"{home}/results.csv")
    assert ("attachment" in answer.headers["Content-Disposition"], "'=1+1" in answer.text, ";=1+1" in answer.text) == (
        True,
        True,
        False,
    )
    assert all(said in ada.get(f"{home}/responses/{response}").text for said in ("Anna Aalto", "Apple", "=1+1"))
    assert all(said in ada.get(f"{home}/results").text for said in ("Apple (100 %)", "Responses"))
    assert staff("rita").get(f"{home}/results.csv").status_code in {200, 403}


def test_styles_of_a_survey_load_nothing_and_stay_within_it(ask, person, visitor):
    css = '@import url("https://evil.example/x.css"); body { background: url(https://evil.example/a.png); color: red } .question, h1 { color: #123456 } </style><script>alert(1)</script>'
    theme = records.create(
        SYSTEM, "survey_themes", {"name": "Ours", "accent": "#aa0000", "font": "serif", "corners": 2}, Channel.SYSTEM
    )
    asked = ask([{"name": "a", "kind": "text"}], css=css, theme_id=theme)
    kept = search.one(SYSTEM, "surveys", asked.id)["css"]
    assert "evil.example" not in kept
    sheet = looks.sheet_of(load(asked.id).row)
    assert all(said in sheet for said in ("--accent: #aa0000", ".survey .question, .survey h1 {", ".survey {"))
    page = visitor.get(asked.invite(person))
    assert "evil.example" not in page.text
    assert "<script>alert" not in page.text
    records.update(SYSTEM, "survey_themes", theme, {"accent": "#00aa00"}, Channel.SYSTEM)
    db.session.commit()
    assert "#00aa00" in visitor.get(asked.invite(person)).text  # a change of the theme is seen at once
    assert designing.count_answers(asked.questions["a"]) == 0
