"""What the rules look at: the files of the checkout that git knows or would take."""

import re
import subprocess
from functools import cache
from pathlib import Path

TOP = Path(__file__).parent.parent.parent
ROOMS = ("hub", "crm", "ecp", "surveys", "web_tracking", "self_service_portal")


@cache
def files() -> tuple[Path, ...]:
    """Every file that is tracked, or new and not ignored."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=TOP, check=True, capture_output=True, text=True).stdout.splitlines()
    return tuple(sorted({TOP / name for name in names if (TOP / name).is_file()}))


def matching(*patterns: str) -> list[Path]:
    """The files whose path from the top fits one of the regular expressions."""
    return [path for path in files() if any(re.search(one, relative(path)) for one in patterns)]


def relative(path: Path) -> str:
    return path.relative_to(TOP).as_posix()


def python_of_rooms() -> list[Path]:
    return matching(rf"^({'|'.join(ROOMS)})/.*\.py$")
