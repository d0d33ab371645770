"""Hits over a socket: granian with the whole house on one core, the visitors on another, beside a WSGI app that only answers.

A core's hits a second are hits by the seconds of CPU that the server took (its processes, system time included), so that what
else the machine does at the time changes little; what the clock said stands in the note. PostgreSQL's own CPU is not the server's.
"""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from flask import current_app
from sqlalchemy import text

from benchmarks.world import Figure
from crm.config import Config
from crm.db import db
from tests.ports import free_port
from web_tracking.stores import Store

TURNS = 7  # a machine that stands still for 50 ms once in 4 seconds is all of a p99
TARGETS = {"sqlite": 20_000, "postgresql": 3_500}
HOUSE, BARE = "hub.wsgi:application", "benchmarks.collecting:bare"


def bare() -> Callable[[dict[str, Any], Any], Iterable[bytes]]:
    """An app that reads a hit and answers, and nothing else: what the server itself costs."""

    def answer(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        start_response("204 No Content", [("Cache-Control", "no-store")])
        return []

    return answer


def measure(kind: str, config: Config, key: str, count: int, stored: Callable[[], int]) -> list[Figure]:
    """What a core takes, and how long the slowest of a hundred waits at half of what is asked. `stored`: hits that wait."""
    url = db.engine.url.render_as_string(hide_password=False)
    with tempfile.TemporaryDirectory() as nowhere, _server(BARE, url, nowhere) as (port, pid):
        _post(port, key, count // 4)
        alone, _seen = _took(pid, lambda: _post(port, key, count))
    before = stored()
    with _server(HOUSE, url, str(config.data_path)) as (port, pid):
        _post(port, key, count // 4)
        took, fast = _took(pid, lambda: _post(port, key, count))
        half = min(TARGETS[kind] / 2, fast["answered"] / fast["seconds"] / 2)
        slow = sorted((_post(port, key, int(half * 4), half) for _turn in range(TURNS)), key=lambda one: one["p99"])
        memory = _memory(pid)
    kept, expected = stored() - before, count // 4 + count + TURNS * int(half * 4)
    if kept != expected:
        raise RuntimeError(f"{expected} hits were answered and {kept} stored")
    note = (
        f"{fast['answered'] / fast['seconds']:,.0f}/s by the clock; {took / count * 1e6:.0f} us of CPU, "
        f"{alone / count * 1e6:.0f} of them the server's own ({took / alone:.1f} times); {memory:.0f} MB"
    )
    shown = ", ".join(f"{one['p99']:.1f}" for one in slow)
    waits = f"at {half:,.0f} hits/s, the middle of {TURNS} turns of 4 s ({shown}); p50 {slow[TURNS // 2]['p50']:.1f} ms"
    more = {"clock": fast["answered"] / fast["seconds"], "bare": count / alone, "memory": memory}
    return [
        Figure(
            "hits stored before the answer", kind, count / took, "hits/s a core", f">= {TARGETS[kind]:,}", note, more
        ),
        Figure("p99 of a hit", kind, slow[TURNS // 2]["p99"], "ms", "< 10", waits),
    ]


def stored_in(store: Store) -> int:
    """How many hits wait in a store."""
    if hasattr(store, "path"):
        return int(store._connection().execute("SELECT count(*) FROM hits").fetchone()[0])
    found = int(db.session.execute(text("SELECT count(*) FROM hits")).scalar() or 0)
    db.session.rollback()
    return found


@contextlib.contextmanager
def _server(app: str, url: str, folder: str) -> Iterator[tuple[int, int]]:
    """Granian with one process of 8 threads on the first core; its port and the id of its group."""
    port, cores = free_port(), sorted(os.sched_getaffinity(0))
    environment = os.environ | {
        "CUSTOMERHUB_DATABASE_URL": url, "CUSTOMERHUB_DATA_DIR": folder, "CUSTOMERHUB_HIT_RATE": "0",
        "CUSTOMERHUB_SECRET_KEY": current_app.config["SECRET_KEY"],
    }  # fmt: skip
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--port", str(port), "--workers", "1", "--factory",
               "--blocking-threads", "8", "--runtime-mode", "st", "--no-ws", "--log-level", "error", app]  # fmt: skip
    process = subprocess.Popen(
        command, env=environment, start_new_session=True, preexec_fn=lambda: os.sched_setaffinity(0, {cores[0]})
    )
    try:
        _wait(port)
        yield port, process.pid
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _wait(port: int) -> None:
    until = time.monotonic() + 120
    while time.monotonic() < until:
        with contextlib.suppress(OSError), urlopen(f"http://127.0.0.1:{port}/t/b", timeout=5) as answer:
            if answer.status == 204:
                return
        time.sleep(0.2)
    raise RuntimeError("the server does not answer")


def _post(port: int, key: str, count: int, rate: float = 0) -> dict[str, float]:
    cores = sorted(os.sched_getaffinity(0))
    said = subprocess.run(
        [sys.executable, "-m", "benchmarks.visitors", str(port), key, str(count), str(rate)], capture_output=True, check=True, text=True,
        preexec_fn=lambda: os.sched_setaffinity(0, {cores[-1]}),
    )  # fmt: skip
    found: dict[str, float] = json.loads(said.stdout)
    if found["answered"] != count:
        raise RuntimeError(f"{found['answered']} of {count} hits were answered 204")
    return found


def _took(group: int, act: Callable[[], dict[str, float]]) -> tuple[float, dict[str, float]]:
    """Seconds of CPU that a group of processes takes for something, and what it gives."""
    before = sum(_cpu(pid) for pid in _pids(group))
    found = act()
    return sum(_cpu(pid) for pid in _pids(group)) - before, found


def _pids(group: int) -> list[int]:
    return [int(one.name) for one in Path("/proc").iterdir() if one.name.isdigit() and _is_of(int(one.name), group)]


def _is_of(pid: int, group: int) -> bool:
    try:
        return os.getpgid(pid) == group
    except ProcessLookupError:
        return False


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _memory(group: int) -> float:
    """The most memory that one of them had, in MB."""
    found = [re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text()) for pid in _pids(group)]
    return max(int(one[1]) / 1024 for one in found if one)
