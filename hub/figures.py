"""Figures of the house for Prometheus, counted in the database when they are asked for: every process tells the same."""

import ipaddress
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector
from sqlalchemy import func, inspect, select, text

from crm import clock, config
from crm.db import db
from crm.engine.outbox import OPEN, Job

CONTENT_TYPE = CONTENT_TYPE_LATEST
LEAST_FREE_BYTES = 100_000_000


def may_be_told(source: str, trusted: str) -> bool:
    """Whether the address `source` is this machine or in the `trusted` networks."""
    try:
        address = ipaddress.ip_address(source)
    except ValueError:
        return False
    networks = [ipaddress.ip_network(one.strip(), strict=False) for one in trusted.split(",") if one.strip()]
    return address.is_loopback or any(address in network for network in networks)


def free_bytes(folder: Path) -> int | None:
    """Room on the disk of `folder`; None when there is no such folder."""
    return shutil.disk_usage(folder).free if folder.exists() else None


class House(Collector):
    """Counts, when it is asked."""

    def collect(self) -> Iterator[Metric]:
        begun = time.perf_counter()
        yield from jobs()
        yield from deliveries()
        room = free_bytes(config.current().data_path)
        if room is not None:
            yield GaugeMetricFamily("customerhub_disk_free_bytes", "Room on the disk of the data folder", value=room)
        took = time.perf_counter() - begun
        yield GaugeMetricFamily("customerhub_scrape_seconds", "Time it took to count these figures", value=took)


def jobs() -> Iterator[Metric]:
    family = GaugeMetricFamily("customerhub_jobs", "Jobs by queue and state", labels=["queue", "state"])
    for queue, state, count in db.session.execute(
        select(Job.queue, Job.state, func.count()).group_by(Job.queue, Job.state)
    ):
        family.add_metric([queue, state], count)
    yield family
    oldest = db.session.scalar(
        select(func.min(Job.run_at)).where(Job.state.in_(OPEN), Job.state == "waiting", Job.run_at <= clock.now())
    )
    late = (clock.now() - oldest).total_seconds() if oldest else 0.0
    yield GaugeMetricFamily("customerhub_jobs_late_seconds", "How long the first waiting job has been due", value=late)


def deliveries() -> Iterator[Metric]:
    if not inspect(db.session.connection()).has_table("deliveries"):
        return
    family = GaugeMetricFamily("customerhub_deliveries", "Mails by state", labels=["state"])
    for state, count in db.session.execute(text("SELECT state, count(*) FROM deliveries GROUP BY state")):
        family.add_metric([state], count)
    yield family


def exposition() -> bytes:
    """All figures in the format of Prometheus."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(House())
    return generate_latest(registry)
