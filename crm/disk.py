"""Room on the disk of the data folder, as this machine sees it: how much there is, and whether that is too little."""

import shutil
from pathlib import Path

LEAST_FREE_BYTES = 100_000_000


def free_bytes(folder: Path) -> int | None:
    """Room on the disk of `folder`; None when there is no such folder."""
    return shutil.disk_usage(folder).free if folder.exists() else None


def is_full(folder: Path) -> bool:
    """Whether the disk of `folder` has less room than the house needs."""
    room = free_bytes(folder)
    return room is not None and room < LEAST_FREE_BYTES
