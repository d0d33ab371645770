"""The processes under the supervisor: `python -m hub.children web|worker …`, each watching its parent."""

import argparse
import os
import signal
import threading
from types import FrameType
from typing import Any

from crm import config as settings
from hub import logs, orphans


def web(host: str, port: int, processes: int, threads: int) -> None:
    """Serve pages until a signal; granian starts `processes` processes of its own."""
    from granian import Granian
    from granian.constants import Interfaces

    server = Granian(
        "hub.children:application",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=processes,
        blocking_threads=threads,
        factory=True,
        websockets=False,
        log_enabled=False,
        respawn_failed_workers=True,
        workers_kill_timeout=5,
    )
    server.serve()


def application() -> Any:
    """Called by granian in each of its processes."""
    from hub.wsgi import application as house

    config = settings.load()
    logs.begin(config.log_level)
    orphans.end_with_parent()
    return house(config)


def worker(name: str, queues: list[str] | None, with_clock: bool) -> None:
    """Work until a signal: SIGTERM and SIGINT let the running jobs end, for a while."""
    from crm import create_app
    from hub import working

    config = settings.load()
    stop = threading.Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    app = create_app(config)
    work = threading.Thread(
        target=working.work,
        args=(app, config, stop, name),
        kwargs={"queues": queues, "with_clock": with_clock},
        daemon=True,  # a job that does not end in time is given back by its lease, not waited for
    )
    work.start()
    while work.is_alive():
        work.join(0.2)
        if stop.is_set():
            work.join(orphans.GRACE_SECONDS - 1)
            break
    os._exit(0)  # threads of running jobs do not hold the process


def main() -> None:
    said = argparse.ArgumentParser()
    said.add_argument("kind", choices=["web", "worker"])
    said.add_argument("--parent", type=int, required=True)
    said.add_argument("--host", default="127.0.0.1")
    said.add_argument("--port", type=int, default=8000)
    said.add_argument("--processes", type=int, default=1)
    said.add_argument("--threads", type=int, default=4)
    said.add_argument("--name", default="")
    said.add_argument("--queues", default="")
    said.add_argument("--no-clock", action="store_true")
    known = said.parse_args()
    logs.begin(settings.load().log_level)
    orphans.end_with_parent(known.parent)
    if known.kind == "web":
        web(known.host, known.port, known.processes, known.threads)
    else:
        worker(known.name, known.queues.split(",") if known.queues else None, not known.no_clock)


if __name__ == "__main__":
    main()
