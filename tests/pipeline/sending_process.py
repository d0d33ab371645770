"""A process that works on sendouts as the house's own does: the post office and the tick, until it is killed.

`python -m tests.pipeline.sending_process DATABASE_URL SMTP_PORT NAME FOLDER`
"""

import sys
import threading
import time

from crm.db import db
from crm.mail.sending.office import PostOffice, Rules
from crm.mail.transport import choose
from hub import orphans
from tests.apps import make_worker_app


class Quiet:
    """A progress that nobody looks at."""

    job_id, created_by_id = 0, None

    def step(self, *_said: object) -> None:
        pass

    def cancelled(self) -> bool:
        return False


def main() -> None:
    url, port, name, folder = sys.argv[1:5]
    orphans.end_with_parent()
    smtp_url = f"smtp://127.0.0.1:{port}"
    app = make_worker_app(url, smtp_url=smtp_url, data_dir=folder)
    from ecp.pipeline.worker import tick

    with app.app_context():
        engine = db.engine
        transport = choose(smtp_url, app.config["CUSTOMERHUB"].data_path)
        rules = Rules(0, 0, lease_seconds=5, first_retry_seconds=1, ledger_sync="process", connections=2)
        office = PostOffice(engine, transport, rules, app.app_context, name)
        threading.Thread(target=office.run, args=(threading.Event(),), daemon=True).start()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while True:
        with app.app_context():
            tick(Quiet())
        time.sleep(0.2)


if __name__ == "__main__":
    main()
