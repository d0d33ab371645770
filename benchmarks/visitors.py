"""The browsers in the measurement of web tracking: post hits to a server over 32 connections, from one process.

python -m benchmarks.visitors PORT KEY COUNT RATE     RATE 0: as fast as they are answered
Prints JSON: how many were answered 204, in how many seconds, and the waits' p50 and p99 in ms. At a rate a wait begins when the hit was
due, not when a connection was free for it.
"""

import json
import random
import selectors
import socket
import sys
import time
from collections import deque

CONNECTIONS = 32
ORIGIN = "https://shop.example"
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"


def body(key: str, number: int) -> bytes:
    """The body of one hit; the parameters of its address include one that must not be kept."""
    said = {
        "s": key, "k": "view", "n": number, "v": f"{number % 5000:022d}", "c": 1, "t": f"Page {number % 500} of the shop", "r": "https://search.example/",
        "u": f"{ORIGIN}/products/{number % 500}?utm_source=news&utm_campaign=spring&session=3f9aB27cDe81f0g2Hh45kLm9",
    }  # fmt: skip
    return json.dumps(said).encode()


def _request(key: str, number: int) -> bytes:
    said = body(key, number)
    head = (
        f"POST /t/b HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: {ORIGIN}\r\nUser-Agent: {AGENT}\r\nContent-Type: text/plain\r\n"
        f"Accept: */*\r\nReferer: {ORIGIN}/\r\nContent-Length: {len(said)}\r\n\r\n"
    )
    return head.encode() + said


def run(port: int, key: str, count: int, rate: float) -> dict[str, float]:
    """Post `count` hits; what came of it."""
    dice = random.Random(count)
    first = dice.randrange(2**40)
    asked = [_request(key, first + n) for n in range(count)]
    free: deque[socket.socket] = deque()
    waiting = selectors.DefaultSelector()
    for _n in range(CONNECTIONS):
        made = socket.create_connection(("127.0.0.1", port))
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        free.append(made)
        waiting.register(made, selectors.EVENT_READ)
    due: dict[socket.socket, float] = {}
    waits: list[float] = []
    answered = sent = done = 0
    began = time.perf_counter()
    while done < count:
        now = time.perf_counter()
        while free and sent < count:
            at = began + sent / rate if rate else now
            if at > now:
                break
            one = free.popleft()
            one.send(asked[sent])
            due[one] = at
            sent += 1
        for key_of, _events in waiting.select(0 if rate else None):
            one = key_of.fileobj  # type: ignore[assignment]
            said = one.recv(4096)
            if not said:
                raise ConnectionError("the server hung up")
            waits.append(time.perf_counter() - due[one])
            answered += said.startswith(b"HTTP/1.1 204")
            free.append(one)
            done += 1
    seconds = time.perf_counter() - began
    waits.sort()
    return {
        "answered": answered,
        "seconds": seconds,
        "p50": waits[count // 2] * 1000,
        "p99": waits[int(count * 0.99)] * 1000,
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(run(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), float(sys.argv[4]))))
