"""Worker processes for tests, forked from one that has loaded the house once: each costs milliseconds instead of seconds.

`start("tests.jobs.worker_process", "FILE.json", log=path)` runs `main()` of that module in a process of its own, with
`sys.argv` as given. It is as much a process as any other (connections, threads, signals, death are its own): only what
has been read from the disk is shared. The one that forks has no threads and no connections, and ends with the test run.
"""

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
import traceback
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import IO, Any, NoReturn

LOADED = ("hub.working", "crm.jobs.engines.celery", "crm.jobs.engines.dramatiq", "celery.apps.worker", "tests.apps")


class Forked:
    """One process; what tests use of `subprocess.Popen`."""

    def __init__(self, source: "Source", number: int, pid: int, stdout: IO[str]) -> None:
        self._source, self._number = source, number
        self.pid, self.stdout = pid, stdout
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """How it ended, -9 by SIGKILL; None while it runs."""
        if self.returncode is None:
            self._source.listen()
            self.returncode = self._source.ended.pop(self._number, None)
            if self.returncode is not None:
                self.stdout.close()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        end = None if timeout is None else time.monotonic() + timeout
        while (code := self.poll()) is None:
            if end is not None and time.monotonic() > end:
                raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0)
            self._source.listen(0.5 if end is None else min(0.5, max(0.0, end - time.monotonic())))
        return code

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):  # its end is not yet known here
                os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


class Source:
    """The process that forks the others, and how each of them ended."""

    def __init__(self) -> None:
        self._line, theirs = socket.socketpair()
        command = [sys.executable, "-m", __name__, str(theirs.fileno())]
        self._process = subprocess.Popen(
            command, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        )
        theirs.close()
        self._heard = b""
        self._born: list[int] = []
        self._count = 0
        self.ended: dict[int, int] = {}

    def start(self, module: str, *arguments: str, log: Path | None = None) -> Forked:
        """Run `main()` of `module`; what it writes to stderr goes to `log`."""
        self._count += 1
        said = {"number": self._count, "module": module, "arguments": arguments, "environment": dict(os.environ)}
        inner, outer = os.pipe()
        errors = os.open(log or os.devnull, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644) if log else os.dup(2)
        try:
            socket.send_fds(self._line, [json.dumps(said).encode() + b"\n"], [outer, errors])
        finally:
            os.close(outer)
            os.close(errors)
        while not self._born:
            self.listen(60)
        return Forked(self, self._count, self._born.pop(), open(inner))

    def listen(self, seconds: float = 0.0) -> None:
        """Read what the source has to tell: who was born, and how somebody ended."""
        while select.select([self._line], [], [], seconds)[0]:
            heard = self._line.recv(65536)
            if not heard:
                raise RuntimeError("the process that forks those of the tests is gone")
            self._heard += heard
            *lines, self._heard = self._heard.split(b"\n")
            for line in lines:
                said = json.loads(line)
                if "pid" in said:
                    self._born.append(said["pid"])
                else:
                    self.ended[said["number"]] = said["code"]
            seconds = 0.0


@cache
def _source() -> Source:
    return Source()


def start(module: str, *arguments: str, log: Path | None = None) -> Forked:
    """A process that runs `main()` of `module` with `arguments`; see Source.start."""
    return _source().start(module, *arguments, log=log)


# The other side -----------------------------------------------------------------------------------------------------


def fork_for(line: socket.socket) -> None:
    """Fork whatever is asked for and tell how it ended, until the other end of the line is closed."""
    waking, woken = socket.socketpair()
    waking.setblocking(False)
    woken.setblocking(False)
    signal.set_wakeup_fd(woken.fileno())
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl C goes to the test run, whose end ends this
    numbers: dict[int, int] = {}
    heard, given = b"", list[int]()
    while True:
        ready, _, _ = select.select([line, waking], [], [])
        if waking in ready:
            waking.recv(4096)
            tell_ends(line, numbers)
        if line not in ready:
            continue
        part, passed, _, _ = socket.recv_fds(line, 1 << 20, 8)
        if not part:
            return
        heard, given = heard + part, given + passed
        if not heard.endswith(b"\n"):
            continue
        said, heard = json.loads(heard), b""
        pid = os.fork()
        if not pid:
            signal.set_wakeup_fd(-1)
            for end in (line, waking, woken):
                end.close()
            become(said, *given)
        for descriptor in given:
            os.close(descriptor)
        given = []
        numbers[pid] = said["number"]
        line.sendall(json.dumps({"pid": pid}).encode() + b"\n")


def tell_ends(line: socket.socket, numbers: dict[int, int]) -> None:
    while numbers:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if not pid:
            return
        ended = {"number": numbers.pop(pid), "code": os.waitstatus_to_exitcode(status)}
        line.sendall(json.dumps(ended).encode() + b"\n")


def become(said: dict[str, Any], stdout: int, stderr: int) -> NoReturn:
    """In the new process: be what was asked for, to its end."""
    for descriptor, number in ((stdout, 1), (stderr, 2)):
        os.dup2(descriptor, number)
        os.close(descriptor)
    for number in (signal.SIGCHLD, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    os.environ.clear()
    os.environ.update(said["environment"])
    sys.argv = [said["module"], *said["arguments"]]
    code = 1
    try:
        import_module(said["module"]).main()
        code = 0
    except BaseException:  # noqa: BLE001 - whatever ends it is told, and nothing of the forking process runs on
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def main() -> None:
    for module in LOADED:
        import_module(module)
    import_module("crm.catalog").load()
    import_module("hub.working").load_tasks()
    with socket.socket(fileno=int(sys.argv[1])) as line, contextlib.suppress(BrokenPipeError, ConnectionResetError):
        fork_for(line)


if __name__ == "__main__":
    main()
