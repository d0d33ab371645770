"""Own mail servers as administrators keep them: written with their password, tested, removed. Sending goes by `crm.mail.pool`."""

import ipaddress
import re
from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, select

from crm import clock
from crm.db import db
from crm.engine.refusals import Fault, Missing, Refused
from crm.identity import keys
from crm.identity.viewer import Viewer
from crm.mail.message import BadAddress, ascii_domain
from crm.mail.servers import SECURITIES, MailServer, secret_of, server_of
from crm.mail.smtp import Timeouts
from crm.outgoing import OutgoingError, checked
from crm.words import _

PORTS = {"tls": 465, "starttls": 587, "none": 25}
QUICK = Timeouts(connect=5, banner=5, mail=5)  # of a test: somebody waits for it


def all_servers() -> list[MailServer]:
    """Every server, by name."""
    return list(db.session.scalars(select(MailServer).order_by(MailServer.name)))


def find(id: int) -> MailServer:
    """One server. Raises Missing."""
    row = db.session.get(MailServer, id)
    if row is None:
        raise Missing
    return row


def save(typed: Mapping[str, str], id: int | None = None) -> int:
    """Keep a server as it was typed; an empty password leaves the one that is kept. Raises Refused. The caller commits."""
    faults: dict[str, list[Fault]] = {}

    def wrong(name: str, code: str, sentence: str) -> None:
        faults.setdefault(name, []).append(Fault(code, sentence))

    security = typed.get("security", "starttls")
    if security not in SECURITIES:
        wrong("security", "not_in_list", _("Choose how the connection is secured."))
    values: dict[str, Any] = {
        "name": typed.get("name", "").strip(),
        "security": security,
        "active": typed.get("active") == "1",
    }
    if not 1 <= len(values["name"]) <= 80:
        wrong("name", "required", _("Give the server a name of at most 80 characters."))
    taken = select(MailServer.id).where(MailServer.name == values["name"], MailServer.id != (id or 0))
    if db.session.execute(taken).first():
        wrong("name", "not_unique", _("There is a server of this name already."))
    values["host"] = _host(typed.get("host", "").strip(), wrong)
    values["port"] = _number(typed.get("port", ""), "port", 1, 65535, PORTS.get(security, 25), wrong)
    values["weight"] = _number(typed.get("weight", ""), "weight", 1, 100, 1, wrong)
    values["per_hour"] = _number(typed.get("per_hour", ""), "per_hour", 1, 10_000_000, None, wrong)
    values["from_domains"] = _domains(typed.get("from_domains", ""), wrong)
    values["username"] = typed.get("username", "").strip()
    if re.search(r"[\x00-\x1f]", values["username"] + typed.get("password", "")) or len(values["username"]) > 255:
        wrong("username", "bad_text", _("User name and password are one line each."))
    if values["username"] and security == "none":
        wrong("security", "not_secured", _("A password is only sent over an encrypted connection."))
    if faults:
        raise Refused(faults)
    row = find(id) if id is not None else MailServer(taken=0, hour=0, test_result="")
    is_other = id is not None and (row.host, row.port, row.username) != (
        values["host"],
        values["port"],
        values["username"],
    )
    if is_other and values["username"] and not typed.get("password"):
        raise Refused(
            password=Fault("required", _("Type the password again: it must not go to another server or user."))
        )
    for name, value in values.items():
        setattr(row, name, value)
    row.tested_at, row.test_result = None, ""
    db.session.add(row)
    db.session.flush()
    if not values["username"]:
        keys.forget(secret_of(row.id))
    elif typed.get("password"):
        keys.keep(secret_of(row.id), typed["password"].encode())
    return row.id


def _host(host: str, wrong: Any) -> str:
    try:
        return str(ipaddress.ip_address(host.strip("[]")))
    except ValueError:
        pass
    try:
        return ascii_domain(host) if host != "localhost" else host
    except BadAddress:
        wrong("host", "bad_host", _("This is no name of a server, such as smtp.example.com."))
        return ""


def _domains(text: str, wrong: Any) -> str:
    """Domains of senders, typed with spaces, commas or line breaks, as they are kept."""
    found = []
    for one in re.split(r"[\s,;]+", text.strip().lower()):
        try:
            found += [ascii_domain(one.removeprefix("@"))] if one else []
        except BadAddress:
            wrong("from_domains", "bad_host", _("“%(name)s” is no domain, such as example.com.", name=one[:80]))
    if len(" ".join(found)) > 1000:
        wrong("from_domains", "too_long", _("These are too many domains for one server."))
    return " ".join(dict.fromkeys(found))


def _number(text: str, name: str, least: int, most: int, default: int | None, wrong: Any) -> int | None:
    if not text.strip():
        return default
    if not re.fullmatch(r"\d{1,9}", text.strip()) or not least <= int(text) <= most:
        wrong(name, "out_of_range", _("A whole number from %(least)s to %(most)s.", least=least, most=most))
        return default
    return int(text)


def remove(id: int) -> None:
    """Delete a server and its password. Raises Missing. The caller commits."""
    find(id)
    db.session.execute(delete(MailServer).where(MailServer.id == id))
    keys.forget(secret_of(id))


def in_words(result: str) -> str:
    """What a failed test means, in the reader's language; "" where the server's own sentence says it."""
    said = {
        "CERTIFICATE_VERIFY_FAILED": _("The certificate of this server is not trusted, or is made for another name: nothing is sent there."),
        "Connection refused": _("Nothing answers at this port."),
        "WRONG_VERSION_NUMBER": _("This port does not speak TLS from the first byte: choose another encryption."),
        "timed out": _("The server did not answer in time."),
        "Name or service not known": _("There is no server of this name."),
    }  # fmt: skip
    return next((sentence for words, sentence in said.items() if words in result), "")


def test(_viewer: Viewer, id: int) -> bool:
    """Log in at a server and say good-bye; what came of it is kept with it. Takes seconds and holds no transaction. Commits."""
    row = find(id)
    problem = ""
    try:
        server = server_of(row, QUICK)
        host, port = row.host, row.port
        db.session.rollback()
        server.connect_to = str(checked(host, port))
        connection = server.connection()
        outcome = connection.open()
        connection.close()
        problem = outcome.sentence if outcome else ""
    except (OutgoingError, ValueError) as wrong:
        problem = str(wrong)
    row = find(id)
    row.tested_at, row.test_result = clock.now(), problem[:500]
    db.session.commit()
    return not problem
