"""Ports for servers of tests."""

import fcntl
import os
import random
import socket
import tempfile
from pathlib import Path

# Below those that the system gives to connections that go out: one of them could stand there while a server is away.
PORTS = range(20_000, 32_000)


def free_port() -> int:
    """A port at which nobody listens, and which no other process of these tests is given until this one ends."""
    folder = Path(tempfile.gettempdir()) / f"customerhub-ports-{os.getuid()}"
    folder.mkdir(exist_ok=True)
    for port in random.SystemRandom().sample(PORTS, len(PORTS)):
        place = os.open(folder / str(port), os.O_RDWR | os.O_CREAT, 0o600)  # held until this process ends
        try:
            fcntl.flock(place, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with socket.socket() as there:
                there.bind(("127.0.0.1", port))
        except OSError:
            os.close(place)
        else:
            return port
    raise OSError("no port is free")
