"""Bringing a backup back into an empty data folder and an empty database; what came is counted against what was written."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, create_engine, func, inspect, select, text

from crm.config import Config
from crm.db import Base, db, fold_text, prepare_engine
from crm.engine.refusals import Conflict
from crm.migrations import demand_known
from hub.backup import archive, copying
from hub.backup.archive import PIECE, BadBackup, Told
from web_tracking import stores

FILES = "files/"
UNFINISHED = "restore-unfinished"
SKIPPED_IDS = 1_000_000
SKIPPED_MORE = {"deliveries": 100_000_000}
"""Ids that may have been given out since the backup and are never given again: links in mails are sealed ids."""


def demand_fitting(config: Config, said: dict[str, Any]) -> None:
    """Raise BadBackup unless the manifest `said` is of our kind of database, and that and the data folder are empty."""
    kind = "sqlite" if config.is_sqlite else "postgresql"
    if said["kind"] != kind:
        raise BadBackup(
            f"The backup is of {said['kind']}, and CUSTOMERHUB_DATABASE_URL names {kind}. Set that to the same kind."
        )
    try:
        demand_known(said["revision"])
    except Conflict as reason:
        raise BadBackup(str(reason)) from None
    folder = config.data_path
    if folder.exists() and any(folder.iterdir()):
        raise BadBackup(f"{folder} is not empty. Move it away, or name another CUSTOMERHUB_DATA_DIR.")
    if config.is_sqlite:
        for path in copying.paths_of_sqlite(config.url_of_database).values():
            if path.exists():
                raise BadBackup(f"{path} is there already. Move it away.")
        return
    engine = create_engine(config.url_of_database)
    prepare_engine(engine)
    try:
        with engine.connect() as connection:
            if inspect(connection).get_table_names():
                raise BadBackup("The database is not empty. Restore into a new one.")
    finally:
        engine.dispose()


def put_files(config: Config, source: Path, told: Told) -> None:
    """Files of the data folder, and of SQLite, to their places; nothing stays when it does not go to its end."""
    folder = config.data_path
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    databases = copying.paths_of_sqlite(config.url_of_database) if config.is_sqlite else {}
    made: list[Path] = []
    try:
        for name, inside in archive.members(source, told):
            path = databases.get(name)
            if path is None and name.startswith(FILES):
                path = (folder / name.removeprefix(FILES)).resolve()
                if folder.resolve() not in path.parents:
                    raise BadBackup(f"The backup names a file outside of the data folder: {name}")
            if path is None:
                while inside.read(PIECE):  # so that its octets are counted
                    pass
                continue
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            made.append(path)
            with path.open("wb") as out:
                path.chmod(0o600)
                while piece := inside.read(PIECE):
                    out.write(piece)
    except BaseException:
        for path in made:
            path.unlink(missing_ok=True)
        for one in folder.iterdir():
            shutil.rmtree(one) if one.is_dir() else one.unlink()
        raise


def check_sqlite(config: Config, tables: dict[str, int]) -> None:
    """Raise BadBackup unless the restored file is sound and has the rows that were written."""
    path = copying.paths_of_sqlite(config.url_of_database)["database.sqlite3"]
    with closing(sqlite3.connect(path)) as connection:
        connection.create_function("fold", 1, fold_text, deterministic=True)
        found = connection.execute("PRAGMA quick_check").fetchone()[0]
        if found != "ok":
            raise BadBackup(f"The restored database is damaged: {found}")
        demand_counts(tables, copying.count_rows(connection, copying.tables_of(connection)))


def demand_counts(wanted: dict[str, int], found: dict[str, int]) -> None:
    """Raise BadBackup for the first table whose rows are not as many as were written."""
    for name in sorted({*wanted, *found}):
        if wanted.get(name, 0) != found.get(name, 0):
            raise BadBackup(f"{name} had {wanted.get(name, 0)} rows, and {found.get(name, 0)} came back.")


def fill_tables(source: Path, tables: dict[str, int], told: Told) -> None:
    """Fill the empty tables of a PostgreSQL database, all or none. Needs the app's context, and tables of the backup's revision."""
    with db.engine.begin() as connection:
        driver: Any = connection.connection.driver_connection
        columns = ""
        for name, inside in archive.members(source, told):
            if name.endswith(".columns"):
                columns = inside.read().decode()
                continue
            if not name.startswith("tables/"):
                continue
            table = name.removeprefix("tables/")
            with driver.cursor().copy(f'COPY "{table}" ({columns}) FROM STDIN') as copy:
                while piece := inside.read(PIECE):
                    copy.write(piece)
        demand_counts(tables, copying.count_rows(driver, tables))
        _set_sequences(connection)


def _set_sequences(connection: Connection) -> None:
    there = set(inspect(connection).get_table_names())  # those of the backup's revision
    for table in [one for one in Base.metadata.sorted_tables if one.name in there]:
        for column in table.primary_key.columns:
            sequence = connection.scalar(
                text("SELECT pg_get_serial_sequence(:t, :c)"), {"t": table.name, "c": column.name}
            )
            if sequence:
                highest = connection.scalar(select(func.max(column))) or 0
                connection.execute(text("SELECT setval(:s, :n, false)"), {"s": sequence, "n": highest + 1})


def skip_ids(config: Config) -> None:
    """Leave out the ids that the house may have given out since the backup. Commits. Needs the app's context."""
    tables = [one for one in Base.metadata.sorted_tables if one.dialect_options["sqlite"]["autoincrement"]]
    with db.engine.begin() as connection:
        for table in tables:
            more = SKIPPED_MORE.get(table.name, SKIPPED_IDS)
            if config.is_sqlite:
                said = text("UPDATE sqlite_sequence SET seq = seq + :more WHERE name = :name")
                connection.execute(said, {"more": more, "name": table.name})
            else:
                said = text(
                    "SELECT setval(pg_get_serial_sequence(:name, 'id'), nextval(pg_get_serial_sequence(:name, 'id')) + :more)"
                )
                connection.execute(said, {"more": more, "name": table.name})
    store = stores.store_of(config)
    if isinstance(store, stores.FileStore) and store.path.exists():
        # What was rolled up between the two copies is marked as read: ids below the mark would be taken for that.
        store.skip(SKIPPED_IDS)


def mark_begun(config: Config) -> None:
    """From here to `mark_ended` nobody serves or sends: what is restored would go on with yesterday's mails."""
    config.data_path.mkdir(parents=True, exist_ok=True, mode=0o700)
    (config.data_path / UNFINISHED).touch(mode=0o600)


def mark_ended(config: Config) -> None:
    """The restored house stands still: it may be served."""
    (config.data_path / UNFINISHED).unlink()


def is_unfinished(config: Config) -> bool:
    """Whether a restore into this data folder was cut off."""
    return (config.data_path / UNFINISHED).exists()
