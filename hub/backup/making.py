"""Making a backup while the house works: databases at one moment, then the files of the data folder; read again at the end."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crm import clock
from crm.config import Config
from crm.migrations import load_tables, present_revision
from hub.backup import archive, copying
from hub.backup.archive import BadBackup, Told

Begun = Callable[[int], Told]
"""Told how many octets there are about; gives what is told of each portion."""


@dataclass(frozen=True)
class Made:
    """What was written. `tables`: rows by table; `files`: how many of the data folder."""

    size: int
    tables: dict[str, int]
    files: int


def write(config: Config, target: Path, begun: Begun = lambda _total: lambda _octets: None) -> Made:
    """Write a backup to `target` (compressed when its name ends in .gz). Needs the app's context. Raises BadBackup.

    Nothing is at `target` until all of it was written, is on the disk and was read again and found right."""
    if not target.parent.is_dir():
        raise BadBackup(f"There is no folder {target.parent}. Make it, or name another place.")
    load_tables()
    database, kept = copying.size_of_database(config.url_of_database), list(_files(config, target))
    files = sum(path.stat().st_size for path in kept if path.exists())
    _demand_room(
        target.parent, database + max((path.stat().st_size for path in kept if path.exists()), default=0) + files
    )
    told = begun(3 * database + 2 * files)
    fresh = target.with_name(f".{target.name}.{os.getpid()}")
    manifest: dict[str, Any] = {
        "kind": "sqlite" if config.is_sqlite else "postgresql", "revision": present_revision(), "at": clock.now().isoformat(),
    }  # fmt: skip
    try:
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".backup-") as place:
            space = Path(place)
            descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)  # it holds all keys
            with (
                os.fdopen(descriptor, "wb") as file,
                archive.writing(file, target.name.endswith(".gz"), manifest, told) as tar,
            ):
                if config.is_sqlite:
                    manifest["tables"] = copying.copy_sqlite(tar, space, config.url_of_database)
                else:
                    manifest["tables"] = copying.copy_postgresql(tar, space)
                # After the database: a file is stored before the row that names it.
                count = 0
                for path in _files(config, target):
                    count += tar.add_living(f"files/{path.relative_to(config.data_path).as_posix()}", path, space)
        archive.checked(fresh, told)
        fresh.rename(target)
    finally:
        fresh.unlink(missing_ok=True)
    return Made(target.stat().st_size, manifest["tables"], count)


def _files(config: Config, target: Path) -> Iterator[Path]:
    """What lies in the data folder beside the databases; not backups, whole or in the making.

    A key that was made on first start is among it; one that is set in the environment stays there."""
    databases = (
        [str(path) for path in copying.paths_of_sqlite(config.url_of_database).values()] if config.is_sqlite else []
    )
    left_out = tuple(databases)  # with their -wal and -shm
    for path in sorted(config.data_path.rglob("*")):
        parts = path.relative_to(config.data_path).parts
        if (
            any(part.startswith(".backup-") for part in parts)
            or path == target
            or path.name.startswith(f".{target.name}.")
        ):
            continue
        if path.is_file() and not (left_out and str(path).startswith(left_out)):
            yield path


def _demand_room(folder: Path, wanted: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < wanted:
        raise BadBackup(
            f"There are {free / 1e9:.1f} GB free in {folder}, and a backup may need {wanted / 1e9:.1f} GB. Name another place."
        )
