"""The whole house as processes: it answers, works, ends at a signal, and leaves nobody behind when it is killed."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.apps import SECRET
from tests.ports import free_port

pytestmark = pytest.mark.fault
ENDS_WITHIN_SECONDS = 5


class Serving:
    """`customerhub serve` on a free port."""

    def __init__(self, url: str, folder: Path) -> None:
        self.port = free_port()
        self.log = folder / "serve.log"
        environment = os.environ | {
            "CUSTOMERHUB_DATABASE_URL": url,
            "CUSTOMERHUB_DATA_DIR": str(folder),
            "CUSTOMERHUB_SECRET_KEY": SECRET,
            "CUSTOMERHUB_BASE_URL": f"http://127.0.0.1:{self.port}",
        }
        command = [sys.executable, "-m", "hub.cli", "serve", "--port", str(self.port), "--processes", "1"]
        with self.log.open("w") as log:
            self.process = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)

    def get(self, path: str) -> tuple[int, str]:
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}")
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def wait_until_up(self) -> None:
        def is_up() -> bool:
            with contextlib.suppress(OSError):
                return self.get("/readyz")[0] == 200
            return False

        wait_for(is_up, 120, self.log)
        wait_for(lambda: any(event["event"] == "worker begins" for event in self.events()), 60, self.log)

    def events(self) -> list[dict]:
        lines = self.log.read_text().splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    def family(self) -> set[int]:
        """The process and all its descendants."""
        found = {self.process.pid}
        while True:
            more = {pid for pid, parent in parents().items() if parent in found} - found
            if not more:
                return found
            found |= more


def parents() -> dict[int, int]:
    """Process → its parent, of this machine; zombies left out."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                state, parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
                if state != "Z":
                    found[int(entry.name)] = int(parent)
    return found


def wait_for(condition, seconds: float, log: Path) -> float:
    begun = time.monotonic()
    while not condition():
        assert time.monotonic() - begun < seconds, "it did not happen in time:\n" + log.read_text()[-3000:]
        time.sleep(0.1)
    return time.monotonic() - begun


@pytest.fixture
def serving(own_database, tmp_path):
    one = Serving(own_database, tmp_path)
    one.wait_until_up()
    yield one
    for pid in one.family():
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    one.process.wait()


def test_it_answers_works_and_ends_at_a_signal(serving):
    assert serving.get("/healthz") == (200, "alive\n")
    assert serving.get("/")[0] == 200
    assert serving.get("/crm/login")[0] == 200
    assert serving.get("/ecp/login")[0] == 200
    assert "customerhub_jobs" in serving.get("/metrics")[1]
    family = serving.family()
    assert len(family) >= 4  # supervisor, granian, its process, worker
    serving.process.send_signal(signal.SIGTERM)
    assert serving.process.wait(20) == 0
    assert not family & set(parents())
    assert serving.events()[-1]["event"] == "all children ended"


def test_when_it_is_killed_nobody_stays_behind(serving):
    children = serving.family() - {serving.process.pid}
    serving.process.kill()
    serving.process.wait()
    wait_for(lambda: not children & set(parents()), ENDS_WITHIN_SECONDS + 1, serving.log)


def test_a_killed_child_is_started_anew(serving):
    first = {event["child"]: event["pid"] for event in serving.events() if event["event"] == "child begins"}
    os.kill(first["worker"], signal.SIGKILL)
    os.kill(first["web"], signal.SIGKILL)
    wait_for(lambda: sum(event["event"] == "worker begins" for event in serving.events()) == 2, 60, serving.log)

    def answers() -> bool:
        with contextlib.suppress(OSError):
            return serving.get("/healthz")[0] == 200
        return False

    wait_for(answers, 60, serving.log)
    assert {event["child"] for event in serving.events() if event["event"] == "child died"} == {"worker", "web"}
