"""The pages of several PDF in one file, put together by Poppler's pdfunite, which runs apart with a time limit."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from crm.documents.converting import NoEngine
from crm.words import _

PROGRAM = "pdfunite"
SECONDS, SECONDS_A_FILE = 60.0, 1.0


def engine() -> str | None:
    """Where pdfunite is, or None."""
    return shutil.which(PROGRAM)


def unite(files: Sequence[Path], made: Path) -> None:
    """Write the pages of `files`, in their order, to `made`; one file is copied. Raises NoEngine."""
    if len(files) == 1:
        shutil.copyfile(files[0], made)
        return
    program = engine()
    if program is None:
        raise NoEngine(_("Poppler's pdfunite is not installed on this machine, so PDF cannot be put together."))
    try:
        done = subprocess.run(
            [program, *map(str, files), str(made)], cwd=made.parent, env={"PATH": os.defpath, "LANG": "C.UTF-8"}, check=False,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            timeout=SECONDS + SECONDS_A_FILE * len(files),
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise NoEngine(_("The PDF could not be put together in time.")) from None
    if done.returncode or not made.exists():
        raise NoEngine(_("The PDF could not be put together."))
