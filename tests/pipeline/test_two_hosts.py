"""Two hosts with network stacks of their own: one is cut off in the middle of a sendout and comes back; nobody has a mail twice.

Database, broker, pages, clock and a worker are here; another worker is in a network namespace, joined by one wire: the commands and
settings of docs/several-machines.md. Each host has a mail server of its own at the same address, so that the one that is cut off
could go on sending, if its ledger let it.
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

import psycopg
import pytest
from sqlalchemy import create_engine, text

from crm.db import LOOKED_AFTER_THERE, prepare_engine
from tests import databases
from tests.brokers import PrivateBroker
from tests.journeys.house import House, wait_for
from tests.journeys.letters import write_csv
from tests.journeys.test_ten_thousand_over_smtp import address, prepare
from tests.ports import free_port

PEOPLE = int(os.environ.get("TEST_PEOPLE", "5000"))
LEASE_SECONDS = 5
CONNECTIONS = 4  # of one worker
HERE, THERE = "10.214.77.1", "10.214.77.2"
SLOW = f"delay:dot:{min(0.05, 250 / PEOPLE):.4f}"  # so that the sendout is under way for a while
PATIENCE_SECONDS = 600 + PEOPLE // 20


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
        """Packets vanish, neither side is told: each sends to an address of hardware that nobody has."""
        nobody = ["lladdr", "02:00:00:00:00:01", "nud", "permanent"]
        ip("neigh", "replace", THERE, "dev", self.end, *nobody)
        ip("-n", self.namespace, "neigh", "replace", HERE, "dev", "eth0", *nobody)

    def mend(self) -> None:
        ip("neigh", "delete", THERE, "dev", self.end)
        ip("-n", self.namespace, "neigh", "delete", HERE, "dev", "eth0")

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
    """A PostgreSQL that both hosts reach: the URL of an empty database."""
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
        f"-c listen_addresses={HERE} -c port={port} -c unix_socket_directories={folder} -c fsync=off", "start",
    )  # fmt: skip
    try:
        yield f"postgresql+psycopg://postgres@{HERE}:{port}/postgres"
    finally:
        with contextlib.suppress(subprocess.CalledProcessError):  # it is gone already
            run("pg_ctl", "-D", str(data), "-m", "immediate", "-w", "stop")


class Host:
    """A mail server, here or in the namespace, and what else is started there."""

    def __init__(self, folder: Path, name: str, inside: list[str], port: int) -> None:
        self.name, self.inside = name, inside
        self.taken, self.log = folder / f"{name}.jsonl", folder / f"{name}.log"
        self.mails: list[dict[str, object]] = []
        self._read = 0
        self.processes: list[subprocess.Popen[str]] = []
        words = ["--port", str(port), "--log", str(self.taken), "--until-parent-ends", "--mode", SLOW]
        server = self.run(["-m", "tests.mail.smtp_server", *words], dict(os.environ))
        assert server.stdout is not None
        assert int(server.stdout.readline().split()[0]) == port

    def run(self, words: list[str], environment: dict[str, str]) -> "subprocess.Popen[str]":
        with self.log.open("a") as log:
            process = subprocess.Popen(
                [*self.inside, sys.executable, *words], stdout=subprocess.PIPE, stderr=log, text=True, env=environment
            )
        self.processes.append(process)
        return process

    def look(self) -> int:
        """Read what its mail server has taken since the last look; how many mails there are."""
        with self.taken.open() as file:
            file.seek(self._read)
            lines = file.readlines()
        if lines and not lines[-1].endswith("\n"):  # it is just being written
            lines.pop()
        self._read += sum(len(line) for line in lines)
        self.mails += [json.loads(line) for line in lines]
        return len(self.mails)

    def since(self, moment: float) -> list[str]:
        return [str(mail["recipient"]) for mail in self.mails if float(str(mail["at"])) > moment]

    def end(self) -> None:
        for process in reversed(self.processes):
            process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(15)
            process.kill()
            process.wait()
            process.stdout.close()  # type: ignore[union-attr]


@pytest.mark.long
@pytest.mark.fault
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("engine", ["dramatiq", "celery"])
def test_a_host_that_is_cut_off_amid_a_sendout_and_comes_back_sends_nothing_twice(
    engine: str, wire: Wire, tmp_path: Path
):
    broker, port = PrivateBroker("rabbitmq", HERE), free_port()
    with contextlib.ExitStack() as ends:
        ends.callback(broker.remove)
        broker.start()
        url = ends.enter_context(listening_database())
        here = Host(tmp_path, "here", [], port)
        ends.callback(here.end)
        there = Host(tmp_path, "there", ["ip", "netns", "exec", wire.namespace], port)
        ends.callback(there.end)
        house = House(
            url, tmp_path, queue_engine=engine, queue_url=broker.url_at(HERE), smtp_url=f"smtp://127.0.0.1:{port}",
            lease_seconds=LEASE_SECONDS,
        )  # fmt: skip
        house.set_up()
        everybody = {address(n) for n in range(PEOPLE)}
        rows = [[f"P{n}", f"Tester {n}", address(n)] for n in range(PEOPLE)]
        house.command(
            "import", "contacts", write_csv(tmp_path / "people.csv", ["First name", "Last name", "E-mail"], rows)
        )
        ends.enter_context(house.running())
        of_its_own = {"CUSTOMERHUB_DATA_DIR": str(tmp_path / "data there")}
        there.run(["-m", "hub.cli", "worker", "--queues", "default,mail"], house.environment | of_its_own)
        wait_for(lambda: there.log.read_text().count("worker begins"), 120, there.log)
        database = ends.enter_context(psycopg.connect(url.replace("+psycopg", ""), autocommit=True))

        def until(so: Callable[[], bool]) -> None:
            end = time.monotonic() + PATIENCE_SECONDS
            while not so():
                if time.monotonic() > end:
                    states = database.execute("SELECT state, count(*) FROM deliveries GROUP BY state").fetchall()
                    pytest.fail(f"{states}\n{house.log.read_text()[-3000:]}\n{there.log.read_text()[-3000:]}")
                time.sleep(0.1)

        assert looked_after(url) == LOOKED_AFTER_THERE
        sendout = prepare(house, PEOPLE)
        house.call("POST", f"/sendouts/{sendout}/starts")
        until(lambda: min(here.look(), there.look()) >= PEOPLE // 50)
        wire.cut()
        begun, before = time.time(), here.look()
        # Its rows are given to others after its lease; until then some of them are nobody's to send.
        until(lambda: time.time() - begun > LEASE_SECONDS * 2 and here.look() > before + PEOPLE // 50)
        assert house.answers()  # one worker of two is no trouble
        there.look()
        cut_off = there.since(begun)
        wire.mend()
        returned = time.time()
        until(lambda: house.read("sendouts", sendout)["state"] in {"sent", "failed"})
        here.look()
        there.look()
        asked = database.execute("SELECT email, state FROM deliveries WHERE sendout_id = %s", [sendout])
        ledger: dict[str, str] = dict(asked.fetchall())
    ours = [str(mail["recipient"]) for mail in [*here.mails, *there.mails] if str(mail["recipient"]) in everybody]
    arrived, by_state = Counter(ours), Counter(ledger.values())
    afterwards = there.since(returned)
    figures = {
        "people": PEOPLE, **by_state, "here": len(here.mails), "there": len(there.mails),
        "there while cut off": len(cut_off), "there after its return": len(afterwards),
    }  # fmt: skip
    sys.stderr.write(f"two hosts, {engine}: {json.dumps(figures)}\n")
    assert max(arrived.values()) == 1  # nobody twice
    assert set(ledger) == everybody  # nobody forgotten
    assert set(by_state) <= {"sent", "uncertain"}
    assert by_state["uncertain"] <= CONNECTIONS
    assert {email for email, state in ledger.items() if state == "sent"} <= set(arrived)  # sent means seen
    assert len(cut_off) <= CONNECTIONS  # those whose text had begun
    assert afterwards  # the one that came back works again


def looked_after(url: str) -> dict[str, int]:
    """What a session of the house has its server know of a client that vanished; over a socket none of it shows."""
    engine = create_engine(url)
    prepare_engine(engine)
    try:
        with engine.connect() as connection:
            return {name: int(connection.scalar(text(f"SHOW {name}")) or 0) for name in LOOKED_AFTER_THERE}
    finally:
        engine.dispose()
