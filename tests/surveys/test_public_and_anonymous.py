"""Surveys for everybody and surveys without names: matching, confirming, limits, and what is never kept (P59, P60)."""

import random
import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from crm import clock
from crm.db import Base, db
from crm.engine import records, search
from crm.engine.channels import Channel
from crm.engine.refusals import Refused
from crm.identity.viewer import SYSTEM
from crm.mail.sending.deliveries import Delivery
from crm.migrations import load_tables
from surveys import designing
from tests.pipeline.conftest import build_house
from tests.surveys.conftest import AB, hidden


def tied(field: str) -> dict[str, str]:
    return {"module": "contacts", "field": field, "direction": "write"}


MAIL = {"name": "mail", "kind": "email", "required": True, "mapping": tied("email")}
TITLE = {"name": "title", "kind": "text", "mapping": tied("title")}
LAST = {"name": "surname", "kind": "text", "mapping": tied("last_name")}


@pytest.fixture
def answer(visitor):
    """`answer(asked, mail="…")`: a person who reads for a while opens the public survey and sends it."""

    def send(asked, pause=5, **typed):
        page = visitor.get(asked.public)
        assert page.status_code == 200, page.status_code
        said = {"form": hidden(page.text, "form"), "go": "send"} | {f"q.{name}": value for name, value in typed.items()}
        with clock.standing_at(clock.now() + timedelta(seconds=pause)):
            return visitor.post(asked.public, data=said)

    return send


def contact(**values):
    id = records.create(SYSTEM, "contacts", {"last_name": "Aalto"} | values, Channel.SYSTEM)
    db.session.commit()
    return id


def title_of(id):
    db.session.expire_all()
    return search.one(SYSTEM, "contacts", id)["title"]


def test_a_public_survey_opens_only_where_a_portal_shows_it(ask, portal_allows, visitor):
    asked = ask([MAIL], public=True, public_match_field="email")
    assert visitor.get(asked.public).status_code == 200
    for module, id, off, on in (
        ("surveys", asked.id, {"public": False}, {"public": True}),
        ("surveys", asked.id, {"status": "closed"}, {"status": "active"}),
        ("portals", portal_allows, {"active": False}, {"active": True}),
        ("portals", portal_allows, {"public_survey_enabled": False}, {"public_survey_enabled": True}),
        (
            "portals",
            portal_allows,
            {"public_survey_condition": {"$eq": ["name", "Another"]}},
            {"public_survey_condition": None},
        ),
    ):
        records.update(SYSTEM, module, id, off, Channel.SYSTEM)
        db.session.commit()
        assert visitor.get(asked.public).status_code == 404, off
        records.update(SYSTEM, module, id, on, Channel.SYSTEM)
        db.session.commit()
    assert visitor.get(asked.public).status_code == 200


@pytest.mark.parametrize(
    ("policy", "titles"),
    [("never", ["Captain", None]), ("only_empty", ["Captain", "Boss"]), ("always", ["Boss", "Boss"])],
)
def test_a_match_is_linked_and_changed_only_as_the_survey_says(ask, portal_allows, answer, policy, titles):
    asked = ask([MAIL, TITLE], public=True, public_match_field="email", contact_update=policy)
    known = [contact(email="captain@example.com", title="Captain"), contact(email="new@example.com")]
    pages = [
        answer(asked, mail=mail, title="Boss")
        for mail in ("CAPTAIN@example.com", "new@example.com", "nobody@example.com")
    ]
    assert len({(page.status_code, page.location) for page in pages}) == 1  # nobody learns who is known
    assert [one["person_id"] for one in asked.responses()] == [*known, None]
    assert [title_of(id) for id in known] == titles
    assert search.count(SYSTEM, "contacts") == 2


