"""The documentation keeps up: every setting, command and module has its sentence, links lead somewhere."""

import re
import subprocess
import sys

import click
import pytest

from crm.config import SETTINGS
from hub.cli import main_group
from tests.rules.checkout import TOP


def page(name: str) -> str:
    return (TOP / "docs" / name).read_text()


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.key)
def test_every_setting_is_documented_with_its_default(setting):
    row = next((line for line in page("settings.md").splitlines() if f"`{setting.name}`" in line), None)
    assert row, f"docs/settings.md has no row for {setting.name}"
    if setting.default not in ("", None):
        default = f"{setting.default:g}" if isinstance(setting.default, float) else str(setting.default)
        assert default in row, f"docs/settings.md names another default for {setting.name}"


def test_no_setting_is_documented_that_does_not_exist():
    known = {setting.name for setting in SETTINGS}
    assert set(re.findall(r"^\| `(CUSTOMERHUB_\w+)`", page("settings.md"), re.MULTILINE)) == known


def commands():
    context = click.Context(main_group)
    for name in main_group.list_commands(context):
        command = main_group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from ((f"{name} {sub}", one) for sub, one in sorted(command.commands.items()))
        else:
            yield name, command


@pytest.mark.parametrize(("name", "command"), list(commands()), ids=lambda one: one if isinstance(one, str) else "")
def test_every_command_and_option_is_documented(name, command):
    text = page("commands.md")
    assert command.help, f"`customerhub {name}` has no sentence of its own"
    match = re.search(rf"^### `customerhub {re.escape(name)}\b.*?(?=^###? |\Z)", text, re.MULTILINE | re.DOTALL)
    assert match, f"docs/commands.md has no section for `customerhub {name}`"
    for option in command.params:
        if isinstance(option, click.Option):
            assert option.opts[0] in match.group(), f"docs/commands.md: `customerhub {name}` misses {option.opts[0]}"
            assert option.help, f"`customerhub {name} {option.opts[0]}` has no help"


def test_links_in_the_documentation_lead_somewhere():
    done = subprocess.run([sys.executable, TOP / "scripts/check-links"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("target", ["run", "test", "test-long", "setup", "lint", "bench", "check-links", "lock"])
def test_what_people_make_is_there_and_told(target):
    makefile = (TOP / "Makefile").read_text()
    assert re.search(rf"^{target}:", makefile, re.MULTILINE)
    assert f"make {target}" in makefile.partition("setup:")[0]
