"""The command on a database of its own, in this process."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from crm.db import Database
from hub.cli import main_group
from tests.apps import SECRET


@pytest.fixture
def house_environment(own_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Settings of a house on `own_database`, in the environment; gives its data folder."""
    folder = tmp_path / "instance"
    folder.mkdir(mode=0o700)
    monkeypatch.setenv("CUSTOMERHUB_DATABASE_URL", own_database)
    monkeypatch.setenv("CUSTOMERHUB_DATA_DIR", str(folder))
    monkeypatch.setenv("CUSTOMERHUB_SECRET_KEY", SECRET)
    monkeypatch.chdir(tmp_path)
    return folder


@pytest.fixture
def run(house_environment: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """`run("user", "add", …)`: what the command answered."""
    monkeypatch.setattr("hub.logs.begin", lambda level: None)  # the test run keeps its own way of logging
    before = dict(Database._engines)

    def call(*arguments: object) -> Result:
        return CliRunner().invoke(main_group, [str(one) for one in arguments], prog_name="customerhub")

    yield call
    for url in set(Database._engines) - set(before):
        Database._engines.pop(url).dispose()