def test_of_several_matches_none_is_touched_and_unknown_people_are_made_when_asked(ask, portal_allows, answer):
    asked = ask(
        [MAIL | {"required": False}, TITLE, LAST],
        public=True,
        public_match_field="email",
        contact_update="always",
        create_contact=True,
    )
    twins = [contact(email="twin@example.com"), contact(email="twin@example.com")]
    answer(asked, mail="twin@example.com", title="Boss")
    answer(asked, title="Nobody")
    answer(asked, mail="fresh@example.com", title="Boss", surname="Virtanen")
    several, empty, fresh = asked.responses()
    assert (several["person_id"], bool(several["flag"]), empty["person_id"]) == (None, True, None)
    assert [title_of(id) for id in twins] == [None, None]
    row = search.one(SYSTEM, "contacts", fresh["person_id"])
    assert (row["last_name"], row["email"], row["title"]) == ("Virtanen", "fresh@example.com", "Boss")


def test_the_form_is_guarded_against_robots_repeats_and_floods(ask, portal_allows, answer, visitor):
    asked = ask([MAIL], public=True, public_match_field="email")
    assert answer(asked, pause=0, mail="a@example.com").status_code == 422  # too fast for a person
    assert visitor.post(asked.public, data={"q.mail": "a@example.com", "go": "send"}).status_code == 422
    token = hidden(visitor.get(asked.public).text, "form")
    assert asked.responses() == []
    said = {"form": token, "q.mail": "a@example.com", "go": "send"}
    with clock.standing_at(clock.now() + timedelta(seconds=5)):
        assert visitor.post(asked.public, data=said | {"fax_number": "1"}).status_code == 303
        assert asked.responses() == []
        assert [visitor.post(asked.public, data=said).status_code for _ in range(2)] == [303, 303]
    assert len(asked.responses()) == 1
    assert [answer(asked, mail="flood@example.com").status_code for _ in range(6)] == [303] * 5 + [429]
    assert len(asked.responses()) == 6


def test_a_public_survey_never_begins_with_what_is_known_and_starts_subscriptions_only_when_confirmed(
    ask, portal_allows, answer, visitor
):
    build_house()
    asked = ask([MAIL | {"mapping": tied("email") | {"direction": "both"}}], public=True, public_match_field="email")
    assert 'name="q.mail" value=""' in visitor.get(asked.public).text
    options = [{"value": "single"}, {"value": "none"}]
    wish = {"title": "Mails?", "kind": "select", "name": "wish", "options": options, "mapping": tied("email_opt_in")}
    with pytest.raises(Refused, match="confirm"):
        designing.add_question(SYSTEM, asked.id, asked.pages[0], wish)
    asked.set(double_opt_in=True, contact_update="always")
    designing.add_question(
        SYSTEM, asked.id, asked.pages[0], {"title": "Title", "kind": "text", "name": "title", "mapping": tied("title")}
    )
    db.session.commit()
    anna = contact(email="anna@example.com")
    answer(asked, mail="anna@example.com", title="Boss")
    assert (asked.responses(), title_of(anna)) == ([], None)
    letter = db.session.execute(select(Delivery).order_by(Delivery.id.desc()).limit(1)).scalar_one()
    assert letter.email == "anna@example.com"
    path = re.search(r"https?://[^/]+(/s/confirm/\S+)", letter.payload["text"])[1]
    assert visitor.get(path).status_code == 200
    assert asked.responses() == []  # a scanner that opens links confirms nothing
    assert visitor.post(path).status_code == 200
    assert visitor.post(path).status_code == 404
    assert [one["person_id"] for one in asked.responses()] == [anna]
    assert title_of(anna) == "Boss"
    with pytest.raises(Refused):
        designing.add_question(SYSTEM, asked.id, asked.pages[0], wish | {"kind": "quiz"})
    assert designing.writes_subscription(asked.id) is False


