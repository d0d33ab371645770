"""No test leaves this machine: only loopback addresses and unix sockets can be connected to."""

import ipaddress
import socket
from typing import Any


class NetworkForbidden(AssertionError):
    """A test tried to reach another machine."""


def is_here(host: Any) -> bool:
    """Whether `host` (a name, an address, None for any) is this machine."""
    if isinstance(host, bytes):
        host = host.decode("ascii", "replace")
    if host in (None, "", "localhost", "localhost.localdomain"):
        return True
    try:
        address = ipaddress.ip_address(str(host).split("%")[0])
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def check(address: Any) -> None:
    if isinstance(address, tuple) and not is_here(address[0]):
        raise NetworkForbidden(f"a test tried to reach {address[0]}:{address[1]}")


class GuardedSocket(socket.socket):
    """A socket that connects and sends to this machine only."""

    def connect(self, address: Any) -> None:
        check(address)
        super().connect(address)

    def connect_ex(self, address: Any) -> int:
        check(address)
        return super().connect_ex(address)

    def sendto(self, data: Any, *rest: Any) -> int:
        check(rest[-1])
        return super().sendto(data, *rest)


def forbid() -> None:
    """From now on, for the whole process."""
    if socket.socket is GuardedSocket:
        return
    look_up = socket.getaddrinfo

    def look_up_here(host: Any, *rest: Any, **named: Any) -> Any:
        if not is_here(host):
            raise NetworkForbidden(f"a test tried to look up {host}")
        return look_up(host, *rest, **named)

    socket.getaddrinfo = look_up_here
    socket.socket = GuardedSocket  # type: ignore[misc]
