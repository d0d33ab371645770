"""A misbehaving SMTP server for tests and benchmarks: fast as a sink, and wrong in every way a real one can be.

In a test:      `with running("refuse:rcpt:550 5.1.1 no such user:3%", "limit:100") as server: server.port, server.log`
On its own:     `python -m tests.mail.smtp_server --port 2525 --log taken.jsonl --mode close:dot:5% --mode no-pipelining`
                (`--port 0` picks a free one; the first line it prints is the port)

Modes (any number; shares are decided by the recipient's address, so a test knows whom they hit; `#5` means every fifth):
    refuse:STAGE:REPLY[:SHARE]   answer REPLY at mail, rcpt, data or dot (`refuse:dot:451 4.3.0 try later:10%`)
    refuse-once:STAGE:REPLY[:SHARE]   the same, but only the first time for each recipient
    close:STAGE[:SHARE]          end the connection at banner, ehlo, mail, rcpt, data (before 354), text (amid) or dot (after it, no reply)
    limit:N                      421 at MAIL after N mails a connection
    delay:STAGE:SECONDS[:SHARE]  wait before the answer at banner, ehlo, mail, rcpt, data or dot
    reply-then-close:dot[:SHARE]  250 after the dot, then close
    no-pipelining no-size no-8bitmime no-smtputf8      extensions that are not offered
    size:N                       offers SIZE N and refuses larger
    starttls, tls                with a self-made certificate (`server.certificate` is its file)
    inject                       sends a plain reply right behind the 220 of STARTTLS
    login:USER:PASSWORD          AUTH PLAIN and LOGIN demanded
    garbage:STAGE                something that is no reply
    strict                       bare CR or LF, lines over 998 octets: 550 at the dot
    keep                         the text is kept in the log too

Every mail whose final dot arrived is a line of the log: {"sender", "recipient", "reply", "octets", "at", "connection", "text"}.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import contextlib
import datetime
import io
import ipaddress
import json
import os
import ssl
import sys
import tempfile
import threading
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

END = b"\r\n.\r\n"


@dataclass
class Rule:
    verb: str
    stage: str
    words: str
    share: str
    seen: set[str] = field(default_factory=set)
    count: int = 0

    def hits(self, recipient: str) -> bool:
        """Whether this rule applies now; counts and remembers as its kind wants."""
        if self.share.startswith("#"):
            self.count += 1
            if self.count % int(self.share[1:]):
                return False
        elif self.share.startswith("@"):
            if not recipient.endswith(self.share):
                return False
        elif self.share and not chosen(recipient, self.share):
            return False
        if self.verb == "refuse-once":
            if recipient in self.seen:
                return False
            self.seen.add(recipient)
        return True


def chosen(recipient: str, share: str) -> bool:
    """Whether a share like `3%` takes in this recipient; the same for ever."""
    return zlib.crc32(recipient.encode()) % 1000 < float(share.rstrip("%")) * 10


class Behaviour:
    """All modes of one server, read from their spellings."""

    def __init__(self, *modes: str) -> None:
        self.flags = {mode for mode in modes if ":" not in mode}
        self.rules: dict[str, list[Rule]] = {}
        self.limit = self.size = 0
        self.login = ""
        for mode in modes:
            verb, _, rest = mode.partition(":")
            if verb == "limit":
                self.limit = int(rest)
            elif verb == "size":
                self.size = int(rest)
            elif verb == "login":
                self.login = rest
            elif rest:
                parts = rest.split(":")
                share = parts.pop() if parts[-1].endswith("%") or parts[-1][:1] in {"#", "@"} else ""
                stage = parts.pop(0) if parts else "dot"
                self.rules.setdefault(stage, []).append(Rule(verb, stage, ":".join(parts), share))

    def offers(self, peer: Peer) -> list[str]:
        out = ["mx.example.test"]
        if "no-pipelining" not in self.flags:
            out.append("PIPELINING")
        if "no-size" not in self.flags:
            out.append(f"SIZE {self.size or 50_000_000}")
        if "no-8bitmime" not in self.flags:
            out.append("8BITMIME")
        if "no-smtputf8" not in self.flags:
            out.append("SMTPUTF8")
        if "starttls" in self.flags and not peer.is_tls:
            out.append("STARTTLS")
        if self.login and (peer.is_tls or "starttls" not in self.flags):
            out.append("AUTH PLAIN LOGIN")
        return out


class SmtpSink:
    """The server: listens on loopback, keeps its log in memory or in a file."""

    def __init__(self, *modes: str, port: int = 0, log: Path | None = None) -> None:
        self.behaviour = Behaviour(*modes)
        self.log: list[dict[str, object]] = []
        self.connections = 0
        self.commands: list[str] = []  # of all connections, for tests of what was said
        self.refused: list[tuple[str, str, str]] = []  # stage, recipient, reply
        self.port = port
        self.certificate: Path | None = None
        self._file: io.FileIO | None = log.open("ab", buffering=0) if log else None  # type: ignore[assignment]
        self._server: asyncio.Server | None = None
        self._peers: set[Peer] = set()
        self.context: ssl.SSLContext | None = None

    async def start(self) -> None:
        if self.behaviour.flags & {"tls", "starttls"}:
            self.certificate, self.context = make_certificate()
        loop = asyncio.get_running_loop()
        tls = self.context if "tls" in self.behaviour.flags else None
        self._server = await loop.create_server(lambda: Peer(self), "127.0.0.1", self.port, ssl=tls)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._server:
            self._server.close()
        for peer in list(self._peers):
            peer.transport.abort()
        await asyncio.sleep(0)

    def take(self, entry: dict[str, object]) -> None:
        if self._file:
            self._file.write(json.dumps(entry).encode() + b"\n")
        else:
            self.log.append(entry)

    @property
    def taken(self) -> list[str]:
        """Recipients of mails whose final dot arrived and was not refused: the server has them."""
        return [str(entry["recipient"]) for entry in self.log if str(entry["reply"])[:1] not in "45"]


class Peer(asyncio.Protocol):
    """One connection."""

    def __init__(self, sink: SmtpSink) -> None:
        self.sink = sink
        self.behaviour = sink.behaviour
        self.buffer = bytearray()
        self.in_text = False
        self.reads_text = bool(sink.behaviour.flags & {"strict", "keep"})
        self.is_tls = "tls" in sink.behaviour.flags
        self.mails = 0
        self.sender: str | None = None
        self.recipient = ""
        self.has_recipient = False
        self.busy = False  # a delayed answer is due: later commands wait
        self.auth: list[str] = []
        self.user = ""
        self.number = 0
        self.out: list[bytes] = []  # replies not yet written

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: asyncio.Transport = transport  # type: ignore[assignment]
        self.sink._peers.add(self)
        if self.number:
            return  # STARTTLS comes here again
        self.sink.connections += 1
        self.number = self.sink.connections
        self.answer("banner", "220 mx.example.test ESMTP")
        self.flush()

    def connection_lost(self, exc: Exception | None) -> None:
        self.sink._peers.discard(self)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        if not self.busy:
            self.work(len(data))
            self.flush()

    def flush(self) -> None:
        """Write the replies that have gathered in one piece."""
        if self.out:
            self.transport.write(b"".join(self.out))
            self.out.clear()

    def hang_up(self) -> None:
        self.flush()
        self.transport.close()

    def work(self, fresh: int = 1 << 30) -> None:
        while self.buffer and not self.busy and not self.transport.is_closing():
            if self.in_text:
                if len(self.buffer) > 2 and self.ruled("text", "close"):
                    self.transport.abort()
                    return
                end = self.buffer.find(END, max(0, len(self.buffer) - fresh - 4))
                if end < 0:
                    return
                text = bytes(memoryview(self.buffer)[2 : end + 2]) if self.reads_text else b""
                del self.buffer[: end + 5]
                self.in_text = False
                self.finish(text, end)
            else:
                end = self.buffer.find(b"\n")
                if end < 0:
                    return
                line = bytes(self.buffer[:end]).rstrip(b"\r").decode("utf-8", "replace")
                del self.buffer[: end + 1]
                self.command(line)
            fresh = 1 << 30

    def ruled(self, stage: str, verb: str) -> Rule | None:
        for rule in self.behaviour.rules.get(stage, ()):
            if rule.verb == verb and rule.hits(self.recipient):
                return rule
        return None

    def answer(self, stage: str, reply: str) -> str:
        """Give the reply of a stage as the rules want it; returns what was said ("" when the connection was closed)."""
        reply, delay = self.decide(stage, reply)
        self.give(reply, delay, at_once=stage == "banner")
        return reply

    def decide(self, stage: str, reply: str) -> tuple[str, float]:
        """The reply that the rules of a stage want ("" to close) and how long to wait before it."""
        if stage not in self.behaviour.rules:
            return reply, 0
        if self.ruled(stage, "close"):
            return "", 0
        if self.ruled(stage, "garbage"):
            reply = "what do you want from me?"
        rule = self.ruled(stage, "refuse") or self.ruled(stage, "refuse-once")
        if rule:
            reply = rule.words
            self.sink.refused.append((stage, self.recipient, reply))
        delay = self.ruled(stage, "delay")
        return reply, float(delay.words) if delay else 0

    def give(self, reply: str, delay: float, at_once: bool = False) -> None:
        if not reply:
            self.transport.abort() if at_once else self.hang_up()
        elif delay:
            self.busy = True
            asyncio.get_running_loop().call_later(delay, self.late, reply)
        else:
            self.say(reply)

    def say(self, reply: str) -> None:
        self.out.append(reply.encode() + b"\r\n")
        if reply.startswith("421"):
            self.hang_up()

    def late(self, reply: str) -> None:
        self.busy = False
        if not self.transport.is_closing():
            self.say(reply)
            self.work()
            self.flush()

    def command(self, line: str) -> None:
        self.sink.commands.append(line)
        if self.auth:
            self.log_in(line)
            return
        verb, _, rest = line.partition(" ")
        verb = verb.upper()
        if verb in ("EHLO", "HELO"):
            self.sender, self.has_recipient = None, False
            offers = self.behaviour.offers(self) if verb == "EHLO" else ["mx.example.test"]
            reply = "\r\n".join(f"250{'-' if each is not offers[-1] else ' '}{each}" for each in offers)
            self.answer("ehlo", reply)
        elif verb == "STARTTLS":
            self.start_tls()
        elif verb == "AUTH":
            self.log_in(rest)
        elif verb == "MAIL":
            self.mail(rest)
        elif verb == "RCPT":
            if self.sender is None:
                self.say("503 5.5.1 MAIL first")
                return
            self.recipient = rest[rest.index("<") + 1 : rest.rindex(">")]
            self.has_recipient = self.answer("rcpt", "250 2.1.5 ok").startswith("2")
        elif verb == "DATA":
            if not self.has_recipient:
                self.say("503 5.5.1 no valid recipients")
                return
            if self.answer("data", "354 go ahead").startswith("354"):
                self.in_text = True
                self.buffer[:0] = b"\r\n"  # so that a text of one dot ends too
        elif verb == "RSET":
            self.sender, self.has_recipient = None, False
            self.say("250 2.0.0 ok")
        elif verb == "NOOP":
            self.say("250 2.0.0 ok")
        elif verb == "QUIT":
            self.say("221 2.0.0 bye")
            self.hang_up()
        else:
            self.say("500 5.5.2 what?")

    def mail(self, rest: str) -> None:
        if self.behaviour.limit and self.mails >= self.behaviour.limit:
            self.say("421 4.7.0 too many mails in one connection")
            return
        if self.behaviour.login and not self.user:
            self.say("530 5.7.0 log in first")
            return
        if self.sender is not None:
            self.say("503 5.5.1 nested MAIL")
            return
        self.recipient = ""
        if self.answer("mail", "250 2.1.0 ok").startswith("2"):
            self.sender = rest[rest.index("<") + 1 : rest.rindex(">")]

    def finish(self, text: bytes, octets: int) -> None:
        self.mails += 1
        sender, self.sender, self.has_recipient = self.sender, None, False
        reply = "250 2.0.0 taken"
        if "strict" in self.behaviour.flags and (fault := breach(text)):
            reply = f"550 5.6.0 {fault}"
        if self.behaviour.size and octets > self.behaviour.size:
            reply = "552 5.3.4 too big"
        reply, delay = self.decide("dot", reply)
        entry: dict[str, object] = {"sender": sender, "recipient": self.recipient, "reply": reply, "octets": octets}
        entry |= {"at": time.time(), "connection": self.number}
        if "keep" in self.behaviour.flags:
            entry["text"] = text.replace(b"\r\n..", b"\r\n.").decode("utf-8", "surrogateescape")
        self.sink.take(entry)  # before the reply: who has read it finds the entry
        self.give(reply, delay)
        if self.behaviour.rules.get("dot") and self.ruled("dot", "reply-then-close"):
            self.hang_up()

    def start_tls(self) -> None:
        if "starttls" not in self.behaviour.flags or self.is_tls:
            self.say("502 5.5.1 no")
            return
        self.is_tls = True
        inject = b"250-mx.example.test\r\n250 PIPELINING\r\n" if "inject" in self.behaviour.flags else b""
        self.flush()
        self.transport.write(b"220 2.0.0 go ahead\r\n" + inject)
        self.busy = True
        self.buffer.clear()

        async def upgrade() -> None:
            loop = asyncio.get_running_loop()
            try:
                secured = await loop.start_tls(self.transport, self, self.sink.context, server_side=True)  # type: ignore[arg-type]
            except (OSError, ssl.SSLError):
                return
            self.transport = secured  # type: ignore[assignment]
            self.busy = False
            self.work()
            self.flush()

        self.upgrading = asyncio.ensure_future(upgrade())

    def log_in(self, words: str) -> None:
        """AUTH PLAIN with an initial answer, AUTH LOGIN step by step."""
        user, _, password = self.behaviour.login.partition(":")
        if words.upper().startswith("PLAIN "):
            given = base64.b64decode(words[6:]).decode().split("\0")[1:]
        elif words.upper().startswith("LOGIN "):
            self.auth = [base64.b64decode(words[6:]).decode()]
            self.say("334 UGFzc3dvcmQ6")
            return
        elif self.auth:
            given, self.auth = [self.auth[0], base64.b64decode(words).decode()], []
        else:
            self.say("504 5.5.4 unknown mechanism")
            return
        self.user = user if given == [user, password] else ""
        self.say("235 2.7.0 welcome" if self.user else "535 5.7.8 wrong user or password")


def breach(text: bytes) -> str:
    """What in a text a strict server would refuse, "" when nothing."""
    lines = text.split(b"\r\n")
    if any(b"\r" in line or b"\n" in line for line in lines):
        return "bare CR or LF"
    if max(map(len, lines)) > 998:
        return "line too long"
    return ""


def make_certificate() -> tuple[Path, ssl.SSLContext]:
    """A self-made certificate for localhost; gives its PEM file (with the key) and a server's context."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=2)).add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True).sign(key, hashes.SHA256())
    )  # fmt: skip
    path = Path(tempfile.mkdtemp(prefix="smtp-tls-")) / "certificate.pem"
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM) + pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return path, context


@contextlib.contextmanager
def running(*modes: str) -> Iterator[SmtpSink]:
    """A server in a thread of this process; gone at the end of the block."""
    sink, ready = SmtpSink(*modes), threading.Event()
    loop = asyncio.new_event_loop()

    def run() -> None:
        loop.run_until_complete(sink.start())
        ready.set()
        loop.run_forever()
        loop.run_until_complete(sink.stop())
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    ready.wait(10)
    try:
        yield sink
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)


def main() -> None:
    parser = argparse.ArgumentParser(description="A misbehaving SMTP server for tests")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--log", type=Path)
    parser.add_argument("--mode", action="append", default=[])
    parser.add_argument(
        "--until-parent-ends", action="store_true", help="stop when the process that started it is gone"
    )
    options = parser.parse_args()

    async def serve() -> None:
        sink = SmtpSink(*options.mode, port=options.port, log=options.log)
        await sink.start()
        sys.stdout.write(f"{sink.port} {sink.certificate or ''}\n")
        sys.stdout.flush()
        parent = os.getppid()
        while not options.until_parent_ends or os.getppid() == parent:
            await asyncio.sleep(1)
            sink.commands.clear()

    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve())


if __name__ == "__main__":
    sys.exit(main())
