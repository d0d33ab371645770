"""The files for running on several machines name commands, options and settings that exist."""

import configparser
import re
import shlex
from pathlib import Path

import click
import pytest
import yaml

from crm.config import SETTINGS
from hub.cli import main_group
from tests.rules.checkout import TOP

UNITS = sorted((TOP / "deploy/systemd").glob("*.service"))
COMPOSE = yaml.safe_load((TOP / "deploy/compose.yaml").read_text())
NAMES = {setting.name for setting in SETTINGS}


def understand(words: list[str]) -> None:
    """Fails when the command or one of its options does not exist."""
    command = main_group.get_command(click.Context(main_group), words[0])
    assert command is not None, words[0]
    command.make_context(words[0], words[1:], resilient_parsing=False)


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.stem)
def test_a_unit_starts_a_command_that_exists(unit: Path):
    said = configparser.ConfigParser(strict=False, interpolation=None)
    said.optionxform = str  # type: ignore[assignment]
    said.read_string(unit.read_text())
    assert set(said.sections()) == {"Unit", "Service", "Install"}
    program, *words = shlex.split(said["Service"]["ExecStart"])
    assert program.endswith("/.venv/bin/customerhub")
    understand(words)
    assert said["Service"]["Environment"].partition("=")[0] in NAMES
    assert f"customerhub-{words[0]}" in unit.stem or "mail" in words[-1] or words[0] == "serve"


@pytest.mark.parametrize("name", [name for name, one in COMPOSE["services"].items() if "command" in one])
def test_a_container_starts_a_command_that_exists_with_settings_that_exist(name: str):
    one = COMPOSE["services"][name]
    understand(one["command"])
    assert set(one["environment"]) <= NAMES
    assert set(one["depends_on"]) <= set(COMPOSE["services"])


def test_between_them_the_processes_serve_pages_all_queues_and_the_clock():
    for commands in (
        [one["command"] for one in COMPOSE["services"].values() if "command" in one],
        [re.search(r"bin/customerhub (.*)", unit.read_text()).group(1).split() for unit in UNITS],
    ):
        queues = {queue for words in commands if words[0] == "worker" for queue in words[-1].split(",")}
        assert queues == {"default", "files", "mail"}
        assert {words[0] for words in commands} >= {"serve", "worker", "clock"}


def test_an_image_holds_nothing_of_the_house_that_builds_it():
    left_out = set((TOP / ".dockerignore").read_text().split("\n"))
    assert left_out >= {"instance*", "customerhub.toml", "deploy/.env", ".git", ".venv", "node_modules"}
