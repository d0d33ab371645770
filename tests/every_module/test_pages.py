"""List, card and form of every module with pages in the CRM, as people use them."""

import pytest
from markupsafe import escape

from crm.engine import records, search
from crm.engine.channels import Channel
from crm.engine.permissions import may
from crm.engine.refusals import Missing
from crm.engine.registry import modules
from crm.identity import sharing
from crm.identity.viewer import SYSTEM
from tests.every_module import values
from tests.every_module.browsing import browser

IN_CRM = [key for key in values.RECORDS if modules[key].in_crm]


WIZARDS = {
    "sendouts",
    "email_templates",
}  # made and changed by a wizard and an editor, on pages of their own with tests of their own (tests/ecp)


@pytest.fixture(params=IN_CRM)
def module(request):
    return modules[request.param]


@pytest.fixture(params=[key for key in IN_CRM if key not in WIZARDS])
def formed(request):
    """A module whose form is made from its declaration."""
    return modules[request.param]


def label(key, id):
    return str(escape(modules[key].label_of(search.one(SYSTEM, key, id))))


def test_the_list_shows_what_there_is_under_every_view(app, people, module):
    id = records.create(SYSTEM, module.key, values.complete(module.key, 2), Channel.SYSTEM)
    search.db.session.commit()
    ada = browser(app, "ada@example.com")
    page = ada.get(f"/{module.key}").text
    assert f"/crm/{module.key}/{id}" in page
    assert "Traceback" not in page
    for one in module.filters:
        ada.get(f"/{module.key}?view={one.key}")
    for name in module.columns:
        ada.get(f"/{module.key}?sort={name}")
        ada.get(f"/{module.key}?sort=-{name}")


def test_the_card_shows_every_field_that_is_filled_in(app, people, formed):
    id = records.create(SYSTEM, formed.key, values.complete(formed.key, 2), Channel.SYSTEM)
    search.db.session.commit()
    page = browser(app, "ada@example.com").get(f"/{formed.key}/{id}").text
    assert label(formed.key, id) in page
    for block in formed.form:
        for name in block.fields:
            assert str(escape(formed.fields[name].label)) in page, name


def test_a_form_filled_in_makes_the_record(app, people, formed):
    if not formed.creatable:
        pytest.fail(f"{formed.key} has pages but nobody can make one")
    ada = browser(app, "ada@example.com")
    wanted = values.complete(formed.key, 2)
    search.db.session.commit()
    sent = ada.form(f"/{formed.key}/new")
    shown = {name for block in formed.form for name in block.fields}
    for name, value in wanted.items():
        if name in sent or (name in shown and formed.fields[name].kind.name == "checkbox"):
            sent[name] = typed(formed.fields[name], value)
    answer = ada.post(f"/{formed.key}/new", sent)
    id = int(answer.headers["Location"].rstrip("/").rsplit("/", 1)[1].split("?")[0])
    row = search.one(SYSTEM, formed.key, id)
    for name in wanted:
        if name in sent:
            assert row[name] == wanted[name], name
    assert row["creator_id"] == people.ada


def typed(said, value):
    if said.kind.name == "checkbox":
        return "1" if value else "0"
    if said.kind.name == "moment":
        return said.kind.text(value)
    return said.kind.text(value) if said.kind.name != "multi" else list(value)


def test_an_empty_form_comes_back_with_what_is_missing_and_makes_nothing(app, people, formed):
    ada = browser(app, "ada@example.com")
    before = search.count(SYSTEM, formed.key)
    needed = [
        said for said in formed.fields.values() if said.required and said.default is None and said.name != "owner_id"
    ]
    sent = {
        name: value
        for name, value in ada.form(f"/{formed.key}/new").items()
        if name not in {one.name for one in needed}
    }
    page = ada.post(f"/{formed.key}/new", sent, 422).text
    assert "must be filled in" in page
    assert search.count(SYSTEM, formed.key) == before


def test_a_form_saved_as_it_stands_changes_nothing(app, people, formed):
    id = records.create(SYSTEM, formed.key, values.complete(formed.key, 2), Channel.SYSTEM)
    search.db.session.commit()
    ada = browser(app, "ada@example.com")
    before = dict(search.one(SYSTEM, formed.key, id))
    ada.post(f"/{formed.key}/{id}/edit", ada.form(f"/{formed.key}/{id}/edit"))
    after = dict(search.one(SYSTEM, formed.key, id))
    assert {name: (before[name], after[name]) for name in after if before[name] != after[name]} == {}


def test_a_stale_form_is_not_saved(app, people, formed):
    id = values.make(formed.key, 2)
    search.db.session.commit()
    ada = browser(app, "ada@example.com")
    sent = ada.form(f"/{formed.key}/{id}/edit")
    name = values.note_of(formed, sent)
    sent[name] = "Mine"
    records.update(SYSTEM, formed.key, id, {name: "Theirs"}, Channel.FORM)
    search.db.session.commit()
    page = ada.post(f"/{formed.key}/{id}/edit", sent, 409).text
    assert "Theirs" in page
    assert "Mine" in page
    assert search.one(SYSTEM, formed.key, id)[name] == "Theirs"


def test_charlie_meets_no_page_of_a_private_record(app, people, module):
    sharing.set_levels(values.RECORDS, "private")
    id = records.create(SYSTEM, module.key, values.complete(module.key, 2) | {"owner_id": people.alice}, Channel.SYSTEM)
    search.db.session.commit()
    charlie = browser(app, "charlie@example.com")
    if may(people["charlie"], "view", module):
        assert f"/crm/{module.key}/{id}" not in charlie.get(f"/{module.key}").text
    assert charlie.client.get(f"/crm/{module.key}/{id}").status_code == 404
    assert charlie.client.get(f"/crm/{module.key}/{id}/edit", follow_redirects=True).status_code in {403, 404}
    with pytest.raises(Missing):
        search.one(people["charlie"], module.key, id)


def test_markup_in_a_name_is_shown_as_text(app, people, module):
    title = module.fields[module.titles[-1]]
    if title.kind.name != "text":
        return
    evil = '<script>alert("x")</script>'
    named = {title.name: evil}
    if module.key == "sr_rules":  # its name is made of those of its statuses
        named = {"to_status_id": values.make("sr_statuses", 2, name=evil)}
    id = values.make(module.key, 2, **named)
    search.db.session.commit()
    ada = browser(app, "ada@example.com")
    pages = [f"/{module.key}", f"/{module.key}/{id}"]
    for path in pages if module.key in WIZARDS else [*pages, f"/{module.key}/{id}/edit"]:
        page = ada.get(path).text
        assert evil not in page
        assert "&lt;script&gt;alert" in page


def test_boxes_offer_only_what_can_be_used(app, people):
    """M55, M81: an inactive campaign and one of another type are missing from the box of a mass mailing."""
    made = {
        "Spring": {"type": "Email"}, "Idle": {"type": "Email", "active": False}, "Calls": {"type": "Telemarketing"},
    }  # fmt: skip
    ids = {
        name: records.create(SYSTEM, "campaigns", {"name": name} | said, Channel.SYSTEM) for name, said in made.items()
    }
    search.db.session.commit()
    ada = browser(app, "ada@example.com")
    offered = {one["value"] for one in ada.get("/sendouts/choose/campaign_id?q=").json}
    assert offered & set(ids.values()) == {ids["Spring"]}
