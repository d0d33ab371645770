"""Every string that people read is translated into Finnish, and is filled with the same values there."""

from gettext import GNUTranslations
from io import BytesIO

import pytest
from babel.messages.mofile import write_mo

from scripts import messages


@pytest.fixture(scope="module")
def pairs():
    kept = messages.kept("fi")
    return [(one, kept.get(one.id, one.context)) for one in messages.messages() if one.id]


def test_every_string_has_a_finnish_translation(pairs):
    missing = [one.id for one, said in pairs if said is None or not messages.is_translated(said)]
    assert not missing, f"{len(missing)} strings lack a translation (run scripts/messages.py), such as {missing[:5]}"


def test_translations_are_filled_with_the_same_values(pairs):
    wrong = []
    for one, said in pairs:
        if said is None or not messages.is_translated(said):
            continue
        source = one.id if isinstance(one.id, tuple | list) else (one.id,)
        target = said.string if isinstance(said.string, tuple | list) else (said.string,)
        wanted = set().union(*(messages.names_in(text) for text in source))
        wrong += [
            text
            for text in target
            if not messages.names_in(text) <= wanted or (len(target) == 1 and messages.names_in(text) != wanted)
        ]
    assert not wrong, f"other %(names)s than the English text: {wrong[:5]}"


def test_the_catalogue_is_compiled_and_not_passed_over():
    """A catalogue that is marked as fuzzy is left out by pybabel, and every page stays English."""
    assert not messages.kept("fi").fuzzy
    compiled = BytesIO()
    write_mo(compiled, messages.kept("fi"))
    compiled.seek(0)
    assert GNUTranslations(compiled).gettext("Log in") == "Kirjaudu sisään"
