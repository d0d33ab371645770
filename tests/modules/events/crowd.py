"""A process of a crowd: registers its share of contacts for an event by the public way, and prints what each was told, and its processor time.

`python -m tests.modules.events.crowd URL EVENT GO_AT ID,ID,…`: all processes begin at the moment GO_AT (seconds since 1970).
"""

import json
import sys
import threading
import time

THREADS = 5


def main(url: str, event_id: int, go_at: float, numbers: list[int]) -> None:
    from crm.db import db
    from crm.identity.viewer import Viewer
    from crm.modules.events import public
    from tests.apps import make_app

    app = make_app(url)
    anybody = Viewer(kind="link", name="Somebody")
    told: list[tuple[str, float]] = []

    def one(mine: list[int]) -> None:
        for number in mine:
            began = time.monotonic()
            with app.app_context():
                typed = {"first_name": "Crowd", "last_name": f"Number {number}", "email": f"crowd.{number}@example.com"}
                answer = public.register(anybody, event_id, typed)
                db.session.commit()
                db.session.remove()
            told.append((answer.status, time.monotonic() - began))

    threads = [threading.Thread(target=one, args=(numbers[n::THREADS],)) for n in range(THREADS)]
    with app.app_context():
        db.session.connection()  # the app is warm before it begins
        db.session.rollback()
    time.sleep(max(go_at - time.time(), 0))
    cpu = time.process_time()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sys.stdout.write(json.dumps({"told": told, "cpu": time.process_time() - cpu}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), [int(one) for one in sys.argv[4].split(",")])
