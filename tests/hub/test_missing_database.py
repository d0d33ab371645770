"""What `serve` and its kind say when there is no database, and that a missing data folder is not mistaken for that."""

import pytest
from click import ClickException
from sqlalchemy import create_engine, text

from crm import config
from hub.commands.running import demand_database


def test_a_missing_data_folder_says_nothing_about_a_database_elsewhere(run, house_environment, own_database):
    assert run("init").exit_code == 0
    elsewhere = config.load().with_(data_dir=str(house_environment / "not" / "there"))
    demand_database(elsewhere)


def test_the_data_folder_is_made_by_init_and_by_whatever_runs(run, house_environment, monkeypatch):
    for name in ("first", "other machine"):
        monkeypatch.setenv("CUSTOMERHUB_DATA_DIR", str(house_environment / name))
        if name == "first":
            assert run("init").exit_code == 0
        else:
            demand_database(config.load())
        assert (house_environment / name).stat().st_mode & 0o777 == 0o700
        assert "data folder" not in run("doctor", "--no-dns").output


def test_a_missing_sqlite_file_is_told_and_not_made(tmp_path):
    settings = config.load({}).with_(data_dir=str(tmp_path))
    with pytest.raises(ClickException, match="no database yet"):
        demand_database(settings)
    assert list(tmp_path.iterdir()) == []


def test_a_command_on_an_empty_database_says_what_to_do(run, own_database, tmp_path, monkeypatch):
    if own_database.startswith("sqlite"):
        monkeypatch.setenv("CUSTOMERHUB_DATABASE_URL", f"sqlite:///{tmp_path}/empty.sqlite3")
    else:
        engine = create_engine(own_database)
        with engine.begin() as connection:
            connection.execute(text("DROP SCHEMA public CASCADE"))
            connection.execute(text("CREATE SCHEMA public"))
        engine.dispose()
    result = run("engagement", "judge")
    assert result.exit_code == 1
    assert "Run `customerhub init` first" in result.output
