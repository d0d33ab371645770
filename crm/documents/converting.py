"""Office files → PDF by LibreOffice, which runs apart: a profile of its own, a time limit, no macros, no fetching."""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from crm.words import _

SECONDS = 60
SECONDS_A_FILE = 5
PROGRAMS = ("soffice", "libreoffice")
PDF = b"%PDF-"
ARCHIVED = 'pdf:%s_pdf_Export:{"SelectPdfVersion":{"type":"long","value":"2"}}'
SHEETS = {"xlsx", "ods"}
# Nothing outside of a document is read or run, whatever it says.
SETTINGS = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry" xmlns:xs="http://www.w3.org/2001/XMLSchema">
<item oor:path="/org.openoffice.Office.Common/Security/Scripting"><prop oor:name="DisableMacrosExecution" oor:op="fuse"><value>true</value></prop></item>
<item oor:path="/org.openoffice.Office.Common/Security/Scripting"><prop oor:name="MacroSecurityLevel" oor:op="fuse"><value>3</value></prop></item>
<item oor:path="/org.openoffice.Office.Common/Security/Scripting"><prop oor:name="BlockUntrustedRefererLinks" oor:op="fuse"><value>true</value></prop></item>
<item oor:path="/org.openoffice.Office.Common/Security/Scripting"><prop oor:name="DisableActiveContent" oor:op="fuse"><value>true</value></prop></item>
<item oor:path="/org.openoffice.Office.Writer/Content/Update"><prop oor:name="Link" oor:op="fuse"><value>2</value></prop></item>
</oor:items>
"""
NOWHERE = "http://127.0.0.1:9"  # the discard port: what asks for a proxy gets no answer


class NoEngine(Exception):
    """LibreOffice is not installed, or gave no PDF in time; the sentence says which."""


def engine() -> str | None:
    """Where LibreOffice is, or None."""
    return next((found for name in PROGRAMS if (found := shutil.which(name))), None)


def to_pdf(
    files: Sequence[tuple[str, bytes]], seconds: float | None = None, *, for_archives: bool = False
) -> list[bytes]:
    """The PDF of each file, given as (format, bytes); all by one start of the engine. Raises NoEngine.

    `for_archives`: as PDF/A-2b, with fonts and colours in it, which reads alike in thirty years."""
    program = engine()
    if program is None:
        raise NoEngine(_("LibreOffice is not installed on this machine, so no PDF can be made."))
    limit = seconds or SECONDS + SECONDS_A_FILE * len(files)
    filter = "pdf"
    if for_archives:
        kinds = {format in SHEETS for format, _data in files}
        if len(kinds) > 1:  # the filter for archives is another one for sheets
            return [to_pdf([one], seconds, for_archives=True)[0] for one in files]
        filter = ARCHIVED % ("calc" if kinds == {True} else "writer")
    for _attempt in range(2):
        found = _converted(program, files, limit, filter)
        if all(one.startswith(PDF) for one in found):  # it ends well also when it made nothing
            return found
    raise NoEngine(_("LibreOffice could not make a PDF of this document."))


def _converted(program: str, files: Sequence[tuple[str, bytes]], seconds: float, filter: str) -> list[bytes]:
    """The PDF of each file, b"" where there is none."""
    with tempfile.TemporaryDirectory(prefix="customerhub-pdf-") as folder:
        home = Path(folder)
        names = [home / f"{place}.{format}" for place, (format, _data) in enumerate(files)]
        for name, (_format, data) in zip(names, files, strict=True):
            name.write_bytes(data)
        user = home / "profile" / "user"
        user.mkdir(parents=True)
        (user / "registrymodifications.xcu").write_text(SETTINGS)
        _run(program, home, names, seconds, filter)
        made = [home / "out" / f"{name.stem}.pdf" for name in names]
        return [one.read_bytes() if one.exists() else b"" for one in made]


@lru_cache(maxsize=1)
def without_network() -> tuple[str, ...]:
    """What is put before the program so that it sees no network at all; nothing where the system does not allow that."""
    program = shutil.which("unshare")
    if program is None:
        return ()
    apart = (program, "--map-root-user", "--net", "--")
    try:
        done = subprocess.run([*apart, "true"], capture_output=True, timeout=10, check=False)
    except (OSError, subprocess.SubprocessError):
        return ()
    return apart if done.returncode == 0 else ()


def _run(program: str, home: Path, names: Sequence[Path], seconds: float, filter: str) -> None:
    said = [
        *without_network(), program, f"-env:UserInstallation=file://{home}/profile", "--headless", "--norestore", "--nolockcheck", "--nodefault",
        "--convert-to", filter, "--outdir", str(home / "out"), *map(str, names),
    ]  # fmt: skip
    known = {"HOME": str(home), "PATH": os.defpath, "LANG": "C.UTF-8", "TMPDIR": str(home)}
    known |= dict.fromkeys(["http_proxy", "https_proxy", "ftp_proxy"], NOWHERE)
    # A group of its own: the program starts others, and a TERM makes it hang.
    process = subprocess.Popen(
        said, cwd=home, env=known, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        raise NoEngine(_("LibreOffice did not finish within %(seconds)s seconds.", seconds=round(seconds))) from None
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
