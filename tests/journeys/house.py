"""A running house for the journeys: `customerhub serve` as a process of its own, its commands, its REST door, its public pages."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from tests import databases
from tests.apps import SECRET
from tests.ports import free_port

ADMIN = "ada@example.com"
PASSWORD = "green teapot under the stairs"
SENDER = "letters@kaisla.example"


def wait_for(condition: Callable[[], Any], seconds: float, log: Path | None = None, every: float = 0.1) -> Any:
    """What `condition` says as soon as it says something; fails with the end of `log` when it does not in time."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        said = log.read_text()[-4000:] if log else ""
        assert time.monotonic() < end, f"it did not happen within {seconds} s\n{said}"
        time.sleep(every)
    return found


def installed(kind: str) -> tuple[str, str]:
    """The URL of a database on which a house was set up, and its API key.

    Set up by its commands as in life, once a run and kind; every other house begins with a copy. The commands are seven
    seconds of the processor, and say the same each time.
    """
    key = databases.run_folder() / f"house-{kind}.key"

    def build(url: str) -> None:
        with tempfile.TemporaryDirectory(dir=databases.run_folder()) as folder:
            house = House(url, Path(folder))
            house.set_up()
            assert not any(house.data.iterdir()), "what the commands put there every copy of the house would miss"
            key.write_text(house.key)

    url = databases.create(kind, build, of="house")
    return url, key.read_text()


class House:
    """One installation: database, data folder, settings; `running()` serves it, `command()` is `customerhub …`."""

    def __init__(self, url: str, folder: Path, **settings: object) -> None:
        self.folder, self.port = folder, free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        self.log = folder / "serve.log"
        self.data.mkdir(exist_ok=True)
        said = {
            "database_url": url, "data_dir": folder / "data", "base_url": self.base, "send_rate": 0, "domain_rate": 0,
            "lease_seconds": 5, "first_retry_seconds": 1, "secret_key": SECRET,
        } | settings  # fmt: skip
        self.environment = os.environ | {f"CUSTOMERHUB_{name.upper()}": str(value) for name, value in said.items()}
        self.key = ""
        self.process: subprocess.Popen[bytes] | None = None
        self._client: httpx.Client | None = None

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def _rest(self) -> httpx.Client:
        if self._client is None:
            self._client = httpx.Client(base_url=self.base, timeout=60)
        return self._client

    # the command

    def command(self, *words: object, code: int = 0) -> str:
        """What `customerhub …` prints; its exit code must be `code`."""
        line = [sys.executable, "-m", "hub.cli", *map(str, words)]
        done = subprocess.run(line, env=self.environment, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == code, f"{' '.join(line)} → {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout + done.stderr

    def set_up(self) -> None:
        """An administrator, a confirmed sender address, an API key."""
        self.command("init", "--admin", ADMIN, "--password", PASSWORD)
        self.command("sender", "add", SENDER, "--name", "Kaisla", "--confirmed")
        self.key = self.command("apikey", "add", "journey", "--user", ADMIN).strip().splitlines()[-1]

    # the processes

    @contextmanager
    def running(self, *, with_worker: bool = True) -> Iterator["House"]:
        """Serve until the end of the block; then nothing of it is left."""
        line = [sys.executable, "-m", "hub.cli", "serve", "--port", str(self.port), "--processes", "1"]
        with self.log.open("ab") as log:
            words = line if with_worker else [*line, "--no-worker"]
            self.process = subprocess.Popen(words, env=self.environment, stdout=log, stderr=subprocess.STDOUT)
        try:
            wait_for(lambda: self.process.poll() is not None or self.answers(), 180, self.log)  # type: ignore[union-attr]
            assert self.process.poll() is None, self.log.read_text()[-4000:]
            if with_worker:
                wait_for(lambda: any(event.get("event") == "worker begins" for event in self.events()), 120, self.log)
            yield self
        finally:
            self._end()

    def _end(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None
        if self._client:
            self._client.close()
            self._client = None

    def answers(self) -> bool:
        with contextlib.suppress(httpx.HTTPError):
            return self._rest.get("/readyz").status_code == 200
        return False

    def events(self) -> list[dict[str, Any]]:
        """The log of the house, line by line."""
        lines = self.log.read_text(errors="replace").splitlines()
        found = []
        for line in lines:
            if line.startswith("{"):
                with contextlib.suppress(ValueError):  # the last line may be half written
                    found.append(json.loads(line))
        return found

    def worker(self) -> int | None:
        """The process that works now."""
        begun = [
            event["pid"]
            for event in self.events()
            if event.get("event") == "child begins" and event["child"] == "worker"
        ]
        return begun[-1] if begun else None

    # the REST door

    def call(self, method: str, path: str, body: Any = None, status: int | None = None, **more: Any) -> Any:
        """Ask `/api/v1…` and give its JSON; `status` is what must come back (default: any 2xx)."""
        headers = {"Authorization": f"Bearer {self.key}"} | more.pop("headers", {})
        if body is not None:
            more["content"] = json.dumps(body)
            headers["Content-Type"] = "application/vnd.api+json"
        answer = self._rest.request(method, f"/api/v1{path}", headers=headers, **more)
        fits = answer.is_success if status is None else answer.status_code == status
        assert fits, f"{method} {path} → {answer.status_code}\n{answer.text[:3000]}"
        return answer.json() if answer.content and "json" in answer.headers.get("content-type", "") else answer

    def make(self, module: str, **attributes: Any) -> int:
        """A new record by REST: its id."""
        said = {"data": {"type": module, "attributes": attributes}}
        return int(self.call("POST", f"/{module}", said, 201)["data"]["id"])

    def read(self, module: str, id: int) -> dict[str, Any]:
        found: dict[str, Any] = self.call("GET", f"/{module}/{id}")["data"]["attributes"]
        return found

    def report(self, sendout: int) -> dict[str, Any]:
        answer = self.call("GET", f"/sendouts/{sendout}/report")
        found: dict[str, Any] = answer["data"]["attributes"] if "data" in answer else answer
        return found

    def deliveries(self, sendout: int) -> list[dict[str, Any]]:
        """All deliveries of a sendout by REST, page by page."""
        found: list[dict[str, Any]] = []
        path: str | None = f"/sendouts/{sendout}/deliveries?page[size]=200"
        while path:
            answer = self.call("GET", path)
            found += [one["attributes"] | {"id": int(one["id"])} for one in answer["data"]]
            following = (answer.get("links") or {}).get("next")
            path = following.partition("/api/v1")[2] if following else None
        return found

    def wait_until(self, sendout: int, *states: str, seconds: float = 120) -> str:
        """Wait until a sendout is in one of these states; gives it."""

        def look() -> str | None:
            state = self.read("sendouts", sendout)["state"]
            return state if state in states else None

        found: str = wait_for(look, seconds, self.log, every=0.3)
        return found
