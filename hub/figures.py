"""Figures of the house for Prometheus, counted in the database when they are asked for: every process tells the same."""

import ipaddress
import time
from collections.abc import Iterator
from datetime import timedelta

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector
from sqlalchemy import and_, case, func, inspect, select, text

from crm import clock, config, disk
from crm.db import db
from crm.engine.outbox import OPEN, Job
from crm.jobs.engines.carriers import BrokerDown, carrier_of
from crm.jobs.engines.embedded import QUEUES

CONTENT_TYPE = CONTENT_TYPE_LATEST
RECENT = timedelta(minutes=5)
ASK_BROKER_EVERY_SECONDS = 2.0
COUNT_EVERY_SECONDS = 15.0
# Each part is served by the index of sendout and state; those of a sendout that is over are in its report.
MAILS_UNDER_WAY = """
    SELECT state, sum(mails) FROM (
        SELECT deliveries.state, count(*) AS mails FROM mail_runs JOIN deliveries ON deliveries.sendout_id = mail_runs.sendout_id
        WHERE mail_runs.state <> 'closed' GROUP BY deliveries.state
        UNION ALL
        SELECT state, count(*) FROM deliveries WHERE sendout_id IS NULL AND state IN ('waiting', 'leased', 'retry')
        GROUP BY state
    ) AS counted GROUP BY state ORDER BY state
"""


def may_be_told(source: str, trusted: str) -> bool:
    """Whether the address `source` is this machine or in the `trusted` networks."""
    try:
        address = ipaddress.ip_address(source)
    except ValueError:
        return False
    networks = [ipaddress.ip_network(one.strip(), strict=False) for one in trusted.split(",") if one.strip()]
    return address.is_loopback or any(address in network for network in networks)


class House(Collector):
    """Counts, when it is asked."""

    def collect(self) -> Iterator[Metric]:
        begun = time.perf_counter()
        yield from jobs()
        yield from broker()
        yield from deliveries()
        room = disk.free_bytes(config.current().data_path)
        if room is not None:
            yield GaugeMetricFamily("customerhub_disk_free_bytes", "Room on the disk of the data folder", value=room)
        took = time.perf_counter() - begun
        yield GaugeMetricFamily("customerhub_scrape_seconds", "Time it took to count these figures", value=took)


def jobs() -> Iterator[Metric]:
    """How many there are, how long they wait, and how many were put and ended."""
    now = clock.now()
    ended = GaugeMetricFamily(
        "customerhub_jobs_ended", "Jobs that ended in the last five minutes", labels=["queue", "state"]
    )
    depth = GaugeMetricFamily("customerhub_jobs", "Jobs by queue and state", labels=["queue", "state"])
    late = GaugeMetricFamily(
        "customerhub_jobs_late_seconds", "How long the first job that waits has been due", labels=["queue"]
    )
    recent = func.count(case((Job.finished_at > now - RECENT, 1)))
    due = func.min(case((and_(Job.state == "waiting", Job.run_at <= now), Job.run_at)))
    waited: dict[str, float] = {}
    for queue, state, count, just, oldest in db.session.execute(
        select(Job.queue, Job.state, func.count(), recent, due).group_by(Job.queue, Job.state)
    ):
        depth.add_metric([queue, state], count)
        if state not in OPEN:
            ended.add_metric([queue, state], just)
        waited[queue] = max(waited.get(queue, 0.0), (now - oldest).total_seconds() if oldest else 0.0)
    for queue, seconds in waited.items():
        late.add_metric([queue], seconds)
    yield from (depth, late, ended)
    # Ids are given out in order and never twice.
    yield CounterMetricFamily(
        "customerhub_jobs_put", "Jobs that were ever put", value=db.session.scalar(select(func.max(Job.id))) or 0
    )


def broker() -> Iterator[Metric]:
    """Of an engine with a broker: whether that answers, and the words that nobody has taken yet."""
    settings = config.current()
    carrier = carrier_of(settings)
    if carrier is None:
        return
    trouble = trouble_of_broker(settings)
    yield GaugeMetricFamily("customerhub_broker_up", "Whether the broker of jobs answers", value=0 if trouble else 1)
    if trouble:
        return
    words = GaugeMetricFamily("customerhub_broker_words", "Words about jobs not yet taken", labels=["queue"])
    for queue in QUEUES:
        try:
            words.add_metric([queue], carrier.waiting(queue))
        except BrokerDown:
            return
    yield words


_counted: dict[str, tuple[float, list[tuple[str, int]]]] = {}
_asked: dict[str, tuple[float, str | None]] = {}


def trouble_of_broker(settings: config.Config) -> str | None:
    """Why the broker of jobs does not answer; None when it does or none is needed. Asks at most every few seconds."""
    carrier = carrier_of(settings)
    if carrier is None:
        return None
    asked_at, trouble = _asked.get(settings.queue_url, (float("-inf"), None))
    if time.monotonic() - asked_at > ASK_BROKER_EVERY_SECONDS:
        try:
            carrier.check()
            trouble = None
        except BrokerDown as reason:
            trouble = str(reason)
        _asked[settings.queue_url] = (time.monotonic(), trouble)
    return trouble


def deliveries() -> Iterator[Metric]:
    """Mails of what is being sent, by state. Those of years are not counted at each scrape: their number is the last id."""
    asked_at, counts = _counted.get(config.current().url_of_database, (float("-inf"), []))
    if time.monotonic() - asked_at > COUNT_EVERY_SECONDS:
        if not inspect(db.session.connection()).has_table("deliveries"):
            return
        counts = [(state, count) for state, count in db.session.execute(text(MAILS_UNDER_WAY))]
        _counted[config.current().url_of_database] = (time.monotonic(), counts)
    family = GaugeMetricFamily("customerhub_deliveries", "Mails of what is being sent, by state", labels=["state"])
    for state, count in counts:
        family.add_metric([state], count)
    yield family
    # Asked each time: one that another process had counted earlier would be less, and rate() takes that for a new start.
    last = db.session.scalar(text("SELECT max(id) FROM deliveries")) or 0
    yield CounterMetricFamily("customerhub_deliveries_put", "Mails that were ever put", value=last)


def exposition() -> bytes:
    """All figures in the format of Prometheus."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(House())
    return generate_latest(registry)
