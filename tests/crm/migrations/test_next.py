"""The migration after the last one, on a house with data whose workers go on: no row is lost, nobody is kept waiting."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from crm import config, migrations
from crm.db import db
from crm.engine import records
from crm.engine.channels import Channel
from crm.engine.refusals import Conflict
from crm.identity.viewer import SYSTEM
from crm.migrations import transaction
from hub.backup import restoring
from hub.backup.archive import BadBackup
from tests import databases
from tests.apps import build_template, forget_engine, make_app
from tests.crm.migrations import releases

NEXT = """
import sqlalchemy as sa
from alembic import op
revision, down_revision = "9999", "{head}"
def upgrade():
    {deed}
"""
# On SQLite: a new table, the rows copied, the old one dropped, to which those of all modules point.
WIDER = (
    'with op.batch_alter_table("entities", table_kwargs={"sqlite_autoincrement": True}) as table:\n'
    '        table.alter_column("number", existing_type=sa.String(40), type_=sa.String(60))\n'
    '        table.add_column(sa.Column("colour", sa.String(20), server_default="blue"))'
)
FAULTY = (
    'op.execute("ALTER TABLE entities ADD COLUMN colour TEXT"); op.execute("UPDATE contacts SET account_id = 999999")'
)


def append(deed: str, folder: Path, patch: pytest.MonkeyPatch) -> None:
    """One more migration at the end of the history."""
    shutil.copytree(migrations.FOLDER, folder)
    (folder / "versions" / "9999_next.py").write_text(NEXT.format(head=migrations.present_revision(), deed=deed))
    patch.setattr(migrations, "FOLDER", folder)


@pytest.fixture
def appended(own_app: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Appends a migration to the history of a house that has records of several modules."""
    releases.fill()
    return lambda deed: append(deed, tmp_path / "migrations", monkeypatch)


def rows() -> dict[str, list[Any]]:
    """All rows of the tables that say what they are, as text."""
    migrations.load_tables()
    with db.engine.connect() as connection:
        return {table.name: sorted(map(str, connection.execute(table.select()))) for table in db.metadata.sorted_tables}


def test_a_table_is_made_anew_and_no_row_that_points_to_it_is_lost(appended: Callable[[str], None]) -> None:
    before = rows()
    assert len(before["contacts"]) == 5
    appended(WIDER)
    migrations.migrate_by_history()
    assert migrations.present_revision() == "9999"
    assert rows() == before
    with db.engine.connect() as connection:
        assert set(connection.execute(text("SELECT colour FROM entities")).scalars()) == {"blue"}
    # A worker of the release before goes on, and its keys are looked after again.
    id = records.create(SYSTEM, "contacts", {"last_name": "Later", "email": "later@example.com"}, Channel.SYSTEM)
    db.session.commit()
    assert id > max(int(one.split(",")[0].strip("(")) for one in before["entities"])
    with pytest.raises(IntegrityError):
        db.session.execute(text("UPDATE contacts SET account_id = 999999"))


def test_a_migration_that_leaves_rows_that_point_to_nothing_changes_nothing(appended: Callable[[str], None]) -> None:
    before, was = rows(), migrations.present_revision()
    appended(FAULTY)
    with pytest.raises((Conflict, IntegrityError)):
        migrations.migrate_by_history()
    assert migrations.present_revision() == was
    assert rows() == before


def test_on_postgresql_whoever_reads_a_table_that_a_migration_waits_for_is_not_kept_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = databases.create("postgresql", build_template)
    app = make_app(url)
    monkeypatch.setattr(transaction, "LOCK_SECONDS", 0.2)
    with app.app_context():
        append('op.add_column("entities", sa.Column("colour", sa.String(20)))', tmp_path / "next", monkeypatch)
        backup = db.engine.connect()
        backup.execute(text("SELECT count(*) FROM entities"))
        waits = []

        def look(_seconds: float) -> None:
            """Between two tries: a page reads, then the backup is over."""
            waits.append(1)
            with db.engine.begin() as page:
                page.execute(text("SET LOCAL lock_timeout = 100"))
                page.execute(text("SELECT count(*) FROM entities"))
            backup.close()

        monkeypatch.setattr(transaction.time, "sleep", look)
        migrations.migrate_by_history()
        assert waits == [1]
        assert migrations.present_revision() == "9999"
    forget_engine(app)
    databases.drop(url)


def test_what_a_later_release_left_is_told_and_not_touched(own_app: Any) -> None:
    later = "later release"
    with pytest.raises(BadBackup, match=later):
        restoring.demand_fitting(config.current(), {"kind": db.engine.dialect.name, "revision": "9999"})
    db.session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    db.session.commit()
    with pytest.raises(Conflict, match=later):
        migrations.pending()
    with pytest.raises(Conflict, match=later):
        migrations.migrate()
