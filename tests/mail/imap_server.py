"""A real Dovecot on free ports of this machine, for one test: any user name logs in with “secret”.

It speaks TLS with a certificate that only its own authority vouches for, from the beginning and by STARTTLS. Where tests
are the provider of tokens, it asks them whether a token is good, as Dovecot does (passdb oauth2).
"""

import imaplib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests import databases
from tests.mail.certificates import write_certificate
from tests.ports import free_port

NOBODY, NOGROUP = 65534, 65534
CONFIG = """
base_dir={top}/run
state_dir={top}/state
log_path={top}/log
protocols=imap
listen=127.0.0.1
ssl=yes
ssl_cert=<{top}/cert.pem
ssl_key=<{top}/key.pem
disable_plaintext_auth=no
auth_mechanisms={mechanisms}
default_login_user=nobody
default_internal_user=nobody
default_internal_group=nogroup
first_valid_uid=1
mail_fsync=never
mail_location=maildir:{top}/mail/%u:LAYOUT=fs
service imap-login {{
  chroot=
  inet_listener imap {{
    port={port}
  }}
  inet_listener imaps {{
    port={tls_port}
    ssl=yes
  }}
}}
service anvil {{
  chroot=
}}
passdb {{
  driver=static
  mechanisms=plain login
  args=password=secret
}}
{more}
userdb {{
  driver=static
  args=uid=nobody gid=nogroup home={top}/mail/%u allow_all_users=yes
}}
namespace inbox {{
  inbox=yes
  separator=/
}}
"""

BY_TOKENS = """
passdb {{
  driver=oauth2
  mechanisms=xoauth2 oauthbearer
  args={top}/oauth2.conf
}}
"""
TOKENS = """
introspection_url={asked}
introspection_mode=auth
force_introspection=yes
username_attribute=email
active_attribute=active
active_value=true
"""


class Imap:
    """The running server: mails are put into folders, flags and files are looked at."""

    def __init__(self, top: Path, port: int, tls_port: int, authority: str) -> None:
        self.top, self.port, self.tls_port = top, port, tls_port
        self.authority = authority  # PEM

    def put(self, data: bytes, user: str = "support", folder: str = "INBOX") -> None:
        """Lay an unread mail into a folder, as a mail server does that has taken one."""
        with imaplib.IMAP4("127.0.0.1", self.port, timeout=30) as connection:
            connection.login(user, "secret")
            connection.create(folder)
            kind, said = connection.append(folder, "", "", data)
            assert kind == "OK", said

    def empty(self) -> None:
        """Forget all mailboxes."""
        for one in (self.top / "mail").iterdir():
            shutil.rmtree(one, ignore_errors=True)

    def files(self, user: str = "support", folder: str = "INBOX") -> list[str]:
        """The names of the mails as they lie on the disk; ",S" says that one was seen."""
        path = self.top / "mail" / user / ("" if folder == "INBOX" else folder)
        return sorted(one.name for part in ("new", "cur") for one in (path / part).glob("*"))


@contextmanager
def dovecot(tokens_asked_at: str = "", mechanisms: str = "plain login") -> Iterator[Imap]:
    """A server for one test; skips where there is none, or where one may not start it.

    `tokens_asked_at`: the address that says of a token whose it is; `mechanisms`: the ways in that are offered.
    """
    if shutil.which("dovecot") is None or os.getuid() != 0:
        databases.absent("dovecot (as root)")
    top = Path(tempfile.mkdtemp(prefix="ch-imap-"))
    top.chmod(0o755)
    for name in ("run", "state", "mail"):
        (top / name).mkdir(mode=0o755)
    os.chown(top / "mail", NOBODY, NOGROUP)
    port, tls_port = free_port(), free_port()
    authority = write_certificate(top)
    more = BY_TOKENS.format(top=top) if tokens_asked_at else ""
    (top / "oauth2.conf").write_text(TOKENS.format(asked=tokens_asked_at))
    (top / "d.conf").write_text(CONFIG.format(top=top, port=port, tls_port=tls_port, mechanisms=mechanisms, more=more))
    server = subprocess.Popen(
        ["dovecot", "-F", "-c", str(top / "d.conf")], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        for _try in range(100):
            try:
                socket.create_connection(("127.0.0.1", port), 0.2).close()
                break
            except OSError:
                time.sleep(0.05)
        else:
            raise RuntimeError((top / "log").read_text() if (top / "log").exists() else "dovecot did not start")
        yield Imap(top, port, tls_port, authority)
    finally:
        server.terminate()
        server.wait(10)
        shutil.rmtree(top, ignore_errors=True)
