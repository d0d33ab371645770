"""A process that has loaded everything once and forks a child for each deed, which may kill itself at a named place.

`python -m tests.pipeline.forking_process FILE.json` (url, engine, broker, smtp, folder); a deed is a line of JSON on its input, an action of a
sendout: {"do": "pause", "sendout": 7, "die": "amid"}. The answer is how the child ended. It has no threads and no connections of its own, so that forking is safe; it ends with its input, and its children with it.
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
from ecp.pipeline import actions, prepare, schedule
from hub import orphans
from tests.apps import make_app


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
    given = json.loads(Path(sys.argv[1]).read_text())
    app = make_app(
        given["url"], queue_engine=given["engine"], queue_url=given["broker"], smtp_url=given["smtp"], data_dir=given["folder"]
    )  # fmt: skip
    assert prepare.actions is actions
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for line in sys.stdin:
        said = json.loads(line)
        pid = os.fork()
        if not pid:
            orphans.end_with_parent()
            with app.app_context():
                act(said)
            os._exit(1)
        _, status = os.waitpid(pid, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
