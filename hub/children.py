"""The processes under the supervisor: `python -m hub.children web|worker …`, each watching its parent."""

import argparse
import os
import signal
import threading
from types import FrameType
from typing import Any, NoReturn

from crm import config as settings
from crm.jobs.engines import carriers
from hub import logs, orphans


def web(host: str, port: int, processes: int, threads: int) -> None:
    """Serve pages until a signal; granian starts `processes` processes of its own."""
    from granian import Granian
    from granian.constants import Interfaces, RuntimeModes

    server = Granian(
        "hub.children:application",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=processes,
        blocking_threads=threads,
        runtime_mode=RuntimeModes.st,  # one thread of its own carries the sockets of a process: nothing is handed on
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


def worker(name: str, queues: list[str] | None, with_clock: bool, engine: str) -> None:
    """Work until a signal: SIGTERM and SIGINT let the running jobs end, for a while (carriers.ENDING_SECONDS)."""
    from crm import create_worker_app
    from hub import working

    config = settings.load()
    config = config.with_engine(engine or config.queue_engine)
    stop = threading.Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    app = create_worker_app(config)
    work = threading.Thread(
        target=working.work,
        args=(app, config, stop, name),
        kwargs={"queues": queues, "with_clock": with_clock},
        daemon=True,  # a job that does not end in time is given back by the parent, not waited for
    )
    work.start()
    end_in_time(work, stop)


def end_in_time(work: threading.Thread, stop: threading.Event) -> NoReturn:
    """End this process with `work`, or a while after `stop` is set: threads of running jobs do not hold it."""
    while work.is_alive():
        work.join(0.2)
        if stop.is_set():
            work.join(carriers.ENDING_SECONDS + 1)
            break
    os._exit(0)


def main() -> None:
    said = argparse.ArgumentParser()
    said.add_argument("kind", choices=["web", "worker"])
    said.add_argument("--parent", type=int, required=True)
    said.add_argument("--host", default="127.0.0.1")
    said.add_argument("--port", type=int, default=8000)
    said.add_argument("--processes", type=int, default=1)
    said.add_argument("--threads", type=int, default=4)
    said.add_argument("--name", default="")
    said.add_argument("--queues", default=None)
    said.add_argument("--engine", default="")
    said.add_argument("--no-clock", action="store_true")
    known = said.parse_args()
    logs.begin(settings.load().log_level)
    orphans.end_with_parent(known.parent)
    if known.kind == "web":
        web(known.host, known.port, known.processes, known.threads)
    else:
        queues = None if known.queues is None else [one for one in known.queues.split(",") if one]
        worker(known.name, queues, not known.no_clock, known.engine)


if __name__ == "__main__":
    main()
