"""Databases for tests: a template a run and kind, a copy a worker, one private PostgreSQL cluster for the whole run.

The controller of the run makes one short-named folder and tells the xdist workers its name by the environment. Whoever
needs PostgreSQL first starts it there (under a file lock); a watching shell stops it when the controller is gone.
"""

import contextlib
import fcntl
import os
import pwd
import shutil
import sqlite3
import subprocess
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from sqlalchemy.engine import make_url

KINDS = ("sqlite", "postgresql")
FOLDER_VARIABLE = "CUSTOMERHUB_TEST_FOLDER"
OWNER_VARIABLE = "CUSTOMERHUB_TEST_OWNER"
OPTIONS = (
    "-c listen_addresses='' -c fsync=off -c synchronous_commit=off -c full_page_writes=off "
    "-c max_connections=200 -c shared_buffers=64MB"
)
# Ends the cluster when the test run is gone, also when that was killed.
WATCH = 'while kill -0 "$1" 2>/dev/null; do sleep 1; done; kill -QUIT "$(head -1 "$2/postmaster.pid")"; sleep 1; rm -rf "$3" "$4"'
MEMORY, ROOM = Path("/dev/shm"), 3 << 30


def absent(what: str) -> None:
    """Skip the test because `what` is missing; with CI=true that is a failure."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{what} is missing, and CI=true allows no such skip")
    pytest.skip(f"{what} is missing (scripts/test-services installs it on Debian)")


def open_run_folder(*, in_memory: bool = False) -> None:
    """Make the folder of this run; only in the controller. `in_memory`: the cluster's files too, where there is room.

    A database is a thousand files. On some disks (ext4 without a journal passes over what was deleted lately, file by
    file) a copy costs a second of the processor, in memory a twentieth of that.
    """
    os.environ[FOLDER_VARIABLE] = tempfile.mkdtemp(prefix="ch-")
    os.environ[OWNER_VARIABLE] = str(os.getpid())
    run_folder().chmod(0o755)  # the cluster runs as another user below it
    if in_memory and _is_room_in_memory():
        place = MEMORY / run_folder().name
        place.mkdir(mode=0o755)
        (run_folder() / "pg").symlink_to(place)


def _is_room_in_memory() -> bool:
    """Whether memory has a place for files, and so much of it is free that a cluster takes nobody else's."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        free = next(int(line.split()[1]) << 10 for line in lines if line.startswith("MemAvailable:"))
        return os.path.ismount(MEMORY) and min(free, shutil.disk_usage(MEMORY).free) >= ROOM
    except (OSError, StopIteration):
        return False


def close_run_folder() -> None:
    """Stop the cluster and remove the folder; only in the controller."""
    folder = run_folder()
    place = (folder / "pg").resolve()
    if (folder / "pg/data/postmaster.pid").exists():
        _as_postgres("pg_ctl", "-D", str(folder / "pg/data"), "-m", "immediate", "-w", "stop")
    elif os.environ.get("TEST_POSTGRES_URL"):
        _drop_all_of_this_run()
    shutil.rmtree(folder, ignore_errors=True)
    shutil.rmtree(place, ignore_errors=True)
    del os.environ[FOLDER_VARIABLE]


def run_folder() -> Path:
    return Path(os.environ[FOLDER_VARIABLE])


@contextmanager
def locked(name: str) -> Iterator[None]:
    """Alone among all workers of the run."""
    with (run_folder() / f"{name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _bin(program: str) -> str | None:
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name), reverse=True)
    return shutil.which(program, path=os.pathsep.join([*map(str, places), os.environ.get("PATH", "")]))


def _unprivileged() -> dict[str, Any]:
    """How to start a program as somebody else than root, which the server refuses to be."""
    if os.geteuid() != 0:
        return {}
    try:
        user = pwd.getpwnam("postgres")
    except KeyError:
        user = pwd.getpwnam("nobody")
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _as_postgres(program: str, *arguments: str) -> None:
    place = _bin(program)
    assert place
    folder = run_folder() / "pg"
    with (folder / "output").open("ab") as output:
        subprocess.run(
            [place, *arguments], check=True, cwd=folder, env={"HOME": str(folder), "PATH": os.environ["PATH"]},
            stdin=subprocess.DEVNULL, stdout=output, stderr=output, **_unprivileged(),
        )  # fmt: skip


