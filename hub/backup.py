"""Backup and restore: one tar file with the database, the uploads and all keys; either database engine, into the same kind.

SQLite is copied by VACUUM INTO, PostgreSQL by COPY inside one snapshot, so the house may go on working meanwhile.
"""

import io
import json
import os
import shutil
import sqlite3
import tarfile
import tempfile
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, func, inspect, select, text
from sqlalchemy.engine import make_url

from crm import clock
from crm.config import Config
from crm.db import Base, db
from crm.migrations import load_tables, revision

FORMAT = 1
LEFT_OUT = ("customerhub.sqlite3", "hits.sqlite3")  # databases are copied by their engine, not as files


class CannotRestore(Exception):
    """The backup does not fit; the sentence says what to do."""


def write(config: Config, target: Path) -> int:
    """Write a backup to `target` (compressed when its name ends in .gz); gives its size. Needs the app's context."""
    load_tables()
    fresh = target.with_name(f".{target.name}.{os.getpid()}")
    mode: Any = "w:gz" if target.name.endswith(".gz") else "w"
    options: dict[str, Any] = {"compresslevel": 1} if mode == "w:gz" else {}
    with tempfile.TemporaryDirectory(dir=target.parent) as space:
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)  # it holds all keys
        with os.fdopen(descriptor, "wb") as file, tarfile.open(fileobj=file, mode=mode, **options) as tar:
            kind = "sqlite" if config.is_sqlite else "postgresql"
            said = {"format": FORMAT, "kind": kind, "revision": revision(), "at": clock.now().isoformat()}
            tables = _copy_sqlite(tar, Path(space)) if config.is_sqlite else _copy_postgresql(tar, Path(space))
            _add_text(tar, "manifest.json", json.dumps(said | {"tables": tables}))
            # A key that was made on first start; one that is set in the environment stays there.
            for path in sorted(config.data_path.rglob("*")):
                name = path.relative_to(config.data_path).as_posix()
                if path.is_file() and not name.startswith(LEFT_OUT):
                    tar.add(path, f"files/{name}")
    fresh.rename(target)
    return target.stat().st_size


def _copy_sqlite(tar: tarfile.TarFile, space: Path) -> list[str]:
    source = make_url(db.engine.url).database or ""
    copies = {"database.sqlite3": Path(source), "hits.sqlite3": Path(source).with_name("hits.sqlite3")}
    for name, path in copies.items():
        if path.exists():
            connection = sqlite3.connect(path)
            try:
                connection.create_function("fold", 1, lambda said: said, deterministic=True)
                connection.execute("VACUUM INTO ?", [str(space / name)])
            finally:
                connection.close()
            tar.add(space / name, name)
            (space / name).unlink()
    return sorted(Base.metadata.tables)


def _copy_postgresql(tar: tarfile.TarFile, space: Path) -> list[str]:
    names = []
    with db.engine.connect() as connection:
        connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
        there = set(inspect(connection).get_table_names())
        driver: Any = connection.connection.driver_connection
        ordered = [one.name for one in Base.metadata.sorted_tables if one.name in there]
        for table in [*ordered, *sorted(there - {*ordered, "alembic_version"})]:
            path = space / table
            columns = ", ".join(
                f'"{said["name"]}"' for said in inspect(connection).get_columns(table) if not said.get("computed")
            )
            with path.open("wb") as file, driver.cursor().copy(f'COPY "{table}" ({columns}) TO STDOUT') as copy:
                for piece in copy:
                    file.write(piece)
            _add_text(tar, f"tables/{table}.columns", columns)
            tar.add(path, f"tables/{table}")
            path.unlink()
            names.append(table)
    return names


def _add_text(tar: tarfile.TarFile, name: str, content: str) -> None:
    said = tarfile.TarInfo(name)
    said.size = len(raw := content.encode())
    tar.addfile(said, io.BytesIO(raw))


