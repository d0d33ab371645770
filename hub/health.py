"""The examination of a house: each part looks at one thing and says what it found, and the fix."""

import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal
from urllib.parse import urlsplit

from sqlalchemy import func, select, text
from sqlalchemy.exc import SQLAlchemyError

from crm import clock, disk
from crm.config import Config
from crm.db import db
from crm.engine.outbox import Job, Timetable
from crm.engine.refusals import Conflict
from crm.identity import keys
from crm.identity.viewer import SYSTEM
from hub import figures

Level = Literal["ok", "notice", "problem"]


@dataclass(frozen=True)
class Finding:
    """What was found of one subject."""

    level: Level
    subject: str
    sentence: str


def examine(config: Config, with_dns: bool) -> Iterator[Finding]:
    """All findings, one after the other. Needs the app's context."""
    parts: list[Callable[[Config], Iterator[Finding]]] = [_settings, _data, _database]
    for part in parts:
        yield from part(config)
    try:
        db.session.execute(select(Job.id).limit(1))
    except SQLAlchemyError:
        return  # said already
    yield from _queue(config)
    yield from _mail(config)
    if with_dns:
        yield from _domains()


def _settings(config: Config) -> Iterator[Finding]:
    url = urlsplit(config.base_url)
    if url.scheme != "https":
        yield Finding(
            "notice", "address", f"{config.base_url} is not https: one-click unsubscription does not count there."
        )
    else:
        yield Finding("ok", "address", config.base_url)
    yield Finding("ok", "secret key", f"fingerprint {keys.fingerprint()}; it must be the same on all machines")


def _data(config: Config) -> Iterator[Finding]:
    folder = config.data_path
    if not folder.exists():
        yield Finding("problem", "data folder", f"{folder} is not there. Run `customerhub init`.")
        return
    if folder.stat().st_mode & (stat.S_IROTH | stat.S_IWOTH | stat.S_IXOTH):
        yield Finding(
            "notice", "data folder", f"{folder} is open to all users of this machine. Run: chmod 700 {folder}"
        )
    free = disk.free_bytes(folder) or 0
    level: Level = (
        "ok" if free >= disk.LEAST_FREE_BYTES * 10 else "notice" if free >= disk.LEAST_FREE_BYTES else "problem"
    )
    yield Finding(level, "disk", f"{free / 1e9:.1f} GB free in {folder}")
    if (folder / "demo-logins.txt").exists():
        yield Finding("notice", "demo", "There are demo log-ins. Remove those users before this house is real.")


def _database(config: Config) -> Iterator[Finding]:
    from crm.migrations import pending

    try:
        db.session.execute(text("SELECT 1"))
    except SQLAlchemyError as error:
        said = str(error.__cause__ or error).strip().splitlines() or [type(error).__name__]
        yield Finding("problem", "database", f"It does not answer: {said[0]}")
        return
    kind = db.engine.dialect.name
    try:
        late = pending()
    except Conflict as reason:
        yield Finding("problem", "database", str(reason))
        return
    if late:
        yield Finding("problem", "database", f"{kind}, not ready: {late}. Run `customerhub init`.")
    else:
        yield Finding("ok", "database", f"{kind}, up to date")


def _queue(config: Config) -> Iterator[Finding]:
    trouble = figures.trouble_of_broker(config)
    if trouble:
        yield Finding("problem", "queue", f"The broker of {config.queue_engine} does not answer: {trouble}")
    elif config.queue_engine != "embedded":
        yield Finding("ok", "queue", f"{config.queue_engine}, {urlsplit(config.queue_url).hostname} answers")
    if config.queue_engine != "embedded" and config.is_sqlite:
        yield Finding("notice", "queue", "With SQLite all workers must be on this machine; several need PostgreSQL.")
    now = clock.now()
    oldest = db.session.scalar(select(func.min(Job.run_at)).where(Job.state == "waiting", Job.run_at <= now))
    if oldest and now - oldest > timedelta(minutes=2):
        minutes = (now - oldest).total_seconds() / 60
        yield Finding("problem", "queue", f"A job has waited for {minutes:.0f} minutes. Is a worker running?")
    else:
        yield Finding("ok", "queue", "nothing waits that is due")
    failed = db.session.scalar(
        select(func.count()).select_from(Job).where(Job.state == "failed", Job.finished_at > now - timedelta(days=1))
    )
    if failed:
        yield Finding("notice", "queue", f"{failed} jobs failed in the last 24 hours.")
    last = db.session.scalar(select(func.max(Timetable.occurrence)))
    if last is None or now - last > timedelta(hours=2):
        yield Finding(
            "notice", "clock", "The timetable has not moved for two hours. Is `serve` or `customerhub clock` running?"
        )
    else:
        yield Finding("ok", "clock", f"last at work {last:%Y-%m-%d %H:%M} UTC")


def _mail(config: Config) -> Iterator[Finding]:
    from ecp import servers

    own = [(row.id, row.name) for row in servers.all_servers() if row.active]
    for id, name in own:  # they take the place of the server of the settings
        if servers.test(SYSTEM, id):
            yield Finding("ok", "mail", f"{name} lets us in")
        else:
            yield Finding("problem", "mail", f"{name} does not let us in: {servers.find(id).test_result}")
    if own:
        return
    if not config.smtp_url:
        yield Finding(
            "notice", "mail", "CUSTOMERHUB_SMTP_URL is not set: mails go to the local folder only (/ecp/outbox)."
        )
        return
    from crm.mail.transport import choose

    try:
        connection = choose(config.smtp_url, config.data_path).connection()
        outcome = connection.open()
        connection.close()
        trouble = outcome.sentence if outcome is not None else ""
    except ValueError as wrong:
        trouble = str(wrong)
    if trouble:
        yield Finding("problem", "mail", f"The server does not take mail: {trouble}")
    else:
        yield Finding("ok", "mail", f"{urlsplit(config.smtp_url).hostname} answers")


def _domains() -> Iterator[Finding]:
    from ecp.domains import checking

    for domain in checking.known_domains():
        report = checking.ask(checking.question_of(domain))
        for check in report.checks:
            for finding in check.findings:
                level: Level = "problem" if finding.level == "problem" else "ok" if finding.level == "ok" else "notice"
                yield Finding(level, f"DNS of {domain}", finding.sentence)
