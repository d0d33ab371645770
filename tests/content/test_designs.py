"""Our own templates: correct, small, reachable by everybody, and pointing nowhere but to their fictional company."""

import re

import pytest

from crm.engine.tags import names, parse
from ecp.content.check import check_content
from ecp.content.compile import Content, compile
from ecp.content.designs import DESIGNS
from ecp.content.preview import preview

PURPOSES = ("newsletter", "invitation", "announcement", "transactional")
KNOWN = {"contact.first_name", "account.name", "owner.name"}
PEOPLE = [
    {},
    {"contact.first_name": "Väinö", "account.name": "A & <b>B</b> Oy", "owner.name": "Aino"},
    {
        "contact.first_name": "Maximilian-Alexander",
        "account.name": "Very Long Company Name of Many Words and Sons Limited",
    },
]


def content(design):
    return Content("mjml", design.mjml, design.subject, language=design.language, needs_unsubscribe=True)


@pytest.mark.parametrize("design", DESIGNS, ids=lambda design: design.key)
def test_a_design_can_be_activated_as_it_is(design):
    said = check_content(content(design), KNOWN.__contains__, sender_name="Kaisla", has_sender_address=True)
    assert [str(one) for one in said if "plain text is made" not in one.message] == []
    asked = {tag.name for tag in names(parse(design.mjml))}
    assert {"links.unsubscribe", "links.online", "links.preferences"} <= asked
    assert not compile(content(design)).footer_was_added


@pytest.mark.parametrize("design", DESIGNS, ids=lambda design: design.key)
@pytest.mark.parametrize("values", PEOPLE, ids=["nobody", "hostile", "long"])
def test_a_design_is_whole_for_everybody(design, values):
    compiled = compile(content(design))
    shown = preview(compiled, values, values)
    for text in (shown.html, shown.text, shown.subject):
        assert not re.search(r"\{\$|\{/?if|\{else", text)
    assert "<b>B</b>" not in shown.html
    assert len(compiled.html) < 60_000
    assert len(shown.text) > 700
    assert f'lang="{design.language}"' in compiled.html
    hosts = set(re.findall(r"https?://([a-z0-9.-]+)", compiled.html)) | {
        link.url.split("/")[2] for link in compiled.links
    }
    assert hosts - {"www.w3.org"} <= {"www.kaisla.example"}
    assert "<img" not in compiled.html


@pytest.mark.parametrize("purpose", PURPOSES)
def test_there_are_three_designs_for_each_purpose(purpose):
    made = [one for one in DESIGNS if one.purpose == purpose and one.language == "en"]
    assert len(made) >= 3
    assert len({one.mjml for one in made}) == len(made)
    assert purpose != "transactional" or {one.list_kind for one in made} == {"essential"}
    for one in made:  # they mind phones and the dark
        assert "prefers-color-scheme: dark" in one.mjml
        assert "max-width: 480px" in one.mjml