def restore_files(config: Config, source: Path) -> dict[str, Any]:
    """Check the backup, put its files and a SQLite database in place; gives the manifest. Raises CannotRestore."""
    with tarfile.open(source) as tar:
        names = tar.getnames()
        if "manifest.json" not in names:
            raise CannotRestore(f"{source} is no backup of customerhub.")
        said: dict[str, Any] = json.loads(_read(tar, "manifest.json"))
        kind = "sqlite" if config.is_sqlite else "postgresql"
        if said["format"] != FORMAT or said["kind"] != kind:
            raise CannotRestore(
                f"The backup is of {said['kind']}, and CUSTOMERHUB_DATABASE_URL names {kind}. Set that to the same kind."
            )
        folder = config.data_path
        if folder.exists() and any(folder.iterdir()):
            raise CannotRestore(f"{folder} is not empty. Move it away, or name another CUSTOMERHUB_DATA_DIR.")
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for member in tar.getmembers():
            place = {"database.sqlite3": "customerhub.sqlite3", "hits.sqlite3": "hits.sqlite3"}.get(member.name)
            name = place or member.name.removeprefix("files/")
            if member.isfile() and (place or member.name.startswith("files/")):
                path = (folder / name).resolve()
                if folder.resolve() not in path.parents:
                    raise CannotRestore(f"The backup names a file outside of the data folder: {member.name}")
                path.parent.mkdir(parents=True, exist_ok=True)
                with tar.extractfile(member) as inside, path.open("wb") as out:  # type: ignore[union-attr]
                    shutil.copyfileobj(inside, out)
                path.chmod(0o600)
    return said


def _read(tar: tarfile.TarFile, name: str) -> bytes:
    inside = tar.extractfile(name)
    return inside.read() if inside else b""


def restore_tables(source: Path, tables: list[str]) -> None:
    """Fill the empty tables of a PostgreSQL database. Needs the app's context, and tables of the backup's revision."""
    with tarfile.open(source) as tar, db.engine.begin() as connection:
        members = {member.name: member for member in tar.getmembers()}
        driver: Any = connection.connection.driver_connection
        for table in tables:
            columns = _read(tar, f"tables/{table}.columns").decode()
            with driver.cursor().copy(f'COPY "{table}" ({columns}) FROM STDIN') as copy:
                inside = tar.extractfile(members[f"tables/{table}"])
                while inside and (piece := inside.read(1 << 20)):
                    copy.write(piece)
        _set_sequences(connection)


def _set_sequences(connection: Connection) -> None:
    for table in Base.metadata.sorted_tables:
        for column in table.primary_key.columns:
            sequence = connection.scalar(
                text("SELECT pg_get_serial_sequence(:t, :c)"), {"t": table.name, "c": column.name}
            )
            if sequence:
                highest = connection.scalar(select(func.max(column))) or 0
                connection.execute(text("SELECT setval(:s, :n, false)"), {"s": sequence, "n": highest + 1})


def stand_still() -> int:
    """After a restore nothing goes out by itself: mails that were under way may have been sent since. Commits.

    Sendouts come up paused "restored", a person decides; single mails that waited are cancelled. Gives the sendouts.
    """
    there = set(inspect(db.session.connection()).get_table_names())
    paused = 0
    if "sendouts" in there:
        paused = db.session.execute(
            text(
                "UPDATE sendouts SET state = 'paused', state_note = 'restored' "
                "WHERE state IN ('scheduled', 'preparing', 'sending')"
            )
        ).rowcount  # type: ignore[attr-defined]
    if "deliveries" in there:
        db.session.execute(
            text("UPDATE deliveries SET state = 'uncertain' WHERE state = 'leased' AND text_begun_at IS NOT NULL")
        )
        db.session.execute(
            text(
                "UPDATE deliveries SET state = 'cancelled' WHERE sendout_id IS NULL AND state IN ('waiting', 'leased', 'retry')"
            )
        )
        db.session.execute(text("UPDATE deliveries SET state = 'waiting' WHERE state = 'leased'"))
    db.session.execute(
        text("UPDATE jobs SET state = 'waiting', lease_until = NULL, worker = NULL WHERE state = 'leased'")
    )
    db.session.commit()
    return int(paused)
