"""A mailbox of ours on somebody's IMAP server: logged in, looked through, marked and moved. The only file that speaks IMAP.

What the server says is believed as little as what strangers write: sizes are asked before anything is fetched, answers are
limited, and every failure becomes a `MailboxError` whose sentence holds no password.
"""

from __future__ import annotations

import contextlib
import imaplib
import re
import ssl
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from crm.words import _

SECONDS = 30.0  # for connecting and for every answer
MOST_FOLDERS = 500
_LIST = re.compile(rb'\((?P<flags>[^)]*)\) (?:"(?:\\.|[^"])*"|NIL) (?P<name>"(?:\\.|[^"])*"|\S+)')
_SIZE = re.compile(rb"UID (\d+)[^)]*RFC822\.SIZE (\d+)|RFC822\.SIZE (\d+)[^)]*UID (\d+)")
ENCRYPTIONS = ("ssl", "starttls", "none")


class MailboxError(Exception):
    """The mailbox cannot be used. `code`: connect, certificate, login, folder, answer; the text is for people."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


@dataclass(frozen=True, slots=True)
class Account:
    """Where the mailbox is and how to get in. `repr` does not show the secrets.

    `token`: an OAuth2 access token, used in place of the password. `authorities`: certificates in PEM that are trusted
    beside those of the system.
    """

    host: str
    port: int
    username: str
    password: str
    encryption: str = "ssl"
    validates_certificate: bool = True
    authorities: str = ""
    token: str = ""

    def __repr__(self) -> str:
        return f"<Account {self.username} at {self.host}:{self.port}>"


@dataclass(frozen=True, slots=True)
class Found:
    """One mail of a folder: its number there, and how many octets it has."""

    uid: int
    size: int


class Mailbox:
    """One connection, logged in. Made by `opened`."""

    def __init__(self, connection: imaplib.IMAP4) -> None:
        self._connection = connection
        # What a server offers is told anew after the log-in; imaplib asks only before it.
        offered = b" ".join(one for one in self._ask("answer", "capability") if isinstance(one, bytes)).upper().split()
        self._can_move, self._can_expunge = b"MOVE" in offered, b"UIDPLUS" in offered

    def folders(self) -> list[str]:
        """The names of the folders that can be opened."""
        names = []
        for line in self._ask("answer", "list")[:MOST_FOLDERS]:
            if isinstance(line, tuple):  # a name sent as a literal
                line = line[0].rpartition(b" ")[0] + b" " + line[1]
            found = _LIST.match(line) if isinstance(line, bytes) else None
            if found and b"\\noselect" not in found["flags"].lower():
                names.append(_read_name(found["name"]))
        return names

    def select(self, folder: str) -> int:
        """Open a folder; gives its UIDVALIDITY. Raises MailboxError (folder)."""
        try:
            kind, _data = self._connection.select(_spell_name(folder))
        except (imaplib.IMAP4.error, OSError) as problem:
            raise _lost(problem) from None
        if kind != "OK":
            raise MailboxError("folder", _("There is no folder “%(folder)s” in this mailbox.", folder=folder))
        _kind, said = self._connection.response("UIDVALIDITY")
        return int(said[0]) if said and said[0] and said[0].isdigit() else 0

    def waiting(self, after_uid: int | None = None) -> list[int]:
        """The numbers of the unread mails, or of all after `after_uid`, oldest first."""
        if after_uid is None:
            data = self._uid("SEARCH", "UNSEEN")
        else:
            data = self._uid("SEARCH", f"UID {after_uid + 1}:*")
        numbers = [int(one) for line in data if isinstance(line, bytes) for one in line.split() if one.isdigit()]
        return sorted(number for number in numbers if after_uid is None or number > after_uid)

    def sizes(self, uids: Sequence[int]) -> list[Found]:
        """How large the mails are, before anything of them is fetched."""
        found = []
        for line in self._uid("FETCH", ",".join(map(str, uids)), "(RFC822.SIZE)") if uids else []:
            seen = _SIZE.search(line) if isinstance(line, bytes) else None
            if seen:
                uid, size = (seen[1], seen[2]) if seen[1] else (seen[4], seen[3])
                found.append(Found(int(uid), int(size)))
        return sorted(found, key=lambda one: one.uid)

    def fetch(self, uid: int, most: int) -> bytes:
        """The mail, its first `most` octets at the most; it stays unread."""
        return self._body(uid, f"BODY.PEEK[]<0.{most}>")

    def _body(self, uid: int, what: str) -> bytes:
        for line in self._uid("FETCH", str(uid), f"({what})"):
            if isinstance(line, tuple):
                return bytes(line[1])
        return b""

    def mark_read(self, uid: int) -> None:
        """Mark a mail as read, so that people see that it was taken."""
        self._uid("STORE", str(uid), "+FLAGS.SILENT", r"(\Seen)")

    def move(self, uid: int, folder: str) -> None:
        """Move a mail into another folder, which is made when it is missing."""
        name = _spell_name(folder)
        verb = "MOVE" if self._can_move else "COPY"
        kind, _data = self._try_uid(verb, str(uid), name)
        if kind != "OK":
            with contextlib.suppress(imaplib.IMAP4.error, OSError):
                self._connection.create(name)
            self._uid(verb, str(uid), name)
        if verb == "COPY":
            self._uid("STORE", str(uid), "+FLAGS.SILENT", r"(\Deleted)")
            if self._can_expunge:
                self._uid("EXPUNGE", str(uid))

    def close(self) -> None:
        """Say good-bye; a connection that is gone already is none of our sorrow."""
        with contextlib.suppress(imaplib.IMAP4.error, OSError):
            self._connection.logout()

    def _uid(self, verb: str, *arguments: str) -> list[bytes | tuple[bytes, bytes]]:
        kind, data = self._try_uid(verb, *arguments)
        if kind != "OK":
            raise MailboxError("answer", _("The mail server refused the command %(verb)s.", verb=verb))
        return [one for one in data if one is not None]

    def _try_uid(self, verb: str, *arguments: str) -> tuple[str, list[bytes | tuple[bytes, bytes] | None]]:
        try:
            kind, data = self._connection.uid(verb, *arguments)
        except (imaplib.IMAP4.error, OSError) as problem:
            raise _lost(problem) from None
        return kind, data

    def _ask(self, code: str, verb: str) -> list[bytes | tuple[bytes, bytes]]:
        try:
            kind, data = getattr(self._connection, verb)()
        except (imaplib.IMAP4.error, OSError) as problem:
            raise _lost(problem) from None
        if kind != "OK":
            raise MailboxError(code, _("The mail server refused the command %(verb)s.", verb=verb.upper()))
        return [one for one in data if one is not None]


@contextlib.contextmanager
def opened(account: Account, seconds: float = SECONDS) -> Iterator[Mailbox]:
    """The mailbox of `account`, logged in, closed afterwards. Raises MailboxError."""
    box = Mailbox(_log_in(_connect(account, seconds), account))
    try:
        yield box
    finally:
        box.close()


def _connect(account: Account, seconds: float) -> imaplib.IMAP4:
    secure = _security(account)
    try:
        if account.encryption == "ssl":
            return imaplib.IMAP4_SSL(account.host, account.port, ssl_context=secure, timeout=seconds)
        connection = imaplib.IMAP4(account.host, account.port, timeout=seconds)
        if account.encryption == "starttls":
            connection.starttls(secure)
        return connection
    except ssl.SSLCertVerificationError as problem:
        sentence = _(
            "The certificate of %(host)s does not hold: %(reason)s. If the server is your own, give the certificate of its authority.",
            host=account.host, reason=problem.verify_message,
        )  # fmt: skip
        raise MailboxError("certificate", sentence) from None
    except (imaplib.IMAP4.error, OSError) as problem:
        sentence = _(
            "No connection to %(host)s, port %(port)s: %(reason)s.", host=account.host, port=account.port, reason=_reason(problem)
        )  # fmt: skip
        raise MailboxError("connect", sentence) from None


def _security(account: Account) -> ssl.SSLContext:
    secure = ssl.create_default_context()
    if account.authorities:
        secure.load_verify_locations(cadata=account.authorities)
    if not account.validates_certificate:
        secure.check_hostname = False
        secure.verify_mode = ssl.CERT_NONE
    return secure


def read_authorities(text: str) -> str:
    """Certificates in PEM, as they can be trusted. Raises MailboxError (certificate) for what holds none."""
    try:
        ssl.create_default_context().load_verify_locations(cadata=text)
    except (ssl.SSLError, ValueError):
        sentence = _("This is no certificate: it begins with -----BEGIN CERTIFICATE-----.")
        raise MailboxError("certificate", sentence) from None
    return text


def _log_in(connection: imaplib.IMAP4, account: Account) -> imaplib.IMAP4:
    try:
        if account.token:
            _log_in_by_token(connection, account)
        elif account.username.isascii() and account.password.isascii():
            connection.login(account.username, account.password)
        else:
            secret = f"\0{account.username}\0{account.password}".encode()
            connection.authenticate("PLAIN", lambda _challenge: secret)
    except imaplib.IMAP4.error:
        with contextlib.suppress(imaplib.IMAP4.error, OSError):
            connection.logout()
        if account.token:
            sentence = _("The mail server does not take this user name with the provider's token.")
        else:
            sentence = _("The mail server does not take this user name and password.")
        raise MailboxError("login", sentence) from None
    except OSError as problem:
        raise _lost(problem) from None
    return connection


def _log_in_by_token(connection: imaplib.IMAP4, account: Account) -> None:
    """OAUTHBEARER (RFC 7628) where it is offered, else XOAUTH2. A refusal comes as a challenge, which wants an answer."""
    offered = {str(one).upper() for one in connection.capabilities}
    bearer = "AUTH=OAUTHBEARER" in offered and "AUTH=XOAUTH2" not in offered
    name = account.username.replace("=", "=3D").replace(",", "=2C") if bearer else account.username
    first = (
        f"n,a={name},\x01host={account.host}\x01port={account.port}\x01auth=Bearer {account.token}\x01\x01"
        if bearer
        else f"user={name}\x01auth=Bearer {account.token}\x01\x01"
    ).encode()
    answers = iter((first, b"\x01" if bearer else b""))
    connection.authenticate("OAUTHBEARER" if bearer else "XOAUTH2", lambda _challenge: next(answers, b""))


def _lost(problem: Exception) -> MailboxError:
    return MailboxError("answer", _("The mail server stopped answering: %(reason)s.", reason=_reason(problem)))


def _reason(problem: Exception) -> str:
    said = (getattr(problem, "strerror", None) or str(problem) or type(problem).__name__)[:200]
    return "".join(one if one.isprintable() else " " for one in said).rstrip(". ")


def _spell_name(folder: str) -> str:
    """A folder's name as IMAP wants it: modified UTF-7 (RFC 3501 5.1.3), in quotes."""
    out, run = [], ""
    for one in [*folder, ""]:
        if one and not " " <= one <= "~":
            run += one
            continue
        if run:
            coded = run.encode("utf-16-be", "surrogatepass")
            out.append("&" + _base64(coded) + "-")
            run = ""
        out.append("&-" if one == "&" else one)
    text = "".join(out).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'


def _read_name(name: bytes) -> str:
    text = name.decode("ascii", "replace")
    if text.startswith('"'):
        text = re.sub(r"\\(.)", r"\1", text[1:-1])
    return re.sub(r"&([A-Za-z0-9+,]*)-", lambda found: _unbase64(found[1]) if found[1] else "&", text)


def _base64(data: bytes) -> str:
    from base64 import b64encode

    return b64encode(data).decode("ascii").rstrip("=").replace("/", ",")


def _unbase64(text: str) -> str:
    from base64 import b64decode

    padded = text.replace(",", "/") + "=" * (-len(text) % 4)
    return b64decode(padded).decode("utf-16-be", "replace")
