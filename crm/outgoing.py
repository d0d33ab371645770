"""The one door to other people's web servers: every address is looked at before it is spoken to, and little is believed.

A name is resolved once, each of its addresses is checked by its numbers, and the connection goes to the checked address, so
that a name which answers otherwise a moment later leads nowhere (CWE-918, "DNS rebinding"). Redirects are not followed.
"""

from __future__ import annotations

import contextlib
import errno
import http.client
import ipaddress
import os
import socket
import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from crm import config
from crm.words import _

SECONDS = 15.0  # for connecting and for every piece of an answer
WHOLE_SECONDS = 45.0  # for all of it: who sends one octet a second is cut off
MOST_OCTETS = 256 * 1024
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Numeric = ipaddress.IPv4Address | ipaddress.IPv6Address


class OutgoingError(Exception):
    """The call was not made, or brought nothing. `code`: address, forbidden, connect, certificate, answer; the text names no secret."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: the status, headers in lower case, at most MOST_OCTETS of the body."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


def call(
    method: str, address: str, headers: Mapping[str, str] | None = None, body: bytes | None = None, seconds: float = SECONDS
) -> Answer:  # fmt: skip
    """Ask `address` (https; http only in the networks of CUSTOMERHUB_OUTGOING_NETWORKS). Raises OutgoingError.

    Takes as long as the server does; `seconds` are for each step of it. No transaction may be open meanwhile.
    """
    said = urlsplit(address)
    try:
        port = said.port
    except ValueError:
        raise OutgoingError("address", _("The port of this address is none.")) from None
    if said.scheme not in ("https", "http") or not said.hostname or said.username or said.password:
        raise OutgoingError("address", _("This takes an address that begins with https:// and names a server."))
    numeric = checked(said.hostname, port or (443 if said.scheme == "https" else 80))
    if said.scheme == "http" and not _is_allowed(numeric):
        raise OutgoingError("address", _("This takes an address that begins with https:// and names a server."))
    path = (said.path or "/") + (f"?{said.query}" if said.query else "")
    connection = _Checked(said.hostname, port, numeric, said.scheme == "https", seconds)
    end = threading.Timer(WHOLE_SECONDS, connection.abort)
    end.start()
    try:
        connection.request(method, path, body, {"User-Agent": "customerhub", **(headers or {})})
        with connection.getresponse() as answer:
            content = answer.read(MOST_OCTETS + 1)
        if connection.is_aborted:
            raise TimeoutError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT))
    except ssl.SSLCertVerificationError as problem:
        sentence = _(
            "The certificate of %(host)s does not hold: %(reason)s.", host=said.hostname, reason=problem.verify_message
        )
        raise OutgoingError("certificate", sentence) from None
    except (OSError, http.client.HTTPException) as problem:
        reason = getattr(problem, "strerror", None) or type(problem).__name__
        sentence = _("%(host)s does not answer: %(reason)s.", host=said.hostname, reason=reason)
        raise OutgoingError("connect", sentence) from None
    finally:
        end.cancel()
        connection.close()
    if len(content) > MOST_OCTETS:
        raise OutgoingError("answer", _("The answer of %(host)s is too long.", host=said.hostname))
    return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, content)


def checked(host: str, port: int) -> Numeric:
    """The address that may be spoken to; all that a name stands for must be allowed. Raises OutgoingError."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise OutgoingError("connect", _("There is no server called %(host)s.", host=host[:255])) from None
    numerics = [ipaddress.ip_address(one[4][0]) for one in found]
    for one in numerics:
        if not (_is_public(one) or _is_allowed(one)):
            sentence = _("%(host)s is in a private network, which may not be called from here.", host=host[:255])
            raise OutgoingError("forbidden", sentence)
    return numerics[0]


def _is_public(one: Numeric) -> bool:
    """Whether it is an address of the open internet, also behind the spellings that IPv6 has for IPv4."""
    if isinstance(one, ipaddress.IPv6Address):
        inner = one.ipv4_mapped or one.sixtofour or (one.teredo[1] if one.teredo else None)
        if inner is None and one in _NAT64:
            inner = ipaddress.IPv4Address(int(one) & 0xFFFFFFFF)
        if inner is not None:
            return _is_public(inner)
    return one.is_global and not (one.is_multicast or one.is_reserved or one.is_loopback or one.is_link_local)


def _is_allowed(one: Numeric) -> bool:
    """Whether the operator opened its network."""
    inner = getattr(one, "ipv4_mapped", None) or one
    for said in str(config.current().outgoing_networks).split(","):
        with contextlib.suppress(ValueError):
            network: Network = ipaddress.ip_network(said.strip(), strict=False)
            if inner in network:
                return True
    return False


class _Checked(http.client.HTTPConnection):
    """A connection to the address that was checked; its certificate is asked for the name."""

    def __init__(self, host: str, port: int | None, numeric: Numeric, is_secure: bool, seconds: float) -> None:
        self._numeric, self._is_secure, self.is_aborted = str(numeric), is_secure, False
        super().__init__(host, port or (443 if is_secure else 80), timeout=seconds)

    def connect(self) -> None:
        spoken: socket.socket = socket.create_connection((self._numeric, self.port), self.timeout)
        self._spoken = spoken  # http.client forgets its own when an answer begins
        if self._is_secure:
            spoken = ssl.create_default_context().wrap_socket(spoken, server_hostname=self.host)
        self.sock = self._spoken = spoken

    def abort(self) -> None:
        """End it from another thread; whoever reads gets an error or an end."""
        self.is_aborted = True
        with contextlib.suppress(OSError, AttributeError):
            self._spoken.shutdown(socket.SHUT_RDWR)
