"""A thread of a worker with a clock: looks after broker and disk, and writes down since when one of them is away."""

import logging
import threading

from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from crm import disk, troubles
from crm.config import Config
from crm.db import db
from hub import figures

log = logging.getLogger(__name__)
EVERY_SECONDS = 5.0


class Watching:
    """What `look` sees is noted under the name of this worker."""

    def __init__(self, app: Flask, config: Config, name: str) -> None:
        self.config = config
        with app.app_context():
            self.watches = {one: troubles.Watch(db.engine, one, name) for one in ("queue", "disk")}

    def run(self, stop: threading.Event) -> None:
        """Look every few seconds until `stop` is set."""
        while not stop.wait(EVERY_SECONDS):
            self.look()

    def look(self) -> None:
        """Look once."""
        down = {
            "queue": figures.trouble_of_broker(self.config) is not None,
            "disk": disk.is_full(self.config.data_path),
        }
        for subject, watch in self.watches.items():
            try:
                watch.note(down[subject])
            except SQLAlchemyError as error:  # a full disk takes no note of itself; then the pages say so
                log.warning("a trouble could not be noted", extra={"subject": subject, "reason": str(error)[:200]})