def test_no_post_to_a_public_survey_breaks_it(ask, portal_allows, visitor):
    """Two hundred posts of rubbish: each is answered, none with a fault of ours, none is stored."""
    questions = [
        {"name": kind, "kind": kind, "required": True,
         "options": AB if kind in {"radio", "select", "checkboxes", "matrix", "ranking"} else [],
         "settings": {"rows": "a: A\nb: B"} if kind == "matrix" else {}}
        for kind in ("text", "area", "radio", "select", "checkboxes", "number", "date", "email", "phone", "rating", "nps",
                     "matrix", "ranking", "consent")
    ]  # fmt: skip
    from tests.surveys.conftest import forget_limits

    asked = ask(questions, public=True)
    token = hidden(visitor.get(asked.public).text, "form")
    luck = random.Random(7)
    rubbish = ["", "a", "\x00", "=1+1", "💥" * 50, "../../etc/passwd", "<script>alert(1)</script>", "9" * 400, "-1", "1e999",
               "NaN", "٣", "2026-02-31", "_other", "[]", '{"$eq": 1}', "\ud83d", "x" * 3000, "%s%n", "0x10"]  # fmt: skip
    names = [f"q.{one['name']}" for one in questions] + [
        "q.",
        "q",
        "q..",
        "q.matrix.a",
        "q.ranking.0",
        "q.radio._other",
        "q.nobody",
        "page",
        "go",
        "form",
        "seen",
    ]
    seen = set()
    for _ in range(200):
        forget_limits()
        data = [(luck.choice(names), luck.choice(rubbish)) for _ in range(luck.randint(0, 20))]
        if luck.random() < 0.7:
            data.append(("form", token))
        body = "&".join(
            f"{name}={value.encode('utf-8', 'surrogatepass').hex(' ').replace(' ', '%').join(['%', '']) if value else ''}"
            for name, value in data
        )
        seen.add(visitor.post(asked.public, data=body, content_type="application/x-www-form-urlencoded").status_code)
    assert seen <= {200, 422}
    assert asked.responses() == []
    forget_limits()
    assert (
        visitor.post(asked.public, data=b"x" * 2_000_000, content_type="application/x-www-form-urlencoded").status_code
        == 413
    )


def test_an_anonymous_answer_leads_to_nobody_in_the_database(ask, person, visitor):
    asked = ask([{"name": "word", "kind": "text"}], anonymous=True)
    others = [contact(email=f"n{n}@example.com") for n in range(3)]
    paths = [asked.invite(id) for id in [person, *others]]
    for n in (2, 0):
        assert visitor.post(paths[n], data={"q.word": f"planted word {n}", "go": "send"}).status_code == 303
    assert visitor.post(paths[0], data={"q.word": "again", "go": "send"}).status_code == 409
    responses = asked.responses()
    assert len(responses) == 2
    for one in responses:
        empty = ("person_id", "invitation_id", "once", "started_at", "completed_at", "sendout_id", "subject_id")
        assert [one[name] for name in empty] == [None] * 7
        assert one["completed_on"] is not None
    load_tables()
    people = {person, *others}
    for table in Base.metadata.sorted_tables:
        for row in db.session.execute(select(table)).mappings():
            tells_answer = any(isinstance(value, str) and "planted word" in value for value in row.values())
            if table.name in {"survey_answers", "survey_responses"} or tells_answer:
                assert not people & {
                    value for name, value in row.items() if isinstance(value, int) and name.endswith("_id")
                }, table.name
    rows = db.session.execute(select(Base.metadata.tables["survey_invitations"]).order_by("id")).mappings().all()
    assert [bool(row["is_answered"]) for row in rows] == [True, False, True, False]
    assert {(row["completed_at"], row["started_at"], row["opened_at"]) for row in rows} == {(None, None, None)}


def test_an_anonymous_survey_takes_nothing_that_tells_and_stays_so(ask, person):
    asked = ask([{"name": "word", "kind": "text"}], anonymous=True)
    for wrong in ({"kind": "file"}, {"kind": "text", "mapping": tied("title")}):
        with pytest.raises(Refused):
            designing.add_question(SYSTEM, asked.id, asked.pages[0], {"title": "T"} | wrong)
    with pytest.raises(Refused):
        asked.set(allow_draft=True)
    db.session.rollback()
    named = ask([{"name": "cv", "kind": "file"}])
    with pytest.raises(Refused, match="cv"):
        named.set(anonymous=True)
    db.session.rollback()
    from surveys import answering, forms

    answering.store(SYSTEM, asked.id, forms.read(forms.open_form(asked.id), {"q.word": ["x"]}), person)
    db.session.commit()
    with pytest.raises(Refused, match="stays so"):
        asked.set(anonymous=False)
