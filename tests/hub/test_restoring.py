"""A restore that is cut off leaves no house that sends; hits that wait come back with it, and their numbers go on."""

from pathlib import Path
from typing import Any

import pytest
from click import ClickException

from crm import config
from hub.backup import standing_still
from hub.commands.running import demand_database
from tests import databases
from tests.hub.test_commands import said
from web_tracking.stores import store_of

HIT = (1_700_000_000_000, 1, None, 0, "view", "{}")


@pytest.fixture
def backup(
    run: Any, house_environment: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database_kind: str
) -> Path:
    """A backup of a house that somebody had looked at; from here on the settings are those of an empty one."""
    if database_kind == "sqlite":  # elsewhere hits are rows like others
        store_of(config.load()).put(*HIT)
    said(run("backup", tmp_path / "house.tar"))
    monkeypatch.setenv("CUSTOMERHUB_DATA_DIR", str(tmp_path / "restored"))
    monkeypatch.setenv(
        "CUSTOMERHUB_DATABASE_URL", "" if database_kind == "sqlite" else databases.create_empty(database_kind)
    )
    return tmp_path / "house.tar"


def test_a_house_whose_restore_was_cut_off_is_not_served(
    run: Any, backup: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: Any, **__: Any) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(standing_still, "stand_still", killed)
    assert run("restore", backup).exit_code != 0
    with pytest.raises(ClickException, match="was cut off"):
        demand_database(config.load())


def test_hits_come_back_and_numbers_that_were_rolled_up_since_are_not_given_again(run: Any, backup: Path) -> None:
    said(run("restore", backup))
    demand_database(config.load())
    if config.load().is_sqlite:
        store = store_of(config.load())
        store.put(*HIT)
        assert [one[0] for one in store._connection().execute("SELECT id FROM hits")] == [1, 1_000_001, 1_000_002]


def test_a_backup_into_a_folder_that_is_not_there_says_so(run: Any, backup: Path, tmp_path: Path) -> None:
    answer = run("backup", tmp_path / "nowhere" / "house.tar")
    assert answer.exit_code == 1
    assert f"There is no folder {tmp_path / 'nowhere'}." in answer.output
