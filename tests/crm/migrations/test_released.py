"""The tables of every released version are brought up to date with their data; what was released does not change any more."""

from pathlib import Path
from typing import Any

from sqlalchemy import text

from crm import migrations
from crm.db import db
from hub.backup import archive, copying, restoring
from hub.setting_up import prepare_database
from tests import databases
from tests.apps import forget_engine, make_app
from tests.crm.migrations import releases
from tests.crm.migrations.test_history import schema


def test_each_release_comes_up_to_date_with_its_data(
    own_app: Any, own_database: str, tmp_path: Path, database_kind: str
) -> None:
    # The version that is being made is the last of them: what is kept of it when it is released works.
    releases.keep(tmp_path / "made", database_kind)
    wanted = schema(own_database)
    for release in [*releases.versions(), tmp_path / "made"]:
        assert releases.changed_since(release) == [], f"{release.name} was released: write a new migration"
        bring_up_to_date(release / f"{database_kind}.tar.gz", tmp_path / release.name / "house", database_kind, wanted)


def bring_up_to_date(file: Path, folder: Path, kind: str, wanted: dict[str, str]) -> None:
    """Restore the small house of a release, migrate it, compare tables and rows."""
    url = "" if kind == "sqlite" else databases.create_empty(kind)
    url = url or f"sqlite:///{folder}/customerhub.sqlite3"
    app = make_app(url, data_dir=str(folder))
    settings = app.config["CUSTOMERHUB"]
    said = archive.checked(file)
    restoring.put_files(settings, file, lambda _octets: None)
    with app.app_context():
        if kind == "postgresql":
            migrations.migrate(said["revision"])
            restoring.fill_tables(file, said["tables"], lambda _octets: None)
        else:
            restoring.check_sqlite(settings, said["tables"])
        prepare_database()
        assert migrations.pending() == ""
        made = schema(url)
        assert {name: made.get(name) for name in wanted if made.get(name) != wanted[name]} == {}
        assert sorted(made) == sorted(wanted)
        with db.engine.connect() as connection:
            raw: Any = connection.connection.driver_connection
            there = said["tables"].keys() & db.metadata.tables.keys()
            rows = copying.count_rows(raw, there)
        assert {name: rows[name] for name in there if rows[name] < said["tables"][name]} == {}
        names = db.session.execute(text("SELECT last_name FROM contacts ORDER BY id")).scalars()
        assert list(names) == ["Äijälä"] * 5
    forget_engine(app)
    if kind == "postgresql":
        databases.drop(url)


def test_a_migration_of_a_release_that_was_changed_is_named(tmp_path: Path) -> None:
    (tmp_path / "0.1" / "versions").mkdir(parents=True)
    migration = tmp_path / "0.1" / "versions" / "0001_all.py"
    migration.write_text("revision = '0001'\n")
    listed = tmp_path / "0.1" / releases.LISTED
    listed.write_text(releases.json.dumps(releases.migrations(tmp_path / "0.1")))
    assert [one.name for one in releases.versions(tmp_path)] == ["0.1"]
    assert releases.changed_since(tmp_path / "0.1", tmp_path / "0.1") == []
    migration.write_text("revision = '0001'  # mended\n")
    assert releases.changed_since(tmp_path / "0.1", tmp_path / "0.1") == ["0001_all.py"]
