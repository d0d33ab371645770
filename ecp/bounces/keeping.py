"""Reports on the whole of a domain, kept: DMARC aggregates and TLS reports, each once."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.dialects import postgresql, sqlite

from crm import clock
from crm.db import db
from crm.engine.registry import modules
from crm.words import _
from ecp.bounces import aggregates, mailboxes, packed
from ecp.bounces.aggregates import Aggregate, BadReport, TlsAggregate
from ecp.bounces.reading import Returned
from ecp.bounces.tables import DmarcReport, DmarcRow, TlsReport

AT_ONCE = 1_000


def keep(what: Returned) -> str:
    """Keep what a mail's files report; gives a word on it: whose report it is, or what was wrong. The caller commits."""
    said: list[str] = []
    for name, media_type, data in what.files:
        try:
            plain = packed.unpack(name, media_type, data)
            if what.kind == "tls":
                said += [_keep_tls(one) for one in aggregates.read_tls(plain)]
            else:
                said.append(_keep_dmarc(aggregates.read_dmarc(plain)))
        except BadReport as bad:
            said.append(str(bad))
    return "; ".join(dict.fromkeys(said)) or _("It holds no report.")


def _keep_dmarc(report: Aggregate) -> str:
    values = {
        "domain": report.domain, "reporter": report.reporter, "report_id": report.report_id, "begins_at": report.begins_at,
        "ends_at": report.ends_at, "policy": report.policy, "received_at": clock.now(),
        "mail_count": sum(one.mail_count for one in report.rows),
        "passed_count": sum(one.mail_count for one in report.rows if one.has_dkim or one.has_spf),
    }  # fmt: skip
    _demand_ours(report.domain)
    id = _insert_once(DmarcReport, values)
    if id is not None:
        for rows in _portions(report.rows):
            said = [{name: getattr(one, name) for name in one.__slots__} | {"dmarc_report_id": id} for one in rows]
            db.session.execute(insert(DmarcRow), said)
    return f"{report.domain} · {report.reporter}"


def _keep_tls(report: TlsAggregate) -> str:
    values = {name: getattr(report, name) for name in report.__slots__} | {"received_at": clock.now()}
    _demand_ours(report.domain)
    _insert_once(TlsReport, values)
    return f"{report.domain} · {report.reporter}"


def _demand_ours(domain: str) -> None:
    """Anybody can write a report and mail it to us; those on other domains than ours tell us nothing."""
    table = modules["sender_addresses"].table
    addresses = db.session.scalars(select(table.c.address).where(table.c.deleted_at.is_(None)))
    if not any(mailboxes.is_aligned(one.rpartition("@")[2].lower(), domain) for one in addresses):
        raise BadReport(_("It is about %(domain)s, which is no domain of a sender here.", domain=domain))


def _insert_once(model: Any, values: dict[str, Any]) -> int | None:
    """The id of the new report; None for one that was kept before."""
    dialect = postgresql if db.engine.dialect.name == "postgresql" else sqlite
    said = dialect.insert(model).values(**values)
    known = said.on_conflict_do_nothing(index_elements=["domain", "reporter", "report_id"])
    found: int | None = db.session.execute(known.returning(model.id)).scalar()
    return found


def _portions(rows: list[Any]) -> Iterable[list[Any]]:
    return (rows[start : start + AT_ONCE] for start in range(0, len(rows), AT_ONCE))
