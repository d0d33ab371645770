"""Brokers for tests: private ones on a free port, started and stopped at will; or those that the environment names.

TEST_REDIS_URL and TEST_RABBITMQ_URL name servers that run already: there only names of our own are used and removed.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import pika
import pika.exceptions
import redis

from tests.databases import absent
from tests.lifelines import Lifeline
from tests.ports import free_port

KINDS = ("redis", "rabbitmq")
GIVEN = {"redis": "TEST_REDIS_URL", "rabbitmq": "TEST_RABBITMQ_URL"}
RABBITMQ = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
STARTING_SECONDS, SILENT_SECONDS = 180, 20  # on a machine that is busy


def given(kind: str) -> str | None:
    """The address of a running server of that kind, with a prefix that is ours alone; None when none is named."""
    url = os.environ.get(GIVEN[kind])
    if not url:
        return None
    return f"{url}{'&' if '?' in url else '?'}prefix=tests-{uuid.uuid4().hex[:10]}"


def _wait(is_ready: Callable[[], bool], process: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + STARTING_SECONDS
    while not is_ready():
        assert process.poll() is None, f"the broker ended instead of starting (code {process.returncode})"
        assert time.monotonic() < end, "the broker does not start"
        time.sleep(0.05)


_shared: dict[str, "PrivateBroker"] = {}


def shared(kind: str) -> str:
    """The address of a running broker of that kind that all tests of this process share; "" for no kind.

    One that ended meanwhile is started again. What the house does without its broker is asked in jobs/test_broker_lost.py;
    elsewhere a server that the machine took away would only make every test after it wait in vain.
    """
    if not kind:
        return ""
    if url := given(kind):
        return url
    if kind not in _shared:
        _shared[kind] = PrivateBroker(kind)
        _shared[kind].start()
    elif _shared[kind].is_gone():
        sys.stderr.write(f"the {kind} of these tests was gone; it had said:\n{_shared[kind].said()}\n")
        _shared[kind].stop()
        _shared[kind].start()
    return _shared[kind].url


def remove_shared() -> None:
    """End those that tests shared."""
    while _shared:
        _shared.popitem()[1].remove()


class PrivateBroker:
    """A server of our own. What it held is gone after `stop()` and `start()`, unless it is kept."""

    def __init__(self, kind: str, *also: str) -> None:
        """`also`: addresses of this machine, beside its own inner one, at which it is to be reached."""
        if not (shutil.which("redis-server") if kind == "redis" else RABBITMQ.exists()):
            absent({"redis": "redis-server", "rabbitmq": "rabbitmq-server"}[kind])
        self.kind, self.port = kind, free_port()
        self.hosts = ("127.0.0.1", *also)
        self.folder = Path(tempfile.mkdtemp(prefix="broker-"))
        self.names, self.distribution = (free_port(), free_port()) if kind == "rabbitmq" else (0, 0)
        self.processes: list[subprocess.Popen[bytes]] = []
        self.lifelines: list[Lifeline] = []

    @property
    def url(self) -> str:
        return self.url_at(self.hosts[0])

    def url_at(self, host: str) -> str:
        if self.kind == "redis":
            return f"redis://{host}:{self.port}/0"
        return f"amqp://guest:guest@{host}:{self.port}/"

    def start(self) -> None:
        """Start, empty."""
        shutil.rmtree(self.folder / "m", ignore_errors=True)
        if self.kind == "redis":
            place = [
                "--port",
                str(self.port),
                "--bind",
                *self.hosts,
                "--protected-mode",
                "no",
                "--dir",
                str(self.folder),
            ]
            self._run(["redis-server", *place, "--save", "", "--appendonly", "no"], {})
        else:
            self._run_rabbitmq()
        _wait(self.is_ready, self.processes[-1])

    def is_ready(self) -> bool:
        try:
            if self.kind == "redis":
                with redis.Redis(port=self.port) as client:
                    client.ping()
            else:
                pika.BlockingConnection(pika.URLParameters(self.url)).close()
        except (redis.RedisError, pika.exceptions.AMQPError):
            return False
        return True

    def is_gone(self) -> bool:
        """Whether it ended, or says nothing for a while; one on a busy machine may be slow."""
        end = time.monotonic() + SILENT_SECONDS
        while not self.is_ready():
            if time.monotonic() > end or any(process.poll() is not None for process in self.processes):
                return True
            time.sleep(0.2)
        return False

    def said(self) -> str:
        """The ends of what the server wrote."""
        files = [self.folder / "output", *sorted((self.folder / "l").glob("*.log")), self.folder / "erl_crash.dump"]
        return "\n".join(file.read_text(errors="replace")[-2000:] for file in files if file.exists())

    def stop(self) -> None:
        """End what was started, to the last process: a part that stays would hold the port against the next start."""
        for lifeline in self.lifelines:
            lifeline.cut()
        for process in reversed(self.processes):
            process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(20)
            with contextlib.suppress(ProcessLookupError):  # nobody is left of its group
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        self.lifelines.clear()
        self.processes.clear()

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _run(self, command: list[str], environment: dict[str, str]) -> None:
        with (self.folder / "output").open("ab") as output:
            process = subprocess.Popen(
                command, cwd=self.folder, env=os.environ | environment, stdin=subprocess.DEVNULL, stdout=output,
                stderr=output, start_new_session=True,
            )  # fmt: skip
        self.processes.append(process)
        self.lifelines.append(Lifeline('kill -TERM "$1"', str(process.pid)))

    def _run_rabbitmq(self) -> None:
        listeners = [f"listeners.tcp.{n} = {host}:{self.port}\n" for n, host in enumerate(self.hosts, 1)]
        (self.folder / "r.conf").write_text("".join([*listeners, "loopback_users = none\n"]))
        (self.folder / "plugins").write_text("[].")
        place = {
            "HOME": str(self.folder),
            "ERL_EPMD_PORT": str(self.names),
            "RABBITMQ_NODENAME": f"t{self.port}@localhost",
            "RABBITMQ_MNESIA_BASE": str(self.folder / "m"),
            "RABBITMQ_LOG_BASE": str(self.folder / "l"),
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_CONFIG_FILE": str(self.folder / "r.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "plugins"),
            "RABBITMQ_PID_FILE": str(self.folder / "pid"),
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(self.distribution),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1} +S 1:1",
        }
        # Its own book of names first: otherwise the server would leave one behind that others find.
        self._run(["epmd", "-address", "127.0.0.1", "-port", str(self.names)], {"HOME": str(self.folder)})
        self._run([str(RABBITMQ)], place)
