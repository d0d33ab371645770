"""Pages of results: charts, filters, two questions together, responses, files for spreadsheets; rights and anonymity hold (P60, P61)."""

import io
import re

import pytest
from openpyxl import load_workbook
from sqlalchemy import select

from crm import catalog
from crm.db import db
from crm.identity.viewer import SYSTEM
from ecp.pipeline import actions, prepare
from surveys import reach, response_rows, results
from surveys.cuts import Cut
from surveys.design import load
from surveys.modules.survey_invitations import SurveyInvitation
from tests.ecp.conftest import browse, people, portal  # noqa: F401 - fixtures
from tests.pipeline.conftest import build_house
from tests.surveys.conftest import AB
from tests.surveys.test_results import QUESTIONS, send
from tests.surveys.test_staff_pages import staff  # noqa: F401 - fixture


@pytest.fixture
def ada(staff):  # noqa: F811
    return staff("ada")


def test_every_question_has_its_chart_or_table_and_filters_narrow_them(ask, person, ada):
    asked = ask(QUESTIONS, language="en", languages=["fi"])
    send(
        asked,
        person,
        fruit="a",
        many=["a", "b"],
        score="10",
        stars="4",
        age="30",
        order__0="1",
        order__1="3",
        order__2="2",
        table__x="a",
        words="<i>Hello</i>",
    )
    send(asked, language="fi", fruit="b", score="2", stars="1", age="70")
    home = f"/crm/surveys/{asked.id}"
    shown = ada.get(f"{home}/results").text
    assert shown.count("data-chart=") == 5  # choices, several choices, NPS, rating, histogram
    assert all(
        said in shown
        for said in ("Apple (50 %)", ">NPS<", "&lt;i&gt;Hello&lt;/i&gt;", '<th scope="row">X</th>', 'name="language"')
    )
    finnish = ada.get(f"{home}/results?language=fi").text
    assert ("Apple (0 %)" in finnish, "Hello" in finnish) == (True, False)
    assert ada.get(f"{home}/results?first=nonsense&edition=x&account_id=99999999999999999999").status_code == 200
    crossed = ada.get(f"{home}/results/crossing?rows=fruit&columns=stars").text
    assert crossed.count('<button class="btn btn-primary">Show</button>') == 1  # questions and period go together
    assert re.search(r'<th scope="row">Apple</th>.*?heat-10">1', crossed, re.S)
    assert ada.get(f"{home}/results/crossing?rows=fruit&columns=fruit").status_code == 200


def test_responses_are_listed_for_who_may_see_the_people(ask, person, ada, staff):  # noqa: F811
    asked = ask(QUESTIONS)
    response = send(asked, person, fruit="a", words="=1+1")
    home = f"/crm/surveys/{asked.id}"
    listed = ada.get(f"{home}/responses").text
    assert all(said in listed for said in ("Anna Aalto", f"/responses/{response}", "Apple"))
    book = load_workbook(io.BytesIO(ada.get(f"{home}/results.xlsx").data))
    head, line = list(book.active.iter_rows())
    cells = {top.value: cell for top, cell in zip(head, line, strict=True)}
    assert (cells["words"].value, cells["words"].data_type, cells["Person"].value) == ("=1+1", "s", "Anna Aalto")
    assert "'=1+1" in ada.get(f"{home}/results.csv").text


def test_anonymous_results_are_not_narrowed_so_that_somebody_could_be_told(ask, ada):
    asked = ask([{"name": "fruit", "kind": "radio", "options": AB}], anonymous=True, language="en", languages=["fi"])
    for n in range(6):
        send(asked, fruit="ab"[n % 2], language="fi" if n == 0 else "en")
    design = load(asked.id)
    assert not results.summaries(design)[0].is_withheld
    today = response_rows.page_of(design, Cut())[0]["completed_on"]
    for cut in (Cut(language="en"), Cut(language="fi"), Cut(first=today), Cut(language="en", source="staff")):
        assert results.summaries(design, cut)[0].is_withheld  # six less five is the one who answered in Finnish
        assert len(list(response_rows.table(design, cut))) == 1
    for _ in range(4):
        send(asked, fruit="c", language="fi")
    assert not results.summaries(design, Cut(language="en"))[0].is_withheld
    home = f"/crm/surveys/{asked.id}"
    assert ada.get(f"{home}/responses").status_code == 404
    assert 'name="first"' not in ada.get(f"{home}/results").text
    assert reach.by_day(design) == []


def test_the_report_of_a_mailing_tells_how_far_people_came_in_its_survey(ask, visitor, staff):  # noqa: F811
    house = build_house()
    asked = ask([{"name": "name", "kind": "text"}])
    house.mail_id = house.mail(
        html=f'<p><a href="{{$links.survey:{asked.id}}}">Answer</a> <a href="{{$links.unsubscribe}}">Leave</a></p>'
    )
    people_asked = house.contacts(3)
    sendout = house.sendout(house.campaign(people_asked))
    actions.start(SYSTEM, sendout)
    assert prepare.prepare(sendout)
    table = SurveyInvitation.__table__
    delivery = db.session.execute(select(table.c.delivery_id).where(table.c.person_id == people_asked[0])).scalar()
    from surveys import links

    path = f"/s/{links.token_of(links.sealer(), 'delivery', asked.id, delivery)}"
    assert visitor.post(path, data={"q.name": "Anna", "go": "send"}).status_code == 303
    ((id, name, reached),) = reach.of_sendout(SYSTEM, sendout)
    assert (id, name, reached.asked, reached.started, reached.completed) == (asked.id, "Feedback", 3, 1, 1)
    sendouts = catalog.modules["sendouts"].table
    db.session.execute(sendouts.update().where(sendouts.c.id == sendout).values(state="sent"))
    db.session.commit()
    assert "Surveys in this mail" in staff("ada", "ecp").get(f"/ecp/sendouts/{sendout}").text
    asked_of = staff("ada").get(f"/crm/contacts/{people_asked[0]}").text
    assert "Surveys asked" in asked_of
