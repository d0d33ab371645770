"""No process outlives the one that started it: each child watches its parent and ends when that is gone."""

import logging
import os
import signal
import threading
import time

log = logging.getLogger(__name__)
GRACE_SECONDS = 3.0


def end_with_parent(parent: int | None = None, seconds: float = 0.5) -> None:
    """Watch from a thread: when the parent (default: the present one) is gone, stop gracefully, at the latest by force."""
    expected = parent or os.getppid()

    def watch() -> None:
        while os.getppid() == expected:
            time.sleep(seconds)
        log.warning("the parent process is gone, this one ends", extra={"parent": expected})
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(GRACE_SECONDS)
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=watch, name="watch the parent", daemon=True).start()
