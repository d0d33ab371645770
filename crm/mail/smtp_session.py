"""Opening an SMTP session: smtplib connects, says EHLO, starts TLS and logs in; we read the replies and watch what it believes."""

from __future__ import annotations

import contextlib
import smtplib
import socket
from typing import TYPE_CHECKING, Any

from crm.mail.outcome import Outcome, Stage
from crm.mail.replies import Dropped, Replies

if TYPE_CHECKING:
    from crm.mail.smtp import SmtpServer


class Session(smtplib.SMTP):
    """smtplib's connection with our reader of replies (a deadline each, nothing left over from before TLS)."""

    def __init__(self, server: SmtpServer) -> None:
        self.server = server
        self.seconds = server.timeouts.banner
        super().__init__(local_hostname=server.local_name, timeout=server.timeouts.connect)
        self._host = server.host  # smtplib checks the certificate against it after STARTTLS

    def _get_socket(self, host: str, port: int, timeout: Any) -> socket.socket:
        sock = socket.create_connection((self.server.connect_to or host, port), timeout)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # else two writes wait 40 ms for each other
        if self.server.is_tls:
            sock = self.server.context.wrap_socket(sock, server_hostname=host)
        self.replies = Replies(sock)
        return sock

    def getreply(self) -> tuple[int, bytes]:
        """One reply, lines joined by LF as smtplib expects of EHLO."""
        self.replies.sock = self.line
        return self.replies.read_lines(self.seconds)

    @property
    def line(self) -> socket.socket:
        """The socket that is in use (another one after STARTTLS)."""
        if self.sock is None:
            raise Dropped("the connection is closed")
        return self.sock

    def offers(self, extension: str) -> bool:
        """Whether the last EHLO named the extension (lower case)."""
        return extension in self.esmtp_features

    @property
    def size_limit(self) -> int:
        """Octets that a mail may have, 0 for no limit known (RFC 1870)."""
        value = self.esmtp_features.get("size", "")
        return int(value) if value.isdigit() else 0

    def quit_politely(self) -> None:
        """QUIT, a short look at the answer, close."""
        with contextlib.suppress(Dropped, OSError, smtplib.SMTPException):
            self.seconds = 2
            self.docmd("QUIT")
        self.close()


def open_session(server: SmtpServer) -> Session | Outcome:
    """A session that can take mails, or the `unreachable` outcome with the stage and the reason."""
    session = Session(server)
    stage: Stage = "connect"
    code, text = 0, b""
    try:
        session.sock = session._get_socket(server.host, server.port, server.timeouts.connect)
        stage = "banner"
        code, text = session.getreply()
        if code != 220:
            return _failed(session, stage, code, text)
        stage = "ehlo"
        session.seconds = server.timeouts.mail
        code, text = _greet(session)
        if code != 250:
            return _failed(session, stage, code, text)
        stage = "tls"
        if not server.is_tls and server.starttls != "never":
            if session.offers("starttls"):
                code, text = session.starttls(context=server.context)
                if code != 220:
                    return _failed(session, stage, code, text)
                if (
                    session.replies.buffer
                ):  # plain text behind the 220 is somebody in the middle (CVE-2011-0411 and others)
                    return _failed(session, stage, 0, b"the server sent more than its reply before TLS began")
                code, text = _greet(session)
                if code != 250:
                    return _failed(session, stage, code, text)
            elif server.starttls == "required":
                return _failed(session, stage, 0, b"the server does not offer STARTTLS, which is required")
        stage = "auth"
        if server.user:
            session.login(server.user, server.password)
    except smtplib.SMTPAuthenticationError as problem:
        return _failed(session, stage, problem.smtp_code, problem.smtp_error)
    except (Dropped, OSError, smtplib.SMTPException, ValueError) as problem:
        return _failed(session, stage, 0, str(problem).encode())
    return session


def _greet(session: Session) -> tuple[int, bytes]:
    """EHLO, or HELO for a server that does not know it."""
    code, text = session.ehlo()
    if code >= 500:
        code, text = session.helo()
    return code, text


def _failed(session: Session, stage: Stage, code: int, text: bytes | str) -> Outcome:
    session.close()
    words = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return Outcome("unreachable", stage, code, words.replace("\n", " "))
