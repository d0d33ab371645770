"""The SMTP transaction: our own MAIL, RCPT, DATA on a connection that smtplib opened, secured and logged in.

Why not smtplib's: it spends 540 us on a 60 kB mail, writes in small portions, and its exceptions do not say whether the
server may have the mail. Here a mail is two writes (envelope, text) and every end has its `Outcome`.
PIPELINING is used inside one message and only when the last EHLO, after TLS, offered it; RFC 5321 4.5.3.2 time-outs.
"""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass, replace
from urllib.parse import parse_qs, unquote, urlsplit

from crm.mail.message import Envelope, Settled
from crm.mail.outcome import Outcome, Stage, refused
from crm.mail.replies import Dropped
from crm.mail.smtp_session import Session, open_session
from crm.mail.transport import GoAhead

_END = b".\r\n"
_CUT = "connection lost in the text, before its end was written"
_TLS_RECORD = 16384


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds to wait; the defaults are the lower limits of RFC 5321 4.5.3.2. Too short after the dot makes duplicates elsewhere."""

    connect: float = 30
    banner: float = 300
    mail: float = 300
    rcpt: float = 300
    data: float = 120
    block: float = 180
    dot: float = 600


class SmtpServer:
    """The server that CUSTOMERHUB_SMTP_URL names; knows how many mails it takes on one connection once it has said so.

    smtp://[user:password@]host[:25], smtps://…[:465]; `?starttls=required|offered|never` (required when there is a log-in and
    the host is not this machine, else offered), `?ca=FILE` trusts that certificate, `?verify=no` none at all.
    Raises ValueError with a sentence for anything else."""

    is_throttled = True

    def __init__(self, url: str, *, local_name: str = "", timeouts: Timeouts | None = None) -> None:
        parts = urlsplit(url)
        options = {key: values[-1] for key, values in parse_qs(parts.query, keep_blank_values=True).items()}
        if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
            raise ValueError("CUSTOMERHUB_SMTP_URL must look like smtp://user:password@host:port or smtps://….")
        self.host = parts.hostname
        self.is_tls = parts.scheme == "smtps"
        self.port = parts.port or (465 if self.is_tls else 25)
        self.user, self.password = unquote(parts.username or ""), unquote(parts.password or "")
        at_home = self.host in ("localhost", "127.0.0.1", "::1")
        self.starttls = options.pop("starttls", "required" if self.user and not at_home else "offered")
        if self.starttls not in ("required", "offered", "never"):
            raise ValueError("starttls in CUSTOMERHUB_SMTP_URL must be required, offered or never.")
        # Opportunistic TLS believes any certificate (it is better than none); where TLS is demanded, it must be the right server.
        verify = options.pop("verify", "yes" if self.is_tls or self.starttls == "required" else "no")
        self.context = ssl.create_default_context(cafile=options.pop("ca", None))
        if verify == "no":
            self.context.check_hostname = False
            self.context.verify_mode = ssl.CERT_NONE
        if options:
            raise ValueError(f"CUSTOMERHUB_SMTP_URL has an option that is not known: {', '.join(sorted(options))}.")
        self.local_name = local_name or _own_name()
        self.connect_to = ""  # the numeric address, where somebody has checked what the name stands for
        self.timeouts = timeouts or Timeouts()
        self.mails_per_connection = 0  # 0 = no limit learned
        self._last_limit = 0

    @property
    def name(self) -> str:
        """Scheme, host and port."""
        return f"{'smtps' if self.is_tls else 'smtp'}://{self.host}:{self.port}"

    def connection(self) -> SmtpConnection:
        """A new connection, not yet open."""
        return SmtpConnection(self)

    def note_limit(self, mails: int) -> None:
        """A session was ended with 421 after so many mails. Twice the same number is a limit; once may be a busy moment."""
        if mails == self._last_limit:
            self.mails_per_connection = mails
        self._last_limit = mails


class SmtpConnection:
    """One session with the server, reopened as often as it takes. Used by one thread at a time."""

    def __init__(self, server: SmtpServer) -> None:
        self.server = server
        self.taken = 0  # mails begun on this session
        self._session: Session | None = None
        self._needs_reset = False

    @property
    def is_open(self) -> bool:
        """Whether a session stands (as far as we know)."""
        return self._session is not None

    def open(self) -> Outcome | None:
        """Connect, EHLO, TLS, EHLO again, log in. None when open, else an `unreachable` outcome."""
        if self._session:
            return None
        self.taken, self._needs_reset = 0, False
        opened = open_session(self.server)
        if isinstance(opened, Outcome):
            return opened
        self._session = opened
        return None

    def send(self, envelope: Envelope, data: bytes | Settled, go_ahead: GoAhead | None = None) -> Outcome:
        """One mail. Opens a session when there is none and after as many mails as this server takes.

        A server that ends a used session before the text (421, or just closes) gets the same mail once more on a new one: until
        354 nothing was sent. `go_ahead` is asked after 354; False closes the session without a byte of text: `not_sent`."""
        limit = self.server.mails_per_connection
        if limit and self.taken >= limit:
            self.close()
        was_used = self.taken > 0 and self.is_open
        problem = self.open()
        if problem:
            return problem
        outcome = self._attempt(self._stands(), envelope, data, go_ahead)
        if outcome.kind == "not_sent" and was_used and outcome.stage in ("mail", "rcpt", "data"):
            if outcome.is_closing and outcome.stage == "mail":
                self.server.note_limit(self.taken - 1)
            problem = self.open()
            return problem or self._attempt(self._stands(), envelope, data, go_ahead)
        return outcome

    def close(self) -> None:
        """QUIT and close; what the server answers no longer matters."""
        session, self._session = self._session, None
        if session:
            session.quit_politely()

    def _drop(self) -> None:
        session, self._session = self._session, None
        if session:
            session.close()

    def _stands(self) -> Session:
        if self._session is None:
            raise RuntimeError("The session was closed by another thread; a connection belongs to one.")
        return self._session

    def _attempt(
        self, session: Session, envelope: Envelope, data: bytes | Settled, go_ahead: GoAhead | None
    ) -> Outcome:
        text = data if isinstance(data, Settled) else Settled(wire(data))
        local = _check_offers(session, envelope, text)
        if local:
            return local
        self.taken += 1
        outcome = self._envelope(session, envelope, len(text), not text.isascii())
        if outcome is None:
            if go_ahead and not go_ahead():
                # Closing instead of the text: RFC 5321 4.1.1.4 bids the server throw the transaction away.
                outcome = Outcome("not_sent", "text", text="withdrawn before the text began")
            else:
                outcome = self._text(session, text)
        if not outcome.is_open:
            self._drop()
        return outcome

    def _envelope(self, session: Session, envelope: Envelope, size: int, is_8bit: bool) -> Outcome | None:
        """MAIL, RCPT, DATA. None when the server waits for the text (354), else how it ended; nothing of the text was sent."""
        times = self.server.timeouts
        steps: list[tuple[Stage, bytes, float]] = [
            ("mail", _mail_command(session, envelope, size, is_8bit), times.mail),
            ("rcpt", b"RCPT TO:<%s>\r\n" % envelope.recipient.encode(), times.rcpt),
            ("data", b"DATA\r\n", times.data),
        ]
        if self._needs_reset:
            steps.insert(0, ("mail", b"RSET\r\n", times.mail))
        stage: Stage = "mail"
        first: Outcome | None = None
        try:
            if session.offers("pipelining"):
                _write(session.line, b"".join(command for _, command, _ in steps), times.block)
            for stage, command, seconds in steps:
                if not session.offers("pipelining"):
                    _write(session.line, command, times.block)
                code, reply = session.replies.read(seconds)
                if code == 421:
                    return _closed(first) if first else Outcome("not_sent", stage, code, reply)
                expected = code == 354 if command == b"DATA\r\n" else 200 <= code < 300
                if expected:
                    if (
                        first and code == 354
                    ):  # RFC 2920 3.1: DATA was taken though no recipient was: end it without a text
                        _write(session.line, _END, times.block)
                        session.replies.read(times.dot)
                elif first is None:
                    if code < 400:
                        raise Dropped(f"the reply {code} makes no sense here")
                    first = refused(stage, code, reply, is_open=True)
                    if not session.offers("pipelining"):
                        break
        except Dropped as drop:
            return _closed(first) if first else Outcome("not_sent", stage, text=str(drop))
        self._needs_reset = first is not None
        return first

    def _text(self, session: Session, text: Settled) -> Outcome:
        """The text and its end in one write, then the one reply that counts."""
        times = self.server.timeouts
        handed_over = _write_text(session.line, text, times.block)
        try:
            code, reply = session.replies.read(times.dot if handed_over else 1.0)
        except Dropped as drop:
            if not handed_over:  # the end of the text never left us, so no server can have taken it for whole
                return Outcome("not_sent", "text", text=_CUT)
            return Outcome("in_doubt", "dot", text=str(drop))
        if not handed_over:
            return (
                refused("text", code, reply, is_open=False) if code >= 400 else Outcome("not_sent", "text", text=_CUT)
            )
        if 200 <= code < 300:
            return Outcome("accepted", "dot", code, reply, is_open=True)
        if code >= 400:
            self._needs_reset = True
            return refused("dot", code, reply, is_open=code != 421)
        return Outcome("in_doubt", "dot", code, reply)


def wire(data: bytes) -> bytes:
    """`data` as it goes over the line: dots at line starts doubled, CRLF at the end. Bare CR or LF are made CRLF first,
    else a server that reads them as line ends would see another mail in this one (SMTP smuggling)."""
    lines = data.count(b"\r\n")
    if data.count(b"\n") != lines or data.count(b"\r") != lines:
        data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\n", b"\r\n")
    if b"\r\n." in data:
        data = data.replace(b"\r\n.", b"\r\n..")
    if data.startswith(b"."):
        data = b"." + data
    return data if data.endswith(b"\r\n") else data + b"\r\n"


def _check_offers(session: Session, envelope: Envelope, text: Settled) -> Outcome | None:
    """Refuse here what the server has said it cannot take, before it is asked."""
    if envelope.needs_smtputf8 and not session.offers("smtputf8"):
        blame_text = "5.6.7 the server cannot take addresses that are not ASCII (no SMTPUTF8)"
        return Outcome("refused", "mail", 553, blame_text, "5.6.7", "recipient", is_open=True)
    limit = session.size_limit
    if limit and len(text) > limit:
        return Outcome(
            "refused",
            "mail",
            552,
            f"5.3.4 the mail has {len(text)} octets, the server takes {limit}",
            "5.3.4",
            "sender",
            True,
        )
    return None


def _mail_command(session: Session, envelope: Envelope, size: int, is_8bit: bool) -> bytes:
    command = b"MAIL FROM:<%s>" % envelope.sender.encode()
    if session.offers("size"):
        command += b" SIZE=%d" % size
    if is_8bit and session.offers("8bitmime"):
        command += b" BODY=8BITMIME"
    if envelope.needs_smtputf8:
        command += b" SMTPUTF8"
    return command + b"\r\n"


def _closed(outcome: Outcome) -> Outcome:
    """The same outcome on a connection that is gone."""
    return replace(outcome, is_open=False)


def _write(sock: socket.socket, data: bytes, seconds: float) -> None:
    try:
        sock.settimeout(seconds)
        sock.sendall(data)
    except OSError as problem:
        raise Dropped(f"connection lost: {problem}") from None


def _write_text(sock: socket.socket, text: Settled, seconds: float) -> bool:
    """Write `text` and its end; True when the last byte may have been handed to the system, False when it surely was not.

    A plain send() that fails has taken nothing. Over TLS a failed write may have handed over a part of its record, so records
    are written one by one and only the failure of the last is a doubt. `seconds` hold for each block, not for the whole."""
    sock.settimeout(seconds)
    if not isinstance(sock, ssl.SSLSocket):
        return _write_plain(sock, text)
    view = memoryview(b"".join((text.head, text.body, _END)))
    at = 0
    while at < len(view):
        try:
            at += sock.send(view[at : at + _TLS_RECORD])
        except OSError:
            return at + _TLS_RECORD >= len(view)
    return True


def _write_plain(sock: socket.socket, text: Settled) -> bool:
    """The same without TLS: all pieces at once, as they lie."""
    left = [memoryview(text.head), memoryview(text.body), memoryview(_END)]
    while left:
        try:
            taken = sock.sendmsg(left)
        except OSError:
            return False
        while left and taken >= len(left[0]):
            taken -= len(left.pop(0))
        if left:
            left[0] = left[0][taken:]
    return True


def _own_name() -> str:
    name = socket.gethostname()
    return name if "." in name else "[127.0.0.1]"
