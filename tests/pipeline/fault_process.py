"""A whole worker of the house (an engine's jobs, the clock, the post office) that kills itself at a named place.

`python -m tests.pipeline.fault_process FILE.json`; the file says: url, engine, broker, smtp, folder, name, lease, connections, and kills: a place,
a file that exists once somebody has died there, so that of several workers one dies, and for "random" after how many mails and how many seconds;
and `first`, the place in the midst of sending at which this worker dies as long as somebody has to die there.
"""

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from crm.jobs import schedule
from crm.mail.sending import office
from crm.mail.sending.claim import Claimer
from crm.mail.sending.ledger import Ledger
from crm.mail.smtp import SmtpConnection
from hub import orphans, working
from tests.apps import make_worker_app

AGAIN = ("random", "leased", "text begun", "reply read")  # places in the midst of sending
SKIPPED_FIRST = 7  # mails that go out before a kill in the midst of sending


class Fate:
    """Where this process is to die. Of the places that come again and again it is one at a time, so that all get their turn."""

    def __init__(self, kills: list[list[Any]], first: str) -> None:
        self.open: dict[str, list[list[Any]]] = {}
        for place, marker, *when in kills:
            self.open.setdefault(place, []).append([Path(marker), *when])
        self.first = first

    def next(self, place: str) -> list[Any] | None:
        """The kill that is to happen at `place` now: its file, and for "random" the moment."""
        if place in AGAIN and place != self._turn():
            return None
        return self._left(place)

    def _turn(self) -> str:
        if not self._left(self.first):
            self.first = next((place for place in AGAIN if self._left(place)), self.first)
        return self.first

    def _left(self, place: str) -> list[Any] | None:
        kills = self.open.get(place, [])
        while kills and kills[0][0].exists():
            kills.pop(0)
        return kills[0] if kills else None

    def die_at(self, place: str) -> None:
        """SIGKILL to this process, unless enough have died there already."""
        while (kill := self.next(place)) is not None:
            die_once(kill[0])


def die_once(marker: Path) -> None:
    """SIGKILL to this process, unless another has died already."""
    try:
        os.close(os.open(marker, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return
    os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(60)


def wrap(owner: Any, name: str, die: Callable[[], None], *, before: bool, skip: int = 0, when: Any = None) -> None:
    """Die before or after the (skip+1)-th call of `owner.name` that `when(arguments)` takes in."""
    inner, calls = getattr(owner, name), []

    def outer(*given: Any, **named: Any) -> Any:
        counts = when is None or when(*given, **named)
        if counts:
            calls.append(1)
        is_now = counts and len(calls) > skip
        if is_now and before:
            die()
        result = inner(*given, **named)
        if is_now and not before:
            die()
        return result

    setattr(owner, name, outer)


def die_amid(fate: Fate) -> None:
    """Die at no place in particular: some seconds after the end of so many mails, whatever is done at that moment."""
    sent: list[int] = []

    def begin() -> None:
        sent.append(1)
        kill = fate.next("random")
        if kill is not None and len(sent) >= kill[1]:
            threading.Timer(kill[2], die_once, [kill[0]]).start()

    wrap(SmtpConnection, "send", begin, before=False)


def begins(_ledger: Ledger, _ending: Any, beginning: Any) -> bool:
    return beginning is not None


def arm(place: str, fate: Fate) -> None:
    """Have this process die at `place`: the boundaries of the stages of invariants.md 2."""
    from ecp.pipeline import audience, finish, prepare
    from ecp.pipeline import worker as pipeline

    die = lambda: fate.die_at(place)  # noqa: E731
    places: dict[str, Callable[[], None]] = {
        "random": lambda: die_amid(fate),
        "before the audience": lambda: wrap(audience, "create_deliveries", die, before=True),
        "audience not committed": lambda: wrap(audience, "create_deliveries", die, before=False),
        "audience committed": lambda: wrap(pipeline.prepare, "prepare", die, before=False),
        "leased": lambda: wrap(Claimer, "claim", die, before=False, skip=1),
        "text begun": lambda: wrap(Ledger, "record", die, before=False, skip=SKIPPED_FIRST, when=begins),
        "reply read": lambda: wrap(SmtpConnection, "send", die, before=False, skip=SKIPPED_FIRST),
        "finishing": lambda: wrap(finish, "put_report", die, before=False),
        "finished": lambda: wrap(finish, "settle", die, before=False),
    }
    assert prepare.audience is audience
    places[place]()


def main() -> None:
    said = json.loads(Path(sys.argv[1]).read_text())
    orphans.end_with_parent()
    schedule.LEADS_FOR_SECONDS = 3
    app = make_worker_app(
        said["url"], queue_engine=said["engine"], queue_url=said["broker"], lease_seconds=said["lease"],
        smtp_url=said["smtp"], data_dir=said["folder"], send_rate=0.0, domain_rate=0.0, first_retry_seconds=1,
        ledger_sync="process",
    )  # fmt: skip
    working.load_tasks()
    fate = Fate(said["kills"], said.get("first", ""))
    for place in list(fate.open):
        arm(place, fate)
    rules = office.Rules
    working.Rules = lambda **named: rules(**named, connections=said["connections"])  # type: ignore[misc, assignment]
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    work = threading.Thread(
        target=working.work, args=(app, app.config["CUSTOMERHUB"], stop, said["name"]),
        kwargs={"queues": ["default", "mail"]},
    )  # fmt: skip
    work.start()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    work.join()
    os._exit(0)


if __name__ == "__main__":
    main()
