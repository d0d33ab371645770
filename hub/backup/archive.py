"""The file of a backup: a tar whose last member, the manifest, tells size and SHA-256 of every other one."""

import gzip
import hashlib
import io
import json
import os
import tarfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

FORMAT = 2
MANIFEST = "manifest.json"
IN_MEMORY = 4_000_000  # a file of ours up to this size is read at once, so that nobody changes it while it is written
PIECE = 1 << 20

Told = Callable[[int], None]
"""Told of so many octets that were dealt with."""


class BadBackup(Exception):
    """The file is no backup, or not whole; the sentence says what is wrong."""


@contextmanager
def _telling() -> Iterator[None]:
    """What is wrong with a file that is no tar, or not all of one, in a sentence."""
    try:
        yield
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile) as reason:
        raise BadBackup(f"The file is no backup of customerhub, or it is cut off: {reason}.") from None


class _Read:
    """A file that is read once: counts and sums up what goes through."""

    def __init__(self, file: IO[bytes], told: Told) -> None:
        self.file, self.told, self.sum, self.size = file, told, hashlib.sha256(), 0

    def read(self, size: int = -1) -> bytes:
        with _telling():
            piece = self.file.read(size)
        self.sum.update(piece)
        self.size += len(piece)
        self.told(len(piece))
        return piece


class Writing:
    """A tar that is being written."""

    def __init__(self, tar: tarfile.TarFile, told: Told) -> None:
        self.tar, self.told = tar, told
        self.members: dict[str, dict[str, Any]] = {}

    def add(self, name: str, file: IO[bytes], size: int) -> None:
        """`size` octets of a file that nobody changes any more."""
        said = tarfile.TarInfo(name)
        said.size, said.mode = size, 0o600
        read = _Read(file, self.told)
        self.tar.addfile(said, read)  # type: ignore[arg-type]
        self.members[name] = {"size": size, "sha256": read.sum.hexdigest()}

    def add_text(self, name: str, text: str) -> None:
        raw = text.encode()
        self.add(name, io.BytesIO(raw), len(raw))

    def add_copy(self, name: str, path: Path) -> None:
        """A copy that is ours alone; removed when it is in."""
        with path.open("rb") as file:
            self.add(name, file, path.stat().st_size)
        path.unlink()

    def add_living(self, name: str, path: Path, space: Path) -> bool:
        """A file that the house may change or remove meanwhile; False when it is gone."""
        try:
            file = path.open("rb")
        except FileNotFoundError:
            return False
        with file:
            if os.fstat(file.fileno()).st_size <= IN_MEMORY:
                raw = file.read()
                self.add(name, io.BytesIO(raw), len(raw))
                return True
            copy = space / "copy"
            with copy.open("wb") as out:
                while piece := file.read(PIECE):
                    out.write(piece)
            self.add_copy(name, copy)
        return True


@contextmanager
def writing(file: IO[bytes], is_compressed: bool, manifest: dict[str, Any], told: Told) -> Iterator[Writing]:
    """Write a tar to `file`; what is in `manifest` at the end goes in with the list of members."""
    mode: Any = "w:gz" if is_compressed else "w"
    options: dict[str, Any] = {"compresslevel": 1} if is_compressed else {}
    with tarfile.open(fileobj=file, mode=mode, **options) as tar:
        made = Writing(tar, told)
        yield made
        last = {**manifest, "format": FORMAT, "members": dict(made.members)}
        made.add_text(MANIFEST, json.dumps(last))
    file.flush()
    os.fsync(file.fileno())


def members(path: Path, told: Told) -> Iterator[tuple[str, _Read]]:
    """Name and content of every member, in order. Each is to be read before the next. Raises BadBackup."""
    with _telling(), tarfile.open(path, "r|*") as tar:
        for one in tar:
            inside = tar.extractfile(one) if one.isfile() else None
            if inside is None:
                raise BadBackup(f"{path.name} holds something that no backup holds: {one.name}")
            yield one.name, _Read(inside, told)


def checked(path: Path, told: Told = lambda _octets: None) -> dict[str, Any]:
    """Read the whole file and hold every member against the manifest, which is given. Raises BadBackup."""
    found: dict[str, dict[str, Any]] = {}
    said: dict[str, Any] | None = None
    for name, inside in members(path, told):
        if name == MANIFEST:
            said = json.loads(inside.read())
            continue
        while inside.read(PIECE):
            pass
        found[name] = {"size": inside.size, "sha256": inside.sum.hexdigest()}
    if said is None or "format" not in said:
        raise BadBackup(f"{path.name} is no backup of customerhub, or it is cut off: it has no manifest.")
    if said["format"] != FORMAT:
        raise BadBackup(f"{path.name} has format {said['format']}; this release reads {FORMAT}.")
    for name in sorted({*found, *said["members"]}):
        if found.get(name) != said["members"].get(name):
            raise BadBackup(f"{path.name} is damaged: {name} is not what was written.")
    return said