def postgres_url() -> str:
    """The URL of the server of this run, without a database. Starts one when none is given and none runs."""
    given = os.environ.get("TEST_POSTGRES_URL")
    if given:
        return given
    if not _bin("initdb"):
        absent("PostgreSQL")
    folder = run_folder() / "pg"
    with locked("cluster"):
        if not (folder / "data/postmaster.pid").exists():
            folder.mkdir(exist_ok=True)  # it is there already where it leads into memory
            if os.geteuid() == 0:
                who = _unprivileged()
                os.chown(folder, who["user"], who["group"])
            data = str(folder / "data")
            also = " -c max_wal_size=256MB" if folder.is_symlink() else ""  # memory is no place for old journals
            _as_postgres("initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N")
            _as_postgres(
                "pg_ctl", "-D", data, "-w", "-l", str(folder / "log"),
                "-o", f"{OPTIONS} -c unix_socket_directories={folder}{also}", "start",
            )  # fmt: skip
            controller = os.environ[OWNER_VARIABLE]
            subprocess.run(
                ["sh", "-c", f"({WATCH}) &", "sh", controller, data, str(run_folder()), str(folder.resolve())], cwd="/", check=True,
                start_new_session=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )  # fmt: skip
    return f"postgresql+psycopg://postgres@/postgres?host={folder}"


def _administer(*statements: sql.Composed) -> None:
    url = make_url(postgres_url()).set(drivername="postgresql")
    with psycopg.connect(url.render_as_string(hide_password=False), autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)


def _prefix() -> str:
    """What the names of all databases of this run begin with; on a server that was given, runs must not meet."""
    return f"customerhub_{run_folder().name.removeprefix('ch-')}".lower()


def _drop_all_of_this_run() -> None:
    url = make_url(postgres_url()).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url, autocommit=True) as connection:
        rows = connection.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [_prefix()])
        for (name,) in rows.fetchall():
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def template(kind: str, build: Callable[[str], None], of: str = "template") -> str:
    """The name of the template database of `kind`; `build(url)` fills it, once a run. `of`: what it is a template of."""
    name = f"{_prefix()}_{of}"
    with locked(f"{of}-{kind}"):
        ready = run_folder() / f"{of}-{kind}.ready"
        if not ready.exists():
            if kind == "postgresql":
                _administer(
                    sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)),
                    sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)),
                )
            build(_url(kind, name))
            if kind == "sqlite":  # a process that built it may have left its last pages beside the file that is copied
                with contextlib.closing(sqlite3.connect(run_folder() / f"{name}.sqlite3")) as connection:
                    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            ready.touch()
    return name


def _url(kind: str, name: str) -> str:
    if kind == "sqlite":
        return f"sqlite:///{run_folder() / name}.sqlite3"
    return make_url(postgres_url()).set(database=name).render_as_string(hide_password=False)


def create(kind: str, build: Callable[[str], None], of: str = "template") -> str:
    """A new database, a copy of the template: its URL."""
    source = template(kind, build, of)
    name = f"{_prefix()}_{uuid.uuid4().hex[:10]}"
    if kind == "sqlite":
        shutil.copy(run_folder() / f"{source}.sqlite3", run_folder() / f"{name}.sqlite3")
    else:
        with locked("copying"):  # a template can be copied by one at a time
            _administer(
                sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(source)),
            )
    return _url(kind, name)


def create_empty(kind: str) -> str:
    """A new database without any table: its URL."""
    name = f"{_prefix()}_{uuid.uuid4().hex[:10]}"
    if kind == "postgresql":
        _administer(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    return _url(kind, name)


def drop(url: str) -> None:
    """Remove a database that `create` made."""
    target = make_url(url)
    assert target.database
    assert _prefix() in target.database
    if target.get_backend_name() == "sqlite":
        for end in ("", "-wal", "-shm"):
            Path(target.database + end).unlink(missing_ok=True)
    else:
        _administer(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(target.database)))


def is_controller() -> bool:
    return "PYTEST_XDIST_WORKER" not in os.environ
