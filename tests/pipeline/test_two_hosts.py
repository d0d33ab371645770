"""Two hosts with network stacks of their own: one is cut off in the middle of a sendout and comes back; nobody has a mail twice.

Database, broker and a worker are here; another worker is in a network namespace, joined by one wire. Each host has a mail server of its
own, so that the one that is cut off could go on sending, if its ledger let it.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from crm.mail.sending.deliveries import Delivery
from tests import databases
from tests.apps import build_template, forget_engine, make_app
from tests.brokers import PrivateBroker
from tests.pipeline.test_faults_every_engine import ask, start_sendout, state_of, states
from tests.ports import free_port

PEOPLE = int(os.environ.get("TEST_PEOPLE", "5000"))
LEASE_SECONDS = 5
CONNECTIONS = 2
HERE, THERE = "10.214.77.1", "10.214.77.2"
SLOW = "delay:dot:0.02"  # so that the sendout is under way for a while
PATIENCE_SECONDS = 600


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


class Wire:
    """A namespace and the wire to it."""

    def __init__(self) -> None:
        self.namespace, self.end = f"ch-{os.getpid()}", f"ch{os.getpid()}"

    def lay(self) -> None:
        ip("netns", "add", self.namespace)
        ip("link", "add", self.end, "type", "veth", "peer", "name", "eth0", "netns", self.namespace)
        ip("address", "add", f"{HERE}/30", "dev", self.end)
        ip("link", "set", self.end, "up")
        for command in (
            ["address", "add", f"{THERE}/30", "dev", "eth0"],
            ["link", "set", "eth0", "up"],
            ["link", "set", "lo", "up"],
        ):
            ip("-n", self.namespace, *command)

    def cut(self) -> None:
        """Packets vanish; neither side is told."""
        ip("-n", self.namespace, "link", "set", "eth0", "down")

    def mend(self) -> None:
        ip("-n", self.namespace, "link", "set", "eth0", "up")

    def remove(self) -> None:
        subprocess.run(["ip", "link", "delete", self.end], check=False, capture_output=True)
        subprocess.run(["ip", "netns", "delete", self.namespace], check=False, capture_output=True)


@pytest.fixture
def wire() -> Iterator[Wire]:
    if os.geteuid() != 0 or not shutil.which("ip"):
        databases.absent("iproute2, or the rights of root")
    made = Wire()
    try:
        try:
            made.lay()
        except subprocess.CalledProcessError as refused:
            databases.absent(f"the right to make a network namespace ({refused.stderr.decode().strip()})")
        yield made
    finally:
        made.remove()


@contextlib.contextmanager
def listening_database() -> Iterator[str]:
    """A PostgreSQL that both hosts reach: the URL of a database with all tables."""
    place, port = databases._bin("initdb"), free_port()
    if not place:
        databases.absent("PostgreSQL")
    folder = databases.run_folder() / f"two-hosts-{port}"  # the server runs as somebody else, who may look there
    programs, data, who = Path(str(place)).parent, folder / "data", databases._unprivileged()
    folder.mkdir(mode=0o755)
    if who:
        os.chown(folder, who["user"], who["group"])

    def run(program: str, *words: str) -> None:
        with (folder / "output").open("ab") as output:
            subprocess.run([programs / program, *words], check=True, stdout=output, stderr=output, cwd="/", **who)

    run("initdb", "-D", str(data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N")
    with (data / "pg_hba.conf").open("a") as file:
        file.write(f"host all all {HERE}/30 trust\n")
    run(
        "pg_ctl", "-D", str(data), "-w", "-l", str(data / "log"), "-o",
        f"-c listen_addresses=127.0.0.1,{HERE} -c port={port} -c unix_socket_directories={folder} -c fsync=off", "start",
    )  # fmt: skip
    try:
        url = f"postgresql+psycopg://postgres@127.0.0.1:{port}/postgres"
        build_template(url)
        yield url
    finally:
        with contextlib.suppress(subprocess.CalledProcessError):  # it is gone already
            run("pg_ctl", "-D", str(data), "-m", "immediate", "-w", "stop")


class Host:
    """A mail server and a worker, here or in the namespace."""

    def __init__(self, folder: Path, name: str, inside: list[str]) -> None:
        self.folder, self.name, self.inside = folder, name, inside
        self.taken = folder / f"{name}.jsonl"
        self.processes: list[subprocess.Popen[str]] = []

    def start(self, said: dict[str, object]) -> None:
        words = ["--log", str(self.taken), "--until-parent-ends", "--mode", SLOW]
        server = self._run(["-m", "tests.mail.smtp_server", *words])
        assert server.stdout is not None
        port = int(server.stdout.readline().split()[0])
        file = self.folder / f"{self.name}.json"
        file.write_text(json.dumps(said | {"name": self.name, "smtp": f"smtp://127.0.0.1:{port}", "kills": []}))
        worker = self._run(["-m", "tests.pipeline.fault_process", str(file)])
        assert worker.stdout is not None
        assert worker.stdout.readline() == "ready\n", self.log()

    def _run(self, words: list[str]) -> "subprocess.Popen[str]":
        with (self.folder / f"{self.name}.log").open("a") as log:
            process = subprocess.Popen(
                [*self.inside, sys.executable, *words], stdout=subprocess.PIPE, stderr=log, text=True
            )
        self.processes.append(process)
        return process

    def mails(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.taken.read_text().splitlines()] if self.taken.exists() else []

    def log(self) -> str:
        return (self.folder / f"{self.name}.log").read_text()[-3000:]

    def end(self) -> None:
        for process in self.processes:
            process.send_signal(signal.SIGKILL)
            process.wait()
            process.stdout.close()  # type: ignore[union-attr]


@pytest.mark.long
@pytest.mark.fault
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("engine", ["dramatiq", "celery"])
def test_a_host_that_is_cut_off_amid_a_sendout_and_comes_back_sends_nothing_twice(
    engine: str, wire: Wire, tmp_path: Path
):
    broker = PrivateBroker("rabbitmq", HERE)
    here, there = (
        Host(tmp_path, "here", []),
        Host(tmp_path, "there", ["ip", "netns", "exec", wire.namespace]),
    )
    with listening_database() as url, contextlib.ExitStack() as ends:
        ends.callback(broker.remove)
        broker.start()
        said = {
            "url": url, "engine": engine, "broker": broker.url, "folder": str(tmp_path), "lease": LEASE_SECONDS,
            "connections": CONNECTIONS,
        }  # fmt: skip
        from_there = {"url": url.replace("127.0.0.1", HERE), "broker": broker.url_at(HERE)}
        app = make_app(url, queue_engine=engine, queue_url=broker.url, data_dir=str(tmp_path))
        ends.callback(forget_engine, app)
        for host in (here, there):
            ends.callback(host.end)
            host.start(said | (from_there if host is there else {}))
        with app.app_context():
            everybody, sendout = start_sendout(PEOPLE)
            until(lambda: min(len(here.mails()), len(there.mails())) >= PEOPLE // 50, sendout, here, there)
            wire.cut()
            begun = time.time()
            before = len(here.mails())
            # Its rows are given to others after its lease; until then some of them are nobody's to send.
            until(
                lambda: time.time() - begun > LEASE_SECONDS * 2 and len(here.mails()) > before + PEOPLE // 50,
                sendout, here, there,
            )  # fmt: skip
            cut_off = [mail for mail in there.mails() if float(str(mail["at"])) > begun]
            wire.mend()
            returned = time.time()
            until(lambda: state_of(sendout) in {"sent", "failed"}, sendout, here, there)
            rows = ask(select(Delivery.email, Delivery.state).where(Delivery.sendout_id == sendout))
    arrived = Counter(str(mail["recipient"]) for mail in [*here.mails(), *there.mails()])
    by_state = Counter(row.state for row in rows)
    afterwards = [mail for mail in there.mails() if float(str(mail["at"])) > returned]
    figures = {
        "people": PEOPLE, **by_state, "here": len(here.mails()), "there": len(there.mails()),
        "there while cut off": len(cut_off), "there after its return": len(afterwards),
    }  # fmt: skip
    sys.stderr.write(f"two hosts, {engine}: {json.dumps(figures)}\n")
    assert max(arrived.values()) == 1  # nobody twice
    assert {row.email for row in rows} == everybody  # nobody forgotten
    assert set(by_state) <= {"sent", "uncertain"}
    assert by_state["uncertain"] <= CONNECTIONS
    assert {row.email for row in rows if row.state == "sent"} <= set(arrived)  # sent means seen
    assert len(cut_off) <= CONNECTIONS  # those whose text had begun
    assert afterwards  # the one that came back works again


def until(so: Callable[[], bool], sendout: int, *hosts: Host) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while not so():
        assert time.monotonic() < end, f"{states(sendout)}\n" + "\n".join(host.log() for host in hosts)
        time.sleep(0.1)
