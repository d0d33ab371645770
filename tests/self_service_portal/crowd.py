"""A process of a crowd of visitors: fills in the form of a public page for its share of people, and prints what each was told.

`python -m tests.self_service_portal.crowd URL PATH GO_AT N,N,…`: all processes begin at the moment GO_AT (seconds since 1970).
"""

import json
import re
import sys
import threading
import time

THREADS = 6
SAYS = {"You have a seat.": "joined", "You are on a spare place": "spare", "The event is full": "full"}


def main(url: str, path: str, go_at: float, numbers: list[int]) -> None:
    from crm.ui import public_forms
    from hub.public import create_public_app
    from tests.apps import make_app

    public_forms.LEAST_SECONDS = 0.0  # nobody waits here for people who type
    app = create_public_app(make_app(url).config["CUSTOMERHUB"])
    told: list[tuple[int, str, float]] = []

    def one(mine: list[int]) -> None:
        visitor = app.test_client(use_cookies=False)
        for number in mine:
            # The page was opened before: what is measured is the registration.
            form = tokens[number]
            data = {
                "form": form,
                "first_name": "Crowd",
                "last_name": f"Number {number}",
                "email": f"crowd.{number}@example.com",
            }
            began = time.monotonic()
            answer = visitor.post(path, data=data, environ_base={"REMOTE_ADDR": f"127.0.1.{number % 200 + 1}"})
            said = next((word for text, word in SAYS.items() if text in answer.text), f"{answer.status_code}")
            told.append((answer.status_code, said, time.monotonic() - began))

    first = app.test_client(use_cookies=False)
    tokens = {n: re.findall(r'name="form" value="([^"]+)"', first.get(path).text)[0] for n in numbers}
    threads = [threading.Thread(target=one, args=(numbers[n::THREADS],)) for n in range(THREADS)]
    time.sleep(max(go_at - time.time(), 0))
    cpu, late = time.process_time(), max(time.time() - go_at, 0)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sys.stdout.write(json.dumps({"told": told, "cpu": time.process_time() - cpu, "late": late, "ended": time.time()}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], float(sys.argv[3]), [int(one) for one in sys.argv[4].split(",")])
