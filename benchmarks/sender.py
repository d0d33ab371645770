"""The process that sends in the measurement of sending: one core, three connections, until its input is closed.

python -m benchmarks.sender DATABASE_URL PORT process|power SECRET_KEY
Prints the most memory it had, in MB.
"""

from __future__ import annotations

import re
import sys
import threading
from pathlib import Path

from crm import config, create_worker_app
from crm.db import db
from crm.mail.sending.office import PostOffice, Rules
from crm.mail.transport import choose
from hub.working import load_tasks

CONNECTIONS = 3


def main() -> None:
    url, port, sync, secret = sys.argv[1:]
    server = f"smtp://127.0.0.1:{port}"
    settings = config.load({}).with_(database_url=url, secret_key=secret, smtp_url=server, ledger_sync=sync)
    app = create_worker_app(settings)
    load_tasks()
    rules = Rules(0, 0, ledger_sync=sync, connections=CONNECTIONS)
    with app.app_context():
        office = PostOffice(db.engine, choose(server, Path()), rules, app.app_context, "bench")
    stop = threading.Event()
    thread = threading.Thread(target=office.run, args=(stop,))
    thread.start()
    sys.stdin.read()
    stop.set()
    thread.join()
    sys.stdout.write(f"{_most_memory():.0f}")


def _most_memory() -> float:
    """The most memory this program had, in MB. (What getrusage says counts the process it was forked from.)"""
    status = Path("/proc/self/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found[1]) / 1024 if found else 0.0


if __name__ == "__main__":
    main()
