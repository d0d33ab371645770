"""The pages that say which test shows what name only tests that there are."""

import ast
import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
PAGE = TESTS.parent / "docs" / "rows.md"


@pytest.mark.parametrize(("page", "least"), [("rows.md", 150), ("security.md", 70)])
def test_every_test_that_a_page_names_is_there(page, least):
    named = re.findall(r"`([\w/]+\.py)::(test_\w+)`", PAGE.with_name(page).read_text())
    assert len(named) > least
    known: dict[str, set[str]] = {}
    missing = []
    for file, test in named:
        path = TESTS / file
        if file not in known and path.is_file():
            tree = ast.parse(path.read_text())
            known[file] = {one.name for one in ast.walk(tree) if isinstance(one, ast.FunctionDef)}
        if test not in known.get(file, set()):
            missing.append(f"{file}::{test}")
    assert missing == []


def test_every_row_of_the_first_delivery_has_a_line():
    several = {"C": "1-6 35 65 69 71-73 81-84 90 93-98 109 112 118-122", "S": "4 6 8 10",
               "M": "1-27 29-39 54-59 65 67 71-74 81-83 107 125"}  # fmt: skip
    wanted = set()
    for letter, said in several.items():
        for part in said.split():
            first, _, last = part.partition("-")
            wanted |= {f"{letter}{n}" for n in range(int(first), int(last or first) + 1)}
    shown = set(re.findall(r"^\| ([CMS]\d+) \| `", PAGE.read_text(), re.M))
    assert wanted - shown == set()
