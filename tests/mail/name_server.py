"""A name server of our own on loopback, with a zone that tests write."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

import dns.resolver
from dnslib import QTYPE, RCODE, RR, DNSRecord
from dnslib.server import BaseResolver, DNSLogger, DNSServer


class Garbage(DNSRecord):
    """An answer that is none."""

    def pack(self) -> bytes:
        return b"\x00" * 5 + b"garbage"


class Server(DNSServer):
    """One that says nothing of what goes wrong in it: that is what some tests want."""

    def __init__(self, *said: object, **named: object) -> None:
        super().__init__(*said, **named)
        self.server.handle_error = lambda *_said: None

    def start_thread(self) -> None:
        """Looks for its end 50 times a second, so that tests do not wait for it."""
        self.thread = Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()


class Zone(BaseResolver):
    def __init__(self) -> None:
        self.records: list[RR] = []
        self.asked: list[str] = []

    def publish(self, text: str) -> None:
        self.records += RR.fromZone(text)

    def resolve(self, request: object, handler: object) -> object:
        reply = request.reply()  # type: ignore[attr-defined]
        name, kind = request.q.qname, request.q.qtype  # type: ignore[attr-defined]
        self.asked.append(f"{name} {QTYPE[kind]}")
        if "garbage." in str(name):
            return Garbage(request.header, q=request.q)  # type: ignore[attr-defined]
        if "silent." in str(name):
            raise TimeoutError  # no answer is sent at all
        if "broken." in str(name):
            reply.header.rcode = RCODE.SERVFAIL
            return reply
        same_name = [record for record in self.records if str(record.rname).lower() == str(name).lower()]
        for record in same_name:
            if record.rtype == kind:
                reply.add_answer(record)
        if not same_name:
            reply.header.rcode = RCODE.NXDOMAIN
        return reply


@contextmanager
def serving() -> Iterator[tuple[Zone, int]]:
    """A name server by UDP and TCP: its zone and its port."""
    zone, quiet = Zone(), DNSLogger(logf=lambda line: None)
    server = Server(zone, port=0, address="127.0.0.1", logger=quiet)
    port = server.server.server_address[1]
    tcp = Server(zone, port=port, address="127.0.0.1", logger=quiet, tcp=True)
    for each in (server, tcp):
        each.start_thread()
    yield zone, port
    for each in (server, tcp):
        each.stop()
        each.server.server_close()


def resolver_of(port: int) -> dns.resolver.Resolver:
    """A resolver that asks our server and nobody else."""
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers, resolver.port = ["127.0.0.1"], port
    return resolver
