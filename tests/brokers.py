"""Brokers for tests: private ones on a free port, started and stopped at will; or those that the environment names.

TEST_REDIS_URL and TEST_RABBITMQ_URL name servers that run already: there only names of our own are used and removed.
"""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import pika
import pika.exceptions
import redis

from tests.databases import absent

KINDS = ("redis", "rabbitmq")
GIVEN = {"redis": "TEST_REDIS_URL", "rabbitmq": "TEST_RABBITMQ_URL"}
RABBITMQ = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
# Ends the servers when the test run is gone, also when that was killed.
WATCH = 'while kill -0 "$1" 2>/dev/null && kill -0 "$2" 2>/dev/null; do sleep 1; done; kill -TERM "$2" 2>/dev/null'


def free_port() -> int:
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        return int(place.getsockname()[1])


def given(kind: str) -> str | None:
    """The address of a running server of that kind, with a prefix that is ours alone; None when none is named."""
    url = os.environ.get(GIVEN[kind])
    if not url:
        return None
    return f"{url}{'&' if '?' in url else '?'}prefix=tests-{uuid.uuid4().hex[:10]}"


def _wait(is_ready: Callable[[], bool], process: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + 60
    while not is_ready():
        assert process.poll() is None, f"the broker ended instead of starting (code {process.returncode})"
        assert time.monotonic() < end, "the broker does not start"
        time.sleep(0.05)


class PrivateBroker:
    """A server of our own. What it held is gone after `stop()` and `start()`, unless it is kept."""

    def __init__(self, kind: str, *also: str) -> None:
        """`also`: addresses of this machine, beside its own inner one, at which it is to be reached."""
        if not (shutil.which("redis-server") if kind == "redis" else RABBITMQ.exists()):
            absent({"redis": "redis-server", "rabbitmq": "rabbitmq-server"}[kind])
        self.kind, self.port = kind, free_port()
        self.hosts = ("127.0.0.1", *also)
        self.folder = Path(tempfile.mkdtemp(prefix="broker-"))
        self.processes: list[subprocess.Popen[bytes]] = []

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

    def said(self) -> str:
        """The end of what the server wrote."""
        return (self.folder / "output").read_text(errors="replace")[-2000:]

    def stop(self) -> None:
        for process in reversed(self.processes):
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
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
        subprocess.run(
            ["sh", "-c", f"({WATCH}) &", "sh", str(os.getpid()), str(process.pid)], check=True, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def _run_rabbitmq(self) -> None:
        names, distribution = free_port(), free_port()
        listeners = [f"listeners.tcp.{n} = {host}:{self.port}\n" for n, host in enumerate(self.hosts, 1)]
        (self.folder / "r.conf").write_text("".join([*listeners, "loopback_users = none\n"]))
        (self.folder / "plugins").write_text("[].")
        place = {
            "HOME": str(self.folder),
            "ERL_EPMD_PORT": str(names),
            "RABBITMQ_NODENAME": f"t{self.port}@localhost",
            "RABBITMQ_MNESIA_BASE": str(self.folder / "m"),
            "RABBITMQ_LOG_BASE": str(self.folder / "l"),
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_CONFIG_FILE": str(self.folder / "r.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "plugins"),
            "RABBITMQ_PID_FILE": str(self.folder / "pid"),
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(distribution),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1} +S 1:1",
        }
        # Its own book of names first: otherwise the server would leave one behind that others find.
        self._run(["epmd", "-address", "127.0.0.1", "-port", str(names)], {"HOME": str(self.folder)})
        self._run([str(RABBITMQ)], place)
