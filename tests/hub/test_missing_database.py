"""What `serve` and its kind say when there is no database, and that a missing data folder is not mistaken for that."""

import pytest
from click import ClickException

from crm import config
from hub.commands.running import demand_database


def test_a_missing_data_folder_says_nothing_about_a_database_elsewhere(run, house_environment, own_database):
    assert run("init").exit_code == 0
    elsewhere = config.load().with_(data_dir=str(house_environment / "not" / "there"))
    demand_database(elsewhere)


def test_a_missing_sqlite_file_is_told_and_not_made(tmp_path):
    settings = config.load({}).with_(data_dir=str(tmp_path))
    with pytest.raises(ClickException, match="no database yet"):
        demand_database(settings)
    assert list(tmp_path.iterdir()) == []
