"""Names (house.md section 6): no word that hides a missing noun, one name for blueprints, sentences as first lines."""

import ast
import re

import pytest

from tests.rules.checkout import matching, python_of_rooms, relative

BANNED = {
    "util",
    "utils",
    "helper",
    "helpers",
    "common",
    "misc",
    "manager",
    "handler",
    "service",
    "services",
    "processor",
}


# What the field calls a thing: a customer's request for work, and the customers' portal. They hide no noun, they are one.
TERMS = ("self_service_portal", "service_request", "ServiceRequest")


def words(name: str) -> set[str]:
    """The words of a name in snake_case, kebab-case or CamelCase."""
    for term in TERMS:
        name = name.replace(term, "")
    return {word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)}


def test_no_file_or_folder_has_a_banned_word():
    found = []
    for path in python_of_rooms():
        place = relative(path)
        if words(place.removesuffix(".py")) & BANNED:
            found.append(place)
    assert not found


def test_no_class_has_a_banned_word():
    found = [
        f"{relative(path)}:{node.lineno} {node.name}"
        for path in python_of_rooms()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef) and words(node.name) & BANNED
    ]
    assert not found


def test_blueprints_are_called_bp():
    """Those of a file; what a function makes for several apps is its own matter."""
    found = []
    for path in python_of_rooms():
        for node in ast.parse(path.read_text()).body:
            if (
                isinstance(node, ast.Assign)
                and isinstance(node.value, ast.Call)
                and getattr(node.value.func, "id", getattr(node.value.func, "attr", "")) == "Blueprint"
            ):
                names = [getattr(target, "id", "?") for target in node.targets]
                if names != ["bp"]:
                    found.append(f"{relative(path)}:{node.lineno} {names}")
    assert not found


def test_every_file_says_first_what_it_is_for():
    found = []
    for path in [*python_of_rooms(), *matching(r"^(tests|benchmarks)/.*\.py$")]:
        text = path.read_text()
        if text.strip() and not ast.get_docstring(ast.parse(text)):
            found.append(relative(path))
    assert not found


def test_partials_begin_with_an_underscore():
    """What is only ever included; a part of a page that is also an answer of its own has a plain name."""
    code = "".join(path.read_text() for path in python_of_rooms())
    found = []
    for path in matching(r"/templates/.*\.html$"):
        for name in re.findall(r"{%-?\s*include\s+['\"]([^'\"]+)['\"]", path.read_text()):
            if not name.rpartition("/")[2].startswith("_") and f'"{name}"' not in code:
                found.append(f"{relative(path)} includes {name}")
    assert not found


@pytest.mark.parametrize("suffix", ["py", "html", "js", "css", "md", "mjml", "sh", "toml"])
def test_no_unfinished_work_is_left_in_a_file(suffix):
    word = re.compile(r"\b(TODO|FIXME|XXX)\b|NotImplementedError|[cC]oming soon|not yet implemented")
    found = [
        f"{relative(path)}:{number}"
        for path in matching(rf"\.{suffix}$")
        if relative(path) != "tests/rules/test_names.py"
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1)
        if word.search(line)
    ]
    assert not found
