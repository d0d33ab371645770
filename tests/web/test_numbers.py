"""Numbers in sentences are written as the reader's language writes them, in Python and in templates."""

import re
from pathlib import Path

import pytest
from flask import g, render_template_string

from crm.words import ngettext

TOP = Path(__file__).parents[2]


@pytest.mark.parametrize(("language", "said"), [("en", "Edit 1,240 records"), ("fi", "1\xa0240")])
def test_a_counted_sentence_groups_its_number(app, language, said):
    with app.test_request_context("/crm/"):
        g.locale = language
        template = '{{ ngettext("Edit %(num)s record", "Edit %(num)s records", count) }}'
        assert said in ngettext("Edit %(num)s record", "Edit %(num)s records", 1240)
        assert said in render_template_string(template, count=1240)
        assert "1240" not in render_template_string(template, count=1240)


def test_without_a_page_it_is_english():
    assert ngettext("%(num)s person", "%(num)s people", 1_000_000) == "1,000,000 people"
    assert ngettext("%(num)s person", "%(num)s people", 1) == "1 person"


def test_no_sentence_of_the_staff_apps_is_counted_past_the_way_that_groups():
    bare = re.compile(r"flask_babel import (?:.*, )?ngettext")
    found = [path for room in ("crm", "ecp") for path in (TOP / room).rglob("*.py") if bare.search(path.read_text())]
    assert found == []
