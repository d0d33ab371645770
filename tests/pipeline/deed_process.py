"""One deed of a person or of the timetable, in a process that kills itself: amid the transaction, or before anybody was answered.

`main()` reads a file of JSON: url, engine, broker, smtp, folder, and the deed: {"do": "pause", "sendout": 7, "die": "amid"}.
"""

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from crm.db import db
from crm.identity.viewer import SYSTEM
from crm.mail.sending import runs
from ecp.automatic import joining
from ecp.pipeline import actions, schedule
from hub import orphans
from tests.apps import make_worker_app


def die(*_: Any, **__: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(60)


def die_after(owner: Any, name: str) -> None:
    """Die when `owner.name` has been called."""
    inner = getattr(owner, name)
    setattr(owner, name, lambda *given, **named: (inner(*given, **named), die())[0])


# Where a deed is in the midst of its transaction: the row of the sendout has moved, the rest has not.
AMID: dict[str, Callable[[], None]] = {
    "pause": lambda: die_after(runs, "pause_run"),
    "cancel": lambda: die_after(runs, "cancel_run"),
    "schedule": lambda: setattr(actions.quotas, "hold", die),
    "start_due": lambda: die_after(schedule.actions, "move"),
    "join": lambda: die_after(joining.making.actions, "move"),
}


def act(said: dict[str, Any]) -> None:
    """One action as a page does it: act, commit; killed amid the transaction, or before anybody was answered."""
    if said.get("die") == "amid":
        AMID[said["do"]]()
    if said["do"] == "schedule":
        actions.schedule(SYSTEM, said["sendout"], datetime.fromisoformat(said["at"]))
    elif said["do"] == "start_due":
        schedule.start_due()  # commits by itself
    elif said["do"] == "join":
        joining.send_owed(said["campaign"])  # this too
    else:
        getattr(actions, said["do"])(SYSTEM, said["sendout"])
    db.session.commit()
    die()


def main() -> None:
    said = json.loads(Path(sys.argv[1]).read_text())
    orphans.end_with_parent()
    app = make_worker_app(
        said["url"], queue_engine=said["engine"], queue_url=said["broker"], smtp_url=said["smtp"], data_dir=said["folder"]
    )  # fmt: skip
    with app.app_context():
        act(said)
